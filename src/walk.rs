//! Walks folders that may be hostile and hands each regular file's text to a visitor (floor 4).
//!
//! It must never follow a link, open anything but a regular file, leave the roots, or keep more than one buffer a
//! thread whatever the tree holds. What a user may not read is not in reach and no gap; what vanished, changed while it
//! was read, was too large or did not get its turn is one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use deadstop_core::fact::GapReason;
use rustix::fs::FileType;

mod fs;
mod read;
mod wide;

pub use fs::FolderError;
pub use read::Chunk;

/// Folders deeper than this are left and named as a gap.
const MAX_DEPTH: usize = 1_000;

/// Parts of the system that every program reads, with or without a link to them.
const SYSTEM: [&str; 12] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/proc",
    "/sys",
    "/dev",
    "/nix",
    "/System",
    "/Library",
    "/Applications",
];

/// Whether a file is named as one that holds credentials: `.env`, `prod.env`, `credentials.json`.
fn holds_secrets(name: &Path) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    name.starts_with(".env") || name.ends_with(".env") || name.contains(".env.") || name.contains("credentials")
}

/// Whether it is such a file, packed: it is not looked into, and an agent unpacks it.
fn packed(name: &Path) -> bool {
    let packs = ["gz", "tgz", "zip", "xz", "bz2", "zst", "7z"];
    name.extension().is_some_and(|end| packs.iter().any(|pack| end.eq_ignore_ascii_case(pack))) && holds_secrets(name)
}

/// The bounds of a walk.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// When to stop.
    pub until: Option<Instant>,
    /// How much of one file is read.
    pub file_cap: u64,
    /// Set by another thread to stop within a second.
    pub cancel: &'a AtomicBool,
}

impl Limits<'_> {
    /// Whether reading is to end.
    #[must_use]
    pub fn over(&self) -> bool {
        self.cancel.load(Ordering::Relaxed) || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub reason: GapReason,
}

/// What a walk came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Folders entered.
    pub folders: u64,
    /// Links seen and not followed.
    pub links: u64,
    /// Links that lead to something which is no part of the system, with where they lead. Not followed either.
    pub leading: Vec<(PathBuf, PathBuf)>,
    /// What this user may not read.
    pub refused: u64,
    /// What should have been read and was not, sorted.
    pub unread: Vec<Unread>,
}

/// Gets every file of a walk, one at a time. One visitor a thread.
pub trait Visitor: Send {
    /// Whether a folder of that name is entered.
    fn enters(&mut self, _name: &Path) -> bool {
        true
    }
    /// Whether the file is to be read, judged by its path alone.
    fn open(&mut self, path: &Path) -> Reading;
    /// Called with the first piece: whether the whole text is wanted in the end as well, up to so many bytes.
    fn head(&mut self, first: &[u8]) -> Option<usize>;
    /// Called with each piece in turn.
    fn chunk(&mut self, chunk: &Chunk<'_>);
    /// Called with the whole text if it was wanted; with nothing if it was larger than that.
    fn whole(&mut self, text: Option<&[u8]>);
    /// The file changed while it was read: what was seen in it is void, and it is read once more.
    fn again(&mut self);
    /// The file is done with.
    fn close(&mut self);
}

/// How a file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Not at all.
    Leave,
    /// Only if it is text.
    Text,
    /// Whatever it looks like.
    Any,
}

/// A folder yet to be read: the root it hangs under, and the way down from there.
struct Folder {
    root: usize,
    below: PathBuf,
    depth: usize,
}

/// What the threads of one walk share.
struct Shared<'a> {
    roots: &'a [PathBuf],
    limits: Limits<'a>,
    queue: Mutex<Queue>,
    idle: Condvar,
    seen: &'a Seen,
    files: AtomicU64,
    bytes: AtomicU64,
    folders: AtomicU64,
    links: AtomicU64,
    leading: Mutex<BTreeSet<(PathBuf, PathBuf)>>,
    refused: AtomicU64,
    unread: Mutex<BTreeSet<Unread>>,
}

#[derive(Default)]
struct Queue {
    folders: Vec<Folder>,
    busy: usize,
    late: bool,
}

/// The folders that were entered, by device and number, so that none is entered twice under two names.
#[derive(Default)]
pub struct Seen(Mutex<std::collections::HashSet<(u64, u64)>>);

