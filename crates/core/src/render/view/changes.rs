//! What changed since an earlier assessment (floor 3).

use serde::Serialize;

use super::Rows;
use crate::diff::Diff;
use crate::diff::text::{Section, cause, not_compared, sections};
use crate::render::edition::Audience;
use crate::render::shown::Shown;

/// The lines of one kind that are spelled out.
const LINES: usize = 50;

/// What changed.
#[derive(Debug, Serialize)]
pub(crate) struct Changes {
    /// The day that the earlier assessment speaks of.
    pub(crate) since: String,
    /// Its answer.
    pub(crate) before: Shown,
    /// The answer now.
    pub(crate) after: Shown,
    /// What must be known to read the rest.
    pub(crate) notes: Vec<Shown>,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) total: usize,
}

/// Changes of one kind.
#[derive(Debug, Serialize)]
pub(crate) struct Kind {
    pub(crate) title: &'static str,
    pub(crate) lines: Rows<Shown>,
}

impl Changes {
    /// What changed, for an audience: those who decide are told of assets alone.
    pub(crate) fn of(diff: &Diff, audience: Audience) -> Self {
        let all = sections(diff);
        let wanted = |section: &&Section| audience != Audience::Executive || section.of_assets;
        let kinds: Vec<Kind> = all
            .iter()
            .filter(wanted)
            .map(|one| Kind { title: one.title, lines: Rows::cut(&one.lines, LINES, |line| Shown::line(line)) })
            .collect();
        let notes = [cause(diff), not_compared(diff)];
        Self {
            since: diff.before.assessed_at.day(),
            before: Shown::line(&diff.before.sentence),
            after: Shown::line(&diff.after.sentence),
            notes: notes.into_iter().flatten().map(Shown::from).collect(),
            total: kinds.iter().map(|kind| kind.lines.total).sum(),
            kinds,
        }
    }
}
