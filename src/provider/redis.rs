//! Redis and Valkey: what the access list lets a login do, and whether its files are any way back.
//!
//! A login is read by `ACL GETUSER`; what may ask that is little limited, so that most limited logins stay unknown. A category
//! bounds what commands of the server do, not those of modules, which name their own. Key patterns do not limit `FLUSHALL`. The files of persistence lie beside the server and follow it: they are no copy.
//! <https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/>, `management/persistence`.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Asset, Basis, Class, Copy, CopyKind, End, Grant};
use deadstop_core::time::Time;

use super::Learnt;
use super::databases::{ALLOW, Server, fault, series};
use super::facts::{About, Facts, Told};
use super::platform::{Container, anything, listed, untried};
use crate::readonly::ReadOnly;
use crate::readonly::redis::{NO_LOGIN, Reply, Session, reads};
use crate::readonly::statement::{self, Questions, Statement, Trouble};

const ABOUT: About = About { provider: "redis", scope: "Redis", allow: ALLOW };

const SELF: &str = "ACL WHOAMI";
const RIGHTS: &str = "ACL GETUSER";
const VERSION: &str = "INFO server";
const KEYS: &str = "INFO keyspace";
const FILES: &str = "INFO persistence";
const REPLICAS: &str = "INFO replication";
const MODULES: &str = "INFO modules";

/// The series of Redis that are told apart, and what Valkey calls itself for clients of Redis; of another, no version is shown.
const SERIES: [&str; 14] =
    ["2.6", "2.8", "3.0", "3.2", "4.0", "5.0", "6.0", "6.2", "7.0", "7.2", "7.4", "8.0", "8.2", "8.4"];

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
        Statement { operation: MODULES, text: "INFO modules" },
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
const HARMLESS: [&str; 33] = [
    "@read",
    "@connection",
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
/// The category of commands that send messages, which are held to the channels of a login. Sentinels take the word of a
/// message on a channel of theirs for which server is the one to copy.
/// <https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#sentinels-and-replicas-auto-discovery>
const MESSAGES: &str = "pubsub";

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
    if said.as_ref().is_err_and(|trouble| trouble.code.as_deref().is_none_or(|code| code == NO_LOGIN)) {
        return server.refused(ABOUT, at, &said.err().unwrap_or(GapReason::Denied.into()));
    }
    server.accepted(&mut learnt);
    let facts = &mut learnt.facts;
    server.principal(facts, Fact::Known(Listed::Complete), SELF);
    if session.open {
        server.in_doubt(facts, "whoever reaches the server needs no password to be somebody there");
    }
    let about = info(session, VERSION, &place, facts).unwrap_or_default();
    let version = about.get("redis_version").cloned();
    if let Some(mark) = about.get("run_id") {
        learnt.marks.insert(server.node.clone(), mark.clone());
    }
    let facts = &mut learnt.facts;
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
                server.in_doubt(facts, "the access list lets more pass than is known to change nothing");
            }
            if rights.by_category {
                modules(session, server, facts);
            }
            rights.words()
        }
        Err(trouble) => {
            let gap = facts.refused(RIGHTS, &place, &fault(&trouble));
            server.doubt(facts, &server.node, &gap);
            "what its access list allows was not read".to_owned()
        }
    };
    let release =
        version.and_then(|version| series(&version, &SERIES)).map_or_else(String::new, |one| format!(" {one}"));
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

/// Whether commands of modules may be among those of a category: what they do is what their module says.
/// <https://redis.io/docs/latest/develop/reference/modules/modules-api-ref/#redismodule_createcommand>
fn modules(session: &mut Session<'_>, server: &Server<'_>, facts: &mut Facts) {
    let place = server.place.to_string();
    match told(session, MODULES, &place, facts) {
        Ok(text) if text.lines().all(|line| line.is_empty() || line == "# Modules") => {}
        Ok(_) => server.in_doubt(facts, "commands of modules may pass, and do what their module says"),
        Err(gap) => server.doubt(facts, &server.node, &gap),
    }
}

/// The databases that hold keys, and those that places of the login name.
fn databases(session: &mut Session<'_>, server: &Server<'_>, place: &str, facts: &mut Facts) -> Result<(), Gap> {
    let keys = info(session, KEYS, place, facts);
    let files = info(session, FILES, place, facts);
    let replicas = info(session, REPLICAS, place, facts);
    match replicas.as_ref().map(|about| about.get("role").map(String::as_str)) {
        Ok(Some("master")) => {}
        Ok(_) => {
            server.in_doubt(facts, "a replica follows what its master is told, and who may tell it that was not asked");
        }
        Err(gap) => server.doubt(facts, &server.node, gap),
    }
    let count = replicas.as_ref().ok().and_then(|about| about.get("connected_slaves")?.parse::<u64>().ok());
    let replicas = count.filter(|count| *count > 0);
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
    let text = told(session, operation, place, facts)?;
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    Ok(pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect())
}

