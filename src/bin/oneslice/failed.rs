//! Inputs that fail on their own: said at once, left out, and listed in the report while the others go on.

use serde::Serialize;

use super::complain;

/// An input that was left out.
#[derive(Serialize)]
pub struct Failed {
    pub item: String,
    pub error: String,
}

/// Says what failed, once. An error that begins with the item is not given its name twice.
pub fn fail(failed: &mut Vec<Failed>, item: String, error: impl std::fmt::Display) {
    let error = error.to_string();
    let begins = error.strip_prefix(&item).and_then(|e| e.strip_prefix(": "));
    let error = begins.unwrap_or(&error).to_owned();
    complain(&format!("{item}: {error}"));
    failed.push(Failed { item, error });
}
