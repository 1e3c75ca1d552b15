//! From objects to volumes. In: the headers of all DICOM files. Out: [`Stack`]s, each a series or a part of one that makes a
//! volume (or says why not), and on demand its voxels.

use std::collections::{BTreeMap, BTreeSet};

use super::codec;
use super::frame::Frame;
use super::geometry::{self, Order};
use super::header::{Header, Image};
use super::source::DicomSource;
use crate::scan::error::ScanError;
use crate::scan::input::File;
use crate::scan::series::{ScanWarning, SeriesInfo, WarningKind};
use crate::scan::{Format, volumes};
use crate::volume::{Grid, Volume};

/// An object that is an image.
#[derive(Debug)]
pub(in crate::scan) struct Instance {
    /// Number of its file.
    pub(super) file: usize,
    pub(super) syntax: String,
    pub(super) header: Header,
    pub(super) image: Image,
}

/// Slices of one size and orientation.
#[derive(Debug)]
pub(in crate::scan) struct Stack {
    pub(in crate::scan) info: SeriesInfo,
    instances: Vec<Instance>,
    /// Of all frames the instance and the number in it.
    frames: Vec<(usize, usize)>,
    pub(super) order: Order,
    grid: Grid,
}

/// A series, or a part of one, that does not make a volume, and why.
pub(in crate::scan) struct Refused {
    pub(in crate::scan) info: SeriesInfo,
    pub(in crate::scan) error: ScanError,
}

/// All stacks, in the order in which their series come.
pub(in crate::scan) fn stacks(
    headers: Vec<(usize, Header)>,
    names: &[String],
) -> Vec<Result<Stack, Box<Refused>>> {
    let mut order: Vec<String> = Vec::new();
    let mut series: BTreeMap<String, Vec<(usize, Header)>> = BTreeMap::new();
    for (file, header) in headers {
        if !series.contains_key(&header.series) {
            order.push(header.series.clone());
        }
        let members = series.entry(header.series.clone()).or_default();
        members.push((file, header));
    }
    let members = order.into_iter().filter_map(|uid| series.remove(&uid));
    members.flat_map(|m| of_series(m, names)).collect()
}

fn of_series(members: Vec<(usize, Header)>, names: &[String]) -> Vec<Result<Stack, Box<Refused>>> {
    let mut found = Vec::new();
    let (mut instances, mut seen, mut again) = (Vec::new(), BTreeSet::new(), 0);
    let mut members = members;
    members.sort_by(|a, b| crate::scan::natural::compare(&names[a.0], &names[b.0]));
    for (file, header) in members {
        let twice = !header.sop_instance.is_empty() && !seen.insert(header.sop_instance.clone());
        let image = header.image.clone();
        let checked = image.and_then(|i| codec::of(&header.syntax).map(|_| i));
        match checked {
            _ if twice => again += 1,
            Ok(image) => instances.push(Instance {
                file,
                syntax: header.syntax.clone(),
                header,
                image,
            }),
            Err(error) => found.push(Err(Box::new(refused(file, &header, error, names)))),
        }
    }
    let mut parts = split(instances);
    // The largest has the series' own identifier.
    parts.sort_by_key(|part| {
        std::cmp::Reverse(part.iter().map(Instance::frame_count).sum::<usize>())
    });
    let count = parts.len();
    let stacks = parts.into_iter().enumerate().map(|(number, part)| {
        let mut stack = Stack::new(part, number, names)?;
        let warnings = &mut stack.info.warnings;
        if count > 1 {
            let what = format!(
                "the series has {count} stacks of different size or orientation; this is one"
            );
            warnings.push(ScanWarning::new(WarningKind::MixedStacks, what));
        }
        if again > 0 {
            let what = format!("{again} files are copies of others");
            warnings.push(ScanWarning::new(WarningKind::DuplicateSlices, what));
        }
        Ok(stack)
    });
    let mut all: Vec<_> = stacks.collect();
    all.extend(merged(found));
    all
}

