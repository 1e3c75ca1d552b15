//! The linear layer on a graphics card, in one launch: product, bias, activation and residual; weights as they lie in memory.

use burn::tensor::{DType, Tensor};
use burn_cubecl::{
    kernel::into_contiguous,
    template::{KernelSource, SourceTemplate},
    tensor::CubeTensor,
};
use cubecl::prelude::KernelId;

use super::super::{Activation, Bits, Epilogue, Weight};
use super::{
    AdapterClass,
    launch::{Kernel, apart, cube, cube_int, empty, launch, tensor, unroll},
};

/// As [`linear`](super::super::linear), on a graphics card. Widths that are not multiples of 4 are filled up to them.
pub fn linear(x: &Tensor<2>, weight: &Weight, epilogue: &Epilogue) -> Option<Tensor<2>> {
    let [rows, d_input] = x.dims();
    let (words, scales, bits, d_output) = match weight {
        Weight::Dense(weight) => (cube(weight)?, None, None, weight.dims()[1]),
        Weight::Packed(packed) => {
            let scales = (packed.bits != Bits::F16).then(|| cube(&packed.scales));
            let words = cube_int(&packed.words)?;
            (words, scales, Some(packed.bits), packed.d_output())
        }
    };
    if rows == 0 || cube(x)?.dtype != DType::F32 {
        return None;
    }
    if !d_input.is_multiple_of(4) || !d_output.is_multiple_of(4) {
        return filled_up(x, weight, epilogue);
    }
    let x = quads_in_rows(cube(x)?);
    let kernel = LinearKernel {
        shape: Shape::of(AdapterClass::of(&x), rows, d_output / 4),
        bits,
        bias: epilogue.bias.is_some(),
        activation: epilogue.activation,
        residual: epilogue.residual.is_some(),
    };
    let groups = match &scales {
        Some(scales) => scales.as_ref()?.meta.shape()[0],
        None => 1,
    };
    let sizes = [
        rows,
        x.meta.strides()[0] / 4,
        d_input / 4,
        d_output / 4,
        d_input / 4 / groups,
    ];
    let y = empty(&x, [rows, d_output]);
    let mut buffers = vec![x, into_contiguous(words)];
    buffers.extend(scales.flatten().map(into_contiguous));
    if let Some(bias) = &epilogue.bias {
        buffers.push(into_contiguous(cube(bias)?));
    }
    if let Some(residual) = &epilogue.residual {
        buffers.push(into_contiguous(cube(residual)?));
    }
    apart(&mut buffers);
    buffers.push(y.clone());
    let workgroups = kernel.shape.workgroups(rows, d_output / 4);
    launch(
        kernel,
        workgroups,
        &buffers.iter().collect::<Vec<_>>(),
        &sizes,
    );
    Some(tensor(y))
}

/// The same with zeros up to whole quads, which only small layers need.
fn filled_up(x: &Tensor<2>, weight: &Weight, epilogue: &Epilogue) -> Option<Tensor<2>> {
    let weight = match weight {
        Weight::Dense(weight) => weight.clone(),
        Weight::Packed(packed) => packed.unpack(),
    };
    let [rows, _] = x.dims();
    let [d_input, d_output] = weight.dims();
    let [inputs, outputs] = [d_input, d_output].map(|width| width.next_multiple_of(4));
    let epilogue = Epilogue {
        bias: (epilogue.bias.clone())
            .map(|bias| fill(bias.unsqueeze(), [1, outputs]).squeeze_dim(0)),
        activation: epilogue.activation,
        residual: (epilogue.residual.clone()).map(|add| fill(add, [rows, outputs])),
    };
    let weight = Weight::Dense(fill(weight, [inputs, outputs]));
    let y = linear(&fill(x.clone(), [rows, inputs]), &weight, &epilogue)?;
    Some(y.narrow(1, 0, d_output))
}

fn fill(x: Tensor<2>, shape: [usize; 2]) -> Tensor<2> {
    shape.into_iter().enumerate().fold(x, |x, (axis, size)| {
        let mut missing = x.dims();
        missing[axis] = size - missing[axis];
        match missing[axis] {
            0 => x,
            _ => {
                let zeros = Tensor::zeros(missing, &x.device());
                Tensor::cat(vec![x, zeros], axis)
            }
        }
    })
}

