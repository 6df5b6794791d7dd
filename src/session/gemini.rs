//! Where Gemini CLI keeps its settings, policies and extensions.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, entries, listed, read};
use super::{Finder, Where};

const ID: &str = "gemini-cli";

/// The folder of an administrator's files, below the system's, on Linux and on macOS (google-gemini/gemini-cli
/// `packages/core/src/config/storage.ts`).
const SYSTEM: [&str; 2] = ["etc/gemini-cli", "Library/Application Support/GeminiCli"];

/// What the weakest of all settings files is called. What lies elsewhere is told by that name.
const DEFAULTS: &str = "system-defaults.json";

/// How the variables begin that say where its files lie.
const VARIABLES: &str = "GEMINI_CLI_";

/// Where Gemini CLI keeps its settings.
pub(super) struct Gemini;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn set(place: &Where<'_>, name: &str) -> Option<PathBuf> {
    place.env.get(name).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The folder of the user's own settings. `GEMINI_CLI_HOME` stands for the home.
fn home(place: &Where<'_>) -> Option<PathBuf> {
    set(place, "GEMINI_CLI_HOME").or_else(|| place.home.map(Path::to_path_buf)).map(|home| home.join(".gemini"))
}

impl Finder for Gemini {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        home(place).is_some_and(|folder| there(&folder))
            || SYSTEM.iter().any(|path| there(&place.system.join(path)))
            || place.roots.iter().any(|root| there(&root.join(".gemini")) || there(&root.join(".geminiignore")))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| {
            let file = listed(place, ID, level, path, reading, sources);
            files.extend(file.map(|file| FileText { writable: file.writable || !kept(level, path), ..file }));
        };
        let named = set(place, "GEMINI_CLI_SYSTEM_SETTINGS_PATH");
        let defaults = set(place, "GEMINI_CLI_SYSTEM_DEFAULTS_PATH");
        for system in SYSTEM.map(|path| place.system.join(path)) {
            // Another file may be named in the place of the system's, and the defaults then lie beside it.
            let settings = named.clone().unwrap_or_else(|| system.join("settings.json"));
            let beside = || settings.with_file_name(DEFAULTS);
            let defaults = defaults.clone().unwrap_or_else(beside);
            add(Level::Managed, &settings, unless(settings.ends_with(DEFAULTS), &settings));
            add(Level::Managed, &defaults, unless(!defaults.ends_with(DEFAULTS), &defaults));
            policies(Level::Managed, &system.join("policies"), &mut add);
        }
        if let Some(folder) = home(place) {
            let trust = set(place, "GEMINI_CLI_TRUSTED_FOLDERS_PATH");
            let trust = trust.unwrap_or_else(|| folder.join("trustedFolders.json"));
            add(Level::State, &trust, read(&trust));
            let path = folder.join("settings.json");
            add(Level::User, &path, read(&path));
            policies(Level::User, &folder.join("policies"), &mut add);
            extensions(&folder.join("extensions"), &mut add);
        }
        if let Some(trusted) =
            place.env.get("GEMINI_CLI_TRUST_WORKSPACE").filter(|word| matches!(word.as_str(), "true" | "false"))
        {
            add(Level::State, Path::new("--trusted"), Reading::Text(trusted.clone()));
        }
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        let folder = root.join(".gemini");
        // Where the folder is the home its settings are the user's and have been read.
        if home(place).as_ref() != Some(&folder) {
            let path = folder.join("settings.json");
            add(Level::Project, &path, read(&path));
            policies(Level::Project, &folder.join("policies"), &mut add);
        }
        let path = root.join(".geminiignore");
        add(Level::Project, &path, read(&path));
        // It takes variables from the nearest of these, and some move the folders that its files lie in.
        let home = place.home.into_iter();
        for path in root.ancestors().chain(home).flat_map(|folder| [folder.join(".gemini/.env"), folder.join(".env")]) {
            match read(&path) {
                Reading::Text(text) if !text.contains(VARIABLES) => {}
                Reading::Absent => {}
                Reading::Text(_) => add(Level::Project, &path, Reading::Gap(GapReason::NotAsked)),
                Reading::Gap(reason) => add(Level::Project, &path, Reading::Gap(reason)),
            }
        }
        files
    }
}

/// Whether the agent surely honours an administrator's file: it passes over what is not root's own, or may be written by
/// others. Of policies it looks at their folder; of settings at the file and at every folder above it, as they are named
/// and as links lead (google-gemini/gemini-cli `packages/core/src/utils/security.ts`).
fn kept(level: Level, path: &Path) -> bool {
    let own = |path: &Path| path.metadata().is_ok_and(|meta| meta.uid() == 0 && meta.mode() & 0o022 == 0);
    let link = |path: &Path| path.symlink_metadata().is_ok_and(|meta| meta.uid() == 0);
    if level != Level::Managed {
        return true;
    }
    if path.extension().is_some_and(|ending| ending == "toml") {
        return path.parent().is_some_and(|folder| own(folder) && link(folder));
    }
    let led = path.canonicalize().unwrap_or_default();
    led.is_absolute() && path.ancestors().chain(led.ancestors()).all(|path| own(path) && link(path))
}

/// The text of a file, but for one whose name says that it is something else.
fn unless(odd: bool, path: &Path) -> Reading {
    if odd && there(path) { Reading::Gap(GapReason::Unsupported) } else { read(path) }
}

/// The policy files of one folder.
fn policies(level: Level, folder: &Path, add: &mut impl FnMut(Level, &Path, Reading)) {
    let Ok(kind) = folder.symlink_metadata() else { return };
    match entries(folder).filter(|_| kind.is_dir()) {
        Some(paths) => {
            for path in paths.into_iter().filter(|path| path.extension().is_some_and(|own| own == "toml")) {
                add(level, &path, read(&path));
            }
        }
        // What lies in a link or a folder that is not shown is not known.
        None => add(level, &folder.join("policies.toml"), Reading::Gap(GapReason::NotAsked)),
    }
}

/// What extensions bring: their servers by their manifests, hooks and policies beside these.
fn extensions(folder: &Path, add: &mut impl FnMut(Level, &Path, Reading)) {
    let Ok(kind) = folder.symlink_metadata() else { return };
    let Some(paths) = entries(folder).filter(|_| kind.is_dir()) else {
        return add(Level::State, &folder.join("gemini-extension.json"), Reading::Gap(GapReason::NotAsked));
    };
    for extension in paths {
        let manifest = extension.join("gemini-extension.json");
        if !there(&manifest) && !extension.is_symlink() {
            continue;
        }
        // A linked extension lies elsewhere; that it is there is enough.
        let reading = match read(&manifest) {
            Reading::Text(text) => Reading::Text(text),
            Reading::Absent | Reading::Gap(_) => Reading::Text("{}".to_owned()),
        };
        add(Level::State, &manifest, reading);
        let hooks = extension.join("hooks").join("hooks.json");
        add(Level::State, &hooks, read(&hooks));
        policies(Level::State, &extension.join("policies"), add);
    }
}
