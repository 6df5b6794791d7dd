//! `manifest.json`: what a report folder holds, so that anyone can see whether it is whole and unaltered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The file's name.
pub const NAME: &str = "manifest.json";

/// The schema name that every manifest carries.
pub const SCHEMA: &str = "deadstop.manifest/1";

/// What a report folder holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// `deadstop.manifest/1`.
    pub schema: String,
    /// The version of Deadstop that wrote it.
    pub version: String,
    /// SHA-256 of each file, in hex.
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// The manifest of these files.
    #[must_use]
    pub fn of(files: &[(&str, String)]) -> Self {
        let hash = |text: &str| Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            files: files.iter().map(|(name, text)| ((*name).to_owned(), hash(text))).collect(),
        }
    }

    /// As JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Whether a folder is a report that Deadstop wrote.
#[must_use]
pub fn is_report(folder: &Path) -> bool {
    let path = folder.join(NAME);
    let small = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() < 1 << 20);
    let text = if small { fs::read_to_string(path).unwrap_or_default() } else { String::new() };
    serde_json::from_str::<Manifest>(&text).is_ok_and(|manifest| manifest.schema == SCHEMA)
}
