//! Files to scans. In: files of any kind, in any order. Out: the series in them, and the one that was chosen as a [`Scan`].

use super::error::ScanError;
use super::found::{Found, Source, block_header, found, image_names, nifti_format};
use super::input::{self, File};
#[cfg(feature = "formats")]
use super::pictures;
use super::series::{InputFile, OpenOptions, SeriesInfo, WarningKind};
use super::sniff::{self, Content};
use super::{Format, LabelScan, Scan, block, nifti};

/// The series in files: of folders, archives, or files chosen one by one. Files that are no scans are passed over, unless there is
/// nothing else.
///
/// # Errors
/// When nothing is given, an archive cannot be unpacked, or no file is of a known format. A file that cannot be read is a series with an
/// [`error`](SeriesInfo::error).
pub fn inspect(files: &[InputFile]) -> Result<Vec<SeriesInfo>, ScanError> {
    let files = input::unpacked(files)?;
    Ok(found(&files)?.into_iter().map(|found| found.info).collect())
}

/// Opens a series of the files.
///
/// # Errors
/// See [`ScanErrorKind`](super::ScanErrorKind); among others `SeriesChoice` when there are several and none was chosen.
pub fn open(files: &[InputFile], options: &OpenOptions) -> Result<Scan, ScanError> {
    let files = input::unpacked(files)?;
    let found = found(&files)?;
    read(choose(found, options)?, &files, options)
}

/// Opens a single file.
pub(super) fn open_one(name: &str, bytes: &[u8], options: &OpenOptions) -> Result<Scan, ScanError> {
    let files = input::single(name, bytes)?;
    let found = found(&files)?;
    read(choose(found, options)?, &files, options)
}

/// Reads a single file as a label map.
pub(super) fn label_map(name: &str, bytes: &[u8]) -> Result<LabelScan, ScanError> {
    let files = input::single(name, bytes)?;
    let [file] = files.as_slice() else {
        let error = ScanError::bad_archive(&"a label map is a single file");
        return Err(error.in_file(name));
    };
    labels(file).map_err(|e| e.in_file(&file.name))
}

fn labels(file: &File<'_>) -> Result<LabelScan, ScanError> {
    let bytes = &file.bytes;
    let (labels, header, format) = match &file.content {
        Content::Nifti => {
            let format = nifti_format(bytes, &nifti::header(bytes)?);
            let bytes = nifti::Bytes {
                header: bytes,
                voxels: None,
            };
            let (labels, header) = nifti::read_labels(&bytes)?;
            (labels, header, format)
        }
        content @ (Content::Nrrd | Content::MetaImage) => {
            let (block, format, _) = block_header(file, content)?;
            let header = block.template()?;
            (block.labels(bytes)?, header, format)
        }
        other => return Err(ScanError::no_label_map(&other.name())),
    };
    Ok(LabelScan {
        labels,
        header,
        format,
    })
}

/// Whether a file that begins like this is read with the feature `formats` only, or may hold one that is.
pub fn needs_formats(head: &[u8]) -> bool {
    use Content::{Dicom, Gzip, Picture, Zip};
    matches!(sniff::content(head), Dicom | Picture(_) | Zip | Gzip)
}

/// The names of other files that a header's voxels may be in, in the same folder; empty when they are in its own.
pub fn companions(name: &str, bytes: &[u8]) -> Vec<String> {
    let Ok(files) = input::single(name, bytes) else {
        return Vec::new();
    };
    let [file] = files.as_slice() else {
        return Vec::new();
    };
    match &file.content {
        Content::Nifti => match nifti::header(&file.bytes) {
            Ok(header) if header.apart => image_names(file.folder_and_name().1),
            _ => Vec::new(),
        },
        content @ (Content::Nrrd | Content::MetaImage) => match block_header(file, content) {
            Ok((block, ..)) => match block.place {
                block::Place::File(name) => vec![name],
                block::Place::Here(_) => Vec::new(),
            },
            Err(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The series to open.
fn choose(mut found: Vec<Found>, options: &OpenOptions) -> Result<Found, ScanError> {
    let names: Vec<String> = found.iter().map(|f| named(&f.info)).collect();
    if let Some(id) = &options.series {
        let chosen = found.into_iter().find(|f| f.info.id == *id);
        return chosen.ok_or_else(|| ScanError::no_such_series(id, &names));
    }
    let opens: Vec<usize> = (0..found.len())
        .filter(|n| found[*n].source.is_ok())
        .collect();
    match (opens.as_slice(), found.len()) {
        ([], 0) => Err(ScanError::no_scan()),
        ([], _) => Ok(found.swap_remove(0)),
        ([one], _) => Ok(found.swap_remove(*one)),
        (several, _) => {
            let names: Vec<String> = several.iter().map(|n| names[*n].clone()).collect();
            Err(ScanError::choose_series(&names))
        }
    }
}

fn named(info: &SeriesInfo) -> String {
    let [x, y, z] = info.dims;
    match info.description == info.id || info.description.is_empty() {
        true => format!("{} ({x} x {y} x {z})", info.id),
        false => format!("{} ({}, {x} x {y} x {z})", info.id, info.description),
    }
}

fn read(found: Found, files: &[File<'_>], options: &OpenOptions) -> Result<Scan, ScanError> {
    let Found { info, source } = found;
    let in_file = |e: ScanError| e.in_file(&info.files[0]);
    let mut scan = match source? {
        Source::Nifti { header, voxels } => {
            let bytes = nifti::Bytes {
                header: &files[header].bytes,
                voxels: voxels.map(|n| &*files[n].bytes),
            };
            let (volume, header) = nifti::read_volume(&bytes, options.volume).map_err(in_file)?;
            Scan::new(volume, header, info.format)
        }
        Source::Block { header, data } => {
            let file = &files[header];
            let (block, ..) = block_header(file, &file.content).map_err(in_file)?;
            let template = block.template().map_err(in_file)?;
            let data = data.map(|n| &*files[n].bytes);
            let volume = block.volume(&file.bytes, data, options.volume);
            Scan::new(volume.map_err(in_file)?, template, info.format)
        }
        #[cfg(feature = "formats")]
        Source::Dicom(stack) => {
            let (volume, source) = stack.read(files, options.volume)?;
            let header = nifti::Template::for_grid(&volume.grid).map_err(in_file)?;
            let header = header.with_volumes(info.volumes);
            let mut scan = Scan::new(volume, header, info.format);
            scan.source = Some(source);
            scan
        }
        #[cfg(feature = "formats")]
        Source::Pictures(stack) => {
            super::volumes::choose(options.volume, 1).map_err(in_file)?;
            let (_, _, shape) = stack[0];
            let count = stack.iter().map(|(_, _, shape)| shape.pages).sum();
            let grid = pictures::grid(shape, count, options.spacing).map_err(in_file)?;
            let header = nifti::Template::for_grid(&grid).map_err(in_file)?;
            let of = |(n, kind, _): &(usize, _, _)| (&*files[*n].name, *kind, &*files[*n].bytes);
            let pixels: Vec<_> = stack.iter().map(of).collect();
            let volume = pictures::volume(&pixels, grid).map_err(in_file)?;
            Scan::new(volume, header, info.format)
        }
    };
    scan.modality = info.modality;
    scan.warnings = info.warnings;
    if options.spacing.is_some() && scan.format == Format::Pictures {
        scan.warnings.retain(|w| w.kind != WarningKind::NoGeometry);
    }
    Ok(scan)
}
