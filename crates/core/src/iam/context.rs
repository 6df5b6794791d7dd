//! What a request says of itself: the keys that conditions and variables read.

use std::collections::BTreeMap;

/// The keys of a request. Names are compared without case, values with it (`reference_policies_condition-keys`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    keys: BTreeMap<String, Vec<String>>,
    /// Keys of which nothing is known, though others may be known to their end.
    unknown: bool,
}

/// What is known of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen<'a> {
    /// The request has it, with these values.
    Values(&'a [String]),
    /// The request does not have it.
    Absent,
    /// Whether the request has it is not known.
    Unknown,
}

impl Context {
    /// A context that is known to its end: a key that is not in it is not in the request.
    #[must_use]
    pub fn complete() -> Self {
        Self::default()
    }

    /// A context of which only some keys are known.
    #[must_use]
    pub fn partial() -> Self {
        Self { unknown: true, ..Self::default() }
    }

    /// Sets a key. One without a value is as good as absent.
    pub fn set(&mut self, key: &str, values: Vec<String>) {
        self.keys.insert(key.to_lowercase(), values);
    }

    /// Sets a key that follows from the request, unless it was given.
    pub(super) fn derive(&mut self, key: &str, value: &str) {
        self.keys.entry(key.to_owned()).or_insert_with(|| vec![value.to_owned()]);
    }

    /// What is known of a key, given in lower case.
    pub(super) fn seen(&self, key: &str) -> Seen<'_> {
        match self.keys.get(key) {
            Some(values) if !values.is_empty() => Seen::Values(values),
            Some(_) => Seen::Absent,
            None if self.unknown => Seen::Unknown,
            None => Seen::Absent,
        }
    }
}
