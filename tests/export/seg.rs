//! Segmentation objects, read back by dicom-object.

use std::collections::HashSet;

use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject, Tag, from_reader};
use oneslice::export::dicom::{About, seg};
use oneslice::export::{ExportErrorKind, Segment};
use oneslice::scan::dicom::DicomSource;
use oneslice::volume::{Grid, LabelMap, Millimetre, PatientPoint, VoxelAxis};

use crate::made;

pub fn about(segments: &[Segment]) -> About<'_> {
    About {
        segments,
        description: "",
        now: "2026-11-25T09:30:07Z",
        random: 0x0123_4567_89ab_cdef_0011_2233_4455_6677,
    }
}

fn write(labels: &LabelMap, source: &DicomSource) -> DefaultDicomObject {
    let segments = made::segments();
    let bytes = seg::write(labels, Some(source), about(&segments)).expect("writes");
    from_reader(&bytes[..]).expect("a DICOM file")
}

/// The items of a sequence.
pub fn items(object: &InMemDicomObject, tag: Tag) -> &[InMemDicomObject] {
    object
        .element(tag)
        .expect("it is there")
        .items()
        .expect("a sequence")
}

/// The only item of a sequence.
pub fn item(object: &InMemDicomObject, tag: Tag) -> &InMemDicomObject {
    let [item] = items(object, tag) else {
        panic!("{tag} has not one item");
    };
    item
}

pub fn text(object: &InMemDicomObject, tag: Tag) -> String {
    object
        .element(tag)
        .expect("it is there")
        .to_str()
        .expect("text")
        .into_owned()
}

pub fn numbers(object: &InMemDicomObject, tag: Tag) -> Vec<f64> {
    object
        .element(tag)
        .expect("it is there")
        .to_multi_float64()
        .expect("numbers")
}

/// The voxel at a place in DICOM's patient space; it must be one.
fn voxel(grid: &Grid, lps: &[f64]) -> [usize; 3] {
    let point = PatientPoint([-lps[0], -lps[1], lps[2]].map(Millimetre));
    let voxel = grid.affine.inverse().expect("it has one").apply(point).0;
    voxel.map(|v| {
        assert!((v - v.round()).abs() < 1e-6, "{voxel:?}");
        v.round() as usize
    })
}

