//! The visitor of one thread: what each file holds, and where the repositories are (floor 5).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::collect::{from_raw, paired};
use super::files;
use super::find::{Finds, Spot, Strength};
use super::hosts;
use super::places::Places;
use super::scan::{Raw, Scanner, Style};
use super::store::listed::Form;
use super::store::{self, Context, Store};
use crate::secret::Secret;
use crate::walk::{Chunk, Reading, Visitor};

/// The most of a known store that is parsed as a whole.
const STORE_CAP: usize = 32 << 20;
/// A piece of a file that is no longer than this is the whole of it.
const ONE_PIECE: usize = 64 << 10;
/// Lines between an access key id and its secret, at most.
const NEAR: u64 = 12;

/// The visitor of one thread.
pub(super) struct Reader<'a> {
    pub(super) scanner: &'a Scanner,
    places: &'a Places,
    env: &'a BTreeMap<String, String>,
    named: &'a BTreeMap<PathBuf, Store>,
    opened: &'a AtomicU64,
    pub(super) finds: Finds,
    pub(super) paths: BTreeMap<String, PathBuf>,
    /// Files that say that a repository is elsewhere, with where it is.
    pub(super) leading: Vec<(PathBuf, PathBuf)>,
    /// Folders that hold a history.
    pub(super) repositories: BTreeSet<PathBuf>,
    file: PathBuf,
    shown: String,
    style: Style,
    /// What its path is listed as.
    listed: Option<usize>,
    store: Option<Store>,
    raws: Vec<(Raw, u64)>,
    parsed: Finds,
    /// Providers of which the file names a server of somebody's own.
    elsewhere: BTreeSet<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
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
            leading: Vec::new(),
            repositories: BTreeSet::new(),
            file: PathBuf::new(),
            shown: String::new(),
            style: Style::Config,
            listed: None,
            store: None,
            raws: Vec::new(),
            parsed: Finds::default(),
            elsewhere: BTreeSet::new(),
        }
    }
}

impl Reader<'_> {
    /// Takes what was found in a file of a history, which is known as `label`.
    pub(super) fn take_history(&mut self, label: &str) -> Finds {
        let found = std::mem::take(&mut self.finds);
        let mut out = Finds { dummies: found.dummies, ..Finds::default() };
        out.malformed.extend((!found.malformed.is_empty()).then(|| label.to_owned()));
        // A server, a profile or a note of an old version is no longer one.
        (out.finds, out.nodes) = (found.finds, found.nodes);
        let spots = out.finds.iter_mut().map(|find| &mut find.spot);
        for spot in spots.chain(out.nodes.iter_mut().map(|node| &mut node.spot)) {
            spot.kind = "git_history";
            label.clone_into(&mut spot.path);
        }
        out
    }
}

