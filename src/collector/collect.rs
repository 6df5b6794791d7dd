//! Reads the environment, the known stores, the folders and the home, in this order, and gathers the finds (floor 5).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::Instant;

use deadstop_core::fact::GapReason;
use deadstop_core::model::Class;

use super::Options;
use super::find::{Find, Finds, Node, Spot};
use super::history;
use super::locator::Locator;
use super::places::Places;
use super::reader::Reader;
use super::scan::{Raw, Scanner};
use super::store::Store;
use crate::secret::Secret;
use crate::surroundings::Surroundings;
use crate::walk::{Limits, Seen, Walked, walk};

/// What was found and what was not read.
pub(crate) struct Gathered {
    pub(crate) finds: Finds,
    pub(crate) walked: Walked,
    pub(crate) unread: Vec<(String, GapReason)>,
    /// Repositories whose history was not read, or not to its end.
    pub(crate) histories: Vec<(String, GapReason)>,
    pub(crate) paths: BTreeMap<String, PathBuf>,
}

/// Stores that are read before anything else, so that no budget ends before them.
const FIRST: [&str; 21] = [
    ".aws",
    ".railway",
    ".kube",
    ".config/gh",
    ".config/gcloud",
    ".config/neonctl",
    ".config/planetscale",
    ".config/.wrangler",
    ".config/doctl",
    ".azure",
    ".docker/config.json",
    ".supabase",
    ".fly",
    ".render",
    ".netrc",
    ".pgpass",
    ".my.cnf",
    ".git-credentials",
    ".claude.json",
    ".cursor/mcp.json",
    ".terraform.d",
];
/// Variables that name a store.
const NAMED: [&str; 8] = [
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "KUBECONFIG",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "PGPASSFILE",
    "NETRC",
    "GH_CONFIG_DIR",
    "CLOUDSDK_CONFIG",
];

/// Reads everything.
pub(crate) fn gather(surroundings: &Surroundings, options: &Options, scanner: &Scanner) -> Gathered {
    let places = Places::new(surroundings);
    let env: BTreeMap<String, String> =
        surroundings.env.iter().map(|(name, value)| (name.clone(), value.to_string_lossy().into_owned())).collect();
    let mut finds = environment(scanner, &env);
    let limits = Limits {
        until: options.budget.and_then(|budget| Instant::now().checked_add(budget)),
        file_cap: options.file_cap,
        cancel: &options.cancel,
    };
    let seen = Seen::default();
    let mut all = Walked::default();
    let mut paths = BTreeMap::new();
    let mut repositories = BTreeSet::new();
    let named: BTreeMap<PathBuf, Store> =
        [("AWS_SHARED_CREDENTIALS_FILE", Store::Aws), ("AWS_CONFIG_FILE", Store::Aws)]
            .into_iter()
            .filter_map(|(name, store)| Some((std::fs::canonicalize(surroundings.var(name)?).ok()?, store)))
            .collect();
    for roots in phases(surroundings) {
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
    unread.extend(led_out(surroundings, &all.leading).map(|link| (places.show(link), GapReason::NotAsked)));
    unread.extend(finds.malformed.iter().map(|path| (path.clone(), GapReason::Malformed)));
    Gathered { finds, walked: all, unread, histories, paths }
}

/// Links that lead out of all that is read: an agent follows them, and this does not.
fn led_out<'a>(around: &Surroundings, leading: &'a [(PathBuf, PathBuf)]) -> impl Iterator<Item = &'a PathBuf> {
    let read = around.roots.iter().chain(&around.home).filter_map(|base| std::fs::canonicalize(base).ok());
    let read: Vec<PathBuf> = read.collect();
    let out = move |target: &PathBuf| !read.iter().any(|base| target.starts_with(base));
    leading.iter().filter(move |(_, target)| out(target)).map(|(link, _)| link)
}

/// The folders and files of each phase.
fn phases(surroundings: &Surroundings) -> Vec<Vec<PathBuf>> {
    let whole = |path: PathBuf| std::fs::canonicalize(&path).ok();
    let mut first: Vec<PathBuf> = Vec::new();
    for name in NAMED {
        let value = surroundings.var(name).unwrap_or_default();
        first.extend(std::env::split_paths(value).filter(|path| path.is_absolute()).filter_map(whole));
    }
    let home = surroundings.home.clone().and_then(whole);
    if let Some(home) = &home {
        // A store behind a link is not followed; the walk of the home names the link.
        let stores = FIRST.iter().map(|store| home.join(store));
        first.extend(stores.filter(|store| whole(store.clone()).is_none_or(|real| real == *store)));
    }
    if surroundings.var("KUBERNETES_SERVICE_HOST").is_some() {
        first.push(PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount"));
    }
    let roots = surroundings.roots.iter().filter_map(|root| whole(surroundings.cwd.join(root))).collect();
    vec![first, roots, home.into_iter().collect()]
}

fn environment(scanner: &Scanner, env: &BTreeMap<String, String>) -> Finds {
    let mut raws = Vec::new();
    for (at, (name, value)) in (1_u64..).zip(env) {
        raws.extend(scanner.pair(name, value).into_iter().map(|raw| (raw, at)));
    }
    let mut out = Finds::default();
    for (raw, _) in paired(raws, u64::MAX) {
        let spot = Spot { kind: "environment", path: "environment".to_owned(), line: None, key: raw.key.clone() };
        if let Some(find) = from_raw(raw, spot, &mut out) {
            out.finds.push(find);
        }
    }
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
    find.renewable = raw.renews;
    find.scope = raw.scope;
    if let Some(locator) = raw.database {
        place_database(&mut find, &locator, out);
    }
    Some(find)
}

/// Names the login, the server and the database that a URL names.
pub(crate) fn place_database(find: &mut Find, locator: &Locator, out: &mut Finds) {
    let server = locator.server();
    find.identity = Some((locator.login(), locator.user.clone().unwrap_or_else(|| "anyone".to_owned())));
    find.within = Some(server.clone());
    let node = |id: String, kind: &str, class, name: &str, parent| Node {
        id,
        provider: locator.provider.to_owned(),
        kind: kind.to_owned(),
        class,
        name: name.to_owned(),
        parent,
        spot: find.spot.clone(),
    };
    if let (Some(asset), Some(name)) = (locator.asset(), &locator.database) {
        let class = if locator.provider == "redis" { Class::Store } else { Class::Database };
        out.nodes.push(node(asset, "database", class, name, Some(server.clone())));
    }
    out.nodes.push(node(server, "server", Class::Container, &locator.host, None));
}

/// Puts each AWS secret to the access key id nearest to it; parts of other credentials go.
pub(super) fn paired(mut raws: Vec<(Raw, u64)>, near: u64) -> Vec<(Raw, u64)> {
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
