//! Where agent mode in Visual Studio Code keeps its settings, and signs of what it keeps where it is not read.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, entries, listed, read};
use super::{Finder, Where};

const ID: &str = "vscode";

/// Where its variants keep the user's data, below the home, on Linux and on macOS (code.visualstudio.com/docs,
/// configure/settings; github.com/coder/code-server).
const DATA: [&str; 10] = [
    ".config/Code",
    ".config/Code - Insiders",
    ".config/VSCodium",
    ".local/share/code-server",
    "Library/Application Support/Code",
    "Library/Application Support/Code - Insiders",
    "Library/Application Support/VSCodium",
    ".vscode-oss-dev",
    ".var/app/com.visualstudio.code/config/Code",
    ".var/app/com.vscodium.codium/config/VSCodium",
];

/// What the folders of its variants are called where a variable says what they lie in.
const PRODUCTS: [&str; 5] = ["Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf"];

/// Where the part that works on this machine keeps its data, where the window is on another.
const SERVERS: [&str; 3] = [".vscode-server/data", ".vscode-server-insiders/data", ".vscode-remote/data"];

/// Where an administrator puts settings on Linux (code.visualstudio.com/docs/enterprise/policies), and the profile of
/// macOS, of which nothing is read.
const MANAGED: &str = "etc/vscode/policy.json";
const PREFERENCES: &str = "Library/Managed Preferences/com.microsoft.VSCode.plist";

/// How far above the folder of a session its repository may begin.
const HIGHEST: usize = 32;

/// The most names that are looked at for those of one ending.
const MANY: usize = 16_384;

/// Where agent mode keeps its settings.
pub(super) struct VsCode;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The folders of the user's data that are there. A portable one stands for all others.
fn data(place: &Where<'_>) -> Vec<PathBuf> {
    let portable = place.env.get("VSCODE_PORTABLE").filter(|path| !path.is_empty());
    let portable = portable.map(|path| Path::new(path).join("user-data"));
    let homes = place.home.into_iter().flat_map(|home| DATA.iter().map(|name| home.join(name)));
    // Variables name the folder that those of all programs lie in (microsoft/vscode `userDataPath.ts`).
    let named = ["VSCODE_APPDATA", "XDG_CONFIG_HOME"].iter().filter_map(|name| place.env.get(*name));
    let named = named.filter(|path| !path.is_empty());
    let named = named.flat_map(|base| PRODUCTS.iter().map(move |name| Path::new(base).join(name)));
    let mut found: Vec<PathBuf> =
        homes.chain(portable).chain(named).filter(|folder| there(&folder.join("User"))).collect();
    found.sort();
    found.dedup();
    found
}

/// Where other editors of its kind keep theirs: extensions may be in any of them.
const OTHERS: [&str; 4] = [
    ".config/Cursor",
    ".config/Windsurf",
    "Library/Application Support/Cursor",
    "Library/Application Support/Windsurf",
];

/// Folders that extensions lie in, below the home.
const EXTENSIONS: [&str; 7] = [
    ".vscode/extensions",
    ".vscode-insiders/extensions",
    ".vscode-oss/extensions",
    ".vscode-server/extensions",
    ".cursor/extensions",
    ".windsurf/extensions",
    ".local/share/code-server/extensions",
];

/// The user's folders in every editor of its kind.
pub(super) fn editors(place: &Where<'_>) -> Vec<PathBuf> {
    let others = place.home.into_iter().flat_map(|home| OTHERS.iter().map(|name| home.join(name)));
    let others = others.filter(|folder| there(&folder.join("User")));
    data(place).into_iter().chain(others).map(|folder| folder.join("User")).collect()
}

/// The folders of the part that works here for a window on another machine.
pub(super) fn servers(place: &Where<'_>) -> Vec<PathBuf> {
    let all = place.home.into_iter().flat_map(|home| SERVERS.map(|name| home.join(name)));
    all.filter(|folder| there(folder)).collect()
}

/// Whether an extension is in any of them: by its own folder, or by what it keeps.
pub(super) fn extends(place: &Where<'_>, name: &str) -> bool {
    let begins = |path: &PathBuf| {
        path.file_name().and_then(|own| own.to_str()).is_some_and(|own| own.to_lowercase().starts_with(name))
    };
    let folders = place.home.into_iter().flat_map(|home| EXTENSIONS.iter().map(|folder| home.join(folder)));
    let kept = editors(place).into_iter().map(|folder| folder.join("globalStorage"));
    let kept = kept.chain(servers(place).into_iter().map(|folder| folder.join("User/globalStorage")));
    // A folder that is not shown, or holds more than is looked at, may hold it.
    folders
        .chain(kept)
        .filter(|folder| there(folder))
        .any(|folder| entries(&folder).is_none_or(|all| all.iter().any(begins)))
}

