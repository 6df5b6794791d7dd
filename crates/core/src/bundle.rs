//! The facts bundle: reading, merging and writing it (floor 1).
//!
//! Merging keeps every reading and decides nothing, so it is commutative, associative and idempotent. Which of two
//! readings counts is decided when the facts are resolved (`world`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

use crate::assessment::Tool;
use crate::fact::{Fact, Listing};
use crate::id::CredentialId;
use crate::model::{
    Action, Asset, Atom, Copy, Credential, Drill, Grant, Group, Override, Principal, Protection, Session, Source, Step,
    Way,
};
use crate::quote;
use crate::time::Time;

/// The schema name that every bundle carries.
pub const SCHEMA: &str = "deadstop.facts/1";

/// How many containers may lie above an asset. Real trees have about ten levels, so a longer chain is a mistake or an
/// attack on whoever follows it.
pub const DEEPEST: usize = 100;

/// Everything that was read, redacted: the only thing that crosses from the world to the answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// `deadstop.facts/1`.
    pub schema: String,
    /// The newest reading in it.
    pub collected_at: Time,
    /// What wrote it.
    pub tool: Tool,
    /// The machine whose sessions it holds: any name that no other machine has. Left out by a collector without
    /// sessions, and once bundles were merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// The story of a built-in world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<Story>,
    /// Every question asked.
    pub sources: Vec<Source>,
    /// Actors.
    pub sessions: Listing<Session>,
    /// How sessions may issue calls.
    pub ways: Listing<Way>,
    /// What providers accept.
    pub credentials: Listing<Credential>,
    /// Identities.
    pub principals: Listing<Principal>,
    /// Rights.
    pub grants: Listing<Grant>,
    /// What widens power.
    pub steps: Listing<Step>,
    /// What can be lost.
    pub assets: Listing<Asset>,
    /// What guards it.
    pub protections: Listing<Protection>,
    /// What brings it back.
    pub recovery_points: Listing<Copy>,
    /// Restores that were tried.
    pub drills: Listing<Drill>,
    /// What rights speak of together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// Provider operations beyond the built-in catalogue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}

/// What a built-in world tells, and the public record it is made from. All names are invented.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// The invented organisation.
    pub client: String,
    /// The world in a line.
    pub title: String,
    /// What happened, in paragraphs.
    pub paragraphs: Vec<String>,
    /// The public record.
    pub references: Vec<String>,
}

/// A bundle that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not JSON, or not a bundle.
    #[error("line {line}, column {column}: {message}")]
    Malformed {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A schema of another kind or a newer version.
    #[error("the schema is {word}, and this version reads `{SCHEMA}`", word = quote::word(.0))]
    Schema(String),
    /// A tree of containers that no provider has.
    #[error("the chain of parents above `{0}` is longer than {DEEPEST}: no provider's tree is")]
    Deep(String),
    /// An id that is referred to and not there.
    #[error("{what} `{from}` refers to {kind} `{to}`, which is not in the bundle")]
    Dangling {
        /// The kind of the referring item.
        what: &'static str,
        /// Its id.
        from: String,
        /// The kind of the missing item.
        kind: &'static str,
        /// Its id.
        to: String,
    },
}

impl Bundle {
    /// A bundle with nothing in it and nothing missing from it.
    #[must_use]
    pub fn empty(collected_at: Time, version: &str) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            collected_at,
            tool: Tool { name: "deadstop".to_owned(), version: version.to_owned() },
            machine: None,
            story: None,
            sources: Vec::new(),
            sessions: Listing::empty(),
            ways: Listing::empty(),
            credentials: Listing::empty(),
            principals: Listing::empty(),
            grants: Listing::empty(),
            steps: Listing::empty(),
            assets: Listing::empty(),
            protections: Listing::empty(),
            recovery_points: Listing::empty(),
            drills: Listing::empty(),
            groups: Vec::new(),
            actions: Vec::new(),
        }
    }
}

