//! Where the Continue CLI keeps its rules, and the files of hooks that it reads.

use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{FileText, Level};
use deadstop_core::model::Source;

use super::read::{Reading, listed, read};
use super::{Finder, Where};

const ID: &str = "continue-cli";

/// The variable that says where its files lie (continuedev/continue `extensions/cli/src/env.ts`).
const VARIABLE: &str = "CONTINUE_GLOBAL_DIR";

/// Where the Continue CLI keeps its rules.
pub(super) struct ContinueCli;

fn folder(place: &Where<'_>) -> Option<PathBuf> {
    let named = place.env.get(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    named.or_else(|| place.home.map(|home| home.join(".continue")))
}

impl Finder for ContinueCli {
    fn gate(&self) -> &'static str {
        ID
    }

    fn present(&self, place: &Where<'_>) -> bool {
        // It writes its file of rules when it is started first. The extensions of editors share the folder, and have none.
        folder(place).is_some_and(|folder| folder.join("permissions.yaml").symlink_metadata().is_ok())
    }

    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
        let own = folder(place)
            .into_iter()
            .flat_map(|folder| ["permissions.yaml", "settings.json"].map(|name| folder.join(name)));
        let other = place.home.map(|home| home.join(".claude/settings.json"));
        own.chain(other).filter_map(|path| listed(place, ID, Level::User, &path, read(&path), sources)).collect()
    }

    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
        let mut files = Vec::new();
        let mut add = |level, path: &Path, reading| files.extend(listed(place, ID, level, path, reading, sources));
        for name in [".claude", ".continue"] {
            for (level, file) in [(Level::Project, "settings.json"), (Level::Local, "settings.local.json")] {
                let path = root.join(name).join(file);
                // In the home these are the user's, and have been read.
                if level == Level::Local || place.home != Some(root) {
                    add(level, &path, read(&path));
                }
            }
        }
        // It takes variables from a file of the folder that it is started in, unless they are set.
        let path = root.join(".env");
        let reading = if place.env.contains_key(VARIABLE) { Reading::Absent } else { read(&path) };
        match reading {
            Reading::Text(text) if text.contains(VARIABLE) => {
                add(Level::Project, &path, Reading::Gap(GapReason::NotAsked))
            }
            Reading::Absent | Reading::Text(_) => {}
            Reading::Gap(reason) => add(Level::Project, &path, Reading::Gap(reason)),
        }
        files
    }
}
