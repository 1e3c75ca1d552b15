//! A label map as pictures. In: a label map and an axis. Out: a zip with one PNG for each slice and `labels.json`, which says
//! what the numbers mean and where the pictures lie.
//!
//! A pixel's grey value is its label, in 8 bits when all fit, else in 16. Pictures are as slices are everywhere here: in
//! storage order, never flipped; `labels.json` has what turns and places them.

use std::io::{Cursor, Write};

use png::{BitDepth, ColorType, Encoder};
use serde::Serialize;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::error::ExportError;
use super::segment::Segment;
use crate::volume::{Axis, LabelMap, SliceShape};

/// What `labels.json` says.
#[derive(Serialize)]
struct Description {
    /// Anatomical axis that the slices are stacked along, and the voxel axis closest to it.
    axis: String,
    voxel_axis: String,
    /// Voxel axes along a picture's rows (downwards) and columns (to the right).
    row_axis: &'static str,
    column_axis: &'static str,
    slices: usize,
    rows: usize,
    columns: usize,
    bits: u8,
    files: &'static str,
    dims: [usize; 3],
    spacing_mm: [f64; 3],
    /// Voxel to patient (RAS+, millimetres), row by row.
    affine: [[f64; 4]; 4],
    labels: Vec<Segment>,
}

/// The zip of `labels`' slices along `axis`.
///
/// # Errors
/// `Empty` for a map of nothing but background; `Encoding`, never but for a bug.
pub fn write(labels: &LabelMap, axis: Axis, known: &[Segment]) -> Result<Vec<u8>, ExportError> {
    let present = labels.labels_present();
    let largest = present.last().ok_or_else(|| ExportError::empty(None))?;
    let wide = *largest > u16::from(u8::MAX);
    let description = describe(labels, axis, wide, &present, known);
    let text = serde_json::to_string_pretty(&description);
    let text = text.map_err(|e| ExportError::encoding("JSON", &e))? + "\n";
    let in_zip = |e: &dyn std::fmt::Display| ExportError::encoding("zip", e);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let json = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    // Pictures are compressed already.
    let picture = json.compression_method(CompressionMethod::Stored);
    zip.start_file("labels.json", json)
        .map_err(|e| in_zip(&e))?;
    zip.write_all(text.as_bytes()).map_err(|e| in_zip(&e))?;
    let axis = axis.of(&labels.grid);
    for index in 0..labels.grid.slice_count(axis) {
        let pixels = labels.slice(axis, index);
        let pixels = pixels.map_err(|e| ExportError::encoding("slice", &e))?;
        let bytes = encode(labels.grid.slice_shape(axis), &pixels, wide);
        let bytes = bytes.map_err(|e| ExportError::encoding("PNG", &e))?;
        let name = format!("slice_{index:04}.png");
        zip.start_file(name, picture).map_err(|e| in_zip(&e))?;
        zip.write_all(&bytes).map_err(|e| in_zip(&e))?;
    }
    Ok(zip.finish().map_err(|e| in_zip(&e))?.into_inner())
}

fn describe(
    labels: &LabelMap,
    axis: Axis,
    wide: bool,
    present: &[u16],
    known: &[Segment],
) -> Description {
    let grid = &labels.grid;
    let across = axis.of(grid);
    // The higher of the two remaining voxel axes is down the rows.
    let (row_axis, column_axis) = match across.index() {
        0 => ("k", "j"),
        1 => ("k", "i"),
        _ => ("j", "i"),
    };
    let SliceShape { rows, cols } = grid.slice_shape(across);
    Description {
        axis: axis.to_string(),
        voxel_axis: across.to_string(),
        row_axis,
        column_axis,
        slices: grid.slice_count(across),
        rows,
        columns: cols,
        bits: if wide { 16 } else { 8 },
        files: "slice_NNNN.png, from 0 along the voxel axis",
        dims: grid.dims,
        spacing_mm: grid.spacing.map(|mm| mm.0),
        affine: grid.affine.0,
        labels: present.iter().map(|l| Segment::of(*l, known)).collect(),
    }
}

fn encode(shape: SliceShape, pixels: &[u16], wide: bool) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, shape.cols as u32, shape.rows as u32);
    encoder.set_color(ColorType::Grayscale);
    let data: Vec<u8> = match wide {
        true => pixels.iter().flat_map(|p| p.to_be_bytes()).collect(),
        false => pixels.iter().map(|p| *p as u8).collect(),
    };
    encoder.set_depth(if wide {
        BitDepth::Sixteen
    } else {
        BitDepth::Eight
    });
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&data)?;
    writer.finish()?;
    Ok(bytes)
}
