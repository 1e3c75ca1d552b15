//! Finding a data set's scans. In: a protocol and a folder. Out: each scan with its labels, in the order of their names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::protocol::{Layout, Protocol};
use crate::Failure;

/// A scan and its labels, not yet read.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Unique name.
    pub id: String,
    /// Scans of one group are never support and query of one another.
    pub group: String,
    pub scan: PathBuf,
    pub labels: PathBuf,
}

/// All scans of a protocol.
pub fn find(protocol: &Protocol, data: &Path) -> Result<Vec<Item>, Failure> {
    if !data.is_dir() {
        return Err(format!("{}: no such folder", data.display()).into());
    }
    if !protocol.pairs.is_empty() {
        let pairs = protocol.pairs.iter().map(|pair| Item {
            id: pair.id.clone(),
            group: pair.group.as_ref().unwrap_or(&pair.id).clone(),
            scan: data.join(&pair.scan),
            labels: data.join(&pair.labels),
        });
        return Ok(pairs.collect());
    }
    for layout in &protocol.layouts {
        let items = of_layout(layout, protocol.folds.group.as_deref(), data)?;
        if !items.is_empty() {
            return Ok(items);
        }
    }
    let patterns: Vec<&str> = protocol.layouts.iter().map(|l| l.scan.as_str()).collect();
    let patterns = patterns.join(" nor ");
    Err(format!("{}: nothing in it is called {patterns}", data.display()).into())
}

/// The values of a pattern's placeholders.
type Values = BTreeMap<String, String>;

fn of_layout(layout: &Layout, group: Option<&str>, data: &Path) -> Result<Vec<Item>, Failure> {
    let order = placeholders(&layout.scan)?;
    let mut needed = placeholders(&layout.labels)?;
    needed.extend(group.map(str::to_owned));
    if let Some(name) = needed.iter().find(|name| !order.contains(name)) {
        return Err(format!("pattern '{}' has no {{{name}}}", layout.scan).into());
    }
    let mut found = Vec::new();
    let parts: Vec<&str> = layout.scan.split('/').collect();
    walk(data, &parts, &Values::new(), &mut found)?;
    let labels = |values: &Values| data.join(filled(&layout.labels, values));
    // `frame{n}` also matches the labels of `frame{n}_gt`.
    let all_labels: BTreeSet<PathBuf> = found.iter().map(|(_, values)| labels(values)).collect();
    found.retain(|(scan, _)| !all_labels.contains(scan));
    let item = |(scan, values): &(PathBuf, Values)| {
        let id: Vec<&str> = order.iter().map(|name| values[name].as_str()).collect();
        let group = group.or(order.first().map(String::as_str));
        Item {
            id: id.join("-"),
            group: group.map_or(String::new(), |name| values[name].clone()),
            scan: scan.clone(),
            labels: labels(values),
        }
    };
    let mut items: Vec<Item> = found.iter().map(item).collect();
    items.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(items)
}

/// Follows the parts of a pattern from a folder.
fn walk(
    folder: &Path,
    parts: &[&str],
    values: &Values,
    found: &mut Vec<(PathBuf, Values)>,
) -> Result<(), Failure> {
    let Some((part, rest)) = parts.split_first() else {
        found.push((folder.to_owned(), values.clone()));
        return Ok(());
    };
    if !part.contains('{') {
        let path = folder.join(part);
        return match path.exists() {
            true => walk(&path, rest, values, found),
            false => Ok(()),
        };
    }
    if !folder.is_dir() {
        return Ok(());
    }
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        // Archives made on a Mac hold a hidden twin of every file.
        let name = name.to_str().filter(|name| !name.starts_with('.'));
        let Some(name) = name else { continue };
        if let Some(values) = matched(part, name, values) {
            walk(&folder.join(name), rest, &values, found)?;
        }
    }
    Ok(())
}

/// The placeholders' values when `name` fits `pattern`; of several ways the one with the shortest values. A placeholder that
/// has a value already must have it again.
fn matched(pattern: &str, name: &str, values: &Values) -> Option<Values> {
    let Some((literal, rest)) = pattern.split_once('{') else {
        return (pattern == name).then(|| values.clone());
    };
    let name = name.strip_prefix(literal)?;
    let (key, rest) = rest.split_once('}')?;
    if let Some(value) = values.get(key) {
        return matched(rest, name.strip_prefix(value.as_str())?, values);
    }
    let ends = name.char_indices().map(|(at, c)| at + c.len_utf8());
    ends.into_iter().find_map(|end| {
        let mut values = values.clone();
        values.insert(key.to_owned(), name[..end].to_owned());
        matched(rest, &name[end..], &values)
    })
}

/// The names in braces, each once, in their order.
fn placeholders(pattern: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    for piece in pattern.split('{').skip(1) {
        let name = piece.split_once('}').map(|(name, _)| name);
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| format!("pattern '{pattern}': a brace without its name"))?;
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

fn filled(pattern: &str, values: &Values) -> String {
    let mut path = pattern.to_owned();
    for (name, value) in values {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pattern: &str, name: &str) -> Option<Vec<String>> {
        Some(
            matched(pattern, name, &Values::new())?
                .into_values()
                .collect(),
        )
    }

    #[test]
    fn names_fit_patterns() {
        let found = |pattern, name| values(pattern, name).map(|v| v.join("|"));
        assert_eq!(
            found("img{id}.nii.gz", "img0001.nii.gz").as_deref(),
            Some("0001")
        );
        assert_eq!(found("img{id}.nii.gz", "img.nii.gz"), None);
        assert_eq!(found("img{id}.nii.gz", "label0001.nii.gz"), None);
        assert_eq!(found("{a}_{b}.png", "x_y_z.png").as_deref(), Some("x|y_z"));
        assert_eq!(found("{a}-{a}", "12-12").as_deref(), Some("12"));
        assert_eq!(found("{a}-{a}", "12-13"), None);
        assert_eq!(found("{a}", "für").as_deref(), Some("für"));
    }

    #[test]
    fn braces_have_names() {
        assert_eq!(placeholders("{b}/{a}_{b}").unwrap(), ["b", "a"]);
        for bad in ["{", "{}", "a{b"] {
            assert!(placeholders(bad).is_err(), "{bad}");
        }
    }
}