/// One refusal for files that are refused for the same reason.
fn merged(refused: Vec<Result<Stack, Box<Refused>>>) -> Vec<Result<Stack, Box<Refused>>> {
    let mut merged: Vec<Result<Stack, Box<Refused>>> = Vec::new();
    for one in refused {
        match (merged.last_mut(), one) {
            (Some(Err(last)), Err(one)) if last.info.error == one.info.error => {
                last.info.files.extend(one.info.files);
            }
            (_, one) => merged.push(one),
        }
    }
    merged
}

fn refused(file: usize, header: &Header, error: ScanError, names: &[String]) -> Refused {
    let mut info = info(header, 0, vec![names[file].clone()]);
    info.error = Some(error.message().to_owned());
    let error = error.in_file(&names[file]);
    Refused { info, error }
}

fn info(header: &Header, part: usize, files: Vec<String>) -> SeriesInfo {
    let suffix = match part {
        0 => String::new(),
        part => format!("#{}", part + 1),
    };
    let id = match header.series.as_str() {
        // Without an identifier the first file's name has to do.
        "" => files.first().cloned().unwrap_or_default(),
        uid => uid.to_owned(),
    };
    SeriesInfo {
        id: id + &suffix,
        format: Format::Dicom,
        description: header.description.clone(),
        modality: header.modality.clone(),
        dims: [0; 3],
        volumes: 1,
        spacing: [0.0; 3],
        files,
        warnings: Vec::new(),
        error: None,
    }
}

impl Instance {
    fn frame_count(&self) -> usize {
        self.image.frames.len()
    }

    /// Whether the frames of both can lie in one stack.
    fn goes_with(&self, other: &Self) -> bool {
        let (a, b) = (&self.image.layout, &other.image.layout);
        let sizes = (a.rows, a.columns) == (b.rows, b.columns);
        let (f, g) = (&self.image.frames[0], &other.image.frames[0]);
        sizes && same_plane(f, g)
    }
}

/// Whether two frames have the same orientation and pixel size.
fn same_plane(f: &Frame, g: &Frame) -> bool {
    let close = |a: &[f64], b: &[f64], tolerance: f64| {
        a.iter()
            .zip(b)
            .all(|(a, b)| (a - b).abs() <= tolerance * a.abs().max(1.0))
    };
    let orientation = match (&f.orientation, &g.orientation) {
        (Some(a), Some(b)) => close(a, b, 1e-3),
        (a, b) => a.is_none() == b.is_none(),
    };
    let spacing = match (&f.spacing, &g.spacing) {
        (Some(a), Some(b)) => close(a, b, 1e-3),
        (a, b) => a.is_none() == b.is_none(),
    };
    orientation && spacing && f.position.is_some() == g.position.is_some()
}

/// Instances by the stack they belong to.
fn split(instances: Vec<Instance>) -> Vec<Vec<Instance>> {
    let mut parts: Vec<Vec<Instance>> = Vec::new();
    for instance in instances {
        match parts.iter_mut().find(|part| part[0].goes_with(&instance)) {
            Some(part) => part.push(instance),
            None => parts.push(vec![instance]),
        }
    }
    parts
}

/// All frames, by instance and number, and their order.
fn ordered(instances: &[Instance]) -> Result<(Vec<(usize, usize)>, Order), ScanError> {
    let places = instances.iter().enumerate();
    let places = places.flat_map(|(n, i)| (0..i.frame_count()).map(move |f| (n, f)));
    let places: Vec<(usize, usize)> = places.collect();
    let frame = |(n, f): &(usize, usize)| &instances[*n].image.frames[*f];
    let frames: Vec<&Frame> = places.iter().map(frame).collect();
    if let Some(other) = frames.iter().find(|f| !same_plane(frames[0], f)) {
        return Err(ScanError::no_grid(&format!(
            "the frames of one file have orientations {:?} and {:?}",
            frames[0].orientation, other.orientation
        )));
    }
    Ok((places, geometry::order(&frames)?))
}

