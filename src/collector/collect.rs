//! Reads the environment, the known stores, the folders and the home, in this order, and gathers the finds (floor 5).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::Instant;

use deadstop_core::fact::GapReason;
use deadstop_core::model::Class;

use super::Options;
use super::files;
use super::find::{Find, Finds, Node, Spot, Strength};
use super::history;
use super::hosts;
use super::locator::{self, Locator};
use super::places::Places;
use super::reader::Reader;
use super::scan::{Raw, Scanner};
use super::store::Store;
use super::store::listed::{Entry, Form};
use crate::secret::Secret;
use crate::surroundings::Surroundings;
use crate::walk::{Limits, Seen, Walked, walk};

/// What was found and what was not read.
pub(crate) struct Gathered {
    pub(crate) finds: Finds,
    pub(crate) walked: Walked,
    pub(crate) unread: Vec<(String, GapReason)>,
    /// Stores that are there and cannot be read here, with what each is.
    pub(crate) sealed: BTreeMap<String, String>,
    /// Repositories whose history was not read, or not to its end.
    pub(crate) histories: Vec<(String, GapReason)>,
    pub(crate) paths: BTreeMap<String, PathBuf>,
}

/// Reads everything.
pub(crate) fn gather(surroundings: &Surroundings, options: &Options, scanner: &Scanner) -> Gathered {
    let places = Places::new(surroundings);
    let env: BTreeMap<String, String> =
        surroundings.env.iter().map(|(name, value)| (name.clone(), value.to_string_lossy().into_owned())).collect();
    let mut paths = BTreeMap::new();
    let mut finds = environment(scanner, &env, &places, &mut paths);
    let limits = Limits {
        until: options.budget.and_then(|budget| Instant::now().checked_add(budget)),
        file_cap: options.file_cap,
        cancel: &options.cancel,
    };
    let seen = Seen::default();
    let mut all = Walked::default();
    let mut repositories = BTreeSet::new();
    let named = named(surroundings, scanner);
    let phases = phases(surroundings, scanner, &named);
    let read: Vec<PathBuf> = phases.iter().flatten().cloned().collect();
    for roots in phases {
        let mut readers: Vec<Reader<'_>> =
            (0..options.threads.max(1)).map(|_| Reader::new(scanner, &places, &env, &named, &options.opened)).collect();
        let walked = walk(&roots, limits, &seen, &mut readers);
        for reader in readers {
            finds.append(reader.finds);
            paths.extend(reader.paths);
            repositories.extend(reader.repositories);
            all.leading.extend(reader.leading);
        }
        all.files += walked.files;
        all.bytes += walked.bytes;
        all.folders += walked.folders;
        all.links += walked.links;
        all.leading.extend(walked.leading);
        all.refused += walked.refused;
        all.unread.extend(walked.unread);
    }
    all.unread.sort();
    all.unread.dedup();
    let mut reader = Reader::new(scanner, &places, &env, &named, &options.opened);
    let mut histories = Vec::new();
    for repository in &repositories {
        let shown = history::show(&places, repository);
        let reasons = if options.git_history {
            history::read(repository, &shown, limits, &mut reader, &mut finds)
        } else {
            BTreeSet::from([GapReason::NotAsked])
        };
        histories.extend(reasons.into_iter().map(|reason| (shown.clone(), reason)));
    }
    let mut unread: Vec<(String, GapReason)> =
        all.unread.iter().map(|unread| (places.show(&unread.path), unread.reason)).collect();
    unread.extend(led_out(&read, &all.leading).map(|link| (places.show(link), GapReason::NotAsked)));
    let sealed = std::mem::take(&mut finds.sealed);
    unread.extend(finds.malformed.iter().map(|path| (path.clone(), GapReason::Malformed)));
    finds.finds.extend(sockets(surroundings));
    Gathered { finds, walked: all, unread, sealed, histories, paths }
}

/// Links that lead out of all that is read: an agent follows them, and this does not.
fn led_out<'a>(read: &[PathBuf], leading: &'a [(PathBuf, PathBuf)]) -> impl Iterator<Item = &'a PathBuf> {
    let out = move |target: &PathBuf| !read.iter().any(|base| target.starts_with(base));
    leading.iter().filter(move |(_, target)| out(target)).map(|(link, _)| link)
}

/// The files that variables name as stores.
fn named(surroundings: &Surroundings, scanner: &Scanner) -> BTreeMap<PathBuf, Store> {
    let mut all = BTreeMap::new();
    for (at, entry) in scanner.rules.stores.all().iter().enumerate() {
        let Some(store) = entry.store(at) else { continue };
        all.extend(in_variables(surroundings, entry).map(|path| (path, store)));
    }
    all
}

