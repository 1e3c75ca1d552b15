//! Fused attention with online softmax: scores never leave the registers (or the workgroup's memory).
//!
//! `Hardware` is flash attention: a workgroup of 128 threads takes 32 queries; for every 32 keys it stages queries and keys
//! in chunks of 32 channels, keeps the 32 x 32 scores in workgroup memory (12.8 KiB in all), and adds up to 64 floats of
//! the result in each thread's registers. Reads per key tile: 32 (queries) + 32 (keys) + 32 (values) rows of `d` floats for
//! 2 * 32 * 32 * d multiply-adds, that is 5.3 multiply-adds for each byte that comes from the caches; scores cost none.
//!
//! `Emulated` has no barrier: a thread takes [`ROWS`] queries and goes through all keys, [`KEYS`] at a time, so that each
//! vector that is loaded is used for as many multiply-adds as there are queries.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use burn::tensor::{DType, Tensor};
use burn_cubecl::kernel::into_contiguous;

use super::adapter::AdapterClass;
use super::launch::{Wgsl, apart, cube, empty, launch, tensor};
use super::view::sizes;

const HARDWARE: &str = include_str!("attention.wgsl");
/// Queries of a tile of the hardware variant.
const TILE: usize = 32;
/// Largest head that the hardware variant's registers hold.
const MAX_HEAD: usize = 256;
/// Queries of a thread of the emulated variant, measured on SwiftShader and lavapipe.
const ROWS: usize = 8;
/// Keys it takes at a time.
const KEYS: usize = 8;
/// Threads of its workgroup.
const THREADS: usize = 8;
/// Workgroups in one direction that every WebGPU device takes.
const MAX_GROUPS: usize = 65_535;

/// As [`attention`](crate::kernels::attention), on a graphics card; for heads of 4 to 256 channels, a multiple of 4, of
/// keys and of values.
pub fn attention(q: &Tensor<3>, k: &Tensor<3>, v: &Tensor<3>, heads: usize) -> Option<Tensor<3>> {
    let [b, n_q, c] = q.dims();
    let [_, n_k, c_v] = v.dims();
    let (d, d_v) = (c / heads, c_v / heads);
    let fits = |d: usize| d.is_multiple_of(4) && d <= MAX_HEAD;
    let few = heads <= MAX_GROUPS && b <= MAX_GROUPS;
    if !fits(d) || !fits(d_v) || !few || n_q == 0 || n_k == 0 {
        return None;
    }
    let [q, k, v] = [cube(q)?, cube(k)?, cube(v)?];
    if [&q, &k, &v].iter().any(|t| t.dtype != DType::F32) {
        return None;
    }
    // Parts of one projection overlap in memory, being interleaved: they are copied out of it.
    let mut inputs = [q, k, v].map(into_contiguous);
    apart(&mut inputs);
    let [q, k, v] = inputs;
    let class = AdapterClass::of(&q);
    let queries = match class {
        AdapterClass::Hardware => TILE,
        AdapterClass::Emulated => ROWS * THREADS,
    };
    let groups = n_q.div_ceil(queries);
    if groups > MAX_GROUPS {
        return None;
    }
    let o = empty(&q, [b, n_q, c_v]);
    let sizes = sizes([n_q, n_k], &[&q, &k, &v]);
    let kernel = match class {
        AdapterClass::Hardware => hardware(d / 4, d_v / 4, heads),
        AdapterClass::Emulated => emulated(d / 4, d_v / 4, heads),
    };
    launch(kernel, [groups, heads, b], &[&q, &k, &v, &o], &sizes);
    Some(tensor(o))
}

fn scale(d4: usize) -> String {
    format!("{:?}", 1.0 / ((4 * d4) as f32).sqrt())
}

fn hardware(d4: usize, v4: usize, heads: usize) -> Wgsl {
    let v_step = [32, 16]
        .into_iter()
        .find(|step| step * v4 <= 512)
        .unwrap_or(8);
    Wgsl {
        text: HARDWARE,
        values: vec![
            ("d4", d4.to_string()),
            ("v4", v4.to_string()),
            ("heads", heads.to_string()),
            ("columns", v4.div_ceil(16).to_string()),
            ("scale", scale(d4)),
            ("v_step", v_step.to_string()),
        ],
        workgroup: [128, 1, 1],
    }
}

fn emulated(d4: usize, v4: usize, heads: usize) -> Wgsl {
    /// Text of each pair of head sizes; there are a handful in a model.
    static TEXTS: Mutex<BTreeMap<(usize, usize), &'static str>> = Mutex::new(BTreeMap::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let text = texts
        .entry((d4, v4))
        .or_insert_with(|| Box::leak(emulated_text(d4, v4).into_boxed_str()));
    Wgsl {
        text,
        values: vec![("heads", heads.to_string())],
        workgroup: [THREADS as u32, 1, 1],
    }
}

