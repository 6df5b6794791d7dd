//! What platforms have alike on their way into the bundle: identities, rights, containers, ways of destroying a copy.

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::{CredentialId, NodeId, PrincipalId, ProtectionId};
use deadstop_core::model::{Asset, Atom, Basis, Class, Copy, CopyKind, End, Grant, Lift, Principal, Protection, Side};
use deadstop_core::time::Span;

use super::facts::{Facts, Fault};

/// An operation, and of what it was asked.
pub(crate) type Asked<'a> = (&'a str, &'a str);

/// What an identity may do somewhere.
#[derive(Clone, Debug)]
pub(crate) enum May {
    /// What the grant says, and why.
    Everything(&'static str),
    /// It was not read.
    NotKnown(Gap),
}

/// A container as it was seen.
#[derive(Debug)]
pub(crate) struct Container<'a> {
    pub(crate) id: NodeId,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    pub(crate) parent: Option<&'a NodeId>,
    /// The environment of what lies in it.
    pub(crate) environment: Fact<String>,
    pub(crate) contents: Fact<Listed>,
}

impl Container<'_> {
    /// A container of no environment in particular that was listed to its end.
    pub(crate) const fn of(id: NodeId) -> Self {
        let environment = Fact::Known(String::new());
        Self { id, kind: "", name: "", parent: None, environment, contents: Fact::Known(Listed::Complete) }
    }
}

/// An asset as it was seen; all that protects it is known.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) id: NodeId,
    pub(crate) kind: &'a str,
    pub(crate) class: Class,
    pub(crate) name: String,
    pub(crate) parent: Option<&'a NodeId>,
    pub(crate) environment: Fact<String>,
    /// Where other assets lie in it: whether they were all listed.
    pub(crate) contents: Option<Fact<Listed>>,
    pub(crate) copies: Fact<Listed>,
    pub(crate) holds: Option<String>,
}

/// A setting of an asset that keeps it from being destroyed.
#[derive(Debug)]
pub(crate) struct Guard<'a> {
    pub(crate) on: &'a NodeId,
    pub(crate) kind: &'a str,
    pub(crate) covers: &'a [&'a str],
    pub(crate) enabled: Fact<bool>,
    pub(crate) holds_parent: bool,
    pub(crate) lifts: Fact<Vec<Lift>>,
    pub(crate) because: &'a str,
}

/// A copy as it was seen.
#[derive(Debug)]
pub(crate) struct Kept<'a> {
    /// Its id below that of the asset.
    pub(crate) id: &'a str,
    pub(crate) of: &'a NodeId,
    pub(crate) kind: CopyKind,
    pub(crate) name: String,
    /// What it lies in.
    pub(crate) place: Option<&'a NodeId>,
    pub(crate) lag: Fact<Span>,
    pub(crate) ends: Fact<End>,
    pub(crate) dies_with: Fact<Vec<String>>,
    pub(crate) destroyed_by: Fact<Vec<Lift>>,
    pub(crate) because: &'a str,
}

impl Facts {
    /// Adds an asset.
    pub(crate) fn seen(&mut self, seen: Seen<'_>, asked: Asked<'_>) {
        let source = self.source(asked.0, asked.1);
        self.assets.push(Asset {
            id: seen.id,
            provider: self.provider().to_owned(),
            kind: seen.kind.to_owned(),
            class: seen.class,
            name: seen.name,
            parent: seen.parent.cloned(),
            environment: seen.environment,
            contents: seen.contents,
            protections: Fact::Known(Listed::Complete),
            copies: seen.copies,
            behind: Vec::new(),
            holds: seen.holds,
            sources: vec![source],
        });
    }

    /// Adds what keeps an asset from being destroyed.
    pub(crate) fn guarded(&mut self, guard: Guard<'_>, asked: Asked<'_>) {
        // INVARIANT: what lifts it is not refused by it, or it would hold for ever.
        let lifts = guard.lifts.known().into_iter().flatten().flat_map(|lift| &lift.needs);
        debug_assert!(
            !lifts
                .into_iter()
                .any(|need| matches!(need, Atom::Can { action, .. } if guard.covers.contains(&action.as_str()))),
            "{} refuses what lifts it",
            guard.kind
        );
        let source = self.source(asked.0, asked.1);
        self.protections.push(Protection {
            id: ProtectionId(format!("{}#{}", guard.on, guard.kind.replace(' ', "-"))),
            on: guard.on.clone(),
            side: Side::Protect,
            kind: guard.kind.to_owned(),
            covers: names(guard.covers),
            enabled: guard.enabled,
            whole: Fact::Known(true),
            holds_parent: guard.holds_parent,
            only_ways: Vec::new(),
            lifts: guard.lifts,
            basis: Basis::Observed,
            because: guard.because.to_owned(),
            sources: vec![source],
        });
    }

