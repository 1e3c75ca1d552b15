//! A zip of pictures.

use std::io::{Cursor, Read};

use oneslice::export::{ExportErrorKind, png_stack};
use oneslice::volume::{Axis, LabelMap};
use serde_json::Value;
use zip::ZipArchive;

use crate::made;

type Archive = ZipArchive<Cursor<Vec<u8>>>;

fn archive(labels: &LabelMap, axis: Axis) -> Archive {
    let bytes = png_stack::write(labels, axis, &made::segments()).expect("writes");
    ZipArchive::new(Cursor::new(bytes)).expect("a zip")
}

fn file(archive: &mut Archive, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut file = archive.by_name(name).expect("it is there");
    file.read_to_end(&mut bytes).expect("reads");
    bytes
}

/// A grey picture's rows, columns, bits and values.
fn picture(bytes: &[u8]) -> (u32, u32, u8, Vec<u16>) {
    let mut reader = png::Decoder::new(Cursor::new(bytes))
        .read_info()
        .expect("a PNG");
    let mut data = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut data).expect("decodes");
    assert_eq!(info.color_type, png::ColorType::Grayscale);
    let data = &data[..info.buffer_size()];
    let (bits, values) = match info.bit_depth {
        png::BitDepth::Eight => (8, data.iter().map(|v| u16::from(*v)).collect()),
        _ => {
            let pairs = data.chunks_exact(2);
            (
                16,
                pairs.map(|b| u16::from_be_bytes([b[0], b[1]])).collect(),
            )
        }
    };
    (info.height, info.width, bits, values)
}

#[test]
fn every_slice_of_every_axis() {
    for (name, grid) in made::grids() {
        let mut labels = made::labels(&grid);
        for largest in [7, 40_000] {
            labels.labels[3] = largest;
            for axis in Axis::ALL {
                let mut archive = archive(&labels, axis);
                let across = axis.of(&grid);
                assert_eq!(archive.len(), grid.slice_count(across) + 1);
                let shape = grid.slice_shape(across);
                for index in 0..grid.slice_count(across) {
                    let bytes = file(&mut archive, &format!("slice_{index:04}.png"));
                    let (rows, cols, bits, values) = picture(&bytes);
                    assert_eq!((rows as usize, cols as usize), (shape.rows, shape.cols));
                    assert_eq!(bits, if largest > 255 { 16 } else { 8 });
                    let expected = labels.slice(across, index).expect("in range");
                    assert_eq!(values, expected, "{name}, {axis} {index}");
                }
            }
        }
    }
}

#[test]
fn the_description_places_the_pictures() {
    let (_, grid) = made::grids().swap_remove(3);
    let mut archive = archive(&made::labels(&grid), Axis::Axial);
    let text: Value = serde_json::from_slice(&file(&mut archive, "labels.json")).expect("JSON");
    // On this grid the body's axis is j.
    assert_eq!(
        (&text["axis"], &text["voxel_axis"]),
        (&"axial".into(), &"j".into())
    );
    assert_eq!(
        (&text["row_axis"], &text["column_axis"]),
        (&"k".into(), &"i".into())
    );
    assert_eq!((&text["rows"], &text["columns"]), (&11.into(), &22.into()));
    assert_eq!((&text["slices"], &text["bits"]), (&19.into(), &8.into()));
    assert_eq!(text["affine"][2][1], grid.affine.0[2][1]);
    let labels = text["labels"].as_array().expect("a list");
    assert_eq!(labels.len(), 3);
    assert_eq!(
        (&labels[0]["name"], &labels[1]["name"]),
        (&"Left kidney".into(), &"label 5".into())
    );
    assert_eq!(labels[2]["colour"], serde_json::json!([0, 128, 255]));
}

#[test]
fn nothing_is_refused() {
    let (_, grid) = made::grids().swap_remove(0);
    let error = png_stack::write(&LabelMap::empty(grid), Axis::Axial, &[]);
    assert_eq!(error.expect_err("nothing").kind(), ExportErrorKind::Empty);
}
