//! Where Roo Code keeps its settings, in an editor and in a terminal, and signs of what it keeps where it is not read.

use std::path::Path;

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, listed, read};
use super::{Finder, Where, vscode};

/// How the folder of its extension begins.
const EXTENSION: &str = "rooveterinaryinc.roo-cline";

/// What the terminal's calls its settings, below the home.
const SETTINGS: &str = ".roo/cli-settings.json";

/// Where the editor's keeps its settings.
pub(super) struct Roo;

/// Where the terminal's keeps its settings.
pub(super) struct RooCli;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn ignored(place: &Where<'_>, agent: &str, root: &Path, sources: &mut Vec<Source>) -> Option<FileText> {
    let path = root.join(".rooignore");
    listed(place, agent, Level::Project, &path, read(&path), sources)
}

impl Finder for Roo {
    fn gate(&self) -> &'static str {
        "roo-code"
    }

    fn present(&self, place: &Where<'_>) -> bool {
        vscode::extends(place, EXTENSION)
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add =
            |level, path: &Path, reading| files.extend(listed(place, "roo-code", level, path, reading, sources));
        for folder in vscode::editors(place) {
            let path = folder.join("settings.json");
            add(Level::User, &path, read(&path));
            let state = folder.join("globalStorage/state.vscdb");
            if there(&state) {
                add(Level::State, &state, Reading::Text(String::new()));
            }
        }
        // The switches are kept on the machine that the window is on.
        for folder in vscode::servers(place) {
            add(Level::User, &folder.join("User/settings.json"), Reading::Gap(GapReason::Unsupported));
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let path = root.join(".vscode/settings.json");
        let settings = listed(place, self.gate(), Level::Project, &path, read(&path), sources);
        settings.into_iter().chain(ignored(place, self.gate(), root, sources)).collect()
    }
}

impl Finder for RooCli {
    fn gate(&self) -> &'static str {
        "roo-cli"
    }

    fn present(&self, place: &Where<'_>) -> bool {
        place.home.is_some_and(|home| there(&home.join(SETTINGS)) || there(&home.join(".vscode-mock")))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let path = place.home.map(|home| home.join(SETTINGS));
        path.and_then(|path| listed(place, self.gate(), Level::User, &path, read(&path), sources)).into_iter().collect()
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files: Vec<FileText> = ignored(place, self.gate(), root, sources).into_iter().collect();
        let homes = place.home.map(|home| (Level::User, home));
        for (level, folder) in homes.into_iter().chain([(Level::Project, root)]) {
            // Its tools run unasked: that there are any is enough.
            let tools = folder.join(".roo/tools");
            if there(&tools) {
                files.extend(listed(place, self.gate(), level, &tools, Reading::Text(String::new()), sources));
            }
        }
        files
    }
}
