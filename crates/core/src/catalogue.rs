//! The built-in catalogue of destroying operations (floor 1).
//!
//! It says of every kind of resource which operations of its provider leave the data unreadable, and whether what lies
//! below the resource goes too. Removing a copy and lifting a protection are not in it: they are steps towards one.

use serde::Deserialize;
use std::sync::LazyLock;

use crate::model::Action;
use crate::time::{Span, Time};

const DATA: &str = include_str!("../data/actions.yaml");

/// What the catalogue says of one provider, and where that is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// The provider.
    pub provider: String,
    /// Where it was read.
    pub source: String,
    /// When someone last compared it with that.
    pub reviewed: Time,
    /// The operations.
    pub actions: Vec<Action>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenChapter {
    provider: String,
    source: String,
    reviewed: Time,
    actions: Vec<WrittenAction>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAction {
    action: String,
    kind: String,
    #[serde(default)]
    takes_children: bool,
    #[serde(default)]
    chosen: Option<String>,
    #[serde(default)]
    takes: Option<Span>,
    #[serde(default)]
    guarded_by: Option<String>,
    because: String,
    #[serde(default)]
    reference: Option<String>,
}

static CHAPTERS: LazyLock<Vec<Chapter>> = LazyLock::new(|| read(DATA).unwrap_or_default());

fn read(yaml: &str) -> Result<Vec<Chapter>, serde_yaml::Error> {
    let written: Vec<WrittenChapter> = serde_yaml::from_str(yaml)?;
    Ok(written.into_iter().map(chapter).collect())
}

fn chapter(written: WrittenChapter) -> Chapter {
    let WrittenChapter { provider, source, reviewed, actions } = written;
    let action = |written: WrittenAction| Action {
        action: written.action,
        provider: provider.clone(),
        kind: written.kind,
        takes_children: written.takes_children,
        chosen: written.chosen,
        takes: written.takes,
        guarded_by: written.guarded_by,
        because: written.because,
        reference: written.reference,
    };
    let actions = actions.into_iter().map(action).collect();
    Chapter { provider, source, reviewed, actions }
}

/// The catalogue, provider by provider.
#[must_use]
pub fn chapters() -> &'static [Chapter] {
    &CHAPTERS
}

/// Every entry of the catalogue.
#[must_use]
pub fn actions() -> Vec<Action> {
    CHAPTERS.iter().flat_map(|chapter| chapter.actions.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_catalogue_is_read_whole() {
        let chapters = read(DATA).unwrap();
        assert!(chapters.len() >= 16, "{}", chapters.len());
        assert_eq!(chapters, *CHAPTERS);
    }

    #[test]
    fn every_chapter_says_where_it_is_from_and_when_it_was_reviewed() {
        for chapter in chapters() {
            assert!(!chapter.source.is_empty(), "{}", chapter.provider);
            assert!(chapter.reviewed > "2026-01-01".parse().unwrap(), "{}", chapter.provider);
            assert!(!chapter.actions.is_empty(), "{}", chapter.provider);
        }
    }

    #[test]
    fn every_entry_is_told_once_and_in_a_sentence() {
        let mut seen = BTreeSet::new();
        for action in actions() {
            assert!(seen.insert((action.provider.clone(), action.kind.clone(), action.action.clone())), "{action:?}");
            assert!(action.because.ends_with('.'), "{action:?}");
            let snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(action.kind.chars().all(snake) && action.provider.chars().all(snake), "{action:?}");
            assert!(!action.action.contains('*'), "{action:?}");
            let https = |url: &String| url.starts_with("https://");
            assert!(action.reference.as_ref().is_none_or(https), "{action:?}");
        }
    }

    #[test]
    fn no_entry_only_removes_a_copy_or_lifts_a_protection() {
        let steps = ["Snapshot", "Backup", "RecoveryPoint", "ModifyDBInstance", "UpdateTerminationProtection"];
        for action in actions().into_iter().filter(|action| action.provider == "aws") {
            let copies = ["snapshot", "backup", "recovery_point", "vault"];
            let of_a_copy = copies.iter().any(|kind| action.kind.ends_with(kind));
            // Putting a snapshot in the place of what is there destroys that.
            let over =
                ["RestoreVolume", "AndUpdateVolume", "RestoreFrom"].iter().any(|word| action.action.contains(word));
            let only_step = !over && steps.iter().any(|word| action.action.contains(word));
            assert!(!only_step || of_a_copy, "{action:?}");
        }
    }
}