/// The files of an entry that variables name and that are there.
fn in_variables<'a>(surroundings: &'a Surroundings, entry: &'a Entry) -> impl Iterator<Item = PathBuf> + 'a {
    entry.env.iter().flat_map(|place| {
        let (name, below) = place.split_once('/').unwrap_or((place, ""));
        let value = surroundings.var(name).unwrap_or_default();
        let paths = std::env::split_paths(value).filter(|path| path.is_absolute());
        paths.filter_map(move |path| whole(if below.is_empty() { path } else { path.join(below) }))
    })
}

fn whole(path: PathBuf) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok()
}

/// The folders and files of each phase: the known stores first, so that no budget ends before them.
fn phases(surroundings: &Surroundings, scanner: &Scanner, named: &BTreeMap<PathBuf, Store>) -> Vec<Vec<PathBuf>> {
    let mut first: BTreeSet<PathBuf> = named.keys().cloned().collect();
    // What is looked through as text has no form of its own, and is read where it lies all the same.
    let text = scanner.rules.stores.all().iter().filter(|entry| entry.form == Form::Text);
    first.extend(text.flat_map(|entry| in_variables(surroundings, entry)));
    let home = surroundings.home.clone().and_then(whole);
    let system = surroundings.system.clone().and_then(whole);
    for start in scanner.rules.stores.all().iter().flat_map(super::store::listed::Entry::starts) {
        let path = match start.strip_prefix("~/") {
            Some(below) => home.as_ref().map(|home| home.join(below)),
            None => {
                let below = start.strip_prefix('/');
                below.and_then(|below| Some(system.as_ref()?.join(below)))
            }
        };
        // A store behind a link is not followed; the walk of the home names the link.
        first.extend(path.filter(|path| whole(path.clone()).is_some_and(|real| real == *path)));
    }
    let roots = surroundings.roots.iter().filter_map(|root| whole(surroundings.cwd.join(root))).collect();
    vec![first.into_iter().collect(), roots, home.into_iter().collect()]
}

/// Agents that hold keys and use them on the word of whoever may open their socket. It is looked up and not opened.
fn sockets(surroundings: &Surroundings) -> Option<Find> {
    use std::os::unix::fs::FileTypeExt as _;
    const NAME: &str = "SSH_AUTH_SOCK";
    let held = std::fs::metadata(surroundings.var(NAME)?).ok()?;
    let spot = Spot { kind: "environment", path: "environment".to_owned(), line: None, key: Some(NAME.to_owned()) };
    let mut find = Find::new("ssh", "agent", Strength::Store, None, spot);
    find.scope = Some("every key that the agent behind this socket holds; it was not asked which".to_owned());
    held.file_type().is_socket().then_some(find)
}

fn environment(
    scanner: &Scanner,
    env: &BTreeMap<String, String>,
    places: &Places,
    paths: &mut BTreeMap<String, PathBuf>,
) -> Finds {
    let mut raws = Vec::new();
    for (at, (name, value)) in (1_u64..).zip(env) {
        raws.extend(scanner.pair(name, value).into_iter().map(|raw| (raw, at)));
    }
    let mut out = Finds::default();
    for (mut raw, _) in paired(raws, u64::MAX) {
        locator::of_client(&mut raw, env);
        let spot = Spot { kind: "environment", path: "environment".to_owned(), line: None, key: raw.key.clone() };
        let files = std::mem::take(&mut raw.files);
        if let Some(mut find) = from_raw(raw, spot, &mut out) {
            // Where a program that has it would run is not known.
            paths.extend(files::place(&mut find, &files, None, |path| places.show(path), &mut out));
            out.finds.push(find);
        }
    }
    let mut elsewhere = BTreeSet::new();
    for (name, value) in env {
        hosts::named(format!("{name}={value}").as_bytes(), &mut elsewhere);
    }
    hosts::place_all(&mut out.finds, &elsewhere);
    out
}

/// A find from what the scanner saw, unless it is a dummy; databases are added to `out`.
pub(crate) fn from_raw(raw: Raw, spot: Spot, out: &mut Finds) -> Option<Find> {
    if raw.dummy {
        out.dummies += 1;
        return None;
    }
    let mut find = Find::new(&raw.provider, &raw.kind, raw.strength, raw.secret, spot);
    find.parsed = false;
    find.token = raw.token;
    find.public_id = raw.public_id;
    find.account = raw.account;
    find.renewable = raw.renews;
    find.scope = raw.scope;
    find.expires = raw.expires;
    if let Some(locator) = raw.database {
        place_database(&mut find, &locator, out);
    }
    Some(find)
}

/// Names the login, the server and the database that a URL names. Of several servers the client picks one, and each may know
/// the login as somebody else: who it is stays unknown, and it is used at none of them.
pub(crate) fn place_database(find: &mut Find, locator: &Locator, out: &mut Finds) {
    for one in locator.each() {
        let server = one.server();
        let node = |id: String, kind: &str, class, name: &str, parent| Node {
            id,
            provider: one.provider.to_owned(),
            kind: kind.to_owned(),
            class,
            name: name.to_owned(),
            parent,
            spot: find.spot.clone(),
        };
        if let (Some(asset), Some(name)) = (one.asset(), &one.database) {
            let class = if one.provider == "redis" { Class::Store } else { Class::Database };
            out.nodes.push(node(asset, "database", class, name, Some(server.clone())));
        }
        out.nodes.push(node(server, "server", Class::Container, &one.host, None));
    }
    if locator.host.contains(',') {
        find.scope = Some("one of several servers, of which the client picks one".to_owned());
        return;
    }
    find.identity = Some((locator.login(), locator.user.clone().unwrap_or_else(|| "anyone".to_owned())));
    find.within = Some(locator.server());
    find.database = Some(locator.clone());
}

