//! The matrix product for a browser: one thread, sixteen vector registers of four floats, no fused multiply-add. Four rows by
//! eight columns of the result fill them, where the `gemm` crate's tile, made for wider ones, spills.

use std::ops::Range;

use burn::tensor::Tensor;
use burn_flex::{FlexTensor, Layout};

use super::{flex, flex_from_values, tensor};

/// Rows and columns of a tile: eight registers of sums, two of the right matrix, four of the left.
const ROWS: usize = 4;
const COLUMNS: usize = 8;
/// Terms summed before the sums are put away: a panel of the right matrix then takes 16 KiB and stays in the first cache.
const DEPTH: usize = 512;
/// Rows of the left matrix that meet all panels before the next do: 128 KiB, for the second cache.
const BLOCK: usize = 64;

/// A row of a panel.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Lane([f32; COLUMNS]);

/// Matrices `[.., rows, columns]` in somebody's memory; strides count floats.
struct Matrices<'a> {
    values: &'a [f32],
    /// Where each begins.
    starts: Vec<usize>,
    rows: usize,
    columns: usize,
    strides: [usize; 2],
}

impl<'a> Matrices<'a> {
    fn of(x: &'a FlexTensor) -> Self {
        let layout: &Layout = x.layout();
        let outer = layout.num_dims() - 2;
        let stride = |i: usize| layout.strides()[i].unsigned_abs();
        let mut starts = vec![layout.start_offset()];
        for dim in 0..outer {
            let along =
                |start: usize| (0..layout.shape()[dim]).map(move |i| start + i * stride(dim));
            starts = starts.into_iter().flat_map(along).collect();
        }
        Self {
            values: x.storage(),
            starts,
            rows: layout.shape()[outer],
            columns: layout.shape()[outer + 1],
            strides: [stride(outer), stride(outer + 1)],
        }
    }
}

/// `[.., m, k]` by `[.., k, n]`, views too; the outer dimensions are the same.
///
/// # Panics
/// When the shapes do not fit.
pub fn product<const D: usize>(x: &Tensor<D>, y: &Tensor<D>) -> Option<Tensor<D>> {
    Some(tensor(of_flex(&flex(x)?, &flex(y)?)))
}

/// As [`product`].
pub(super) fn of_flex(x: &FlexTensor, y: &FlexTensor) -> FlexTensor {
    // Rows of the left matrix have to be in one piece; the right one is gathered anyway.
    let beside = x.layout().strides().last() == Some(&1) && forward(x);
    let copies = [
        (!beside).then(|| x.to_contiguous()),
        (!forward(y)).then(|| y.to_contiguous()),
    ];
    let left = Matrices::of(copies[0].as_ref().unwrap_or(x));
    let right = Matrices::of(copies[1].as_ref().unwrap_or(y));
    let mut shape: Vec<usize> = x.layout().shape().to_vec();
    let outer = shape.len() - 2;
    assert_eq!(
        shape[..outer],
        y.layout().shape()[..outer],
        "the outer dimensions of a product"
    );
    assert_eq!(
        left.columns, right.rows,
        "the inner dimensions of a product"
    );
    shape[outer + 1] = right.columns;
    let mut values = vec![0.0; left.starts.len() * left.rows * right.columns];
    if left.columns > 0 && !values.is_empty() {
        let each = values.chunks_mut(left.rows * right.columns);
        let mut packed = Packed::default();
        for (i, out) in each.enumerate() {
            multiply(&left, &right, i, out, &mut packed);
        }
    }
    flex_from_values(values, shape)
}

fn forward(x: &FlexTensor) -> bool {
    x.layout().strides().iter().all(|&stride| stride >= 0)
}

/// Room for the panels of the right matrix, and for strips of four rows of the left one, term by term: read where they lie, the
/// four rows would need an address each at every term (what that costs: `benches/README.md`).
#[derive(Default)]
struct Packed {
    panels: Vec<Lane>,
    strips: Vec<[f32; ROWS]>,
}

