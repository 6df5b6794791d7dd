//! Known or not known: the only two states a fact has (floor 0).
//!
//! A fact has no default, no `unwrap_or` and no conversion to `bool`: whoever reads one says what happens
//! when it is not known.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap};
use std::borrow::Cow;

use crate::id::SourceId;

/// A single fact: known, or a gap that says why not. There is no third state and no default.
///
/// In JSON a known fact is its value and an unknown one is `{"unknown": {"source": …, "reason": …}}`.
/// `null` is refused on reading.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact<T> {
    /// The value was read, evaluated or declared.
    Known(T),
    /// The value could not be had; the gap says why.
    Unknown(Gap),
}

/// Why something is not known. Data, not an error: it is stored, shown and counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The source that did not answer.
    pub source: SourceId,
    /// What kind of not knowing this is.
    pub reason: GapReason,
}

/// The kinds of not knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The reader was refused.
    Denied,
    /// The provider asked to slow down until we gave up.
    Throttled,
    /// No answer in time, or the time allowed for reading ran out.
    TimedOut,
    /// The other side could not be reached.
    Unreachable,
    /// Deadstop, or the provider, has no way to ask this.
    Unsupported,
    /// Nothing asked: an option was off, or the thing lies outside what was to be read.
    NotAsked,
    /// An answer came that could not be understood.
    Malformed,
    /// It was there and then it was not, or it changed while it was read.
    Vanished,
    /// It is larger than what is read.
    TooLarge,
    /// Two sources contradict each other.
    Conflicting,
    /// The fact is too old to count.
    Stale,
    /// A check of ours could not be evaluated.
    CheckBroken,
}

impl GapReason {
    /// The reason in words, to stand after "because".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Denied => "access was denied",
            Self::Throttled => "the provider throttled the call",
            Self::TimedOut => "the time allowed ran out",
            Self::Unreachable => "it could not be reached",
            Self::Unsupported => "there is no way to ask it",
            Self::NotAsked => "it was not asked",
            Self::Malformed => "the answer could not be understood",
            Self::Vanished => "it changed or vanished while it was read",
            Self::TooLarge => "it is larger than what is read",
            Self::Conflicting => "its sources disagree",
            Self::Stale => "the reading is too old to count",
            Self::CheckBroken => "the check could not be evaluated",
        }
    }
}

impl<T> Fact<T> {
    /// The value, if it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// The gap, if the value is not known.
    pub const fn gap(&self) -> Option<&Gap> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(gap) => Some(gap),
        }
    }

    /// The same gap, or the value changed by `f`.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(f(value)),
            Self::Unknown(gap) => Fact::Unknown(gap),
        }
    }
}

/// The one value of a listing that was read to its end. What is not in it does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Listed {
    /// Read to its end.
    Complete,
}

/// What was seen of one kind. `gaps` empty means: this is all there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listing<T> {
    /// What was seen.
    pub items: Vec<T>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
}

impl<T> Listing<T> {
    /// A listing of which nothing is missing and nothing was found.
    #[must_use]
    pub const fn empty() -> Self {
        Self { items: Vec::new(), gaps: Vec::new() }
    }
}

impl<T: Serialize> Serialize for Fact<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Unknown(gap) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("unknown", gap)?;
                map.end()
            }
        }
    }
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Fact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_null() {
            return Err(D::Error::custom("a fact is its value or {\"unknown\": …}, never null"));
        }
        if let serde_json::Value::Object(map) = &value
            && map.len() == 1
            && let Some(gap) = map.get("unknown")
        {
            return Gap::deserialize(gap.clone()).map(Fact::Unknown).map_err(D::Error::custom);
        }
        T::deserialize(value).map(Fact::Known).map_err(D::Error::custom)
    }
}

impl<T: JsonSchema> JsonSchema for Fact<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("FactOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        let gap = generator.subschema_for::<Gap>();
        json_schema!({
            "description": "A known fact is its value; an unknown one says why.",
            "anyOf": [
                value,
                { "type": "object", "properties": { "unknown": gap }, "required": ["unknown"], "additionalProperties": false }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_fact_is_its_value() {
        let fact: Fact<bool> = serde_json::from_str("true").unwrap();
        assert_eq!(fact, Fact::Known(true));
        assert_eq!(serde_json::to_string(&fact).unwrap(), "true");
    }

    #[test]
    fn an_unknown_fact_keeps_its_gap() {
        let text = r#"{"unknown":{"source":"s1","reason":"denied"}}"#;
        let fact: Fact<bool> = serde_json::from_str(text).unwrap();
        assert_eq!(fact.gap().map(|gap| gap.reason), Some(GapReason::Denied));
        assert_eq!(serde_json::to_string(&fact).unwrap(), text);
    }

    #[test]
    fn null_is_refused() {
        assert!(serde_json::from_str::<Fact<bool>>("null").is_err());
    }
}
