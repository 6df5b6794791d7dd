//! Databases that are asked with the logins that were found: which servers may be, and what is told of those that may not.
//!
//! A server is asked only if the configuration that the user named with `--config` names its host.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::bundle::Bundle;
use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Basis, Grant, Principal, Source, Status};
use deadstop_core::time::Time;

use super::facts::{About, Facts, Fault};
use super::platform::anything;
use super::{Learnt, join, mongodb, mysql, pool, postgres, redis};
use crate::collector::{Login, Logins};
use crate::readonly::ReadOnly;
use crate::readonly::socket::Place;
use crate::readonly::statement::{Questions, Trouble};
use crate::secret::Secret;

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
pub static ENGINES: [Engine; 4] = [
    Engine { name: "mongodb", title: "MongoDB", usual: 27017, questions: &mongodb::QUESTIONS, ask: mongodb::ask },
    Engine { name: "mysql", title: "MySQL", usual: 3306, questions: &mysql::QUESTIONS, ask: mysql::ask },
    Engine { name: "postgres", title: "PostgreSQL", usual: 5432, questions: &postgres::QUESTIONS, ask: postgres::ask },
    Engine { name: "redis", title: "Redis", usual: 6379, questions: &redis::QUESTIONS, ask: redis::ask },
];

impl Engine {
    /// Where a server is, or the service whose members are to be looked up; nothing, where that is a socket of this machine.
    fn place(&self, host: &str) -> Option<Place> {
        Place::read(host, self.usual)
    }

    /// Whether that is the name of a service.
    fn looks_up(&self, host: &str) -> bool {
        self.name == "mongodb" && !host.contains(':')
    }
}