    /// Adds a copy.
    pub(crate) fn kept(&mut self, kept: Kept<'_>, asked: Asked<'_>) {
        let source = self.source(asked.0, asked.1);
        self.copies.push(Copy {
            id: NodeId(format!("{}/{}", kept.of, kept.id)),
            of: kept.of.clone(),
            kind: kept.kind,
            name: kept.name,
            place: kept.place.cloned(),
            lag: kept.lag,
            ends: kept.ends,
            dies_with: kept.dies_with,
            destroyed_by: kept.destroyed_by,
            needs: Vec::new(),
            drills: untried(),
            basis: Basis::Observed,
            because: kept.because.to_owned(),
            sources: vec![source],
        });
    }

    /// Adds what a token acts on beyond what was listed: one asset more, of which nothing is known. It may also be anything
    /// that another token lists.
    pub(crate) fn beyond(
        &mut self,
        token: &CredentialId,
        who: Option<&PrincipalId>,
        (gap, may): (&Gap, &May),
        operation: &str,
    ) {
        let id = NodeId(format!("{}:scope/{token}", self.provider()));
        let name = format!("{}, whatever else a token acts on", self.title());
        let asked = (operation, token.as_str());
        let contents = Fact::Unknown(gap.clone());
        let environment = Fact::Unknown(gap.clone());
        let seen = Container { kind: "scope", name: &name, contents, environment, ..Container::of(id.clone()) };
        self.container(seen, asked);
        self.grant(who, anything(), id, may, asked);
        self.everywhere(who, gap, asked);
    }

    /// Leaves open what an identity may do to anything of its provider: its rights are not told, or what they are to was
    /// not listed to its end. What it was shown may hang elsewhere in what another token is shown.
    pub(crate) fn everywhere(&mut self, who: Option<&PrincipalId>, gap: &Gap, asked: Asked<'_>) {
        self.grant(who, anything(), NodeId("*".to_owned()), &May::NotKnown(gap.clone()), asked);
    }

    /// Notes a question that was answered, or the gap of one that was not.
    pub(crate) fn outcome(&mut self, operation: &str, scope: &str, fault: Option<Fault>) -> Option<Gap> {
        let Some(fault) = fault else {
            self.source(operation, scope);
            return None;
        };
        Some(self.refused(operation, scope, &fault))
    }

    /// Adds an identity, all of whose rights are told.
    pub(crate) fn principal(&mut self, who: &PrincipalId, name: &str, environment: Option<String>, asked: Asked<'_>) {
        let source = self.source(asked.0, asked.1);
        self.principals.push(Principal {
            id: who.clone(),
            provider: self.provider().to_owned(),
            name: name.to_owned(),
            environment,
            grants: Fact::Known(Listed::Complete),
            sources: vec![source],
        });
    }

    /// Adds what an identity may do somewhere, if it is known who it is.
    pub(crate) fn grant(
        &mut self,
        who: Option<&PrincipalId>,
        actions: Vec<String>,
        target: NodeId,
        may: &May,
        asked: Asked<'_>,
    ) {
        let Some(who) = who else { return };
        match may {
            May::Everything(because) => self.granted(who, actions, target, (Basis::Inferred, because), asked),
            May::NotKnown(gap) => {
                let source = self.source(asked.0, asked.1);
                self.grants.push(Grant {
                    principal: who.clone(),
                    actions,
                    target,
                    allowed: Fact::Unknown(gap.clone()),
                    basis: Basis::None,
                    because: "its rights there were not read".to_owned(),
                    sources: vec![source],
                });
            }
        }
    }

    /// Adds what an identity is told to be allowed.
    pub(crate) fn granted(
        &mut self,
        who: &PrincipalId,
        actions: Vec<String>,
        target: NodeId,
        (basis, because): (Basis, &str),
        asked: Asked<'_>,
    ) {
        let source = self.source(asked.0, asked.1);
        self.grants.push(Grant {
            principal: who.clone(),
            actions,
            target,
            allowed: Fact::Known(true),
            basis,
            because: because.to_owned(),
            sources: vec![source],
        });
    }

    /// Adds a container.
    pub(crate) fn container(&mut self, container: Container<'_>, asked: Asked<'_>) {
        let seen = Seen {
            id: container.id,
            kind: container.kind,
            class: Class::Container,
            name: container.name.to_owned(),
            parent: container.parent,
            environment: container.environment,
            contents: Some(container.contents),
            copies: Fact::Known(Listed::Complete),
            holds: None,
        };
        self.seen(seen, asked);
    }
}

/// Whether everything was listed: it was, unless there is a gap.
pub(crate) fn listed(gap: Option<Gap>) -> Fact<Listed> {
    gap.map_or(Fact::Known(Listed::Complete), Fact::Unknown)
}

/// Platforms keep no record of whether a restore was any good. Those that count are the ones that somebody wrote down
/// (`restore_tests`), so a copy of which none is written down is untested, not unknown.
pub(crate) const fn untried() -> Fact<Listed> {
    Fact::Known(Listed::Complete)
}

/// A way past a protection, or of destroying a copy, that takes one call.
pub(crate) fn can(action: &str, on: &NodeId, because: &str) -> Lift {
    let can = Atom::Can { action: action.to_owned(), target: on.clone() };
    Lift { needs: vec![can], changes: true, because: format!("{because} ({action})") }
}

/// Every action.
pub(crate) fn anything() -> Vec<String> {
    vec!["*".to_owned()]
}

/// Names of actions.
pub(crate) fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}
