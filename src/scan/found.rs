//! Which series are in files. In: files of any kind, in any order. Out: what is known of each series before it is opened, and
//! which files it is read from.

use super::error::ScanError;
use super::input::File;
use super::series::{ScanWarning, SeriesInfo, WarningKind};
use super::sniff::Content;
use super::{Format, block, meta_image, natural, nifti, nrrd};
#[cfg(feature = "formats")]
use super::{dicom, pictures};
use crate::volume::Grid;

/// A series that was found, and how to read it.
pub(super) struct Found {
    pub(super) info: SeriesInfo,
    pub(super) source: Result<Source, ScanError>,
}

/// Where a series' values are: numbers of files, and what is known of them.
pub(super) enum Source {
    Nifti {
        header: usize,
        voxels: Option<usize>,
    },
    Block {
        header: usize,
        data: Option<usize>,
    },
    #[cfg(feature = "formats")]
    Dicom(Box<dicom::Stack>),
    #[cfg(feature = "formats")]
    Pictures(Vec<(usize, pictures::Kind, pictures::Shape)>),
}

pub(super) fn nifti_format(bytes: &[u8], header: &nifti::Header) -> Format {
    match bytes.starts_with(&[0x1f, 0x8b]) {
        _ if header.version2 => Format::Nifti2,
        _ if header.apart => Format::NiftiPair,
        true => Format::NiftiGz,
        false => Format::Nifti,
    }
}

pub(super) fn block_header(
    file: &File<'_>,
    content: &Content,
) -> Result<(block::Block, Format, Vec<ScanWarning>), ScanError> {
    match content {
        Content::Nrrd => {
            let header = nrrd::header(&file.bytes)?;
            Ok((header.block, Format::Nrrd, header.warnings))
        }
        _ => Ok((
            meta_image::header(&file.bytes)?,
            Format::MetaImage,
            Vec::new(),
        )),
    }
}

