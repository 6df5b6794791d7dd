//! The one view that the report, the summary and the terminal are made from (floor 3). It can be printed as JSON.

mod cells;
mod changes;
mod detail;
mod diagram;
mod plan;
mod run;
mod tables;
mod tabletop;
mod tally;
mod verdict;

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use cells::Row;
pub(crate) use plan::Plan;
pub(crate) use tables::{GapLine, SessionLine};

use super::edition::Audience;
use super::shown::Shown;
use crate::assessment::{Assessment, AssetAnswer, PathAnswer};
use crate::diff::Diff;

/// The assets whose evidence is spelled out; the rest stand in the matrix alone.
const DETAILED: usize = 200;
/// The assets that get a diagram.
const DRAWN: usize = 60;
/// The paths spelled out in all.
const PATHS: usize = 2_000;
/// The sessions whose decisions on the corpus get a table; those of the rest stand in a sentence.
const TALLIED: usize = 60;
/// The rows of any other list.
const ROWS: usize = 200;
/// The rows of the matrix.
const MATRIX: usize = 1_000;
/// The rows of the list of evidence.
const EVIDENCE: usize = 1_000;

/// A list that may be cut, and then says by how much.
#[derive(Debug, Serialize)]
pub(crate) struct Rows<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) left: usize,
    pub(crate) total: usize,
}

impl<T> Rows<T> {
    /// The first `most` of a list.
    pub(crate) fn cut<S>(all: &[S], most: usize, row: impl Fn(&S) -> T) -> Self {
        let rows: Vec<T> = all.iter().take(most).map(row).collect();
        Self { left: all.len() - rows.len(), total: all.len(), rows }
    }
}

/// A name and a value.
#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    pub(crate) value: Shown,
    pub(crate) mono: bool,
    pub(crate) minor: bool,
}

/// An entry of the side navigation.
#[derive(Debug, Serialize)]
pub(crate) struct Nav {
    pub(crate) href: String,
    pub(crate) label: &'static str,
    pub(crate) count: Option<usize>,
}

/// A part of the report that an edition leaves out; links into it lead to where that is said.
#[derive(Debug, Serialize)]
pub(crate) struct LeftOut {
    pub(crate) anchor: &'static str,
    pub(crate) label: &'static str,
    pub(crate) count: Option<usize>,
}

/// A choice of rows by answer.
#[derive(Debug, Serialize)]
pub(crate) struct Filter {
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    pub(crate) count: usize,
}

/// The story of a built-in world.
#[derive(Debug, Serialize)]
pub(crate) struct Story {
    pub(crate) title: Shown,
    pub(crate) paragraphs: Vec<Shown>,
    pub(crate) references: Vec<Shown>,
}

/// Everything that is shown.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    pub(crate) title: Shown,
    pub(crate) foot: String,
    pub(crate) schema: Shown,
    pub(crate) handling: Option<Shown>,
    pub(crate) client: Shown,
    pub(crate) assessed_at: String,
    pub(crate) margin: Vec<Pair>,
    pub(crate) nav: Vec<Nav>,
    pub(crate) audience: Option<&'static str>,
    pub(crate) shows: BTreeMap<&'static str, bool>,
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) verdict: verdict::Verdict,
    pub(crate) story: Option<Story>,
    pub(crate) changes: Option<changes::Changes>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) matrix: Rows<Row>,
    pub(crate) others: Rows<Row>,
    pub(crate) plan: Plan,
    pub(crate) gaps: Rows<GapLine>,
    pub(crate) findings: tables::Findings,
    pub(crate) details: Rows<detail::Detail>,
    pub(crate) tabletop: Option<tabletop::Tabletop>,
    pub(crate) credentials: Rows<tables::CredentialLine>,
    pub(crate) sessions: Rows<tables::SessionLine>,
    pub(crate) controls: run::Controls,
    pub(crate) rating: Vec<run::Rating>,
    pub(crate) run: Vec<run::Record>,
    pub(crate) evidence: Rows<tables::EvidenceLine>,
}

/// What is looked up again and again while the view is built.
pub(crate) struct Index<'a> {
    pub(crate) assessment: &'a Assessment,
    pub(crate) assets: BTreeMap<&'a str, &'a AssetAnswer>,
    pub(crate) paths: BTreeMap<&'a str, &'a PathAnswer>,
    pub(crate) sessions: BTreeMap<&'a str, &'a str>,
    pub(crate) evidence: BTreeSet<&'a str>,
    pub(crate) gaps: BTreeSet<&'a str>,
}

