//! Where the Amazon Q Developer CLI keeps its settings and its agents.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, entries, listed, read};
use super::{Finder, Where};

const ID: &str = "amazon-q";

/// Folders of agents, below the home and below a project (aws/amazon-q-developer-cli `crates/chat-cli/src/util/paths.rs`).
const AGENTS: (&str, &str) = (".aws/amazonq/cli-agents", ".amazonq/cli-agents");

/// Where the Amazon Q Developer CLI keeps its settings.
pub(super) struct AmazonQ;

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The folders of its settings: on Linux, on macOS.
fn data(place: &Where<'_>) -> Vec<PathBuf> {
    let named = place.env.get("XDG_DATA_HOME").filter(|path| path.starts_with('/')).map(PathBuf::from);
    let own = |below: &str| place.home.map(|home| home.join(below));
    let usual = named.or_else(|| own(".local/share"));
    usual.into_iter().chain(own("Library/Application Support")).map(|folder| folder.join("amazon-q")).collect()
}

fn agents(place: &Where<'_>, level: Level, folder: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
    let Ok(kind) = folder.symlink_metadata() else { return Vec::new() };
    let mut files = Vec::new();
    let mut add = |path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
    match entries(folder).filter(|_| kind.is_dir()) {
        None => add(folder, Reading::Gap(GapReason::NotAsked)),
        Some(paths) => {
            for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
                add(path, read(path));
            }
        }
    }
    files
}

impl Finder for AmazonQ {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        place.home.is_some_and(|home| there(&home.join(AGENTS.0)))
            || data(place).iter().any(|folder| there(folder))
            || place.roots.iter().any(|root| there(&root.join(AGENTS.1)))
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        for path in data(place).into_iter().map(|folder| folder.join("settings.json")) {
            files.extend(listed(place, ID, Level::User, &path, read(&path), sources));
        }
        let folder = place.home.map(|home| home.join(AGENTS.0));
        files.extend(folder.into_iter().flat_map(|folder| agents(place, Level::User, &folder, sources)));
        files
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        // In the home there are those of the user alone.
        if place.home == Some(root) {
            return Vec::new();
        }
        agents(place, Level::Project, &root.join(AGENTS.1), sources)
    }
}
