//! The order of names as people number them: `slice2` before `slice10`. In: two names. Out: which comes first.

use std::cmp::Ordering;

/// Digits compare as numbers, everything else as text; names that only differ in leading zeros compare as text.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a.as_bytes(), b.as_bytes());
    while let (Some(p), Some(q)) = (x.first(), y.first()) {
        let order = match (p.is_ascii_digit(), q.is_ascii_digit()) {
            (true, true) => {
                let (m, n) = (number(&mut x), number(&mut y));
                // Without leading zeros, the longer number is the larger.
                m.len().cmp(&n.len()).then_with(|| m.cmp(n))
            }
            _ => {
                (x, y) = (&x[1..], &y[1..]);
                p.cmp(q)
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    x.len().cmp(&y.len()).then_with(|| a.cmp(b))
}

/// Takes the digits at the beginning, without leading zeros.
fn number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|c| !c.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    *text = rest;
    let zeros = digits.iter().take_while(|c| **c == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_numbers() {
        let mut names = ["a10", "a9", "a", "b1", "a09b", "a9b", "10", "9", "a10b"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(
            names,
            ["9", "10", "a", "a9", "a09b", "a9b", "a10", "a10b", "b1"]
        );
        assert_eq!(compare("x1y2", "x1y2"), Ordering::Equal);
        let long = ["1".repeat(40), "2".repeat(39)];
        assert_eq!(compare(&long[0], &long[1]), Ordering::Greater);
    }
}
