//! What packed weights cost in accuracy: masks of packed models beside those of the float model and beside the truth.
//!
//! `./dev bench accuracy DATA` (folders as `accuracy_cases.py` expects them): the manifest's default model at 256 model pixels
//! on the CPU. Each label of a case is prompted with its true mask on its largest slice and followed both ways. Prints a table of
//! sets and packings (Dice to the float model's mask and to the truth, the distance of borders, Dice points lost), and one of
//! modules (error of the mask logits when one module alone is packed).
//!
//! Further arguments: names of cases; `--groups` tries all groups of scales, not only what is recommended; `--modules` segments
//! with one module at a time in four bits, which is what `src/checkpoint/sensitive.rs` follows from.

use std::path::Path;

use burn::tensor::Device;
use oneslice::checkpoint::{Group, Manifest, Quantized, Scheme, TensorFile, load, recognise};
use oneslice::kernels::Bits;
use oneslice::sam2::Sam2;

use cases::{Scan, cases};
use logits::{logits, relative_error};
use scores::Score;

#[path = "accuracy/cases.rs"]
mod cases;
#[path = "accuracy/logits.rs"]
mod logits;
#[path = "accuracy/modules.rs"]
mod modules;
#[path = "accuracy/scores.rs"]
mod scores;

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
    let has = |name: &str| options.iter().any(|option| *option == name);
    let scans = cases(Path::new(folder), only);
    let float = load(&weights(), &Device::flex()).expect("the weights").1;
    let variants = match has("--modules") {
        true => modules::variants(Bits::Int4),
        false => packings(has("--groups")),
    };
    print_masks(&scans, &float, &variants);
    let mut all = packings(false);
    all.extend(modules::variants(Bits::Int8));
    all.extend(modules::variants(Bits::Int4));
    print_logits(&scans, &float, &all);
}

/// The model that is used when none is named.
fn weights() -> TensorFile {
    let manifest = Manifest::embedded().expect("the manifest");
    let entry = manifest.get(&manifest.default).expect("the default model");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights");
    TensorFile::open(&path.join(&entry.file)).expect("the weights")
}

/// The weights packed by a scheme, as a file.
fn packed(scheme: Scheme) -> TensorFile {
    let file = weights();
    let config = recognise(&file).expect("the weights");
    let plan = Quantized::plan(&file, &config, scheme, "a bench").expect("the weights");
    let bytes: Result<Vec<_>, _> = plan.chunks().collect();
    let bytes = bytes.expect("the weights").concat();
    TensorFile::from_safetensors("packed", bytes).expect("what was written")
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
        let file = packed(scheme);
        Variant {
            name: format!("int{}, {}", scheme.bits.count(), scheme.group),
            model: load(&file, &Device::flex()).expect("what was written").1,
        }
    };
    schemes.into_iter().map(variant).collect()
}

fn print_masks(scans: &[Scan], float: &Sam2, variants: &[Variant]) {
    let mut scores = vec![Vec::new(); variants.len()];
    for scan in scans {
        let expected = scan.segment(float);
        for (variant, scores) in variants.iter().zip(&mut scores) {
            let found = scan.segment(&variant.model);
            for (at, &label) in scan.labels.iter().enumerate() {
                let maps = [&found[at], &expected[at], &scan.truth];
                let score = Score::new(&scan.set, label, maps);
                score.print(&scan.name, label, &variant.name);
                scores.push(score);
            }
        }
    }
    println!("{}", scores::HEAD);
    let mut sets: Vec<&str> = scans.iter().map(|scan| scan.set.as_str()).collect();
    sets.dedup();
    for set in sets {
        for (variant, scores) in variants.iter().zip(&scores) {
            let of_set: Vec<&Score> = scores.iter().filter(|s| s.set == set).collect();
            println!("{}", scores::row(set, &variant.name, &of_set));
        }
    }
    for (variant, scores) in variants.iter().zip(&scores) {
        let all: Vec<&Score> = scores.iter().collect();
        println!("{}", scores::row("all", &variant.name, &all));
    }
}

/// Of each set the first scan.
fn print_logits(scans: &[Scan], float: &Sam2, variants: &[Variant]) {
    let mut firsts: Vec<&Scan> = scans.iter().collect();
    firsts.dedup_by_key(|scan| scan.set.clone());
    let sets: Vec<&str> = firsts.iter().map(|scan| scan.set.as_str()).collect();
    println!("\n| mask logits, relative error | {} |", sets.join(" | "));
    println!("|---|{}|", vec!["---"; sets.len()].join("|"));
    let expected: Vec<Vec<f32>> = firsts.iter().map(|scan| logits(float, scan)).collect();
    for variant in variants {
        let error = |(scan, expected): (&&Scan, &Vec<f32>)| {
            let found = logits(&variant.model, scan);
            format!("{:.4}", relative_error(&found, expected))
        };
        let errors: Vec<String> = firsts.iter().zip(&expected).map(error).collect();
        println!("| {} | {} |", variant.name, errors.join(" | "));
    }
}
