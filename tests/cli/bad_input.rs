//! What the command line says of files that cannot be used: one line with the file and the reason, exit code 1,
//! nothing on standard output, no file left.

use oneslice::volume::LabelMap;

use crate::checkpoints::{Stored, Tensors, zip};
use crate::desk::{Desk, gunzip, label_file, sample};

const SEGMENT: &str = "segment scan.nii.gz --mask organs.nii.gz --out seg.nii.gz --image-size 128";

/// A run of `segment` that is refused; its message, which starts with the file's name.
#[track_caller]
fn refused(desk: &Desk, file: &str, more: &str) -> String {
    let message = desk.refused(1, &format!("{SEGMENT} {more}"));
    let rest = message
        .strip_prefix(file)
        .and_then(|m| m.strip_prefix(": "));
    rest.unwrap_or_else(|| panic!("{message} does not name {file}"))
        .to_owned()
}

#[test]
fn a_truncated_scan() {
    let desk = Desk::with_scan();
    let whole = desk.get("scan.nii.gz");
    desk.put("scan.nii.gz", &whole[..whole.len() / 2]);
    let message = refused(&desk, "scan.nii.gz", "");
    assert!(
        message.starts_with("truncated: 38752 bytes expected, "),
        "{message}"
    );
    desk.put("scan.nii.gz", &gunzip(&whole)[..5000]);
    let message = refused(&desk, "scan.nii.gz", "");
    assert_eq!(message, "truncated: 38752 bytes expected, 5000 found");
    assert!(
        desk.refused(1, "info scan.nii.gz")
            .starts_with("scan.nii.gz: truncated")
    );
}

#[test]
fn a_scan_of_another_format() {
    let desk = Desk::with_scan();
    for (bytes, words) in [
        (&b""[..], "an empty file"),
        (b"hello", "plain text"),
        (b"GIF89a\r\n\x1a\n", "a GIF picture"),
    ] {
        desk.put("scan.nii.gz", bytes);
        let message = refused(&desk, "scan.nii.gz", "");
        assert!(
            message.contains("not a scan that can be read") && message.contains(words),
            "{message}"
        );
    }
}

#[test]
fn a_voxel_that_is_no_number() {
    let desk = Desk::with_scan();
    let mut plain = gunzip(&desk.get("scan.nii.gz"));
    // As f32: the header's type, and every voxel.
    plain[70..74].copy_from_slice(&[16, 0, 32, 0]);
    plain.truncate(352);
    let (volume, _) = sample();
    let at = 48 * 40 * 3 + 48 * 2 + 7;
    for (voxel, value) in volume.voxels.iter().enumerate() {
        let value = if voxel == at { f32::NAN } else { *value };
        plain.extend(value.to_le_bytes());
    }
    desk.put("scan.nii.gz", &plain);
    let message = refused(&desk, "scan.nii.gz", "");
    assert_eq!(
        message,
        "1 voxel is NaN or infinite, the first at (7, 2, 3)"
    );
}

#[test]
fn an_empty_mask() {
    let desk = Desk::with_scan();
    let (_, organs) = sample();
    desk.put("organs.nii.gz", &label_file(&LabelMap::empty(organs.grid)));
    assert_eq!(refused(&desk, "organs.nii.gz", ""), "the mask is empty");
    assert_eq!(
        refused(&desk, "organs.nii.gz", "--label 1"),
        "the mask is empty"
    );
    assert_eq!(
        refused(&desk, "organs.nii.gz", "--slice 3"),
        "the mask is empty"
    );
}

#[test]
fn a_mask_on_another_grid() {
    let desk = Desk::with_scan();
    let (_, mut organs) = sample();
    organs.grid.affine.0[0][3] += 5.0;
    desk.put("organs.nii.gz", &label_file(&organs));
    let message = refused(&desk, "organs.nii.gz", "");
    let expected = "the origin is 150 mm against 155 mm in x";
    assert_eq!(
        message,
        format!("not on the grid of scan.nii.gz: the grids differ: {expected}")
    );

    let (_, other) = oneslice::volume::phantom::phantom([48, 40, 9]);
    desk.put("organs.nii.gz", &label_file(&other));
    let message = refused(&desk, "organs.nii.gz", "");
    assert!(
        message.contains("48 x 40 x 10 voxels against 48 x 40 x 9"),
        "{message}"
    );
}

