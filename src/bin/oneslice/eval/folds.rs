//! Folds for 1-way 1-shot evaluation. In: the groups of a data set and a seed. Out: disjoint folds, and for each the groups
//! that may lend it a support, in the order in which they are tried.
//!
//! The order comes from SHA-256 of seed and name, so that it is the same everywhere and one more scan moves few others.

use sha2::{Digest, Sha256};

/// Groups whose scans are queries together; their support comes from another fold.
#[derive(Debug, PartialEq)]
pub struct Fold {
    pub queries: Vec<String>,
    /// The first that can be read and has the label is the support.
    pub supports: Vec<String>,
}

/// Divides groups (each once) into `count` folds whose sizes differ by one at most; into fewer where there are fewer groups.
pub fn folds(groups: &[String], count: usize, seed: u64) -> Vec<Fold> {
    let shuffled = shuffled(groups.to_vec(), &format!("{seed}"));
    let count = count.min(groups.len());
    let fold = |number: usize| {
        let place = |at: usize| at % count == number;
        let (mut queries, mut others) = (Vec::new(), Vec::new());
        for (at, group) in shuffled.iter().enumerate() {
            match place(at) {
                true => queries.push(group.clone()),
                false => others.push(group.clone()),
            }
        }
        queries.sort();
        Fold {
            queries,
            supports: self::shuffled(others, &format!("{seed}:{number}")),
        }
    };
    (0..count).map(fold).collect()
}

fn shuffled(mut names: Vec<String>, seed: &str) -> Vec<String> {
    names.sort_by_cached_key(|name| Sha256::digest(format!("{seed}:{name}")).to_vec());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("scan{n:02}")).collect()
    }

    #[test]
    fn folds_are_disjoint_even_and_whole_and_can_be_repeated() {
        let names = names(24);
        let made = folds(&names, 5, 0);
        let mut sizes: Vec<usize> = made.iter().map(|f| f.queries.len()).collect();
        let mut all: Vec<String> = made.iter().flat_map(|f| f.queries.clone()).collect();
        all.sort();
        sizes.sort_unstable();
        assert_eq!(all, names);
        assert_eq!(sizes, [4, 5, 5, 5, 5]);
        for fold in &made {
            assert_eq!(fold.queries.len() + fold.supports.len(), 24);
            assert!(!fold.queries.iter().any(|q| fold.supports.contains(q)));
        }
        assert_eq!(made, folds(&names, 5, 0));
        assert_ne!(made, folds(&names, 5, 1));
        let supports: Vec<&String> = made.iter().map(|f| &f.supports[0]).collect();
        assert!(
            supports.iter().any(|s| *s != supports[0]),
            "one support for all"
        );
    }

    /// Written down so that a published table can be made again: SHA-256 and the names decide, nothing else.
    #[test]
    fn the_division_does_not_change_between_versions() {
        let queries: Vec<_> = folds(&names(5), 2, 7)
            .into_iter()
            .map(|f| f.queries)
            .collect();
        let expected: [&[&str]; 2] = [&["scan01", "scan02", "scan03"], &["scan00", "scan04"]];
        assert_eq!(queries, expected);
    }

    #[test]
    fn few_groups_make_few_folds() {
        let made = folds(&names(2), 5, 0);
        assert_eq!(made.len(), 2);
        assert!(made.iter().all(|f| f.supports.len() == 1));
    }
}
