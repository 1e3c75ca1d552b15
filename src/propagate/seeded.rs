//! Random numbers that are the same everywhere for the same seed (SplitMix64, Steele et al. 2014).

pub(super) struct Seeded(u64);

impl Seeded {
    /// A sequence of its own for each list of words.
    pub(super) fn of(words: &[u64]) -> Self {
        words
            .iter()
            .fold(Self(0), |seeded, word| Self(Self(seeded.0 ^ word).next()))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly from 0 to 1, never 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Evenly from `-range` to `range`.
    pub(super) fn around(&mut self, range: f32) -> f32 {
        let unit = (self.next() >> 40) as f32 / (1u64 << 24) as f32; // 0 to 1
        (2.0 * unit - 1.0) * range
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        let mut random = Seeded(1_234_567);
        let found: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(
            found,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn draws_fill_their_range_evenly() {
        let mut random = Seeded::of(&[7]);
        let draws: Vec<f64> = (0..4000).map(|_| random.unit()).collect();
        assert!(draws.iter().all(|d| (0.0..1.0).contains(d)));
        let mean = draws.iter().sum::<f64>() / 4000.0;
        assert!((mean - 0.5).abs() < 0.03, "mean {mean}");

        let draws: Vec<f32> = (0..4000).map(|_| random.around(2.0)).collect();
        assert!(draws.iter().all(|d| d.abs() <= 2.0));
        let mean = draws.iter().sum::<f32>() / 4000.0;
        assert!(mean.abs() < 0.1, "mean {mean}");
        assert!(draws.iter().any(|&d| d < -1.9) && draws.iter().any(|&d| d > 1.9));
    }

    #[test]
    fn every_list_has_its_own_sequence() {
        let lists: [&[u64]; 6] = [&[], &[0], &[0, 0], &[1, 0], &[0, 1], &[1, 1]];
        let firsts = lists.map(|words| Seeded::of(words).next());
        let different: std::collections::BTreeSet<u64> = firsts.into_iter().collect();
        assert_eq!(different.len(), lists.len());
        assert_eq!(Seeded::of(&[3, 4]).next(), Seeded::of(&[3, 4]).next());
    }
}
