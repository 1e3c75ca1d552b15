//! What is kept of an image, and how two of them are compared.

use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::{Device, Tensor};

use super::backbone::Backbone;
use crate::nn::interpolate_bilinear;

/// Added to a pixel's length before it is divided by it.
const EPSILON: f32 = 1e-10;
/// Numbers that one comparison holds at a time: more images are compared part by part, so that the memory for the
/// differences (4 bytes each) stays bounded however many supports there are.
const LARGEST_DIFFERENCE: usize = 1 << 24;

/// A network that counts what it does.
#[derive(Debug)]
pub struct Lpips {
    backbone: Backbone,
    images: AtomicUsize,
}

/// The maps of one or more images of one size, normalised and weighted, on the device.
#[derive(Clone, Debug)]
pub struct Features {
    /// `[n, c, h, w]`: `sqrt(w_c)` times a pixel's direction, so that a squared difference needs no weight any more.
    maps: Vec<Tensor<4>>,
    /// Rows and columns of the images.
    size: [usize; 2],
}

impl Lpips {
    /// From a filled network.
    pub fn new(backbone: Backbone) -> Self {
        Self {
            backbone,
            images: AtomicUsize::new(0),
        }
    }

    /// Device of the parameters.
    pub fn device(&self) -> Device {
        self.backbone.lins[0].weight.val().device()
    }

    /// What is compared of each image: one backbone run an image.
    ///
    /// # Shapes
    /// - images `[n, 3, h, w]` in -1..1, h and w at least [`Net::min_side`](super::Net::min_side)
    pub fn features(&self, images: Tensor<4>) -> Features {
        let [n, _, rows, cols] = images.dims();
        self.images.fetch_add(n, Ordering::Relaxed);
        let maps = self.backbone.forward(images);
        let heads = self.backbone.lins.iter();
        let maps = maps.into_iter().zip(heads).map(|(map, head)| {
            let length = (map.clone() * map.clone()).sum_dim(1).sqrt();
            map / (length + EPSILON) * head.weight.val().sqrt()
        });
        Features {
            maps: maps.collect(),
            size: [rows, cols],
        }
    }

    /// Images that went through the backbone so far.
    pub fn backbone_runs(&self) -> usize {
        self.images.load(Ordering::Relaxed)
    }
}

impl Features {
    /// Those of several images, in order. All images have one size.
    ///
    /// # Panics
    /// Without any.
    pub fn cat(parts: &[Features]) -> Self {
        let layers = 0..parts[0].maps.len();
        let layer = |l: usize| Tensor::cat(parts.iter().map(|p| p.maps[l].clone()).collect(), 0);
        Self {
            maps: layers.map(layer).collect(),
            size: parts[0].size,
        }
    }

    /// Number of images.
    pub fn count(&self) -> usize {
        self.maps[0].dims()[0]
    }

    /// Those of the images from `start` on.
    pub fn narrow(&self, start: usize, count: usize) -> Self {
        let part = |map: &Tensor<4>| map.clone().narrow(0, start, count);
        Self {
            maps: self.maps.iter().map(part).collect(),
            size: self.size,
        }
    }

    /// Distances of this one image to each of the others, on the device: one readback of n numbers is all there is to
    /// bring to the host.
    ///
    /// # Shapes
    /// - result `[n]`
    pub fn distances(&self, others: &Features) -> Tensor<1> {
        self.terms(others).sum_dim(1).squeeze_dim(1)
    }

    /// The terms of [`distances`](Self::distances), a column for each map.
    ///
    /// # Shapes
    /// - result `[n, maps]`
    pub fn terms(&self, others: &Features) -> Tensor<2> {
        let numbers: usize = self
            .maps
            .iter()
            .map(|map| map.dims().iter().product())
            .max()
            .unwrap_or(1);
        let (count, at_once) = (others.count(), (LARGEST_DIFFERENCE / numbers).max(1));
        let parts = (0..count).step_by(at_once).map(|start| {
            let part = others.narrow(start, at_once.min(count - start));
            let terms = self.maps.iter().zip(&part.maps).map(|(a, b)| term(a, b));
            Tensor::cat(terms.collect(), 1)
        });
        Tensor::cat(parts.collect(), 0)
    }

    /// Where this one image differs from each of the others: the terms of every pixel, resized to the image and added.
    ///
    /// # Shapes
    /// - result `[n, 1, h, w]`
    pub fn difference_maps(&self, others: &Features) -> Tensor<4> {
        let terms = self.maps.iter().zip(&others.maps).map(|(a, b)| {
            let pixels = squared_difference(a, b).sum_dim(1);
            interpolate_bilinear(pixels, self.size)
        });
        let sum = terms.reduce(|sum, term| sum + term);
        sum.expect("a network has maps")
    }
}

/// `[1, c, h, w]` against `[n, c, h, w]`.
fn squared_difference(a: &Tensor<4>, b: &Tensor<4>) -> Tensor<4> {
    let difference = a.clone() - b.clone();
    difference.clone() * difference
}

/// Mean over pixels of the sum over channels, `[n, 1]`.
fn term(a: &Tensor<4>, b: &Tensor<4>) -> Tensor<2> {
    let [n, c, h, w] = b.dims();
    let squared = squared_difference(a, b).reshape([n, c, h * w]);
    let sums: Tensor<2> = squared.sum_dim(2).squeeze_dim(2); // [n, c]
    sums.sum_dim(1) / (h * w) as f32
}
