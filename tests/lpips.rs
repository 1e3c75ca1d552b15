//! LPIPS against its own package: distances, their terms and difference maps, three networks; files that are wrong; and
//! the network that is part of the repository.

mod common;

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use common::lpips::{NETS, Named, file, tensors};
use common::{Golden, switch, values};
use oneslice::checkpoint::{
    CheckpointErrorKind as Kind, Precision, Quantized, Scheme, TensorFile, join_lpips, load_lpips,
};
use oneslice::kernels::{Bits, stock};
use oneslice::lpips::{Lpips, Net, from_grey, from_rgb};

/// Distances and terms, relative. Measured: 3.0e-6. Sums of up to a million squares in
/// another order than torch's.
const LPIPS: f64 = 1e-5;
/// Elements of a difference map, relative to the map's largest: a small element is a difference of nearly equal features.
const LPIPS_MAP: f64 = 1e-5;
/// The published networks' distances, relative, against figures computed in f64 from the published weights.
const LPIPS_REAL: f64 = 1e-4;
/// wgpu against the CPU, relative. Drivers may fuse or reorder sums.
const GPU_LPIPS: f64 = 1e-4;

/// Distances by packed weights, relative.
const PACKED_8: f64 = 2e-2;
/// The same in four bits.
const PACKED_4: f64 = 2e-1;

const PAIRS: [&str; 8] = [
    "identical",
    "next",
    "noise",
    "blur",
    "shift",
    "dark",
    "odd",
    "grey",
];

fn made_up(net: &str, device: &Device) -> Lpips {
    let file = TensorFile::from_safetensors(net, file(&tensors(net))).unwrap();
    let (found, lpips) = load_lpips(&file, device).unwrap();
    assert_eq!(found.name(), net);
    lpips
}

fn picture(golden: &Golden, key: &str, device: &Device) -> Tensor<4> {
    let shape = golden.shape(key);
    let bytes = golden.u8(key);
    from_rgb(bytes.as_chunks::<3>().0, shape[0], shape[1], device)
}

/// The largest difference relative to `scale`, or to each expected value without one; an expected 0 must be met exactly.
fn check(what: &str, found: &[f32], expected: &[f32], scale: Option<f32>, tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let mut worst = 0.0f64;
    for (&found, &expected) in found.iter().zip(expected) {
        let (difference, scale) = (
            f64::from(found) - f64::from(expected),
            scale.unwrap_or(expected),
        );
        let relative = match difference.abs() {
            0.0 => 0.0,
            difference => difference / f64::from(scale.abs()),
        };
        assert!(
            relative <= tolerance,
            "{what}: {found} instead of {expected}, {relative:e} apart"
        );
        worst = worst.max(relative);
    }
    println!("{what}: {worst:.1e} of at most {tolerance:.0e}");
}

#[test]
fn distances_and_terms_are_the_packages() {
    let (golden, device) = (Golden::open("lpips.safetensors"), Device::flex());
    for net in NETS {
        let lpips = made_up(net, &device);
        for pair in PAIRS {
            let [a, b] = ["a", "b"]
                .map(|side| lpips.features(picture(&golden, &format!("{pair}.{side}"), &device)));
            let key = format!("{net}.{pair}.distance");
            check(
                &key,
                &values(a.distances(&b)),
                &golden.f32(&key),
                None,
                LPIPS,
            );
            let key = format!("{net}.{pair}.terms");
            check(&key, &values(a.terms(&b)), &golden.f32(&key), None, LPIPS);
            let back = values(b.distances(&a));
            assert_eq!(back, values(a.distances(&b)), "{pair}: the order matters");
        }
    }
}

#[test]
fn equal_images_have_distance_0() {
    let (golden, device) = (Golden::open("lpips.safetensors"), Device::flex());
    for net in NETS {
        let lpips = made_up(net, &device);
        for key in ["odd.a", "grey.b"] {
            let [a, b] = [0, 1].map(|_| lpips.features(picture(&golden, key, &device)));
            assert_eq!(values(a.distances(&b)), [0.0], "{net} {key}");
        }
    }
}

#[test]
fn difference_maps_are_the_packages() {
    let (golden, device) = (Golden::open("lpips.safetensors"), Device::flex());
    for net in NETS {
        let lpips = made_up(net, &device);
        let [a, b] = ["odd.a", "odd.b"].map(|key| lpips.features(picture(&golden, key, &device)));
        let key = format!("{net}.odd.map");
        let map = a.difference_maps(&b);
        assert_eq!(map.dims().to_vec(), golden.shape(&key));
        let expected = golden.f32(&key);
        let largest = expected.iter().copied().fold(0.0, f32::max);
        check(&key, &values(map), &expected, Some(largest), LPIPS_MAP);
    }
}

