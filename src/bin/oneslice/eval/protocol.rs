//! A protocol: where the scans and labels of a data set are, and how they are scored. In: a TOML file (`protocols/README.md`
//! describes it). Out: its settings, checked.

use std::path::Path;

use oneslice::volume::{Axis, Grid, Millimetre, VoxelAxis, Window};
use serde::{Deserialize, Serialize};

use crate::{Failure, files};

/// One data set and how it is evaluated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// What the tables are headed by.
    pub name: String,
    /// Slices are cut across this axis.
    pub axis: AxisChoice,
    /// Values shown from black to white; percentiles of each scan where it is not given.
    window: Option<[f32; 2]>,
    /// Two borders are together within this distance.
    tolerance_mm: f64,
    /// The slice whose true mask is given.
    #[serde(default)]
    pub prompt: PromptSlice,
    /// Which slices a few-shot method is asked for.
    #[serde(default)]
    pub query_slices: QuerySlices,
    /// Patterns of paths; the first that finds something is taken.
    #[serde(default)]
    pub layouts: Vec<Layout>,
    /// Scans one by one, in the place of patterns.
    #[serde(default)]
    pub pairs: Vec<Pair>,
    /// The structures.
    pub labels: Vec<Label>,
    /// How scans are divided, for few-shot methods.
    #[serde(default)]
    pub folds: Folds,
}

/// A scan and its labels below the data's folder, with `{placeholders}`. A folder in the place of a scan is a DICOM series, in
/// the place of labels its PNGs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    pub scan: String,
    pub labels: String,
}

/// One scan and its labels.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    pub id: String,
    /// Scans of one group are never support and query of one another; the scan's own `id` where it is not given.
    pub group: Option<String>,
    pub scan: String,
    pub labels: String,
}

/// A structure, and the values that stand for it in the files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    pub name: String,
    values: Vec<Values>,
}

/// A value, or all from the first to the last.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Values {
    One(u16),
    Range([u16; 2]),
}

/// How scans are divided.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Folds {
    pub count: usize,
    pub seed: u64,
    /// The placeholder whose value must not be divided, such as the patient; the pattern's first where it is not given.
    pub group: Option<String>,
}

impl Default for Folds {
    fn default() -> Self {
        Self {
            count: 5,
            seed: 0,
            group: None,
        }
    }
}

/// The slice whose true mask is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptSlice {
    /// Where the label covers most pixels; the first of several.
    #[default]
    Largest,
    /// Half-way between the label's first and last slice, or the next one after it that has the label.
    Middle,
    /// The label's first slice.
    First,
}

/// Which slices a few-shot method is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuerySlices {
    /// From the label's first slice to its last, as the few-shot literature does: where it begins and ends is taken as known.
    #[default]
    Labelled,
    /// All of the scan.
    All,
}

/// An anatomical axis, or one of the voxel array where the files' orientation says nothing useful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum AxisChoice {
    Patient(Axis),
    Voxel(VoxelAxis),
}

impl TryFrom<String> for AxisChoice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "i" => Ok(Self::Voxel(VoxelAxis::I)),
            "j" => Ok(Self::Voxel(VoxelAxis::J)),
            "k" => Ok(Self::Voxel(VoxelAxis::K)),
            _ => match text.parse() {
                Ok(axis) => Ok(Self::Patient(axis)),
                Err(_) => Err(format!(
                    "axis '{text}' is none of axial, coronal, sagittal, i, j, k"
                )),
            },
        }
    }
}

impl AxisChoice {
    /// The voxel axis of a grid.
    pub fn of(self, grid: &Grid) -> VoxelAxis {
        match self {
            Self::Patient(axis) => axis.of(grid),
            Self::Voxel(axis) => axis,
        }
    }
}

impl Label {
    /// Whether a value of the files stands for this structure.
    pub fn has(&self, value: u16) -> bool {
        self.values.iter().any(|values| match values {
            Values::One(one) => *one == value,
            Values::Range([first, last]) => (*first..=*last).contains(&value),
        })
    }

    fn covers_background(&self) -> bool {
        self.values.is_empty() || self.has(0)
    }
}