impl<'a> Index<'a> {
    fn of(assessment: &'a Assessment) -> Self {
        Self {
            assessment,
            assets: assessment.assets.iter().map(|asset| (asset.id.as_str(), asset)).collect(),
            paths: assessment.paths.iter().map(|path| (path.id.as_str(), path)).collect(),
            sessions: assessment.sessions.iter().map(|one| (one.id.as_str(), one.name.as_str())).collect(),
            evidence: tables::cited(assessment).into_iter().map(|evidence| evidence.id.as_str()).collect(),
            gaps: tables::deciding_first(assessment).into_iter().take(ROWS).map(|gap| gap.id.as_str()).collect(),
        }
    }

    /// The worst path of an asset.
    pub(crate) fn worst(&self, asset: &AssetAnswer) -> Option<&'a PathAnswer> {
        asset.worst_path.as_deref().and_then(|id| self.paths.get(id)).copied()
    }

    /// The name of a session by its display number.
    pub(crate) fn session(&self, id: &str) -> Shown {
        Shown::name(self.sessions.get(id).copied().unwrap_or(id))
    }

    /// The assets that the headline counts, worst first.
    pub(crate) fn headline(&self) -> Vec<&'a AssetAnswer> {
        self.assessment.assets.iter().filter(|asset| asset.in_headline).collect()
    }

    /// Display numbers with the names they stand for: `orders (A1)`; the count of the rest.
    pub(crate) fn named(&self, ids: &[String], most: usize) -> String {
        let named = ids.iter().take(most).map(|id| {
            let name = self.assets.get(id.as_str()).map(|asset| Shown::name(&asset.name));
            name.map_or_else(|| id.clone(), |name| format!("{name} ({id})"))
        });
        let mut out = named.collect::<Vec<_>>().join(", ");
        if ids.len() > most {
            out.push_str(&format!(" and {} more", ids.len() - most));
        }
        out
    }
}

impl View {
    /// The view of an assessment, whole.
    pub(crate) fn of(assessment: &Assessment) -> Self {
        Self::edition(assessment, Audience::Full, None)
    }

    /// The view of an assessment for an audience, and of what changed.
    pub(crate) fn edition(assessment: &Assessment, audience: Audience, changes: Option<&Diff>) -> Self {
        let index = Index::of(assessment);
        let headline = index.headline();
        let others: Vec<&AssetAnswer> = assessment.assets.iter().filter(|asset| !asset.in_headline).collect();
        let ordered: Vec<&AssetAnswer> = headline.iter().chain(&others).copied().collect();
        let most = if audience == Audience::Executive { 0 } else { DETAILED };
        let detailed: BTreeSet<&str> = ordered.iter().take(most).map(|asset| asset.id.as_str()).collect();
        let row = |asset: &&AssetAnswer| {
            let on_agent = index.worst(asset).is_some_and(|path| path.rests_on_agent);
            Row::of(asset, on_agent, detailed.contains(asset.id.as_str()))
        };
        let plan = Plan::of(&index);
        let per_asset = PATHS.checked_div(ordered.len().min(DETAILED)).unwrap_or(PATHS).clamp(3, 20);
        let mut view = Self {
            title: verdict::title(assessment),
            foot: verdict::foot(assessment),
            schema: Shown::name(&assessment.schema),
            handling: assessment.subject.handling.as_deref().map(Shown::name),
            client: Shown::name(assessment.subject.client.as_deref().unwrap_or("Logo")),
            assessed_at: assessment.assessed_at.to_string(),
            margin: verdict::margin(assessment),
            nav: Vec::new(),
            audience: match audience {
                Audience::Executive => Some("those who decide"),
                Audience::Technical => Some("those who mend"),
                Audience::Full => None,
            },
            shows: BTreeMap::new(),
            left_out: Vec::new(),
            verdict: verdict::Verdict::of(&index, &plan, &detailed),
            story: story(assessment),
            changes: changes.map(|diff| changes::Changes::of(diff, audience)),
            filters: filters(&headline),
            matrix: Rows::cut(&headline, MATRIX, row),
            others: Rows::cut(&others, MATRIX, row),
            plan,
            gaps: Rows::cut(&tables::deciding_first(assessment), ROWS, |gap| GapLine::of(gap, &index)),
            findings: tables::Findings::of(assessment),
            details: Rows::cut(&ordered, most, |asset| detail::Detail::of(asset, &index, per_asset)),
            tabletop: assessment.tabletop.as_ref().and_then(tabletop::Tabletop::of),
            credentials: Rows::cut(&assessment.credentials, ROWS, |one| tables::CredentialLine::of(one, &index)),
            sessions: Rows::cut(&assessment.sessions, ROWS, tables::SessionLine::of),
            controls: run::Controls::of(&headline),
            rating: run::rating(&headline),
            run: run::record(assessment),
            evidence: tables::evidence(assessment),
        };
        for detail in view.details.rows.iter_mut().skip(DRAWN) {
            detail.diagram = None;
        }
        for table in view.sessions.rows.iter_mut().skip(TALLIED).filter_map(|session| session.tally.as_mut()) {
            table.rows.rows.clear();
        }
        sections(&mut view, audience);
        view
    }
}