impl Finder for VsCode {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        !data(place).is_empty() || !servers(place).is_empty()
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        let managed = place.system.join(MANAGED);
        add(Level::Managed, &managed, read(&managed));
        let preferences = place.system.join(PREFERENCES);
        if there(&preferences) {
            add(Level::Managed, &preferences, Reading::Gap(GapReason::Unsupported));
        }
        for folder in data(place).iter().map(|folder| folder.join("User")) {
            // One without settings of its own is one all the same.
            let own = |path: &Path| match read(path) {
                Reading::Absent => Reading::Text("{}".to_owned()),
                reading @ (Reading::Text(_) | Reading::Gap(_)) => reading,
            };
            let path = folder.join("settings.json");
            add(Level::User, &path, own(&path));
            let profiles = folder.join("profiles");
            if there(&profiles) {
                match entries(&profiles) {
                    Some(paths) => {
                        for path in paths.iter().map(|path| path.join("settings.json")) {
                            add(Level::User, &path, own(&path));
                        }
                    }
                    None => add(Level::User, &profiles, Reading::Gap(GapReason::NotAsked)),
                }
            }
            // A window in a browser keeps it there, so it counts though there is no file.
            let state = folder.join("globalStorage/state.vscdb");
            add(Level::State, &state, Reading::Text(String::new()));
        }
        for folder in servers(place) {
            let path = folder.join("Machine/settings.json");
            add(Level::User, &path, read(&path));
            // The user's own settings lie on the machine that the window is on.
            add(Level::User, &folder.join("User/settings.json"), Reading::Gap(GapReason::Unsupported));
        }
        if let Some(home) = place.home {
            hooks(Level::User, &home.join(".copilot/hooks"), &mut add);
            for name in [".copilot/agents", ".claude/agents"] {
                ending(Level::User, &home.join(name), "md", &mut add);
            }
            let path = home.join(".claude/settings.json");
            add(Level::User, &path, read(&path));
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        for name in [
            ".vscode/settings.json",
            ".vscode/tasks.json",
            ".devcontainer/devcontainer.json",
            ".devcontainer.json",
            ".claude/settings.json",
            ".claude/settings.local.json",
        ] {
            let path = root.join(name);
            if place.home != Some(root) || !name.starts_with(".claude") {
                add(Level::Project, &path, read(&path));
            }
        }
        ending(Level::Project, root, "code-workspace", &mut add);
        // Of containers there may be several, each in a folder of its own.
        let containers = root.join(".devcontainer");
        match entries(&containers) {
            Some(paths) => {
                for path in paths.iter().map(|path| path.join("devcontainer.json")) {
                    add(Level::Project, &path, read(&path));
                }
            }
            None if there(&containers) => add(Level::Project, &containers, Reading::Gap(GapReason::NotAsked)),
            None => {}
        }
        // Those of the top of its repository may count as well.
        let above: Vec<&Path> = root.ancestors().take(HIGHEST).collect();
        let top = above.iter().position(|folder| there(&folder.join(".git"))).unwrap_or(0);
        for folder in above.iter().take(top + 1) {
            hooks(Level::Project, &folder.join(".github/hooks"), &mut add);
        }
        for name in [".github/agents", ".claude/agents"] {
            ending(Level::Project, &root.join(name), "md", &mut add);
        }
        files
    }
}

/// Files of a folder whose names have an ending. One that is not shown, or holds more than is looked at, is not read.
fn ending(level: Level, folder: &Path, ending: &str, add: &mut impl FnMut(Level, &Path, Reading)) {
    if !there(folder) {
        return;
    }
    let names: Option<Vec<_>> = folder.read_dir().ok().and_then(|all| all.take(MANY + 1).map(Result::ok).collect());
    let Some(names) = names.filter(|names| names.len() <= MANY) else {
        return add(level, folder, Reading::Gap(GapReason::NotAsked));
    };
    let fits = |path: &PathBuf| path.extension().is_some_and(|own| own == ending);
    let mut paths: Vec<PathBuf> = names.into_iter().map(|entry| entry.path()).filter(fits).collect();
    paths.sort();
    for path in paths {
        add(level, &path, read(&path));
    }
}

/// Files of hooks in a folder.
fn hooks(level: Level, folder: &Path, add: &mut impl FnMut(Level, &Path, Reading)) {
    let Ok(kind) = folder.symlink_metadata() else { return };
    let Some(paths) = entries(folder).filter(|_| kind.is_dir()) else {
        return add(level, folder, Reading::Gap(GapReason::NotAsked));
    };
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
        add(level, path, read(path));
    }
}
