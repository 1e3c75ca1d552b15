//! What packed weights cost in accuracy: masks of packed models beside those of the float model and beside the truth.
//!
//! `python benches/accuracy_cases.py DATA FOLDER`, then `./dev bench accuracy FOLDER [--groups | --modules] [CASE ..]`: the nano model
//! at 256 model pixels on the CPU. Each label of a case is prompted with its true mask on its largest slice and followed
//! both ways. Prints, for each packing, Dice to the float model's mask, Dice to the truth, and the points of the latter that packing
//! costs. `--groups` tries all groups of scales, not only what is recommended. `--modules` packs the layers of one module at a time and also gives the error of the mask logits.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use oneslice::checkpoint::{Group, Quantized, Scheme, TensorFile, load, recognise};
use oneslice::kernels::Bits;
use oneslice::propagate::{Direction, FrameModel, Recall, Sam2Frames, Session, SessionOptions};
use oneslice::sam2::{ImageSize, Sam2};
use oneslice::scan::{self, ReadOptions};
use oneslice::volume::{Axis, LabelMap, Mask, Volume, Window};
use serde::Deserialize;

#[path = "accuracy/modules.rs"]
mod modules;

const WEIGHTS: &[u8] = include_bytes!("../weights/nano/sam2-nano-r0.safetensors");
const IMAGE_SIZE: usize = 256;

/// A line of `cases.json`.
#[derive(Deserialize)]
struct Case {
    name: String,
    image: PathBuf,
    labels_file: PathBuf,
    labels: Vec<u16>,
    window: Option<[f32; 2]>,
}

/// A case in memory.
pub struct Scan {
    name: String,
    volume: Arc<Volume>,
    truth: LabelMap,
    labels: Vec<u16>,
    window: Window,
}

/// Masks of every slice of every label, in the order of the case's labels.
type Masks = Vec<Vec<Mask>>;

/// A model under a name.
pub struct Variant {
    name: String,
    model: Sam2,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments = arguments.iter().filter(|a| *a != "--bench");
    let (options, names): (Vec<_>, Vec<_>) = arguments.partition(|a| a.starts_with("--"));
    let Some((folder, only)) = names.split_first() else {
        println!("accuracy: no folder of cases given, nothing measured (see benches/accuracy.rs)");
        return;
    };
    let scans = cases(Path::new(folder), only);
    let float = Variant {
        name: "float".into(),
        model: load(&nano(), &Device::flex())
            .expect("the embedded weights")
            .1,
    };
    let by_module = options.iter().any(|option| *option == "--modules");
    let variants = match by_module {
        true => modules::variants(),
        false => packings(options.iter().any(|option| *option == "--groups")),
    };
    let mut totals = vec![Vec::new(); variants.len()];
    println!(
        "case              label  packing                     to float   truth (float)  points lost"
    );
    for scan in &scans {
        let expected = masks(&float.model, scan);
        for (variant, totals) in variants.iter().zip(&mut totals) {
            let found = masks(&variant.model, scan);
            for (at, label) in scan.labels.iter().enumerate() {
                let score = score(scan, *label, &found[at], &expected[at]);
                println!(
                    "{:16} {label:6}  {:26} {:9.4} {:8.4} ({:.4}) {:12.2}",
                    scan.name,
                    variant.name,
                    score.to_float,
                    score.truth,
                    score.truth_of_float,
                    score.lost()
                );
                totals.push(score);
            }
        }
    }
    println!(
        "\npacking                     labels  mean to float  mean points lost  most points lost  logit error"
    );
    for (variant, scores) in variants.iter().zip(&totals) {
        let mean = |of: fn(&Score) -> f64| scores.iter().map(of).sum::<f64>() / scores.len() as f64;
        let most = scores.iter().map(Score::lost).fold(f64::MIN, f64::max);
        let error = logit_error(&float.model, &variant.model, &scans[0]);
        println!(
            "{:26} {:7} {:14.4} {:17.3} {:17.2}  {error:11.4}",
            variant.name,
            scores.len(),
            mean(|s| s.to_float),
            mean(Score::lost),
            most
        );
    }
}

fn nano() -> TensorFile {
    TensorFile::from_safetensors("nano", WEIGHTS.to_vec()).expect("the embedded weights")
}

/// What `oneslice weights quantize` writes by default, or all it offers.
fn packings(all_groups: bool) -> Vec<Variant> {
    let groups = [Group::Channel, Group::Inputs(64), Group::Inputs(32)];
    let of_bits = |bits| match all_groups {
        true => groups.map(|group| Scheme { bits, group }).to_vec(),
        false => vec![Scheme::of_bits(bits)],
    };
    let schemes = [of_bits(Bits::Int8), of_bits(Bits::Int4)].concat();
    let variant = |scheme: Scheme| {
        let file = nano();
        let config = recognise(&file).expect("the embedded weights");
        let plan = Quantized::plan(&file, &config, scheme, "nano");
        let plan = plan.expect("the embedded weights");
        let bytes: Result<Vec<_>, _> = plan.chunks().collect();
        let bytes = bytes.expect("the embedded weights").concat();
        let packed = TensorFile::from_safetensors("packed", bytes).expect("what was written");
        Variant {
            name: format!("int{}, group {}", scheme.bits.count(), scheme.group),
            model: load(&packed, &Device::flex()).expect("what was written").1,
        }
    };
    schemes.into_iter().map(variant).collect()
}

