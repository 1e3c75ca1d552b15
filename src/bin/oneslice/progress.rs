//! Progress on standard error.

use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;

/// A bar that counts slices.
pub fn slices(count: usize, json: bool) -> Result<ProgressBar, Failure> {
    bar("slice", count, json)
}

/// A bar that counts; hidden with `--json`, and by itself where standard error is no terminal.
pub fn bar(what: &str, count: usize, json: bool) -> Result<ProgressBar, Failure> {
    let bar = match json {
        true => ProgressBar::hidden(),
        false => ProgressBar::new(count as u64),
    };
    let style = format!("{{bar:32}} {what} {{pos}} of {{len}}, {{eta}} left");
    bar.set_style(ProgressStyle::with_template(&style)?);
    bar.tick();
    Ok(bar)
}
