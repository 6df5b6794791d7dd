//! Where Claude Code keeps its settings.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::definitions::definitions;
use super::read::{Reading, listed, read};
use super::{Finder, Where};

const ID: &str = "claude-code";

/// The most drop-in files of managed settings that are read.
const DROP_INS: usize = 256;

/// Where the agent keeps policy that its vendor's server delivers. Such policy stands in for the managed files, and how
/// this copy is used is not documented: if it says anything, managed settings are not known.
const SERVED: &str = "remote-settings.json";

/// The folders of managed settings, below the system's: on Linux and on macOS (code.claude.com/docs/en/managed-settings).
const MANAGED: [&str; 2] = ["etc/claude-code", "Library/Application Support/ClaudeCode"];

/// Where Claude Code keeps its settings.
pub(super) struct ClaudeCode;

/// The folder of the user's own settings.
fn config(place: &Where<'_>) -> Option<PathBuf> {
    let set = place.env.get("CLAUDE_CONFIG_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    set.or_else(|| place.home.map(|home| home.join(".claude")))
}

impl Finder for ClaudeCode {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        let there = |path: &Path| path.symlink_metadata().is_ok();
        config(place).is_some_and(|folder| there(&folder))
            || place.home.is_some_and(|home| there(&home.join(".claude.json")))
            || MANAGED.iter().any(|folder| there(&place.system.join(folder)))
            || place.roots.iter().any(|root| there(&root.join(".claude")))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files: Vec<FileText> = Vec::new();
        let mut add = |level, path: &Path| files.extend(file(place, level, path, sources));
        for managed in MANAGED.map(|folder| place.system.join(folder)) {
            add(Level::Managed, &managed.join("managed-settings.json"));
            for path in drop_ins(&managed.join("managed-settings.d")) {
                add(Level::Managed, &path);
            }
        }
        if let Some(folder) = config(place) {
            add(Level::Managed, &folder.join(SERVED));
            add(Level::User, &folder.join("settings.json"));
            for path in definitions(&folder) {
                add(Level::User, &path);
            }
            if place.env.contains_key("CLAUDE_CONFIG_DIR") {
                add(Level::State, &folder.join(".claude.json"));
            }
        }
        if let Some(home) = place.home {
            add(Level::State, &home.join(".claude.json"));
        }
        // A later drop-in has the word over an earlier one, and all of them over the file beside them.
        let drop_ins = files.iter().take_while(|file| file.level == Level::Managed).count();
        if let Some(managed) = files.get_mut(..drop_ins) {
            managed.reverse();
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let folder = root.join(".claude");
        // Where the folder is the home, its settings are the user's and have been read.
        if config(place).is_some_and(|config| config == folder) {
            return Vec::new();
        }
        let local = folder.join("settings.local.json");
        let top = root.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok());
        let mut files: Vec<FileText> = match top.filter(|top| *top != root) {
            Some(top) => {
                let above = file(place, Level::Local, &top.join(".claude/settings.local.json"), sources);
                // Only versions before 2.1.211 read the one below the repository's top: what it says is not known.
                let below = match read(&local) {
                    Reading::Text(_) => Reading::Gap(GapReason::Unsupported),
                    other @ (Reading::Absent | Reading::Gap(_)) => other,
                };
                above.into_iter().chain(listed(place, ID, Level::Local, &local, below, sources)).collect()
            }
            None => file(place, Level::Local, &local, sources).into_iter().collect(),
        };
        files.extend(file(place, Level::Project, &folder.join("settings.json"), sources));
        files.extend(definitions(&folder).iter().filter_map(|path| file(place, Level::Project, path, sources)));
        files
    }
}

fn drop_ins(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths.truncate(DROP_INS);
    paths
}

fn file(place: &Where<'_>, level: Level, path: &Path, sources: &mut Vec<Source>) -> Option<FileText> {
    let reading = match read(path) {
        Reading::Text(text) if path.ends_with(SERVED) && matches!(text.trim(), "" | "{}") => Reading::Absent,
        Reading::Text(_) if path.ends_with(SERVED) => Reading::Gap(GapReason::Unsupported),
        other @ (Reading::Text(_) | Reading::Absent | Reading::Gap(_)) => other,
    };
    listed(place, ID, level, path, reading, sources)
}