impl Seen {
    fn first_time(&self, device: u64, number: u64) -> bool {
        lock(&self.0).insert((device, number))
    }
}

/// A panic in one thread leaves plain data behind, which is as good as before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The buffers of a reader of texts that are no files of their own.
pub struct Texts(read::Buffers);

impl Default for Texts {
    fn default() -> Self {
        Self(read::Buffers::new())
    }
}

impl Texts {
    /// Hands a text of `size` bytes to a visitor as if it were a file at `path`.
    ///
    /// # Errors
    /// Why it was not read to its end.
    pub fn read<V: Visitor>(
        &mut self,
        path: &Path,
        text: &mut dyn std::io::Read,
        size: u64,
        limits: Limits<'_>,
        visitor: &mut V,
    ) -> Result<(), GapReason> {
        let reading = visitor.open(path);
        if reading == Reading::Leave {
            return Ok(());
        }
        let stop = || limits.over();
        let bounds = read::Bounds { binary: reading == Reading::Any, cap: limits.file_cap, stop: &stop };
        let result = read::feed(text, size, visitor, &mut self.0, &bounds);
        visitor.close();
        result.map(|_| ()).map_err(|reason| reason.unwrap_or(GapReason::Unreachable))
    }
}

/// Walks `roots` (each a folder or a single file) with one thread a visitor.
pub fn walk<V: Visitor>(roots: &[PathBuf], limits: Limits<'_>, seen: &Seen, visitors: &mut [V]) -> Walked {
    let shared = Shared {
        roots,
        limits,
        queue: Mutex::new(Queue::default()),
        idle: Condvar::new(),
        seen,
        files: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        folders: AtomicU64::new(0),
        links: AtomicU64::new(0),
        leading: Mutex::new(BTreeSet::new()),
        refused: AtomicU64::new(0),
        unread: Mutex::new(BTreeSet::new()),
    };
    lock(&shared.queue).folders =
        (0..roots.len()).rev().map(|root| Folder { root, below: PathBuf::new(), depth: 0 }).collect();
    std::thread::scope(|scope| {
        for visitor in visitors {
            let shared = &shared;
            scope.spawn(move || shared.work(visitor));
        }
    });
    Walked {
        files: shared.files.into_inner(),
        bytes: shared.bytes.into_inner(),
        folders: shared.folders.into_inner(),
        links: shared.links.into_inner(),
        leading: shared.leading.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect(),
        refused: shared.refused.into_inner(),
        unread: shared.unread.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect(),
    }
}

