//! `oneslice weights`.

use safetensors::Dtype;
use serde_json::json;

use crate::checkpoints::Tensors;
use crate::desk::{Desk, repository};

fn micro_pt(desk: &Desk) {
    let bytes = std::fs::read(repository("tests/golden/micro.pt")).expect("a golden");
    desk.put("micro.pt", &bytes);
}

#[test]
fn list_says_what_there_is_and_what_is_here() {
    let desk = Desk::new();
    let models = desk.run("weights list --json").json();
    let field = |field: &str| -> Vec<serde_json::Value> {
        models
            .as_array()
            .expect("a list")
            .iter()
            .map(|model| model[field].clone())
            .collect()
    };
    assert_eq!(
        field("name"),
        [
            "nano",
            "tiny",
            "small",
            "base-plus",
            "large",
            "lpips-tiny",
            "lpips-alex",
            "lpips-squeeze",
            "lpips-vgg"
        ]
    );
    let here = [true, false, false, false, false, true, false, false, false];
    assert_eq!(field("here"), here);
    assert!(
        field("licence")[..6]
            .iter()
            .all(|licence| licence == "Apache-2.0")
    );
    let text = desk.run("weights list").done();
    assert_eq!(text.lines().count(), 9, "{text}");
    assert!(
        text.contains("ready") && text.contains("to be fetched"),
        "{text}"
    );

    // A file where fetched ones are kept is here.
    std::fs::create_dir(desk.path("fetched")).expect("a new folder");
    desk.put("fetched/sam2.1_hiera_tiny.pt", b"not really");
    let models = desk.run("weights list --json").json();
    assert_eq!(
        (&models[1]["name"], &models[1]["here"]),
        (&json!("tiny"), &json!(true))
    );
}

#[test]
fn fetch_knows_what_it_can_fetch() {
    let desk = Desk::new();
    let message = desk.refused(1, "weights fetch huge");
    assert!(
        message.contains("no model `huge`; there are nano, tiny, small, base-plus, large"),
        "{message}"
    );
    assert_eq!(
        desk.run("weights fetch nano").done(),
        "nano is part of oneslice: nothing to fetch\n"
    );
    assert!(desk.run("weights fetch nano --json").json()["file"].is_null());
    // A file that is there is checked, not fetched again.
    std::fs::create_dir(desk.path("fetched")).expect("a new folder");
    desk.put("fetched/sam2.1_hiera_tiny.pt", b"not really");
    let message = desk.refused(1, "weights fetch tiny");
    assert!(
        message.contains("sam2.1_hiera_tiny.pt: has SHA-256") && message.contains("delete it"),
        "{message}"
    );
}

#[test]
fn a_model_that_was_not_fetched_says_how_to_get_it() {
    let desk = Desk::with_scan();
    let line = "segment scan.nii.gz --mask organs.nii.gz --out seg.nii.gz --model base-plus";
    let message = desk.refused(1, line);
    assert!(
        message.contains("`oneslice weights fetch base-plus`"),
        "{message}"
    );
}

#[test]
fn inspect_shows_configuration_and_tensors() {
    let desk = Desk::new();
    let nano = repository("weights/nano/sam2-nano.safetensors");
    let shown = desk
        .run(&format!("weights inspect {} --json", nano.display()))
        .json();
    assert_eq!(
        (&shown["config"], &shown["parameters"]),
        (&json!("nano"), &json!(1_960_130))
    );
    let tensors = shown["tensors"].as_array().expect("a list");
    assert_eq!(tensors.len(), 359);
    assert_eq!(tensors[0]["dtype"], "F16");
    let embedding = tensors
        .iter()
        .find(|t| t["key"] == "no_mem_embed")
        .expect("a key");
    assert_eq!(embedding["shape"], json!([1, 1, 64]));
    let text = desk
        .run(&format!("weights inspect {}", nano.display()))
        .done();
    assert!(
        text.contains("configuration  nano") && text.contains("1960130 in 359 tensors"),
        "{text}"
    );

    micro_pt(&desk);
    let shown = desk.run("weights inspect micro.pt --json").json();
    assert!(shown["config"].is_null());
    assert_eq!(shown["tensors"][0]["dtype"], "F16");
    let text = desk.run("weights inspect micro.pt").done();
    assert!(
        text.contains("not recognised: micro.pt: has embed_dim 8"),
        "{text}"
    );
}

#[test]
fn convert_keeps_the_values() {
    let desk = Desk::new();
    micro_pt(&desk);
    let golden = Tensors::open("tests/golden/micro.safetensors");
    for (options, dtype) in [
        ("", Dtype::F32),
        ("--precision f32", Dtype::F32),
        ("--precision f16", Dtype::F16),
    ] {
        let line = format!("weights convert micro.pt --out out.safetensors {options}");
        let text = desk.run(&line).done();
        assert!(text.starts_with("out.safetensors: 359 tensors, "), "{text}");
        let converted = Tensors::open(desk.path("out.safetensors").to_str().expect("a plain path"));
        assert!(converted.0.keys().eq(golden.0.keys()));
        for (key, tensor) in &converted.0 {
            let expected = golden.0[key].cast(dtype);
            assert!(
                tensor.bytes == expected.bytes && tensor.shape == expected.shape,
                "{key}"
            );
            assert_eq!(tensor.dtype, dtype);
        }
    }
    // There and back: the values of this model are f16 numbers.
    let there = desk
        .run("weights convert out.safetensors --out back.safetensors --json")
        .json();
    assert_eq!(
        (&there["out"], &there["tensors"]),
        (&json!("back.safetensors"), &json!(359))
    );
    assert_eq!(there["bytes"], desk.get("back.safetensors").len());
    desk.run("weights convert micro.pt --out direct.safetensors")
        .done();
    assert!(desk.get("back.safetensors") == desk.get("direct.safetensors"));
}

