//! Structure sets, read back by dicom-object and filled again.

use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, from_reader};
use oneslice::export::ExportErrorKind;
use oneslice::export::dicom::rtstruct;
use oneslice::scan::dicom::DicomSource;
use oneslice::volume::{Grid, LabelMap, Millimetre, PatientPoint};

use crate::made;
use crate::seg::{about, item, items, numbers, text};

fn write(labels: &LabelMap, source: &DicomSource) -> DefaultDicomObject {
    let segments = made::segments();
    let bytes = rtstruct::write(labels, Some(source), about(&segments));
    from_reader(&bytes.expect("writes")[..]).expect("a DICOM file")
}

/// A contour's slice and its points in pixels of it.
fn in_pixels(grid: &Grid, data: &[f64]) -> (usize, Vec<[f64; 2]>) {
    let inverse = grid.affine.inverse().expect("it has one");
    let point = |lps: &[f64]| {
        let place = PatientPoint([-lps[0], -lps[1], lps[2]].map(Millimetre));
        inverse.apply(place).0
    };
    let points: Vec<[f64; 3]> = data.chunks_exact(3).map(point).collect();
    let slice = points[0][2].round();
    // A hundred-thousandth of a millimetre is what the file has.
    assert!(points.iter().all(|p| (p[2] - slice).abs() < 1e-4));
    (
        slice as usize,
        points.iter().map(|p| [p[0], p[1]]).collect(),
    )
}

/// Whether a ring goes around a point: a ray to the left crosses it an odd number of times.
fn around(ring: &[[f64; 2]], [x, y]: [f64; 2]) -> bool {
    let sides = (0..ring.len()).map(|at| (ring[at], ring[(at + 1) % ring.len()]));
    let crossed = sides
        .filter(|(a, b)| (a[1] > y) != (b[1] > y))
        .filter(|(a, b)| a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) < x);
    crossed.count() % 2 == 1
}

#[test]
fn contours_give_the_masks_back() {
    for (name, grid) in made::grids() {
        let labels = made::labels(&grid);
        let file = write(&labels, &made::source(&grid, None));
        let mut back = LabelMap::empty(grid.clone());
        let [columns, rows, _] = grid.dims;
        for (region, label) in items(&file, tags::ROI_CONTOUR_SEQUENCE)
            .iter()
            .zip([2, 5, 7])
        {
            for contour in items(region, tags::CONTOUR_SEQUENCE) {
                assert_eq!(text(contour, tags::CONTOUR_GEOMETRIC_TYPE), "CLOSED_PLANAR");
                let data = numbers(contour, tags::CONTOUR_DATA);
                let count = numbers(contour, tags::NUMBER_OF_CONTOUR_POINTS)[0] as usize;
                assert_eq!(data.len(), 3 * count);
                let (k, ring) = in_pixels(&grid, &data);
                for at in 0..rows * columns {
                    let centre = [(at % columns) as f64, (at / columns) as f64];
                    if around(&ring, centre) {
                        let voxel = &mut back.labels[k * rows * columns + at];
                        assert_eq!(*voxel, 0, "{name}: two contours around a voxel");
                        *voxel = label;
                    }
                }
            }
        }
        assert_eq!(back.labels, labels.labels, "{name}");
    }
}

#[test]
fn regions_and_references() {
    let (_, grid) = made::grids().swap_remove(1);
    let source = made::source(&grid, Some(4));
    let file = write(&made::labels(&grid), &source);
    assert_eq!(text(&file, tags::MODALITY), "RTSTRUCT");
    assert_eq!(text(&file, tags::PATIENT_NAME), "Müller^Jürgen");
    assert_eq!(text(&file, tags::STRUCTURE_SET_DATE), "20261125");
    // Explicit decimal strings could not be longer than 64 KiB.
    assert_eq!(file.meta().transfer_syntax(), "1.2.840.10008.1.2");
    let regions = items(&file, tags::STRUCTURE_SET_ROI_SEQUENCE);
    let names: Vec<String> = regions.iter().map(|r| text(r, tags::ROI_NAME)).collect();
    assert_eq!(names, ["Left kidney", "label 5", "Läsionen, \"kleine\""]);
    let contours = items(&file, tags::ROI_CONTOUR_SEQUENCE);
    assert_eq!(
        numbers(&contours[2], tags::ROI_DISPLAY_COLOR),
        [0.0, 128.0, 255.0]
    );
    for (at, (region, contours)) in regions.iter().zip(contours).enumerate() {
        assert_eq!(numbers(region, tags::ROI_NUMBER), [at as f64 + 1.0]);
        assert_eq!(
            numbers(contours, tags::REFERENCED_ROI_NUMBER),
            [at as f64 + 1.0]
        );
        assert_eq!(
            text(region, tags::REFERENCED_FRAME_OF_REFERENCE_UID),
            "1.2.3.3"
        );
    }
    assert_eq!(items(&file, tags::RTROI_OBSERVATIONS_SEQUENCE).len(), 3);
    let frame = item(&file, tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE);
    let study = item(frame, tags::RT_REFERENCED_STUDY_SEQUENCE);
    assert_eq!(text(study, tags::REFERENCED_SOP_INSTANCE_UID), "1.2.3.1");
    let series = item(study, tags::RT_REFERENCED_SERIES_SEQUENCE);
    assert_eq!(text(series, tags::SERIES_INSTANCE_UID), "1.2.3.2");
    assert_eq!(
        items(series, tags::CONTOUR_IMAGE_SEQUENCE).len(),
        grid.dims[2] - 1
    );
    for contour in contours
        .iter()
        .flat_map(|c| items(c, tags::CONTOUR_SEQUENCE))
    {
        let (k, _) = in_pixels(&grid, &numbers(contour, tags::CONTOUR_DATA));
        match contour.get(tags::CONTOUR_IMAGE_SEQUENCE) {
            None => assert_eq!(k, 4),
            Some(_) => {
                let image = item(contour, tags::CONTOUR_IMAGE_SEQUENCE);
                let uid = text(image, tags::REFERENCED_SOP_INSTANCE_UID);
                assert_eq!(uid, format!("1.2.3.4.{}", k + 1));
            }
        }
    }
}

#[test]
fn without_a_series_there_is_none() {
    let (_, grid) = made::grids().swap_remove(0);
    let error = rtstruct::write(&made::labels(&grid), None, about(&[]));
    let error = error.expect_err("not a DICOM scan");
    assert_eq!(error.kind(), ExportErrorKind::NoSourceSeries);
    assert!(error.to_string().starts_with("a DICOM RTSTRUCT refers to"));
}
