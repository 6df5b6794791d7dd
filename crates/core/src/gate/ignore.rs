//! Ignore files: what an agent's own tools do not read (floor 2).
//!
//! `.cursorignore` binds those tools and no shell command or MCP server (cursor.com/docs/reference/ignore-file), nor does
//! `.geminiignore`. Only what is plain in it is taken to hide a file: a line that cannot be understood hides nothing, and
//! one that lifts a line above it lifts it.

use crate::gate::{Ground, Place, pattern};

/// The most lines that are looked at. Beyond that the file hides nothing.
const LONGEST: usize = 2_000;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ignored {
    hides: Vec<(String, Place)>,
    lifts: bool,
}

impl Ignored {
    /// Reads the file.
    pub(super) fn parse(path: &str, text: &str, ground: &Ground) -> Self {
        let mut found = Self::default();
        if text.lines().count() > LONGEST {
            return found;
        }
        for (at, line) in text.lines().enumerate() {
            // A blank that a line begins with is part of the pattern (gitignore), but for readers that leave it out.
            let blank = line.starts_with(char::is_whitespace);
            let line = line.trim();
            // A line that lifts others may lift any of them.
            found.lifts = found.lifts || line.starts_with('!');
            let strange = blank || line.contains(['?', '[', ']', '\\', '{']) || line.len() > 200;
            if line.is_empty() || line.starts_with(['#', '!']) || strange {
                continue;
            }
            let bare = line.trim_end_matches('/');
            let anchored = if bare.contains('/') {
                format!("{}/{}", ground.root, bare.trim_start_matches('/'))
            } else {
                format!("{}/**/{bare}", ground.root)
            };
            let place = Place { path: path.to_owned(), line: Some(at as u64 + 1) };
            found.hides.push((anchored, place));
        }
        found
    }

    /// Where it says that a file, named by its absolute path, is hidden. A folder's line hides what lies in it.
    pub(super) fn hides(&self, path: &str) -> Option<&Place> {
        if self.lifts {
            return None;
        }
        // `*` stays within one folder, which is how the parts are matched.
        self.hides.iter().find(|(hidden, _)| pattern::covers(hidden, path)).map(|(_, place)| place)
    }
}
