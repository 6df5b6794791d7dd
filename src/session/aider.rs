//! Where Aider keeps its settings, and the variables that stand above them.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, listed, read};
use super::{Finder, Where};

const ID: &str = "aider";

/// What its file of settings is called, in the home, at the top of a repository and in the folder that it is started in
/// (Aider-AI/aider `aider/main.py`).
const SETTINGS: &str = ".aider.conf.yml";

/// What it leaves in a folder, and in the home.
const SIGNS: [&str; 4] = [SETTINGS, ".aider.chat.history.md", ".aider.input.history", ".aider"];

/// How the variables begin that stand for its options.
const PREFIX: &str = "AIDER_";

/// Those of them that change what runs.
const CHANGES: [&str; 23] = [
    "APPLY",
    "APPLY_CLIPBOARD_EDITS",
    "AUTO_LINT",
    "AUTO_TEST",
    "BROWSER",
    "CONFIG",
    "ENV_FILE",
    "GIT_COMMIT_VERIFY",
    "GUI",
    "LINT",
    "LINT_CMD",
    "LOAD",
    "MESSAGE",
    "MESSAGE_FILE",
    "MSG",
    "NOTIFICATIONS",
    "NOTIFICATIONS_COMMAND",
    "SET_ENV",
    "SUGGEST_SHELL_COMMANDS",
    "TEST",
    "TEST_CMD",
    "YES",
    "YES_ALWAYS",
];

/// How far above the folder of a session its repository may begin.
const HIGHEST: usize = 32;

/// Where Aider keeps its settings.
pub(super) struct Aider;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

impl Finder for Aider {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        let folders = place.home.into_iter().chain(place.roots.iter().map(PathBuf::as_path));
        folders.into_iter().any(|folder| SIGNS.iter().any(|sign| there(&folder.join(sign))))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |path: &Path, reading| files.extend(listed(place, ID, Level::User, path, reading, sources));
        let changes = |name: &str| name.strip_prefix(PREFIX).is_some_and(|rest| CHANGES.contains(&rest));
        for name in place.env.keys().filter(|name| changes(name)) {
            add(Path::new(name), Reading::Gap(GapReason::Unsupported));
        }
        if let Some(home) = place.home {
            let path = home.join(SETTINGS);
            add(&path, read(&path));
            for path in [home.join(".env"), home.join(".aider/oauth-keys.env")] {
                add(&path, variables(&path));
            }
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let above: Vec<&Path> = root.ancestors().take(HIGHEST).collect();
        let top = above.iter().position(|folder| there(&folder.join(".git"))).and_then(|at| above.get(at).copied());
        let mut files = Vec::new();
        // The stronger last.
        for folder in top.filter(|top| *top != root).into_iter().chain([root]).filter(|one| place.home != Some(*one)) {
            for (path, reading) in [(folder.join(SETTINGS), true), (folder.join(".env"), false)] {
                let reading = if reading { read(&path) } else { variables(&path) };
                files.extend(listed(place, ID, Level::Project, &path, reading, sources));
            }
        }
        files
    }
}

/// A file of variables, which counts where it has any of its own.
fn variables(path: &Path) -> Reading {
    match read(path) {
        Reading::Text(text) if text.contains(PREFIX) => Reading::Gap(GapReason::NotAsked),
        Reading::Text(_) | Reading::Absent => Reading::Absent,
        Reading::Gap(reason) => Reading::Gap(reason),
    }
}