/// The `i`-th product, into zeros.
fn multiply(
    left: &Matrices<'_>,
    right: &Matrices<'_>,
    i: usize,
    out: &mut [f32],
    packed: &mut Packed,
) {
    let Packed { panels, strips } = packed;
    for first in (0..left.columns).step_by(DEPTH) {
        let depth = DEPTH.min(left.columns - first);
        gather(right, i, first..first + depth, panels);
        for block in (0..left.rows).step_by(BLOCK) {
            let end = left.rows.min(block + BLOCK);
            let rows = &left.values[left.starts[i] + first..];
            interleave(rows, left.strides[0], block..end, depth, strips);
            for (column, panel) in panels.chunks(depth).enumerate() {
                for (row, strip) in (block..end).step_by(ROWS).zip(strips.chunks(depth)) {
                    let sums = tile(strip, panel);
                    add(
                        out,
                        right.columns,
                        row,
                        column * COLUMNS,
                        &sums[..ROWS.min(end - row)],
                    );
                }
            }
        }
    }
}

/// Rows of the left matrix, four by four; where they have ended, the last one again.
fn interleave(
    values: &[f32],
    down: usize,
    rows: Range<usize>,
    depth: usize,
    strips: &mut Vec<[f32; ROWS]>,
) {
    strips.clear();
    for first in rows.clone().step_by(ROWS) {
        let row = |r: usize| &values[(first + r).min(rows.end - 1) * down..][..depth];
        let [a, b, c, d] = [row(0), row(1), row(2), row(3)];
        strips.extend((0..depth).map(|k| [a[k], b[k], c[k], d[k]]));
    }
}

/// Some rows of the `i`-th right matrix as panels of eight columns, zeros where columns have ended.
fn gather(right: &Matrices<'_>, i: usize, rows: Range<usize>, panels: &mut Vec<Lane>) {
    let [down, across] = right.strides;
    let depth = rows.len();
    let values = &right.values[right.starts[i] + rows.start * down..];
    panels.clear();
    panels.resize(
        right.columns.div_ceil(COLUMNS) * depth,
        Lane([0.0; COLUMNS]),
    );
    for (n, panel) in panels.chunks_mut(depth).enumerate() {
        let width = COLUMNS.min(right.columns - n * COLUMNS);
        let values = &values[n * COLUMNS * across..];
        match (down, across, width) {
            (_, 1, COLUMNS) => rows_as_they_lie(values, down, panel),
            (1, _, COLUMNS) => columns_as_they_lie(values, across, panel),
            _ => panel.iter_mut().enumerate().for_each(|(r, lane)| {
                for (column, value) in lane.0[..width].iter_mut().enumerate() {
                    *value = values[r * down + column * across];
                }
            }),
        }
    }
}

/// Eight floats are two registers; a copy of any other length would be a call.
fn rows_as_they_lie(values: &[f32], down: usize, panel: &mut [Lane]) {
    for (r, lane) in panel.iter_mut().enumerate() {
        if let Some(row) = values[r * down..].first_chunk() {
            lane.0 = *row;
        }
    }
}

/// Eight columns side by side, as of a matrix that is seen transposed.
fn columns_as_they_lie(values: &[f32], across: usize, panel: &mut [Lane]) {
    let depth = panel.len();
    let column = |i: usize| &values[i * across..][..depth];
    let [a, b, c, d, e, f, g, h] = [0, 1, 2, 3, 4, 5, 6, 7].map(column);
    for (r, lane) in panel.iter_mut().enumerate() {
        lane.0 = [a[r], b[r], c[r], d[r], e[r], f[r], g[r], h[r]];
    }
}

/// Four rows by the columns of a panel.
#[inline]
fn tile(strip: &[[f32; ROWS]], panel: &[Lane]) -> [[f32; COLUMNS]; ROWS] {
    let mut sums = [[0.0; COLUMNS]; ROWS];
    for (terms, lane) in strip.iter().zip(panel) {
        for (sums, x) in sums.iter_mut().zip(terms) {
            for (sum, y) in sums.iter_mut().zip(lane.0) {
                *sum += x * y;
            }
        }
    }
    sums
}

/// Adds rows of a tile to the result, which has `columns` of them.
#[inline]
fn add(out: &mut [f32], columns: usize, row: usize, column: usize, sums: &[[f32; COLUMNS]]) {
    for (r, sums) in sums.iter().enumerate() {
        let out = &mut out[(row + r) * columns + column..(row + r + 1) * columns];
        match out.first_chunk_mut::<COLUMNS>() {
            Some(out) => (0..COLUMNS).for_each(|i| out[i] += sums[i]),
            None => out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum),
        }
    }
}
