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
    /// The networks of [`lpips`](crate::lpips); the first is used when none is asked for.
    pub lpips: Vec<LpipsEntry>,
}

/// One network of LPIPS: a file of the repository, or two that others publish and that are joined.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LpipsEntry {
    /// What `--net` takes.
    pub name: String,
    /// Name of a [`Net`](crate::lpips::Net).
    pub net: String,
    /// File: relative to the manifest when there are no parts, else the name the joined one is kept under.
    pub file: String,
    /// Length of a file of the repository, in bytes.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// SHA-256 of a file of the repository, in lower-case hexadecimal digits.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The backbone and the heads; none when the file is part of the repository.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// Licence, as an SPDX expression.
    pub licence: String,
    /// Who made it and how.
    pub origin: String,
}

/// A published file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Name it is kept under while it is fetched.
    pub file: String,
    /// Where it is fetched from.
    pub url: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256, in lower-case hexadecimal digits.
    pub sha256: String,
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
    /// Bytes of its weights once they are loaded, if not as many as of the file.
    #[serde(default)]
    pub memory: Option<u64>,
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
    use crate::lpips::Net;
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
            assert!(is_sha256(&model.sha256), "{}", model.name);
        }
    }

    fn is_sha256(text: &str) -> bool {
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        text.len() == 64 && text.chars().all(is_hex)
    }

    #[test]
    fn the_networks_of_lpips_are_sound() {
        let manifest = Manifest::embedded().unwrap();
        assert!(manifest.lpips[0].parts.is_empty(), "the default is here");
        for entry in &manifest.lpips {
            assert!(Net::ALL.iter().any(|net| net.name() == entry.net));
            match entry.parts.as_slice() {
                [] => assert!(is_sha256(entry.sha256.as_deref().unwrap()) && entry.bytes.is_some()),
                [backbone, heads] => {
                    assert!(is_sha256(&backbone.sha256) && is_sha256(&heads.sha256));
                    // torchvision's names end in the first digits of the hash.
                    let stem = backbone.file.strip_suffix(".pth").unwrap();
                    let digits = stem.rsplit('-').next().unwrap();
                    assert!(digits.len() == 8 && backbone.sha256.starts_with(digits));
                }
                parts => panic!("{}: {} parts", entry.name, parts.len()),
            }
        }
    }

    #[test]
    fn an_unknown_model_lists_the_known_ones() {
        let error = Manifest::embedded().unwrap().get("huge").unwrap_err();
        assert!(error.to_string().contains("nano"), "{error}");
    }
}
