//! `weights/manifest.json`: the models there are, where they come from and how to check them.

use serde::Deserialize;

use super::error::{CheckpointError, CheckpointErrorKind as Kind};

/// The manifest.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format, 1.
    pub version: u32,
    /// Name of the model used when none is asked for.
    pub default: String,
    /// The models.
    pub models: Vec<ManifestEntry>,
}

/// One model of the manifest.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestEntry {
    /// What `--model` takes.
    pub name: String,
    /// Name of a [`Sam2Config`](crate::sam2::Sam2Config).
    pub config: String,
    /// File: relative to the manifest when `url` is absent, else the name it is kept under.
    pub file: String,
    /// Where the file is fetched from; absent when it is part of the repository.
    #[serde(default)]
    pub url: Option<String>,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in lower-case hexadecimal digits.
    pub sha256: String,
    /// Licence, as an SPDX identifier.
    pub licence: String,
    /// Who made it and how.
    pub origin: String,
}

impl Manifest {
    /// The manifest that this crate was built with.
    ///
    /// # Errors
    /// Never for a released crate; a test holds that.
    pub fn embedded() -> Result<Self, CheckpointError> {
        Self::parse(include_str!("../../weights/manifest.json"))
    }

    /// Parses a manifest.
    ///
    /// # Errors
    /// When it is no manifest of version 1.
    pub fn parse(json: &str) -> Result<Self, CheckpointError> {
        let error = |what| CheckpointError::new(Kind::Manifest, "manifest.json", what);
        let manifest: Self = serde_json::from_str(json).map_err(|e| error(e.to_string()))?;
        match manifest.version {
            1 => Ok(manifest),
            v => Err(error(format!("version {v} is not known, only 1"))),
        }
    }

    /// The entry of a name.
    ///
    /// # Errors
    /// When there is none; the message lists the names.
    pub fn get(&self, name: &str) -> Result<&ManifestEntry, CheckpointError> {
        self.models.iter().find(|m| m.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.models.iter().map(|m| m.name.as_str()).collect();
            let what = format!("no model `{name}`; there are {}", names.join(", "));
            CheckpointError::new(Kind::Manifest, "manifest.json", what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sam2::Sam2Config;

    #[test]
    fn the_embedded_manifest_is_sound() {
        let manifest = Manifest::embedded().unwrap();
        assert!(manifest.get(&manifest.default).is_ok());
        let configs = Sam2Config::all();
        for model in &manifest.models {
            assert!(
                configs.iter().any(|c| c.name == model.config),
                "{}",
                model.name
            );
            let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            assert!(model.sha256.len() == 64 && model.sha256.chars().all(is_hex));
        }
    }

    #[test]
    fn an_unknown_model_lists_the_known_ones() {
        let error = Manifest::embedded().unwrap().get("huge").unwrap_err();
        assert!(error.to_string().contains("nano"), "{error}");
    }
}
