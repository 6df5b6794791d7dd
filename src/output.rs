//! Everything that is written: whole under its final name, or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use tempfile::{NamedTempFile, TempDir};

use crate::manifest::{self, Manifest};

/// The facts of a report, which one for other eyes leaves out.
pub const FACTS: &str = "facts.json";

/// How the name of everything begins that is not yet under its final name.
const STAGED: &str = ".deadstop-";

/// How much is written at once, in bytes: an assessment may be some hundred megabytes.
const BUFFER: usize = 128 * 1024;

/// How many such pieces may wait to be written.
const WAITING: usize = 8;

/// Something that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The operating system refused.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder holds something else.
    #[error(
        "`{0}` is not empty and no report of Deadstop's: nothing was written. Name another folder with -o, or empty it"
    )]
    Foreign(PathBuf),
    /// Standard output for a folder.
    #[error(
        "`run` and `demo` write a folder, which standard output cannot hold; `collect -o -` and `assess -o -` write one file"
    )]
    Folder,
    /// Standard output failed for another reason than being closed.
    #[error("cannot write to standard output: {0}")]
    Stdout(io::Error),
}

fn refused(path: &Path) -> impl FnOnce(io::Error) -> OutputError {
    let path = path.to_owned();
    move |source| OutputError::Write { path, source: plain(source) }
}

/// The operating system's own error, without the name of a passing file that nobody asked for, which `tempfile` adds.
fn plain(error: io::Error) -> io::Error {
    let text = if error.get_ref().is_some() { error.to_string() } else { String::new() };
    match text.split_once(" at path \"") {
        Some((own, _)) => io::Error::new(error.kind(), own),
        None => error,
    }
}

/// Writes to standard output. A closed pipe is no error: whoever read it had enough.
///
/// # Errors
/// If standard output fails for another reason.
pub fn stdout(text: &str) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    piped(out.write_all(text.as_bytes()).and_then(|()| out.flush())).map_err(OutputError::Stdout)
}