/// The tensor, copied where its rows are not whole quads one after the other.
fn quads_in_rows(x: CubeTensor) -> CubeTensor {
    let strides = x.meta.strides();
    match strides[1] == 1 && strides[0].is_multiple_of(4) {
        true => x,
        false => into_contiguous(x),
    }
}

/// How the result is shared out among threads. What depends on the number of rows has few values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shape {
    /// Each thread on its own, with so many rows and quads.
    Emulated { rows: usize, quads: usize },
    /// Tiles of 16 quads and 8 times so many rows.
    Tiled { rows: usize },
    /// Tiles of 8 quads and 8 rows, the inputs shared out too.
    Few,
}

impl Shape {
    fn of(class: AdapterClass, rows: usize, quads: usize) -> Self {
        /// Up to here a tile of rows would be mostly empty.
        const FEW_ROWS: usize = 32;
        /// Tiles that a laptop's graphics card computes at a time, about; smaller tiles below it.
        const MANY_TILES: usize = 64;
        match class {
            AdapterClass::Emulated => Self::Emulated {
                // Time of a sum, measured on SwiftShader.
                rows: cheapest(rows, 1, &[(16, 1.0), (8, 1.3), (4, 2.0)]),
                quads: cheapest(quads, 8, &[(4, 1.0), (3, 1.1), (2, 1.3), (1, 1.9)]),
            },
            AdapterClass::Hardware if rows <= FEW_ROWS => Self::Few,
            AdapterClass::Hardware => match rows.div_ceil(64) * quads.div_ceil(16) {
                MANY_TILES.. => Self::Tiled { rows: 8 },
                _ => Self::Tiled { rows: 4 },
            },
        }
    }

    fn workgroup(self) -> [u32; 3] {
        match self {
            Self::Emulated { .. } => [8, 2, 1],
            Self::Tiled { .. } => [16, 8, 1],
            Self::Few => [8, 8, 1],
        }
    }

    /// How many it takes for so many rows and quads.
    fn workgroups(self, rows: usize, quads: usize) -> [usize; 3] {
        let (tile_rows, tile_quads) = match self {
            Self::Emulated { rows, quads } => (2 * rows, 8 * quads),
            Self::Tiled { rows } => (8 * rows, 16),
            Self::Few => (8, 8),
        };
        [quads.div_ceil(tile_quads), rows.div_ceil(tile_rows), 1]
    }

    fn text(self) -> String {
        let (text, rows, quads) = match self {
            Self::Emulated { rows, quads } => (include_str!("linear_emulated.wgsl"), rows, quads),
            Self::Tiled { rows } => (include_str!("linear_tiled.wgsl"), rows, 1),
            Self::Few => (include_str!("linear_few.wgsl"), 8, 1),
        };
        let text = unroll(
            text,
            &[("$r", rows), ("$c", quads), ("$i", rows / 4), ("$j", 4)],
        );
        text.replace("{{ rows }}", &rows.to_string())
            .replace("{{ quads }}", &quads.to_string())
    }
}

/// Of tiles so many `lanes` wide, with the time each takes for an element, the quickest for `count`.
fn cheapest(count: usize, lanes: usize, tiles: &[(usize, f32)]) -> usize {
    let time = |&(tile, cost): &(usize, f32)| count.next_multiple_of(tile * lanes) as f32 * cost;
    let best = tiles.iter().min_by(|a, b| time(a).total_cmp(&time(b)));
    best.map_or(1, |(tile, _)| *tile)
}

/// One pipeline: no size of a layer is in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct LinearKernel {
    shape: Shape,
    /// None: f32.
    bits: Option<Bits>,
    bias: bool,
    activation: Option<Activation>,
    residual: bool,
}

impl LinearKernel {
    fn bindings(&self) -> String {
        let word = match self.bits {
            None => "vec4<f32>",
            Some(Bits::Int4) => "vec2<u32>",
            Some(Bits::Int8 | Bits::F16) => "vec4<u32>",
        };
        let scaled = matches!(self.bits, Some(Bits::Int8 | Bits::Int4));
        let buffers = [
            ("x", "vec4<f32>", true),
            ("w", word, true),
            ("scales", "vec4<f32>", scaled),
            ("bias", "vec4<f32>", self.bias),
            ("residual", "vec4<f32>", self.residual),
            ("y", "vec4<f32>", true),
        ];
        let present = buffers.iter().filter(|(_, _, present)| *present);
        let mut text: String = present
            .clone()
            .enumerate()
            .map(|(i, (name, of, _))| {
                format!("@group(0) @binding({i}) var<storage, read_write> {name}: array<{of}>;\n")
            })
            .collect();
        let last = present.count();
        text += &format!("@group(0) @binding({last}) var<uniform> sizes: Sizes;\n");
        text
    }