/// Reads one bundle from JSON text and gives every session, way and place the name of its machine.
///
/// # Errors
/// If it is not a bundle of this version, or refers to something that is not in it.
pub fn parse(text: &str) -> Result<Bundle, BundleError> {
    let malformed = |error: serde_json::Error| BundleError::Malformed {
        line: error.line(),
        column: error.column(),
        message: plain_message(&error),
    };
    let bare: SchemaOnly = serde_json::from_str(text).map_err(malformed)?;
    if bare.schema != SCHEMA {
        // Only what may be a schema's name is repeated: the rest of a wrong file is nobody's business.
        let known = bare.schema.starts_with("deadstop.") && bare.schema.len() < 40;
        return Err(BundleError::Schema(if known { bare.schema } else { "another".to_owned() }));
    }
    let bundle: Bundle = serde_json::from_str(text).map_err(malformed)?;
    adopt(bundle)
}

/// Makes a bundle that a collector built in memory what [`parse`] would make of its text.
///
/// # Errors
/// If it refers to something that is not in it.
pub fn adopt(mut bundle: Bundle) -> Result<Bundle, BundleError> {
    qualify(&mut bundle);
    let run = bundle.collected_at;
    for source in &mut bundle.sources {
        source.run.get_or_insert(run);
    }
    references(&bundle)?;
    let mut bundle = rename_sources(bundle)?;
    sort(&mut bundle);
    Ok(bundle)
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: String,
}

fn plain_message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    quote::message(text.get(..end).unwrap_or(&text)).into_owned()
}

/// Joins bundles. Every reading is kept; the order and the number of times a bundle is given do not matter.
#[must_use]
pub fn merge(bundles: &[Bundle]) -> Bundle {
    let newest = bundles.iter().map(|bundle| bundle.collected_at).max();
    let mut all = Bundle::empty(newest.unwrap_or_else(|| Time::from_unix(0)), env!("CARGO_PKG_VERSION"));
    if let Some(tool) = bundles.iter().map(|bundle| &bundle.tool).max_by_key(|tool| (&tool.version, &tool.name)) {
        all.tool = tool.clone();
    }
    let first = bundles.first().and_then(|bundle| bundle.machine.clone());
    all.machine = first.filter(|name| bundles.iter().all(|bundle| bundle.machine.as_ref() == Some(name)));
    all.story = bundles.iter().filter_map(|bundle| bundle.story.clone()).min();
    for bundle in bundles {
        all.sources.extend(bundle.sources.iter().cloned());
        join(&mut all.sessions, &bundle.sessions);
        join(&mut all.ways, &bundle.ways);
        join(&mut all.credentials, &bundle.credentials);
        join(&mut all.principals, &bundle.principals);
        join(&mut all.grants, &bundle.grants);
        join(&mut all.steps, &bundle.steps);
        join(&mut all.assets, &bundle.assets);
        join(&mut all.protections, &bundle.protections);
        join(&mut all.recovery_points, &bundle.recovery_points);
        join(&mut all.drills, &bundle.drills);
        all.groups.extend(bundle.groups.iter().cloned());
        all.actions.extend(bundle.actions.iter().cloned());
    }
    sort(&mut all);
    all
}

/// The bundle as JSON text: sorted, two spaces, a newline at the end.
#[must_use]
pub fn to_json(bundle: &Bundle) -> String {
    let mut text = serde_json::to_string_pretty(bundle).unwrap_or_default();
    text.push('\n');
    text
}

fn join<T: Clone>(all: &mut Listing<T>, more: &Listing<T>) {
    all.items.extend(more.items.iter().cloned());
    all.gaps.extend(more.gaps.iter().cloned());
}

