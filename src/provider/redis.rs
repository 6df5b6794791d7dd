//! Redis and Valkey: what the access list lets a login do, and whether its files are any way back.
//!
//! A login is read by `ACL GETUSER`; what may ask that is little limited, so that most limited logins stay unknown. Key
//! patterns do not limit `FLUSHALL`. The files of persistence lie beside the server and follow it: they are no copy.
//! <https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/>, `management/persistence`.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Asset, Basis, Class, Copy, CopyKind, End, Grant};
use deadstop_core::time::Time;

use super::Learnt;
use super::databases::{ALLOW, Server, fault};
use super::facts::{About, Facts, Told};
use super::platform::{Container, anything, listed, untried};
use crate::readonly::ReadOnly;
use crate::readonly::redis::{Reply, Session, reads};
use crate::readonly::statement::{self, Questions, Statement, Trouble};

const ABOUT: About = About { provider: "redis", scope: "Redis", allow: ALLOW };

const SELF: &str = "ACL WHOAMI";
const RIGHTS: &str = "ACL GETUSER";
const VERSION: &str = "INFO server";
const KEYS: &str = "INFO keyspace";
const FILES: &str = "INFO persistence";
const REPLICAS: &str = "INFO replication";

/// The only commands that a Redis server is asked; `{}` is the login's own name.
pub(super) static QUESTIONS: Questions = Questions {
    provider: "redis",
    reads,
    list: &[
        Statement { operation: SELF, text: "ACL WHOAMI" },
        Statement { operation: RIGHTS, text: "ACL GETUSER {}" },
        Statement { operation: VERSION, text: "INFO server" },
        Statement { operation: KEYS, text: "INFO keyspace" },
        Statement { operation: FILES, text: "INFO persistence" },
        Statement { operation: REPLICAS, text: "INFO replication" },
    ],
};

/// The operations of the catalogue, each with its categories (`ACL CAT`), and whether it needs a key that may be written.
const ACTIONS: [(&str, &[&str], bool); 5] = [
    ("FLUSHALL", &["keyspace", "write", "slow", "dangerous"], false),
    ("FLUSHDB", &["keyspace", "write", "slow", "dangerous"], false),
    ("DEL", &["keyspace", "write", "slow"], true),
    ("SET", &["write", "string", "slow"], true),
    ("REPLICAOF", &["admin", "slow", "dangerous"], false),
];
/// Categories and commands that change no data.
const HARMLESS: [&str; 34] = [
    "@read",
    "@connection",
    "@pubsub",
    "@transaction",
    "ping",
    "info",
    "get",
    "mget",
    "exists",
    "ttl",
    "pttl",
    "type",
    "scan",
    "keys",
    "dbsize",
    "hget",
    "hgetall",
    "hmget",
    "hscan",
    "llen",
    "lrange",
    "smembers",
    "sismember",
    "scard",
    "zrange",
    "zscore",
    "zcard",
    "strlen",
    "auth",
    "hello",
    "select",
    "echo",
    "acl|whoami",
    "acl|getuser",
];
/// The categories of which one holds every command that changes data, or the server. What a script calls is held to the
/// same list.
const HARMFUL: [&str; 2] = ["write", "admin"];

/// Asks a server with the logins that were found for one name.
pub(super) fn ask(door: &ReadOnly, server: &Server<'_>, at: Time) -> Learnt {
    let mut last = Trouble::from(GapReason::Unsupported);
    for login in &server.logins {
        let login = statement::Login {
            place: server.place.clone(),
            tls: login.tls,
            user: login.user.as_deref().unwrap_or_default(),
            database: "",
            password: login.secret.as_ref(),
            credential: login.credential.as_str(),
        };
        match door.redis(&QUESTIONS, login) {
            Ok(mut session) => return learn(&mut session, server, at),
            Err(trouble) => last = trouble,
        }
    }
    server.refused(ABOUT, at, &last)
}

