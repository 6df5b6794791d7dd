//! Running git over the objects of a repository, and over nothing else of it (floor 5).
//!
//! INVARIANT: git never sees the repository. It sees a folder of our own, with settings of our own, in which each object
//! and each pack is a link to a regular file of the repository. So no hook, filter, helper, remote, replacement, or
//! further store of objects that the repository names has a part in what it does.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadstop_core::fact::GapReason;
use tempfile::TempDir;

use crate::walk::Limits;

/// Where a system keeps its git. The path of the environment is not asked: it may lead into what is read.
const PROGRAMS: [&str; 5] =
    ["/usr/bin/git", "/bin/git", "/usr/local/bin/git", "/opt/homebrew/bin/git", "/run/current-system/sw/bin/git"];
/// More loose objects than this are left. git packs them at some thousands.
const MOST: usize = 500_000;
/// The longest file of a repository that is read here.
const LONGEST: u64 = 1 << 20;

/// What git writes.
pub(super) type Out = BufReader<ChildStdout>;

/// A folder that git takes for a repository, with the objects of a real one.
pub(super) struct Mirror {
    folder: TempDir,
    program: &'static str,
}

impl Mirror {
    /// Links the objects. What is missing of them goes into `gaps`.
    pub(super) fn of(repository: &Path, limits: Limits<'_>, gaps: &mut BTreeSet<GapReason>) -> Result<Self, GapReason> {
        let program = PROGRAMS.into_iter().find(|program| Path::new(program).is_file());
        let program = program.ok_or(GapReason::Unsupported)?;
        let folder = tempfile::Builder::new().prefix("deadstop-").tempdir().map_err(|_| GapReason::Unreachable)?;
        let mirror = Self { folder, program };
        mirror.fill(repository, limits, gaps).map_err(|_| GapReason::Unreachable)?;
        Ok(mirror)
    }

    fn fill(&self, repository: &Path, limits: Limits<'_>, gaps: &mut BTreeSet<GapReason>) -> std::io::Result<()> {
        let below = |name: &str| self.folder.path().join(name);
        std::fs::create_dir_all(below("objects/pack"))?;
        std::fs::create_dir(below("refs"))?;
        std::fs::write(below("HEAD"), "ref: refs/heads/none\n")?;
        let objects = repository.join("objects");
        let mut wide = says_sha256(&repository.join("config"));
        let (mut count, mut late) = (0, false);
        for (name, is_folder) in entries(&objects, gaps) {
            if !is_folder || !(name == "pack" || (name.len() == 2 && name.bytes().all(|b| b.is_ascii_hexdigit()))) {
                continue;
            }
            std::fs::create_dir_all(below("objects").join(&name))?;
            for (file, inner) in entries(&objects.join(&name), gaps) {
                late = late || limits.over();
                // Beside packs lie indexes over several of them and marks; git needs neither.
                let pack = file.ends_with(".pack") || file.ends_with(".idx");
                if inner || late || (name == "pack" && !pack) {
                    continue;
                }
                count += 1;
                if count > MOST {
                    gaps.insert(GapReason::TooLarge);
                    return self.configure(wide);
                }
                wide |= name != "pack" && file.len() == 62;
                std::os::unix::fs::symlink(objects.join(&name).join(&file), below("objects").join(&name).join(&file))?;
            }
        }
        if late {
            gaps.insert(GapReason::TimedOut);
        }
        elsewhere(repository, gaps);
        self.shallow(repository)?;
        self.configure(wide)
    }

    fn configure(&self, wide: bool) -> std::io::Result<()> {
        let format = if wide { "\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n" } else { "" };
        let settings = format!("[core]\n\tbare = true\n{format}");
        std::fs::write(self.folder.path().join("config"), settings)
    }

    /// Where a shallow clone was cut, so that the commits there are taken for first ones.
    fn shallow(&self, repository: &Path) -> std::io::Result<()> {
        let cut = small(&repository.join("shallow")).unwrap_or_default();
        let ids: Vec<&str> = cut.lines().filter(|line| line.bytes().all(|byte| byte.is_ascii_hexdigit())).collect();
        if ids.is_empty() { Ok(()) } else { std::fs::write(self.folder.path().join("shallow"), ids.join("\n") + "\n") }
    }

