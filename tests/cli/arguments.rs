//! The arguments themselves: help, wrong values, and where output goes.

use std::process::Stdio;

use crate::desk::{Desk, Ran, repository};

/// Commands, and what their help must say.
const HELP: [(&str, &[&str]); 12] = [
    (
        "",
        &[
            "segment",
            "dice",
            "weights",
            "info",
            "Not a medical device",
            "Exit codes",
            "Example",
        ],
    ),
    (
        "segment",
        &[
            "--mask",
            "--label",
            "--slice",
            "--axis",
            "--direction",
            "--model",
            "--device",
            "--out",
        ],
    ),
    (
        "segment",
        &[
            "--image-size",
            "--window",
            "--volume",
            "--scores",
            "--object-score-bias",
            "--json",
            "nano",
            "counted from 0",
        ],
    ),
    (
        "segment",
        &[
            "--memory ",
            "--memory-size",
            "--memory-threshold",
            "--memory-seed",
            "--explain",
        ],
    ),
    (
        "one-prompt",
        &["--support", "--mask", "--query", "--out", "--memory "],
    ),
    ("dice", &["--label", "--exclude-slice", "--axis", "--json"]),
    ("weights", &["list", "fetch", "convert", "inspect"]),
    ("weights list", &["--json"]),
    (
        "weights fetch",
        &["tiny, small, base-plus or large", "SHA-256"],
    ),
    ("weights convert", &["--out", "--precision", "f32, f16"]),
    ("weights inspect", &[".pt or .safetensors"]),
    ("info", &["--volume", "--series", "DICOM"]),
];

#[test]
fn help_is_there_for_every_command() {
    let desk = Desk::new();
    for (command, words) in HELP {
        let help = desk.run(&format!("{command} --help")).done();
        for word in words {
            assert!(
                help.contains(word),
                "{command} --help does not say {word}:\n{help}"
            );
        }
        assert_eq!(
            desk.run(&format!("{command} -h")).done(),
            help,
            "{command}: one help is enough"
        );
    }
    assert_eq!(
        desk.run("--version").done(),
        format!("oneslice {}\n", env!("CARGO_PKG_VERSION"))
    );
    for nothing in ["", "weights"] {
        let ran = desk.run(nothing);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
        assert!(ran.stderr.contains("Usage: oneslice"), "{}", ran.stderr);
    }
}

#[test]
fn wrong_arguments_say_what_is_expected() {
    let desk = Desk::with_scan();
    let line = "segment scan.nii.gz --mask organs.nii.gz --out seg.nii.gz";
    for (more, words) in [
        ("--window 240,-160", "window 240 to -160"),
        ("--window 5", "expected LO,HI, such as -160,240"),
        ("--window nan,1", "both must be finite"),
        ("--window 1,1e60", "both must be finite"),
        ("--window 1,2,3", "`2,3` is no number"),
        ("--image-size 100", "a multiple of 32 from 128 to 1024"),
        ("--image-size 1056", "a multiple of 32 from 128 to 1024"),
        ("--image-size -128", "a multiple of 32 from 128 to 1024"),
        ("--image-size big", "a multiple of 32 from 128 to 1024"),
        ("--slice -1", "invalid value '-1' for '--slice <K>'"),
        ("--slice 1.5", "invalid value '1.5' for '--slice <K>'"),
        ("--label 0", "0 is not in 1..=65535"),
        ("--label 65536", "65536 is not in 1..=65535"),
        ("--axis oblique", "expected axial, coronal or sagittal"),
        ("--direction up", "both, forward, backward"),
        ("--device gpu", "cpu, wgpu"),
        ("--object-score-bias nan", "expected a finite number"),
        ("--volume x", "invalid value 'x' for '--volume <V>'"),
        ("--slise 3", "a similar argument exists: '--slice'"),
        ("--slice", "a value is required for '--slice <K>'"),
        ("--label 1 --label 2", "cannot be used multiple times"),
    ] {
        let message = desk.refused(2, &format!("{line} {more}"));
        assert!(message.contains(words), "{more}: {message}");
        assert!(message.ends_with("(see --help)"), "{message}");
    }
    for (line, words) in [
        ("segment", "--out <SEG.nii.gz> --mask <MASK> <SCAN>"),
        (
            "segment scan.nii.gz --mask organs.nii.gz --out seg.nii",
            "the name must end in .nii.gz",
        ),
        (
            "segment scan.nii.gz --mask organs.nii.gz --out .nii.gz",
            "the name must end in .nii.gz",
        ),
        ("segmnt", "unrecognized subcommand 'segmnt'"),
        ("dice organs.nii.gz", "<B>"),
        ("weights fetch", "<NAME>"),
        ("weights sell", "unrecognized subcommand 'sell'"),
    ] {
        let message = desk.refused(2, line);
        assert!(message.contains(words), "{line}: {message}");
    }
}

/// No value of any option makes the program panic; what is taken fails later, for want of a mask.
#[test]
fn odd_values_never_panic() {
    let desk = Desk::with_scan();
    let odd = [
        "",
        " ",
        ",",
        ",,",
        "-",
        "--",
        "--out",
        "nan",
        "-inf,inf",
        "-1",
        "1e999",
        "1e999,1e999",
        "0x10",
        "1_000",
        "é,ü",
        "18446744073709551616",
        "18446744073709551615",
        "-3.4e38,3.4e38",
        "\u{202e}",
        "1\n2",
        "../..",
        "NANO",
    ];
    let options = [
        "--label",
        "--slice",
        "--axis",
        "--direction",
        "--model",
        "--device",
        "--image-size",
        "--window",
        "--volume",
        "--scores",
        "--out",
    ];
    for option in options {
        for value in odd {
            let glued = format!("{option}={value}");
            let mut line = vec!["segment", "scan.nii.gz", "--mask", "missing.nii.gz", &glued];
            if option != "--out" {
                line.extend(["--out", "seg.nii.gz"]);
            }
            let ran: Ran = desk.run_list(&line);
            let code = ran.code.expect("an exit code");
            assert!(code == 1 || code == 2, "{glued}: {code}");
            ran.refused(code);
        }
    }
    assert_eq!(desk.files(), ["organs.nii.gz", "scan.nii.gz"]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let desk = Desk::new();
    let nano = repository("weights/nano/sam2-nano.safetensors");
    let nano = nano.to_str().expect("a plain path");
    for line in [
        vec!["weights", "inspect", nano],
        vec!["weights", "inspect", nano, "--json"],
        vec!["--help"],
    ] {
        let mut command = desk.command(&line);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("ends");
        assert_eq!(Ran::new(line.join(" "), output).done(), "");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let desk = Desk::with_scan();
    let full = std::fs::File::create("/dev/full").expect("Linux has it");
    let output = desk
        .command(&["info", "scan.nii.gz"])
        .stdout(full)
        .output()
        .expect("starts");
    let message = Ran::new("info".into(), output).refused(1);
    assert!(message.starts_with("standard output: "), "{message}");
}