impl Stack {
    fn new(instances: Vec<Instance>, part: usize, names: &[String]) -> Result<Self, Box<Refused>> {
        let files = instances.iter().map(|i| names[i.file].clone()).collect();
        let mut info = info(&instances[0].header, part, files);
        let first = names[instances[0].file].clone();
        let refused = |mut info: SeriesInfo, error: ScanError| {
            info.error = Some(error.message().to_owned());
            let error = error.in_file(&first);
            Box::new(Refused { info, error })
        };
        let (frames, order) = match ordered(&instances) {
            Ok(ordered) => ordered,
            Err(error) => return Err(refused(info, error)),
        };
        let layout = &instances[0].image.layout;
        let dims = [layout.columns, layout.rows, order.places.len()];
        let grid = match Grid::new(dims, order.affine) {
            Ok(grid) => grid,
            Err(error) => return Err(refused(info, ScanError::no_grid(&error.to_string()))),
        };
        info.dims = grid.dims;
        info.spacing = grid.spacing.map(|mm| mm.0);
        info.volumes = order.places.iter().map(Vec::len).max().unwrap_or(1);
        info.warnings = order.warnings.clone();
        info.warnings.extend(pixel_warnings(&instances));
        Ok(Self {
            info,
            instances,
            frames,
            order,
            grid,
        })
    }

    /// Decodes volume `chosen`, and says where its slices are from.
    pub(in crate::scan) fn read(
        &self,
        files: &[File<'_>],
        chosen: Option<usize>,
    ) -> Result<(Volume, DicomSource), ScanError> {
        let name = &files[self.instances[0].file].name;
        let volume = volumes::choose(chosen, self.info.volumes).map_err(|e| e.in_file(name))?;
        // For each instance its frames and their slices.
        let mut wanted: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        let mut slices = Vec::new();
        for (slice, frames) in self.order.places.iter().enumerate() {
            if let Some(frame) = frames.get(volume) {
                let (instance, number) = self.frames[*frame];
                wanted.entry(instance).or_default().push((number, slice));
                slices.push((slice, instance, number));
            }
        }
        let area = self.grid.dims[0] * self.grid.dims[1];
        let mut voxels = volumes::reserve::<f32>(self.grid.voxel_count())?;
        voxels.resize(self.grid.voxel_count(), f32::NAN);
        let mut lowest = f32::INFINITY;
        for (instance, wanted) in &wanted {
            let instance = &self.instances[*instance];
            super::frames(&files[instance.file], instance, wanted, |slice, values| {
                let place = voxels[slice * area..(slice + 1) * area].iter_mut();
                for (pixel, (voxel, value)) in place.zip(values).enumerate() {
                    *voxel = value as f32;
                    if !voxel.is_finite() {
                        let at = self.grid.voxel_at(slice * area + pixel);
                        return Err(ScanError::not_finite(1, at));
                    }
                    lowest = lowest.min(*voxel);
                }
                Ok(())
            })?;
        }
        for (slice, frames) in self.order.places.iter().enumerate() {
            if frames.is_empty() {
                voxels[slice * area..(slice + 1) * area].fill(lowest);
            }
        }
        let source = self.source(files, &slices);
        let grid = self.grid.clone();
        Ok((Volume { voxels, grid }, source))
    }

    fn source(&self, files: &[File<'_>], slices: &[(usize, usize, usize)]) -> DicomSource {
        let found = slices.iter().map(|(slice, instance, number)| {
            let instance = &self.instances[*instance];
            let name = &files[instance.file].name;
            super::source::slice(*slice, instance, *number, name)
        });
        super::source::source(&self.instances[0], self.order.step, found.collect())
    }
}

fn pixel_warnings(instances: &[Instance]) -> Vec<ScanWarning> {
    use super::layout::Photometric::{Monochrome1, Rgb, Ybr};
    let any = |of: &dyn Fn(&Image) -> bool| instances.iter().any(|i| of(&i.image));
    let mut warnings = Vec::new();
    let mut warn = |kind, what: &str| warnings.push(ScanWarning::new(kind, what));
    if any(&|i| i.layout.photometric == Monochrome1) {
        let what = "low values were stored as white (MONOCHROME1); they have been turned over";
        warn(WarningKind::Inverted, what);
    }
    if any(&|i| matches!(i.layout.photometric, Rgb | Ybr)) {
        warn(WarningKind::Colour, "colours became grey");
    }
    if any(&|i| i.lossy) {
        warn(WarningKind::Lossy, "the pixels were compressed with losses");
    }
    warnings
}
