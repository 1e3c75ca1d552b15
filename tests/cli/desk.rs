//! A folder with files and the binary beside it. In: bytes under names, and arguments. Out: what a run wrote,
//! printed and returned.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use flate2::read::GzDecoder;
use oneslice::export;
use oneslice::scan::{self, LabelScan, ReadOptions};
use oneslice::volume::{LabelMap, Volume, VoxelAxis, phantom};
use serde_json::Value;

/// Voxels of the scan that most tests use: small enough that a propagation takes about a second.
pub const DIMS: [usize; 3] = [48, 40, 10];

/// Slices of the phantom are stacked along k.
pub const AXIAL: VoxelAxis = VoxelAxis::K;

/// A folder of its own, gone with the value.
pub struct Desk(PathBuf);

impl Desk {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("oneslice-cli-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("a folder that was not there");
        Self(folder)
    }

    /// With `scan.nii.gz`, and its organs as `organs.nii.gz`.
    pub fn with_scan() -> Self {
        let desk = Self::new();
        let (volume, organs) = sample();
        desk.put("scan.nii.gz", &scan_file(&volume));
        desk.put("organs.nii.gz", &label_file(&organs));
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a writable folder");
    }

    /// In a folder, which is made where there is none.
    pub fn put_in(&self, folder: &str, name: &str, bytes: &[u8]) {
        std::fs::create_dir_all(self.path(folder)).expect("a writable folder");
        self.put(&format!("{folder}/{name}"), bytes);
    }

    pub fn get(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn labels(&self, name: &str) -> LabelScan {
        scan::read_label_map(name, &self.get(name)).expect("a label map")
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.get(name)).expect("JSON")
    }

    /// The names of all files, sorted.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("the folder");
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<String> = entries.map(|e| name(e).to_string_lossy().into()).collect();
        names.sort();
        names
    }

    /// The binary in this folder. Fetched weights are looked for here too, so that none are found.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oneslice"));
        command.args(arguments).current_dir(&self.0);
        command
            .env("ONESLICE_WEIGHTS", self.path("fetched"))
            .stdin(Stdio::null());
        command
    }

    /// Runs a command line, split at blanks.
    pub fn run(&self, line: &str) -> Ran {
        self.run_list(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub fn run_list<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        let output = self.command(arguments).output().expect("the binary starts");
        let line: Vec<_> = arguments
            .iter()
            .map(|a| a.as_ref().to_string_lossy())
            .collect();
        Ran::new(line.join(" "), output)
    }

    /// Segments label 1 of `organs.nii.gz` as quickly as possible; the summary.
    pub fn segment(&self, more: &str) -> Value {
        let line =
            "segment scan.nii.gz --mask organs.nii.gz --out seg.nii.gz --image-size 128 --json";
        self.run(&format!("{line} {more}")).json()
    }

    /// A command line that must fail with `code`, and leave no file; what it says after its name.
    #[track_caller]
    pub fn refused(&self, code: i32, line: &str) -> String {
        let before = self.files();
        let message = self.run(line).refused(code);
        assert_eq!(self.files(), before, "{line}");
        message
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("our own folder");
    }
}

/// What a run left behind.
pub struct Ran {
    line: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn new(line: String, output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let ran = Self {
            line,
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert!(
            !ran.stderr.contains("panicked"),
            "{}: {}",
            ran.line,
            ran.stderr
        );
        ran
    }

    /// Standard output of a run that did what was asked and had nothing to complain of.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(
            (self.code, self.stderr.as_str()),
            (Some(0), ""),
            "{}",
            self.line
        );
        self.stdout
    }

    /// Standard output as JSON, which must be all of it.
    #[track_caller]
    pub fn json(self) -> Value {
        let stdout = self.done();
        serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{e}: {stdout}"))
    }

    /// The one line that a failed run says, without the program's name.
    #[track_caller]
    pub fn refused(self, code: i32) -> String {
        let Self {
            line,
            stdout,
            stderr,
            ..
        } = self;
        assert_eq!(
            (self.code, stdout.as_str()),
            (Some(code), ""),
            "{line}: {stderr}"
        );
        let message = stderr
            .strip_prefix("oneslice: ")
            .and_then(|s| s.strip_suffix('\n'));
        let message = message.unwrap_or_else(|| panic!("{line}: {stderr}"));
        assert!(
            !message.contains('\n') && !message.is_empty(),
            "{line}: {stderr}"
        );
        message.to_owned()
    }
}

pub fn sample() -> (Volume, LabelMap) {
    phantom::phantom(DIMS)
}

pub fn scan_file(volume: &Volume) -> Vec<u8> {
    let like = export::nifti::template(&volume.grid).expect("a small grid");
    export::nifti::write_volume(volume, &like).expect("in memory")
}

pub fn label_file(labels: &LabelMap) -> Vec<u8> {
    let like = export::nifti::template(&labels.grid).expect("a small grid");
    export::nifti::write(labels, &like).expect("in memory")
}

/// A file's volume.
pub fn read_scan(bytes: &[u8]) -> scan::Scan {
    scan::read("a scan", bytes, &ReadOptions::default()).expect("a good file")
}

pub fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    std::io::copy(&mut GzDecoder::new(bytes), &mut plain).expect("a gzip stream");
    plain
}

/// A file of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
