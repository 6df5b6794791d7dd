//! Where Qwen Code keeps its settings, subagents, skills and extensions.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, entries, listed, read};
use super::{Finder, Where};

const ID: &str = "qwen-code";

/// The folder of an administrator's files, below the system's, on Linux and on macOS (QwenLM/qwen-code
/// `packages/cli/src/config/settings.ts`).
const SYSTEM: [&str; 2] = ["etc/qwen-code", "Library/Application Support/QwenCode"];

/// How the variables begin that say where its files lie.
const VARIABLES: [&str; 2] = ["QWEN_CODE_", "QWEN_HOME"];

/// Where Qwen Code keeps its settings.
pub(super) struct Qwen;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn set(place: &Where<'_>, name: &str) -> Option<PathBuf> {
    place.env.get(name).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The folder of the user's own settings.
fn home(place: &Where<'_>) -> Option<PathBuf> {
    set(place, "QWEN_HOME").or_else(|| place.home.map(|home| home.join(".qwen")))
}

impl Finder for Qwen {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        home(place).is_some_and(|folder| there(&folder))
            || SYSTEM.iter().any(|path| there(&place.system.join(path)))
            || place.roots.iter().any(|root| there(&root.join(".qwen")) || there(&root.join(".qwenignore")))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        let usual = || SYSTEM.iter().map(|path| place.system.join(path).join("settings.json")).collect();
        let settings: Vec<PathBuf> = set(place, "QWEN_CODE_SYSTEM_SETTINGS_PATH").map_or_else(usual, |path| vec![path]);
        let beside_them = || settings.iter().map(|path| path.with_file_name("system-defaults.json")).collect();
        let defaults: Vec<PathBuf> =
            set(place, "QWEN_CODE_SYSTEM_DEFAULTS_PATH").map_or_else(beside_them, |path| vec![path]);
        // What is stronger and what is weaker is told by their names.
        for path in &settings {
            add(Level::Managed, path, unless(path.ends_with("system-defaults.json"), path));
        }
        for path in &defaults {
            add(Level::Managed, path, unless(!path.ends_with("system-defaults.json"), path));
        }
        if let Some(folder) = home(place) {
            let path = folder.join("settings.json");
            add(Level::User, &path, read(&path));
            beside(Level::User, &folder, &mut add);
            let extensions = folder.join("extensions");
            if there(&extensions) && entries(&extensions).is_none_or(|found| !found.is_empty()) {
                add(Level::User, &extensions, Reading::Text(String::new()));
            }
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        let folder = root.join(".qwen");
        // Where the folder is the home its settings are the user's and have been read.
        if home(place).as_ref() != Some(&folder) {
            let path = folder.join("settings.json");
            add(Level::Project, &path, read(&path));
            beside(Level::Project, &folder, &mut add);
        }
        let path = root.join(".qwenignore");
        add(Level::Project, &path, read(&path));
        // It takes variables from the nearest of these, and some move the folders that its files lie in.
        let home = place.home.into_iter();
        for path in root.ancestors().chain(home).flat_map(|folder| [folder.join(".qwen/.env"), folder.join(".env")]) {
            match read(&path) {
                Reading::Absent => {}
                Reading::Text(text) if !VARIABLES.iter().any(|name| text.contains(name)) => {}
                Reading::Text(_) => add(Level::Project, &path, Reading::Gap(GapReason::NotAsked)),
                Reading::Gap(reason) => add(Level::Project, &path, Reading::Gap(reason)),
            }
        }
        files
    }
}

/// The text of a file, but for one whose name says that it is something else.
fn unless(odd: bool, path: &Path) -> Reading {
    if odd && there(path) { Reading::Gap(GapReason::Unsupported) } else { read(path) }
}

/// Subagents and skills beside a file of settings.
fn beside(level: Level, folder: &Path, add: &mut impl FnMut(Level, &Path, Reading)) {
    for name in ["agents", "skills"] {
        let inner = folder.join(name);
        let Ok(kind) = inner.symlink_metadata() else { continue };
        let Some(paths) = entries(&inner).filter(|_| kind.is_dir()) else {
            add(level, &inner, Reading::Gap(GapReason::NotAsked));
            continue;
        };
        for path in paths {
            let path = if name == "skills" { path.join("SKILL.md") } else { path };
            if path.extension().is_some_and(|ending| ending == "md") {
                add(level, &path, read(&path));
            }
        }
    }
}
