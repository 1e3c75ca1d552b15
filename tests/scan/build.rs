//! Builds NIfTI-1 files byte by byte, independently of the crate's own writer. In: header fields and values.
//! Out: the bytes of a file, in either byte order.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

/// A number type of the format: code, bytes, name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(pub i16, pub usize, pub &'static str);

pub const U8: Kind = Kind(2, 1, "u8");
pub const I16: Kind = Kind(4, 2, "i16");
pub const F32: Kind = Kind(16, 4, "f32");
pub const F64: Kind = Kind(64, 8, "f64");

pub const KINDS: [Kind; 10] = [
    U8,
    Kind(256, 1, "i8"),
    I16,
    Kind(512, 2, "u16"),
    Kind(8, 4, "i32"),
    Kind(768, 4, "u32"),
    Kind(1024, 8, "i64"),
    Kind(1280, 8, "u64"),
    F32,
    F64,
];

impl Kind {
    /// The value as stored, least significant byte first; saturates like `as`.
    fn little_endian(self, v: f64) -> Vec<u8> {
        match self.2 {
            "u8" => vec![v as u8],
            "i8" => (v as i8).to_le_bytes().to_vec(),
            "i16" => (v as i16).to_le_bytes().to_vec(),
            "u16" => (v as u16).to_le_bytes().to_vec(),
            "i32" => (v as i32).to_le_bytes().to_vec(),
            "u32" => (v as u32).to_le_bytes().to_vec(),
            "i64" => (v as i64).to_le_bytes().to_vec(),
            "u64" => (v as u64).to_le_bytes().to_vec(),
            "f32" => (v as f32).to_le_bytes().to_vec(),
            _ => v.to_le_bytes().to_vec(),
        }
    }

    /// What a reader must find for `v`: `v` cut to the type's range and precision.
    pub fn stored(self, v: f64) -> f64 {
        match self.2 {
            "u8" => f64::from(v as u8),
            "i8" => f64::from(v as i8),
            "i16" => f64::from(v as i16),
            "u16" => f64::from(v as u16),
            "i32" => f64::from(v as i32),
            "u32" => f64::from(v as u32),
            "i64" => (v as i64) as f64,
            "u64" => (v as u64) as f64,
            "f32" => f64::from(v as f32),
            _ => v,
        }
    }
}

/// A NIfTI-1 file to be built; fields have the format's names.
#[derive(Debug, Clone)]
pub struct Nifti {
    pub kind: Kind,
    pub big_endian: bool,
    pub dim: Vec<i16>,
    pub pixdim: [f32; 8],
    pub vox_offset: f32,
    pub slope: f32,
    pub inter: f32,
    pub xyzt_units: u8,
    pub qform_code: i16,
    pub sform_code: i16,
    pub quatern: [f32; 6],
    pub srow: [f32; 12],
    pub values: Vec<f64>,
}

impl Nifti {
    /// A small plain file; tests change what they are about.
    pub fn new(kind: Kind, dim: &[i16], values: Vec<f64>) -> Self {
        Self {
            kind,
            big_endian: false,
            dim: dim.to_vec(),
            pixdim: [1.0, 0.75, 0.8, 2.5, 1.0, 1.0, 1.0, 1.0],
            vox_offset: 352.0,
            slope: 0.0,
            inter: 0.0,
            xyzt_units: 2,
            qform_code: 0,
            sform_code: 1,
            quatern: [0.0; 6],
            srow: [
                -0.75, 0.0, 0.0, 91.5, 0.0, -0.8, 0.0, 72.25, 0.0, 0.0, 2.5, -310.125,
            ],
            values,
        }
    }

    /// The same with values 0, 1, 2, ...
    pub fn counting(kind: Kind, dim: &[i16]) -> Self {
        let count = dim.iter().map(|d| (*d).max(0) as usize).product();
        Self::new(kind, dim, (0..count).map(|v| (v % 100) as f64).collect())
    }

    pub fn header(&self) -> [u8; 348] {
        let mut bytes = [0; 348];
        let mut put = |place: usize, little: &[u8]| {
            let mut value = little.to_vec();
            if self.big_endian {
                value.reverse();
            }
            bytes[place..place + value.len()].copy_from_slice(&value);
        };
        put(0, &348i32.to_le_bytes());
        put(40, &(self.dim.len() as i16).to_le_bytes());
        for i in 0..7 {
            put(42 + 2 * i, &self.dim.get(i).unwrap_or(&1).to_le_bytes());
        }
        put(68, &1001i16.to_le_bytes()); // some intent, which a label map does not inherit
        put(70, &self.kind.0.to_le_bytes());
        put(72, &(8 * self.kind.1 as i16).to_le_bytes());
        let floats = self
            .pixdim
            .iter()
            .chain([&self.vox_offset, &self.slope, &self.inter]);
        for (i, value) in floats.enumerate() {
            put(76 + 4 * i, &value.to_le_bytes());
        }
        put(123, &[self.xyzt_units]);
        put(124, &400f32.to_le_bytes()); // cal_max
        put(136, &12.5f32.to_le_bytes()); // toffset
        put(252, &self.qform_code.to_le_bytes());
        put(254, &self.sform_code.to_le_bytes());
        for (i, value) in self.quatern.iter().chain(&self.srow).enumerate() {
            put(256 + 4 * i, &value.to_le_bytes());
        }
        bytes[148..159].copy_from_slice(b"a test scan");
        bytes[344..].copy_from_slice(b"n+1\0");
        bytes
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.header().to_vec();
        bytes.resize((self.vox_offset as usize).max(352), 0);
        for value in &self.values {
            let mut stored = self.kind.little_endian(*value);
            if self.big_endian {
                stored.reverse();
            }
            bytes.extend(stored);
        }
        bytes
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

pub fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(bytes), &mut plain).expect("a gzip stream");
    plain
}