fn sort(bundle: &mut Bundle) {
    fn tidy<T: Ord>(listing: &mut Listing<T>) {
        listing.items.sort();
        listing.items.dedup();
        listing.gaps.sort();
        listing.gaps.dedup();
    }
    bundle.sources.sort();
    bundle.sources.dedup();
    bundle.groups.sort();
    bundle.groups.dedup();
    bundle.actions.sort();
    bundle.actions.dedup();
    tidy(&mut bundle.sessions);
    tidy(&mut bundle.ways);
    tidy(&mut bundle.credentials);
    tidy(&mut bundle.principals);
    tidy(&mut bundle.grants);
    tidy(&mut bundle.steps);
    tidy(&mut bundle.assets);
    tidy(&mut bundle.protections);
    tidy(&mut bundle.recovery_points);
    tidy(&mut bundle.drills);
}

/// Puts the machine's name before the ids of its sessions and ways, once, so that none of another machine is meant.
fn qualify(bundle: &mut Bundle) {
    let Some(machine) = bundle.machine.clone() else { return };
    let prefix = format!("{machine}/");
    let named = |text: &mut String| {
        if !text.starts_with(&prefix) {
            text.insert_str(0, &prefix);
        }
    };
    for session in &mut bundle.sessions.items {
        named(&mut session.id.0);
        session.machine.get_or_insert_with(|| machine.clone());
    }
    // Where only its places tell a credential apart, the same places on another machine hold another one.
    let told = |credential: &Credential| credential.public_id.is_some() || credential.fingerprint.is_some();
    let placed: BTreeSet<CredentialId> =
        bundle.credentials.items.iter().filter(|c| !told(c)).map(|c| c.id.clone()).collect();
    let held = |id: &mut CredentialId| {
        if placed.contains(id) {
            named(&mut id.0);
        }
    };
    let atom = |atom: &mut Atom| match atom {
        Atom::Way(way) => named(&mut way.0),
        Atom::Credential(id) => held(id),
        Atom::Principal(_) | Atom::Lifted(_) | Atom::Can { .. } | Atom::Right { .. } | Atom::Destroyed(_) => {}
    };
    let overrides = |list: &mut Vec<Override>| {
        list.iter_mut().flat_map(|item| item.needs.iter_mut()).for_each(atom);
    };
    for way in &mut bundle.ways.items {
        named(&mut way.id.0);
        way.session.iter_mut().for_each(|session| named(&mut session.0));
        overrides(&mut way.overrides);
        overrides(&mut way.escapes);
        way.needs.iter_mut().for_each(atom);
        way.holds.iter_mut().for_each(held);
    }
    bundle.credentials.items.iter_mut().for_each(|credential| held(&mut credential.id));
    for location in bundle.credentials.items.iter_mut().flat_map(|credential| credential.locations.iter_mut()) {
        location.sessions.iter_mut().for_each(|session| named(&mut session.0));
        for refusal in &mut location.refused {
            named(&mut refusal.way.0);
            overrides(&mut refusal.overrides);
        }
    }
    for step in &mut bundle.steps.items {
        named(&mut step.id.0);
        step.session.iter_mut().for_each(|session| named(&mut session.0));
        step.needs.iter_mut().chain(step.gains.iter_mut()).for_each(atom);
    }
    let lifts = bundle.protections.items.iter_mut().map(|protection| &mut protection.lifts);
    for list in lifts.chain(bundle.recovery_points.items.iter_mut().map(|copy| &mut copy.destroyed_by)) {
        if let Fact::Known(list) = list {
            list.iter_mut().flat_map(|lift| lift.needs.iter_mut()).for_each(atom);
        }
    }
}

