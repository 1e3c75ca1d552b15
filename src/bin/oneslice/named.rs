//! Names and colours of labels, as arguments.

use clap::Args;
use oneslice::export::Segment;

/// What labels are called and look like.
#[derive(Args)]
pub struct Named {
    /// What a label is called, such as 1=liver; again for each label
    #[arg(long = "name", value_name = "N=NAME", value_parser = parse_name)]
    names: Vec<(u16, String)>,
    /// A label's colour, such as 1=#dd8265; again for each label
    #[arg(long = "colour", value_name = "N=#RRGGBB", value_parser = parse_colour)]
    colours: Vec<(u16, [u8; 3])>,
}

impl Named {
    /// An entry for each label that anything was said of.
    pub fn segments(&self) -> Vec<Segment> {
        let mut segments: Vec<Segment> = Vec::new();
        let mut entry = |label| match segments.iter().position(|s| s.label == label) {
            Some(at) => at,
            None => {
                segments.push(Segment::unnamed(label));
                segments.len() - 1
            }
        };
        let names: Vec<_> = self
            .names
            .iter()
            .map(|(l, name)| (entry(*l), name))
            .collect();
        let colours: Vec<_> = (self.colours.iter())
            .map(|(l, colour)| (entry(*l), colour))
            .collect();
        for (at, name) in names {
            segments[at].name.clone_from(name);
        }
        for (at, colour) in colours {
            segments[at].colour = *colour;
        }
        segments
    }
}

fn parse_name(text: &str) -> Result<(u16, String), String> {
    let (label, name) = of_label(text, "N=NAME, such as 1=liver")?;
    Ok((label, name.to_owned()))
}

fn parse_colour(text: &str) -> Result<(u16, [u8; 3]), String> {
    const EXPECTED: &str = "N=#RRGGBB, such as 1=#dd8265";
    let (label, colour) = of_label(text, EXPECTED)?;
    let digits = colour.strip_prefix('#').unwrap_or(colour);
    let six = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let value = u32::from_str_radix(digits, 16).ok().filter(|_| six);
    let value = value.ok_or_else(|| format!("expected {EXPECTED}"))?;
    let [_, red, green, blue] = value.to_be_bytes();
    Ok((label, [red, green, blue]))
}

fn of_label<'a>(text: &'a str, expected: &str) -> Result<(u16, &'a str), String> {
    let parts = text.split_once('=');
    let parts = parts.and_then(|(label, rest)| Some((label.trim().parse().ok()?, rest.trim())));
    let whole = parts.filter(|(label, rest)| *label > 0 && !rest.is_empty());
    whole.ok_or_else(|| format!("expected {expected}"))
}
