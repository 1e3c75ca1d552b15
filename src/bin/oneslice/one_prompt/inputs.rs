//! Files to pictures. In: `--support` with its mask, and the folder `--query`. Out: grey slices, and where each is from.

use std::path::{Path, PathBuf};

use oneslice::propagate::few_shot::{GreySlice, SupportScan};
use oneslice::scan::Scan;
use oneslice::scan::nifti::Template;
use oneslice::volume::{Grid, Mask, VoxelAxis, Window, same_grid};

use super::super::failed::{Failed, fail};
use super::super::{Failure, files, pictures};
use super::OnePrompt;

/// The prompted picture.
pub struct Support {
    pub image: GreySlice,
    pub mask: Mask,
    /// The label of results that are label maps.
    pub label: u16,
    /// For a scan.
    pub slice: Option<usize>,
}

/// A file to look at.
pub struct Query {
    pub path: PathBuf,
    /// What its mask is written to.
    pub out: PathBuf,
    /// Where its pictures begin among all.
    pub first: usize,
    pub kind: Kind,
}

pub enum Kind {
    Picture,
    Scan {
        grid: Grid,
        header: Box<Template>,
        axis: VoxelAxis,
    },
}

impl Query {
    /// Number of its pictures.
    pub fn pictures(&self) -> usize {
        match &self.kind {
            Kind::Picture => 1,
            Kind::Scan { grid, axis, .. } => grid.slice_count(*axis),
        }
    }
}

/// Reads the prompted picture.
pub fn support(arguments: &OnePrompt) -> Result<Support, Failure> {
    let (path, mask) = (&arguments.support, &arguments.mask);
    if !pictures::is_named(path) {
        return slice_of_scan(arguments);
    }
    if arguments.slice.is_some() {
        let what = "--slice is for scans; a picture has no slices";
        return Err(format!("{}: {what}", path.display()).into());
    }
    Ok(Support {
        image: grey(path, arguments.window)?,
        mask: pictures::mask(mask, arguments.label)?,
        label: arguments.label.unwrap_or(1),
        slice: None,
    })
}

fn slice_of_scan(arguments: &OnePrompt) -> Result<Support, Failure> {
    let mask = arguments.mask.display();
    let (volume, _) = scan(arguments, &arguments.support)?;
    let labels = files::read_label_map(&arguments.mask)?.labels;
    let scan_name = arguments.support.display();
    same_grid(&volume.grid, &labels.grid)
        .map_err(|e| format!("{mask}: not on the grid of {scan_name}: {e}"))?;
    let window = arguments.window.unwrap_or_else(|| Window::auto(&volume));
    let source = SupportScan::new(&volume, &labels, arguments.axis, window);
    let found = match arguments.slice {
        Some(slice) => source.slice(slice, arguments.label).map(|s| vec![s]),
        None => source.largest(arguments.label),
    };
    let found = found.map_err(|e| format!("{mask}: {e}"))?;
    let each = found.into_iter().flat_map(|support| {
        let (image, slice) = (support.image, support.slice);
        let each = support.masks.into_iter();
        each.map(move |(label, mask)| Support {
            image: image.clone(),
            mask,
            label,
            slice: Some(slice),
        })
    });
    let mut each: Vec<Support> = each.collect();
    let labels: Vec<u16> = each.iter().map(|s| s.label).collect();
    match each.pop() {
        Some(support) if each.is_empty() => Ok(support),
        _ => {
            Err(format!("{mask}: there are the labels {labels:?}; choose one with --label").into())
        }
    }
}

/// The pictures and scans of the folder, by name, with the files to write; other files and hidden ones are passed over.
pub fn list(arguments: &OnePrompt) -> Result<Vec<(PathBuf, PathBuf)>, Failure> {
    let folder = &arguments.query;
    let unreadable = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with('.') && (pictures::is_named(&path) || files::is_scan(&name)) {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        let what = "no picture (.png, .jpg, .jpeg) and no scan (.nii, .nii.gz, .nrrd, .mha, .dcm, .zip) is there";
        return Err(format!("{}: {what}", folder.display()).into());
    }
    let mut all: Vec<(PathBuf, PathBuf)> = Vec::new();
    for path in paths {
        let out = arguments.out.join(match pictures::is_named(&path) {
            true => format!(
                "{}_seg.png",
                path.file_stem().unwrap_or_default().to_string_lossy()
            ),
            false => format!("{}_seg.nii.gz", files::stem(&path)),
        });
        if let Some((other, _)) = all.iter().find(|(_, taken)| *taken == out) {
            let (a, b) = (other.display(), path.display());
            return Err(format!("{a} and {b} would be written to the same file").into());
        }
        all.push((path, out));
    }
    Ok(all)
}

/// Reads what can be read; the rest is said and left out.
pub fn queries(
    arguments: &OnePrompt,
    files: &[(PathBuf, PathBuf)],
    failed: &mut Vec<Failed>,
) -> Result<(Vec<Query>, Vec<GreySlice>), Failure> {
    let (mut queries, mut images) = (Vec::new(), Vec::new());
    for (path, out) in files {
        let first = images.len();
        match query(arguments, path, &mut images) {
            Ok(kind) => queries.push(Query {
                path: path.clone(),
                out: out.clone(),
                first,
                kind,
            }),
            Err(error) => {
                images.truncate(first);
                fail(failed, path.display().to_string(), error);
            }
        }
    }
    match queries.is_empty() {
        true => Err(format!("{}: no file could be read", arguments.query.display()).into()),
        false => Ok((queries, images)),
    }
}

fn query(arguments: &OnePrompt, path: &Path, images: &mut Vec<GreySlice>) -> Result<Kind, Failure> {
    if pictures::is_named(path) {
        images.push(grey(path, arguments.window)?);
        return Ok(Kind::Picture);
    }
    let (volume, header) = scan(arguments, path)?;
    let window = arguments.window.unwrap_or_else(|| Window::auto(&volume));
    let axis = arguments.axis.of(&volume.grid);
    let (shape, slices) = (volume.slice_shape(axis), volume.slice_count(axis));
    for slice in 0..slices {
        let grey = volume.slice_u8(axis, slice, &window)?;
        images.push(GreySlice { grey, shape });
    }
    Ok(Kind::Scan {
        grid: volume.grid,
        header,
        axis,
    })
}

fn grey(path: &Path, window: Option<Window>) -> Result<GreySlice, Failure> {
    let grey = pictures::grey(&pictures::read(path)?, window);
    grey.map_err(|e| format!("{}: {e}", path.display()).into())
}

fn scan(
    arguments: &OnePrompt,
    path: &Path,
) -> Result<(oneslice::volume::Volume, Box<Template>), Failure> {
    let Scan { volume, header, .. } = files::read_scan(path, arguments.volume)?;
    Ok((volume, Box::new(header)))
}