/// One login at one server, with the passwords and databases that it was found with.
pub(super) struct Server<'a> {
    pub(super) place: Place,
    /// Whether that is the name of a service, whose members are to be looked up.
    pub(super) looked_up: bool,
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

    /// A name that the server tells, as it may be shown. A server may call anything by a password that it was sent.
    pub(super) fn told(&self, name: &str) -> String {
        let secrets = self.logins.iter().filter_map(|login| login.secret.as_ref()).map(Secret::expose);
        let echoes = secrets
            .filter(|secret| secret.len() >= TELLING)
            .any(|secret| name.as_bytes().windows(secret.len()).any(|part| part.eq_ignore_ascii_case(secret)));
        if echoes { "(a name that is not shown)".to_owned() } else { super::token::shown(name) }
    }

    /// Notes that it is not known what the login may do there, so that nothing there is said to be stopped.
    pub(super) fn doubt(&self, facts: &mut Facts, node: &NodeId, gap: &Gap) {
        in_doubt(facts, &self.who, node, gap);
    }

    /// Notes that it is not known what the login may do anywhere at the server, and why.
    pub(super) fn in_doubt(&self, facts: &mut Facts, why: &str) {
        let gap = facts.doubt(&self.place.to_string(), why);
        self.doubt(facts, &self.node, &gap);
    }

    /// Notes what the login may do there, as the server tells.
    pub(super) fn may(
        &self,
        facts: &mut Facts,
        (node, scope): (&NodeId, &str),
        (actions, because, operation): (Vec<String>, &str, &str),
    ) {
        let source = facts.source(operation, scope);
        facts.grants.push(Grant {
            principal: self.who.clone(),
            actions,
            target: node.clone(),
            allowed: Fact::Known(true),
            basis: Basis::Observed,
            because: because.to_owned(),
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

fn in_doubt(facts: &mut Facts, who: &PrincipalId, node: &NodeId, gap: &Gap) {
    facts.grants.push(Grant {
        principal: who.clone(),
        actions: anything(),
        target: node.clone(),
        allowed: Fact::Unknown(gap.clone()),
        basis: Basis::None,
        because: "what it may do there is not all known".to_owned(),
        sources: vec![gap.source.clone()],
    });
}

/// A shorter secret may well be a part of some name by chance.
const TELLING: usize = 8;

/// Bytes in words.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000_000 => format!("{} kB", bytes / 1_000),
        10_000_000..10_000_000_000 => format!("{} MB", bytes / 1_000_000),
        more => format!("{} GB", more / 1_000_000_000),
    }
}

/// The series of a version, if it is one of those known. Nothing else of what a server calls its version is shown: it may
/// call it by anything that it was sent.
pub(super) fn series(version: &str, known: &[&'static str]) -> Option<&'static str> {
    let mut parts = version.split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    known.iter().copied().find(|known| known.split_once('.') == Some((major, minor)))
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
        let found: Vec<Found<'_>> = servers.iter().map(|((node, who), logins)| Found::of(node, who, logins)).collect();
        let (mut asked, mut open) = (Vec::new(), BTreeMap::new());
        for ((node, who), logins) in servers {
            let place = logins.iter().find_map(|login| engine.place(&login.host));
            match place {
                Some(place) if door.names(engine.name, &place) && asked.len() < MOST => {
                    let looked_up = logins.iter().any(|login| engine.looks_up(&login.host));
                    asked.push(Server { place, looked_up, node: node.clone(), who: who.clone(), logins });
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
            by_other_names(&mut learnt, &asked, &found);
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

/// A login that was found, and where.
struct Found<'a> {
    node: &'a NodeId,
    who: &'a PrincipalId,
    host: &'a str,
}

impl<'a> Found<'a> {
    fn of(node: &'a NodeId, who: &'a PrincipalId, logins: &[&'a Login]) -> Self {
        Self { node, who, host: logins.first().map_or("", |login| login.host.as_str()) }
    }

    /// Whether it may be a way to a server of this machine: by a name of it and the same port, or by a socket.
    fn local(&self, place: &Place) -> bool {
        let here = |host: &str| host == "localhost" || host == "::1" || host.starts_with("127.");
        let other = Place::read(self.host, place.port);
        here(&place.host)
            && other.map_or(self.host.starts_with('/'), |other| here(&other.host) && other.port == place.port)
    }
}

/// Leaves in doubt what logins at a server under another name may do at it: an address for its name, a pooler in front of it,
/// a server that it follows.
fn by_other_names(learnt: &mut Learnt, asked: &[Server<'_>], found: &[Found<'_>]) {
    let nodes: BTreeMap<&NodeId, &Server<'_>> = asked.iter().map(|server| (&server.node, server)).collect();
    for (node, server) in nodes {
        let mark = learnt.marks.get(node).cloned();
        for other in found.iter().filter(|other| other.node != node) {
            let marked = mark.is_some() && learnt.marks.get(other.node) == mark.as_ref();
            let member = learnt.members.get(node).is_some_and(|members| members.contains(other.host));
            let fronted = learnt.fronts.contains(node) || learnt.fronts.contains(other.node);
            // The name of a service, which is not looked up, may be that of any set.
            let service = node.as_str().starts_with("mongodb:") && !other.host.contains(':');
            if marked || member || fronted || service || other.local(&server.place) {
                let why = format!("it may be the same server as {}, whose logins were not asked here", other.node);
                let gap = learnt.facts.doubt(&server.place.to_string(), &why);
                in_doubt(&mut learnt.facts, other.who, node, &gap);
            }
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
        || match engine.name {
            "mongodb" => "write a host of it with its port (mongodb://HOST:27017): the name of a service is not looked up; or merge facts of it (--merge)".to_owned(),
            _ => "merge facts of it (--merge): a socket of this machine is not connected to".to_owned(),
        },
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
pub(super) fn say(bundle: &mut Bundle, provider: &str, server: &NodeId, gap: &Gap) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readonly::socket::Tls;

    fn login(secret: &str) -> Login {
        Login {
            credential: deadstop_core::id::CredentialId("c".to_owned()),
            provider: "postgres".to_owned(),
            user: Some("app".to_owned()),
            host: "h:5432".to_owned(),
            database: None,
            source: None,
            tls: Tls::Offered,
            secret: Some(Secret::new(secret.as_bytes())),
            principal: PrincipalId("p".to_owned()),
            server: NodeId("s".to_owned()),
        }
    }

    #[test]
    fn a_server_cannot_have_a_password_shown() {
        let (one, other) = (login("correct-horse"), login("shop"));
        let server = Server {
            place: Place { host: "h".to_owned(), port: 5432 },
            looked_up: false,
            node: NodeId("s".to_owned()),
            who: PrincipalId("p".to_owned()),
            logins: vec![&one, &other],
        };
        for echo in ["correct-horse", "a Correct-Horse!", "t_correct-horse"] {
            assert_eq!(server.told(echo), "(a name that is not shown)", "{echo}");
        }
        assert_eq!(server.told("shop_orders"), "shop_orders");
        assert_eq!(series("7.2.4", &["7.0", "7.2"]), Some("7.2"));
        for odd in ["7.9.1", "correct.horse", "7", "", "17.2.1"] {
            assert_eq!(series(odd, &["7.0", "7.2"]), None, "{odd}");
        }
    }
}
