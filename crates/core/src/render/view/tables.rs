//! The lists of the report (floor 3): what is unknown, checks, credentials, sessions, evidence.

use serde::Serialize;
use std::collections::BTreeSet;

use super::tally::TallyTable;
use super::{EVIDENCE, Index, ROWS, Rows};
use crate::assessment::{
    Assessment, CredentialRow, Evidence, Finding, GapRow, KeptRow, LocationRow, SessionRow, WayRow,
};
use crate::check::CHECKLIST;
use crate::render::shown::{Shown, anchor};
use crate::verdict::Severity;

/// Something that could not be read.
#[derive(Debug, Serialize)]
pub(crate) struct GapLine {
    pub(crate) id: Shown,
    pub(crate) anchor: String,
    pub(crate) decides: bool,
    pub(crate) tag: Option<(&'static str, &'static str)>,
    pub(crate) about: Shown,
    pub(crate) asked: Shown,
    pub(crate) scope: Option<Shown>,
    pub(crate) came_back: Shown,
    pub(crate) settle: Option<Shown>,
}

impl GapLine {
    pub(crate) fn of(gap: &GapRow, index: &Index<'_>) -> Self {
        let none = index.assessment.assets.is_empty();
        let layers: Vec<&str> = gap.layers.iter().map(|layer| layer.title()).collect();
        let about = match (gap.decides.is_empty(), layers.is_empty()) {
            (true, true) if none => "What there is to lose".to_owned(),
            (true, true) => "No layer rests on it".to_owned(),
            (true, false) => layers.join(", "),
            (false, true) => index.named(&gap.decides, 4),
            (false, false) => format!("{}: {}", index.named(&gap.decides, 4), layers.join(", ")),
        };
        let came_back = if gap.came_back.is_empty() { gap.reason.words() } else { &gap.came_back };
        Self {
            id: Shown::name(&gap.id),
            anchor: anchor("u", &gap.id),
            decides: !gap.decides.is_empty(),
            tag: match (gap.decides.is_empty(), none) {
                (false, _) => Some(("unk", "Decides the answer")),
                (true, false) => Some(("none", "Decides nothing")),
                (true, true) => None,
            },
            about: about.into(),
            asked: Shown::line(&gap.asked),
            scope: gap.scope.as_deref().map(Shown::name),
            came_back: came_back.into(),
            settle: gap.settle.as_deref().map(Shown::line),
        }
    }
}

/// The gaps, those that decide something first.
pub(crate) fn deciding_first(assessment: &Assessment) -> Vec<&GapRow> {
    let (decide, rest): (Vec<_>, Vec<_>) = assessment.gaps.iter().partition(|gap| !gap.decides.is_empty());
    decide.into_iter().chain(rest).collect()
}

/// What the checks found: every failure and every unknown, and the count of the rest.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    pub(crate) total: usize,
    pub(crate) items: Vec<Item>,
    pub(crate) rows: Rows<FindingLine>,
}

/// One item of the checklist, counted.
#[derive(Debug, Serialize)]
pub(crate) struct Item {
    pub(crate) name: Shown,
    pub(crate) asks: &'static str,
    pub(crate) worst: Option<Shown>,
    pub(crate) fail: usize,
    pub(crate) unknown: usize,
    pub(crate) pass: usize,
    pub(crate) other: usize,
}

/// One verdict that is not a pass.
#[derive(Debug, Serialize)]
pub(crate) struct FindingLine {
    pub(crate) check: Shown,
    pub(crate) subject: Shown,
    pub(crate) verdict: Shown,
    pub(crate) class: &'static str,
    pub(crate) severity: Shown,
    pub(crate) message: Shown,
    pub(crate) waiver: Option<Shown>,
    pub(crate) evidence: Shown,
}

