//! What checks see of each subject (floor 2), read from a judged world.
//!
//! A value is written only where it would be the same whatever the gaps hide; else it is left out, with the gaps. So
//! knowing less can turn a verdict into unknown and into nothing else.

mod assets;
mod holders;
mod rights;
mod rules;

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use super::subject::{Field, Kind, Subject, kind_at};
use crate::answer::Judged;
use crate::assessment::{LocationRow, PathAnswer};
use crate::fact::{Fact, Gap};
use crate::id::{NodeId, SessionId, SourceId};
use crate::path::layers::Both;
use crate::path::{Outcome, Walker};
use crate::policy::Policy;
use crate::power::Hold;
use crate::power::ground::Ground;
use crate::verdict::{Prevention, Recovery};
use rights::Rights;

/// The id of the session that stands for those that were not assessed.
pub(crate) const UNASSESSED: &str = "?";

/// What is known of one subject.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What it is.
    pub subject: Subject,
    /// Its stable key.
    pub key: String,
    /// Its name, for people.
    pub name: String,
    /// The fields that are known.
    pub values: Value,
    /// Why fields are not, by their path.
    pub gaps: BTreeMap<String, BTreeSet<Gap>>,
    /// Where it comes from.
    pub sources: BTreeSet<SourceId>,
    /// Where it can be seen in a file.
    pub location: Option<LocationRow>,
}

/// What facts are read from.
pub struct Given<'a, 'w> {
    /// The world as rules.
    pub ground: &'a Ground<'w>,
    /// What was decided.
    pub policy: &'a Policy,
    /// The answers.
    pub judged: &'a [Judged],
    /// The sessions at work.
    pub walkers: &'a BTreeMap<SessionId, Walker<'a, 'w>>,
    /// The paths that are shown, each with whether it is to an asset of the headline.
    pub paths: &'a [PathAnswer],
    /// Why an asset's answer is not known.
    pub deciding: &'a BTreeMap<NodeId, BTreeSet<Gap>>,
    /// Whether a tabletop exercise is recorded.
    pub tabletop: bool,
}

/// Hands the facts of every subject to `to`, one at a time: together they are larger than all else.
pub fn each(given: &Given<'_, '_>, to: &mut dyn FnMut(Facts)) {
    let rights = Rights::new(given);
    assets::assets(given).for_each(&mut *to);
    holders::credentials(given, &rights).for_each(&mut *to);
    holders::sessions(given).for_each(&mut *to);
    holders::principals(given, &rights).for_each(&mut *to);
    assets::environments(given, &rights).for_each(&mut *to);
    assets::copies(given).for_each(&mut *to);
    assets::paths(given).for_each(&mut *to);
}

/// Kinds of which there may be more than was listed, and why.
#[must_use]
pub fn unlisted(given: &Given<'_, '_>) -> BTreeMap<Subject, BTreeSet<Gap>> {
    let world = given.ground.world;
    let rests = world.assets.values().filter(|asset| asset.kind == crate::world::REST);
    let assets: BTreeSet<Gap> = rests.filter_map(|rest| rest.protections.gap().cloned()).collect();
    let reach: BTreeSet<Gap> = world.sessions.values().filter_map(|session| session.reach.gap().cloned()).collect();
    let copies: BTreeSet<Gap> = world.assets.values().filter_map(|asset| asset.copies.gap().cloned()).collect();
    let sessions = world.sessions.get(&SessionId::from(UNASSESSED)).and_then(|session| session.reach.gap().cloned());
    let all = [
        (Subject::Asset, assets),
        (Subject::Credential, reach),
        (Subject::Session, sessions.into_iter().collect()),
        (Subject::RecoveryPoint, copies),
    ];
    all.into_iter().filter(|(_, gaps)| !gaps.is_empty()).collect()
}

/// Something that may be so: known to be, known not to be, or in doubt for these reasons.
pub(crate) type Maybe = Result<bool, BTreeSet<Gap>>;

/// In doubt, where not everything that sessions can reach, and not every way of theirs, was read: they may hold more
/// than is listed.
pub(crate) fn unread(given: &Given<'_, '_>) -> Vec<Maybe> {
    let sessions = given.ground.world.sessions.values();
    let gaps = sessions.flat_map(|session| [session.reach.gap(), session.ways.gap()]).flatten().cloned();
    let gaps: BTreeSet<Gap> = gaps.collect();
    if gaps.is_empty() { Vec::new() } else { vec![Err(gaps)] }
}

/// Whether any of these is so.
pub(crate) fn any(all: impl IntoIterator<Item = Maybe>) -> Maybe {
    let mut gaps = None;
    for one in all {
        match one {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(more) => gaps.get_or_insert_with(BTreeSet::new).extend(more),
        }
    }
    gaps.map_or(Ok(false), Err)
}

/// Whether a fact is known, as something that is so.
pub(crate) fn known(fact: &Fact<bool>) -> Maybe {
    match fact {
        Fact::Known(value) => Ok(*value),
        Fact::Unknown(gap) => Err(BTreeSet::from([gap.clone()])),
    }
}