    fn finish(&self) -> String {
        let activated = match self.activation {
            None => "sum",
            Some(Activation::Relu) => "relu(sum)",
            Some(Activation::Gelu) => "gelu(sum)",
        };
        let residual = if self.residual { " + residual[i]" } else { "" };
        format!("{activated}{residual}")
    }
}

impl Kernel for LinearKernel {
    fn workgroup(&self) -> [u32; 3] {
        self.shape.workgroup()
    }
}

impl KernelSource for LinearKernel {
    fn source(&self) -> SourceTemplate {
        let weights = match self.bits {
            None => DENSE,
            Some(Bits::F16) => HALF,
            Some(Bits::Int8) => INT8,
            Some(Bits::Int4) => INT4,
        };
        let start = if self.bias { "bias[c]" } else { "vec4<f32>()" };
        SourceTemplate::new(include_str!("linear.wgsl"))
            .add_template(self.shape.text())
            .register("bindings", self.bindings())
            .register("weights", weights)
            .register("activations", include_str!("activation.wgsl"))
            .register("start", start)
            .register("finish", self.finish())
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(self.clone())
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

const DENSE: &str = "
fn weights(k: u32, c: u32, scale: vec4<f32>) -> mat4x4<f32> {
    let n = sizes.outputs;
    let i = 4u * k * n + c;
    return mat4x4<f32>(w[i], w[i + n], w[i + 2u * n], w[i + 3u * n]);
}
fn scales_of(k: u32, c: u32) -> vec4<f32> {
    return vec4<f32>();
}
";

const HALF: &str = "
fn weights(k: u32, c: u32, scale: vec4<f32>) -> mat4x4<f32> {
    let i = 2u * k * sizes.outputs + c;
    let a = w[i];
    let b = w[i + sizes.outputs];
    return mat4x4<f32>(
        vec4<f32>(unpack2x16float(a.x), unpack2x16float(a.y)),
        vec4<f32>(unpack2x16float(a.z), unpack2x16float(a.w)),
        vec4<f32>(unpack2x16float(b.x), unpack2x16float(b.y)),
        vec4<f32>(unpack2x16float(b.z), unpack2x16float(b.w)),
    );
}
fn scales_of(k: u32, c: u32) -> vec4<f32> {
    return vec4<f32>();
}
";

/// Unpacking divides by 127.
const INT8: &str = "
fn weights(k: u32, c: u32, scale: vec4<f32>) -> mat4x4<f32> {
    let a = w[k * sizes.outputs + c];
    return mat4x4<f32>(
        unpack4x8snorm(a.x) * scale,
        unpack4x8snorm(a.y) * scale,
        unpack4x8snorm(a.z) * scale,
        unpack4x8snorm(a.w) * scale,
    );
}
fn scales_of(k: u32, c: u32) -> vec4<f32> {
    return scales[k / sizes.group * sizes.outputs + c] * 127.0;
}
";

/// A nibble unpacked in the upper half of its byte is 16 / 127 of its value. A block of 8 rows is two pairs of words.
const INT4: &str = "
fn weights(k: u32, c: u32, scale: vec4<f32>) -> mat4x4<f32> {
    let a = w[2u * (k / 2u * sizes.outputs + c) + k % 2u];
    let low = (a << vec2<u32>(4u)) & vec2<u32>(0xf0f0f0f0u);
    let high = a & vec2<u32>(0xf0f0f0f0u);
    return mat4x4<f32>(
        unpack4x8snorm(low.x) * scale,
        unpack4x8snorm(high.x) * scale,
        unpack4x8snorm(low.y) * scale,
        unpack4x8snorm(high.y) * scale,
    );
}
fn scales_of(k: u32, c: u32) -> vec4<f32> {
    return scales[k / sizes.group * sizes.outputs + c] * 7.9375;
}
";
