//! A real scan, when there is one: `ONESLICE_SHARED_DATA` names a folder with `ct-trunk-nifti/image.nii.gz` and
//! `labels.nii.gz`.

use std::io::Write;
use std::path::PathBuf;

use oneslice::eval::dice_table;
use oneslice::volume::{Axis, Window, orientation_letters, same_grid};
use oneslice::{export, scan};

#[test]
fn a_real_scan_and_its_labels() {
    let Some(folder) = std::env::var_os("ONESLICE_SHARED_DATA") else {
        // Past the test harness, which hides what a passing test prints.
        writeln!(
            std::io::stderr(),
            "SKIPPED a_real_scan_and_its_labels: ONESLICE_SHARED_DATA is not set"
        )
        .expect("stderr is open");
        return;
    };
    let file = |name: &str| {
        let path = PathBuf::from(&folder).join("ct-trunk-nifti").join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let image = scan::read("image", &file("image.nii.gz"), &Default::default()).expect("reads");
    let labels = scan::read_label_map("labels", &file("labels.nii.gz")).expect("reads");
    let grid = &image.volume.grid;
    same_grid(grid, &labels.labels.grid).expect("one grid");
    assert_eq!(grid.dims, [122, 101, 112]);
    assert_eq!(orientation_letters(&grid.affine), "RAS");
    assert_eq!(Axis::Axial.of(grid).index(), 2);
    // numpy.percentile(image, [0.5, 99.5]), and the sum of all voxels.
    let window = Window::auto(&image.volume);
    assert_eq!((window.lo, window.hi), (-1023.0, 431.0));
    let sum: f64 = image.volume.voxels.iter().map(|v| f64::from(*v)).sum();
    assert_eq!(sum, -496_851_173.0);
    assert_eq!(labels.labels.labels_present().len(), 61);

    let written = export::nifti::write(&labels.labels, &image.header).expect("writes");
    let back = scan::read_label_map("written", &written).expect("reads");
    assert_eq!(back.labels.grid, image.volume.grid);
    let table = dice_table(&labels.labels, &back.labels, None).expect("one grid");
    assert!(table.iter().all(|row| row.coefficient() == Some(1.0)));
}
