//! Where Cursor keeps its settings: the editor's agent and the command-line agent.
//!
//! The run mode of the editor lies in its own database, which is not read.

use std::path::{Path, PathBuf};

use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{listed, read};
use super::{Finder, Where};

/// Hooks of an administrator, below the system's folder, on Linux and on macOS (cursor.com/docs/agent/hooks).
const MANAGED: [&str; 2] = ["etc/cursor/hooks.json", "Library/Application Support/Cursor/hooks.json"];

/// Where the editor's agent keeps its settings.
pub(super) struct Cursor;

/// Where the command-line agent keeps its settings.
pub(super) struct CursorCli;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The folder of the user's own settings.
fn home(place: &Where<'_>) -> Option<PathBuf> {
    place.home.map(|home| home.join(".cursor"))
}

/// Where the command-line agent's own file may lie (cursor.com/docs/cli/reference/configuration).
fn configs(place: &Where<'_>) -> Vec<PathBuf> {
    let set = |name: &str| place.env.get(name).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let folders = match (set("CURSOR_CONFIG_DIR"), set("XDG_CONFIG_HOME")) {
        (Some(folder), _) => vec![folder],
        (None, xdg) => xdg.map(|folder| folder.join("cursor")).into_iter().chain(home(place)).collect(),
    };
    folders.into_iter().map(|folder| folder.join("cli-config.json")).collect()
}

/// The files of both agents: hooks, and the ignore file.
fn shared(place: &Where<'_>, agent: &str, sources: &mut Vec<Source>) -> Vec<FileText> {
    let managed = MANAGED.iter().map(|path| (Level::Managed, place.system.join(path)));
    let user = home(place).map(|folder| (Level::User, folder.join("hooks.json")));
    let files = managed.chain(user);
    files.filter_map(|(level, path)| listed(place, agent, level, &path, read(&path), sources)).collect()
}

/// The files of one folder, by the names that they have there. Where the folder is the home they are the user's and
/// have been read, but for `cli.json`, which only a project has.
fn project(place: &Where<'_>, agent: &str, root: &Path, names: &[&str], sources: &mut Vec<Source>) -> Vec<FileText> {
    let own = place.home == Some(root);
    let settings = names.iter().filter(|name| !own || **name == "cli.json").map(|name| root.join(".cursor").join(name));
    settings
        .chain([root.join(".cursorignore")])
        .filter_map(|path| listed(place, agent, Level::Project, &path, read(&path), sources))
        .collect()
}

impl Finder for Cursor {
    fn gate(&self) -> &'static str {
        "cursor"
    }

    fn present(&self, place: &Where<'_>) -> bool {
        let managed = MANAGED.iter().any(|path| there(&place.system.join(path)));
        let roots = place.roots.iter().any(|root| there(&root.join(".cursor")) || there(&root.join(".cursorignore")));
        managed || roots || home(place).is_some_and(|folder| there(&folder))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = shared(place, self.gate(), sources);
        for name in ["permissions.json", "sandbox.json"] {
            let path = home(place).map(|folder| folder.join(name));
            files.extend(path.and_then(|path| listed(place, self.gate(), Level::User, &path, read(&path), sources)));
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        project(place, self.gate(), root, &["permissions.json", "sandbox.json", "hooks.json"], sources)
    }
}

impl Finder for CursorCli {
    fn gate(&self) -> &'static str {
        "cursor-cli"
    }

    fn present(&self, place: &Where<'_>) -> bool {
        configs(place).iter().any(|path| there(path))
            || place.roots.iter().any(|root| there(&root.join(".cursor/cli.json")))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = shared(place, self.gate(), sources);
        let config = configs(place);
        // Of two places the first one that has the file is the one that is read.
        let found = config.iter().find_map(|path| listed(place, self.gate(), Level::User, path, read(path), sources));
        files.extend(found);
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        project(place, self.gate(), root, &["cli.json", "hooks.json"], sources)
    }
}
