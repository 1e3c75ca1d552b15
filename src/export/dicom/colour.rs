//! A colour as DICOM stores it. In: sRGB. Out: CIE L*a*b* of the profile connection space (white is D50), in 16 bits.

/// sRGB's linear light to XYZ, adapted to D50 (Bradford): the matrix of the sRGB profile.
const TO_XYZ: [[f64; 3]; 3] = [
    [0.436_074_7, 0.385_064_9, 0.143_080_4],
    [0.222_504_5, 0.716_878_6, 0.060_616_9],
    [0.013_932_2, 0.097_104_5, 0.714_173_3],
];
/// White of D50.
const WHITE: [f64; 3] = [0.964_22, 1.0, 0.825_21];

/// RecommendedDisplayCIELabValue: L* of 0 to 100, a* and b* of -128 to 127, each over the whole range (PS3.3 C.10.7.1.1).
pub(super) fn cie_lab(colour: [u8; 3]) -> [u16; 3] {
    let light = colour.map(|byte| match f64::from(byte) / 255.0 {
        v if v <= 0.040_45 => v / 12.92,
        v => ((v + 0.055) / 1.055).powf(2.4),
    });
    let [x, y, z] = [0, 1, 2].map(|row| {
        let value: f64 = (0..3).map(|i| TO_XYZ[row][i] * light[i]).sum();
        let value = value / WHITE[row];
        match value > (6.0f64 / 29.0).powi(3) {
            true => value.cbrt(),
            false => value * (29.0f64 / 6.0).powi(2) / 3.0 + 4.0 / 29.0,
        }
    });
    let whole = |value: f64, lo: f64, range: f64| ((value - lo) / range * 65535.0).round() as u16;
    [
        whole(116.0 * y - 16.0, 0.0, 100.0),
        whole(500.0 * (x - y), -128.0, 255.0),
        whole(200.0 * (y - z), -128.0, 255.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours() {
        // Of the sRGB profile, in D50: red is (54.29, 80.81, 69.89), grey of 128 is (53.59, 0, 0).
        let expected =
            |l: f64, a: f64, b: f64| [l / 100.0, (a + 128.0) / 255.0, (b + 128.0) / 255.0];
        for (colour, lab) in [
            ([255, 0, 0], expected(54.29, 80.81, 69.89)),
            ([128, 128, 128], expected(53.59, 0.0, 0.0)),
            ([0, 0, 0], expected(0.0, 0.0, 0.0)),
            ([255, 255, 255], expected(100.0, 0.0, 0.0)),
        ] {
            for (found, share) in cie_lab(colour).into_iter().zip(lab) {
                // A hundredth of a unit, in which the known values are rounded.
                assert!(
                    (f64::from(found) / 65535.0 - share).abs() < 2e-4,
                    "{colour:?}"
                );
            }
        }
    }
}
