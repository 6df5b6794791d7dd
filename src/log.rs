//! The log and the progress line (floor 4): both go to standard error or a file, never to standard output.
//!
//! INVARIANT: a log line holds stages, counts, times and the user's own flags. It holds nothing that was read, not even
//! a file's name, as any of it may be a secret that is not yet known for one.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::output::{self, OutputError};

/// What the log holds and where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// How often `-v` was given.
    pub verbose: u8,
    /// Whether a line is a JSON object.
    pub json: bool,
    /// The file; else standard error.
    pub file: Option<&'a Path>,
}

/// Begins the log of this process. Nothing is logged unless it was asked for.
///
/// # Errors
/// If the file cannot be opened.
pub fn begin(wanted: Wanted<'_>) -> Result<(), OutputError> {
    let level = match (wanted.verbose, wanted.file) {
        (0, None) => return Ok(()),
        (0 | 1, _) => LevelFilter::INFO,
        (2, _) => LevelFilter::DEBUG,
        (_, _) => LevelFilter::TRACE,
    };
    let sink: Box<dyn Write + Send> = match wanted.file {
        Some(path) => Box::new(open(path).map_err(|source| OutputError::Write { path: path.to_owned(), source })?),
        None => Box::new(Terminal),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_target(false)
        .with_span_events(FmtSpan::CLOSE)
        .log_internal_errors(false)
        .with_writer(Mutex::new(sink));
    // Only what Deadstop says itself: a library might repeat what it was given.
    let own = Targets::new().with_target(env!("CARGO_PKG_NAME"), level);
    let registry = tracing_subscriber::registry();
    let begun = if wanted.json {
        registry.with(lines.json().with_filter(own)).try_init()
    } else {
        registry.with(lines.with_filter(own)).try_init()
    };
    // A second log in one process is no log.
    drop(begun);
    Ok(())
}

/// Opens a log for adding to it, readable by its owner alone.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    if file.metadata()?.is_file() {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Standard error, with what would steer a terminal taken out.
struct Terminal;

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        output::stderr(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A line on the terminal that says what is being done, gone when dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    done: Arc<AtomicBool>,
}

impl Progress {
    /// Shows `what`, with the number of files read so far, if standard error is a terminal and `wanted` says so.
    #[must_use]
    pub fn new(wanted: bool, what: &'static str, files: &Arc<AtomicU64>) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        if !wanted || !io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden(), done };
        }
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = ProgressBar::new_spinner().with_style(style);
        let (shown, files, over) = (bar.clone(), Arc::clone(files), Arc::clone(&done));
        // A thread that ends by itself: whoever is waiting for the work never waits for its picture.
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                shown.set_message(format!("{what}: {} files", files.load(Ordering::Relaxed)));
                shown.tick();
                std::thread::sleep(Duration::from_millis(120));
            }
        });
        Self { bar, done }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_its_owners_alone_and_is_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "before\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        open(&path).unwrap().write_all(b"after\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before\nafter\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