/// |S| + |Q| backbone runs for all |S| x |Q| distances, and the same figures as one by one. So many supports that they
/// are compared in parts.
#[test]
fn one_against_many_costs_no_backbone_run() {
    let (golden, device) = (Golden::open("lpips.safetensors"), Device::flex());
    let lpips = made_up("vgg", &device);
    let names = ["next.b", "noise.b", "blur.b", "shift.b", "dark.b"];
    let supports = names.map(|key| lpips.features(picture(&golden, key, &device)));
    let queries =
        ["identical.a", "next.b"].map(|key| lpips.features(picture(&golden, key, &device)));
    assert_eq!(lpips.backbone_runs(), 7);
    let many: Vec<_> = supports.iter().cycle().take(70).cloned().collect();
    let many = oneslice::lpips::Features::cat(&many);
    assert_eq!(many.count(), 70);
    for query in &queries {
        let found = values(query.distances(&many));
        for (i, distance) in found.iter().enumerate() {
            assert_eq!([*distance], *values(query.distances(&supports[i % 5])));
        }
    }
    assert_eq!(values(queries[1].distances(&many))[0], 0.0);
    assert_eq!(lpips.backbone_runs(), 7);

    let batch = names.map(|key| picture(&golden, key, &device));
    let batch = lpips.features(Tensor::cat(batch.to_vec(), 0));
    assert_eq!(lpips.backbone_runs(), 12);
    let [alone, together] = [&many.narrow(0, 5), &batch].map(|f| values(queries[0].distances(f)));
    check("a batch of images", &together, &alone, None, LPIPS);
}

#[test]
fn the_smallest_image_of_each_network() {
    let device = Device::flex();
    for net in Net::ALL {
        let file = match net {
            Net::Tiny => shipped(),
            net => TensorFile::from_safetensors("", file(&tensors(net.name()))).unwrap(),
        };
        let (_, lpips) = load_lpips(&file, &device).unwrap();
        let side = net.min_side();
        let image = |step: usize| {
            let pixels: Vec<u8> = (0..side * side).map(|i| (i * step % 256) as u8).collect();
            lpips.features(from_grey(&pixels, side, side, &device))
        };
        let distance = values(image(7).distances(&image(31)))[0];
        assert!(distance > 0.0, "{}: {distance}", net.name());
    }
}

fn parts(named: Vec<Named>) -> [Vec<Named>; 2] {
    let (heads, features) = named
        .into_iter()
        .partition(|(key, ..)| key.starts_with("lin"));
    [features, heads]
}

#[test]
fn the_two_published_files_become_one() {
    let [mut backbone, heads] = parts(tensors("squeeze"));
    backbone.push(("classifier.1.weight".into(), vec![2, 1], vec![0.5, 0.25]));
    let open = |named: &[Named]| TensorFile::from_safetensors("part", file(named)).unwrap();
    let joined = join_lpips(&open(&backbone), &open(&heads), Precision::F32).unwrap();
    let joined = TensorFile::from_safetensors("joined", joined).unwrap();
    for (key, shape, values) in tensors("squeeze") {
        assert_eq!(joined.get(&key).unwrap().shape(), shape);
        assert_eq!(joined.read_f32(&key).unwrap(), values);
    }
    assert!(joined.get("classifier.1.weight").is_none());

    let [_, wrong] = parts(tensors("alex"));
    let error = join_lpips(&open(&backbone), &open(&wrong), Precision::F32).unwrap_err();
    assert_eq!(error.kind(), Kind::Shape, "{error}");
}

#[test]
fn wrong_files_are_refused() {
    let refused = |change: &dyn Fn(&mut Vec<Named>), kind: Kind, named: &str| {
        let mut tensors = tensors("alex");
        change(&mut tensors);
        let file = TensorFile::from_safetensors("wrong", file(&tensors)).unwrap();
        let error = load_lpips(&file, &Device::flex()).err();
        let error = error.unwrap_or_else(|| panic!("{named}: taken"));
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(named), "{error}");
    };
    let last = "lin4.model.1.weight";
    refused(&|t| t.truncate(t.len() - 1), Kind::MissingKey, last);
    refused(
        &|t| drop(t.remove(0)),
        Kind::MissingKey,
        "features.0.weight",
    );
    let extra = |t: &mut Vec<Named>| t.push(("lin5.model.1.weight".into(), vec![1], vec![1.0]));
    refused(&extra, Kind::ExtraKey, "lin5.model.1.weight");
    let negative = |t: &mut Vec<Named>| t.last_mut().unwrap().2[7] = -0.5;
    refused(&negative, Kind::Format, "-0.5");
    let reshaped = |t: &mut Vec<Named>| t.last_mut().unwrap().1 = vec![256];
    refused(&reshaped, Kind::Shape, last);
    let unknown = |t: &mut Vec<Named>| t[0].1 = vec![64, 3, 121];
    refused(&unknown, Kind::UnknownConfig, "squeeze");
}

fn shipped() -> TensorFile {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/lpips-tiny/lpips-tiny.safetensors");
    TensorFile::open(&path).unwrap()
}