/// What a secret is sent with, which lies beside it in a variable of its own: the kinds of both.
struct Beside {
    provider: &'static str,
    id: &'static str,
    secret: &'static str,
    /// Whether it names the account, which has other secrets too, and not the secret.
    account: bool,
}

const BESIDE: [Beside; 3] = [
    Beside { provider: "mongodb_atlas", id: "public_key", secret: "api_key", account: false },
    Beside { provider: "planetscale", id: "service_token_id", secret: "service_token", account: false },
    Beside { provider: "upstash", id: "account", secret: "api_key", account: true },
];

/// Puts each such secret to the id nearest to it. An id is nothing by itself.
fn with_id(raws: &mut Vec<(Raw, u64)>, near: u64, beside: &Beside) {
    let of = |raw: &Raw, kind: &str| raw.provider == beside.provider && raw.kind == kind;
    let text = |raw: &Raw| raw.secret.as_ref().and_then(|id| String::from_utf8(id.expose().to_vec()).ok());
    let is_id = |raw: &Raw| of(raw, beside.id);
    // By line: what is nearest is found without a look at all.
    let ids: BTreeMap<u64, String> =
        raws.iter().filter(|(raw, _)| is_id(raw)).filter_map(|(raw, line)| Some((*line, text(raw)?))).collect();
    raws.retain(|(raw, _)| !is_id(raw));
    for (raw, line) in raws.iter_mut().filter(|(raw, _)| of(raw, beside.secret) && raw.public_id.is_none()) {
        let before = ids.range(..=*line).next_back();
        let nearest = before.into_iter().chain(ids.range(*line..).next()).min_by_key(|(at, _)| at.abs_diff(*line));
        let id = nearest.filter(|(at, _)| at.abs_diff(*line) <= near).map(|(_, id)| id.clone());
        if beside.account {
            raw.account = id;
        } else {
            raw.public_id = id;
        }
    }
}

/// Puts each AWS secret to the access key id nearest to it; parts of other credentials go.
pub(super) fn paired(mut raws: Vec<(Raw, u64)>, near: u64) -> Vec<(Raw, u64)> {
    BESIDE.iter().for_each(|beside| with_id(&mut raws, near, beside));
    let is_id = |raw: &Raw| raw.public_id.is_some() && raw.provider == "aws";
    // By line, those of one line in their order: what is nearest is found without a look at all.
    let mut secrets: BTreeMap<u64, VecDeque<Raw>> = BTreeMap::new();
    let mut rest = Vec::new();
    for (raw, line) in raws.drain(..) {
        if raw.kind == "secret_access_key" {
            secrets.entry(line).or_default().push_back(raw);
        } else {
            rest.push((raw, line));
        }
    }
    let has_id = rest.iter().any(|(raw, _)| is_id(raw));
    let token = |raw: &Raw| raw.provider == "aws" && raw.kind == "session_token";
    let tokens: Vec<(Option<Secret>, u64)> =
        rest.iter().filter(|(raw, _)| token(raw)).map(|(raw, line)| (raw.secret.clone(), *line)).collect();
    rest.retain(|(raw, _)| !(raw.part && has_id));
    for (raw, line) in rest.iter_mut().filter(|(raw, _)| is_id(raw)) {
        let before = secrets.range(..=*line).next_back().map(|(at, _)| *at);
        let after = secrets.range(*line..).next().map(|(at, _)| *at);
        let nearest = before.into_iter().chain(after).min_by_key(|at| at.abs_diff(*line));
        let Some(at) = nearest.filter(|at| at.abs_diff(*line) <= near) else { continue };
        let Some(there) = secrets.get_mut(&at) else { continue };
        if let Some(secret) = there.pop_front() {
            raw.dummy |= secret.dummy;
            raw.secret = secret.secret;
            // A key that starts so works with its session's token alone (IAM User Guide, `reference_identifiers`).
            if raw.public_id.as_deref().is_some_and(|id| id.starts_with("ASIA")) {
                let near = tokens.iter().filter(|(_, at)| at.abs_diff(*line) <= near);
                raw.token = near.min_by_key(|(_, at)| at.abs_diff(*line)).and_then(|(token, _)| token.clone());
            }
        }
        if there.is_empty() {
            secrets.remove(&at);
        }
    }
    rest.extend(secrets.into_iter().flat_map(|(line, there)| there.into_iter().map(move |raw| (raw, line))));
    rest
}
