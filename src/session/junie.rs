//! Where Junie keeps its settings and its lists.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, listed, read};
use super::{Finder, Where};

const ID: &str = "junie";

/// Its folder, in the home and in a project.
const FOLDER: &str = ".junie";

/// Its files in the home (junie.jetbrains.com/docs `junie-cli-configuration`, `action-allowlist-junie-cli`).
const OWN: [&str; 3] = ["allowlist.json", "config.json", "settings.json"];

/// Those of a project.
const PROJECT: [&str; 2] = ["config.json", "allowlist.json"];

/// A variable that names more files of settings, one that says whether the usual ones count, and one that moves its folder.
const MORE: &str = "JUNIE_CONFIG_LOCATION";
const USUAL: &str = "JUNIE_CONFIG_DEFAULT_LOCATIONS";
const HOME: &str = "JUNIE_HOME";

/// Where Junie keeps its settings.
pub(super) struct Junie;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn own_folder(place: &Where<'_>) -> Option<PathBuf> {
    let named = place.env.get(HOME).filter(|path| path.starts_with('/')).map(PathBuf::from);
    named.or_else(|| place.home.map(|home| home.join(FOLDER)))
}

impl Finder for Junie {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        own_folder(place).into_iter().chain(place.roots.iter().map(|root| root.join(FOLDER))).any(|path| there(&path))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |path: &Path, reading| files.extend(listed(place, ID, Level::User, path, reading, sources));
        for path in own_folder(place).into_iter().flat_map(|folder| OWN.map(|name| folder.join(name))) {
            add(&path, read(&path));
        }
        // What these name is not looked at, and may let anything run.
        for name in [MORE, USUAL] {
            if place.env.get(name).is_some_and(|text| !text.is_empty() && text != "true") {
                add(Path::new(name), Reading::Gap(GapReason::NotAsked));
            }
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        // In the home there are those of the user alone.
        if place.home == Some(root) {
            return Vec::new();
        }
        let paths = PROJECT.map(|name| root.join(FOLDER).join(name));
        paths.iter().filter_map(|path| listed(place, ID, Level::Project, path, read(path), sources)).collect()
    }
}
