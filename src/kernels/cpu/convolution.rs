//! Convolutions, channels last: 1x1 ones are linear layers as they stand, others linear layers over what they see, so many
//! lines at a time; one filter to each channel is a loop of ours. Results are channels-last in memory, as a graphics card's.

use burn::tensor::Tensor;

use super::super::{Epilogue, Filter, Weight};
use super::linear::linear;
use super::{flex, for_each_row, from_values};

/// Floats of what is seen at a time: 4 MiB.
const MAX_PATCHES: usize = 1 << 20;

/// As [`conv2d`](super::super::conv2d); for whole maps of filters or one each.
pub fn conv2d(x: &Tensor<4>, filter: &Filter) -> Option<Tensor<4>> {
    let [b, c_in, h, w] = x.dims();
    let [c_out, per_group, rows, columns] = filter.weight.dims();
    let [out_h, out_w] = filter.output([h, w]);
    flex(x)?;
    let pixels = x.clone().permute([0, 2, 3, 1]); // [b, h, w, c_in]
    let y = if per_group == 1 && c_in == c_out && c_in > 1 {
        depthwise(&pixels, filter)?
    } else if per_group != c_in {
        return None;
    } else if [rows, columns, filter.stride, filter.padding] == [1, 1, 1, 0] {
        let weight = filter.weight.clone().reshape([c_out, c_in]).transpose();
        let pixels = pixels.reshape([b * h * w, c_in]);
        linear(&pixels, &Weight::Dense(weight), &epilogue(filter))?
    } else {
        by_patches(&pixels, filter)?
    };
    Some(y.reshape([b, out_h, out_w, c_out]).permute([0, 3, 1, 2]))
}

/// As [`conv_transpose2x2`](super::super::conv_transpose2x2): a linear layer to four places at once.
pub fn conv_transpose2x2(x: &Tensor<4>, weight: &Tensor<4>, bias: &Tensor<1>) -> Option<Tensor<4>> {
    let [b, c_in, h, w] = x.dims();
    let c_out = weight.dims()[1];
    flex(x)?;
    let pixels = x.clone().permute([0, 2, 3, 1]).reshape([b * h * w, c_in]);
    let weight = weight.clone().permute([0, 2, 3, 1]);
    let weight = Weight::Dense(weight.reshape([c_in, 4 * c_out]));
    let epilogue = Epilogue {
        bias: Some(bias.clone().repeat(&[4])),
        ..Epilogue::default()
    };
    let y = linear(&pixels, &weight, &epilogue)?;
    let y = y
        .reshape([b, h, w, 2, 2, c_out])
        .permute([0, 1, 3, 2, 4, 5]);
    Some(y.reshape([b, 2 * h, 2 * w, c_out]).permute([0, 3, 1, 2]))
}

fn epilogue(filter: &Filter) -> Epilogue {
    Epilogue {
        bias: Some(filter.bias.clone()),
        activation: filter.activation,
        residual: None,
    }
}

/// A map, channels last, and the filter that goes over it.
struct Seen<'a> {
    map: &'a [f32],
    /// Rows, columns, channels.
    size: [usize; 3],
    filter: [usize; 2],
    stride: usize,
    padding: usize,
}

impl Seen<'_> {
    /// What one row of the filter at `top` and `left` of the padded map sees of it: the first of its columns that is inside,
    /// and the pixels from there on, channel by channel.
    fn run(&self, top: usize, left: usize, row: usize) -> Option<(usize, &[f32])> {
        let [h, w, c] = self.size;
        let y = (top + row).checked_sub(self.padding).filter(|&y| y < h)?;
        let first = self.padding.saturating_sub(left);
        let x = left + first - self.padding;
        let end = (left + self.filter[1]).saturating_sub(self.padding).min(w);
        (x < end).then(|| (first, &self.map[(y * w + x) * c..(y * w + end) * c]))
    }
}