impl Shared<'_> {
    fn out_of_time(&self) -> bool {
        self.limits.over()
    }

    fn gap(&self, path: PathBuf, reason: GapReason) {
        lock(&self.unread).insert(Unread { path, reason });
    }

    /// Takes folders until none is left and no thread can add one.
    fn work<V: Visitor>(&self, visitor: &mut V) {
        let mut buffers = read::Buffers::new();
        loop {
            let folder = {
                let mut queue = lock(&self.queue);
                loop {
                    if self.out_of_time() {
                        self.give_up(&mut queue);
                    }
                    if let Some(folder) = queue.folders.pop() {
                        queue.busy += 1;
                        break folder;
                    }
                    if queue.busy == 0 {
                        self.idle.notify_all();
                        return;
                    }
                    queue = self.idle.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
            };
            let below = self.enter(&folder, visitor, &mut buffers);
            let mut queue = lock(&self.queue);
            queue.folders.extend(below);
            queue.busy -= 1;
            self.idle.notify_all();
        }
    }

    /// Names what did not get its turn: the topmost folders still waiting, not everything below them.
    fn give_up(&self, queue: &mut Queue) {
        queue.late = true;
        for folder in queue.folders.drain(..) {
            self.gap(self.path_of(&folder), GapReason::TimedOut);
        }
    }

    fn path_of(&self, folder: &Folder) -> PathBuf {
        let root = self.roots.get(folder.root).map_or_else(PathBuf::new, Clone::clone);
        if folder.below.as_os_str().is_empty() { root } else { root.join(&folder.below) }
    }

    /// Reads the files of one folder and returns the folders in it.
    fn enter<V: Visitor>(&self, folder: &Folder, visitor: &mut V, buffers: &mut read::Buffers) -> Vec<Folder> {
        let path = self.path_of(folder);
        let Some(root) = self.roots.get(folder.root) else { return Vec::new() };
        if folder.depth > MAX_DEPTH {
            self.gap(path, GapReason::TooLarge);
            return Vec::new();
        }
        let open = match fs::open_folder(root, &folder.below) {
            Ok(open) => open,
            Err(FolderError::Refused) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return Vec::new();
            }
            Err(FolderError::NotAFolder) if folder.depth == 0 => {
                self.single_file(root, visitor, buffers);
                return Vec::new();
            }
            // A root that is not there holds nothing: most homes lack most of the known stores.
            Err(FolderError::Gone) if folder.depth == 0 => return Vec::new(),
            Err(FolderError::NotAFolder | FolderError::Gone) => {
                self.gap(path, GapReason::Vanished);
                return Vec::new();
            }
            Err(FolderError::Failed) => {
                self.gap(path, GapReason::Unreachable);
                return Vec::new();
            }
        };
        if open.pseudo || path == Path::new("/dev") || !self.seen.first_time(open.device, open.number) {
            return Vec::new();
        }
        self.folders.fetch_add(1, Ordering::Relaxed);
        let listing = match fs::list(&open.fd) {
            Ok(listing) => listing,
            Err(()) => {
                self.gap(path, GapReason::Unreachable);
                return Vec::new();
            }
        };
        if fs::is_own_output(&open.fd, &listing) {
            return Vec::new();
        }
        let mut below = Vec::new();
        for (name, kind) in listing.into_iter().rev() {
            match kind {
                FileType::Directory if !visitor.enters(&name) => {}
                FileType::Directory => {
                    below.push(Folder { root: folder.root, below: folder.below.join(&name), depth: folder.depth + 1 });
                }
                FileType::RegularFile => {
                    if packed(&name) {
                        self.gap(path.join(&name), GapReason::Unsupported);
                    }
                    if self.out_of_time() {
                        self.gap(path.join(&name), GapReason::TimedOut);
                        continue;
                    }
                    self.file(&open.fd, &name, &path.join(&name), visitor, buffers);
                }
                FileType::Symlink => {
                    self.links.fetch_add(1, Ordering::Relaxed);
                    let link = path.join(&name);
                    // Where it leads is looked up and not opened. One that leads nowhere hides nothing.
                    if let Ok(target) = std::fs::canonicalize(&link)
                        && !SYSTEM.iter().any(|part| target.starts_with(part))
                    {
                        lock(&self.leading).insert((link, target));
                    }
                }
                // Never opened, as a FIFO blocks; but password managers give out `.env` files this way.
                FileType::Fifo if holds_secrets(&name) => self.gap(path.join(&name), GapReason::Unsupported),
                // Never opened: a FIFO blocks, a device acts, a socket talks.
                FileType::Fifo
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown => {}
            }
        }
        below
    }

    fn single_file<V: Visitor>(&self, path: &Path, visitor: &mut V, buffers: &mut read::Buffers) {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
        match fs::open_folder(parent, Path::new("")) {
            Ok(open) => self.file(&open.fd, Path::new(name), path, visitor, buffers),
            Err(FolderError::Refused) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
            Err(FolderError::Gone | FolderError::NotAFolder | FolderError::Failed) => {
                self.gap(path.to_path_buf(), GapReason::Unreachable);
            }
        }
    }

    fn file<V: Visitor>(
        &self,
        folder: &std::os::fd::OwnedFd,
        name: &Path,
        path: &Path,
        visitor: &mut V,
        buffers: &mut read::Buffers,
    ) {
        let reading = visitor.open(path);
        if reading == Reading::Leave {
            return;
        }
        let stop = || self.out_of_time();
        let bounds = read::Bounds { binary: reading == Reading::Any, cap: self.limits.file_cap, stop: &stop };
        let result = read::read(folder, name, visitor, buffers, &bounds);
        visitor.close();
        match result {
            Ok(bytes) => {
                self.files.fetch_add(1, Ordering::Relaxed);
                self.bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            Err(None) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
            Err(Some(reason)) => self.gap(path.to_path_buf(), reason),
        }
    }
}
