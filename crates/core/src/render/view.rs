//! The one view that the report, the summary and the terminal are made from (floor 3). It can be printed as JSON.

mod cells;
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

use super::shown::Shown;
use crate::assessment::{Assessment, AssetAnswer, PathAnswer};

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
    pub(crate) href: &'static str,
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
    pub(crate) assessed_at: String,
    pub(crate) margin: Vec<Pair>,
    pub(crate) nav: Vec<Nav>,
    pub(crate) verdict: verdict::Verdict,
    pub(crate) story: Option<Story>,
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
    /// The view of an assessment.
    pub(crate) fn of(assessment: &Assessment) -> Self {
        let index = Index::of(assessment);
        let headline = index.headline();
        let others: Vec<&AssetAnswer> = assessment.assets.iter().filter(|asset| !asset.in_headline).collect();
        let ordered: Vec<&AssetAnswer> = headline.iter().chain(&others).copied().collect();
        let detailed: BTreeSet<&str> = ordered.iter().take(DETAILED).map(|asset| asset.id.as_str()).collect();
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
            assessed_at: assessment.assessed_at.to_string(),
            margin: verdict::margin(assessment),
            nav: Vec::new(),
            verdict: verdict::Verdict::of(&index, &plan),
            story: story(assessment),
            filters: filters(&headline),
            matrix: Rows::cut(&headline, MATRIX, row),
            others: Rows::cut(&others, MATRIX, row),
            plan,
            gaps: Rows::cut(&tables::deciding_first(assessment), ROWS, |gap| GapLine::of(gap, &index)),
            findings: tables::Findings::of(assessment),
            details: Rows::cut(&ordered, DETAILED, |asset| detail::Detail::of(asset, &index, per_asset)),
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
        view.nav = nav(&view);
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

fn nav(view: &View) -> Vec<Nav> {
    let plan = view.plan.steps.total;
    let all = [
        (view.story.is_some(), "#story", "What happened", None),
        (true, "#paths", "Delete paths", Some(view.matrix.total + view.others.total)),
        (true, "#fixes", "Plan of least effort", Some(plan)),
        (true, "#unknown", "What is unknown", Some(view.gaps.total)),
        (view.details.total > 0, "#assets", "Evidence by asset", Some(view.details.total)),
        (view.findings.total > 0, "#checks", "Checks", Some(view.findings.total)),
        (view.tabletop.is_some(), "#tabletop", "Tabletop", None),
        (true, "#credentials", "Credentials", Some(view.credentials.total)),
        (true, "#sessions", "Sessions and gates", Some(view.sessions.total)),
        (true, "#frameworks", "Control mapping", None),
        (true, "#method", "Method and limits", None),
        (true, "#run", "Run record", None),
        (true, "#evidence", "What was read", Some(view.evidence.total)),
        (true, "#signoff", "Sign-off", None),
    ];
    let kept = all.into_iter().filter(|(there, ..)| *there);
    kept.map(|(_, href, label, count)| Nav { href, label, count }).collect()
}
