//! Where GitHub Copilot CLI keeps its settings, approvals, hooks, skills and plugins.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::copilot::SERVER;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, entries, listed, read};
use super::{Finder, Where};

const ID: &str = "copilot-cli";

/// Where an administrator puts settings, below the system's folder, on Linux and on macOS (docs.github.com, Copilot CLI
/// configuration directory).
const MANAGED: [&str; 2] = ["etc/github-copilot", "Library/Application Support/GitHubCopilot"];

/// What macOS keeps of a device profile. What it says is not read.
const PREFERENCES: &str = "Library/Managed Preferences/com.github.copilot.plist";

/// How far above the folder of a session its repository may begin.
const HIGHEST: usize = 32;

/// Where GitHub Copilot CLI keeps its settings.
pub(super) struct CopilotCli;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The folder of the user's own settings.
fn home(place: &Where<'_>) -> Option<PathBuf> {
    let set = place.env.get("COPILOT_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    set.or_else(|| place.home.map(|home| home.join(".copilot")))
}

/// The folders from the session's to the top of its repository, and under which name approvals for it are kept: those of a
/// linked worktree are those of the repository that it belongs to. None if the name is not known.
fn repository(root: &Path) -> (Vec<PathBuf>, Option<PathBuf>) {
    let above: Vec<PathBuf> = root.ancestors().take(HIGHEST).map(Path::to_path_buf).collect();
    let Some(top) = above.iter().position(|folder| there(&folder.join(".git"))) else {
        return (vec![root.to_path_buf()], Some(root.to_path_buf()));
    };
    let folders: Vec<PathBuf> = above.into_iter().take(top + 1).collect();
    let top = folders.last().cloned().unwrap_or_else(|| root.to_path_buf());
    let git = top.join(".git");
    if git.is_dir() {
        return (folders, Some(top));
    }
    let named = match read(&git) {
        Reading::Text(text) => text.trim().strip_prefix("gitdir:").map(|path| top.join(path.trim())),
        Reading::Absent | Reading::Gap(_) => None,
    };
    let key = named.and_then(|path| {
        let mut parents = path.ancestors();
        let worktrees = parents.nth(1)?.file_name()?.to_str()? == "worktrees";
        // Its own folder where it is a part of another repository.
        if worktrees { parents.nth(1).map(Path::to_path_buf) } else { Some(top.clone()) }
    });
    (folders, key)
}

impl Finder for CopilotCli {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        home(place).is_some_and(|folder| there(&folder))
            || MANAGED.iter().any(|path| there(&place.system.join(path)))
            || place.roots.iter().any(|root| there(&root.join(".github/copilot/settings.json")))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        for folder in MANAGED.map(|path| place.system.join(path)) {
            let path = folder.join("managed-settings.json");
            add(Level::Managed, &path, read(&path));
        }
        add(Level::Managed, Path::new(SERVER), Reading::Gap(GapReason::Unsupported));
        let preferences = place.system.join(PREFERENCES);
        if there(&preferences) {
            add(Level::Managed, &preferences, Reading::Gap(GapReason::Unsupported));
        }
        if let Some(folder) = home(place) {
            for (level, name) in [(Level::State, "config.json"), (Level::User, "settings.json")] {
                let path = folder.join(name);
                add(level, &path, read(&path));
            }
            let kept = folder.join("permissions-config.json");
            // What older versions called it counts where the newer is not there.
            let kept = if there(&kept) { kept } else { folder.join("permissions-config") };
            add(Level::State, &kept, read(&kept));
            inner(Level::User, &folder.join("hooks"), &["json"], &mut add);
            inner(Level::User, &folder.join("agents"), &["md"], &mut add);
            extensions(Level::User, &folder.join("extensions"), &mut add);
            skills(Level::User, &folder.join("skills"), &mut add);
            let plugins = folder.join("installed-plugins");
            if entries(&plugins).is_none_or(|found| !found.is_empty()) && there(&plugins) {
                add(Level::User, &plugins, Reading::Gap(GapReason::NotAsked));
            }
        }
        if let Some(home) = place.home {
            skills(Level::User, &home.join(".agents/skills"), &mut add);
        }
        let more = |name: &str| place.env.get(name).filter(|set| !set.is_empty());
        for folder in more("COPILOT_SKILLS_DIRS").into_iter().flat_map(|set| set.split(',')) {
            skills(Level::User, Path::new(folder.trim()), &mut add);
        }
        for name in ["COPILOT_ALLOW_ALL", "COPILOT_ASSISTED_APPROVAL"] {
            if let Some(word) = more(name) {
                add(Level::User, Path::new(name), Reading::Text(word.clone()));
            }
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        let (folders, key) = repository(root);
        for folder in &folders {
            for (level, name) in [
                (Level::Project, ".github/copilot/settings.json"),
                (Level::Local, ".github/copilot/settings.local.json"),
                (Level::Project, ".claude/settings.json"),
                (Level::Local, ".claude/settings.local.json"),
            ] {
                // The home's are another agent's own.
                let path = folder.join(name);
                if place.home != Some(folder) || name.starts_with(".github") {
                    add(level, &path, read(&path));
                }
            }
            inner(Level::Project, &folder.join(".github/hooks"), &["json"], &mut add);
            extensions(Level::Project, &folder.join(".github/extensions"), &mut add);
            for name in [".github", ".agents", ".claude"] {
                skills(Level::Project, &folder.join(name).join("skills"), &mut add);
            }
            for name in [".github/agents", ".claude/agents", ".claude/commands"] {
                inner(Level::Project, &folder.join(name), &["md"], &mut add);
            }
        }
        // Where it is not known under which name approvals are kept, any of them may count.
        match key {
            Some(key) => {
                let text = key.display().to_string();
                add(Level::State, Path::new("--location"), Reading::Text(text));
            }
            None => add(Level::State, &root.join(".git"), Reading::Gap(GapReason::NotAsked)),
        }
        files
    }
}

/// Files of some kinds in a folder.
fn inner(level: Level, folder: &Path, endings: &[&str], add: &mut impl FnMut(Level, &Path, Reading)) {
    let Ok(kind) = folder.symlink_metadata() else { return };
    let Some(paths) = entries(folder).filter(|_| kind.is_dir()) else {
        return add(level, folder, Reading::Gap(GapReason::NotAsked));
    };
    for path in paths {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if endings.contains(&ending) {
            add(level, &path, read(&path));
        }
    }
}

/// Programs that are loaded, each a file or a folder.
fn extensions(level: Level, folder: &Path, add: &mut impl FnMut(Level, &Path, Reading)) {
    if !there(folder) {
        return;
    }
    match entries(folder) {
        Some(paths) => paths.iter().for_each(|path| add(level, path, Reading::Text(String::new()))),
        None => add(level, folder, Reading::Gap(GapReason::NotAsked)),
    }
}

/// Skills, each in a folder of its own.
fn skills(level: Level, folder: &Path, add: &mut impl FnMut(Level, &Path, Reading)) {
    if !there(folder) {
        return;
    }
    match entries(folder) {
        Some(paths) => {
            for path in paths.iter().map(|path| path.join("SKILL.md")) {
                add(level, &path, read(&path));
            }
        }
        None => add(level, folder, Reading::Gap(GapReason::NotAsked)),
    }
}
