//! Reads the environment, the known stores, the folders and the home, in this order, and gathers the finds (floor 5).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use deadstop_core::fact::GapReason;
use deadstop_core::model::Class;

use super::Options;
use super::find::{Find, Finds, Node, Spot, Strength};
use super::locator::Locator;
use super::places::Places;
use super::scan::{Raw, Scanner, Style};
use super::store::{self, Context, Store};
use crate::surroundings::Surroundings;
use crate::walk::{Chunk, Limits, Reading, Seen, Visitor, Walked, walk};

/// The most of a known store that is parsed as a whole.
const STORE_CAP: usize = 32 << 20;
/// Lines between an access key id and its secret, at most.
const NEAR: u64 = 12;

/// What was found and what was not read.
pub(crate) struct Gathered {
    pub(crate) finds: Finds,
    pub(crate) walked: Walked,
    pub(crate) unread: Vec<(String, GapReason)>,
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
    let mut unread: Vec<(String, GapReason)> =
        all.unread.iter().map(|unread| (places.show(&unread.path), unread.reason)).collect();
    unread.extend(led_out(surroundings, &all.leading).map(|link| (places.show(link), GapReason::NotAsked)));
    unread.extend(finds.malformed.iter().map(|path| (path.clone(), GapReason::Malformed)));
    Gathered { finds, walked: all, unread, paths }
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
fn paired(mut raws: Vec<(Raw, u64)>, near: u64) -> Vec<(Raw, u64)> {
    let is_id = |raw: &Raw| raw.public_id.is_some() && raw.provider == "aws";
    let mut secrets: Vec<Option<(Raw, u64)>> = Vec::new();
    let mut rest = Vec::new();
    for (raw, line) in raws.drain(..) {
        if raw.kind == "secret_access_key" { secrets.push(Some((raw, line))) } else { rest.push((raw, line)) }
    }
    let has_id = rest.iter().any(|(raw, _)| is_id(raw));
    rest.retain(|(raw, _)| !(raw.part && has_id));
    for (raw, line) in rest.iter_mut().filter(|(raw, _)| is_id(raw)) {
        let distance =
            |at: &Option<(Raw, u64)>| at.as_ref().map(|(_, at)| at.abs_diff(*line)).filter(|far| *far <= near);
        let nearest = (0..secrets.len()).filter_map(|at| Some((distance(secrets.get(at)?)?, at))).min();
        if let Some((_, at)) = nearest
            && let Some((secret, _)) = secrets.get_mut(at).and_then(Option::take)
        {
            raw.dummy |= secret.dummy;
            raw.secret = secret.secret;
        }
    }
    rest.extend(secrets.into_iter().flatten());
    rest
}

/// The visitor of one thread.
struct Reader<'a> {
    scanner: &'a Scanner,
    places: &'a Places,
    env: &'a BTreeMap<String, String>,
    named: &'a BTreeMap<PathBuf, Store>,
    opened: &'a AtomicU64,
    finds: Finds,
    paths: BTreeMap<String, PathBuf>,
    file: PathBuf,
    shown: String,
    style: Style,
    store: Option<Store>,
    raws: Vec<(Raw, u64)>,
    parsed: Finds,
}

impl<'a> Reader<'a> {
    fn new(
        scanner: &'a Scanner,
        places: &'a Places,
        env: &'a BTreeMap<String, String>,
        named: &'a BTreeMap<PathBuf, Store>,
        opened: &'a AtomicU64,
    ) -> Self {
        Self {
            scanner,
            places,
            env,
            named,
            opened,
            finds: Finds::default(),
            paths: BTreeMap::new(),
            file: PathBuf::new(),
            shown: String::new(),
            style: Style::Config,
            store: None,
            raws: Vec::new(),
            parsed: Finds::default(),
        }
    }
}

/// Whether a path is that of a loose object or a pack of git; anything else below `.git` is a file like any other.
fn git_object(path: &Path) -> bool {
    let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap_or_default()).collect();
    let hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
    match parts.as_slice() {
        [.., ".git", "objects", "pack", name] => name.starts_with("pack-"),
        [.., ".git", "objects", folder, name] => hex(folder, 2) && hex(name, 38),
        _ => false,
    }
}