fn cases(folder: &Path, only: &[&String]) -> Vec<Scan> {
    let read =
        |path: &Path| std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let list = read(&folder.join("cases.json"));
    let cases: Vec<Case> = serde_json::from_slice(&list).expect("cases.json");
    let chosen = |case: &Case| only.is_empty() || only.contains(&&case.name);
    let open = |case: Case| {
        let scan = scan::read(&case.name, &read(&case.image), &ReadOptions::default());
        let volume = scan.expect("a scan").volume;
        let truth = scan::read_label_map(&case.name, &read(&case.labels_file));
        let window = match case.window {
            Some([lo, hi]) => Window::new(lo, hi).expect("a window"),
            None => Window::auto(&volume),
        };
        Scan {
            name: case.name,
            volume: Arc::new(volume),
            truth: truth.expect("a label map").labels,
            labels: case.labels,
            window,
        }
    };
    cases.into_iter().filter(chosen).map(open).collect()
}

impl Scan {
    fn options(&self) -> SessionOptions {
        SessionOptions {
            axis: Axis::Axial.of(&self.volume.grid),
            window: self.window,
            image_size: ImageSize::new(IMAGE_SIZE).expect("an image size"),
        }
    }

    fn truth(&self, label: u16, slice: usize) -> Mask {
        let axis = self.options().axis;
        self.truth
            .slice_mask(axis, slice, label)
            .expect("a slice of the scan")
    }

    fn prompt(&self, label: u16) -> (usize, Mask) {
        let slice = self.truth.largest_slice(self.options().axis, label);
        let slice = slice.expect("a label that is there");
        (slice, self.truth(label, slice))
    }
}

fn masks(model: &Sam2, scan: &Scan) -> Masks {
    let mut session = Session::new(model, Arc::clone(&scan.volume), scan.options());
    for &label in &scan.labels {
        let (slice, mask) = scan.prompt(label);
        session.add_mask(label, slice, mask).expect("a mask");
    }
    let none = Mask::new(session.shape(), vec![false; session.shape().area()]);
    let none = none.expect("as many pixels");
    let mut found = vec![vec![none; session.slices()]; scan.labels.len()];
    session.start(Direction::Both).expect("a prompt");
    while let Some(result) = pollster::block_on(session.next()).expect("the CPU") {
        for one in result.labels {
            let at = scan.labels.iter().position(|label| *label == one.label);
            found[at.expect("a label that was asked for")][result.slice] = one.mask;
        }
    }
    found
}

#[derive(Clone)]
struct Score {
    to_float: f64,
    truth: f64,
    truth_of_float: f64,
}

impl Score {
    /// Dice points, hundredths.
    fn lost(&self) -> f64 {
        (self.truth_of_float - self.truth) * 100.0
    }
}

fn score(scan: &Scan, label: u16, found: &[Mask], float: &[Mask]) -> Score {
    let truth: Vec<Mask> = (0..found.len())
        .map(|slice| scan.truth(label, slice))
        .collect();
    Score {
        to_float: dice(found, float),
        truth: dice(found, &truth),
        truth_of_float: dice(float, &truth),
    }
}

fn dice(a: &[Mask], b: &[Mask]) -> f64 {
    let (mut both, mut sum) = (0, 0);
    for (a, b) in a.iter().zip(b) {
        let pairs = a.pixels.iter().zip(&b.pixels);
        both += pairs.filter(|(a, b)| **a && **b).count();
        sum += a.area() + b.area();
    }
    if sum == 0 {
        1.0
    } else {
        2.0 * both as f64 / sum as f64
    }
}

/// Root mean square of the difference of the mask logits, over that of the logits: the prompted slice and the three after it.
fn logit_error(float: &Sam2, packed: &Sam2, scan: &Scan) -> f64 {
    let (expected, found) = (logits(float, scan), logits(packed, scan));
    let square =
        |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v * v)).sum::<f64>();
    let pairs = || found.iter().zip(&expected);
    (square(&mut pairs().map(|(a, b)| a - b)) / square(&mut expected.iter().copied())).sqrt()
}

fn logits(model: &Sam2, scan: &Scan) -> Vec<f32> {
    let frames = Sam2Frames::new(model.clone(), scan.options().image_size);
    let (axis, label) = (scan.options().axis, scan.labels[0]);
    let (first, mask) = scan.prompt(label);
    let shape = mask.shape;
    let encode = |slice: usize| {
        let grey = scan
            .volume
            .slice_u8(axis, slice, &scan.window)
            .expect("a slice");
        frames.encode(&grey, shape)
    };
    let features = encode(first);
    let output = frames.prompt_mask(&features, &mask);
    let (memory, pointer) = frames.remember(&features, &output, true);
    let (mut memories, mut pointers) = (vec![(memory, 0)], vec![(pointer, 0)]);
    let read = |output| {
        pollster::block_on(frames.read(output, shape))
            .expect("the CPU")
            .logits
    };
    let mut all = read(output);
    for step in 1..=3 {
        let features = encode(first + step);
        // The prompted slice stays number 0; of the others, the nearest is number 1.
        let place = |i: usize| if i == 0 { 0 } else { step - i };
        let memories_now = memories
            .iter()
            .enumerate()
            .map(|(i, (m, _))| (Clone::clone(m), Some(place(i))));
        let pointers_now = pointers
            .iter()
            .enumerate()
            .map(|(i, (p, _))| (Clone::clone(p), step - i));
        let recall = Recall {
            memories: memories_now.collect(),
            pointers: pointers_now.collect(),
            max_obj_ptrs: 16,
        };
        let output = frames.track(&features, recall);
        let (memory, pointer) = frames.remember(&features, &output, false);
        memories.push((memory, step));
        pointers.push((pointer, step));
        all.extend(read(output));
    }
    all
}
