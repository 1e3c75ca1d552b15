//! Networks with the made-up weights of `golden/lpips_nets.py`. In: a network's name. Out: its published tensors.

#![allow(dead_code, reason = "each test file uses its part")]

use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// The networks that the `lpips` package has.
pub const NETS: [&str; 3] = ["alex", "squeeze", "vgg"];

/// Keys and shapes of a published network, without a classifier.
pub fn shapes(net: &str) -> Vec<(String, Vec<usize>)> {
    let mut out = Vec::new();
    let mut conv = |key: String, c_in: usize, c_out: usize, kernel: usize| {
        out.push((format!("{key}.weight"), vec![c_out, c_in, kernel, kernel]));
        out.push((format!("{key}.bias"), vec![c_out]));
    };
    let heads: &[usize] = match net {
        "alex" => {
            let convs = [
                (0, 3, 64, 11),
                (3, 64, 192, 5),
                (6, 192, 384, 3),
                (8, 384, 256, 3),
                (10, 256, 256, 3),
            ];
            for (n, c_in, c_out, kernel) in convs {
                conv(format!("features.{n}"), c_in, c_out, kernel);
            }
            &[64, 192, 384, 256, 256]
        }
        "vgg" => {
            let numbers = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];
            let channels = [
                3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512,
            ];
            for (n, c) in numbers.iter().zip(channels.windows(2)) {
                conv(format!("features.{n}"), c[0], c[1], 3);
            }
            &[64, 128, 256, 512, 512]
        }
        _ => {
            conv("features.0".into(), 3, 64, 3);
            let fires = [
                (3, 64, 16),
                (4, 128, 16),
                (6, 128, 32),
                (7, 256, 32),
                (9, 256, 48),
                (10, 384, 48),
                (11, 384, 64),
                (12, 512, 64),
            ];
            for (n, c_in, few) in fires {
                conv(format!("features.{n}.squeeze"), c_in, few, 1);
                conv(format!("features.{n}.expand1x1"), few, 4 * few, 1);
                conv(format!("features.{n}.expand3x3"), few, 4 * few, 3);
            }
            &[64, 128, 256, 384, 384, 512, 512]
        }
    };
    for (k, &channels) in heads.iter().enumerate() {
        out.push((format!("lin{k}.model.1.weight"), vec![1, channels, 1, 1]));
    }
    out
}

/// The made-up values of a tensor.
pub fn values(key: &str, shape: &[usize]) -> Vec<f32> {
    let fan: usize = shape[1..].iter().product();
    let bound = (6.0 / fan as f64).sqrt() as f32;
    let value = |unit: f32| match key {
        _ if key.starts_with("lin") => unit.max(0.0),
        _ if key.ends_with("bias") => unit * 0.125,
        _ => unit * bound,
    };
    let start = key.bytes().fold(0x811C_9DC5u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let count: usize = shape.iter().product();
    (0..count as u32).map(|i| value(unit(start, i))).collect()
}

fn unit(start: u32, i: u32) -> f32 {
    let h = start.wrapping_add(i.wrapping_mul(0x9E37_79B1));
    let h = (h ^ (h >> 16)).wrapping_mul(0x85EB_CA6B);
    let h = (h ^ (h >> 13)).wrapping_mul(0xC2B2_AE35);
    let h = h ^ (h >> 16);
    ((h >> 8) as i32 - (1 << 23)) as f32 / (1 << 23) as f32
}

/// Key, shape and values.
pub type Named = (String, Vec<usize>, Vec<f32>);

/// All tensors of a network.
pub fn tensors(net: &str) -> Vec<Named> {
    let shapes = shapes(net).into_iter();
    let named = shapes.map(|(key, shape)| {
        let values = values(&key, &shape);
        (key, shape, values)
    });
    named.collect()
}

/// As a `.safetensors` file.
pub fn file(tensors: &[Named]) -> Vec<u8> {
    let bytes = tensors.iter().map(|(key, shape, values)| {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        (key, shape, bytes)
    });
    let bytes: Vec<_> = bytes.collect();
    let views = bytes.iter().map(|(key, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes);
        (key.as_str(), view.unwrap())
    });
    safetensors::serialize(views.collect::<Vec<_>>(), None).unwrap()
}
