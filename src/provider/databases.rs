//! Databases that are asked with the logins that were found: which servers may be, and what is told of those that may not.
//!
//! A server is asked only if the configuration that the user named with `--config` names its host.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::bundle::Bundle;
use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Principal, Source, Status};
use deadstop_core::time::Time;

use super::facts::{About, Facts, Fault};
use super::{Learnt, join, mysql, pool, postgres, redis};
use crate::collector::{Login, Logins};
use crate::readonly::ReadOnly;
use crate::readonly::socket::Place;
use crate::readonly::statement::{Questions, Trouble};

/// A kind of database server.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// Its name as a provider.
    pub name: &'static str,
    /// Its name in prose.
    pub title: &'static str,
    /// The port that it usually listens on.
    usual: u16,
    /// What it is asked.
    pub questions: &'static Questions,
    ask: fn(&ReadOnly, &Server<'_>, Time) -> Learnt,
}

/// The kinds that this version asks.
pub static ENGINES: [Engine; 3] = [
    Engine { name: "mysql", title: "MySQL", usual: 3306, questions: &mysql::QUESTIONS, ask: mysql::ask },
    Engine { name: "postgres", title: "PostgreSQL", usual: 5432, questions: &postgres::QUESTIONS, ask: postgres::ask },
    Engine { name: "redis", title: "Redis", usual: 6379, questions: &redis::QUESTIONS, ask: redis::ask },
];

/// One login at one server, with the passwords and databases that it was found with.
pub(super) struct Server<'a> {
    pub(super) place: Place,
    pub(super) node: NodeId,
    pub(super) who: PrincipalId,
    pub(super) logins: Vec<&'a Login>,
}

impl Server<'_> {
    /// The name of the login, as it may be shown.
    pub(super) fn user(&self) -> String {
        let user = self.logins.iter().find_map(|login| login.user.as_deref());
        super::token::shown(user.unwrap_or("anyone"))
    }

    /// The identity, with what is known of its rights.
    pub(super) fn principal(&self, facts: &mut Facts, grants: Fact<deadstop_core::fact::Listed>, operation: &str) {
        let source = facts.source(operation, &self.place.to_string());
        facts.principals.push(Principal {
            id: self.who.clone(),
            provider: facts.provider().to_owned(),
            name: self.user(),
            environment: None,
            grants,
            sources: vec![source],
        });
    }

    /// Nothing learnt but that nobody was let in, and why.
    pub(super) fn refused(&self, about: About, at: Time, trouble: &Trouble) -> Learnt {
        let mut learnt = Learnt::new(Facts::new(about, at));
        let gap = learnt.facts.refused("connect", &self.place.to_string(), &fault(trouble));
        learnt.facts.principals.push(Principal {
            id: self.who.clone(),
            provider: about.provider.to_owned(),
            name: self.user(),
            environment: None,
            grants: Fact::Unknown(gap.clone()),
            sources: Vec::new(),
        });
        for login in &self.logins {
            let told = (Fact::Known(self.who.clone()), Fact::Unknown(gap.clone()));
            learnt.identities.insert(login.credential.clone(), told);
        }
        learnt.open.push((self.node.clone(), gap));
        learnt
    }

    /// Notes that the server lets the login in.
    pub(super) fn accepted(&self, learnt: &mut Learnt) {
        for login in &self.logins {
            let told = (Fact::Known(self.who.clone()), Fact::Known(Status::Live));
            learnt.identities.insert(login.credential.clone(), told);
        }
    }
}

/// A trouble of the wire as a fault of a provider.
pub(super) fn fault(trouble: &Trouble) -> Fault {
    Fault { reason: trouble.reason, code: trouble.code.clone() }
}

/// How many logins are asked with at once.
const AT_ONCE: usize = 4;
/// How many logins of one provider are asked with. More in one place are guesses of whoever put them there.
const MOST: usize = 100;

