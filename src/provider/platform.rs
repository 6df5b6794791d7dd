//! What platforms have alike on their way into the bundle: identities, rights, containers, ways of destroying a copy.

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Asset, Atom, Basis, Class, Grant, Lift, Principal};

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

impl Facts {
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
        let source = self.source(asked.0, asked.1);
        self.assets.push(Asset {
            id: container.id,
            provider: self.provider().to_owned(),
            kind: container.kind.to_owned(),
            class: Class::Container,
            name: container.name.to_owned(),
            parent: container.parent.cloned(),
            environment: container.environment,
            contents: Some(container.contents),
            protections: Fact::Known(Listed::Complete),
            copies: Fact::Known(Listed::Complete),
            behind: Vec::new(),
            holds: None,
            sources: vec![source],
        });
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