fn learn(session: &mut Session<'_>, server: &Server<'_>, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let place = server.place.to_string();
    let said = session.ask(SELF, "");
    // Without a password, everything may be asked before it is refused.
    if said.as_ref().is_err_and(|trouble| trouble.code.as_deref().is_none_or(|code| code == "NOAUTH")) {
        return server.refused(ABOUT, at, &said.err().unwrap_or(GapReason::Denied.into()));
    }
    server.accepted(&mut learnt);
    let facts = &mut learnt.facts;
    server.principal(facts, Fact::Known(Listed::Complete), SELF);
    let version = info(session, VERSION, &place, facts).ok().and_then(|about| about.get("redis_version").cloned());
    let words = match rights(session, said, version.as_deref()) {
        Ok(rights) => {
            let source = facts.source(RIGHTS, &place);
            for (action, because) in &rights.allowed {
                facts.grants.push(Grant {
                    principal: server.who.clone(),
                    actions: vec![(*action).to_owned()],
                    target: server.node.clone(),
                    allowed: Fact::Known(true),
                    basis: Basis::Evaluated,
                    because: (*because).to_owned(),
                    sources: vec![source.clone()],
                });
            }
            if rights.more {
                let gap = facts.doubt(&place, "the access list lets more pass than is known to change nothing");
                doubt(facts, server, &gap);
            }
            rights.words()
        }
        Err(trouble) => {
            let gap = facts.refused(RIGHTS, &place, &fault(&trouble));
            doubt(facts, server, &gap);
            "what its access list allows was not read".to_owned()
        }
    };
    let release = version.map_or_else(String::new, |version| format!(" {}", super::token::shown(&version)));
    for login in &server.logins {
        let scope = format!("Redis{release} at {place}: {words}");
        facts.told.insert(login.credential.clone(), Told { kind: None, scope, environment: None });
    }
    let unlisted = databases(session, server, &place, facts).err();
    let title = format!("Redis at {place}");
    facts.container(
        Container { kind: "server", name: &title, contents: listed(unlisted), ..Container::of(server.node.clone()) },
        (SELF, &place),
    );
    learnt
}

fn doubt(facts: &mut Facts, server: &Server<'_>, gap: &Gap) {
    facts.grants.push(Grant {
        principal: server.who.clone(),
        actions: anything(),
        target: server.node.clone(),
        allowed: Fact::Unknown(gap.clone()),
        basis: Basis::None,
        because: "what it may do there is not all known".to_owned(),
        sources: vec![gap.source.clone()],
    });
}

/// The databases that hold keys, and those that places of the login name.
fn databases(session: &mut Session<'_>, server: &Server<'_>, place: &str, facts: &mut Facts) -> Result<(), Gap> {
    let keys = info(session, KEYS, place, facts);
    let files = info(session, FILES, place, facts);
    let replicas = info(session, REPLICAS, place, facts).ok();
    let replicas =
        replicas.and_then(|about| about.get("connected_slaves")?.parse::<u64>().ok()).filter(|count| *count > 0);
    let mut held: BTreeMap<String, Option<String>> = BTreeMap::new();
    for name in server.logins.iter().filter_map(|login| login.database.clone()) {
        held.insert(name, None);
    }
    for (name, value) in keys.as_ref().into_iter().flatten() {
        let Some(number) = name.strip_prefix("db").filter(|number| number.parse::<u32>().is_ok()) else { continue };
        let count = value.split(',').find_map(|part| part.strip_prefix("keys=")?.parse::<u64>().ok());
        held.insert(number.to_owned(), count.map(|count| format!("{count} keys")));
    }
    let why = "copies of a Redis database beside the server's own files are not seen from a connection to it";
    let gap = facts.doubt(place, why);
    let source = facts.source(SELF, place);
    for (name, keys) in held {
        let node = NodeId(format!("{}/{name}", server.node));
        let following = replicas.map(|count| format!("{count} replicas, which follow"));
        let holds: Vec<String> = keys.into_iter().chain(following).collect();
        facts.assets.push(Asset {
            id: node.clone(),
            provider: "redis".to_owned(),
            kind: "database".to_owned(),
            class: Class::Store,
            name,
            parent: Some(server.node.clone()),
            environment: Fact::Known(String::new()),
            contents: None,
            protections: Fact::Known(Listed::Complete),
            copies: Fact::Unknown(gap.clone()),
            behind: Vec::new(),
            holds: (!holds.is_empty()).then(|| holds.join("; ")),
            sources: vec![source.clone()],
        });
        if let Ok(files) = &files {
            facts.copies.push(copy(&node, place, files, source.clone()));
        }
    }
    keys.map(drop)
}