    /// Runs git, writes `feed` to it and hands what it writes to `take`. It ends when `take` does or time is over.
    pub(super) fn git<R>(
        &self,
        arguments: &[&str],
        feed: impl FnOnce(&mut dyn Write) -> std::io::Result<()> + Send,
        limits: Limits<'_>,
        take: impl FnOnce(&mut Out) -> Result<R, GapReason>,
    ) -> Result<R, GapReason> {
        let mut child = self.command(arguments).spawn().map_err(|_| GapReason::Unsupported)?;
        let (Some(out), Some(err), Some(input)) = (child.stdout.take(), child.stderr.take(), child.stdin.take()) else {
            return Err(GapReason::Unreachable);
        };
        let child = Mutex::new(child);
        let (done, late) = (AtomicBool::new(false), AtomicBool::new(false));
        let (result, complained, ended) = std::thread::scope(|scope| {
            let watch = scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    if limits.over() {
                        late.store(true, Ordering::Release);
                        return kill(&child);
                    }
                    std::thread::park_timeout(Duration::from_millis(50));
                }
            });
            let complaints = scope.spawn(move || complains(err));
            // A broken pipe here shows in what comes back.
            scope.spawn(move || feed(&mut std::io::BufWriter::new(input)).ok());
            let mut reader = BufReader::with_capacity(1 << 18, out);
            let result = take(&mut reader);
            let whole = result.is_ok() && reader.fill_buf().is_ok_and(<[u8]>::is_empty);
            if !whole {
                kill(&child);
            }
            let complained = complaints.join().unwrap_or(true);
            done.store(true, Ordering::Release);
            watch.thread().unpark();
            let status = child.lock().unwrap_or_else(PoisonError::into_inner).wait();
            (result, complained, !whole || status.is_ok_and(|status| status.success()))
        });
        if late.load(Ordering::Acquire) {
            return Err(GapReason::TimedOut);
        }
        if complained || !ended { result.and(Err(GapReason::Malformed)) } else { result }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("GIT_DIR", self.folder.path())
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .args(["--no-pager", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"])
            .args(["-c", "protocol.allow=never", "-c", "core.bigFileThreshold=16m"])
            .args(["-c", "core.deltaBaseCacheLimit=32m"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn kill(child: &Mutex<Child>) {
    let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
}

/// Reads what git complains of to its end and keeps nothing of it.
fn complains(mut err: impl Read) -> bool {
    std::io::copy(&mut err, &mut std::io::sink()).map_or(true, |count| count > 0)
}

/// What is in a folder, sorted, and whether each is a folder; links and what is no file are left and named.
fn entries(folder: &Path, gaps: &mut BTreeSet<GapReason>) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    // A folder that this user may not list is in no reach of a session.
    if std::fs::symlink_metadata(folder).is_ok_and(|data| !data.is_dir()) {
        gaps.insert(GapReason::Malformed);
        return found;
    }
    let Ok(listing) = std::fs::read_dir(folder) else { return found };
    for entry in listing {
        let plain = entry.ok().and_then(|entry| Some((entry.file_name().into_string().ok()?, entry.file_type().ok()?)));
        match plain.filter(|(_, kind)| kind.is_dir() || kind.is_file()) {
            Some((name, kind)) => found.push((name, kind.is_dir())),
            None => {
                gaps.insert(GapReason::Malformed);
            }
        }
    }
    found.sort();
    found
}

/// Names what makes a history end before its beginning: objects kept elsewhere, or left at a remote.
fn elsewhere(repository: &Path, gaps: &mut BTreeSet<GapReason>) {
    let there = |name: &str| std::fs::symlink_metadata(repository.join(name)).is_ok_and(|data| data.len() > 0);
    let mut packs = entries(&repository.join("objects/pack"), gaps);
    packs.retain(|(name, _)| name.ends_with(".pack") || name.ends_with(".idx") || name.ends_with(".promisor"));
    let names: BTreeSet<&str> = packs.iter().map(|(name, _)| name.as_str()).collect();
    let left = names.iter().any(|name| name.ends_with(".promisor"));
    if left || ["objects/info/alternates", "objects/info/http-alternates", "shallow"].into_iter().any(there) {
        gaps.insert(GapReason::Unreachable);
    }
    // git passes over a pack without its index, and says nothing.
    let alone =
        |name: &&str| name.strip_suffix(".pack").is_some_and(|stem| !names.contains(format!("{stem}.idx").as_str()));
    if names.iter().any(alone) {
        gaps.insert(GapReason::Malformed);
    }
}

/// A small regular file of the repository.
fn small(path: &Path) -> Option<String> {
    let data = std::fs::symlink_metadata(path).ok()?;
    if !data.is_file() || data.len() > LONGEST {
        return None;
    }
    let mut text = Vec::new();
    std::fs::File::open(path).ok()?.take(LONGEST).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// Whether the settings say that ids are those of SHA-256.
fn says_sha256(config: &Path) -> bool {
    small(config).is_some_and(|text| {
        text.lines().any(|line| {
            let line = line.to_ascii_lowercase();
            line.contains("objectformat") && line.contains("sha256")
        })
    })
}

/// A path as git writes it.
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}
