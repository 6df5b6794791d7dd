//! The first page (floor 3): the question, the literal answer, one cell per asset, what to do first.

use serde::Serialize;
use std::collections::BTreeSet;

use super::cells::{Row, answer_class};
use super::{Index, Pair, Plan};
use crate::assessment::{Assessment, Headline};
use crate::model::Basis;
use crate::render::shown::Shown;
use crate::verdict::{Answer, LayerState};

/// The cells of the strip.
const STRIP: usize = 14;

/// The first page.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) answer: &'static str,
    pub(crate) class: &'static str,
    pub(crate) lead: Shown,
    pub(crate) rest: Shown,
    pub(crate) strong: Option<Shown>,
    pub(crate) lede: Vec<Shown>,
    pub(crate) plain: Option<(Shown, Shown)>,
    pub(crate) notes: Vec<Shown>,
    pub(crate) strip: Vec<Row>,
    pub(crate) strip_left: usize,
    pub(crate) next: Vec<Next>,
}

/// One of the three blocks below the strip.
#[derive(Debug, Serialize)]
pub(crate) struct Next {
    pub(crate) head: &'static str,
    pub(crate) href: String,
    pub(crate) title: Shown,
    pub(crate) text: Shown,
}

impl Verdict {
    pub(crate) fn of(index: &Index<'_>, plan: &Plan, detailed: &BTreeSet<&str>) -> Self {
        let headline = &index.assessment.headline;
        let mut detail = headline.detail.iter().map(Shown::from);
        let strong = if headline.answer == Answer::Nothing { detail.next() } else { None };
        let assets = index.headline();
        let row = |asset: &&crate::assessment::AssetAnswer| Row::of(asset, false, detailed.contains(asset.id.as_str()));
        let mut next = plan.next();
        next.push(unanswered(index));
        Self {
            answer: headline.answer.word(),
            class: answer_class(headline.answer),
            lead: Shown::line(&headline.lead),
            rest: Shown::line(&rest(headline)),
            strong,
            lede: detail.collect(),
            plain: headline.plain.as_deref().map(first_sentence),
            notes: index.assessment.notes.iter().map(Shown::from).collect(),
            strip: assets.iter().take(STRIP).map(row).collect(),
            strip_left: assets.len().saturating_sub(STRIP),
            next,
        }
    }
}

/// What follows the lead in the sentence, joined as the sentence joins it, to its full stop.
fn rest(headline: &Headline) -> String {
    let rest = headline.rest.trim().trim_end_matches('.');
    let joint = headline.sentence.strip_prefix(headline.lead.as_str()).and_then(|after| {
        let at = after.find(rest).filter(|_| !rest.is_empty())?;
        after.get(..at).filter(|joint| joint.len() <= 3)
    });
    if rest.is_empty() { ".".to_owned() } else { format!("{}{rest}.", joint.unwrap_or(", ")) }
}

/// The first sentence and what follows it.
fn first_sentence(text: &str) -> (Shown, Shown) {
    let (first, rest) = text.split_once(". ").unwrap_or((text, ""));
    let stop = if first.ends_with('.') { "" } else { "." };
    (Shown::line(&format!("{first}{stop}")), Shown::line(rest))
}

/// The report's title, which becomes the name of a printed file.
pub(crate) fn title(assessment: &Assessment) -> Shown {
    let headline = &assessment.headline;
    let client = assessment.subject.client.as_deref().map(|client| format!("{}, ", Shown::name(client)));
    let first = format!("{}{}", headline.lead, rest(headline));
    Shown::line(&format!("{first} {}{}", client.unwrap_or_default(), assessment.assessed_at.day()))
}

/// The line at the foot of each printed page.
pub(crate) fn foot(assessment: &Assessment) -> String {
    let parts = [Some("Deadstop"), assessment.subject.client.as_deref(), assessment.subject.handling.as_deref()];
    let short = |part: &str| Shown::name(part).as_str().chars().take(60).collect::<String>();
    parts.into_iter().flatten().map(short).collect::<Vec<_>>().join(" · ")
}

/// What stands in the margin.
pub(crate) fn margin(assessment: &Assessment) -> Vec<Pair> {
    let subject = &assessment.subject;
    let counts = format!(
        "{}, {}, {}",
        count(assessment.assets.len(), "asset", "assets"),
        count(assessment.sessions.len(), "session", "sessions"),
        count(assessment.credentials.len(), "credential", "credentials")
    );
    let hash: String = assessment.facts_sha256.chars().take(12).collect();
    let all = [
        ("Organisation", subject.client.clone(), false, false),
        ("Assessed", Some(assessment.assessed_at.human()), false, false),
        ("Assessed by", subject.assessor.clone(), false, true),
        ("Period", subject.period.clone(), false, true),
        ("Handling", subject.handling.clone(), false, false),
        ("Scope", Some(counts), false, true),
        ("Facts", Some(format!("sha256 {hash}…")), true, true),
    ];
    let kept = all.into_iter().filter_map(|(name, value, mono, minor)| Some((name, value?, mono, minor)));
    kept.map(|(name, value, mono, minor)| Pair { name, value: Shown::name(&value), mono, minor }).collect()
}

/// A number and its noun.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn unanswered(index: &Index<'_>) -> Next {
    let layers: Vec<_> = index.assessment.assets.iter().flat_map(|asset| &asset.layers).collect();
    let unknown = layers.iter().filter(|layer| layer.state == LayerState::Unknown).count();
    let deciding = index.assessment.gaps.iter().filter(|gap| !gap.decides.is_empty()).count();
    let gaps = index.assessment.gaps.len();
    let basis = basis(index.assessment);
    let title = match (unknown, gaps) {
        (0, 0) if layers.is_empty() => "No layer was assessed.".to_owned(),
        (0, 0) => "Every layer was answered.".to_owned(),
        (0, _) => format!("{} could not be read.", count(gaps, "thing", "things")),
        _ => format!("{unknown} of {} could not be answered.", count(layers.len(), "layer", "layers")),
    };
    let decides = match deciding {
        0 if gaps == 0 || layers.is_empty() => String::new(),
        0 => "None of it decides an answer. ".to_owned(),
        1 => "1 question would decide an answer. ".to_owned(),
        many => format!("{many} questions would decide an answer. "),
    };
    let text = if basis.is_empty() { decides } else { format!("{decides}What the answers rest on: {basis}.") };
    Next { head: "Not answered", href: "#unknown".to_owned(), title: title.into(), text: text.into() }
}

/// How many layers rest on which basis, strongest first.
pub(crate) fn basis(assessment: &Assessment) -> String {
    let all = [Basis::Observed, Basis::Simulated, Basis::Evaluated, Basis::Inferred, Basis::Declared, Basis::None];
    let parts = all.into_iter().filter_map(|basis| {
        let count = assessment.basis.get(basis.word()).filter(|count| **count > 0)?;
        Some(format!("{count} {}", basis_prose(basis)))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// A basis in words.
pub(crate) const fn basis_prose(basis: Basis) -> &'static str {
    match basis {
        Basis::Observed => "observed",
        Basis::Simulated => "simulated by the provider",
        Basis::Evaluated => "evaluated offline",
        Basis::Inferred => "inferred",
        Basis::Declared => "declared",
        Basis::None => "not known",
    }
}
