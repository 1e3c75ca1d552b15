//! How pixels are stored. In: a data set. Out: a checked [`Layout`], and stored samples turned into values: bits cut out,
//! signs extended, colours made grey, low values that mean white turned over.

use dicom_dictionary_std::tags;

use super::dataset::Dataset;
use crate::scan::error::ScanError;

/// Size and number format of a frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// 1 for grey, 3 for colour.
    pub(super) samples: usize,
    /// Of colours: all reds first, then all greens, then all blues.
    planar: bool,
    /// 8, 16 or 32.
    allocated: u32,
    stored: u32,
    high_bit: u32,
    signed: bool,
    pub(super) photometric: Photometric,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Photometric {
    /// The larger, the brighter.
    Monochrome2,
    /// The larger, the darker.
    Monochrome1,
    Rgb,
    /// Brightness comes first.
    Ybr,
}

impl Layout {
    pub(super) fn read(data: &Dataset<'_>) -> Result<Self, ScanError> {
        let needed = |name: &str| ScanError::bad_dicom(&format!("it has no {name}"));
        let rows: Option<u16> = data.whole(tags::ROWS)?;
        let columns: Option<u16> = data.whole(tags::COLUMNS)?;
        let allocated: Option<u16> = data.whole(tags::BITS_ALLOCATED)?;
        let allocated = u32::from(allocated.ok_or_else(|| needed("BitsAllocated"))?);
        let stored = data.whole::<u16>(tags::BITS_STORED)?.map(u32::from);
        let stored = stored.unwrap_or(allocated);
        let high_bit = data.whole::<u16>(tags::HIGH_BIT)?.map(u32::from);
        let samples = usize::from(data.whole::<u16>(tags::SAMPLES_PER_PIXEL)?.unwrap_or(1));
        let photometric = data.text_or_empty(tags::PHOTOMETRIC_INTERPRETATION);
        let layout = Self {
            rows: rows.ok_or_else(|| needed("Rows"))?.into(),
            columns: columns.ok_or_else(|| needed("Columns"))?.into(),
            samples,
            planar: data.whole::<u16>(tags::PLANAR_CONFIGURATION)? == Some(1),
            allocated,
            stored,
            high_bit: high_bit.unwrap_or(stored.saturating_sub(1)),
            signed: data.whole::<u16>(tags::PIXEL_REPRESENTATION)? == Some(1),
            photometric: match (photometric.as_str(), samples) {
                ("MONOCHROME1", 1) => Photometric::Monochrome1,
                ("MONOCHROME2" | "", 1) => Photometric::Monochrome2,
                ("RGB", 3) => Photometric::Rgb,
                ("YBR_FULL" | "YBR_FULL_422" | "YBR_ICT" | "YBR_RCT" | "YBR_PARTIAL_420", 3) => {
                    Photometric::Ybr
                }
                (other, _) => return Err(ScanError::photometric(other, samples)),
            },
        };
        layout.check()?;
        Ok(layout)
    }

    fn check(&self) -> Result<(), ScanError> {
        let (allocated, stored, high) = (self.allocated, self.stored, self.high_bit);
        if self.rows == 0 || self.columns == 0 {
            return Err(ScanError::bad_dicom(&format!(
                "its frames have {} rows and {} columns",
                self.rows, self.columns
            )));
        }
        if !matches!(allocated, 8 | 16 | 32) {
            return Err(ScanError::bits(allocated));
        }
        if !(1..=allocated).contains(&stored) || high >= allocated || high + 1 < stored {
            return Err(ScanError::bad_dicom(&format!(
                "{stored} bits up to bit {high} do not fit in {allocated}"
            )));
        }
        Ok(())
    }

    /// The same with the samples of a pixel next to one another.
    pub(super) fn interleaved(&self) -> Self {
        Self {
            planar: false,
            ..self.clone()
        }
    }

    pub(super) fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    pub(super) fn sample_bytes(&self) -> usize {
        self.allocated as usize / 8
    }

    /// Bytes of an uncompressed frame.
    pub(super) fn frame_len(&self) -> usize {
        self.pixels() * self.samples * self.sample_bytes()
    }

    /// The samples of an uncompressed frame as they are stored.
    pub(super) fn samples_of(&self, bytes: &[u8], big_endian: bool) -> Vec<u32> {
        match self.allocated {
            8 => bytes.iter().map(|b| u32::from(*b)).collect(),
            16 => {
                let words = bytes.as_chunks::<2>().0.iter();
                let word = |w: &[u8; 2]| match big_endian {
                    true => u16::from_be_bytes(*w),
                    false => u16::from_le_bytes(*w),
                };
                words.map(|w| u32::from(word(w))).collect()
            }
            _ => {
                let words = bytes.as_chunks::<4>().0.iter();
                let word = |w: &[u8; 4]| match big_endian {
                    true => u32::from_be_bytes(*w),
                    false => u32::from_le_bytes(*w),
                };
                words.map(word).collect()
            }
        }
    }

    /// Values from samples that were stored with other bits around theirs.
    pub(super) fn native_values(&self, samples: &[u32]) -> Vec<f64> {
        let shift = self.high_bit + 1 - self.stored;
        let values: Vec<f64> = samples.iter().map(|s| self.value(s >> shift)).collect();
        match self.photometric {
            Photometric::Rgb => self.grey(&values),
            Photometric::Ybr => (0..self.pixels())
                .map(|pixel| values[self.place(pixel, 0)])
                .collect(),
            _ => values,
        }
    }

    /// Values from samples a codec gave, lowest bit first; colours have been made RGB and lie pixel by pixel.
    pub(super) fn decoded_values(&self, samples: &[u32]) -> Vec<f64> {
        let values: Vec<f64> = samples.iter().map(|s| self.value(*s)).collect();
        match self.samples {
            1 => values,
            _ => values.as_chunks::<3>().0.iter().map(luma).collect(),
        }
    }

    fn grey(&self, values: &[f64]) -> Vec<f64> {
        let pixel = |p: usize| [0, 1, 2].map(|sample| values[self.place(p, sample)]);
        (0..self.pixels()).map(|p| luma(&pixel(p))).collect()
    }

    fn place(&self, pixel: usize, sample: usize) -> usize {
        match self.planar {
            true => sample * self.pixels() + pixel,
            false => pixel * self.samples + sample,
        }
    }

    /// A sample as a number.
    fn value(&self, sample: u32) -> f64 {
        let unused = 32 - self.stored;
        let bits = sample << unused;
        let value = match self.signed {
            true => f64::from(bits.cast_signed() >> unused),
            false => f64::from(bits >> unused),
        };
        match self.photometric {
            Photometric::Monochrome1 => {
                let (lowest, highest) = self.range();
                lowest + highest - value
            }
            _ => value,
        }
    }

    fn range(&self) -> (f64, f64) {
        let half = 2f64.powi(self.stored as i32 - 1);
        match self.signed {
            true => (-half, half - 1.0),
            false => (0.0, 2.0 * half - 1.0),
        }
    }
}

/// Brightness of a colour, by the weights of ITU-R BT.601.
fn luma([r, g, b]: &[f64; 3]) -> f64 {
    0.299 * r + 0.587 * g + 0.114 * b
}
