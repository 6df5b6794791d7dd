//! Where goose keeps its settings, and what stands above them.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, entries, listed, read};
use super::{Finder, Where};

const ID: &str = "goose";

/// The file of the system, the weakest (aaif-goose/goose `crates/goose/src/config/base.rs`).
const SYSTEM: &str = "etc/goose/config.yaml";

/// A variable that names more files.
const MORE: &str = "GOOSE_ADDITIONAL_CONFIG_FILES";

/// Whether a variable stands above all files: the mode, and the models for all work or for some of it.
fn above(name: &str) -> bool {
    name == "GOOSE_MODE" || name == "ACTIVE_PROVIDER" || (name.starts_with("GOOSE_") && name.contains("PROVIDER"))
}

/// The folder of plugins, which may bring hooks and servers.
const PLUGINS: &str = ".agents/plugins";

/// Where goose keeps its settings.
pub(super) struct Goose;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The folders of its settings. A variable moves them all.
fn folders(place: &Where<'_>) -> Vec<PathBuf> {
    let absolute = |name: &str| place.env.get(name).filter(|path| path.starts_with('/')).map(PathBuf::from);
    if let Some(root) = absolute("GOOSE_PATH_ROOT") {
        return vec![root.join("config")];
    }
    let below = |path: &str| place.home.map(|home| home.join(path));
    absolute("XDG_CONFIG_HOME").or_else(|| below(".config")).map(|folder| folder.join("goose")).into_iter().collect()
}

impl Finder for Goose {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        folders(place).iter().any(|folder| there(folder)) || there(&place.system.join("etc/goose"))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        let system = place.system.join(SYSTEM);
        add(Level::Managed, &system, read(&system));
        let more = place.env.get(MORE).into_iter().flat_map(|all| std::env::split_paths(all));
        for path in more.filter(|path| !path.as_os_str().is_empty()) {
            // Where it is started is not known, and so is what this means.
            add(Level::State, &path, if path.is_absolute() { read(&path) } else { Reading::Gap(GapReason::NotAsked) });
        }
        for folder in folders(place) {
            for path in ["config.yaml", "permission.yaml", "pricing.yaml"].map(|name| folder.join(name)) {
                add(Level::User, &path, read(&path));
            }
        }
        for (name, value) in place.env.iter().filter(|(name, _)| above(name)) {
            add(Level::Local, Path::new(name), Reading::Text(value.clone()));
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let homes = place.home.map(|home| (Level::User, home));
        let all = homes.into_iter().chain([(Level::Project, root)]);
        let plugins = all.map(|(level, folder)| (level, folder.join(PLUGINS))).filter(|(_, folder)| there(folder));
        let some = plugins.filter(|(_, folder)| entries(folder).is_none_or(|found| !found.is_empty()));
        some.filter_map(|(level, folder)| listed(place, ID, level, &folder, Reading::Text(String::new()), sources))
            .collect()
    }
}
