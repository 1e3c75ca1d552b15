//! The committed protocols find made-up data in the layouts that the data sets are published in.
//!
//! In every made-up scan each label is the same on all slices, so that copying the given mask is right everywhere: a scan, a
//! label or a value that is taken for another shows as a Dice below 1, or as a missing row.

use std::io::Cursor;

use image::{GrayImage, ImageFormat};
use oneslice::volume::{Affine, Grid, LabelMap, Millimetre, Volume};
use serde_json::Value;

use crate::desk::{Desk, label_file, repository, scan_file};
use crate::dicom::Made;

const SIDE: usize = 20;
const SLICES: usize = 4;

/// Bands of rows, one for each value; the scan's number moves them a little.
fn band(values: &[u16], row: usize, scan: usize) -> u16 {
    let place = (row + SIDE - scan % 3) % SIDE;
    values.get(place / 2).copied().unwrap_or(0)
}

fn pair(values: &[u16], scan: usize) -> (Vec<u8>, Vec<u8>) {
    let affine = Affine::diagonal([1.0, 1.5, 8.0].map(Millimetre));
    let grid = Grid::new([SIDE, SIDE, SLICES], affine).expect("a grid");
    let row = |at: usize| grid.voxel_at(at)[1];
    let count = grid.voxel_count();
    let labels = (0..count).map(|at| band(values, row(at), scan)).collect();
    let voxels = (0..count).map(|at| (at % 97) as f32).collect();
    let labels = LabelMap::new(labels, grid.clone()).expect("one each");
    let volume = Volume::new(voxels, grid).expect("one each");
    (scan_file(&volume), label_file(&labels))
}

/// The report of a committed protocol on what is below `data`.
fn report(desk: &Desk, protocol: &str) -> Value {
    let protocol = repository(&format!("protocols/{protocol}.toml"));
    let protocol = protocol.to_str().expect("text");
    let line = ["eval", protocol, "--data", ".", "--out", "out", "--json"];
    let methods = ["--methods", "copy,support-copy"];
    desk.run_list(&[&line[..], &methods[..]].concat()).json()
}

/// All labels of all scans were found, and copying is right; pairs of query and support.
#[track_caller]
fn check(report: &Value, scans: &[&str], labels: usize) -> Vec<(String, String)> {
    let rows = report["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 2 * scans.len() * labels);
    let mut supports = Vec::new();
    for row in rows {
        let name = |key: &str| row[key].as_str().expect("a name").to_owned();
        assert!(scans.contains(&name("scan").as_str()), "{row}");
        match row["method"] == "copy" {
            true => assert_eq!(
                (&row["dice"], &row["nsd"]),
                (&1.0.into(), &1.0.into()),
                "{row}"
            ),
            false => supports.push((name("scan"), name("support"))),
        }
    }
    supports
}

#[test]
fn synapse_ct() {
    let organs: Vec<u16> = (1..=13).collect();
    // Ten bands fit; the other organs are missing, as some are in the real scans.
    for (folders, names) in [
        (
            ("RawData/Training/img", "RawData/Training/label"),
            ("img0001.nii.gz", "label0001.nii.gz"),
        ),
        (
            ("Training/img", "Training/label"),
            ("img0001.nii.gz", "label0001.nii.gz"),
        ),
        (("img", "label"), ("img0001.nii.gz", "label0001.nii.gz")),
        (
            ("averaged-training-images", "averaged-training-labels"),
            ("img0001.nii.gz", "label0001.nii.gz"),
        ),
        (
            ("averaged-training-images", "averaged-training-labels"),
            ("DET0001_avg.nii.gz", "DET0001_avg_seg.nii.gz"),
        ),
    ] {
        let desk = Desk::new();
        for (number, id) in ["0001", "0002", "0035"].into_iter().enumerate() {
            let (scan, labels) = pair(&organs, number);
            desk.put_in(folders.0, &names.0.replace("0001", id), &scan);
            desk.put_in(folders.1, &names.1.replace("0001", id), &labels);
        }
        let scans = ["0001", "0002", "0035"];
        check(&report(&desk, "btcv"), &scans, 10);
        check(&report(&desk, "synapse-ct-few-shot"), &scans, 4);
    }
}

#[test]
fn chaos_mri() {
    let desk = Desk::new();
    // Anything in the data set's ranges of grey.
    let greys: [u16; 4] = [63, 126, 189, 252];
    for (number, patient) in ["1", "10", "31"].into_iter().enumerate() {
        let folder = format!("Train_Sets/MR/{patient}/T2SPIR");
        for slice in 0..SLICES {
            // Numbered from the head down: the order of names is not that of places.
            let made = Made {
                explicit: number != 1,
                rows: SIDE as u16,
                cols: SIDE as u16,
                values: (0..SIDE * SIDE).map(|at| (at % 97) as i16).collect(),
                position: [0.0, 0.0, 100.0 - 9.0 * slice as f64],
            };
            let name = format!("IMG-0002-{:05}", slice + 1);
            desk.put_in(
                &format!("{folder}/DICOM_anon"),
                &format!("{name}.dcm"),
                &made.bytes(),
            );
            let grey = |_, y| image::Luma([band(&greys, y as usize, number) as u8]);
            let picture = GrayImage::from_fn(SIDE as u32, SIDE as u32, grey);
            let mut png = Cursor::new(Vec::new());
            picture
                .write_to(&mut png, ImageFormat::Png)
                .expect("in memory");
            desk.put_in(
                &format!("{folder}/Ground"),
                &format!("{name}.png"),
                png.get_ref(),
            );
        }
        // The set's other sequence, which this protocol does not read.
        desk.put_in(
            &format!("Train_Sets/MR/{patient}/T1DUAL/Ground"),
            "x.png",
            b"",
        );
    }
    check(&report(&desk, "chaos-mri"), &["1", "10", "31"], 4);
}

#[test]
fn chaos_with_a_lost_slice_is_an_error_of_that_scan() {
    let desk = Desk::new();
    let made = |z| Made {
        explicit: true,
        rows: 2,
        cols: 2,
        values: vec![1; 4],
        position: [0.0, 0.0, z],
    };
    for patient in ["1", "2"] {
        let folder = format!("MR/{patient}/T2SPIR");
        desk.put_in(&format!("{folder}/DICOM_anon"), "1.dcm", &made(0.0).bytes());
        desk.put_in(&format!("{folder}/Ground"), "1.txt", b"");
    }
    let protocol = repository("protocols/chaos-mri.toml");
    let line = [
        "eval",
        protocol.to_str().expect("text"),
        "--data",
        ".",
        "--out",
        "out",
    ];
    let ran = desk.run_list(&line);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stdout.contains("1 DICOM files and 0 PNGs"),
        "{}",
        ran.stdout
    );
}

