//! Worlds written by hand: YAML in which what goes without saying is left out, expanded to strict bundles (floor 1).
//!
//! What may be left out is what a hand-written world would say over and over: that a listing was read to its end, that
//! a session's reach was read, what a thing is called. Whatever decides an answer has to be written: a copy says what it
//! dies with, a protection says who lifts it, a step says whether it changes anything. An unknown fact is written
//! `{unknown: denied}`, or with what was asked and what would settle it; its source is made up from that.

mod defaults;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::bundle::{self, Bundle, BundleError};
use crate::model::Drill;
use crate::policy::{Declared, Engagement, Environment, Policy};
use crate::time::{Span, Time};
use crate::verdict::Rank;

/// What stands beside the facts of a world.
#[derive(Clone, Debug)]
pub struct Meta {
    /// The world in a sentence.
    pub about: String,
    /// What its `deadstop.yaml` would say.
    pub policy: Policy,
    /// What its answer has to be, for golden worlds; null where nothing is expected.
    pub expect: Value,
}

/// A world that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ShorthandError {
    /// Not YAML.
    #[error("{0}")]
    Yaml(#[from] serde_yaml::Error),
    /// Not a world.
    #[error("{place}: {message}")]
    Shape {
        /// Where, as a path of keys.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// Its facts are no bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

fn shape(place: impl Into<String>, message: impl ToString) -> ShorthandError {
    ShorthandError::Shape { place: place.into(), message: message.to_string() }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    about: String,
    #[serde(default)]
    story: Option<Value>,
    #[serde(default)]
    policy: WrittenPolicy,
    facts: Vec<Map<String, Value>>,
    #[serde(default)]
    expect: Value,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenPolicy {
    assessed_at: Option<Time>,
    time_to_notice: Option<Span>,
    drill_max_age: Option<Span>,
    fact_max_age: Option<Span>,
    target: Option<String>,
    environments: Vec<WrittenEnvironment>,
    assets: Vec<WrittenAsset>,
    drills: Vec<Map<String, Value>>,
    untrusted: bool,
    client: Option<String>,
    assessor: Option<String>,
    period: Option<String>,
    handling: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEnvironment {
    name: String,
    #[serde(default)]
    ids: Vec<String>,
    #[serde(default)]
    patterns: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAsset {
    key: String,
    #[serde(default)]
    criticality: Option<String>,
    #[serde(default)]
    rpo: Option<Span>,
    #[serde(default)]
    rto: Option<Span>,
    #[serde(default)]
    owner: Option<String>,
}

/// Reads a world: its bundles, each as a collector would have written it, and what stands beside them.
///
/// # Errors
/// If it is not YAML, or what it expands to is not a bundle.
pub fn expand(yaml: &str) -> Result<(Vec<Bundle>, Meta), ShorthandError> {
    let written: Written = serde_yaml::from_str(yaml)?;
    let mut bundles = Vec::new();
    for (at, facts) in written.facts.into_iter().enumerate() {
        let mut value = defaults::bundle(facts).map_err(|message| shape(format!("facts[{at}]"), message))?;
        if let (0, Some(story), Value::Object(map)) = (at, &written.story, &mut value) {
            map.insert("story".to_owned(), story.clone());
        }
        let bundle: Bundle = serde_json::from_value(value.clone()).map_err(|error| locate(at, &value, &error))?;
        bundles.push(bundle::adopt(bundle)?);
    }
    let policy = policy(written.policy)?;
    Ok((bundles, Meta { about: written.about, policy, expect: written.expect }))
}

/// Which item does not fit: the strict reading does not say, so every item is tried by itself.
fn locate(at: usize, value: &Value, error: &serde_json::Error) -> ShorthandError {
    for (listing, held) in value.as_object().into_iter().flatten() {
        let items = held.get("items").and_then(Value::as_array).or_else(|| held.as_array());
        for (n, item) in items.into_iter().flatten().enumerate() {
            if let Err(wrong) = defaults::fits(listing, item) {
                let name = item.get("id").and_then(Value::as_str).map_or_else(|| n.to_string(), str::to_owned);
                return shape(format!("facts[{at}].{listing}[{name}]"), wrong);
            }
        }
    }
    shape(format!("facts[{at}]"), error)
}

fn policy(written: WrittenPolicy) -> Result<Policy, ShorthandError> {
    let default = Policy::default();
    let target = match written.target.as_deref() {
        None => default.target,
        Some(word) => *RANKS
            .iter()
            .find(|rank| rank.word() == word)
            .ok_or_else(|| shape("policy.target", format!("`{word}` is no answer")))?,
    };
    let drills = written.drills.into_iter().map(|mut drill| {
        defaults::item("drills", &mut drill);
        serde_json::from_value::<Drill>(Value::Object(drill)).map_err(|error| shape("policy.drills", error))
    });
    let environments = written.environments.into_iter();
    let assets = written.assets.into_iter();
    Ok(Policy {
        assessed_at: written.assessed_at,
        time_to_notice: written.time_to_notice,
        drill_max_age: written.drill_max_age.unwrap_or(default.drill_max_age),
        fact_max_age: written.fact_max_age.unwrap_or(default.fact_max_age),
        target,
        environments: environments.map(|e| Environment { name: e.name, ids: e.ids, patterns: e.patterns }).collect(),
        intended: BTreeMap::new(),
        assets: assets
            .map(|a| (a.key, Declared { criticality: a.criticality, rpo: a.rpo, rto: a.rto, owner: a.owner }))
            .collect(),
        drills: drills.collect::<Result<_, _>>()?,
        fixes: BTreeMap::new(),
        plans: true,
        trusted: !written.untrusted,
        engagement: Engagement {
            client: written.client,
            assessor: written.assessor,
            period: written.period,
            handling: written.handling,
        },
        waivers: Vec::new(),
    })
}

const RANKS: [Rank; 7] = [
    Rank::Nothing,
    Rank::SlowedNoRecovery,
    Rank::RecoverableUntested,
    Rank::RecoverableTested,
    Rank::SlowedUntested,
    Rank::SlowedTested,
    Rank::Stopped,
];

/// The moment that a world speaks of where it does not say.
const COLLECTED_AT: &str = "2026-11-24T06:00:00Z";

fn empty_listing() -> Value {
    json!({ "items": [], "gaps": [] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Fact;

    #[test]
    fn what_goes_without_saying_is_filled_in() {
        let (bundles, meta) = expand(
            "{about: a world, facts: [{machine: m, sessions: [{id: s}], ways: [{id: w, session: s, kind: shell}]}]}",
        )
        .unwrap();
        assert_eq!(meta.about, "a world");
        let bundle = &bundles[0];
        assert_eq!(bundle.sessions.items[0].id.as_str(), "m/s");
        assert!(bundle.ways.items[0].reads && bundle.credentials.gaps.is_empty());
    }

    #[test]
    fn an_unknown_fact_brings_its_source() {
        let text = "{about: a, facts: [{assets: [{id: x, provider: aws, kind: bucket, class: bucket, copies: {unknown: \
                    {reason: denied, operation: ask, settle: grant it}}}]}]}";
        let (bundles, _) = expand(text).unwrap();
        let Fact::Unknown(gap) = &bundles[0].assets.items[0].copies else { panic!("known") };
        let source = bundles[0].sources.iter().find(|source| source.id == gap.source).unwrap();
        assert_eq!((source.operation.as_str(), source.settle.as_deref()), ("ask", Some("grant it")));
    }

    #[test]
    fn an_item_that_does_not_fit_is_named() {
        let of = |facts: &str| expand(&format!("{{about: a, facts: [{facts}]}}")).unwrap_err().to_string();
        assert!(of("{assets: [{id: x, provider: aws, kind: bucket}]}").contains("assets[x]: missing field `class`"));
        assert!(of("{asets: []}").contains("`asets` is no part of a bundle"));
        assert!(of("{sessions: 3}").contains("`sessions` is not a list"));
    }

    #[test]
    fn an_item_repeats_with_its_number() {
        let text =
            "{about: a, facts: [{assets: [{id: 'b-{n}', provider: aws, kind: bucket, class: bucket, repeat: 3}]}]}";
        let (bundles, _) = expand(text).unwrap();
        let ids: Vec<&str> = bundles[0].assets.items.iter().map(|asset| asset.id.as_str()).collect();
        assert_eq!(ids, ["b-1", "b-2", "b-3"]);
    }
}
