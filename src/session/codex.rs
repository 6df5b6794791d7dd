//! Where OpenAI Codex keeps its settings. The command line and the editors' extension share them.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, entries, listed, read};
use super::{Finder, Where};

const ID: &str = "codex";

/// The folder of an administrator's files, below the system's, on Linux and on macOS
/// (developers.openai.com/codex/enterprise/managed-configuration).
const SYSTEM: &str = "etc/codex";

/// Where macOS keeps what a device profile sets. What it says is not read.
const PREFERENCES: &str = "Library/Managed Preferences";

/// What a workspace's server delivers is kept in these. How such a copy is used is not documented: if it says
/// anything, what an administrator requires is not known.
const SERVED: [&str; 2] = ["cloud-config-bundle-cache.json", "cloud-requirements-cache.json"];

/// How far above the folder of a session a project's files are looked for.
const HIGHEST: usize = 32;

/// Where OpenAI Codex keeps its settings.
pub(super) struct Codex;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The folder of the user's own settings.
fn home(place: &Where<'_>) -> Option<PathBuf> {
    let set = place.env.get("CODEX_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    set.or_else(|| place.home.map(|home| home.join(".codex")))
}

/// The folders whose `.codex` counts for a session, the nearest first: up to the top of the repository, which is where
/// `.git` is. Another marker may be set, so where there is none all of them may count.
fn projects(place: &Where<'_>, root: &Path) -> Vec<PathBuf> {
    let above = root.ancestors().take(HIGHEST);
    let top = above.clone().position(|folder| there(&folder.join(".git"))).unwrap_or(0);
    let own = home(place);
    let folders = above.take(top + 1).map(|folder| folder.join(".codex"));
    // Where that is the user's own folder it has been read.
    folders.filter(|folder| Some(folder) != own.as_ref()).collect()
}

impl Finder for Codex {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        home(place).is_some_and(|folder| there(&folder))
            || there(&place.system.join(SYSTEM))
            || !preferences(place).is_empty()
            || place.roots.iter().any(|root| projects(place, root).iter().any(|folder| there(folder)))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let system = place.system.join(SYSTEM);
        for name in ["managed_config.toml", "requirements.toml", "config.toml"] {
            let path = system.join(name);
            files.extend(listed(place, ID, Level::Managed, &path, read(&path), sources));
        }
        beside(place, Level::Managed, &system, sources, &mut files);
        for path in preferences(place) {
            files.extend(listed(place, ID, Level::Managed, &path, Reading::Gap(GapReason::Unsupported), sources));
        }
        if let Some(folder) = home(place) {
            for name in SERVED {
                let path = folder.join(name);
                files.extend(listed(place, ID, Level::Managed, &path, served(&path), sources));
            }
            settings(place, Level::User, &folder, sources, &mut files);
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        for folder in projects(place, root) {
            settings(place, Level::Project, &folder, sources, &mut files);
        }
        files
    }
}

/// The settings of one folder, and what lies beside them.
fn settings(place: &Where<'_>, level: Level, folder: &Path, sources: &mut Vec<Source>, files: &mut Vec<FileText>) {
    let path = folder.join("config.toml");
    files.extend(listed(place, ID, level, &path, read(&path), sources));
    beside(place, level, folder, sources, files);
}

/// Rules, hooks and subagents beside a file of settings.
fn beside(place: &Where<'_>, level: Level, folder: &Path, sources: &mut Vec<Source>, files: &mut Vec<FileText>) {
    let hooks = folder.join("hooks.json");
    files.extend(listed(place, ID, level, &hooks, read(&hooks), sources));
    for (name, ending) in [("rules", "rules"), ("agents", "toml")] {
        let inner = folder.join(name);
        let Ok(kind) = inner.symlink_metadata() else { continue };
        match entries(&inner).filter(|_| kind.is_dir()) {
            Some(paths) => {
                let wanted = paths.into_iter().filter(|path| path.extension().is_some_and(|own| own == ending));
                files.extend(wanted.filter_map(|path| listed(place, ID, level, &path, read(&path), sources)));
            }
            // A link, a folder that is not shown or one that was made to keep us busy: what lies in it is not known.
            None => files.extend(listed(place, ID, level, &inner, Reading::Gap(GapReason::NotAsked), sources)),
        }
    }
}

/// What a device profile sets, for the machine and for each user.
fn preferences(place: &Where<'_>) -> Vec<PathBuf> {
    const NAME: &str = "com.openai.codex.plist";
    let folder = place.system.join(PREFERENCES);
    let inner = entries(&folder).unwrap_or_default().into_iter().map(|path| path.join(NAME));
    std::iter::once(folder.join(NAME)).chain(inner).filter(|path| there(path)).collect()
}

/// What a server delivered: nothing, or something that is not understood.
fn served(path: &Path) -> Reading {
    match read(path) {
        Reading::Text(text) => {
            let json: Option<serde_json::Value> = serde_json::from_str(&text).ok();
            let bundle = json.as_ref().and_then(|json| json.get("signed_payload")?.get("bundle"));
            if bundle.is_some_and(hollow) { Reading::Absent } else { Reading::Gap(GapReason::Unsupported) }
        }
        other @ (Reading::Absent | Reading::Gap(_)) => other,
    }
}

/// Whether there is nothing in it but lists and tables of nothing.
fn hollow(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Null => true,
        serde_json::Value::Array(list) => list.iter().all(hollow),
        serde_json::Value::Object(table) => table.values().all(hollow),
        serde_json::Value::Bool(_) | serde_json::Value::Number(_) | serde_json::Value::String(_) => false,
    }
}
