//! Where OpenCode keeps its settings, agents and plugins.

mod account;

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, entries, listed, read};
use super::{Finder, Where};

const ID: &str = "opencode";

/// Where an administrator puts settings, below the system's folder, on Linux and on macOS.
const MANAGED: [&str; 2] = ["etc/opencode", "Library/Application Support/opencode"];

/// What macOS keeps of a device profile. What it says is not read.
const PREFERENCES: &str = "Library/Managed Preferences/ai.opencode.managed.plist";

/// How far above the folder of a session its project may begin.
const HIGHEST: usize = 32;

/// Where OpenCode keeps its settings.
pub(super) struct OpenCode;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn set(place: &Where<'_>, name: &str) -> Option<String> {
    place.env.get(name).filter(|text| !text.is_empty()).cloned()
}

/// The folder of the user's own settings.
fn home(place: &Where<'_>) -> Option<PathBuf> {
    let base = set(place, "XDG_CONFIG_HOME").map(PathBuf::from);
    base.or_else(|| place.home.map(|home| home.join(".config"))).map(|folder| folder.join("opencode"))
}

/// Where logins and sessions are kept: an organisation that one is of may bring settings from its server.
fn data(place: &Where<'_>) -> Option<PathBuf> {
    let base = set(place, "XDG_DATA_HOME").map(PathBuf::from);
    base.or_else(|| place.home.map(|home| home.join(".local/share"))).map(|data| data.join("opencode"))
}

fn logins(place: &Where<'_>) -> Option<PathBuf> {
    data(place).map(|data| data.join("auth.json"))
}

/// Whether a variable that switches something is on.
fn on(place: &Where<'_>, name: &str) -> bool {
    set(place, name).is_some_and(|text| matches!(text.to_lowercase().as_str(), "true" | "1"))
}

impl Finder for OpenCode {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        let named = |root: &PathBuf| {
            ["opencode.json", "opencode.jsonc", ".opencode"].iter().any(|name| there(&root.join(name)))
        };
        home(place).is_some_and(|folder| there(&folder))
            || logins(place).is_some_and(|file| there(&file))
            || MANAGED.iter().any(|path| there(&place.system.join(path)))
            || place.roots.iter().any(named)
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        for folder in MANAGED.map(|path| place.system.join(path)) {
            settings(Level::Managed, &folder, &["opencode.json", "opencode.jsonc"], &mut add);
        }
        let preferences = place.system.join(PREFERENCES);
        if there(&preferences) {
            add(Level::Managed, &preferences, Reading::Gap(GapReason::Unsupported));
        }
        if let Some(folder) = home(place) {
            settings(Level::User, &folder, &["config.json", "opencode.json", "opencode.jsonc"], &mut add);
            beside(Level::User, &folder, &mut add);
            // What older versions wrote is taken over.
            let older = folder.join("config");
            if there(&older) {
                add(Level::User, &older, Reading::Gap(GapReason::Unsupported));
            }
        }
        if let Some(file) = set(place, "OPENCODE_CONFIG").map(PathBuf::from) {
            add(Level::User, &file, read(&file));
        }
        let more = set(place, "OPENCODE_CONFIG_DIR").map(PathBuf::from);
        for folder in place.home.map(|home| home.join(".opencode")).into_iter().chain(more) {
            settings(Level::State, &folder, &["opencode.json", "opencode.jsonc"], &mut add);
            beside(Level::State, &folder, &mut add);
        }
        for name in ["OPENCODE_CONFIG_CONTENT", "OPENCODE_PERMISSION"] {
            if let Some(text) = set(place, name) {
                add(Level::User, Path::new(name), Reading::Text(text));
            }
        }
        if let Some(file) = logins(place)
            && matches!(read(&file), Reading::Text(text) if text.contains("wellknown"))
        {
            add(Level::User, &file, Reading::Gap(GapReason::NotAsked));
        }
        if set(place, "OPENCODE_AUTH_CONTENT").is_some_and(|text| text.contains("wellknown")) {
            add(Level::User, Path::new("OPENCODE_AUTH_CONTENT"), Reading::Gap(GapReason::NotAsked));
        }
        for (file, reason) in account::databases(place) {
            add(Level::User, &file, Reading::Gap(reason));
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        if on(place, "OPENCODE_DISABLE_PROJECT_CONFIG") {
            return files;
        }
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        let above = root.ancestors().take(HIGHEST);
        // Outside of a repository every folder above counts, as it does where git does not say that it is one.
        let top = above.clone().position(|folder| there(&folder.join(".git"))).unwrap_or(HIGHEST);
        for folder in above.clone().skip(top + 1) {
            let names = ["opencode.json", "opencode.jsonc", ".opencode"].into_iter();
            let names = names.filter(|name| place.home != Some(folder) || *name != ".opencode");
            for path in names.map(|name| folder.join(name)).filter(|path| there(path)) {
                add(Level::Project, &path, Reading::Gap(GapReason::NotAsked));
            }
        }
        let mut folders: Vec<&Path> = above.take(top + 1).collect();
        folders.reverse();
        // Of the files the nearest is the strongest, of the folders `.opencode` the farthest. Where one is the home's it has
        // been read.
        for folder in &folders {
            settings(Level::Project, folder, &["opencode.json", "opencode.jsonc"], &mut add);
        }
        for folder in folders.iter().rev().filter(|folder| place.home != Some(**folder)) {
            let folder = folder.join(".opencode");
            settings(Level::Local, &folder, &["opencode.json", "opencode.jsonc"], &mut add);
            beside(Level::Local, &folder, &mut add);
        }
        files
    }
}

fn settings(level: Level, folder: &Path, names: &[&str], add: &mut impl FnMut(Level, &Path, Reading)) {
    for name in names {
        let path = folder.join(name);
        add(level, &path, read(&path));
    }
}

/// Agents, plugins and tools of the user's own beside a file of settings.
fn beside(level: Level, folder: &Path, add: &mut impl FnMut(Level, &Path, Reading)) {
    let kinds = [
        ("agent", &["md"][..]),
        ("agents", &["md"]),
        ("mode", &["md"]),
        ("modes", &["md"]),
        ("plugin", &["ts", "js"]),
        ("plugins", &["ts", "js"]),
        ("tool", &["ts", "js"]),
        ("tools", &["ts", "js"]),
    ];
    for (name, endings) in kinds {
        let inner = folder.join(name);
        let Ok(kind) = inner.symlink_metadata() else { continue };
        let Some(paths) = entries(&inner).filter(|_| kind.is_dir()) else {
            add(level, &inner, Reading::Gap(GapReason::NotAsked));
            continue;
        };
        for path in paths {
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            if endings.contains(&ending) {
                add(level, &path, read(&path));
            } else if path.is_dir() && endings == ["md"] {
                // Agents may lie deeper.
                add(level, &path, Reading::Gap(GapReason::NotAsked));
            }
        }
    }
}
