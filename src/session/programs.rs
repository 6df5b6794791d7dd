//! Finds agent programs: code in the folders of sessions that lets a model call its functions.
//!
//! Files of Python, TypeScript and JavaScript are read as text, and nothing of them is run. What others wrote and installed
//! is left out: it is code that a program may use, and not the program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::{SessionId, WayId};
use deadstop_core::model::{Agent, Credential, Session, Source, Way};
use deadstop_core::program::{self, Carried, Open, Program};
use deadstop_core::time::Time;

use super::read::{self, shown};
use crate::walk::{Chunk, Limits, Reading, Seen, Visitor, walk};

/// The endings of code that is read.
const ENDINGS: [&str; 10] = ["py", "pyw", "ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"];

/// Folders of code that others wrote, or that a build made.
const LEFT: [&str; 13] = [
    ".git",
    ".mypy_cache",
    ".next",
    ".nox",
    ".output",
    ".tox",
    ".venv",
    "__pycache__",
    "bower_components",
    "node_modules",
    "site-packages",
    "venv",
    "virtualenv",
];

/// Files that lie at the top of a program.
const TOPS: [&str; 9] = [
    "Pipfile",
    "deno.json",
    "environment.yml",
    "package.json",
    "poetry.lock",
    "pyproject.toml",
    "requirements.txt",
    "setup.cfg",
    "setup.py",
];

/// The longest file that is read as code, in bytes.
const LONGEST: usize = 512 << 10;

/// The most files that speak of a framework and are read.
const MOST_FILES: usize = 2_000;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    /// A session for each program.
    pub sessions: Vec<Session>,
    /// Their tools.
    pub ways: Vec<Way>,
    /// What these rest on.
    pub sources: Vec<Source>,
    /// Why there may be more programs.
    pub gap: Option<Gap>,
}

impl Programs {
    /// What the tools of a program use: every credential of their providers that the program can read. Which of them a tool
    /// takes is not told by its code, so that it may be any.
    pub fn hold(&self, ways: &mut [Way], credentials: &[Credential]) {
        let own: BTreeSet<&WayId> = self.ways.iter().filter(|way| !way.reads).map(|way| &way.id).collect();
        for way in ways.iter_mut().filter(|way| own.contains(&way.id)) {
            let uses = |credential: &&Credential| {
                let call = format!("{}/", credential.provider);
                let carries = way.carries.iter().any(|carried| carried.starts_with(&call));
                let reads = credential
                    .locations
                    .iter()
                    .any(|location| way.session.as_ref().is_some_and(|session| location.sessions.contains(session)));
                carries && reads
            };
            way.holds = credentials.iter().filter(uses).map(|credential| credential.id.clone()).collect();
        }
    }
}

/// Looks for agent programs in folders, for no longer than that.
#[must_use]
pub fn discover(roots: &[PathBuf], home: Option<&Path>, now: Time, time: Duration, cancel: &AtomicBool) -> Programs {
    let mut found = Programs::default();
    let roots: BTreeSet<PathBuf> = roots.iter().filter_map(|root| std::fs::canonicalize(root).ok()).collect();
    if roots.is_empty() {
        return found;
    }
    let limits = Limits { until: Instant::now().checked_add(time), file_cap: LONGEST as u64 + 1, cancel };
    let mut readers = vec![Reader::default(), Reader::default()];
    let list: Vec<PathBuf> = roots.iter().cloned().collect();
    let walked = walk(&list, limits, &Seen::default(), &mut readers);
    let mut files: Vec<Code> = readers.into_iter().flat_map(|reader| reader.found).collect();
    files.sort();
    let late = walked.unread.iter().find(|unread| unread.reason == GapReason::TimedOut || is_code(&unread.path));
    let reason = late.map(|unread| unread.reason).or((files.len() > MOST_FILES).then_some(GapReason::TooLarge));
    if let Some(reason) = reason {
        let settle = "name the folders of your programs alone, so that all of their code is read";
        let source = Source::unanswered("programs".into(), "look for agent programs", reason, settle, now);
        found.gap = Some(Gap { source: source.id.clone(), reason });
        found.sources.push(source);
    }
    let mut folders: BTreeMap<PathBuf, Vec<Code>> = BTreeMap::new();
    for file in files.into_iter().take(MOST_FILES) {
        folders.entry(top(&file.path, &roots)).or_default().push(file);
    }
    for (folder, files) in folders {
        let Some(program) = one(&folder, files, home) else { continue };
        add(&mut found, &program, &folder, &roots, home, now);
    }
    found
}

fn is_code(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|own| ending == *own))
}

/// The folder of the program that a file belongs to: the nearest that says so, or the root.
fn top(file: &Path, roots: &BTreeSet<PathBuf>) -> PathBuf {
    let mut above = file.ancestors().skip(1);
    let says = |folder: &Path| TOPS.iter().any(|name| std::fs::symlink_metadata(folder.join(name)).is_ok());
    let found = above.find(|folder| says(folder) || roots.contains(*folder));
    found.map_or_else(|| file.parent().unwrap_or(file).to_path_buf(), Path::to_path_buf)
}