#[test]
fn every_bit_and_its_place() {
    for (name, grid) in made::grids() {
        let labels = made::labels(&grid);
        let file = write(&labels, &made::source(&grid, None));
        let groups = items(&file, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
        assert_eq!(
            text(&file, tags::NUMBER_OF_FRAMES),
            groups.len().to_string()
        );
        let shape = ["ROWS", "COLUMNS"]
            .map(|n| file.element_by_name(if n == "ROWS" { "Rows" } else { "Columns" }));
        let shape = shape.map(|e| e.expect("there").to_int::<usize>().expect("a number"));
        assert_eq!(shape, [grid.dims[1], grid.dims[0]]);
        let area = shape[0] * shape[1];
        let pixels = file
            .element(tags::PIXEL_DATA)
            .expect("pixels")
            .to_bytes()
            .expect("bytes");
        assert_eq!(
            pixels.len(),
            (area * groups.len()).div_ceil(8).next_multiple_of(2)
        );
        let mut back = LabelMap::empty(grid.clone());
        let mut seen = HashSet::new();
        for (frame, group) in groups.iter().enumerate() {
            let segment = item(group, tags::SEGMENT_IDENTIFICATION_SEQUENCE);
            let number = numbers(segment, tags::REFERENCED_SEGMENT_NUMBER)[0] as usize;
            let position = item(group, tags::PLANE_POSITION_SEQUENCE);
            let [i, j, k] = voxel(&grid, &numbers(position, tags::IMAGE_POSITION_PATIENT));
            assert_eq!((i, j), (0, 0), "{name}");
            assert!(seen.insert((number, k)), "{name}: a frame twice");
            let label = [2, 5, 7][number - 1];
            for at in 0..area {
                let bit = frame * area + at;
                if pixels[bit / 8] >> (bit % 8) & 1 == 1 {
                    back.labels[k * area + at] = label;
                }
            }
            let content = item(group, tags::FRAME_CONTENT_SEQUENCE);
            let index = numbers(content, tags::DIMENSION_INDEX_VALUES);
            assert_eq!(index, [number as f64, k as f64 + 1.0]);
        }
        assert_eq!(back.labels, labels.labels, "{name}");
        let filled = |(label, k): &(u16, usize)| {
            let mask = labels.slice_mask(VoxelAxis::K, *k, *label);
            !mask.expect("in range").is_empty()
        };
        let pairs = [2, 5, 7]
            .into_iter()
            .flat_map(|label| (0..grid.dims[2]).map(move |k| (label, k)));
        let frames = pairs.filter(filled).count();
        assert_eq!(groups.len(), frames, "{name}: empty frames are left out");
    }
}

#[test]
fn the_grid_of_the_series() {
    let (_, grid) = made::grids().swap_remove(4);
    let source = made::source(&grid, None);
    let file = write(&made::labels(&grid), &source);
    let shared = item(&file, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    let orientation = item(shared, tags::PLANE_ORIENTATION_SEQUENCE);
    for (found, wanted) in numbers(orientation, tags::IMAGE_ORIENTATION_PATIENT)
        .iter()
        .zip(source.orientation)
    {
        // Sixteen characters hold at least thirteen digits.
        assert!((found - wanted).abs() < 1e-12);
    }
    let measures = item(shared, tags::PIXEL_MEASURES_SEQUENCE);
    assert_eq!(numbers(measures, tags::PIXEL_SPACING).len(), 2);
    assert!((numbers(measures, tags::PIXEL_SPACING)[0] - 0.9).abs() < 1e-12);
    assert!((numbers(measures, tags::SPACING_BETWEEN_SLICES)[0] - 2.5).abs() < 1e-12);
    assert_eq!(numbers(measures, tags::SLICE_THICKNESS), [2.0]);
}

#[test]
fn names_colours_and_codes() {
    let (_, grid) = made::grids().swap_remove(1);
    let file = write(&made::labels(&grid), &made::source(&grid, None));
    let segments = items(&file, tags::SEGMENT_SEQUENCE);
    let names: Vec<String> = segments
        .iter()
        .map(|s| text(s, tags::SEGMENT_LABEL))
        .collect();
    assert_eq!(names, ["Left kidney", "label 5", "Läsionen, \"kleine\""]);
    for (at, segment) in segments.iter().enumerate() {
        assert_eq!(numbers(segment, tags::SEGMENT_NUMBER), [at as f64 + 1.0]);
        assert_eq!(text(segment, tags::SEGMENT_ALGORITHM_TYPE), "SEMIAUTOMATIC");
        assert!(text(segment, tags::SEGMENT_ALGORITHM_NAME).starts_with("OneSlice "));
        assert_eq!(
            numbers(segment, tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE).len(),
            3
        );
    }
    let kind = item(&segments[0], tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE);
    assert_eq!(text(kind, tags::CODE_VALUE), "64033007");
    let side = item(kind, tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE);
    assert_eq!(text(side, tags::CODE_MEANING), "Left");
    let kind = item(&segments[1], tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE);
    assert_eq!(text(kind, tags::CODE_MEANING), "Tissue");
}

#[test]
fn patient_study_and_references() {
    let (_, grid) = made::grids().swap_remove(1);
    let source = made::source(&grid, None);
    let labels = made::labels(&grid);
    let file = write(&labels, &source);
    for (tag, value) in [
        (tags::PATIENT_NAME, "Müller^Jürgen"),
        (tags::PATIENT_ID, "4711"),
        (tags::STUDY_DATE, "20260102"),
        (tags::STUDY_DESCRIPTION, "knee"),
        (tags::PATIENT_BIRTH_DATE, ""),
        (tags::STUDY_INSTANCE_UID, "1.2.3.1"),
        (tags::FRAME_OF_REFERENCE_UID, "1.2.3.3"),
        (tags::CONTENT_DATE, "20261125"),
        (tags::CONTENT_TIME, "093007"),
        (tags::MODALITY, "SEG"),
        (tags::SERIES_DESCRIPTION, "OneSlice DICOM SEG"),
    ] {
        assert_eq!(text(&file, tag), value, "{tag}");
    }
    let own = [tags::SERIES_INSTANCE_UID, tags::SOP_INSTANCE_UID].map(|tag| text(&file, tag));
    assert!(own.iter().all(|uid| uid.starts_with("2.25.")) && own[0] != own[1]);
    assert_eq!(file.meta().media_storage_sop_instance_uid(), own[1]);
    let series = item(&file, tags::REFERENCED_SERIES_SEQUENCE);
    assert_eq!(text(series, tags::SERIES_INSTANCE_UID), "1.2.3.2");
    let images = items(series, tags::REFERENCED_INSTANCE_SEQUENCE);
    assert_eq!(images.len(), grid.dims[2]);
    for group in items(&file, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE) {
        let derivation = item(group, tags::DERIVATION_IMAGE_SEQUENCE);
        let image = item(derivation, tags::SOURCE_IMAGE_SEQUENCE);
        let position = item(group, tags::PLANE_POSITION_SEQUENCE);
        let k = voxel(&grid, &numbers(position, tags::IMAGE_POSITION_PATIENT))[2];
        let uid = text(image, tags::REFERENCED_SOP_INSTANCE_UID);
        assert_eq!(uid, source.slices[k].sop_instance_uid);
    }
}

#[test]
fn frames_of_one_object_and_slices_of_none() {
    let (_, grid) = made::grids().swap_remove(1);
    let labels = made::labels(&grid);
    // Slice 4 was missing in the series; the others are frames of one object.
    let mut source = made::source(&grid, Some(4));
    for slice in &mut source.slices {
        slice.frame = Some(slice.slice as u32 + 1);
        slice.sop_instance_uid = "1.2.3.4".to_owned();
    }
    let file = write(&labels, &source);
    let series = item(&file, tags::REFERENCED_SERIES_SEQUENCE);
    let object = item(series, tags::REFERENCED_INSTANCE_SEQUENCE);
    assert!(object.get(tags::REFERENCED_FRAME_NUMBER).is_none());
    let mut without = 0;
    for group in items(&file, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE) {
        let position = item(group, tags::PLANE_POSITION_SEQUENCE);
        let k = voxel(&grid, &numbers(position, tags::IMAGE_POSITION_PATIENT))[2];
        if group.get(tags::DERIVATION_IMAGE_SEQUENCE).is_none() {
            assert_eq!(k, 4);
            without += 1;
            continue;
        }
        let image = item(
            item(group, tags::DERIVATION_IMAGE_SEQUENCE),
            tags::SOURCE_IMAGE_SEQUENCE,
        );
        assert_eq!(
            numbers(image, tags::REFERENCED_FRAME_NUMBER),
            [k as f64 + 1.0]
        );
    }
    assert_eq!(without, 2);
}

#[test]
fn files_stripped_of_their_identifiers() {
    let (_, grid) = made::grids().swap_remove(1);
    let mut source = made::source(&grid, None);
    source.study_instance_uid.clear();
    source.series_instance_uid.clear();
    let file = write(&made::labels(&grid), &source);
    assert!(text(&file, tags::STUDY_INSTANCE_UID).starts_with("2.25."));
    assert!(file.get(tags::REFERENCED_SERIES_SEQUENCE).is_none());
    let groups = items(&file, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    assert!(
        groups
            .iter()
            .all(|group| group.get(tags::DERIVATION_IMAGE_SEQUENCE).is_none())
    );
}

#[test]
fn what_cannot_be_written() {
    let (_, grid) = made::grids().swap_remove(1);
    let (labels, source) = (made::labels(&grid), made::source(&grid, None));
    let refused = |labels: &LabelMap, source: Option<&DicomSource>, now: &str| {
        let about = About { now, ..about(&[]) };
        seg::write(labels, source, about).expect_err("refused")
    };
    let now = "2026-11-25T09:30:07Z";
    let error = refused(&labels, None, now);
    assert_eq!(error.kind(), ExportErrorKind::NoSourceSeries);
    assert_eq!(
        error.to_string(),
        "a DICOM SEG refers to the images of a DICOM series, and this scan is not one: open the DICOM files themselves, or choose \
         another format"
    );
    let nowhere = DicomSource {
        frame_of_reference_uid: String::new(),
        ..source.clone()
    };
    assert_eq!(
        refused(&labels, Some(&nowhere), now).kind(),
        ExportErrorKind::NoFrameOfReference
    );
    let narrow = DicomSource {
        columns: 5,
        ..source.clone()
    };
    assert_eq!(
        refused(&labels, Some(&narrow), now).kind(),
        ExportErrorKind::OtherGrid
    );
    let mut deep = source.clone();
    deep.slices[0].slice = 99;
    assert_eq!(
        refused(&labels, Some(&deep), now).kind(),
        ExportErrorKind::OtherGrid
    );
    let empty = LabelMap::empty(grid);
    assert_eq!(
        refused(&empty, Some(&source), now).kind(),
        ExportErrorKind::Empty
    );
    let error = refused(&labels, Some(&source), "yesterday");
    assert_eq!(error.kind(), ExportErrorKind::BadTime);
    assert!(error.to_string().contains("yesterday"));
}
