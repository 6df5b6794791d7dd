//! A settings file among those that are merged (floor 2).

use crate::gate::{Level, Place};

pub(super) use crate::gate::tree::{Item, Value, toml as read};

/// Where a file stands among those that are merged, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// `managed_config.toml`.
    Managed,
    /// A profile or a subagent, which is laid over what the files say.
    Over,
    /// `.codex/config.toml` of a project.
    Project,
    /// The user's own.
    User,
    /// What an administrator gives to begin with.
    System,
}

/// A settings file that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) rank: Rank,
    pub(super) level: Level,
    pub(super) path: String,
    pub(super) root: Item,
}

impl Layer {
    pub(super) fn place(&self, item: &Item) -> Place {
        Place { path: self.path.clone(), line: Some(item.line) }
    }
}