/// All series. Files that belong to none are said with the first.
pub(super) fn found(files: &[File<'_>]) -> Result<Vec<Found>, ScanError> {
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by(|a, b| natural::compare(&files[*a].name, &files[*b].name));
    let mut series = Vec::new();
    // Files that are the second part of another.
    let mut used = vec![false; files.len()];
    for &file in &order {
        let one = match &files[file].content {
            Content::Nifti => nifti_series(files, file, &mut used),
            Content::Nrrd | Content::MetaImage => block_series(files, file, &mut used),
            _ => continue,
        };
        used[file] = true;
        series.push(one);
    }
    let rest: Vec<usize> = order.into_iter().filter(|file| !used[*file]).collect();
    let others = formats(files, &rest, &mut series)?;
    let said = others.iter().map(|file| {
        let file = &files[*file];
        format!("{} ({})", file.name, file.content.name())
    });
    let said: Vec<String> = said.take(5).collect();
    if series.is_empty()
        && let Some(file) = others.first().map(|file| &files[*file])
    {
        let error = ScanError::unknown_format(&file.content.name());
        return Err(error.in_file(&file.name));
    }
    let first = series.iter_mut().find(|found| found.source.is_ok());
    if let (Some(first), false) = (first, said.is_empty()) {
        let what = match others.len() {
            1 => format!("1 file is no scan: {}", said[0]),
            count => format!("{count} files are no scans: {}, ...", said.join(", ")),
        };
        let warning = ScanWarning::new(WarningKind::OtherFiles, what);
        first.info.warnings.push(warning);
    }
    Ok(series)
}

/// Series of formats that a build may leave out; which files are of none.
#[cfg(not(feature = "formats"))]
fn formats(
    files: &[File<'_>],
    rest: &[usize],
    _: &mut Vec<Found>,
) -> Result<Vec<usize>, ScanError> {
    let left = rest.iter().map(|file| &files[*file]);
    let mut left = left.filter(|f| matches!(f.content, Content::Dicom | Content::Picture(_)));
    match left.next() {
        Some(file) => Err(ScanError::needs_formats(&file.content.name()).in_file(&file.name)),
        None => Ok(rest.to_vec()),
    }
}

/// Series of formats that a build may leave out; which files are of none.
#[cfg(feature = "formats")]
fn formats(
    files: &[File<'_>],
    rest: &[usize],
    series: &mut Vec<Found>,
) -> Result<Vec<usize>, ScanError> {
    let (mut others, mut headers, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for &number in rest {
        let file = &files[number];
        match &file.content {
            Content::Dicom => match dicom::header(file) {
                Ok(Some(header)) => headers.push((number, header)),
                Ok(None) => {}
                Err(error) => series.push(failed(file, Format::Dicom, error)),
            },
            Content::Picture(kind) => match pictures::shape(*kind, &file.bytes) {
                Ok(shape) => shown.push((number, *kind, shape)),
                Err(error) => series.push(failed(file, Format::Pictures, error)),
            },
            _ => others.push(number),
        }
    }
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    for stack in dicom::stacks(headers, &names) {
        series.push(match stack {
            Ok(stack) => Found {
                info: stack.info.clone(),
                source: Ok(Source::Dicom(Box::new(stack))),
            },
            Err(refused) => Found {
                info: refused.info,
                source: Err(refused.error),
            },
        });
    }
    series.extend(picture_stacks(files, shown));
    Ok(others)
}

/// Pictures of one folder and size are a stack; a file with several pages is one by itself.
#[cfg(feature = "formats")]
fn picture_stacks(
    files: &[File<'_>],
    shown: Vec<(usize, pictures::Kind, pictures::Shape)>,
) -> Vec<Found> {
    let mut stacks: Vec<Vec<(usize, pictures::Kind, pictures::Shape)>> = Vec::new();
    for one in shown {
        let (number, _, shape) = one;
        let folder = files[number].folder_and_name().0;
        let fits = |stack: &&mut Vec<(usize, _, pictures::Shape)>| {
            let (first, _, other) = stack[0];
            let size = (other.columns, other.rows) == (shape.columns, shape.rows);
            size && other.pages.max(shape.pages) == 1 && files[first].folder_and_name().0 == folder
        };
        match stacks.iter_mut().find(fits) {
            Some(stack) => stack.push(one),
            None => stacks.push(vec![one]),
        }
    }
    let series = stacks.into_iter().map(|stack| {
        let (first, _, shape) = stack[0];
        let file = &files[first];
        let count = stack.iter().map(|(_, _, shape)| shape.pages).sum();
        let grid = pictures::grid(shape, count, None);
        let shapes: Vec<_> = stack.iter().map(|(_, _, shape)| *shape).collect();
        let warnings = pictures::warnings(&shapes);
        match grid {
            Ok(grid) => {
                let mut info = info(file, Format::Pictures, &grid, 1, warnings);
                let names = stack.iter().map(|(number, ..)| files[*number].name.clone());
                info.files = names.collect();
                let source = Ok(Source::Pictures(stack));
                Found { info, source }
            }
            Err(error) => failed(file, Format::Pictures, error),
        }
    });
    series.collect()
}

fn nifti_series(files: &[File<'_>], number: usize, used: &mut [bool]) -> Found {
    let file = &files[number];
    let header = match nifti::header(&file.bytes) {
        Ok(header) => header,
        Err(error) => return failed(file, Format::Nifti, error),
    };
    let format = nifti_format(&file.bytes, &header);
    let voxels = header.apart.then(|| companion(files, number, None));
    let voxels = voxels.flatten();
    let stored = &header.stored;
    let mut info = info(file, format, &stored.grid, stored.volumes, Vec::new());
    if let Some(voxels) = voxels {
        used[voxels] = true;
        info.files.push(files[voxels].name.clone());
    }
    match header.apart && voxels.is_none() {
        true => refused(
            info,
            ScanError::missing_part(&image_names(file.folder_and_name().1)[0]),
        ),
        false => Found {
            info,
            source: Ok(Source::Nifti {
                header: number,
                voxels,
            }),
        },
    }
}

fn block_series(files: &[File<'_>], number: usize, used: &mut [bool]) -> Found {
    let file = &files[number];
    let (block, format, warnings) = match block_header(file, &file.content) {
        Ok(found) => found,
        Err(error) if file.content == Content::Nrrd => return failed(file, Format::Nrrd, error),
        Err(error) => return failed(file, Format::MetaImage, error),
    };
    let stored = &block.stored;
    let mut info = info(file, format, &stored.grid, stored.volumes, warnings);
    let data = match &block.place {
        block::Place::Here(_) => None,
        block::Place::File(name) => match companion(files, number, Some(name)) {
            None => return refused(info, ScanError::missing_part(name)),
            Some(data) => {
                used[data] = true;
                info.files.push(files[data].name.clone());
                Some(data)
            }
        },
    };
    let header = number;
    Found {
        info,
        source: Ok(Source::Block { header, data }),
    }
}

/// The file with the voxels of a header: in the same folder, with the name it says or its own but for the extension.
fn companion(files: &[File<'_>], header: usize, name: Option<&str>) -> Option<usize> {
    let (folder, own) = files[header].folder_and_name();
    let wanted = match name {
        Some(name) => vec![name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned()],
        None => image_names(own),
    };
    let here = |file: &File<'_>| {
        let (other, name) = file.folder_and_name();
        other == folder
            && wanted
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(name))
    };
    let mut candidates = files.iter().enumerate();
    candidates.find_map(|(number, file)| (number != header && here(file)).then_some(number))
}

/// `scan.img` and `scan.img.gz`, for `scan.hdr`.
pub(super) fn image_names(header: &str) -> Vec<String> {
    let stem = header.strip_suffix(".gz").unwrap_or(header);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    vec![format!("{stem}.img"), format!("{stem}.img.gz")]
}

fn info(
    file: &File<'_>,
    format: Format,
    grid: &Grid,
    volumes: usize,
    warnings: Vec<ScanWarning>,
) -> SeriesInfo {
    SeriesInfo {
        id: file.name.clone(),
        format,
        description: file.folder_and_name().1.to_owned(),
        modality: String::new(),
        dims: grid.dims,
        volumes,
        spacing: grid.spacing.map(|mm| mm.0),
        files: vec![file.name.clone()],
        warnings,
        error: None,
    }
}

fn failed(file: &File<'_>, format: Format, error: ScanError) -> Found {
    let info = SeriesInfo {
        id: file.name.clone(),
        format,
        description: file.folder_and_name().1.to_owned(),
        modality: String::new(),
        dims: [0; 3],
        volumes: 0,
        spacing: [0.0; 3],
        files: vec![file.name.clone()],
        warnings: Vec::new(),
        error: None,
    };
    refused(info, error)
}

fn refused(mut info: SeriesInfo, error: ScanError) -> Found {
    info.error = Some(error.message().to_owned());
    let source = Err(error.in_file(&info.files[0]));
    Found { info, source }
}
