//! Scans from files of any kind. In: files, or a volume that the other module has read. Out: series to choose from, an open
//! scan.

use js_sys::Float32Array;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::OneSlice;
use super::bridge::{self, Failure, JsFile, to_js};
use crate::export::nifti as export_nifti;
use crate::scan;
use crate::scan::nifti::Template;
use crate::volume::{Affine, Grid, Volume};

/// What the files say beside the scan's place.
#[derive(Serialize)]
struct About {
    format: scan::Format,
    modality: String,
    warnings: Vec<scan::ScanWarning>,
}

#[wasm_bindgen]
impl OneSlice {
    /// Whether a file that begins like this is for the other module (`pkg-scan`): DICOM, pictures, archives.
    #[wasm_bindgen(js_name = needsFormats)]
    pub fn needs_formats(head: &[u8]) -> bool {
        scan::needs_formats(head)
    }

    /// The series in files `{ name, bytes }[]`; see [`scan::inspect`].
    ///
    /// # Errors
    /// `ScanNeedsFormats` when one of them is for the other module (`pkg-scan`).
    #[wasm_bindgen(js_name = inspectFiles)]
    pub fn inspect_files(&self, files: Vec<JsFile>) -> Result<JsValue, Failure> {
        to_js(&scan::inspect(&bridge::input(files))?)
    }

    /// Opens a series of files; options `{ series, volume, spacing }`, all of which may be left out.
    ///
    /// # Errors
    /// Those of [`scan::open`].
    #[wasm_bindgen(js_name = openFiles)]
    pub fn open_files(&mut self, files: Vec<JsFile>, options: JsValue) -> Result<JsValue, Failure> {
        let options = bridge::options(options)?;
        let files = bridge::input(files);
        let scan = scan::open(&files, &options)?;
        let name = files.first().map_or("", |file| &file.name);
        let info = self.open(name, scan.volume, scan.header)?;
        let about = to_js(&About {
            format: scan.format,
            modality: scan.modality,
            warnings: scan.warnings,
        })?;
        Ok(js_sys::Object::assign(&info.into(), &about.into()).into())
    }

    /// Opens a volume that the other module has read: values in storage order, and where they lie (4 x 4, row by row).
    ///
    /// # Errors
    /// When there is not one value for each voxel, or the lattice is none.
    #[wasm_bindgen(js_name = openVolume)]
    pub fn open_volume(
        &mut self,
        name: &str,
        voxels: &Float32Array,
        dims: &[usize],
        affine: &[f64],
    ) -> Result<JsValue, Failure> {
        let wrong = || Failure::new("Options", "dims are 3 numbers, an affine 16");
        let dims = <[usize; 3]>::try_from(dims).map_err(|_| wrong())?;
        let rows = affine.as_chunks::<4>().0;
        let rows = <[[f64; 4]; 4]>::try_from(rows).map_err(|_| wrong())?;
        let grid = Grid::new(dims, Affine(rows))?;
        let header = Template::for_grid(&grid)?;
        self.open(name, Volume::new(voxels.to_vec(), grid)?, header)
    }

    /// The open scan as an uncompressed NIfTI-1 file, whatever it came from.
    ///
    /// # Errors
    /// Without a scan.
    #[wasm_bindgen(js_name = scanNifti)]
    pub fn scan_nifti(&self) -> Result<Vec<u8>, Failure> {
        let scan = self.opened()?;
        Ok(export_nifti::plain_volume(&scan.volume, &scan.header)?)
    }
}