/// Reads one program.
fn one(folder: &Path, files: Vec<Code>, home: Option<&Path>) -> Option<Program> {
    let mut long = Vec::new();
    let mut entries = Vec::new();
    for file in files {
        match file.text {
            Some(text) => entries.extend(source(folder, &file.path, text, home)),
            None => long.push(shown(&file.path, home)),
        }
    }
    let load = |dotted: &str| {
        let below = dotted.replace('.', "/");
        // A name that is none leads out of the folder.
        if below.starts_with('/') || below.contains("//") {
            return None;
        }
        let endings = ENDINGS.iter().flat_map(|ending| [format!(".{ending}"), format!("/index.{ending}")]);
        endings.chain(["/__init__.py".to_owned()]).find_map(|ending| {
            let path = folder.join(format!("{below}{ending}"));
            // Through no link to anywhere else.
            let real = std::fs::canonicalize(&path).ok().filter(|real| *real == path)?;
            match read::read(&real) {
                read::Reading::Text(text) => source(folder, &real, text, home),
                read::Reading::Absent | read::Reading::Gap(_) => None,
            }
        })
    };
    let program = program::read(&entries, &load);
    if long.is_empty() {
        return program;
    }
    let mut program = program.unwrap_or_default();
    let why = "a file is longer than is read".to_owned();
    program.open.extend(long.into_iter().map(|path| Open { path, line: 1, why: why.clone() }));
    Some(program)
}

/// A file as the core reads it.
fn source(folder: &Path, path: &Path, text: String, home: Option<&Path>) -> Option<program::Source> {
    let below = path.strip_prefix(folder).ok()?.with_extension("");
    let dotted = below.to_string_lossy().replace('/', ".");
    let dotted = dotted.trim_end_matches(".__init__").trim_end_matches(".index").to_owned();
    Some(program::Source { path: shown(path, home), dotted, text })
}

/// A program as a session.
fn add(
    found: &mut Programs,
    program: &Program,
    folder: &Path,
    roots: &BTreeSet<PathBuf>,
    home: Option<&Path>,
    now: Time,
) {
    // Its place below the root, which is the same on every machine.
    let root = roots.iter().find(|root| folder.starts_with(root));
    let below = root.and_then(|root| folder.strip_prefix(root).ok()).map(|below| below.display().to_string());
    let below = below.filter(|below| !below.is_empty()).unwrap_or_else(|| ".".to_owned());
    let mut id = format!("program:{below}");
    while found.sessions.iter().any(|session| session.id.as_str() == id) {
        id.push('\'');
    }
    let id = SessionId(id);
    let Carried { ways, sources, gap } = program::carried(program, &id, now);
    let frameworks: Vec<&str> = program.frameworks.iter().copied().collect();
    let shown = shown(folder, home);
    let name = match frameworks.as_slice() {
        [] => format!("agent program in {shown}"),
        names => format!("agent program in {shown} ({})", names.join(", ")),
    };
    found.sessions.push(Session {
        key: id.as_str().to_owned(),
        id,
        name,
        agent: Agent::Program,
        machine: None,
        environment: None,
        roots: vec![shown],
        reach: Fact::Known(Listed::Complete),
        ways: gap.map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        tally: None,
        sources: sources.iter().map(|source| source.id.clone()).collect(),
    });
    found.ways.extend(ways);
    found.sources.extend(sources);
}

/// A file of code that speaks of a framework; without its text where that is too long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Code {
    path: PathBuf,
    text: Option<String>,
}

/// The visitor of one thread.
#[derive(Debug, Default)]
struct Reader {
    file: PathBuf,
    speaks: bool,
    found: Vec<Code>,
}

impl Visitor for Reader {
    fn enters(&mut self, name: &Path) -> bool {
        !LEFT.iter().any(|left| name == Path::new(left))
    }

    fn open(&mut self, path: &Path) -> Reading {
        if !is_code(path) {
            return Reading::Leave;
        }
        path.clone_into(&mut self.file);
        self.again();
        Reading::Any
    }

    fn head(&mut self, _first: &[u8]) -> Option<usize> {
        Some(LONGEST)
    }

    fn chunk(&mut self, chunk: &Chunk<'_>) {
        self.speaks |= program::concerns(chunk.bytes);
    }

    fn whole(&mut self, text: Option<&[u8]>) {
        if self.speaks {
            let text = text.map(|text| String::from_utf8_lossy(text).into_owned());
            self.found.push(Code { path: self.file.clone(), text });
        }
    }

    fn again(&mut self) {
        self.speaks = false;
        if self.found.last().is_some_and(|last| last.path == self.file) {
            self.found.pop();
        }
    }

    fn close(&mut self) {}
}

#[cfg(test)]
mod tests;
