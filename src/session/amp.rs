//! Where Amp keeps its settings.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, listed, read};
use super::{Finder, Where};

const ID: &str = "amp";

/// The file of an administrator (ampcode.com/manual/appendix).
const MANAGED: &str = "etc/ampcode/managed-settings.json";

/// A variable that names the user's file.
const NAMED: &str = "AMP_SETTINGS_FILE";

/// Names that the file has, with comments or without.
const NAMES: [&str; 2] = ["settings.json", "settings.jsonc"];

/// Where Amp keeps its settings.
pub(super) struct Amp;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn folder(place: &Where<'_>) -> Option<PathBuf> {
    let named = place.env.get("XDG_CONFIG_HOME").filter(|path| path.starts_with('/')).map(PathBuf::from);
    named.or_else(|| place.home.map(|home| home.join(".config"))).map(|folder| folder.join("amp"))
}

impl Finder for Amp {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        let own = place.roots.iter().map(|root| root.join(".amp"));
        folder(place).into_iter().chain(own).any(|folder| there(&folder)) || there(&place.system.join(MANAGED))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        match place.env.get(NAMED).map(Path::new) {
            Some(path) if path.is_absolute() => add(Level::User, path, read(path)),
            Some(path) => add(Level::User, path, Reading::Gap(GapReason::NotAsked)),
            None => {
                for path in folder(place).into_iter().flat_map(|folder| NAMES.map(|name| folder.join(name))) {
                    add(Level::User, &path, read(&path));
                }
            }
        }
        let managed = place.system.join(MANAGED);
        add(Level::Managed, &managed, read(&managed));
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let paths = NAMES.map(|name| root.join(".amp").join(name));
        paths.iter().filter_map(|path| listed(place, ID, Level::Project, path, read(path), sources)).collect()
    }
}
