//! Where Warp keeps its settings, those of its terminal and those of its command line.

use std::path::{Path, PathBuf};

use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{listed, read};
use super::{Finder, Where};

const ID: &str = "warp";

/// Its folders below the home: on macOS, of both of its channels, with that of the command line (docs.warp.dev
/// `terminal/settings`, `agents/cli/configuration`).
const FOLDERS: [&str; 3] = [".warp", ".warp-preview", ".warp_cli"];

/// The same on Linux, below the folder of settings, where the command line has a folder within.
const LINUX: [&str; 2] = ["warp-terminal", "warp-terminal-preview"];

const FILE: &str = "settings.toml";

/// Where Warp keeps its settings.
pub(super) struct Warp;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn folders(place: &Where<'_>) -> Vec<PathBuf> {
    let named = place.env.get("XDG_CONFIG_HOME").filter(|path| path.starts_with('/')).map(PathBuf::from);
    let config = named.or_else(|| place.home.map(|home| home.join(".config")));
    let linux = config.into_iter().flat_map(|base| LINUX.map(|name| base.join(name)));
    place.home.into_iter().flat_map(|home| FOLDERS.map(|name| home.join(name))).chain(linux).collect()
}

impl Finder for Warp {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        folders(place).iter().any(|folder| there(folder))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let paths = folders(place).into_iter().flat_map(|folder| [folder.join(FILE), folder.join("cli").join(FILE)]);
        paths.filter_map(|path| listed(place, ID, Level::User, &path, read(&path), sources)).collect()
    }

    fn own(&self, _: &Where<'_>, _: &Path, _: &mut Vec<Source>) -> Vec<FileText> {
        Vec::new()
    }
}
