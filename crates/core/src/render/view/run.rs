//! Rating, control mapping and the run record (floor 3).

use serde::Serialize;

use super::cells::{class, stops, word};
use super::verdict::{basis, count};
use crate::assessment::{Assessment, AssetAnswer};
use crate::render::controls::{FRAMEWORKS, of};
use crate::render::shown::Shown;
use crate::verdict::{Answer, LayerName, LayerState, Rank};

/// The frameworks in the first of the two tables.
const FIRST: usize = 5;

/// The control mapping, in two tables.
#[derive(Debug, Serialize)]
pub(crate) struct Controls {
    pub(crate) tables: Vec<ControlTable>,
}

/// Some frameworks, layer by layer.
#[derive(Debug, Serialize)]
pub(crate) struct ControlTable {
    pub(crate) caption: &'static str,
    pub(crate) heads: Vec<&'static str>,
    pub(crate) rows: Vec<ControlRow>,
}

/// One layer.
#[derive(Debug, Serialize)]
pub(crate) struct ControlRow {
    pub(crate) layer: &'static str,
    pub(crate) cells: Vec<&'static str>,
    pub(crate) tags: Vec<(&'static str, String)>,
}

impl Controls {
    pub(crate) fn of(headline: &[&AssetAnswer]) -> Self {
        let table = |caption, from: usize, to: usize, tagged: bool| ControlTable {
            caption,
            heads: FRAMEWORKS.into_iter().skip(from).take(to - from).collect(),
            rows: LayerName::ALL
                .into_iter()
                .map(|layer| ControlRow {
                    layer: layer.title(),
                    cells: of(layer).into_iter().skip(from).take(to - from).collect(),
                    tags: if tagged { tags(layer, headline) } else { Vec::new() },
                })
                .collect(),
        };
        Self {
            tables: vec![
                table("Security and continuity", 0, FIRST, true),
                table("Cloud, payment, agents and attacks", FIRST, FRAMEWORKS.len(), false),
            ],
        }
    }
}

/// How many assets have which state at a layer.
fn tags(layer: LayerName, headline: &[&AssetAnswer]) -> Vec<(&'static str, String)> {
    let states = [LayerState::Open, LayerState::Slows, LayerState::Unknown, LayerState::Stops];
    let counted = states.into_iter().map(|state| {
        let with = |asset: &&&AssetAnswer| super::cells::state_of(&asset.layers, layer) == state;
        (state, headline.iter().filter(with).count())
    });
    let kept = counted.filter(|(_, count)| *count > 0);
    kept.map(|(state, count)| (class(state), format!("{count} {}", word(layer, state, false).to_lowercase()))).collect()
}

/// One line of the table of ratings.
#[derive(Debug, Serialize)]
pub(crate) struct Rating {
    pub(crate) rating: &'static str,
    pub(crate) class: &'static str,
    pub(crate) likelihood: &'static str,
    pub(crate) impact: &'static str,
    pub(crate) count: usize,
    pub(crate) assets: String,
}

/// The lines of the table of ratings, in order: rating, colour, what stops it, what comes back.
const RATINGS: [(&str, &str, &str, &str); 7] = [
    ("Critical", "open", "Nothing", "Nothing comes back, or only outside RPO/RTO"),
    ("High", "open", "Nothing", "A copy survives, restore proved or not"),
    ("High", "slow", "Slowed", "Nothing comes back, or only outside RPO/RTO"),
    ("High", "unk", "Unknown", "Any"),
    ("Medium", "slow", "Slowed", "A copy survives, restore proved or not"),
    ("Medium", "hold", "One layer stops it", "Any"),
    ("Low", "hold", "Two layers or more stop it", "Any"),
];

/// Which line an asset stands in.
fn line(asset: &AssetAnswer) -> usize {
    if asset.answer == Answer::Unknown {
        return 3;
    }
    match asset.rated {
        Rank::Nothing => 0,
        Rank::RecoverableUntested | Rank::RecoverableTested => 1,
        Rank::SlowedNoRecovery => 2,
        Rank::SlowedUntested | Rank::SlowedTested => 4,
        Rank::Stopped if stops(asset) > 1 => 6,
        Rank::Stopped => 5,
    }
}

/// Every rating with the assets that have it.
pub(crate) fn rating(headline: &[&AssetAnswer]) -> Vec<Rating> {
    let row = |(at, (rating, class, likelihood, impact)): (usize, (&'static str, &'static str, _, _))| {
        let names: Vec<Shown> =
            headline.iter().filter(|asset| line(asset) == at).map(|asset| Shown::name(&asset.name)).collect();
        let mut assets = names.iter().take(8).map(Shown::as_str).collect::<Vec<_>>().join(", ");
        if names.len() > 8 {
            assets.push_str(&format!(" and {} more", names.len() - 8));
        }
        Rating { rating, class, likelihood, impact, count: names.len(), assets }
    };
    RATINGS.into_iter().enumerate().map(row).collect()
}

/// A line of the run record.
#[derive(Debug, Serialize)]
pub(crate) struct Record {
    pub(crate) name: &'static str,
    pub(crate) values: Vec<Shown>,
    pub(crate) mono: bool,
}

/// The run record.
pub(crate) fn record(assessment: &Assessment) -> Vec<Record> {
    let findings = &assessment.findings;
    let answered = findings.iter().filter(|one| one.verdict != "unknown").count();
    let checks = format!("{}, {answered} answered", count(findings.len(), "verdict", "verdicts"));
    let covers = &assessment.covers;
    let layers: usize = assessment.basis.values().sum();
    let one = |text: String| vec![text];
    let all: Vec<(&'static str, Vec<String>, bool)> = vec![
        ("Tool", one(format!("{} {}", assessment.tool.name, assessment.tool.version)), false),
        ("Speaks of", one(assessment.assessed_at.human()), false),
        ("Facts", one(format!("sha256:{}", assessment.facts_sha256)), true),
        ("Checks", if findings.is_empty() { Vec::new() } else { one(checks) }, false),
        ("Basis of the layers", if layers == 0 { Vec::new() } else { one(format!("{layers}: {}", basis(assessment))) }, false),
        ("Each stop covers", Vec::new(), false),
        ("Sessions", listed(&covers.sessions), false),
        ("Folders", listed(&covers.roots), true),
        ("Accounts", listed(&covers.scopes), false),
        ("Kinds", listed(&covers.kinds), false),
        ("Calls", listed(&covers.actions), true),
        ("Taken for granted", assessment.assumed.clone(), false),
        ("Raised or left out", assessment.notes.clone(), false),
        ("Public ids", one("Key and account ids are public ids and are shown whole, so that a reviewer can rotate them. No part of a secret is written anywhere.".to_owned()), false),
    ];
    all.into_iter()
        .filter(|(_, values, _)| !values.is_empty())
        .map(|(name, values, mono)| Record { name, values: values.iter().map(Shown::from).collect(), mono })
        .collect()
}

/// What is covered, in one line; what is not listed is counted.
fn listed(all: &[String]) -> Vec<String> {
    const MOST: usize = 40;
    if all.is_empty() {
        return vec!["none".to_owned()];
    }
    let names: Vec<&str> = all.iter().take(MOST).map(String::as_str).collect();
    let more = if all.len() > MOST { format!(" and {} more", all.len() - MOST) } else { String::new() };
    vec![format!("{}{more}", names.join(", "))]
}
