//! `oneslice measure` and `oneslice export`: names, formats, and what is refused. What is in the files is for `tests/export/`.

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject, from_reader};
use oneslice::scan;
use oneslice::volume::{Affine, Grid, LabelMap, Millimetre};
use serde_json::json;

use crate::desk::{Desk, label_file, read_scan, sample};

/// Files as a scanner writes them, of 4 x 3 pixels: `series/0.dcm` to `series/2.dcm`, 2 mm apart; and `labels.nii.gz` on
/// them, stored as most programs do: x to the right, y to the front.
fn with_series(desk: &Desk) {
    const CLASS: &str = "1.2.840.10008.5.1.4.1.1.4";
    for k in 0..3u16 {
        let mut object = InMemDicomObject::new_empty();
        let instance = format!("1.2.3.9.{k}");
        let position = format!("10\\20\\{}", 2 * k);
        for (tag, vr, value) in [
            (tags::SOP_CLASS_UID, VR::UI, CLASS),
            (tags::SOP_INSTANCE_UID, VR::UI, instance.as_str()),
            (tags::MODALITY, VR::CS, "MR"),
            (tags::PATIENT_NAME, VR::PN, "Doe^Jane"),
            (tags::STUDY_INSTANCE_UID, VR::UI, "1.2.3.1"),
            (tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3.2"),
            (tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.2.3.3"),
            (tags::IMAGE_POSITION_PATIENT, VR::DS, position.as_str()),
            (tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0"),
            (tags::PIXEL_SPACING, VR::DS, "1.5\\1.25"),
            (tags::SLICE_THICKNESS, VR::DS, "2"),
            (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        ] {
            let values = value.split('\\').map(String::from).collect();
            object.put(DataElement::new(tag, vr, PrimitiveValue::Strs(values)));
        }
        for (tag, value) in [
            (tags::SAMPLES_PER_PIXEL, 1),
            (tags::ROWS, 3),
            (tags::COLUMNS, 4),
            (tags::BITS_ALLOCATED, 16),
            (tags::BITS_STORED, 16),
            (tags::HIGH_BIT, 15),
            (tags::PIXEL_REPRESENTATION, 0),
        ] {
            object.put(DataElement::new(
                tag,
                VR::US,
                PrimitiveValue::from(value as u16),
            ));
        }
        let pixels: Vec<u16> = (0..12).map(|at| 100 * k + at).collect();
        let pixels = PrimitiveValue::U16(pixels.into());
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, pixels));
        let meta = FileMetaTableBuilder::new().transfer_syntax("1.2.840.10008.1.2.1");
        let mut bytes = Vec::new();
        let file = object.with_meta(meta).expect("a whole header");
        file.write_all(&mut bytes).expect("in memory");
        desk.put_in("series", &format!("{k}.dcm"), &bytes);
    }
    // Column c of the series is voxel 3 - c here, row r is voxel 2 - r.
    let mut affine = Affine::diagonal([1.25, 1.5, 2.0].map(Millimetre));
    (affine.0[0][3], affine.0[1][3]) = (-10.0 - 3.0 * 1.25, -20.0 - 2.0 * 1.5);
    let mut labels = LabelMap::empty(Grid::new([4, 3, 3], affine).expect("a valid grid"));
    for [i, j, k] in [[3, 2, 0], [2, 2, 0], [0, 0, 2]] {
        labels.labels[i + 4 * (j + 3 * k)] = if k == 2 { 9 } else { 4 };
    }
    desk.put("labels.nii.gz", &label_file(&labels));
}

#[test]
fn figures_on_a_series_stored_otherwise() {
    let desk = Desk::new();
    with_series(&desk);
    let line = "measure labels.nii.gz --scan series --name 4=cyst --json";
    let rows = desk.run(line).json();
    // Columns 0 and 1 of row 0 in slice 0, and column 3 of row 2 in slice 2.
    assert_eq!(rows[0]["name"], "cyst");
    assert_eq!(
        (&rows[0]["min"], &rows[0]["max"]),
        (&json!(0.0), &json!(1.0))
    );
    assert_eq!(rows[1]["mean"], 211.0);
    let of = |what: &str| rows[0]["extent"][what]["slices"].clone();
    assert_eq!(
        [of("sagittal"), of("coronal"), of("axial")],
        [json!(2), json!(1), json!(1)]
    );
    let table = desk
        .run("measure labels.nii.gz --scan series --out m.csv")
        .done();
    assert!(table.starts_with("label        ml      voxels"), "{table}");
    assert_eq!(table.lines().count(), 3);
    let csv = String::from_utf8(desk.get("m.csv")).expect("text");
    assert!(csv.starts_with("label,name,voxels,ml,"), "{csv}");
    assert!(
        csv.lines()
            .nth(2)
            .expect("two rows")
            .starts_with("9,label 9,1,0.00375,"),
        "{csv}"
    );
}

#[test]
fn dicom_files_refer_to_the_series() {
    let desk = Desk::new();
    with_series(&desk);
    let line = "export labels.nii.gz --scan series --out seg.dcm --name 9=liver --colour 9=#ff0080 --description mine --json";
    let written = desk.run(line).json();
    assert_eq!(written["file"], "seg.dcm");
    assert_eq!(
        written["segments"][1],
        json!({ "label": 9, "name": "liver", "colour": [255, 0, 128] })
    );
    let text = |name: &str, tag| {
        let object = from_reader(&desk.get(name)[..]).expect("a DICOM file");
        object
            .element(tag)
            .expect("it is there")
            .to_str()
            .expect("text")
            .into_owned()
    };
    assert_eq!(text("seg.dcm", tags::PATIENT_NAME), "Doe^Jane");
    assert_eq!(text("seg.dcm", tags::SERIES_DESCRIPTION), "mine");
    assert_eq!(text("seg.dcm", tags::NUMBER_OF_FRAMES), "2");
    let line = "export labels.nii.gz --scan series --out rt.dcm --format rtstruct --label 9";
    assert_eq!(desk.run(line).done(), "rt.dcm\n");
    assert_eq!(text("rt.dcm", tags::MODALITY), "RTSTRUCT");
    // Every file has identifiers of its own.
    let line = "export labels.nii.gz --scan series --out again.dcm";
    desk.run(line).done();
    let uid = |name| text(name, tags::SOP_INSTANCE_UID);
    assert_ne!(uid("seg.dcm"), uid("again.dcm"));
}

#[test]
fn other_formats() {
    let desk = Desk::with_scan();
    let line = |rest: &str| format!("export organs.nii.gz --scan scan.nii.gz {rest}");
    let run = |rest: &str| desk.run(&line(rest)).done();
    run("--out stack.zip --axis coronal");
    assert!(desk.get("stack.zip").starts_with(b"PK"));
    run("--out one.stl --label 1 --smooth 0");
    assert!(desk.get("one.stl").starts_with(b"OneSlice surface"));
    run("--out all.obj --name 1=liver");
    let text = String::from_utf8(desk.get("all.obj")).expect("text");
    assert!(text.contains("\no liver\n") && text.contains("\no label_2\n"));
    run("--out back.nii.gz --label 2");
    let back = desk.labels("back.nii.gz");
    assert_eq!(back.labels.labels_present(), [2]);
    assert_eq!(
        back.labels.grid,
        read_scan(&desk.get("scan.nii.gz")).volume.grid
    );
}

#[test]
fn what_is_refused() {
    let desk = Desk::with_scan();
    let line = |rest: &str| format!("export organs.nii.gz --scan scan.nii.gz {rest}");
    let message = desk.refused(1, &line("--out seg.dcm"));
    let expected = "scan.nii.gz: a DICOM SEG refers to the images of a DICOM series, and this scan is not one: open the DICOM \
                    files themselves, or choose another format";
    assert_eq!(message, expected);
    let message = desk.refused(1, &line("--out result.txt"));
    assert_eq!(
        message,
        "result.txt: the name must end in .dcm, .zip, .stl, .obj or .nii.gz"
    );
    let message = desk.refused(1, &line("--out result.dcm --format stl"));
    assert_eq!(message, "result.dcm: the name must end in .stl");
    let message = desk.refused(1, &line("--out one.stl"));
    assert!(
        message.starts_with("an STL holds one surface, and there are labels 1, 2"),
        "{message}"
    );
    let message = desk.refused(1, &line("--out one.stl --label 77"));
    assert_eq!(message, "organs.nii.gz: no voxel carries label 77");
    for (wrong, why) in [
        ("--name liver", "N=NAME"),
        ("--name 0=liver", "N=NAME"),
        ("--colour 1=#12345", "N=#RRGGBB"),
        ("--colour 1=#+12345", "N=#RRGGBB"),
    ] {
        let message = desk.refused(2, &line(&format!("--out a.zip {wrong}")));
        assert!(message.contains(why), "{message}");
    }
    let message = desk.refused(
        2,
        "measure organs.nii.gz --scan scan.nii.gz --out table.txt",
    );
    assert!(message.contains("must end in .csv or .json"), "{message}");
    let mut moved = sample().1;
    moved.grid.affine.0[2][3] += 1.0;
    desk.put("moved.nii.gz", &label_file(&moved));
    let message = desk.refused(1, "measure moved.nii.gz --scan scan.nii.gz");
    assert!(
        message.starts_with("moved.nii.gz and scan.nii.gz: the grids differ"),
        "{message}"
    );
    assert!(scan::read_label_map("m", &desk.get("moved.nii.gz")).is_ok());
}
