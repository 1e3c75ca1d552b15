//! When and which. In: an ISO date and time, a random number. Out: DICOM's date and time, an identifier.

use std::str::FromStr;

use super::ExportError;

/// A date and a time as DICOM writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment(String);

impl Moment {
    pub fn date(&self) -> &str {
        &self.0[..8]
    }

    pub fn time(&self) -> &str {
        &self.0[8..]
    }
}

impl FromStr for Moment {
    type Err = ExportError;

    /// Of `2026-11-25T09:30:00` and whatever follows.
    fn from_str(text: &str) -> Result<Self, ExportError> {
        const SHAPE: &[u8; 19] = b"0000-00-00T00:00:00";
        let bytes = text.as_bytes();
        let fits = |(byte, like): (&u8, &u8)| match like {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        };
        if bytes.len() < SHAPE.len() || !bytes.iter().zip(SHAPE).all(fits) {
            return Err(ExportError::bad_time(text));
        }
        let digits: String = text[..19].chars().filter(char::is_ascii_digit).collect();
        let between = |at: std::ops::Range<usize>, lo, hi| {
            digits[at]
                .parse::<u8>()
                .is_ok_and(|n| (lo..=hi).contains(&n))
        };
        let good = between(4..6, 1, 12)
            && between(6..8, 1, 31)
            && between(8..10, 0, 23)
            && between(10..12, 0, 59)
            && between(12..14, 0, 60);
        match good {
            true => Ok(Self(digits)),
            false => Err(ExportError::bad_time(text)),
        }
    }
}

/// The identifiers of a file lie this far apart (an odd number: they come back to the first after 2^128).
const STEP: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// The file's identifier `number`: a random UUID (version 4), as PS3.5 B.2 makes them.
pub(super) fn uid(random: u128, number: u32) -> String {
    let random = random.wrapping_add(STEP.wrapping_mul(u128::from(number)));
    let version = (random & !(0xf << 76)) | (4 << 76);
    let variant = (version & !(3 << 62)) | (2 << 62);
    format!("2.25.{variant}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let moment: Moment = "2026-11-25T09:30:07.123Z".parse().expect("a moment");
        assert_eq!((moment.date(), moment.time()), ("20261125", "093007"));
        for wrong in [
            "",
            "2026-11-25",
            "2026-11-25 09:30:07",
            "2026-13-25T09:30:07",
            "2026-11-00T09:30:07",
            "2026-11-25T24:30:07",
            "2026-11-25T09:30:é",
        ] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn identifiers_are_short_enough_and_of_version_4() {
        for random in [0, 1, u128::MAX, 0x1234_5678_9abc_def0_1234_5678_9abc_def0] {
            let uid = uid(random, 1);
            assert!(uid.len() <= 64 && uid.starts_with("2.25."), "{uid}");
            let number: u128 = uid[5..].parse().expect("a number");
            assert_eq!((number >> 76 & 0xf, number >> 62 & 3), (4, 2));
        }
        let first: std::collections::HashSet<String> = (0..70_000).map(|n| uid(5, n)).collect();
        assert_eq!(first.len(), 70_000);
    }
}
