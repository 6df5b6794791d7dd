//! Where Factory's Droid keeps its settings.

use std::path::{Path, PathBuf};

use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{listed, read};
use super::{Finder, Where};

const ID: &str = "factory-droid";

/// The folder of its settings, in the home and in a project (docs.factory.ai `droid-cli/settings`).
const FOLDER: &str = ".factory";

/// The file, and the one beside it that stands above it.
const NAMES: [&str; 2] = ["settings.json", "settings.local.json"];

/// The file of an administrator (docs.factory.ai `enterprise/hierarchical-settings-and-org-control`).
const SYSTEM: &str = "etc/factory/settings.json";

/// Where Factory's Droid keeps its settings.
pub(super) struct Droid;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn files(place: &Where<'_>, level: Level, base: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
    let paths = NAMES.map(|name| base.join(FOLDER).join(name));
    paths.iter().filter_map(|path| listed(place, ID, level, path, read(path), sources)).collect()
}

impl Finder for Droid {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        let folders = place.home.into_iter().chain(place.roots.iter().map(PathBuf::as_path));
        folders.into_iter().any(|folder| there(&folder.join(FOLDER))) || there(&place.system.join(SYSTEM))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let system = place.system.join(SYSTEM);
        let mut found: Vec<FileText> =
            listed(place, ID, Level::Managed, &system, read(&system), sources).into_iter().collect();
        found.extend(place.home.into_iter().flat_map(|home| files(place, Level::User, home, sources)));
        found
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        // In the home there are those of the user alone.
        if place.home == Some(root) {
            return Vec::new();
        }
        files(place, Level::Project, root, sources)
    }
}