/// The text of a part of `INFO`.
fn told(session: &mut Session<'_>, operation: &str, place: &str, facts: &mut Facts) -> Result<String, Gap> {
    let answer = session.ask(operation, "").and_then(|reply| match reply {
        Reply::Text(text) if text.starts_with("# ") => Ok(text),
        Reply::Text(_) | Reply::Number(_) | Reply::Nothing | Reply::List(_) => Err(GapReason::Malformed.into()),
    });
    if answer.is_ok() {
        facts.source(operation, place);
    }
    answer.map_err(|trouble| facts.refused(operation, place, &fault(&trouble)))
}

/// What an access list comes to.
#[derive(Debug, Default)]
struct Rights {
    allowed: Vec<(&'static str, &'static str)>,
    /// Whether more passes than is known to change nothing.
    more: bool,
    /// Whether whole categories pass.
    by_category: bool,
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
            return Ok(Rights { allowed, more: true, by_category: true });
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
    for (commands, writes, sends) in &sets {
        for (action, categories, needs_key) in ACTIONS {
            let passes = may(commands, action, categories) && (*writes || !needs_key);
            if passes && !rights.allowed.iter().any(|(known, _)| *known == action) {
                rights.allowed.push((action, "its access list lets the command pass"));
            }
        }
        rights.more |= !harmless(commands, *sends);
        rights.by_category |= by_category(commands);
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

/// The commands of a set of rules, whether it has keys that may be written, and channels. In version 6 keys are a list, and
/// before 6.2 every channel may be used.
fn set(fields: &BTreeMap<String, Reply>) -> Option<(String, bool, bool)> {
    let Reply::Text(commands) = fields.get("commands")? else { return None };
    let writes = match fields.get("keys")? {
        Reply::Text(keys) => keys.split(' ').any(|key| !key.is_empty() && !key.starts_with("%R~")),
        Reply::List(keys) => !keys.is_empty(),
        Reply::Number(_) | Reply::Nothing => return None,
    };
    let sends = match fields.get("channels") {
        Some(Reply::Text(channels)) => !channels.is_empty(),
        Some(Reply::List(channels)) => !channels.is_empty(),
        None | Some(Reply::Number(_) | Reply::Nothing) => true,
    };
    let known = commands.split_whitespace().all(|rule| rule.starts_with(['+', '-']) && rule.len() > 1);
    (known && !commands.trim().is_empty()).then(|| (commands.to_lowercase(), writes, sends))
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

/// Whether rules let pass what is named by its category alone.
fn by_category(commands: &str) -> bool {
    commands.split_whitespace().fold(false, |some, rule| rule != "-@all" && (some || rule.starts_with("+@")))
}

/// Whether rules let nothing pass but what is known to change no data.
fn harmless(commands: &str, sends: bool) -> bool {
    let quiet = |what: &str| HARMLESS.contains(&what) || (!sends && what.strip_prefix('@') == Some(MESSAGES));
    let (mut all, mut removed, mut extra) = (false, Vec::new(), false);
    for rule in commands.split_whitespace() {
        match (rule.starts_with('+'), rule.trim_start_matches(['+', '-'])) {
            (true, "@all") => (all, removed, extra) = (true, Vec::new(), false),
            (false, "@all") => (all, removed, extra) = (false, Vec::new(), false),
            (true, what) if !quiet(what) => extra = true,
            (true, _) => {}
            (false, what) => removed.extend(what.strip_prefix('@').map(str::to_owned)),
        }
    }
    let gone = |category: &str| removed.iter().any(|gone| gone == category);
    !extra && (!all || HARMFUL.into_iter().all(gone) && (!sends || gone(MESSAGES)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(commands: &str, keys: &str) -> Rights {
        on_channels(commands, keys, "")
    }

    fn on_channels(commands: &str, keys: &str, channels: &str) -> Rights {
        let words = ["commands", commands, "keys", keys, "channels", channels];
        list(&Reply::List(words.map(|text| Reply::Text(text.to_owned())).to_vec())).unwrap()
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
    fn a_message_may_have_a_sentinel_change_the_server() {
        for (commands, channels, more) in [
            ("+@all -@write -@admin", "&*", true),
            ("+@all -@write -@admin -@pubsub", "&*", false),
            ("+@all -@write -@admin", "", false),
            ("-@all +@read +@pubsub", "&app:*", true),
            ("-@all +@read +@pubsub", "", false),
            ("-@all +@read +publish", "", true),
        ] {
            assert_eq!(on_channels(commands, "~*", channels).more, more, "{commands} {channels}");
        }
    }

    #[test]
    fn a_category_may_let_modules_pass() {
        for (commands, by) in [
            ("-@all +@read", true),
            ("+@all -@write", true),
            ("-@all +get", false),
            ("+@all -@all +get", false),
            ("-@all +get +@connection", true),
            ("-@all", false),
        ] {
            assert_eq!(user(commands, "~*").by_category, by, "{commands}");
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