/// Asks the servers that the user named, and says of the others how to name them.
pub fn ask(door: &ReadOnly, logins: &Logins, wanted: &dyn Fn(&str) -> bool, at: Time, bundle: &mut Bundle) {
    for engine in ENGINES.iter().filter(|engine| wanted(engine.name)) {
        let mut servers: BTreeMap<(&NodeId, &PrincipalId), Vec<&Login>> = BTreeMap::new();
        for login in logins.0.iter().filter(|login| login.provider == engine.name) {
            servers.entry((&login.server, &login.principal)).or_default().push(login);
        }
        let (mut asked, mut open) = (Vec::new(), BTreeMap::new());
        for ((node, who), logins) in servers {
            let place = logins.iter().find_map(|login| Place::read(&login.host, engine.usual));
            match place {
                Some(place) if door.names(engine.name, &place) && asked.len() < MOST => {
                    asked.push(Server { place, node: node.clone(), who: who.clone(), logins });
                }
                place => {
                    let source = not_named(engine, node, place.as_ref(), at);
                    open.insert(node.clone(), source);
                }
            }
        }
        if !asked.is_empty() {
            let mut learnt = Learnt::new(Facts::new(about(engine), at));
            let each = pool::at_once(AT_ONCE, &asked, |server| (engine.ask)(door, server, at));
            each.into_iter().for_each(|seen| learnt.absorb(seen));
            let unread = std::mem::take(&mut learnt.open);
            learnt.described.extend(learnt.facts.assets.iter().map(|asset| asset.id.clone()));
            join(bundle, learnt);
            for (node, gap) in unread {
                say(bundle, engine.name, &node, &gap);
            }
        }
        for (node, source) in open {
            let gap = Gap { source: source.id.clone(), reason: GapReason::NotAsked };
            bundle.sources.push(source);
            say(bundle, engine.name, &node, &gap);
        }
    }
}

const fn about(engine: &Engine) -> About {
    About { provider: engine.name, scope: engine.title, allow: ALLOW }
}

/// Who may be allowed what was refused.
pub(super) const ALLOW: &str = "to one of the logins found (deadstop permissions prints what it takes)";

/// The source of what is not known of a server that the user's configuration does not name.
fn not_named(engine: &Engine, node: &NodeId, place: Option<&Place>, at: Time) -> Source {
    let operation = format!("ask {} at {node}", engine.title);
    let settle = place.map_or_else(
        || "merge facts of it (--merge): a socket of this machine is not connected to".to_owned(),
        |place| {
            let (name, title) = (engine.name, engine.title);
            format!(
                "name it in the file of --config, as providers: {{{name}: {{hosts: [\"{place}\"]}}}}, and run with --live; or merge facts of {title} (--merge)"
            )
        },
    );
    let id = format!("{}:hosts:{node}", engine.name).into();
    let source = Source::unanswered(id, &operation, GapReason::NotAsked, &settle, at);
    Source { provider: Some(engine.name.to_owned()), ..source }
}

/// Puts the reason of one server in the place of that of all servers, wherever nothing else was learnt.
fn say(bundle: &mut Bundle, provider: &str, server: &NodeId, gap: &Gap) {
    fn put<T>(fact: &mut Fact<T>, old: &str, gap: &Gap) {
        if fact.gap().is_some_and(|known| known.source.as_str() == old) {
            *fact = Fact::Unknown(gap.clone());
        }
    }
    let old = format!("ask:{provider}");
    let mut named: BTreeSet<PrincipalId> = BTreeSet::new();
    for credential in bundle.credentials.items.iter_mut().filter(|one| one.within.as_ref() == Some(server)) {
        named.extend(credential.identity.known().cloned());
        put(&mut credential.status, &old, gap);
    }
    for principal in bundle.principals.items.iter_mut().filter(|principal| named.contains(&principal.id)) {
        put(&mut principal.grants, &old, gap);
    }
    let here = |id: &NodeId, parent: Option<&NodeId>| id == server || parent == Some(server);
    for asset in bundle.assets.items.iter_mut().filter(|asset| here(&asset.id, asset.parent.as_ref())) {
        put(&mut asset.environment, &old, gap);
        put(&mut asset.protections, &old, gap);
        put(&mut asset.copies, &old, gap);
        if let Some(contents) = &mut asset.contents {
            put(contents, &old, gap);
        }
    }
}
