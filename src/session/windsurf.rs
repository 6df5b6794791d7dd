//! Where Windsurf keeps its settings and its hooks.

use std::path::{Path, PathBuf};

use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{listed, read};
use super::{Finder, Where};

const ID: &str = "windsurf";

/// Where its editor keeps the user's settings, below the home: on Linux and on macOS, of both of its channels.
const EDITORS: [&str; 4] = [
    ".config/Windsurf",
    ".config/Windsurf - Next",
    "Library/Application Support/Windsurf",
    "Library/Application Support/Windsurf - Next",
];

/// What these are called where a variable says what they lie in.
const NAMES: [&str; 2] = ["Windsurf", "Windsurf - Next"];

/// The folder of its agent in the home, with those of its extensions for other editors; where its hooks lie there, and its folder
/// in a project (docs.windsurf.com `windsurf/cascade/hooks`).
const OWN: &str = ".codeium";
const HOOKS: &str = ".codeium/windsurf/hooks.json";
const FOLDER: &str = ".windsurf";

/// The hooks of an administrator.
const SYSTEM: [&str; 2] = ["etc/windsurf/hooks.json", "Library/Application Support/Windsurf/hooks.json"];

/// Where Windsurf keeps its settings.
pub(super) struct Windsurf;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn editors(place: &Where<'_>) -> Vec<PathBuf> {
    let homes = place.home.into_iter().flat_map(|home| EDITORS.iter().map(|name| home.join(name)));
    let named = place.env.get("XDG_CONFIG_HOME").filter(|path| path.starts_with('/'));
    let named = named.into_iter().flat_map(|base| NAMES.iter().map(move |name| Path::new(base).join(name)));
    let mut found: Vec<PathBuf> = homes.chain(named).filter(|folder| there(folder)).collect();
    found.sort();
    found.dedup();
    found
}

impl Finder for Windsurf {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        let own = place.home.map(|home| home.join(OWN));
        let folders = own.into_iter().chain(place.roots.iter().map(|root| root.join(FOLDER)));
        !editors(place).is_empty()
            || folders.into_iter().any(|folder| there(&folder))
            || SYSTEM.iter().any(|name| there(&place.system.join(name)))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path| files.extend(listed(place, ID, level, path, read(path), sources));
        for name in SYSTEM {
            add(Level::Managed, &place.system.join(name));
        }
        for folder in editors(place) {
            add(Level::User, &folder.join("User/settings.json"));
        }
        if let Some(home) = place.home {
            add(Level::User, &home.join(HOOKS));
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let paths = [root.join(".vscode/settings.json"), root.join(FOLDER).join("hooks.json")];
        paths.iter().filter_map(|path| listed(place, ID, Level::Project, path, read(path), sources)).collect()
    }
}