#[test]
fn a_mask_that_is_no_label_map() {
    let desk = Desk::with_scan();
    desk.put("organs.nii.gz", &desk.get("scan.nii.gz"));
    let message = refused(&desk, "organs.nii.gz", "");
    assert!(
        message.starts_with("not a label map: voxel (0, 0, 0) is -"),
        "{message}"
    );
}

#[test]
fn a_slice_or_label_that_is_not_there() {
    let desk = Desk::with_scan();
    let message = refused(&desk, "organs.nii.gz", "--slice 10");
    assert_eq!(
        message,
        "slice 10 does not exist: voxel axis k has slices 0 to 9"
    );
    let message = refused(&desk, "organs.nii.gz", "--slice 10 --label 1");
    assert_eq!(
        message,
        "slice 10 does not exist: voxel axis k has slices 0 to 9"
    );
    let message = refused(&desk, "organs.nii.gz", "--slice 48 --axis sagittal");
    assert_eq!(
        message,
        "slice 48 does not exist: voxel axis i has slices 0 to 47"
    );
    let message = refused(&desk, "organs.nii.gz", "--label 99");
    assert_eq!(
        message,
        "there is no label 99; there are [1, 2, 3, 4, 5, 6, 7]"
    );
    let (_, organs) = sample();
    let slice = organs.largest_slice(crate::desk::AXIAL, 6).expect("a lung");
    let message = refused(&desk, "organs.nii.gz", "--label 6 --slice 0");
    assert_eq!(
        message,
        format!("label 6 has no pixel on slice 0; it is largest on slice {slice}")
    );
    let message = refused(&desk, "organs.nii.gz", "--slice 0 --axis coronal");
    assert_eq!(message, "no label has a pixel on slice 0");
}

#[test]
fn checkpoints_with_one_thing_wrong() {
    let desk = Desk::with_scan();
    let nano = Tensors::open("weights/nano/sam2-nano.safetensors");
    let key = "memory_encoder.out_proj.weight";
    let shape = nano.0[key].shape.clone();
    let mut nan = nano.0[key].values();
    nan[3] = f32::NAN;
    let cases = [
        (nano.clone().without(key), format!("key `{key}` is missing")),
        (
            nano.clone().without("no_mem_embed"),
            "key `no_mem_embed` is missing".into(),
        ),
        (
            nano.clone().with("ema.step", Stored::zeros(&[1])),
            "key `ema.step` is not part".into(),
        ),
        (
            nano.clone().with(key, Stored::zeros(&[2, 3])),
            format!("key `{key}` has shape [2, 3]"),
        ),
        (
            nano.clone().with(key, Stored::f32(&shape, &nan)),
            format!("key `{key}` holds NaN"),
        ),
    ];
    for (tensors, words) in cases {
        desk.put("m.safetensors", &tensors.safetensors());
        desk.put("m.pt", &tensors.torch(true));
        for file in ["m.safetensors", "m.pt"] {
            let message = refused(&desk, file, &format!("--model {file}"));
            assert!(message.starts_with(&words), "{message}");
        }
    }
}