impl Findings {
    pub(crate) fn of(assessment: &Assessment) -> Self {
        let all = &assessment.findings;
        // Failures first, the most severe before the rest, then what is unknown: `sort` keeps what is alike in order.
        let mut open: Vec<&Finding> =
            all.iter().filter(|one| one.verdict != "pass" && one.verdict != "not_applicable").collect();
        open.sort_by_key(|one| (one.verdict != "fail", one.waiver.is_some(), Severity::named(&one.severity)));
        let item = |(name, asks): (&str, &'static str)| {
            let count = |verdict: &str| all.iter().filter(|one| one.item == name && one.verdict == verdict).count();
            let (fail, unknown, pass) = (count("fail"), count("unknown"), count("pass"));
            let other = all.iter().filter(|one| one.item == name).count() - fail - unknown - pass;
            let worst = open.iter().find(|one| one.item == name).map(|one| Shown::line(&one.message));
            Item { name: Shown::name(name), asks, worst, fail, unknown, pass, other }
        };
        Self {
            total: all.len(),
            items: CHECKLIST.into_iter().map(item).collect(),
            rows: Rows::cut(&open, ROWS, |one| FindingLine {
                check: Shown::name(&one.check),
                subject: Shown::name(&one.subject),
                verdict: Shown::name(&one.verdict),
                class: if one.verdict == "fail" { "open" } else { "unk" },
                severity: Shown::name(&one.severity),
                message: Shown::line(&one.message),
                waiver: one.waiver.as_deref().map(Shown::line),
                evidence: Shown::name(&one.evidence.join(", ")),
            }),
        }
    }
}

/// A credential.
#[derive(Debug, Serialize)]
pub(crate) struct CredentialLine {
    pub(crate) id: Shown,
    pub(crate) kind: Shown,
    pub(crate) public_id: Option<Shown>,
    pub(crate) status: Shown,
    pub(crate) identity: Option<Shown>,
    pub(crate) scope: Option<Shown>,
    pub(crate) environment: Option<Shown>,
    pub(crate) places: Vec<Shown>,
    pub(crate) places_left: usize,
    pub(crate) sessions: Vec<Shown>,
    pub(crate) destroys: usize,
}

impl CredentialLine {
    pub(crate) fn of(row: &CredentialRow, index: &Index<'_>) -> Self {
        const PLACES: usize = 8;
        Self {
            id: Shown::name(&row.id),
            kind: Shown::name(&format!("{} {}", row.provider, row.kind.replace('_', " "))),
            public_id: row.public_id.as_deref().map(Shown::name),
            status: Shown::name(&row.status),
            identity: row.identity.as_deref().map(Shown::name),
            scope: row.scope.as_deref().map(Shown::line),
            environment: row.environment.as_deref().map(Shown::name),
            places: row.locations.iter().take(PLACES).map(place).collect(),
            places_left: row.locations.len().saturating_sub(PLACES),
            sessions: row.sessions.iter().take(20).map(|id| index.session(id)).collect(),
            destroys: row.destroys,
        }
    }
}

fn place(row: &LocationRow) -> Shown {
    let line = row.line.map(|line| format!(":{line}")).unwrap_or_default();
    let key = row.key.as_deref().map(|key| format!(" {key}")).unwrap_or_default();
    let kind = if row.kind == "file" { String::new() } else { format!("{}: ", row.kind.replace('_', " ")) };
    Shown::name(&format!("{kind}{}{line}{key}", row.path))
}

/// A session with its gate.
#[derive(Debug, Serialize)]
pub(crate) struct SessionLine {
    pub(crate) id: Shown,
    pub(crate) anchor: String,
    pub(crate) name: Shown,
    pub(crate) agent: Shown,
    pub(crate) environment: Option<Shown>,
    pub(crate) roots: Shown,
    pub(crate) counted: bool,
    pub(crate) ways: Rows<WayLine>,
    pub(crate) kept: Rows<KeptLine>,
    pub(crate) tally: Option<TallyTable>,
}

/// A file that a session is not shown by some way.
#[derive(Debug, Serialize)]
pub(crate) struct KeptLine {
    pub(crate) path: Shown,
    pub(crate) refused_by: Shown,
    pub(crate) because: Shown,
    pub(crate) still_read_by: Option<Shown>,
    pub(crate) lifted_by: Shown,
}

