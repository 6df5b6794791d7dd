//! Everything that is written: whole under its final name, or not at all.

use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempDir};

use crate::manifest::{self, Manifest};

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
    /// Standard output failed for another reason than being closed.
    #[error("cannot write to standard output: {0}")]
    Stdout(io::Error),
}

fn refused(path: &Path) -> impl FnOnce(io::Error) -> OutputError {
    let path = path.to_owned();
    move |source| OutputError::Write { path, source }
}

/// Writes to standard output. A closed pipe is no error: whoever read it had enough.
///
/// # Errors
/// If standard output fails for another reason.
pub fn stdout(text: &str) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(OutputError::Stdout(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes to standard error, as far as that is possible.
pub fn stderr(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes one file, or standard output for `-`.
///
/// # Errors
/// If it cannot be written whole.
pub fn file(path: &Path, text: &str) -> Result<(), OutputError> {
    if path == Path::new("-") {
        return stdout(text);
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut held = NamedTempFile::with_prefix_in(".deadstop-", folder).map_err(refused(path))?;
    held.write_all(text.as_bytes()).map_err(refused(path))?;
    held.as_file().sync_all().map_err(refused(path))?;
    held.persist(path).map_err(|error| OutputError::Write { path: path.to_owned(), source: error.error })?;
    Ok(())
}

/// Writes a report folder, mode 0700, with a `.gitignore` of its own and a manifest of what is in it. The files are
/// written beside their final place first, so that a failure leaves the folder as it was.
///
/// # Errors
/// If the folder holds something else, or cannot be written.
pub fn report(folder: &Path, files: &[(&str, String)]) -> Result<(), OutputError> {
    usable(folder)?;
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let staged = TempDir::with_prefix_in(".deadstop-", parent).map_err(refused(parent))?;
    let manifest = Manifest::of(files);
    let with_manifest = files.iter().map(|(name, text)| (*name, text.as_str()));
    let manifest_text = manifest.to_json();
    for (name, text) in with_manifest.chain([(".gitignore", "*\n"), (manifest::NAME, manifest_text.as_str())]) {
        let path = staged.path().join(name);
        fs::write(&path, text).map_err(refused(&folder.join(name)))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(refused(&folder.join(name)))?;
    }
    if !folder.exists() {
        DirBuilder::new().mode(0o700).create(folder).map_err(refused(folder))?;
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(refused(folder))?;
    // The manifest goes in last: a folder whose manifest does not fit its files was interrupted here.
    let names = files.iter().map(|(name, _)| *name).chain([".gitignore", manifest::NAME]);
    for name in names {
        fs::rename(staged.path().join(name), folder.join(name)).map_err(refused(&folder.join(name)))?;
    }
    Ok(())
}

/// Refuses a folder that holds something else than a report.
///
/// # Errors
/// If it does, or is not a folder.
pub fn usable(folder: &Path) -> Result<(), OutputError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(folder)(error)),
        Ok(entries) => entries,
    };
    let empty = entries.take(1).count() == 0;
    if empty || manifest::is_report(folder) { Ok(()) } else { Err(OutputError::Foreign(folder.to_owned())) }
}
