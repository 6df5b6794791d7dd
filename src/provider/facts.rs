//! What was read of a provider, on its way into the bundle, and why something was not.

use std::collections::BTreeMap;

use deadstop_core::bundle::short_hash;
use deadstop_core::fact::{Gap, GapReason};
use deadstop_core::id::{CredentialId, NodeId, SourceId};
use deadstop_core::model::reach::{Answered, Outcome};
use deadstop_core::model::{Asset, Copy, Drill, Grant, Group, Holds, Principal, Protection, Source, Step};
use deadstop_core::time::Time;

use super::same::Endpoint;

/// Nodes of which a right is stated of each by itself: so few, that a group would say no less.
pub(crate) const FEW: usize = 3;

/// The reason of what follows from nothing that was read.
const DOUBT: GapReason = GapReason::Unsupported;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: GapReason,
    /// The provider's word for it: `AccessDenied`.
    pub(crate) code: Option<String>,
}

impl Fault {
    pub(crate) const fn of(reason: GapReason) -> Self {
        Self { reason, code: None }
    }

    /// An answer that is not as documented.
    pub(crate) const fn malformed() -> Self {
        Self::of(GapReason::Malformed)
    }

    /// Whether the provider says one of these.
    pub(crate) fn says(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }
}

/// How one provider is spoken of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    /// Its name.
    pub(crate) provider: &'static str,
    /// What a scope of it is called: `AWS account`.
    pub(crate) scope: &'static str,
    /// Who may be allowed what was refused, to stand after `allow OPERATION`.
    pub(crate) allow: &'static str,
}

/// Facts about what a provider has.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    about: About,
    at: Time,
    pub(crate) sources: BTreeMap<SourceId, Source>,
    pub(crate) principals: Vec<Principal>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) steps: Vec<Step>,
    pub(crate) assets: Vec<Asset>,
    pub(crate) protections: Vec<Protection>,
    pub(crate) copies: Vec<Copy>,
    pub(crate) drills: Vec<Drill>,
    /// What rights speak of together.
    pub(crate) groups: BTreeMap<NodeId, Group>,
    /// The hosts of databases.
    pub(crate) endpoints: Vec<Endpoint>,
    /// What credentials act on.
    pub(crate) told: BTreeMap<CredentialId, Told>,
}

/// What was learnt of a credential beside who it is.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// What kind of credential it turned out to be, where that is not what it is called.
    pub(crate) kind: Option<&'static str>,
    /// What it acts on, in words.
    pub(crate) scope: String,
    /// The environment that it does not leave.
    pub(crate) environment: Option<String>,
}

impl Facts {
    pub(crate) const fn new(about: About, at: Time) -> Self {
        Self {
            about,
            at,
            sources: BTreeMap::new(),
            principals: Vec::new(),
            grants: Vec::new(),
            steps: Vec::new(),
            assets: Vec::new(),
            protections: Vec::new(),
            copies: Vec::new(),
            drills: Vec::new(),
            groups: BTreeMap::new(),
            endpoints: Vec::new(),
            told: BTreeMap::new(),
        }
    }

    /// Takes over what was read with another credential.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.sources.extend(other.sources);
        self.principals.extend(other.principals);
        self.grants.extend(other.grants);
        self.steps.extend(other.steps);
        self.assets.extend(other.assets);
        self.protections.extend(other.protections);
        self.copies.extend(other.copies);
        self.drills.extend(other.drills);
        self.groups.extend(other.groups);
        self.endpoints.extend(other.endpoints);
        self.told.extend(other.told);
    }

    /// A group that holds this, by a name that follows from what it holds.
    pub(crate) fn group(&mut self, holds: Holds) -> NodeId {
        let text = match &holds {
            Holds::Nodes(nodes) => nodes.iter().map(NodeId::as_str).collect::<Vec<_>>().join("\n"),
            Holds::Rest { of, except } => {
                let except = except.iter().map(NodeId::as_str).collect::<Vec<_>>().join("\n");
                format!("{of}\0{except}")
            }
        };
        let id = NodeId(format!("{}:group/{}", self.about.provider, short_hash(&text)));
        self.groups.entry(id.clone()).or_insert_with(|| Group { id: id.clone(), holds });
        id
    }

    /// What rights to these nodes are stated of: a group, if they are many.
    pub(crate) fn together(&mut self, mut nodes: Vec<NodeId>) -> Vec<NodeId> {
        nodes.sort();
        nodes.dedup();
        if nodes.len() > FEW { vec![self.group(Holds::Nodes(nodes))] } else { nodes }
    }

    /// Notes the host of an asset's database; one that was not told may be any.
    pub(crate) fn endpoint(&mut self, asset: &NodeId, engine: &'static str, host: Option<&str>) {
        self.endpoints.push(Endpoint { host: host.unwrap_or_default().to_owned(), engine, asset: asset.clone() });
    }

    /// The provider that is spoken of.
    pub(crate) const fn provider(&self) -> &'static str {
        self.about.provider
    }

    /// What it is called in prose.
    pub(crate) const fn title(&self) -> &'static str {
        self.about.scope
    }

    /// When this is.
    pub(crate) const fn at(&self) -> Time {
        self.at
    }

    /// The source that a call which answered is. `scope` says of what it was asked.
    pub(crate) fn source(&mut self, operation: &str, scope: &str) -> SourceId {
        let id = SourceId(format!("{}:{operation}:{scope}", self.about.provider));
        self.sources.entry(id.clone()).or_insert_with(|| Source {
            id: id.clone(),
            provider: Some(self.about.provider.to_owned()),
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
    pub(crate) fn refused(&mut self, operation: &str, scope: &str, fault: &Fault) -> Gap {
        let settle = match fault.reason {
            GapReason::Denied => format!("allow {operation} {}", self.about.allow),
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
        let id = SourceId(format!("{}:{operation}:{scope}:{}", self.about.provider, fault.reason.words()));
        let source = Source::unanswered(id.clone(), operation, fault.reason, &settle, self.at);
        let excerpt = fault.code.as_ref().map(|code| format!("the provider's word: {code}"));
        let source =
            Source { provider: Some(self.about.provider.to_owned()), scope: Some(scope.to_owned()), excerpt, ..source };
        self.sources.entry(id.clone()).or_insert(source);
        Gap { source: id, reason: fault.reason }
    }

    /// The gap of what nobody was asked, with what would have it asked.
    pub(crate) fn not_asked(&mut self, scope: &str, why: &str, settle: &str) -> Gap {
        let reason = GapReason::NotAsked;
        let id = SourceId(format!("{}:scope/{scope}:{why}", self.about.provider));
        let operation = format!("{} {scope}: {why}", self.about.scope);
        let source = Source::unanswered(id.clone(), &operation, reason, settle, self.at);
        self.sources.entry(id.clone()).or_insert(Source { provider: Some(self.about.provider.to_owned()), ..source });
        Gap { source: id, reason }
    }

    /// The gap of what follows from nothing that was read.
    pub(crate) fn doubt(&mut self, scope: &str, why: &str) -> Gap {
        let id = SourceId(format!("{}:scope/{scope}:{why}", self.about.provider));
        let operation = format!("{} {scope}: {why}", self.about.scope);
        let source = Source::unanswered(id.clone(), &operation, DOUBT, "merge facts of it (--merge)", self.at);
        self.sources.entry(id.clone()).or_insert(Source { provider: Some(self.about.provider.to_owned()), ..source });
        Gap { source: id, reason: DOUBT }
    }
}