#[test]
fn cmr() {
    for folders in [("c0t2lge", "c0gt"), (".", ".")] {
        let desk = Desk::new();
        for (number, id) in ["1", "2", "12"].into_iter().enumerate() {
            let (scan, labels) = pair(&[200, 500, 600], number);
            desk.put_in(folders.0, &format!("patient{id}_C0.nii.gz"), &scan);
            desk.put_in(folders.1, &format!("patient{id}_C0_manual.nii.gz"), &labels);
        }
        check(&report(&desk, "cmr"), &["1", "2", "12"], 3);
    }
}

/// Both phases of a patient are in one fold: a patient is never its own support.
#[test]
fn acdc() {
    for root in ["database/training/", "training/", ""] {
        let desk = Desk::new();
        for (number, patient) in ["001", "002"].into_iter().enumerate() {
            let folder = format!("{root}patient{patient}");
            for frame in ["01", "12"] {
                let (scan, labels) = pair(&[1, 2, 3], number);
                let name = format!("patient{patient}_frame{frame}");
                desk.put_in(&folder, &format!("{name}.nii.gz"), &scan);
                desk.put_in(&folder, &format!("{name}_gt.nii.gz"), &labels);
            }
            desk.put_in(&folder, &format!("patient{patient}_4d.nii.gz"), b"");
        }
        let scans = ["001-01", "001-12", "002-01", "002-12"];
        let supports = check(&report(&desk, "acdc"), &scans, 3);
        assert!(
            supports
                .iter()
                .all(|(query, support)| query[..3] != support[..3]),
            "{supports:?}"
        );
    }
}

#[test]
fn folders_of_ones_own() {
    for (protocol, scan_name, label_name, values) in [
        (
            "hippocampus",
            "imagesTr/hippocampus_N.nii.gz",
            "labelsTr/hippocampus_N.nii.gz",
            &[1, 2][..],
        ),
        (
            "hippocampus",
            "images/hippocampus_N.nii.gz",
            "labels/hippocampus_N.nii.gz",
            &[1, 2],
        ),
        ("folder", "images/N.nii.gz", "labels/N.nii.gz", &[1]),
        (
            "ct-organs",
            "N/image.nii.gz",
            "N/labels.nii.gz",
            &[5, 1, 86],
        ),
    ] {
        let desk = Desk::new();
        for (number, id) in ["x", "y"].into_iter().enumerate() {
            let (scan, labels) = pair(values, number);
            for (name, bytes) in [(scan_name, &scan), (label_name, &labels)] {
                let name = name.replace('N', id);
                let (folder, file) = name.rsplit_once('/').expect("a folder");
                desk.put_in(folder, file, bytes);
                // A Mac's hidden twin.
                desk.put_in(folder, &format!("._{file}"), b"");
            }
        }
        check(&report(&desk, protocol), &["x", "y"], values.len());
    }
}