impl Protocol {
    /// Reads and checks a protocol.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let named = |what: String| format!("{}: {what}", path.display());
        let text = String::from_utf8(files::read(path)?).map_err(|e| named(e.to_string()))?;
        Ok(Self::parse(&text).map_err(named)?)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let protocol: Self = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|at| text[..at.start].lines().count().max(1));
            let line = line.map_or(String::new(), |line| format!("line {line}: "));
            format!("{line}{}", e.message())
        })?;
        protocol.check()?;
        Ok(protocol)
    }

    fn check(&self) -> Result<(), String> {
        if self.layouts.is_empty() == self.pairs.is_empty() {
            return Err("a protocol has either [[layouts]] or [[pairs]]".into());
        }
        if self.labels.is_empty() {
            return Err("a protocol has one [[labels]] or more".into());
        }
        for (at, label) in self.labels.iter().enumerate() {
            let name = &label.name;
            if label.covers_background() {
                return Err(format!(
                    "label '{name}': no value, or 0, which is background"
                ));
            }
            if self.labels[..at].iter().any(|other| other.name == *name) {
                return Err(format!("there are two labels '{name}'"));
            }
        }
        for (at, pair) in self.pairs.iter().enumerate() {
            if self.pairs[..at].iter().any(|other| other.id == pair.id) {
                return Err(format!("there are two pairs '{}'", pair.id));
            }
        }
        if let Some([lo, hi]) = self.window {
            Window::new(lo, hi).map_err(|e| e.to_string())?;
        }
        if !(self.tolerance_mm.is_finite() && self.tolerance_mm >= 0.0) {
            return Err(format!("tolerance_mm {} is no distance", self.tolerance_mm));
        }
        match self.folds.count {
            0 | 1 => Err("folds.count must be 2 or more".into()),
            _ => Ok(()),
        }
    }

    /// The window, if it is the same for all scans.
    pub fn window(&self) -> Option<Window> {
        self.window.map(|[lo, hi]| Window { lo, hi })
    }

    /// Two borders are together within this distance.
    pub fn tolerance(&self) -> Millimetre {
        Millimetre(self.tolerance_mm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        name = "two"
        axis = "axial"
        tolerance_mm = 2.0
        [[pairs]]
        id = "a"
        scan = "a.nii.gz"
        labels = "a-labels.nii.gz"
        [[labels]]
        name = "liver"
        values = [5, [55, 70]]
    "#;

    #[test]
    fn what_is_not_given_has_its_documented_value() {
        let protocol = Protocol::parse(SMALL).unwrap();
        assert_eq!(protocol.axis, AxisChoice::Patient(Axis::Axial));
        assert_eq!(protocol.prompt, PromptSlice::Largest);
        assert_eq!(protocol.query_slices, QuerySlices::Labelled);
        assert_eq!((protocol.folds.count, protocol.folds.seed), (5, 0));
        assert_eq!(protocol.window(), None);
        let values = (0..=80).filter(|&value| protocol.labels[0].has(value));
        let expected: Vec<u16> = [5].into_iter().chain(55..=70).collect();
        assert_eq!(values.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (from, to, words) in [
            ("axial", "oblique", "axis 'oblique' is none of"),
            ("2.0", "-1.0", "tolerance_mm -1 is no distance"),
            ("[5,", "[0,", "label 'liver': no value, or 0"),
            ("axis =", "axes =", "line 3: unknown field `axes`"),
            (
                "tolerance_mm = 2.0",
                "tolerance_mm = 2.0\nwindow = [5, 5]",
                "window",
            ),
            (
                "tolerance_mm = 2.0",
                "tolerance_mm = 2.0\nfolds.count = 1",
                "2 or more",
            ),
            ("[[pairs]]", "[[layouts]]", "unknown field `id`"),
        ] {
            let error = Protocol::parse(&SMALL.replace(from, to)).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        let both = format!("{SMALL}\n[[layouts]]\nscan = \"s\"\nlabels = \"l\"\n");
        let error = Protocol::parse(&both).unwrap_err();
        assert!(error.contains("either [[layouts]] or [[pairs]]"), "{error}");
    }

    /// The protocols of the repository.
    #[test]
    fn published_protocols_are_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocols");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "toml") {
                Protocol::read(&path).unwrap();
                count += 1;
            }
        }
        assert!(count >= 6, "{count} protocols");
    }
}
