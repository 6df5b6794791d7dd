//! `manifest.json`: what a report folder holds, so that anyone can see whether it is whole and unaltered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

/// The file's name.
pub const NAME: &str = "manifest.json";

/// The files that signatures of a manifest stand in, beside it. They are in no manifest, as they are made of one.
pub const SIGNATURES: [&str; 2] = ["manifest.json.sig", "manifest.json.minisig"];

/// The schema name that every manifest carries.
pub const SCHEMA: &str = "deadstop.manifest/1";

/// What keeps a report out of git. It is in every report and in no manifest, as it is always the same.
pub const GITIGNORE: (&str, &str) = (".gitignore", "*\n");

/// The largest manifest that is read.
const LARGEST: u64 = 1 << 20;

/// What a report folder holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// `deadstop.manifest/1`.
    pub schema: String,
    /// The version of Deadstop that wrote it.
    pub version: String,
    /// SHA-256 of each file, in hex.
    pub files: BTreeMap<String, String>,
    /// SHA-256 of this manifest as it is written, but without this line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Manifest {
    /// The manifest of these files.
    #[must_use]
    pub fn of(files: &[(&str, String)]) -> Self {
        let mut manifest = Self {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            files: files.iter().map(|(name, text)| ((*name).to_owned(), hex(&Sha256::digest(text)))).collect(),
            sha256: None,
        };
        manifest.sha256 = Some(manifest.sum());
        manifest
    }

    /// The sum of the rest of it.
    fn sum(&self) -> String {
        hex(&Sha256::digest(Self { sha256: None, ..self.clone() }.to_json()))
    }

    /// As JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a folder is a report that Deadstop wrote.
#[must_use]
pub fn is_report(folder: &Path) -> bool {
    read(folder).is_ok()
}

/// A folder that cannot be compared with a manifest.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It has none.
    #[error("there is no {NAME} in it that Deadstop wrote")]
    NoManifest,
    /// It cannot be listed.
    #[error("its files cannot be listed: {0}")]
    Unlisted(io::Error),
}

/// How a file is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Other bytes, or no plain file.
    Altered,
    /// It is not there.
    Missing,
    /// It is there and was not written with the rest.
    Added,
    /// It is there and cannot be read, so that it counts as altered.
    Unreadable,
}

/// A folder beside its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The manifest.
    pub manifest: Manifest,
    /// SHA-256 of the manifest's own bytes.
    pub sum: String,
    /// The manifest's own bytes, which a signature is of.
    pub text: String,
    /// What differs, by name.
    pub differences: BTreeMap<String, Difference>,
}

/// Compares every byte of a report folder with its manifest. Nothing there is followed or run.
///
/// # Errors
/// If there is no manifest, or the folder cannot be listed.
pub fn verify(folder: &Path) -> Result<Verified, VerifyError> {
    let (manifest, text) = read(folder)?;
    let mut differences = BTreeMap::new();
    // A manifest of an older version has no sum; what it says is all there is.
    let own = manifest.sha256.as_ref().is_none_or(|sum| *sum == manifest.sum());
    if !own || manifest.to_json() != text {
        differences.insert(NAME.to_owned(), Difference::Altered);
    }
    let (ignore, every) = GITIGNORE;
    let ignored = hex(&Sha256::digest(every));
    for (name, sum) in manifest.files.iter().map(|(name, sum)| (name.as_str(), sum)).chain([(ignore, &ignored)]) {
        let difference = match sum_of(&folder.join(name)) {
            Ok(Some(found)) if found == *sum => continue,
            Ok(_) => Difference::Altered,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Difference::Missing,
            Err(_) => Difference::Unreadable,
        };
        differences.insert(name.to_owned(), difference);
    }
    for entry in fs::read_dir(folder).map_err(VerifyError::Unlisted)? {
        let name = entry.map_err(VerifyError::Unlisted)?.file_name();
        let known = name.to_str().is_some_and(|name| {
            name == NAME || name == ignore || SIGNATURES.contains(&name) || manifest.files.contains_key(name)
        });
        if !known {
            differences.insert(name.to_string_lossy().into_owned(), Difference::Added);
        }
    }
    Ok(Verified { manifest, sum: hex(&Sha256::digest(&text)), text, differences })
}

/// The manifest of a folder, and its text.
fn read(folder: &Path) -> Result<(Manifest, String), VerifyError> {
    let path = folder.join(NAME);
    let small = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() < LARGEST);
    let text = if small { fs::read_to_string(path).ok() } else { None };
    let text = text.ok_or(VerifyError::NoManifest)?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|_| VerifyError::NoManifest)?;
    // A name that leads out of the folder is of no report.
    let plain = |name: &String| !name.is_empty() && !name.contains(['/', '\0']) && name != "." && name != "..";
    let ours = manifest.schema == SCHEMA && manifest.files.keys().all(plain);
    if ours { Ok((manifest, text)) } else { Err(VerifyError::NoManifest) }
}

/// The sum of a plain file; nothing if it is none.
fn sum_of(path: &Path) -> io::Result<Option<String>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(None);
    }
    let (mut file, mut sum, mut block) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok(Some(hex(&sum.finalize())));
        }
        sum.update(block.get(..read).unwrap_or_default());
    }
}