/// Text without what would steer a terminal or turn its reading round: names that are shown may be hostile.
#[must_use]
pub fn safe(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// Writes to standard error, as far as that is possible, made safe for a terminal.
pub fn stderr(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(safe(text).as_bytes()).and_then(|()| out.flush());
}

/// What is said of a fault of Deadstop's own: where in its sources, and nothing of what it was about, as a panic's message
/// may repeat what was read.
#[must_use]
pub fn panicked(panic: &std::panic::PanicHookInfo<'_>) -> String {
    let at = panic.location().map_or_else(String::new, |at| format!(" ({}:{})", at.file(), at.line()));
    format!("deadstop: internal error{at}\n")
}

/// Writes one file, or standard output for `-`.
///
/// # Errors
/// If it cannot be written whole.
pub fn file(path: &Path, text: &str) -> Result<(), OutputError> {
    written(path, &mut |out| out.write_all(text.as_bytes()))
}

/// Writes one file as [`file`] does, from what `fill` writes.
///
/// # Errors
/// If it cannot be written whole.
pub fn written(path: &Path, fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> Result<(), OutputError> {
    if path == Path::new("-") {
        let mut out = BufWriter::new(io::stdout().lock());
        return piped(fill(&mut out).and_then(|()| out.flush())).map_err(OutputError::Stdout);
    }
    let path = match fs::metadata(path) {
        // A pipe or a device is written to, never replaced.
        Ok(meta) if !meta.is_file() && !meta.is_dir() => return through(path, fill),
        Ok(_) => path.canonicalize().map_err(refused(path))?,
        Err(_) => path.to_owned(),
    };
    let path = path.as_path();
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut held = NamedTempFile::with_prefix_in(STAGED, folder).map_err(refused(path))?;
    beside(held.as_file_mut(), fill).map_err(refused(path))?;
    held.as_file().sync_all().map_err(refused(path))?;
    held.persist(path).map_err(|error| OutputError::Write { path: path.to_owned(), source: error.error })?;
    Ok(())
}

/// Writes on a thread of its own: to put a large assessment into JSON and to write that take about as long.
fn beside(file: &mut File, fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (sender, receiver) = sync_channel::<Vec<u8>>(WAITING);
    thread::scope(|scope| {
        let writing = scope.spawn(move || receiver.into_iter().try_for_each(|piece| file.write_all(&piece)));
        let mut out = BufWriter::with_capacity(BUFFER, Pieces(sender));
        let filled = fill(&mut out).and_then(|()| out.flush());
        drop(out);
        // Where both failed, the other could not go on for this one.
        writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).and(filled)
    })
}

/// Hands on what is written to it.
struct Pieces(SyncSender<Vec<u8>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes one file that is not there yet.
///
/// # Errors
/// If it is there, or cannot be written whole.
pub fn new_file(path: &Path, text: &str) -> Result<(), OutputError> {
    if fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
        return through(path, &mut |out| out.write_all(text.as_bytes()));
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut held = NamedTempFile::with_prefix_in(STAGED, folder).map_err(refused(path))?;
    held.write_all(text.as_bytes()).and_then(|()| held.as_file().sync_all()).map_err(refused(path))?;
    held.persist_noclobber(path).map_err(|error| OutputError::Write { path: path.to_owned(), source: error.error })?;
    Ok(())
}

fn through(path: &Path, fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> Result<(), OutputError> {
    let mut out = BufWriter::with_capacity(BUFFER, OpenOptions::new().write(true).open(path).map_err(refused(path))?);
    piped(fill(&mut out).and_then(|()| out.flush())).map_err(refused(path))
}

/// A closed pipe is no error: whoever read it had enough.
fn piped(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// Writes a report folder, mode 0700, with a `.gitignore` of its own and a manifest of what is in it. The files are
/// written to a hidden folder inside it first, as what lies beside it may be another disk or not writable, so that a
/// failure leaves a report that was there as it was.
///
/// # Errors
/// If the folder holds something else, or cannot be written.
pub fn report(folder: &Path, files: &[(&str, String)]) -> Result<(), OutputError> {
    usable(folder)?;
    let made = !folder.exists();
    if made {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(refused(folder))?;
    }
    let written = stage(folder, files);
    if written.is_err() && made {
        // Only an empty folder goes: what was written before the failure is whole, and stays.
        let _ = fs::remove_dir(folder);
    }
    written
}

fn stage(folder: &Path, files: &[(&str, String)]) -> Result<(), OutputError> {
    fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(refused(folder))?;
    let staged = TempDir::with_prefix_in(STAGED, folder).map_err(refused(folder))?;
    let manifest = Manifest::of(files).to_json();
    let texts = files.iter().map(|(name, text)| (*name, text.as_str()));
    // The manifest goes in last: a folder whose manifest does not fit its files was interrupted on the way.
    let all: Vec<(&str, &str)> =
        [manifest::GITIGNORE].into_iter().chain(texts).chain([(manifest::NAME, manifest.as_str())]).collect();
    for (name, text) in &all {
        let mut file = private(&staged.path().join(name)).map_err(refused(&folder.join(name)))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(refused(&folder.join(name)))?;
    }
    // Names that an earlier report told are not left beside one that replaces them, nor is a signature of its manifest.
    let told = (!all.iter().any(|(name, _)| *name == FACTS)).then_some(FACTS);
    for name in manifest::SIGNATURES.into_iter().chain(told) {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(refused(&folder.join(name))(error)),
            Ok(()) | Err(_) => {}
        }
    }
    for (name, _) in &all {
        fs::rename(staged.path().join(name), folder.join(name)).map_err(refused(&folder.join(name)))?;
    }
    Ok(())
}

fn private(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Refuses a folder that holds something else than a report, so that nothing of anyone else is overwritten.
///
/// # Errors
/// If it does, or is not a folder.
pub fn usable(folder: &Path) -> Result<(), OutputError> {
    if folder == Path::new("-") {
        return Err(OutputError::Folder);
    }
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(folder)(error)),
        Ok(entries) => entries,
    };
    // What an interrupted run left behind is no one else's.
    let ours = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(STAGED);
    let empty = entries.flatten().all(|entry| ours(&entry));
    if empty || manifest::is_report(folder) { Ok(()) } else { Err(OutputError::Foreign(folder.to_owned())) }
}

#[cfg(test)]
mod tests;