/// Whether a session has something in its power.
pub(crate) fn has(walker: &Walker<'_, '_>, key: &crate::power::ground::Key) -> Maybe {
    let Both { worst, best } = walker.both_of(key);
    match (worst, best) {
        (Hold::Never, _) => Ok(false),
        (Hold::Free | Hold::Full, Hold::Free | Hold::Full) => Ok(true),
        (Hold::Free | Hold::Full, Hold::Never) => {
            let atoms: Vec<_> = walker.ground.find(key).into_iter().collect();
            Err(walker.power.gaps(&atoms))
        }
    }
}

/// Every outcome that lies within two bounds.
pub(crate) fn between(worst: Outcome, best: Outcome) -> impl Iterator<Item = Outcome> {
    let preventions = [Prevention::Open, Prevention::Slowed, Prevention::Stopped];
    let recoveries = [Recovery::None, Recovery::Untested, Recovery::Tested];
    let all = preventions.into_iter().flat_map(move |prevention| {
        let one = move |recovery| [false, true].map(|outside| Outcome { prevention, recovery, outside });
        recoveries.into_iter().flat_map(one).filter(|o| !o.outside || o.recovery != Recovery::None)
    });
    all.filter(move |outcome| worst.order() <= outcome.order() && outcome.order() <= best.order())
}

/// The one value of a list of values, if there is only one.
pub(crate) fn same<T: PartialEq>(all: impl IntoIterator<Item = T>) -> Option<T> {
    let mut all = all.into_iter();
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

impl Facts {
    /// Nothing is known yet.
    pub(crate) fn new(subject: Subject, key: &str, name: &str) -> Self {
        Self {
            subject,
            key: key.to_owned(),
            name: name.to_owned(),
            values: Value::Object(Map::new()),
            gaps: BTreeMap::new(),
            sources: BTreeSet::new(),
            location: None,
        }
    }

    /// What a case says.
    #[must_use]
    pub fn given(subject: Subject, values: Value) -> Self {
        let name = values.get("name").and_then(Value::as_str).unwrap_or("the case").to_owned();
        Self { values, ..Self::new(subject, "", &name) }
    }

    /// Writes a field that is known.
    pub(crate) fn put(&mut self, path: &str, value: impl Into<Value>) {
        let value = value.into();
        debug_assert!(
            kind_at(self.subject.fields(), path).is_some_and(|kind| fits(kind, &value)),
            "{}.{path} is not declared so",
            self.subject.word()
        );
        let mut at = &mut self.values;
        let mut rest = path;
        while let Some((first, more)) = rest.split_once('.') {
            let Value::Object(map) = at else { return };
            at = map.entry(first).or_insert_with(|| Value::Object(Map::new()));
            rest = more;
        }
        if let Value::Object(map) = at {
            map.insert(rest.to_owned(), value);
        }
    }

    /// Leaves a field out, and says why.
    pub(crate) fn leave(&mut self, path: &str, gaps: impl IntoIterator<Item = Gap>) {
        self.gaps.entry(path.to_owned()).or_default().extend(gaps);
    }

    /// Writes a field, or leaves it out.
    pub(crate) fn tell<T: Into<Value>>(&mut self, path: &str, value: Result<T, BTreeSet<Gap>>) {
        match value {
            Ok(value) => self.put(path, value),
            Err(gaps) => self.leave(path, gaps),
        }
    }

    /// Whether a field is left out, in the subject itself or in an element of one of its lists.
    #[must_use]
    pub fn lacks(&self, path: &str) -> bool {
        fn lacks(value: &Value, path: &str) -> bool {
            let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
            match value {
                Value::Array(items) => items.iter().any(|item| lacks(item, path)),
                Value::Object(map) => match (map.get(first), rest) {
                    (None, _) => true,
                    (Some(_), None) => false,
                    (Some(inner), Some(rest)) => lacks(inner, rest),
                },
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
            }
        }
        lacks(&self.values, path)
    }

    /// The gaps of fields that are left out.
    pub(crate) fn gaps_of(&self, fields: &BTreeSet<&str>) -> BTreeSet<Gap> {
        let of = |path: &String| {
            fields.iter().any(|field| {
                path == field
                    || path
                        .strip_prefix(*field)
                        .or(field.strip_prefix(path.as_str()))
                        .is_some_and(|rest| rest.starts_with('.'))
            })
        };
        self.gaps.iter().filter(|(path, _)| of(path)).flat_map(|(_, gaps)| gaps.iter().cloned()).collect()
    }
}

/// Whether a value is of a declared type.
pub(crate) fn fits(kind: Kind, value: &Value) -> bool {
    let inner = |fields: &'static [Field], value: &Value| {
        value.as_object().is_some_and(|map| {
            map.iter().all(|(name, value)| {
                fields.iter().find(|field| field.name == name).is_some_and(|field| fits(field.kind, value))
            })
        })
    };
    match kind {
        Kind::Bool => value.is_boolean(),
        Kind::Int => value.is_i64(),
        Kind::Text => value.is_string(),
        Kind::Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Kind::Texts => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        Kind::Record(fields) => inner(fields, value),
        Kind::Records(fields) => value.as_array().is_some_and(|items| items.iter().all(|item| inner(fields, item))),
    }
}

/// A count as CEL knows numbers.
pub(crate) fn count(length: usize) -> Value {
    i64::try_from(length).unwrap_or(i64::MAX).into()
}