/// The server's own files: the next save writes what is left over them, and the log has the delete in it.
fn copy(of: &NodeId, place: &str, files: &BTreeMap<String, String>, source: deadstop_core::id::SourceId) -> Copy {
    let log = files.get("aof_enabled").is_some_and(|on| on == "1");
    Copy {
        id: NodeId(format!("{of}#files")),
        of: of.clone(),
        kind: CopyKind::Dump,
        name: format!("the {} of {place}", if log { "append-only file" } else { "RDB file" }),
        place: None,
        lag: Fact::Known(deadstop_core::time::Span(0)),
        ends: Fact::Known(End::Never),
        dies_with: Fact::Known(anything()),
        destroyed_by: Fact::Known(Vec::new()),
        needs: Vec::new(),
        drills: untried(),
        basis: Basis::Inferred,
        because: "the files of persistence lie beside the server and follow what it is told".to_owned(),
        sources: vec![source],
    }
}

/// The fields of a part of `INFO`.
fn info(
    session: &mut Session<'_>,
    operation: &str,
    place: &str,
    facts: &mut Facts,
) -> Result<BTreeMap<String, String>, Gap> {
    let answer = session.ask(operation, "").and_then(|reply| match reply {
        Reply::Text(text) if text.starts_with("# ") => Ok(text),
        Reply::Text(_) | Reply::Number(_) | Reply::Nothing | Reply::List(_) => Err(GapReason::Malformed.into()),
    });
    match answer {
        Ok(text) => {
            facts.source(operation, place);
            let pairs = text.lines().filter_map(|line| line.split_once(':'));
            Ok(pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect())
        }
        Err(trouble) => Err(facts.refused(operation, place, &fault(&trouble))),
    }
}

/// What an access list comes to.
#[derive(Debug, Default)]
struct Rights {
    allowed: Vec<(&'static str, &'static str)>,
    /// Whether more passes than is known to change nothing.
    more: bool,
}

impl Rights {
    fn words(&self) -> String {
        let names: Vec<&str> = self.allowed.iter().map(|(action, _)| *action).collect();
        match (names.is_empty(), self.more) {
            (false, _) => format!("its access list lets pass {}", names.join(", ")),
            (true, true) => "its access list lets some commands pass that may change data".to_owned(),
            (true, false) => "its access list lets nothing pass that changes data".to_owned(),
        }
    }
}

fn rights(session: &mut Session<'_>, said: Result<Reply, Trouble>, version: Option<&str>) -> Result<Rights, Trouble> {
    let major = version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    let own = match said {
        Ok(Reply::Text(own)) => own,
        Ok(Reply::Number(_) | Reply::Nothing | Reply::List(_)) => return Err(GapReason::Malformed.into()),
        // Access lists came with version 6; before, whoever is let in may do all.
        Err(_) if major.is_some_and(|major| major < 6) => {
            let allowed =
                ACTIONS.map(|(action, _, _)| (action, "servers before version 6 have no access lists")).to_vec();
            return Ok(Rights { allowed, more: true });
        }
        Err(trouble) => return Err(trouble),
    };
    list(&session.ask(RIGHTS, &own)?).ok_or_else(|| GapReason::Malformed.into())
}

/// What `ACL GETUSER` says; nothing, where it is not as documented.
fn list(reply: &Reply) -> Option<Rights> {
    let fields = fields(reply)?;
    let mut sets = vec![set(&fields)?];
    match fields.get("selectors") {
        Some(Reply::List(all)) => {
            for one in all {
                sets.push(set(&self::fields(one)?)?);
            }
        }
        Some(Reply::Text(_) | Reply::Number(_) | Reply::Nothing) => return None,
        None => {}
    }
    let mut rights = Rights::default();
    for (commands, writes) in &sets {
        for (action, categories, needs_key) in ACTIONS {
            let passes = may(commands, action, categories) && (*writes || !needs_key);
            if passes && !rights.allowed.iter().any(|(known, _)| *known == action) {
                rights.allowed.push((action, "its access list lets the command pass"));
            }
        }
        rights.more |= !harmless(commands);
    }
    Some(rights)
}

fn fields(reply: &Reply) -> Option<BTreeMap<String, Reply>> {
    let Reply::List(all) = reply else { return None };
    let mut fields = BTreeMap::new();
    for pair in all.chunks(2) {
        let [Reply::Text(name), value] = pair else { return None };
        fields.insert(name.clone(), value.clone());
    }
    Some(fields)
}

