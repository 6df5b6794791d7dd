//! The built-in checks, read from their folder.

#![expect(clippy::disallowed_methods, reason = "the harness hands the files of checks/ to the core")]

use deadstop_core::check::CheckSet;
use deadstop_core::check::load::load;
use std::fs;
use std::path::Path;

/// Every file of `checks/`, by its name with its folder.
pub(crate) fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../checks");
    let mut files = Vec::new();
    for area in fs::read_dir(&root).unwrap() {
        for file in fs::read_dir(area.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            files.push((name, fs::read_to_string(path).unwrap()));
        }
    }
    files.sort();
    files
}

/// The checks.
pub(crate) fn built_in() -> CheckSet {
    load(&files(), true).unwrap()
}