impl Visitor for Reader<'_> {
    fn open(&mut self, path: &Path) -> Reading {
        // Compressed, so that no line of it can be seen; git's own settings and logs beside it are read.
        if git_object(path) {
            return Reading::Leave;
        }
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.file = path.to_path_buf();
        self.style = style(path);
        self.again();
        let name = path.file_name().unwrap_or_default();
        if name == "credentials.db" || name == "access_tokens.db" { Reading::Any } else { Reading::Text }
    }

    fn head(&mut self, first: &[u8]) -> Option<usize> {
        self.shown = self.places.show(&self.file);
        self.store = self.named.get(&self.file).copied().or_else(|| store::recognise(&self.shown, first));
        self.store.map(|_| STORE_CAP)
    }

    fn chunk(&mut self, chunk: &Chunk<'_>) {
        let mut raws = Vec::new();
        self.scanner.scan(chunk.bytes, chunk.fresh.clone(), self.style, &mut raws);
        let (mut line, mut at) = (chunk.lines_before + 1, 0);
        raws.sort_by_key(|raw| raw.at.start);
        for raw in raws {
            let passed = chunk.bytes.get(at..raw.at.start).unwrap_or_default();
            line += u64::try_from(passed.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(0);
            at = raw.at.start;
            self.raws.push((raw, line));
        }
    }

    fn whole(&mut self, text: Option<&[u8]>) {
        let Some(kind) = self.store else { return };
        let Some(bytes) = text else {
            self.parsed.malformed.insert(self.shown.clone());
            return;
        };
        let text = String::from_utf8_lossy(bytes);
        let context = Context { scanner: self.scanner, path: &self.shown, env: self.env };
        let whole = store::parse(kind, &context, &text, &mut self.parsed);
        let by_content = matches!(kind, Store::Google | Store::Kubernetes)
            || (kind == Store::Mcp && !self.shown.ends_with("mcp.json") && !self.shown.ends_with(".claude.json"));
        if !whole && !by_content && !text.trim().is_empty() {
            self.parsed.malformed.insert(self.shown.clone());
        }
    }

    fn again(&mut self) {
        self.raws.clear();
        self.parsed = Finds::default();
        self.store = None;
    }

    fn close(&mut self) {
        if self.raws.is_empty() && self.store.is_none() {
            return;
        }
        let by_path = self.scanner.rules.by_path(&self.shown);
        let renews = by_path.is_some() && self.raws.iter().any(|(raw, _)| raw.renews);
        for (mut raw, line) in paired(std::mem::take(&mut self.raws), NEAR) {
            if let Some((provider, kind)) = by_path.filter(|_| raw.strength == Strength::Guess) {
                provider.clone_into(&mut raw.provider);
                kind.clone_into(&mut raw.kind);
                raw.strength = Strength::Name;
                raw.renews |= renews;
            }
            let spot = Spot { kind: "file", path: self.shown.clone(), line: Some(line), key: raw.key.clone() };
            if let Some(find) = from_raw(raw, spot, &mut self.parsed) {
                self.parsed.finds.push(find);
            }
        }
        if !self.parsed.finds.is_empty() || !self.parsed.servers.is_empty() || !self.parsed.nodes.is_empty() {
            self.paths.insert(self.shown.clone(), self.file.clone());
        }
        self.finds.append(std::mem::take(&mut self.parsed));
    }
}

/// How values are written in a file of this name.
fn style(path: &Path) -> Style {
    const CODE: [&str; 34] = [
        "rs", "js", "mjs", "cjs", "jsx", "ts", "tsx", "py", "go", "java", "kt", "scala", "rb", "php", "c", "h", "cc",
        "cpp", "hpp", "cs", "swift", "vue", "svelte", "html", "htm", "css", "scss", "map", "lua", "ex", "exs", "dart",
        "md", "rst",
    ];
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if name.starts_with(".env") || extension == "env" || name == ".envrc" {
        Style::Env
    } else if CODE.contains(&extension.as_str()) {
        Style::Code
    } else {
        Style::Config
    }
}