#[test]
fn what_is_no_checkpoint() {
    let desk = Desk::with_scan();
    let nano = Tensors::open("weights/nano/sam2-nano.safetensors").safetensors();
    let other = zip(&[("notes.txt".to_owned(), b"hello")]);
    for (bytes, words) in [
        (&nano[..nano.len() - 1], "not a complete safetensors file"),
        (&nano[..1000], "not a complete safetensors file"),
        (b"", "neither a safetensors nor a PyTorch checkpoint"),
        (
            b"hello, this is only a text file",
            "neither a safetensors nor a PyTorch checkpoint",
        ),
        (&other, "neither a safetensors nor a PyTorch checkpoint"),
    ] {
        desk.put("m.safetensors", bytes);
        let message = refused(&desk, "m.safetensors", "--model m.safetensors");
        assert!(message.starts_with(words), "{message}");
    }
    let micro = Tensors::open("tests/golden/micro.safetensors").safetensors();
    desk.put("m.safetensors", &micro);
    let message = refused(&desk, "m.safetensors", "--model m.safetensors");
    assert!(
        message.contains("expected one of nano (") && message.contains("large ("),
        "{message}"
    );
    let message = desk.refused(1, &format!("{SEGMENT} --model huge"));
    let expected = "--model huge: neither a file nor one of nano, tiny, small, base-plus, large";
    assert_eq!(message, expected);
}

#[test]
fn files_and_folders_that_are_not_there() {
    let desk = Desk::with_scan();
    std::fs::create_dir(desk.path("folder")).expect("a new folder");
    let cases = [
        (
            "segment no.nii --mask organs.nii.gz --out seg.nii.gz",
            "no.nii: No such file",
        ),
        (
            "segment scan.nii.gz --mask no.nii --out seg.nii.gz",
            "no.nii: No such file",
        ),
        (
            "segment folder --mask organs.nii.gz --out seg.nii.gz",
            "folder: ",
        ),
        ("dice no.nii organs.nii.gz", "no.nii: No such file"),
        ("info no.nii", "no.nii: No such file"),
        ("info folder", "folder: "),
        ("weights inspect no.pt", "no.pt: No such file"),
        ("weights inspect folder", "folder: "),
    ];
    for (line, words) in cases {
        let message = desk.refused(1, line);
        assert!(message.starts_with(words), "{message}");
    }
}

/// Said before the work, which can take long, and not after it.
#[test]
fn results_that_could_not_be_written() {
    let desk = Desk::with_scan();
    std::fs::create_dir(desk.path("folder.nii.gz")).expect("a new folder");
    let line = "segment scan.nii.gz --mask organs.nii.gz --image-size 128 --out";
    let overwritten = "is also an input or another output; it would be overwritten";
    let cases = [
        (
            "no/seg.nii.gz",
            "no/seg.nii.gz: there is no folder no".to_owned(),
        ),
        ("folder.nii.gz", "folder.nii.gz: is a folder".to_owned()),
        ("scan.nii.gz", format!("scan.nii.gz: {overwritten}")),
        (
            "folder.nii.gz/../organs.nii.gz",
            format!("folder.nii.gz/../organs.nii.gz: {overwritten}"),
        ),
        (
            "seg.nii.gz --scores no/s.json",
            "no/s.json: there is no folder no".to_owned(),
        ),
        (
            "seg.nii.gz --scores scan.nii.gz",
            format!("scan.nii.gz: {overwritten}"),
        ),
        (
            "seg.nii.gz --scores seg.nii.gz",
            format!("seg.nii.gz: {overwritten}"),
        ),
    ];
    for (more, expected) in cases {
        assert_eq!(desk.refused(1, &format!("{line} {more}")), expected);
    }
}

#[cfg(unix)]
#[test]
fn names_of_any_kind() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let desk = Desk::with_scan();
    // A line break in a name does not break the line; bytes that are no text are a name like any other.
    let message = desk.run_list(&["info", "two\nlines.nii"]).refused(1);
    assert!(
        message.starts_with("two lines.nii: No such file"),
        "{message}"
    );
    let name = OsStr::from_bytes(b"\xff\xfe.nii.gz");
    std::fs::rename(desk.path("scan.nii.gz"), desk.path("").join(name)).expect("a valid name");
    let out = OsStr::from_bytes(b"\xfd.nii.gz");
    let line =
        "--label 4 --slice 9 --direction forward --image-size 128 --mask organs.nii.gz --json";
    let mut arguments: Vec<&OsStr> = vec!["segment".as_ref(), name, "--out".as_ref(), out];
    arguments.extend(line.split(' ').map(OsStr::new));
    desk.run_list(&arguments).json();
    assert!(desk.path("").join(out).is_file());
}