/// Packed in a network's own bits.
fn packed(file: &TensorFile, bits: Bits) -> TensorFile {
    let (name, plan) = Quantized::recognised(file, Scheme::of_bits(bits), "a test").unwrap();
    assert!(name.starts_with("LPIPS "), "{name}");
    let chunks: Vec<Vec<u8>> = plan.chunks().map(Result::unwrap).collect();
    let bytes = chunks.concat();
    assert_eq!(bytes.len(), plan.bytes());
    TensorFile::from_safetensors("packed", bytes).unwrap()
}

/// Packed networks are the same networks: as many parameters, distances all but the same, 0 for equal pictures.
#[test]
fn packed_networks_measure_alike() {
    let (golden, device) = (Golden::open("lpips.safetensors"), Device::flex());
    for net in Net::ALL {
        let float = match net {
            Net::Tiny => shipped(),
            net => TensorFile::from_safetensors("", file(&tensors(net.name()))).unwrap(),
        };
        let distances = |file: &TensorFile| -> Vec<f32> {
            let (found, lpips) = load_lpips(file, &device).unwrap();
            assert_eq!(found, net);
            let distance = |pair| {
                let [a, b] =
                    ["a", "b"].map(|side| picture(&golden, &format!("{pair}.{side}"), &device));
                values(lpips.features(a).distances(&lpips.features(b)))[0]
            };
            PAIRS.into_iter().map(distance).collect()
        };
        let expected = distances(&float);
        for (bits, tolerance) in [(Bits::Int8, PACKED_8), (Bits::Int4, PACKED_4)] {
            let file = packed(&float, bits);
            assert_eq!(file.parameters(), float.parameters());
            let what = format!("{} at {} bits", net.name(), bits.count());
            check(&what, &distances(&file), &expected, None, tolerance);
        }
        let twice =
            Quantized::recognised(&packed(&float, Bits::Int8), Scheme::of_bits(Bits::Int4), "")
                .err();
        assert_eq!(twice.unwrap().kind(), Kind::Packing);
    }
}

/// As its training code computes them.
#[test]
fn the_shipped_network_gives_its_distances() {
    let (golden, device) = (Golden::open("lpips.safetensors"), Device::flex());
    let (net, lpips) = load_lpips(&shipped(), &device).unwrap();
    assert_eq!(net, Net::Tiny);
    for pair in PAIRS {
        let [a, b] = ["a", "b"]
            .map(|side| lpips.features(picture(&golden, &format!("{pair}.{side}"), &device)));
        let key = format!("tiny.{pair}.distance");
        check(
            &key,
            &values(a.distances(&b)),
            &golden.f32(&key),
            None,
            LPIPS,
        );
    }
}

/// `ONESLICE_LPIPS`: a folder with `lpips_{alex,squeeze}_v0.1.safetensors` and the example pairs of the `lpips` package.
#[test]
fn the_published_networks() {
    let Some(folder) = switch("ONESLICE_LPIPS", "the_published_networks") else {
        return;
    };
    let (folder, device) = (PathBuf::from(folder), Device::flex());
    let picture = |name: &str| {
        let picture = image::open(folder.join("lpips_pairs").join(name))
            .unwrap()
            .to_rgb8();
        let pixels: Vec<[u8; 3]> = picture.pixels().map(|p| p.0).collect();
        from_rgb(
            &pixels,
            picture.height() as usize,
            picture.width() as usize,
            &device,
        )
    };
    // 0.722 and 0.138 in the package's README, AlexNet.
    let expected = [
        ("alex", [0.721_880_7, 0.137_565_6]),
        ("squeeze", [0.711_047_6, 0.147_901_6]),
    ];
    for (net, expected) in expected {
        let file = TensorFile::open(&folder.join(format!("lpips_{net}_v0.1.safetensors"))).unwrap();
        let (_, lpips) = load_lpips(&file, &device).unwrap();
        let reference = lpips.features(picture("ex_ref.png"));
        let others = ["ex_p0.png", "ex_p1.png"].map(|name| lpips.features(picture(name)));
        let others = oneslice::lpips::Features::cat(&others);
        check(
            net,
            &values(reference.distances(&others)),
            &expected,
            None,
            LPIPS_REAL,
        );
    }
}

#[test]
fn a_graphics_card_gives_the_same() {
    if switch("ONESLICE_WGPU", "a_graphics_card_gives_the_same").is_none() {
        return;
    }
    let golden = Golden::open("lpips.safetensors");
    let device = Device::wgpu_options().init().expect("a graphics device");
    assert_ne!(device, Device::flex());
    for net in NETS {
        let lpips = made_up(net, &device);
        for pair in ["identical", "noise", "odd"] {
            let before = stock::calls();
            let [a, b] = ["a", "b"]
                .map(|side| lpips.features(picture(&golden, &format!("{pair}.{side}"), &device)));
            assert_eq!(stock::calls(), before, "{net}: Burn's own operations ran");
            let key = format!("{net}.{pair}.distance");
            check(
                &key,
                &values(a.distances(&b)),
                &golden.f32(&key),
                None,
                GPU_LPIPS,
            );
        }
    }
}
