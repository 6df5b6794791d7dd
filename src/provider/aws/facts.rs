//! What was read, on its way into the bundle.

use std::collections::BTreeMap;

use deadstop_core::fact::{Gap, GapReason};
use deadstop_core::id::SourceId;
use deadstop_core::model::reach::{Answered, Outcome};
use deadstop_core::model::{Asset, Copy, Grant, Principal, Protection, Source, Step};
use deadstop_core::time::Time;

use super::client::Fault;
use super::rights::DOUBT;

/// Facts about what a provider has.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    at: Time,
    pub(crate) sources: BTreeMap<SourceId, Source>,
    pub(crate) principals: Vec<Principal>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) steps: Vec<Step>,
    pub(crate) assets: Vec<Asset>,
    pub(crate) protections: Vec<Protection>,
    pub(crate) copies: Vec<Copy>,
}

impl Facts {
    pub(super) const fn new(at: Time) -> Self {
        Self {
            at,
            sources: BTreeMap::new(),
            principals: Vec::new(),
            grants: Vec::new(),
            steps: Vec::new(),
            assets: Vec::new(),
            protections: Vec::new(),
            copies: Vec::new(),
        }
    }

    /// When this is.
    pub(super) const fn at(&self) -> Time {
        self.at
    }

    /// The source that a call which answered is. `scope` is an account, or an account and a region.
    pub(super) fn source(&mut self, operation: &str, scope: &str) -> SourceId {
        let id = SourceId(format!("aws:{operation}:{scope}"));
        self.sources.entry(id.clone()).or_insert_with(|| Source {
            id: id.clone(),
            provider: Some("aws".to_owned()),
            operation: operation.to_owned(),
            scope: Some(scope.to_owned()),
            outcome: Outcome::Answered(Answered::Answered),
            at: self.at,
            run: None,
            excerpt: None,
            place: None,
            settle: None,
        });
        id
    }

    /// The gap of a call that was not answered.
    pub(super) fn refused(&mut self, operation: &str, scope: &str, fault: &Fault) -> Gap {
        let settle = match fault.reason {
            GapReason::Denied => {
                format!("allow {operation} to the auditor (providers.aws.profile), or to one of the keys found")
            }
            GapReason::Throttled | GapReason::TimedOut | GapReason::Unreachable => "run it again".to_owned(),
            GapReason::Unsupported
            | GapReason::NotAsked
            | GapReason::Malformed
            | GapReason::Vanished
            | GapReason::TooLarge
            | GapReason::Conflicting
            | GapReason::Stale
            | GapReason::CheckBroken => "merge facts of it (--merge)".to_owned(),
        };
        let id = SourceId(format!("aws:{operation}:{scope}:{}", fault.reason.words()));
        let source = Source::unanswered(id.clone(), operation, fault.reason, &settle, self.at);
        let excerpt = fault.code.as_ref().map(|code| format!("the provider's word: {code}"));
        let source = Source { provider: Some("aws".to_owned()), scope: Some(scope.to_owned()), excerpt, ..source };
        self.sources.entry(id.clone()).or_insert(source);
        Gap { source: id, reason: fault.reason }
    }

    /// The gap of a decision that follows from no policy that was read.
    pub(super) fn doubt(&mut self, account: &str, why: &str) -> Gap {
        let id = SourceId(format!("aws:account/{account}:{why}"));
        let operation = format!("AWS account {account}: {why}");
        let source = Source::unanswered(id.clone(), &operation, DOUBT, "merge facts of it (--merge)", self.at);
        self.sources.entry(id.clone()).or_insert(Source { provider: Some("aws".to_owned()), ..source });
        Gap { source: id, reason: DOUBT }
    }
}
