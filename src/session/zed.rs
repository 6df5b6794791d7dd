//! Where Zed keeps its settings.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, listed, read};
use super::{Finder, Where};

const ID: &str = "zed";

/// Where it keeps its settings when it runs from a Flatpak.
const PACKED: &str = ".var/app/dev.zed.Zed/config/zed";

/// Where Zed keeps its settings.
pub(super) struct Zed;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn folder(place: &Where<'_>) -> Option<PathBuf> {
    let named = place.env.get("XDG_CONFIG_HOME").filter(|path| path.starts_with('/')).map(PathBuf::from);
    named.or_else(|| place.home.map(|home| home.join(".config"))).map(|folder| folder.join("zed"))
}

fn packed(place: &Where<'_>) -> Option<PathBuf> {
    place.home.map(|home| home.join(PACKED))
}

impl Finder for Zed {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        [folder(place), packed(place)].into_iter().flatten().any(|folder| there(&folder))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        if let Some(folder) = folder(place) {
            for (level, name) in [(Level::State, "global_settings.json"), (Level::User, "settings.json")] {
                let path = folder.join(name);
                add(level, &path, read(&path));
            }
        }
        // Which of two is run is not known.
        if let Some(path) = packed(place).map(|folder| folder.join("settings.json")).filter(|path| there(path)) {
            add(Level::User, &path, Reading::Gap(GapReason::Unsupported));
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let path = root.join(".zed/settings.json");
        listed(place, ID, Level::Project, &path, read(&path), sources).into_iter().collect()
    }
}