/// Refuses a bundle in which a chain of parents is longer than any provider's. A circle is none: it ends where it began.
fn depth(bundle: &Bundle) -> Result<(), BundleError> {
    let parents: BTreeMap<&str, &str> = bundle
        .assets
        .items
        .iter()
        .filter_map(|asset| Some((asset.id.as_str(), asset.parent.as_ref()?.as_str())))
        .collect();
    for start in parents.keys() {
        let mut chain: BTreeSet<&str> = BTreeSet::new();
        let mut at = *start;
        while let Some(parent) = parents.get(at) {
            if !chain.insert(at) {
                break;
            }
            if chain.len() > DEEPEST {
                return Err(BundleError::Deep((*start).to_owned()));
            }
            at = parent;
        }
    }
    Ok(())
}

/// Refuses a bundle in which a way, place or step names a session that is not there, or a deputy a credential.
fn references(bundle: &Bundle) -> Result<(), BundleError> {
    depth(bundle)?;
    let sessions: BTreeSet<&str> = bundle.sessions.items.iter().map(|session| session.id.as_str()).collect();
    let check = |what, from: &str, to: &str| {
        if sessions.contains(to) {
            return Ok(());
        }
        Err(BundleError::Dangling { what, from: from.to_owned(), kind: "session", to: to.to_owned() })
    };
    for way in &bundle.ways.items {
        way.session.iter().try_for_each(|session| check("way", way.id.as_str(), session.as_str()))?;
    }
    let held: BTreeSet<&CredentialId> = bundle.credentials.items.iter().map(|credential| &credential.id).collect();
    for way in &bundle.ways.items {
        if let Some(missing) = way.holds.iter().find(|id| !held.contains(id)) {
            let (from, to) = (way.id.0.clone(), missing.0.clone());
            return Err(BundleError::Dangling { what: "way", from, kind: "credential", to });
        }
    }
    for step in &bundle.steps.items {
        step.session.iter().try_for_each(|session| check("step", step.id.as_str(), session.as_str()))?;
    }
    for credential in &bundle.credentials.items {
        let mut named = credential.locations.iter().flat_map(|location| &location.sessions);
        named.try_for_each(|session| check("credential", credential.id.as_str(), session.as_str()))?;
    }
    Ok(())
}

/// Gives every source an id that follows from its content, so that sources of two bundles never share one by chance.
fn rename_sources(bundle: Bundle) -> Result<Bundle, BundleError> {
    let mut names = BTreeMap::new();
    for source in &bundle.sources {
        let mut content = source.clone();
        content.id = "".into();
        let text = serde_json::to_string(&content).unwrap_or_default();
        names.insert(source.id.0.clone(), format!("s-{}", short_hash(&text)));
    }
    let mut value = serde_json::to_value(&bundle).map_err(internal)?;
    if let Some(Value::Array(sources)) = value.get_mut("sources") {
        for source in sources.iter_mut() {
            if let Some(Value::String(id)) = source.get_mut("id")
                && let Some(name) = names.get(id)
            {
                id.clone_from(name);
            }
        }
    }
    rename(&mut value, &names)?;
    serde_json::from_value(value).map_err(internal)
}

fn internal(error: serde_json::Error) -> BundleError {
    BundleError::Malformed { line: 0, column: 0, message: format!("internal error, please report it: {error}") }
}

fn rename(value: &mut Value, names: &BTreeMap<String, String>) -> Result<(), BundleError> {
    let lookup = |id: &mut String| match names.get(id.as_str()) {
        Some(name) => {
            id.clone_from(name);
            Ok(())
        }
        None => Err(BundleError::Dangling { what: "a fact", from: String::new(), kind: "source", to: id.clone() }),
    };
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| rename(item, names)),
        Value::Object(map) => map.iter_mut().try_for_each(|(key, item)| match (key.as_str(), item) {
            ("source", Value::String(id)) => lookup(id),
            ("sources", Value::Array(ids)) if ids.iter().all(Value::is_string) => {
                ids.iter_mut().try_for_each(|id| if let Value::String(id) = id { lookup(id) } else { Ok(()) })
            }
            (_, item) => rename(item, names),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// The first 12 hex digits of a text's SHA-256. For names only, never for anything secret.
#[must_use]
pub fn short_hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
