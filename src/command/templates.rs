//! Templates of the user's own for the page: the plain files right in the folder of `--templates`, and nothing else.

use anyhow::Context as _;
use deadstop_core::render::{LARGEST_TEMPLATE, MOST_TEMPLATES, Own, SLOTS};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use crate::cli::EditionArgs;

/// Reads them, before anything that takes long.
pub(super) fn own(args: &EditionArgs) -> anyhow::Result<Own> {
    let Some(folder) = &args.templates else { return Ok(Own::default()) };
    read(folder).with_context(|| format!("`{}` of --templates", folder.display()))
}

fn read(folder: &Path) -> anyhow::Result<Own> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = Path::new(&name).extension().and_then(|ending| ending.to_str());
        if name.starts_with('.') || !matches!(kind, Some("html" | "css")) {
            continue;
        }
        // A link may lead anywhere, and a pipe may never end.
        anyhow::ensure!(entry.file_type()?.is_file(), "`{name}` is no plain file: links are not followed");
        anyhow::ensure!(files.len() < MOST_TEMPLATES, "there are more than {MOST_TEMPLATES} files");
        let mut text = String::new();
        let most = LARGEST_TEMPLATE as u64 + 1;
        File::open(entry.path())
            .and_then(|file| file.take(most).read_to_string(&mut text))
            .with_context(|| format!("`{name}` cannot be read"))?;
        files.push((name, text));
    }
    let places: Vec<&str> = SLOTS.iter().map(|(name, _)| *name).collect();
    anyhow::ensure!(!files.is_empty(), "there is no template in it; there may be {}", places.join(", "));
    files.sort();
    Ok(Own::of(files)?)
}
