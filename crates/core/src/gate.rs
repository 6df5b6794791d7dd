//! What an agent's own approval gate does with a call: settings text in, decisions out (floor 2).
//!
//! Nothing here reads a file or runs a hook. What the agent's documentation does not say stays open between two
//! decisions, and never becomes a refusal.

pub mod claude_code;
mod pattern;
pub mod shell;

use crate::fact::Fact;

/// Whose settings a file holds, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the agent remembers by itself: trust in folders, servers added by hand.
    State,
    /// The user's settings for every project.
    User,
    /// The project's settings, shared with everyone who has the repository.
    Project,
    /// The user's settings for this project.
    Local,
    /// Settings that an administrator put there.
    Managed,
}

/// A settings file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileText {
    /// Whose settings it holds.
    pub level: Level,
    /// Where it lies, as it is shown.
    pub path: String,
    /// What it says, or why that is not known. A file that is not there is left out.
    pub text: Fact<String>,
    /// Whether the session's own user may write it. A managed file that the user may write binds nobody.
    pub writable: bool,
}

/// A line in a settings file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub path: String,
    /// The line, from 1, if it was found.
    pub line: Option<u64>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.path),
            None => f.write_str(&self.path),
        }
    }
}
