//! `oneslice lpips`, and the networks it takes.

use image::{ImageFormat, Rgb, RgbImage};

use crate::desk::Desk;
use crate::lpips_nets::{file, tensors};

fn picture(desk: &Desk, name: &str, size: [u32; 2], shift: u32) {
    let image = RgbImage::from_fn(size[0], size[1], |x, y| {
        let [x, y] = [x + shift, y].map(|v| (v / 8 % 2) as u8);
        Rgb([x * 200, y * 200, (x ^ y) * 150])
    });
    let format = ImageFormat::from_path(name).expect("a known extension");
    image
        .save_with_format(desk.path(name), format)
        .expect("written");
}

#[test]
fn equal_images_are_at_0_and_the_network_is_named() {
    let desk = Desk::new();
    picture(&desk, "a.png", [64, 48], 0);
    picture(&desk, "b.png", [64, 48], 3);
    picture(&desk, "b.jpg", [64, 48], 3);
    assert_eq!(
        desk.run("lpips a.png a.png").done(),
        "0.000000  (lpips-tiny)\n"
    );
    let distance = |line: &str| {
        desk.run(line).json()["distance"]
            .as_f64()
            .expect("a number")
    };
    let (far, back) = (
        distance("lpips a.png b.png --json"),
        distance("lpips b.png a.png --json"),
    );
    assert!(far > 0.01, "{far}");
    assert_eq!(far, back);
    let compressed = distance("lpips b.png b.jpg --json");
    assert!(0.0 < compressed && compressed < far, "{compressed}");
}

/// Packed, the network of the repository is another file of the same network, smaller, for pictures and for few-shot.
#[test]
fn a_packed_network_is_used_like_any_other() {
    let desk = Desk::with_scan();
    picture(&desk, "a.png", [64, 48], 0);
    picture(&desk, "b.png", [64, 48], 3);
    let distance = |net: &str| {
        let ran = desk.run(&format!("lpips a.png b.png --json --net {net}"));
        ran.json()["distance"].as_f64().expect("a number")
    };
    let float = distance("lpips-tiny");
    for (bits, most, apart) in [(8, 320_000, 0.02), (4, 200_000, 0.2)] {
        let line = format!("weights quantize lpips-tiny --bits {bits} --json");
        let written = desk.run(&line).json();
        let name = format!("lpips-tiny-int{bits}.safetensors");
        assert_eq!(
            (&written["out"], &written["config"]),
            (&name.as_str().into(), &"LPIPS tiny".into())
        );
        let bytes = desk.get(&name).len();
        assert_eq!(written["bytes"], bytes);
        assert!(bytes < most, "{bits} bits: {bytes} bytes");
        let shown = desk.run(&format!("weights inspect {name} --json")).json();
        assert_eq!(
            (&shown["config"], &shown["parameters"]),
            (&"LPIPS tiny".into(), &284_768.into())
        );
        let packed = distance(&name);
        assert!(
            (packed - float).abs() <= apart * float,
            "{packed} for {float}"
        );
    }
    let given = "--support scan.nii.gz --mask organs.nii.gz --label 1 --query scan.nii.gz";
    let rest = "--lpips lpips-tiny-int8.safetensors --copies 0 --image-size 128 --out out";
    let table = desk.run(&format!("few-shot {given} {rest}")).done();
    assert!(
        table.contains("matched by lpips-tiny-int8.safetensors"),
        "{table}"
    );
    let message = desk.run("weights quantize lpips-alex --bits 8").refused(1);
    assert!(
        message.contains("oneslice weights fetch lpips-alex"),
        "{message}"
    );
}

#[test]
fn what_cannot_be_compared_is_said() {
    let desk = Desk::new();
    picture(&desk, "a.png", [64, 48], 0);
    picture(&desk, "wide.png", [80, 48], 0);
    picture(&desk, "small.png", [30, 48], 0);
    desk.put("broken.png", &desk.get("a.png")[..60]);
    desk.put("text.png", b"not an image");
    let cases = [
        ("lpips a.png wide.png", "64 x 48 and 80 x 48 pixels"),
        (
            "lpips small.png a.png",
            "small.png: has 30 x 48 pixels, and tiny needs 31 a side",
        ),
        ("lpips a.png broken.png", "broken.png"),
        ("lpips text.png a.png", "text.png"),
        ("lpips a.png none.png", "none.png"),
        (
            "lpips a.png a.png --net resnet",
            "neither a file nor one of lpips-tiny, lpips-alex",
        ),
        (
            "lpips a.png a.png --net lpips-alex",
            "`oneslice weights fetch lpips-alex`",
        ),
        ("lpips a.png a.png --net a.png", "a.png"),
    ];
    for (line, said) in cases {
        let message = desk.refused(1, line);
        assert!(message.contains(said), "{line}: {message}");
    }
}

#[test]
fn published_parts_become_a_network() {
    let desk = Desk::new();
    picture(&desk, "a.png", [40, 40], 0);
    picture(&desk, "b.png", [40, 40], 3);
    let parts = tensors("squeeze").into_iter();
    let (heads, mut backbone): (Vec<_>, Vec<_>) =
        parts.partition(|(key, ..)| key.starts_with("lin"));
    backbone.push(("classifier.1.bias".into(), vec![2], vec![0.0, 1.0]));
    desk.put("squeezenet.safetensors", &file(&backbone));
    desk.put("heads.safetensors", &file(&heads));
    let convert = "weights convert squeezenet.safetensors --lpips-heads heads.safetensors --out net.safetensors";
    desk.run(convert).done();
    let inspected = desk.run("weights inspect net.safetensors").done();
    assert!(inspected.contains("LPIPS squeeze"), "{inspected}");
    assert!(!inspected.contains("classifier"), "{inspected}");
    let compared = desk
        .run("lpips a.png b.png --net net.safetensors --json")
        .json();
    assert_eq!(compared["net"], "net.safetensors");
    assert!(compared["distance"].as_f64().expect("a number") > 0.0);

    let nothing = [("features.9.bias".into(), vec![1], vec![1.0])];
    desk.put("other.safetensors", &file(&nothing));
    for (backbone, said) in [
        ("heads", "is in both files"),
        ("other", "no network of LPIPS"),
    ] {
        let line = format!(
            "weights convert {backbone}.safetensors --lpips-heads heads.safetensors --out no.safetensors"
        );
        let message = desk.refused(1, &line);
        assert!(message.contains(said), "{message}");
    }
}