/// `[b * out_h * out_w, c_out]`.
fn by_patches(pixels: &Tensor<4>, filter: &Filter) -> Option<Tensor<2>> {
    let [b, h, w, c_in] = pixels.dims();
    let [c_out, _, rows, columns] = filter.weight.dims();
    let [out_h, out_w] = filter.output([h, w]);
    let inputs = rows * columns * c_in;
    let weight = filter.weight.clone().permute([2, 3, 1, 0]);
    let weight = Weight::Dense(weight.reshape([inputs, c_out]));
    let map = flex(pixels)?.to_contiguous();
    let map = map.storage::<f32>();
    let seen = |batch: usize| Seen {
        map: &map[batch * h * w * c_in..],
        size: [h, w, c_in],
        filter: [rows, columns],
        stride: filter.stride,
        padding: filter.padding,
    };
    let (lines, at_once) = (b * out_h, (MAX_PATCHES / (out_w * inputs).max(1)).max(1));
    let parts = (0..lines).step_by(at_once).map(|first| {
        let count = at_once.min(lines - first);
        let mut patches = vec![0.0; count * out_w * inputs];
        for_each_row(&mut patches, out_w * inputs, |i, line| {
            let (batch, top) = ((first + i) / out_h, (first + i) % out_h);
            write_line(&seen(batch), top, line);
        });
        let shape = [count * out_w, inputs];
        linear(&from_values(patches, shape), &weight, &epilogue(filter))
    });
    let mut parts = parts.collect::<Option<Vec<_>>>()?;
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Tensor::cat(parts, 0)),
    }
}

/// What the filter sees along one line of the result: `[out_w, rows * columns * channels]`, zeros outside.
fn write_line(seen: &Seen<'_>, top: usize, line: &mut [f32]) {
    let [rows, columns] = seen.filter;
    let wide = columns * seen.size[2];
    for (left, place) in line.chunks_mut(rows * wide).enumerate() {
        for (row, taps) in place.chunks_mut(wide).enumerate() {
            let (top, left) = (top * seen.stride, left * seen.stride);
            if let Some((first, run)) = seen.run(top, left, row) {
                taps[first * seen.size[2]..][..run.len()].copy_from_slice(run);
            }
        }
    }
}

fn depthwise(pixels: &Tensor<4>, filter: &Filter) -> Option<Tensor<2>> {
    let [b, h, w, c] = pixels.dims();
    let [_, _, rows, columns] = filter.weight.dims();
    let [out_h, out_w] = filter.output([h, w]);
    let weight = filter.weight.clone().reshape([c, rows * columns]);
    let weight = flex(&weight.transpose())?.to_contiguous(); // [taps, c]
    let bias = flex(&filter.bias)?.to_contiguous();
    let map = flex(pixels)?.to_contiguous();
    let (weight, bias) = (weight.storage::<f32>(), bias.storage::<f32>());
    let map = map.storage::<f32>();
    let mut y = vec![0.0; b * out_h * out_w * c];
    for_each_row(&mut y, out_w * c, |i, line| {
        let seen = Seen {
            map: &map[i / out_h * h * w * c..],
            size: [h, w, c],
            filter: [rows, columns],
            stride: filter.stride,
            padding: filter.padding,
        };
        for (left, place) in line.chunks_mut(c).enumerate() {
            place.copy_from_slice(bias);
            for row in 0..rows {
                let (top, left) = (i % out_h * seen.stride, left * seen.stride);
                let Some((first, run)) = seen.run(top, left, row) else {
                    continue;
                };
                let weights = weight[(row * columns + first) * c..].chunks(c);
                for (pixel, weight) in run.chunks(c).zip(weights) {
                    let taps = place.iter_mut().zip(pixel).zip(weight);
                    taps.for_each(|((y, x), weight)| *y += x * weight);
                }
            }
        }
    });
    let y = from_values(y, [b * out_h * out_w, c]);
    Some(match filter.activation {
        Some(activation) => activation.apply(y),
        None => y,
    })
}
