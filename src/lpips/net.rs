//! The four networks as tables.

use burn::tensor::Device;

use super::backbone::{Backbone, Feature, Fire, Head};
use crate::nn::{MaxPool2d, MaxPool2dConfig, Relu, packable_conv};

/// Which network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// torchvision's AlexNet.
    Alex,
    /// torchvision's SqueezeNet 1.1.
    Squeeze,
    /// torchvision's VGG-16.
    Vgg,
    /// Ours: AlexNet with 32, 64, 96, 96 and 96 channels, trained on invented slices to rank as AlexNet does.
    Tiny,
}

impl Net {
    /// All of them.
    pub const ALL: [Net; 4] = [Net::Alex, Net::Squeeze, Net::Vgg, Net::Tiny];

    /// Its name, as the `lpips` package has it.
    pub fn name(self) -> &'static str {
        match self {
            Net::Alex => "alex",
            Net::Squeeze => "squeeze",
            Net::Vgg => "vgg",
            Net::Tiny => "tiny",
        }
    }

    /// Fewest rows and columns an image must have for the last map to have a pixel.
    pub fn min_side(self) -> usize {
        match self {
            Net::Alex | Net::Tiny => 31,
            Net::Squeeze => 17,
            Net::Vgg => 16,
        }
    }

    /// The network, waiting for a checkpoint.
    pub fn init(self, device: &Device) -> Backbone {
        let (features, taps, channels) = match self {
            Net::Alex => alex([64, 192, 384, 256, 256], device),
            Net::Tiny => alex([32, 64, 96, 96, 96], device),
            Net::Squeeze => squeeze(device),
            Net::Vgg => vgg(device),
        };
        let heads = channels.iter().map(|&channels| Head::new(channels, device));
        let lins = heads.collect();
        Backbone {
            features,
            lins,
            taps,
        }
    }
}

/// Layers, the indices of those whose outputs are compared, and the channels of these.
type Layers = (Vec<Feature>, Vec<usize>, Vec<usize>);

fn relu() -> Feature {
    Feature::Relu(Relu::new())
}

fn pool(kernel: usize, ceil: bool) -> Feature {
    let config = MaxPool2dConfig::new([kernel, kernel]).with_strides([2, 2]);
    let pool: MaxPool2d = config.with_ceil_mode(ceil).init();
    Feature::Pool(pool)
}

fn alex(channels: [usize; 5], device: &Device) -> Layers {
    let [a, b, c, d, e] = channels;
    let features = vec![
        Feature::Conv(packable_conv([3, a], 11, 4, 2, device)),
        relu(),
        pool(3, false),
        Feature::Conv(packable_conv([a, b], 5, 1, 2, device)),
        relu(),
        pool(3, false),
        Feature::Conv(packable_conv([b, c], 3, 1, 1, device)),
        relu(),
        Feature::Conv(packable_conv([c, d], 3, 1, 1, device)),
        relu(),
        Feature::Conv(packable_conv([d, e], 3, 1, 1, device)),
        relu(),
    ];
    (features, vec![1, 4, 7, 9, 11], channels.to_vec())
}

fn squeeze(device: &Device) -> Layers {
    let fire =
        |c_in, squeezed, expanded| Feature::Fire(Fire::new(c_in, squeezed, expanded, device));
    let features = vec![
        Feature::Conv(packable_conv([3, 64], 3, 2, 0, device)),
        relu(),
        pool(3, true),
        fire(64, 16, 64),
        fire(128, 16, 64),
        pool(3, true),
        fire(128, 32, 128),
        fire(256, 32, 128),
        pool(3, true),
        fire(256, 48, 192),
        fire(384, 48, 192),
        fire(384, 64, 256),
        fire(512, 64, 256),
    ];
    let channels = vec![64, 128, 256, 384, 384, 512, 512];
    (features, vec![1, 4, 7, 9, 10, 11, 12], channels)
}

fn vgg(device: &Device) -> Layers {
    let (mut features, mut taps, mut channels) = (Vec::new(), Vec::new(), Vec::new());
    let mut c_in = 3;
    for (convs, c_out) in [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)] {
        if !features.is_empty() {
            features.push(pool(2, false));
        }
        for _ in 0..convs {
            features.push(Feature::Conv(packable_conv([c_in, c_out], 3, 1, 1, device)));
            features.push(relu());
            c_in = c_out;
        }
        taps.push(features.len() - 1);
        channels.push(c_out);
    }
    (features, taps, channels)
}