fn story(assessment: &Assessment) -> Option<Story> {
    let subject = &assessment.subject;
    Some(Story {
        title: Shown::line(subject.title.as_deref()?),
        paragraphs: subject.story.iter().map(Shown::from).collect(),
        references: subject.references.iter().map(Shown::from).collect(),
    })
}

fn filters(headline: &[&AssetAnswer]) -> Vec<Filter> {
    let count = |class: &str| headline.iter().filter(|asset| cells::answer_class(asset.answer) == class).count();
    let all = [
        ("f-a", "All", headline.len()),
        ("f-n", "Nothing stops it", count("open")),
        ("f-s", "Slowed", count("slow")),
        ("f-u", "Unknown", count("unk")),
        ("f-h", "Stopped", count("hold")),
    ];
    all.into_iter().map(|(id, label, count)| Filter { id, label, count }).collect()
}

/// Sections by anchor, label and the least audience that is shown them.
const SECTIONS: [(&str, &str, Audience); 15] = [
    ("story", "What happened", Audience::Executive),
    ("changes", "What changed", Audience::Executive),
    ("paths", "Delete paths", Audience::Executive),
    ("fixes", "Plan of least effort", Audience::Executive),
    ("unknown", "What is unknown", Audience::Technical),
    ("assets", "Evidence by asset", Audience::Technical),
    ("checks", "Checks", Audience::Technical),
    ("tabletop", "Tabletop", Audience::Full),
    ("credentials", "Credentials", Audience::Technical),
    ("sessions", "Sessions and gates", Audience::Technical),
    ("frameworks", "Control mapping", Audience::Full),
    ("method", "Method and limits", Audience::Full),
    ("run", "Run record", Audience::Full),
    ("evidence", "What was read", Audience::Technical),
    ("signoff", "Sign-off", Audience::Executive),
];

/// Says which sections there are and which are left out.
fn sections(view: &mut View, audience: Audience) {
    for (anchor, label, least) in SECTIONS {
        let count = match anchor {
            "changes" => view.changes.as_ref().map(|changes| changes.total),
            "paths" => Some(view.matrix.total + view.others.total),
            "fixes" => Some(view.plan.steps.total),
            "unknown" => Some(view.gaps.total),
            "assets" => Some(view.details.total),
            "checks" => Some(view.findings.total),
            "credentials" => Some(view.credentials.total),
            "sessions" => Some(view.sessions.total),
            "evidence" => Some(view.evidence.total),
            _ => None,
        };
        let there = match anchor {
            "story" => view.story.is_some(),
            "changes" => view.changes.is_some(),
            "tabletop" => view.tabletop.is_some(),
            "assets" | "checks" => count > Some(0),
            _ => true,
        };
        let shown = match least {
            Audience::Executive => true,
            Audience::Technical => audience != Audience::Executive,
            Audience::Full => audience == Audience::Full,
        };
        view.shows.insert(anchor, there && shown);
        if there && shown {
            let href = format!("#{anchor}");
            view.nav.push(Nav { href, label, count });
        } else if there {
            view.left_out.push(LeftOut { anchor, label, count });
        }
    }
    if !view.left_out.is_empty() {
        view.nav.push(Nav { href: "#left-out".to_owned(), label: "What is left out", count: None });
    }
}