/// The repository that a path is part of the history of: its loose objects, its packs, and what names further ones.
/// Git compresses them, so that no line of them can be seen; what is text there all the same is read like any file.
fn repository(path: &Path) -> Option<&Path> {
    let hex = |text: &str, lengths: [usize; 2]| {
        lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let name = path.file_name()?.to_str()?;
    let folder = path.parent()?;
    let objects = folder.parent()?;
    let part = match folder.file_name()?.to_str()? {
        "pack" => ["pack", "idx"].iter().any(|end| name.strip_suffix(end).is_some_and(|rest| rest.ends_with('.'))),
        "info" => matches!(name, "alternates" | "http-alternates"),
        two => hex(two, [2, 2]) && hex(name, [38, 62]),
    };
    (part && objects.file_name()? == "objects").then(|| objects.parent()).flatten()
}

impl Visitor for Reader<'_> {
    fn open(&mut self, path: &Path) -> Reading {
        if let Some(repository) = repository(path) {
            self.repositories.insert(repository.to_path_buf());
        }
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.file = path.to_path_buf();
        self.style = style(path);
        self.again();
        self.listed = self.scanner.rules.stores.find(&path.to_string_lossy());
        let entry = self.listed.and_then(|at| self.scanner.rules.stores.get(at).map(|entry| (at, entry)));
        if let Some((_, entry)) = entry.filter(|(_, entry)| matches!(entry.form, Form::Sealed | Form::Database)) {
            let place = entry.sealed_at(&self.places.show(path));
            self.finds.sealed.insert(place, entry.about.clone());
        }
        let store = entry.and_then(|(at, entry)| entry.store(at));
        let database = entry.is_some_and(|(_, entry)| entry.form == Form::Database);
        if database || store.is_some_and(Store::is_binary) { Reading::Any } else { Reading::Text }
    }

    fn head(&mut self, first: &[u8]) -> Option<usize> {
        if self.file.ends_with(".git")
            && let Some(target) = std::str::from_utf8(first).ok().and_then(|text| text.strip_prefix("gitdir:"))
            && let Some(folder) = self.file.parent()
            && let Ok(target) = std::fs::canonicalize(folder.join(target.trim()))
        {
            self.leading.push((self.file.clone(), target));
        }
        self.shown = self.places.show(&self.file);
        let listed = self.listed.and_then(|at| self.scanner.rules.stores.get(at)?.store(at));
        self.store = self.named.get(&self.file).copied().or_else(|| store::recognise(listed, &self.shown, first));
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
        // A file of one piece is looked through for another server only where a token lies that may be for it.
        if chunk.bytes.len() > ONE_PIECE || self.raws.iter().any(|(raw, _)| hosts::concerns(raw)) {
            hosts::named(chunk.bytes, &mut self.elsewhere);
        }
    }

    fn whole(&mut self, text: Option<&[u8]>) {
        let Some(kind) = self.store else { return };
        let Some(bytes) = text else {
            self.parsed.malformed.insert(self.shown.clone());
            return;
        };
        let context = Context::new(self.scanner, &self.shown, self.env);
        let whole = store::parse(kind, &context, bytes, &mut self.parsed);
        let by_content = self.listed.is_none() && !self.named.contains_key(&self.file);
        if !whole && !by_content && !bytes.trim_ascii().is_empty() {
            self.parsed.malformed.insert(self.shown.clone());
        }
    }

    fn again(&mut self) {
        self.raws.clear();
        self.parsed = Finds::default();
        self.elsewhere.clear();
        self.store = None;
    }

    fn close(&mut self) {
        if self.raws.is_empty() && self.store.is_none() {
            return;
        }
        let listed = self.listed.and_then(|at| self.scanner.rules.stores.get(at));
        let by_path = listed.and_then(|entry| Some((entry.provider.as_str(), entry.kind.as_deref()?)));
        let renews = by_path.is_some() && self.raws.iter().any(|(raw, _)| raw.renews);
        let parts = std::mem::take(&mut self.parsed.parts);
        let parts: BTreeSet<&[u8]> = parts.iter().map(Secret::expose).collect();
        let ids = std::mem::take(&mut self.parsed.ids);
        let ids: BTreeSet<(&str, &[u8])> = ids.iter().map(|(name, id)| (name.as_str(), id.expose())).collect();
        // What the parser took it knows better than a guess does.
        let taken: Vec<Secret> = self.parsed.finds.iter().filter_map(|find| find.secret.clone()).collect();
        let taken: BTreeSet<&[u8]> = taken.iter().map(Secret::expose).collect();
        for (mut raw, line) in paired(std::mem::take(&mut self.raws), NEAR) {
            let held = |set: &BTreeSet<&[u8]>| raw.secret.as_ref().is_some_and(|secret| set.contains(secret.expose()));
            let named = |secret: &Secret| {
                let key = raw.key.as_deref().unwrap_or_default().to_ascii_lowercase();
                ids.contains(&(key.as_str(), secret.expose()))
            };
            let known = || held(&taken) || raw.secret.as_ref().is_some_and(named);
            if held(&parts) || (raw.strength == Strength::Guess && known()) {
                continue;
            }
            if let Some((provider, kind)) = by_path.filter(|_| raw.strength == Strength::Guess) {
                provider.clone_into(&mut raw.provider);
                kind.clone_into(&mut raw.kind);
                raw.strength = Strength::Name;
                raw.renews |= renews;
            }
            let spot = Spot { kind: "file", path: self.shown.clone(), line: Some(line), key: raw.key.clone() };
            let files = std::mem::take(&mut raw.files);
            if let Some(mut find) = from_raw(raw, spot, &mut self.parsed) {
                let (places, folder) = (self.places, self.file.parent());
                let show = |path: &Path| places.show(path);
                self.paths.extend(files::place(&mut find, &files, folder, show, &mut self.parsed));
                self.parsed.finds.push(find);
            }
        }
        hosts::place_all(&mut self.parsed.finds, &self.elsewhere);
        if !self.parsed.finds.is_empty() || !self.parsed.servers.is_empty() || !self.parsed.nodes.is_empty() {
            self.paths.insert(self.shown.clone(), self.file.clone());
        }
        self.finds.append(std::mem::take(&mut self.parsed));
    }
}

/// How values are written in a file of this name.
fn style(path: &Path) -> Style {
    const CODE: [&str; 45] = [
        "rs", "js", "mjs", "cjs", "jsx", "ts", "tsx", "py", "go", "java", "kt", "scala", "rb", "php", "c", "h", "cc",
        "cpp", "hpp", "cs", "swift", "vue", "svelte", "html", "htm", "css", "scss", "map", "lua", "ex", "exs", "dart",
        "md", "rst", "pl", "pm", "pod", "t", "vim", "el", "lisp", "tcl", "jl", "r", "adoc",
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