/// The commands of a set of rules, and whether it has keys that may be written. In version 6 keys are a list.
fn set(fields: &BTreeMap<String, Reply>) -> Option<(String, bool)> {
    let Reply::Text(commands) = fields.get("commands")? else { return None };
    let writes = match fields.get("keys")? {
        Reply::Text(keys) => keys.split(' ').any(|key| !key.is_empty() && !key.starts_with("%R~")),
        Reply::List(keys) => !keys.is_empty(),
        Reply::Number(_) | Reply::Nothing => return None,
    };
    let known = commands.split_whitespace().all(|rule| rule.starts_with(['+', '-']) && rule.len() > 1);
    (known && !commands.trim().is_empty()).then(|| (commands.to_lowercase(), writes))
}

/// Whether a command passes rules, which hold from left to right.
fn may(commands: &str, command: &str, categories: &[&str]) -> bool {
    let mut passes = false;
    for rule in commands.split_whitespace() {
        let (allows, what) = (rule.starts_with('+'), rule.trim_start_matches(['+', '-']));
        let fits = match what.strip_prefix('@') {
            Some("all") => true,
            Some(category) => categories.contains(&category),
            // A rule on the command with one word after it takes nothing from the command itself.
            None => what.split('|').next() == Some(command.to_lowercase().as_str()) && (allows || !what.contains('|')),
        };
        if fits {
            passes = allows;
        }
    }
    passes
}

/// Whether rules let nothing pass but what is known to change no data.
fn harmless(commands: &str) -> bool {
    let (mut all, mut removed, mut extra) = (false, Vec::new(), false);
    for rule in commands.split_whitespace() {
        match (rule.starts_with('+'), rule.trim_start_matches(['+', '-'])) {
            (true, "@all") => (all, removed, extra) = (true, Vec::new(), false),
            (false, "@all") => (all, removed, extra) = (false, Vec::new(), false),
            (true, what) if !HARMLESS.contains(&what) => extra = true,
            (true, _) => {}
            (false, what) => removed.extend(what.strip_prefix('@').map(str::to_owned)),
        }
    }
    !extra && (!all || HARMFUL.iter().all(|category| removed.iter().any(|gone| gone == category)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(commands: &str, keys: &str) -> Rights {
        let word = |text: &str| Reply::Text(text.to_owned());
        list(&Reply::List(vec![word("commands"), word(commands), word("keys"), word(keys)])).unwrap()
    }

    fn allowed(rights: &Rights) -> Vec<&str> {
        rights.allowed.iter().map(|(action, _)| *action).collect()
    }

    #[test]
    fn rules_hold_from_left_to_right_and_keys_do_not_limit_a_flush() {
        assert_eq!(allowed(&user("+@all", "~*")), ["FLUSHALL", "FLUSHDB", "DEL", "SET", "REPLICAOF"]);
        assert_eq!(allowed(&user("+@all -@admin", "~app:*")), ["FLUSHALL", "FLUSHDB", "DEL", "SET"]);
        assert_eq!(allowed(&user("+@all -@dangerous", "~*")), ["DEL", "SET"]);
        assert_eq!(allowed(&user("+@all -@dangerous +flushdb", "~*")), ["FLUSHDB", "DEL", "SET"]);
        assert_eq!(allowed(&user("-@all +@write", "")), ["FLUSHALL", "FLUSHDB"]);
        assert_eq!(allowed(&user("-@all +set +get", "%R~*")), [] as [&str; 0]);
    }

    #[test]
    fn only_what_is_known_to_read_is_harmless() {
        for read in [
            "-@all",
            "-@all +@read",
            "-@all +get +ping",
            "+@all -@write -@admin -keys +acl|getuser -info",
            "-@all +@read -keys",
        ] {
            let rights = user(read, "~*");
            assert!(rights.allowed.is_empty() && !rights.more, "{read}");
        }
        for more in [
            "-@all +unlink",
            "+@all -@write",
            "-@all +@string",
            "+@all -@write -@admin -@dangerous +hdel",
            "-@all +@read +eval",
        ] {
            assert!(user(more, "~*").more, "{more}");
        }
    }

    #[test]
    fn what_is_not_as_documented_is_no_access_list() {
        let word = |text: &str| Reply::Text(text.to_owned());
        for odd in [
            Reply::Nothing,
            Reply::List(Vec::new()),
            Reply::List(vec![word("commands"), word("+@all")]),
            Reply::List(vec![word("commands"), word(""), word("keys"), word("")]),
            Reply::List(vec![word("commands"), word("get"), word("keys"), word("")]),
            Reply::List(vec![word("commands"), Reply::Nothing, word("keys"), word("")]),
        ] {
            assert!(list(&odd).is_none(), "{odd:?}");
        }
    }
}
