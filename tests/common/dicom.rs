//! Small uncompressed DICOM files. In: a slice. Out: bytes as scanners write them, with a sequence that a reader must skip.

/// Group and element.
type Tag = (u16, u16);

/// What is not under test has the simplest value: rows 1.5 mm apart, columns 1.25 mm, values rescaled by 2 v - 10.
pub struct Made {
    /// Whether types stand in the file.
    pub explicit: bool,
    pub rows: u16,
    pub cols: u16,
    /// Row-major, before they are rescaled.
    pub values: Vec<i16>,
    /// Of the first pixel; x to the patient's left, y to the back, z to the head; millimetres.
    pub position: [f64; 3],
}

impl Made {
    pub fn bytes(&self) -> Vec<u8> {
        let syntax: &[u8] = match self.explicit {
            true => b"1.2.840.10008.1.2.1",
            false => b"1.2.840.10008.1.2",
        };
        let mut bytes = vec![0; 128];
        bytes.extend(b"DICM");
        bytes.extend(element((0x0002, 0x0010), b"UI", syntax, true));
        bytes.extend(self.sequence());
        let [x, y, z] = self.position;
        let short = |n: u16| n.to_le_bytes().to_vec();
        let pixels = self.values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let elements: [(Tag, &[u8; 2], Vec<u8>); 10] = [
            (
                (0x0020, 0x0032),
                b"DS",
                format!("{x}\\{y}\\{z}").into_bytes(),
            ),
            ((0x0020, 0x0037), b"DS", b"1\\0\\0\\0\\1\\0".to_vec()),
            ((0x0028, 0x0010), b"US", short(self.rows)),
            ((0x0028, 0x0011), b"US", short(self.cols)),
            ((0x0028, 0x0030), b"DS", b"1.5\\1.25".to_vec()),
            ((0x0028, 0x0100), b"US", short(16)),
            ((0x0028, 0x0103), b"US", short(1)),
            ((0x0028, 0x1052), b"DS", b"-10".to_vec()),
            ((0x0028, 0x1053), b"DS", b"2".to_vec()),
            ((0x7fe0, 0x0010), b"OW", pixels),
        ];
        for (tag, kind, value) in elements {
            bytes.extend(element(tag, kind, &value, self.explicit));
        }
        bytes
    }

    /// A sequence and an item of undefined length; the item has a number of rows that is not the file's.
    fn sequence(&self) -> Vec<u8> {
        let mut bytes = element((0x0008, 0x1140), b"SQ", &[], self.explicit);
        let length = bytes.len() - 4;
        bytes[length..].fill(0xff);
        let mark = |element: u16, length: u32| {
            let tag = [0xfffe_u16.to_le_bytes(), element.to_le_bytes()].concat();
            [tag, length.to_le_bytes().to_vec()].concat()
        };
        bytes.extend(mark(0xe000, u32::MAX));
        let rows = 999u16.to_le_bytes();
        bytes.extend(element((0x0028, 0x0010), b"US", &rows, self.explicit));
        bytes.extend(mark(0xe00d, 0));
        bytes.extend(mark(0xe0dd, 0));
        bytes
    }
}

fn element(tag: Tag, kind: &[u8; 2], value: &[u8], explicit: bool) -> Vec<u8> {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(b' ');
    }
    let mut bytes = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
    let length = value.len() as u32;
    match (explicit, kind) {
        (false, _) => bytes.extend(length.to_le_bytes()),
        (true, b"OW" | b"SQ") => {
            bytes.extend([kind[0], kind[1], 0, 0]);
            bytes.extend(length.to_le_bytes());
        }
        (true, _) => {
            bytes.extend(kind);
            bytes.extend((length as u16).to_le_bytes());
        }
    }
    bytes.extend(value);
    bytes
}
