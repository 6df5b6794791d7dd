//! What changed between two assessments, quarter against quarter (floor 3). Pure: the same two files give the same text.
//!
//! Things are told apart by their keys, which stay between runs. What is no longer known is never told as solved, and what
//! is no longer listed never as gone for good.

pub mod text;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::assess::PATHS_SHOWN;
use crate::assessment::{Assessment, AssetAnswer, Counts, Finding, GapRow, PathAnswer};
use crate::time::Time;
use crate::verdict::{Answer, LayerState, Rank, Severity};

/// The schema name that every comparison carries.
pub const SCHEMA: &str = "deadstop.diff/1";

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// `deadstop.diff/1`.
    pub schema: String,
    /// The older assessment.
    pub before: Side,
    /// The newer one.
    pub after: Side,
    /// What a change may come from.
    pub cause: Cause,
    /// Assets that are new, gone, worse or better, the worst first.
    pub assets: Vec<AssetChange>,
    /// Delete paths.
    pub paths: Paths,
    /// Verdicts of checks.
    pub findings: Vec<FindingChange>,
    /// Keys of credentials that were not in reach before.
    pub credentials_new: Vec<String>,
    /// Keys of credentials that are no longer found.
    pub credentials_gone: Vec<String>,
    /// What could be read before and cannot now, or was not asked before.
    pub gaps_new: Vec<String>,
    /// What could not be read before and is no gap now.
    pub gaps_settled: Vec<String>,
    /// What a `stopped` covers now and did not before.
    pub covered_now: Vec<String>,
    /// What a `stopped` covered before and does not now.
    pub covered_no_more: Vec<String>,
}

/// One of the two assessments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The moment it speaks of.
    pub assessed_at: Time,
    /// The version of Deadstop that made it.
    pub version: String,
    /// Its answer in full.
    pub sentence: String,
    /// How many assets of the headline have which answer.
    pub counts: Counts,
}

/// What a change may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The facts are others; the tool is the same.
    Facts,
    /// The facts are the same: the tool, the checks or the configuration changed.
    Rules,
    /// The facts are others, and so is the tool.
    Either,
}

/// What became of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is worse, or may be.
    Worse,
    /// It was not there.
    New,
    /// It is better.
    Better,
    /// It is no longer listed.
    Gone,
    /// The headline counts it now, or no longer.
    Moved,
}

/// Where an asset stands in one assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// The answer.
    pub answer: Answer,
    /// The worst and the best it may be.
    pub bounds: [Rank; 2],
    /// Where it is rated, once RPO and RTO are counted.
    pub rated: Rank,
    /// Whether the headline counts it.
    pub in_headline: bool,
}

impl Standing {
    /// Where an asset stands.
    #[must_use]
    pub const fn of(asset: &AssetAnswer) -> Self {
        Self { answer: asset.answer, bounds: asset.bounds, rated: asset.rated, in_headline: asset.in_headline }
    }
}

/// An asset that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetChange {
    /// The provider's own id.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: Change,
    /// Where it stood.
    pub before: Option<Standing>,
    /// Where it stands.
    pub after: Option<Standing>,
    /// The answer in one sentence, the newer where there is one.
    pub sentence: String,
}

/// Kinds of delete path that changed: asset, session and the states of the six layers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Paths {
    /// Not there before, the worst first. One that stops is none.
    pub opened: Vec<PathRow>,
    /// No longer there.
    pub closed: Vec<PathRow>,
    /// Assets of which one assessment does not list every kind of path, so that theirs were not compared.
    pub not_compared: usize,
}

/// The worst path of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathRow {
    /// Its key.
    pub key: String,
    /// The asset's key.
    pub asset: String,
    /// The session's key.
    pub session: String,
    /// The provider's operation.
    pub action: String,
    /// The worst and the best it may be.
    pub bounds: [Rank; 2],
    /// The states of the six layers, in order.
    pub states: Vec<LayerState>,
}

/// A verdict that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingChange {
    /// The check.
    pub check: String,
    /// The subject's key.
    pub subject: String,
    /// The subject's name.
    pub subject_name: String,
    /// How bad it is.
    pub severity: String,
    /// The verdict before; nothing if it was not asked.
    pub before: Option<String>,
    /// The verdict after; nothing if it is not asked any more.
    pub after: Option<String>,
    /// Whether someone accepts it now.
    pub waived: bool,
    /// Whether a waiver accepted it before.
    #[serde(default)]
    pub was_waived: bool,
    /// Whether the check itself is new, so that nothing need have changed but the question.
    pub new_check: bool,
    /// In a sentence, the newer where there is one.
    pub message: String,
}

impl FindingChange {
    /// Whether it fails now and nobody accepts it, and before it did not, or somebody did.
    #[must_use]
    pub fn fails_now(&self) -> bool {
        let failed = self.before.as_deref() == Some("fail") && !self.was_waived;
        self.after.as_deref() == Some("fail") && !self.waived && !failed
    }

