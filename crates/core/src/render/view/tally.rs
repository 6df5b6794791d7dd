//! What a session's gate decides on the corpus of destructive calls, as a table and as a sentence (floor 3).

use serde::Serialize;

use super::Rows;
use crate::assessment::{DecidedCall, SessionTally, TallyCounts, WayTally};
use crate::render::shown::Shown;

/// The rows of a table; the corpus has eight classes of ways.
const ROWS: usize = 12;
/// The examples of a row.
const EXAMPLES: usize = 2;

/// The table of one session.
#[derive(Debug, Serialize)]
pub(crate) struct TallyTable {
    pub(crate) calls: u32,
    /// In a sentence, with the freest call.
    pub(crate) sentence: Shown,
    pub(crate) rows: Rows<TallyLine>,
}

/// The calls of one class of ways.
#[derive(Debug, Serialize)]
pub(crate) struct TallyLine {
    pub(crate) key: Shown,
    pub(crate) way: Shown,
    pub(crate) calls: u32,
    pub(crate) contained: u32,
    /// One count for each column, with its colour where it is not zero.
    pub(crate) counts: [(&'static str, u32); 5],
    pub(crate) examples: Vec<ExampleLine>,
}

/// One of the freest calls of a row.
#[derive(Debug, Serialize)]
pub(crate) struct ExampleLine {
    pub(crate) id: Shown,
    pub(crate) call: Shown,
    pub(crate) decision: &'static str,
    pub(crate) class: &'static str,
    pub(crate) because: Shown,
    pub(crate) rule: Option<Shown>,
    pub(crate) source: Option<Shown>,
}

impl TallyTable {
    pub(super) fn of(tally: &SessionTally) -> Self {
        Self {
            calls: tally.total.calls,
            sentence: Shown::line(&sentence(tally)),
            rows: Rows::cut(&tally.rows, ROWS, TallyLine::of),
        }
    }
}

impl TallyLine {
    fn of(row: &WayTally) -> Self {
        let TallyCounts { calls, allow, reviewed, ask, deny, unknown, contained } = row.counts;
        Self {
            key: Shown::name(&row.way),
            way: Shown::name(title(&row.way)),
            calls,
            contained,
            counts: [("open", allow), ("open", reviewed), ("", ask), ("", deny), ("unk", unknown)],
            examples: row.examples.iter().take(EXAMPLES).map(ExampleLine::of).collect(),
        }
    }
}

impl ExampleLine {
    fn of(call: &DecidedCall) -> Self {
        let (decision, class) = match call.decision.as_str() {
            "allow" => ("runs", "open"),
            "reviewed" => ("a model decides", "open"),
            "ask" => ("a person is asked", "none"),
            "deny" => ("refused", "none"),
            _ => ("not known", "unk"),
        };
        Self {
            id: Shown::name(&call.id),
            call: Shown::name(&call.call),
            decision,
            class,
            because: Shown::line(&call.because),
            rule: beside(&call.because, call.rule.as_deref()),
            source: beside(&call.because, call.source.as_deref()),
        }
    }
}

/// What is told beside a reason that does not tell it.
fn beside(because: &str, what: Option<&str>) -> Option<Shown> {
    what.filter(|what| !because.contains(what)).map(Shown::name)
}

/// A class of ways, in words.
fn title(way: &str) -> &str {
    match way {
        "cli" => "provider's client",
        "http" => "request to the API",
        "sdk" => "line of code",
        "iac" => "infrastructure as code",
        "sql" => "database client",
        "mcp" => "MCP tool",
        "script" => "script or task",
        "file" => "file of this machine",
        other => other,
    }
}

/// The tally in a sentence, with the freest call and what decides on it.
fn sentence(tally: &SessionTally) -> String {
    let TallyCounts { calls, allow, reviewed, ask, deny, unknown, contained } = tally.total;
    let counted = [
        (allow, "run", "runs"),
        (reviewed, "are decided by a model", "is decided by a model"),
        (ask, "ask a person", "asks a person"),
        (deny, "are refused", "is refused"),
        (unknown, "are not known", "is not known"),
    ];
    let part = |(count, many, one): &(u32, &str, &str)| match *count {
        0 => None,
        count if count == calls => Some(format!("all {many}")),
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let parts: Vec<String> = counted.iter().filter_map(part).collect();
    let held = if contained > 0 { format!("; a sandbox keeps {contained} from the network") } else { String::new() };
    let all = tally.rows.iter().flat_map(|row| &row.examples);
    // Of what is equally free the first: `max_by_key` would take the last.
    let freest = all.rev().max_by_key(|call| rank(call));
    let freest = freest.map(|call| {
        let source = beside(&call.because, call.source.as_deref());
        let source = source.map(|source| format!(" ({source})")).unwrap_or_default();
        format!(" The freest is {}: {}{source}.", Shown::name(&call.call), call.because)
    });
    format!("Of {calls} destructive calls {}{held}.{}", parts.join(", "), freest.unwrap_or_default())
}

/// How free a call is: by its worst, then its best, and whether a sandbox is sure to hold it.
fn rank(call: &DecidedCall) -> (u8, u8, bool) {
    let of = |word: &String| match word.as_str() {
        "deny" => 0,
        "ask" => 1,
        "reviewed" => 2,
        _ => 3,
    };
    let [worst, best] = &call.bounds;
    (of(worst), of(best), call.contained != "yes")
}
