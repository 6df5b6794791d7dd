//! Where Kiro keeps its settings, its rules and its agents.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, entries, listed, read};
use super::{Finder, Where};

const ID: &str = "kiro";

/// Its folder, in the home and in a project.
const FOLDER: &str = ".kiro";

/// The user's files (kiro.dev/docs `cli/v3/permissions`, `cli/reference/settings`).
const OWN: [&str; 2] = [".kiro/settings/permissions.yaml", ".kiro/settings/cli.json"];

/// Where the rules of workspaces lie, each in a folder of its own.
const WORKSPACES: &str = ".kiro/workspace-roots";

/// Where its agents lie, in the home and in a project.
const AGENTS: &str = ".kiro/agents";

/// The settings of its editor.
const EDITOR: &str = "Kiro/User/settings.json";

/// Where Kiro keeps its settings.
pub(super) struct Kiro;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn editor(place: &Where<'_>) -> Option<PathBuf> {
    let named = place.env.get("XDG_CONFIG_HOME").filter(|path| path.starts_with('/')).map(PathBuf::from);
    named.or_else(|| place.home.map(|home| home.join(".config"))).map(|folder| folder.join(EDITOR))
}

/// What lies in a folder, or the folder itself where that is not shown.
fn within(folder: &Path) -> Result<Vec<PathBuf>, PathBuf> {
    let Ok(kind) = folder.symlink_metadata() else { return Ok(Vec::new()) };
    entries(folder).filter(|_| kind.is_dir()).ok_or_else(|| folder.to_owned())
}

fn agents(place: &Where<'_>, level: Level, base: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
    let mut files = Vec::new();
    let mut add = |path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
    match within(&base.join(AGENTS)) {
        Ok(paths) => {
            for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
                add(path, read(path));
            }
        }
        Err(folder) => add(&folder, Reading::Gap(GapReason::NotAsked)),
    }
    files
}

impl Finder for Kiro {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        let folders = place.home.into_iter().chain(place.roots.iter().map(PathBuf::as_path));
        folders.into_iter().any(|folder| there(&folder.join(FOLDER))) || editor(place).is_some_and(|path| there(&path))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        if let Some(path) = editor(place) {
            add(Level::User, &path, read(&path));
        }
        let Some(home) = place.home else { return files };
        for path in OWN.map(|name| home.join(name)) {
            add(Level::User, &path, read(&path));
        }
        match within(&home.join(WORKSPACES)) {
            Ok(folders) => {
                for path in folders.iter().map(|folder| folder.join("permissions.yaml")) {
                    add(Level::State, &path, read(&path));
                }
            }
            Err(folder) => add(Level::State, &folder, Reading::Gap(GapReason::NotAsked)),
        }
        files.extend(agents(place, Level::User, home, sources));
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let path = root.join(".vscode/settings.json");
        let mut files: Vec<FileText> =
            listed(place, ID, Level::Project, &path, read(&path), sources).into_iter().collect();
        // In the home there are agents of the user alone.
        if place.home != Some(root) {
            files.extend(agents(place, Level::Project, root, sources));
        }
        files
    }
}
