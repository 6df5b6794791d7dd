//! The tally of a session, from the facts to the assessment (floor 3).

use super::rows::word;
use crate::assessment::{DecidedCall, SessionTally, TallyCounts, WayTally};
use crate::model::{Tally, TallyExample, TallyRow};

/// A tally as the assessment writes it.
pub(super) fn rows(tally: &Tally) -> SessionTally {
    let rows: Vec<WayTally> = tally.rows.iter().map(row).collect();
    let total = rows.iter().fold(TallyCounts::default(), |sum, row| add(sum, row.counts));
    let mut places: Vec<String> = tally.rules.iter().flatten().filter_map(|rule| rule.place.clone()).collect();
    places.sort();
    places.dedup();
    SessionTally { corpus: tally.corpus.clone(), total, rows, places }
}

/// A bundle may say any number, so sums end at the largest that there is.
fn add(sum: TallyCounts, more: TallyCounts) -> TallyCounts {
    TallyCounts {
        calls: sum.calls.saturating_add(more.calls),
        allow: sum.allow.saturating_add(more.allow),
        reviewed: sum.reviewed.saturating_add(more.reviewed),
        ask: sum.ask.saturating_add(more.ask),
        deny: sum.deny.saturating_add(more.deny),
        unknown: sum.unknown.saturating_add(more.unknown),
        contained: sum.contained.saturating_add(more.contained),
    }
}

fn row(row: &TallyRow) -> WayTally {
    let TallyRow { way, allow, reviewed, ask, deny, unknown, contained, examples } = row;
    let decided = [allow, reviewed, ask, deny, unknown];
    let counts = TallyCounts {
        calls: decided.into_iter().fold(0, |sum, more| sum.saturating_add(*more)),
        allow: *allow,
        reviewed: *reviewed,
        ask: *ask,
        deny: *deny,
        unknown: *unknown,
        contained: *contained,
    };
    WayTally { way: word(way), counts, examples: examples.iter().map(example).collect() }
}

fn example(example: &TallyExample) -> DecidedCall {
    let known = example.worst == example.best;
    let contained = match example.contained {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    DecidedCall {
        id: example.id.clone(),
        call: example.call.clone(),
        decision: if known { word(&example.worst) } else { "unknown".to_owned() },
        bounds: [word(&example.worst), word(&example.best)],
        contained: contained.to_owned(),
        rule: example.rule.clone(),
        source: example.place.clone(),
        because: example.because.clone(),
    }
}