    /// How bad it is, as far as its word is known.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        Severity::named(&self.severity)
    }
}

impl Diff {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let lists = [
            &self.credentials_new,
            &self.credentials_gone,
            &self.gaps_new,
            &self.gaps_settled,
            &self.covered_now,
            &self.covered_no_more,
        ];
        let paths = self.paths.opened.is_empty() && self.paths.closed.is_empty();
        paths && self.assets.is_empty() && self.findings.is_empty() && lists.iter().all(|list| list.is_empty())
    }
}

/// Compares two assessments.
#[must_use]
pub fn diff(before: &Assessment, after: &Assessment) -> Diff {
    let gaps = |assessment: &Assessment| assessment.gaps.iter().map(asked).collect::<BTreeSet<String>>();
    let credentials =
        |one: &Assessment| one.credentials.iter().map(|row| row.key.clone()).collect::<BTreeSet<String>>();
    let (gaps_new, gaps_settled) = both_ways(&gaps(before), &gaps(after));
    let (credentials_new, credentials_gone) = both_ways(&credentials(before), &credentials(after));
    let (covered_now, covered_no_more) = both_ways(&covers(before), &covers(after));
    Diff {
        schema: SCHEMA.to_owned(),
        before: side(before),
        after: side(after),
        cause: match (before.facts_sha256 == after.facts_sha256, before.tool == after.tool) {
            (true, _) => Cause::Rules,
            (false, true) => Cause::Facts,
            (false, false) => Cause::Either,
        },
        assets: assets(before, after),
        paths: paths(before, after),
        findings: findings(before, after),
        credentials_new,
        credentials_gone,
        gaps_new,
        gaps_settled,
        covered_now,
        covered_no_more,
    }
}

fn side(assessment: &Assessment) -> Side {
    Side {
        assessed_at: assessment.assessed_at,
        version: assessment.tool.version.clone(),
        sentence: assessment.headline.sentence.clone(),
        counts: assessment.headline.counts,
    }
}

/// What only the second has, and what only the first has.
fn both_ways(before: &BTreeSet<String>, after: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
    (after.difference(before).cloned().collect(), before.difference(after).cloned().collect())
}

fn asked(gap: &GapRow) -> String {
    let scope = gap.scope.as_ref().map_or_else(String::new, |scope| format!(" ({scope})"));
    format!("{}{scope}: {}", gap.asked, gap.reason.words())
}

fn covers(assessment: &Assessment) -> BTreeSet<String> {
    let covers = &assessment.covers;
    let lists = [
        ("session", &covers.sessions),
        ("folder", &covers.roots),
        ("scope", &covers.scopes),
        ("kind", &covers.kinds),
        ("action", &covers.actions),
    ];
    lists.iter().flat_map(|(what, list)| list.iter().map(move |one| format!("{what} {one}"))).collect()
}

/// What became of bounds. Where the worst fell and the best rose less is known, which is worse.
fn compared(before: [Rank; 2], after: [Rank; 2]) -> Option<Change> {
    let pairs = || before.into_iter().zip(after);
    if pairs().any(|(before, after)| after < before) {
        Some(Change::Worse)
    } else if before == after {
        None
    } else {
        Some(Change::Better)
    }
}

fn assets(before: &Assessment, after: &Assessment) -> Vec<AssetChange> {
    let old: BTreeMap<&str, &AssetAnswer> = before.assets.iter().map(|asset| (asset.key.as_str(), asset)).collect();
    let new: BTreeMap<&str, &AssetAnswer> = after.assets.iter().map(|asset| (asset.key.as_str(), asset)).collect();
    let keys: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let mut changes: Vec<AssetChange> = keys
        .into_iter()
        .filter_map(|key| {
            let (was, is) = (old.get(key).copied(), new.get(key).copied());
            let change = match (was, is) {
                (Some(was), Some(is)) => {
                    let moved = (was.in_headline != is.in_headline).then_some(Change::Moved);
                    compared(was.bounds, is.bounds).or(compared([was.rated; 2], [is.rated; 2])).or(moved)?
                }
                (None, Some(_)) => Change::New,
                (Some(_), None) => Change::Gone,
                (None, None) => return None,
            };
            let shown = is.or(was)?;
            Some(AssetChange {
                key: key.to_owned(),
                name: shown.name.clone(),
                change,
                before: was.map(Standing::of),
                after: is.map(Standing::of),
                sentence: shown.sentence.clone(),
            })
        })
        .collect();
    let order = |change: &AssetChange| {
        let counted = [change.after, change.before].into_iter().flatten().any(|one| one.in_headline);
        (!counted, change.change, change.after.map(|one| one.bounds), change.key.clone())
    };
    changes.sort_by_key(order);
    changes
}

/// One kind of path: asset, session, and the states of the six layers.
type Kind<'a> = (&'a str, &'a str, Vec<LayerState>);

