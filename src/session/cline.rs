//! Where Cline keeps its settings, in an editor and in a terminal.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, entries, listed, read};
use super::{Finder, Where, vscode};

/// How the folder of its extension begins.
const EXTENSION: &str = "saoudrizwan.claude-dev";

/// Where the editor's keeps its settings.
pub(super) struct Cline;

/// Where the terminal's keeps its settings.
pub(super) struct ClineCli;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Its own folder, and that of its data (cline/cline `sdk/packages/shared/src/storage/paths.ts`).
fn folders(place: &Where<'_>) -> Option<(PathBuf, PathBuf)> {
    let set = |name: &str| place.env.get(name).filter(|path| !path.trim().is_empty()).map(PathBuf::from);
    let own = set("CLINE_DIR").or_else(|| place.home.map(|home| home.join(".cline")))?;
    let data = set("CLINE_DATA_DIR").unwrap_or_else(|| own.join("data"));
    Some((own, data))
}

/// A file that a variable may name.
fn named(place: &Where<'_>, variable: &str, otherwise: PathBuf) -> PathBuf {
    let set = place.env.get(variable).filter(|path| !path.trim().is_empty());
    set.map_or(otherwise, |path| PathBuf::from(path.trim()))
}

/// The files of both: servers, hooks and plugins.
fn shared(place: &Where<'_>, agent: &str, sources: &mut Vec<Source>) -> Vec<FileText> {
    let mut files = Vec::new();
    let mut add = |level, path: &Path, reading| files.extend(listed(place, agent, level, path, reading, sources));
    if let Some((own, data)) = folders(place) {
        let path = named(place, "CLINE_MCP_SETTINGS_PATH", data.join("settings/cline_mcp_settings.json"));
        add(Level::User, &path, read(&path));
        hooks(Level::User, &own.join("hooks"), &mut add);
        for folder in [own.join("plugins"), data.join("plugins")] {
            if there(&folder) && entries(&folder).is_none_or(|found| !found.is_empty()) {
                add(Level::User, &folder, Reading::Text(String::new()));
            }
        }
    }
    if let Some(home) = place.home {
        hooks(Level::User, &home.join("Documents/Cline/Hooks"), &mut add);
    }
    files
}

fn project(place: &Where<'_>, agent: &str, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
    let mut files = Vec::new();
    let mut add = |level, path: &Path, reading| files.extend(listed(place, agent, level, path, reading, sources));
    for folder in [".clinerules/hooks", ".cline/hooks"] {
        hooks(Level::Project, &root.join(folder), &mut add);
    }
    let plugins = root.join(".cline/plugins");
    if there(&plugins) {
        add(Level::Project, &plugins, Reading::Text(String::new()));
    }
    files
}

/// Hooks that are asked before a tool runs, by what they are called.
fn hooks(level: Level, folder: &Path, add: &mut impl FnMut(Level, &Path, Reading)) {
    if !there(folder) {
        return;
    }
    let Some(paths) = entries(folder) else {
        return add(level, &folder.join("PreToolUse"), Reading::Gap(GapReason::NotAsked));
    };
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
        if name.starts_with("pretooluse") {
            add(level, &path, Reading::Text(String::new()));
        }
    }
}

impl Finder for Cline {
    fn gate(&self) -> &'static str {
        "cline"
    }

    fn present(&self, place: &Where<'_>) -> bool {
        folders(place).is_some_and(|(_, data)| there(&data.join("globalState.json")))
            || vscode::extends(place, EXTENSION)
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = shared(place, self.gate(), sources);
        let state = folders(place).map(|(_, data)| data.join("globalState.json"));
        files.extend(state.and_then(|path| listed(place, self.gate(), Level::User, &path, read(&path), sources)));
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        project(place, self.gate(), root, sources)
    }
}

impl Finder for ClineCli {
    fn gate(&self) -> &'static str {
        "cline-cli"
    }

    fn present(&self, place: &Where<'_>) -> bool {
        folders(place).is_some_and(|(own, data)| there(&own) || there(&data))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = shared(place, self.gate(), sources);
        let settings = folders(place).map(|(_, data)| data.join("settings/global-settings.json"));
        let settings = settings.map(|path| named(place, "CLINE_GLOBAL_SETTINGS_PATH", path));
        if place.env.get("CLINE_TOOL_APPROVAL_MODE").is_some_and(|mode| mode.trim() == "desktop") {
            // Approvals come through another program, which may give any.
            let path = Path::new("CLINE_TOOL_APPROVAL_MODE");
            files.extend(listed(place, self.gate(), Level::User, path, Reading::Gap(GapReason::Unsupported), sources));
        }
        files.extend(settings.and_then(|path| listed(place, self.gate(), Level::User, &path, read(&path), sources)));
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        project(place, self.gate(), root, sources)
    }
}
