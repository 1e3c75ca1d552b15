//! Headers of text. In: bytes. Out: lines of keys and values, and numbers in them.

/// The lines of a header with the byte after each; a line is at most so long.
const LONGEST: usize = 1 << 14;

/// Splits off the first line, without its end; `None` when there is none, or it is not text.
pub(super) fn line(bytes: &[u8]) -> Option<(&str, usize)> {
    let end = bytes.iter().take(LONGEST).position(|c| *c == b'\n');
    let (end, next) = match end {
        Some(end) => (end, end + 1),
        None if bytes.is_empty() || bytes.len() >= LONGEST => return None,
        None => (bytes.len(), bytes.len()),
    };
    let line = std::str::from_utf8(&bytes[..end]).ok()?;
    Some((line.trim_end_matches('\r'), next))
}

/// Numbers with spaces between them; `None` when one is no number, or not finite.
pub(super) fn numbers(text: &str) -> Option<Vec<f64>> {
    let numbers = text.split_whitespace().map(|n| n.parse::<f64>());
    let numbers: Vec<f64> = numbers.collect::<Result<_, _>>().ok()?;
    numbers.iter().all(|n| n.is_finite()).then_some(numbers)
}

/// Sizes with spaces between them, each at least 1.
pub(super) fn sizes(text: &str) -> Option<Vec<u64>> {
    let sizes = text.split_whitespace().map(|n| n.parse::<u64>());
    let sizes: Vec<u64> = sizes.collect::<Result<_, _>>().ok()?;
    (!sizes.contains(&0)).then_some(sizes)
}
