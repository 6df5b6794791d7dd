//! Reads one settings file: a regular file of bounded size, whose last step is no link.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::gate::{FileText, Level};
use deadstop_core::id::SourceId;
use deadstop_core::model::Source;
use deadstop_core::model::reach::{Answered, Outcome};
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::Where;

/// The most that is read of one settings file.
pub(super) const LARGEST: u64 = 8 * 1024 * 1024;

/// The folders that agents keep their settings in.
const FOLDERS: [&str; 30] = [
    ".amp",
    ".claude",
    ".clinerules",
    ".cline",
    ".codex",
    ".continue",
    ".copilot",
    ".crush",
    ".cursor",
    ".factory",
    ".gemini",
    ".junie",
    ".kiro",
    ".opencode",
    ".qwen",
    ".roo",
    ".vscode",
    ".warp",
    ".warp_cli",
    ".windsurf",
    "agents",
    "amazon-q",
    "amp",
    "cli-agents",
    "copilot",
    "crush",
    "goose",
    "opencode",
    "warp-terminal",
    "windsurf",
];

/// The most files of one folder that are read.
const MOST: usize = 256;

/// What became of reading a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Its text.
    Text(String),
    /// There is no such file.
    Absent,
    /// It is there, and this is why it was not read.
    Gap(GapReason),
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Reading {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    // A settings folder that is a link leads elsewhere just as a file does.
    if path.parent().is_some_and(|folder| {
        folder.file_name().is_some_and(|name| FOLDERS.iter().any(|own| name == *own)) && folder.is_symlink()
    }) {
        return Reading::Gap(GapReason::NotAsked);
    }
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(Errno::NOENT | Errno::NOTDIR) => return Reading::Absent,
        Err(Errno::ACCESS | Errno::PERM) => return Reading::Gap(GapReason::Denied),
        // A link: the agent follows it, so what it says is not known.
        Err(Errno::LOOP) => return Reading::Gap(GapReason::NotAsked),
        Err(_) => return Reading::Gap(GapReason::Unreachable),
    };
    match file.metadata() {
        Ok(meta) if !meta.is_file() => return Reading::Gap(GapReason::Unsupported),
        Ok(meta) if meta.len() > LARGEST => return Reading::Gap(GapReason::TooLarge),
        Ok(_) => {}
        Err(_) => return Reading::Gap(GapReason::Vanished),
    }
    let mut bytes = Vec::new();
    match file.take(LARGEST + 1).read_to_end(&mut bytes) {
        Ok(count) if count as u64 > LARGEST => Reading::Gap(GapReason::TooLarge),
        // What is no UTF-8 is no JSON either: the agent makes of it what it makes of any text that does not parse.
        Ok(_) => Reading::Text(String::from_utf8_lossy(&bytes).into_owned()),
        Err(_) => Reading::Gap(GapReason::Vanished),
    }
}

/// What lies in a folder, in order; none if it is not shown, or is more than is read.
pub(super) fn entries(folder: &Path) -> Option<Vec<PathBuf>> {
    let entries: Result<Vec<PathBuf>, _> =
        folder.read_dir().ok()?.take(MOST + 1).map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = entries.ok().filter(|paths| paths.len() <= MOST)?;
    paths.sort();
    Some(paths)
}

/// A settings file of an agent, with a source for what became of reading it. One that is not there is none.
pub(super) fn listed(
    place: &Where<'_>,
    agent: &str,
    level: Level,
    path: &Path,
    reading: Reading,
    sources: &mut Vec<Source>,
) -> Option<FileText> {
    let name = shown(path, place.home);
    let id = SourceId(format!("gate/{agent}/{name}"));
    let (text, outcome) = match reading {
        Reading::Absent => return None,
        Reading::Text(text) => (Fact::Known(text), Outcome::Answered(Answered::Answered)),
        Reading::Gap(reason) => (Fact::Unknown(Gap { source: id.clone(), reason }), Outcome::Not(reason)),
    };
    sources.push(Source {
        id,
        provider: None,
        operation: format!("read {name}"),
        scope: None,
        outcome,
        at: place.now,
        run: None,
        excerpt: None,
        place: None,
        settle: None,
    });
    Some(FileText { level, path: name, text, writable: writable(path) })
}

/// Whether the user may change a file, or put another in its place.
pub(super) fn writable(path: &Path) -> bool {
    let may = |path: &Path| rustix::fs::accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
    may(path) || path.ancestors().skip(1).any(may)
}

/// A path as it is shown: the home folder is `~`.
pub(super) fn shown(path: &Path, home: Option<&Path>) -> String {
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}
