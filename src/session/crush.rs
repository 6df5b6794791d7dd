//! Where Crush keeps its settings.

use std::path::{Path, PathBuf};

use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, listed, read};
use super::{Finder, Where};

const ID: &str = "crush";

/// Where an administrator puts settings (charmbracelet/crush `internal/config/config_unix.go`).
const SYSTEM: &str = "etc/crush/crush.json";

/// Files of settings, the stronger last (`internal/config/load.go`).
const NAMES: [&str; 4] = ["crush.json", ".crush.json", "crushrc", ".crushrc"];

/// How far above the folder of a session its repository may begin.
const HIGHEST: usize = 32;

/// Where Crush keeps its settings.
pub(super) struct Crush;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// One of its folders: by a variable of its own, or below one for all programs.
fn folder(place: &Where<'_>, own: &str, all: &str, below: &str) -> Option<PathBuf> {
    let set = |name: &str| place.env.get(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let base = || set(all).or_else(|| place.home.map(|home| home.join(below)));
    set(own).or_else(|| base().map(|base| base.join("crush")))
}

impl Finder for Crush {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        let config = folder(place, "CRUSH_GLOBAL_CONFIG", "XDG_CONFIG_HOME", ".config");
        let data = folder(place, "CRUSH_GLOBAL_DATA", "XDG_DATA_HOME", ".local/share");
        [config, data].into_iter().flatten().any(|folder| there(&folder))
            || there(&place.system.join(SYSTEM))
            || place.roots.iter().any(|root| NAMES.iter().any(|name| there(&root.join(name))))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading: Reading| {
            files.extend(listed(place, ID, level, path, reading, sources));
        };
        let system = place.system.join(SYSTEM);
        add(Level::Managed, &system, read(&system));
        if let Some(folder) = folder(place, "CRUSH_GLOBAL_CONFIG", "XDG_CONFIG_HOME", ".config") {
            for path in ["crush.json", "crushrc"].map(|name| folder.join(name)) {
                add(Level::User, &path, read(&path));
            }
        }
        if let Some(folder) = folder(place, "CRUSH_GLOBAL_DATA", "XDG_DATA_HOME", ".local/share") {
            let path = folder.join("crush.json");
            add(Level::State, &path, read(&path));
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let above: Vec<&Path> = root.ancestors().take(HIGHEST).collect();
        let top = above.iter().position(|folder| there(&folder.join(".git"))).unwrap_or(0);
        let mut files = Vec::new();
        let data = above.iter().take(top + 1).map(|folder| folder.join(".crush")).find(|folder| there(folder));
        if let Some(path) = data.map(|folder| folder.join("crush.json")) {
            files.extend(listed(place, ID, Level::Project, &path, read(&path), sources));
        }
        for folder in above.iter().take(top + 1).rev() {
            for path in NAMES.map(|name| folder.join(name)) {
                files.extend(listed(place, ID, Level::Project, &path, read(&path), sources));
            }
        }
        files
    }
}