#[test]
fn convert_refuses_what_it_should() {
    let desk = Desk::new();
    micro_pt(&desk);
    desk.put("junk.pt", b"nothing of the kind");
    desk.put(
        "m.safetensors",
        &Tensors::open("tests/golden/micro.safetensors").safetensors(),
    );
    let cases = [
        (
            1,
            "missing.pt --out o.safetensors",
            "missing.pt: No such file",
        ),
        (
            1,
            "junk.pt --out o.safetensors",
            "junk.pt: neither a safetensors nor a PyTorch",
        ),
        (
            1,
            "micro.pt --out no/o.safetensors",
            "there is no folder no",
        ),
        (
            1,
            "m.safetensors --out m.safetensors",
            "it would be overwritten",
        ),
        (
            2,
            "micro.pt --out o.pt",
            "the name must end in .safetensors",
        ),
        (2, "micro.pt --out o.safetensors --precision f8", "f32, f16"),
        (2, "micro.pt", "--out"),
    ];
    for (code, arguments, words) in cases {
        let message = desk.refused(code, &format!("weights convert {arguments}"));
        assert!(message.contains(words), "{message}");
    }
    let message = desk.refused(1, "weights inspect junk.pt");
    assert!(message.contains("junk.pt: neither"), "{message}");
}

/// Packed, the embedded model is another file of the same model, and gives all but the same masks.
#[test]
fn quantized_weights_are_used_like_any_others() {
    let desk = Desk::with_scan();
    let float = desk.segment("");
    std::fs::rename(desk.path("seg.nii.gz"), desk.path("float.nii.gz")).expect("written");
    for (bits, group, least) in [(8, "channel", 0.99), (8, "64", 0.99), (4, "32", 0.9)] {
        let line = format!("weights quantize nano --bits {bits} --group {group} --json");
        let written = desk.run(&line).json();
        let name = format!("nano-int{bits}.safetensors");
        assert_eq!(written["out"], name);
        assert_eq!(written["bytes"], desk.get(&name).len());
        assert_eq!(
            (&written["config"], &written["group"]),
            (&json!("nano"), &json!(group))
        );
        let shown = desk.run(&format!("weights inspect {name} --json")).json();
        assert_eq!(
            (&shown["config"], &shown["parameters"]),
            (&json!("nano"), &json!(1_960_130))
        );
        let packed = shown["tensors"].as_array().expect("a list");
        let packed = packed
            .iter()
            .filter(|tensor| tensor["bits"] == bits)
            .count();
        // At four bits, the layers of the table of sensitive ones have eight: of the nano model, 44 are left.
        assert!(packed >= 40, "{packed} tensors of {bits} bits");

        let summary = desk.segment(&format!("--model {name}"));
        assert_eq!(summary["config"], float["config"]);
        let table = desk.run("dice seg.nii.gz float.nii.gz --json").json();
        // Of all organs' voxels together, and of each that is not so small that single voxels decide.
        let organs = table.as_array().expect("a list").iter();
        let (mut both, mut all) = (0.0, 0.0);
        for organ in organs {
            let number = |key: &str| organ[key].as_f64().expect("a number");
            let voxels = number("a_voxels") + number("b_voxels");
            (both, all) = (both + number("dice") * voxels, all + voxels);
            let large = voxels > 2.0 * 100.0;
            assert!(!large || number("dice") >= least, "{line}: {organ}");
        }
        assert!(all > 2000.0 && both >= least * all, "{line}: {table}");
    }
}

#[test]
fn the_packed_file_of_the_repository_is_what_quantize_writes() {
    let desk = Desk::new();
    let line = "weights quantize nano --bits 8 --out sam2-nano-int8.safetensors";
    desk.run(line).done();
    let committed = repository("weights/nano/sam2-nano-int8.safetensors");
    let committed = std::fs::read(committed).expect("it is there");
    assert!(desk.get("sam2-nano-int8.safetensors") == committed);
}

#[test]
fn quantize_refuses_what_it_should() {
    let desk = Desk::new();
    micro_pt(&desk);
    desk.run("weights quantize nano --bits 8 --out packed.safetensors")
        .done();
    let cases = [
        (
            1,
            "huge --bits 8",
            "huge: neither a file nor one of nano, tiny",
        ),
        (1, "tiny --bits 8", "oneslice weights fetch tiny"),
        (1, "micro.pt --bits 8", "micro.pt: has embed_dim 8"),
        (
            1,
            "packed.safetensors --bits 4",
            "packed already, in 8 bits",
        ),
        (
            1,
            "packed.safetensors --bits 4 --out packed.safetensors",
            "overwritten",
        ),
        (
            1,
            "nano --bits 4 --out no/n.safetensors",
            "there is no folder no",
        ),
        (2, "nano", "--bits"),
        (2, "nano --bits 6", "expected 8 or 4"),
        (
            2,
            "nano --bits 8 --group 48",
            "`48` is none of 32, 64, channel",
        ),
        (2, "nano --bits 8 --out n.pt", "must end in .safetensors"),
    ];
    for (code, arguments, words) in cases {
        let message = desk.refused(code, &format!("weights quantize {arguments}"));
        assert!(message.contains(words), "{message}");
    }
}