/// Everything unrolled over queries and keys, so that all but the result stays in registers.
fn emulated_text(d4: usize, v4: usize) -> String {
    let mut text = format!(
        "@group(0) @binding(0) var<storage, read_write> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> k: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> o: array<vec4<f32>>;
struct Sizes {{
  queries: u32, keys: u32,
  // Vectors from one row to the next, and from one batch to the next.
  q_row: u32, q_batch: u32, k_row: u32, k_batch: u32, v_row: u32, v_batch: u32,
}}
@group(0) @binding(4) var<uniform> sizes: Sizes;
const D4: u32 = {d4}u;
const V4: u32 = {v4}u;
const SCALE: f32 = {};
const LOW: f32 = -1e30;
@compute @workgroup_size({THREADS})
fn main(@builtin(global_invocation_id) g: vec3<u32>) {{
let nq = sizes.queries; let nk = sizes.keys; let r0 = g.x * {ROWS}u; 
if (r0 >= nq) {{ return; }}
let qb = g.z * sizes.q_batch + g.y * D4; let kb = g.z * sizes.k_batch + g.y * D4; let vb = g.z * sizes.v_batch + g.y * V4;
",
        scale(d4)
    );
    // Writing to a String cannot fail.
    let _ = emulated_body(&mut text);
    text
}

fn emulated_body(t: &mut String) -> std::fmt::Result {
    for r in 0..ROWS {
        writeln!(
            t,
            "let q{r} = qb + min(r0 + {r}u, nq - 1u) * sizes.q_row; let out{r} = (g.z * nq + r0 + {r}u) * {{{{ heads }}}}u * V4 + g.y * V4;
var m{r} = LOW; var l{r} = 0.0;"
        )?;
    }
    writeln!(t, "for (var j = 0u; j < nk; j += {KEYS}u) {{")?;
    for key in 0..KEYS {
        writeln!(
            t,
            "let n{key} = min(j + {key}u, nk - 1u); let ka{key} = kb + n{key} * sizes.k_row; let va{key} = vb + n{key} * sizes.v_row;"
        )?;
    }
    scores(t)?;
    softmax(t)?;
    writeln!(t, "for (var c = 0u; c < V4; c++) {{")?;
    for key in 0..KEYS {
        writeln!(t, "let v{key} = v[va{key} + c];")?;
    }
    for r in 0..ROWS {
        // What stands there before the first keys is not ours, and may be NaN.
        write!(
            t,
            "if (r0 + {r}u < nq) {{ o[out{r} + c] = select(o[out{r} + c] * a{r}, vec4<f32>(), j == 0u)"
        )?;
        for key in 0..KEYS {
            let lane = ["x", "y", "z", "w"][key % 4];
            write!(t, " + s{r}_{}.{lane} * v{key}", key / 4)?;
        }
        writeln!(t, "; }}")?;
    }
    writeln!(t, "}}\n}}")?;
    for r in 0..ROWS {
        writeln!(
            t,
            "if (r0 + {r}u < nq) {{ let w = 1.0 / l{r}; for (var c = 0u; c < V4; c++) {{ o[out{r} + c] *= w; }} }}"
        )?;
    }
    writeln!(t, "}}")
}

/// `s{row}_{block}`: scores of four keys, not yet scaled.
fn scores(t: &mut String) -> std::fmt::Result {
    for r in 0..ROWS {
        for block in 0..KEYS / 4 {
            write!(t, "var s{r}_{block} = vec4<f32>(); ")?;
        }
    }
    writeln!(t, "\nfor (var c = 0u; c < D4; c++) {{")?;
    for key in 0..KEYS {
        writeln!(t, "let k{key} = k[ka{key} + c];")?;
    }
    for r in 0..ROWS {
        writeln!(t, "let x{r} = q[q{r} + c];")?;
        for block in 0..KEYS / 4 {
            let dots: Vec<String> = (0..4)
                .map(|i| format!("dot(x{r}, k{})", 4 * block + i))
                .collect();
            writeln!(t, "s{r}_{block} += vec4<f32>({});", dots.join(", "))?;
        }
    }
    writeln!(t, "}}")?;
    // Keys beyond the last.
    writeln!(t, "if (j + {KEYS}u > nk) {{")?;
    for block in 0..KEYS / 4 {
        writeln!(
            t,
            "let in{block} = vec4<u32>(0u, 1u, 2u, 3u) + (j + {}u) < vec4<u32>(nk);",
            4 * block
        )?;
        for r in 0..ROWS {
            writeln!(
                t,
                "s{r}_{block} = select(vec4<f32>(LOW), s{r}_{block}, in{block});"
            )?;
        }
    }
    writeln!(t, "}}")
}

/// `s` becomes the weights, `a` the factor of what was added up so far.
fn softmax(t: &mut String) -> std::fmt::Result {
    let blocks = KEYS / 4;
    for r in 0..ROWS {
        let mut top = format!("s{r}_0");
        for block in 1..blocks {
            top = format!("max({top}, s{r}_{block})");
        }
        writeln!(
            t,
            "let t{r} = {top}; let h{r} = max(m{r}, max(max(t{r}.x, t{r}.y), max(t{r}.z, t{r}.w)));"
        )?;
        writeln!(t, "let a{r} = exp((m{r} - h{r}) * SCALE); m{r} = h{r};")?;
        for block in 0..blocks {
            writeln!(t, "s{r}_{block} = exp((s{r}_{block} - h{r}) * SCALE);")?;
        }
        let sums: Vec<String> = (0..blocks).map(|block| format!("s{r}_{block}")).collect();
        writeln!(
            t,
            "l{r} = l{r} * a{r} + dot({}, vec4<f32>(1.0));",
            sums.join(" + ")
        )?;
    }
    Ok(())
}