/// A way of a session.
#[derive(Debug, Serialize)]
pub(crate) struct WayLine {
    pub(crate) name: Shown,
    pub(crate) kind: Shown,
    pub(crate) decision: Shown,
    pub(crate) class: &'static str,
    pub(crate) contained: Shown,
    pub(crate) managed: bool,
    pub(crate) rule: Option<Shown>,
    pub(crate) source: Option<Shown>,
    pub(crate) because: Shown,
    pub(crate) overridable: Shown,
}

impl SessionLine {
    pub(crate) fn of(row: &SessionRow) -> Self {
        Self {
            id: Shown::name(&row.id),
            anchor: anchor("s", &row.id),
            name: Shown::name(&row.name),
            agent: Shown::name(&row.agent),
            environment: row.environment.as_deref().map(Shown::name),
            roots: Shown::line(&row.roots.join(", ")),
            counted: row.counted,
            ways: Rows::cut(&row.ways, 40, WayLine::of),
            kept: Rows::cut(&row.kept, 40, KeptLine::of),
            tally: row.tally.as_ref().map(TallyTable::of),
        }
    }
}

impl KeptLine {
    fn of(row: &KeptRow) -> Self {
        let read = row.still_read_by.join(", ");
        Self {
            path: Shown::name(&row.path),
            refused_by: Shown::line(&row.refused_by.join(", ")),
            because: Shown::line(&row.because),
            still_read_by: (!read.is_empty()).then(|| Shown::line(&read)),
            lifted_by: Shown::line(&row.lifted_by.join("; ")),
        }
    }
}

impl WayLine {
    fn of(way: &WayRow) -> Self {
        let class = match way.decision.as_str() {
            "deny" | "ask" if way.overridable_by.is_empty() => "hold",
            "deny" | "ask" => "slow",
            "allow" | "reviewed" => "open",
            _ => "unk",
        };
        Self {
            name: Shown::name(&way.name),
            kind: Shown::name(&way.kind.replace('_', " ")),
            decision: Shown::name(&way.decision),
            class,
            contained: Shown::name(&way.contained),
            managed: way.managed,
            rule: way.rule.as_deref().map(Shown::name),
            source: way.source.as_deref().map(Shown::name),
            because: Shown::line(&way.because),
            overridable: Shown::line(&way.overridable_by.join("; ")),
        }
    }
}

/// Something that was read.
#[derive(Debug, Serialize)]
pub(crate) struct EvidenceLine {
    pub(crate) id: Shown,
    pub(crate) anchor: String,
    pub(crate) provider: Option<Shown>,
    pub(crate) operation: Shown,
    pub(crate) scope: Option<Shown>,
    pub(crate) at: String,
    pub(crate) excerpt: Option<Shown>,
    pub(crate) place: Option<Shown>,
}

/// The evidence that is listed: all of it, or if it is too much, what the layers cite.
pub(crate) fn cited(assessment: &Assessment) -> Vec<&Evidence> {
    let all = &assessment.evidence;
    if all.len() <= EVIDENCE {
        return all.iter().collect();
    }
    let layers = assessment.assets.iter().flat_map(|asset| &asset.layers);
    let ids: BTreeSet<&str> = layers.flat_map(|layer| &layer.evidence).map(String::as_str).collect();
    all.iter().filter(|one| ids.contains(one.id.as_str())).take(EVIDENCE).collect()
}

/// The list of evidence.
pub(crate) fn evidence(assessment: &Assessment) -> Rows<EvidenceLine> {
    let mut rows = Rows::cut(&cited(assessment), EVIDENCE, |one| EvidenceLine {
        id: Shown::name(&one.id),
        anchor: anchor("e", &one.id),
        provider: one.provider.as_deref().map(Shown::name),
        operation: Shown::name(&one.operation),
        scope: one.scope.as_deref().map(Shown::name),
        at: one.at.human(),
        excerpt: one.excerpt.as_deref().map(|text| Shown::block(&text.chars().take(2_000).collect::<String>())),
        place: one.place.as_deref().map(Shown::name),
    });
    rows.total = assessment.evidence.len();
    rows.left = rows.total - rows.rows.len();
    rows
}