/// Of the paths of one asset, one session and one vector of states only the worst is listed, and which that is may change by
/// chance; so kinds of path are compared.
fn paths(before: &Assessment, after: &Assessment) -> Paths {
    let cut = |asset: &&AssetAnswer| asset.paths.len() >= PATHS_SHOWN && asset.paths.len() < asset.paths_total;
    let both = || before.assets.iter().chain(&after.assets);
    let cut: BTreeSet<&str> = both().filter(cut).map(|asset| asset.key.as_str()).collect();
    let (old, new) = (kinds(before, &cut), kinds(after, &cut));
    let only = |these: &BTreeMap<Kind<'_>, &PathAnswer>, those: &BTreeMap<Kind<'_>, &PathAnswer>| {
        let mut rows: Vec<PathRow> = these
            .iter()
            // One that stops is no way to lose anything.
            .filter(|(kind, path)| !those.contains_key(*kind) && path.bounds != [Rank::Stopped; 2])
            .map(|((asset, session, states), path)| PathRow {
                key: path.key.clone(),
                asset: (*asset).to_owned(),
                session: (*session).to_owned(),
                action: path.action.clone(),
                bounds: path.bounds,
                states: states.clone(),
            })
            .collect();
        rows.sort_by(|a, b| (a.bounds, &a.asset, &a.session, &a.key).cmp(&(b.bounds, &b.asset, &b.session, &b.key)));
        rows
    };
    Paths { opened: only(&new, &old), closed: only(&old, &new), not_compared: cut.len() }
}

fn kinds<'a>(assessment: &'a Assessment, cut: &BTreeSet<&str>) -> BTreeMap<Kind<'a>, &'a PathAnswer> {
    let assets: BTreeMap<&str, &str> =
        assessment.assets.iter().map(|asset| (asset.id.as_str(), asset.key.as_str())).collect();
    let sessions: BTreeMap<&str, &str> =
        assessment.sessions.iter().map(|session| (session.id.as_str(), session.key.as_str())).collect();
    let mut kinds = BTreeMap::new();
    for path in &assessment.paths {
        let asset = assets.get(path.asset.as_str()).copied().unwrap_or(&path.asset);
        let session = sessions.get(path.session.as_str()).copied().unwrap_or(&path.session);
        if !cut.contains(asset) {
            let states = path.layers.iter().map(|layer| layer.state).collect();
            kinds.entry((asset, session, states)).or_insert(path);
        }
    }
    kinds
}

/// The worst verdict of each check on each subject.
fn verdicts(assessment: &Assessment) -> BTreeMap<(&str, &str), &Finding> {
    const ORDER: [&str; 4] = ["fail", "unknown", "pass", "not_applicable"];
    let place = |finding: &Finding| {
        let verdict = ORDER.iter().position(|word| *word == finding.verdict);
        (finding.waiver.is_some(), verdict)
    };
    let mut all: BTreeMap<(&str, &str), &Finding> = BTreeMap::new();
    for finding in &assessment.findings {
        let held = all.entry((&finding.check, &finding.subject)).or_insert(finding);
        if place(finding) < place(held) {
            *held = finding;
        }
    }
    all
}

fn findings(before: &Assessment, after: &Assessment) -> Vec<FindingChange> {
    let (old, new) = (verdicts(before), verdicts(after));
    let known: BTreeSet<&str> = before.checks.iter().map(|check| check.id.as_str()).collect();
    let keys: BTreeSet<(&str, &str)> = old.keys().chain(new.keys()).copied().collect();
    let mut changes: Vec<FindingChange> = keys
        .into_iter()
        .filter_map(|key| {
            let (was, is) = (old.get(&key).copied(), new.get(&key).copied());
            let verdict = |one: Option<&Finding>| one.map(|finding| finding.verdict.to_string());
            let (from, to) = (verdict(was), verdict(is));
            let waived = |one: Option<&Finding>| one.is_some_and(|finding| finding.waiver.is_some());
            // Nobody misses a question that did not apply, or passed, about what is gone.
            let quiet =
                |word: &Option<String>| word.as_deref().is_none_or(|word| word == "pass" || word == "not_applicable");
            let same = from == to && waived(was) == waived(is);
            if same || (quiet(&from) && quiet(&to)) {
                return None;
            }
            let shown = is.or(was)?;
            Some(FindingChange {
                check: key.0.to_owned(),
                subject: key.1.to_owned(),
                subject_name: shown.subject_name.to_string(),
                severity: shown.severity.to_string(),
                before: from,
                after: to,
                waived: waived(is),
                was_waived: waived(was),
                new_check: !known.contains(key.0),
                message: shown.message.clone(),
            })
        })
        .collect();
    changes
        .sort_by_key(|change| (!change.fails_now(), change.severity(), change.check.clone(), change.subject.clone()));
    changes
}
