//! Where Deadstop runs: home, environment, folders, time, machine (floor 4). Real in the program, made up in tests;
//! nothing else in the shell looks at the process's own surroundings.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use deadstop_core::time::Time;
use sha2::{Digest, Sha256};

/// Everything a collector may know of the place it runs in.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The home folder, if it is to be read.
    pub home: Option<PathBuf>,
    /// The top of the file system, if the stores of the system are to be read.
    pub system: Option<PathBuf>,
    /// The environment variables, if they are to be read.
    pub env: BTreeMap<String, OsString>,
    /// The folders the sessions work in.
    pub roots: Vec<PathBuf>,
    /// The current folder.
    pub cwd: PathBuf,
    /// The time of reading.
    pub now: Time,
    /// A name for this machine that no other has, and that does not tell its host name.
    pub machine: String,
    /// The user's number.
    pub uid: u32,
}

impl Surroundings {
    /// The surroundings of this very process, with `roots` as the session's folders (the current one if empty).
    #[must_use]
    pub fn of_this_process(roots: &[PathBuf]) -> Self {
        let env: BTreeMap<String, OsString> =
            std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value)).collect();
        let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let roots = if roots.is_empty() { vec![cwd.clone()] } else { roots.to_vec() };
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self {
            home: env.get("HOME").filter(|home| !home.is_empty()).map(PathBuf::from),
            system: Some(PathBuf::from("/")),
            machine: machine_name(),
            uid: rustix::process::getuid().as_raw(),
            now: Time::from_unix(i64::try_from(seconds).unwrap_or(0)),
            env,
            roots,
            cwd,
        }
    }

    /// A variable's value, if it is there, not empty and text.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).and_then(|value| value.to_str()).filter(|value| !value.is_empty())
    }
}

/// An application's own hash of the machine id, as machine-id(5) asks for, so that the id itself is not told.
fn machine_name() -> String {
    let known = [Path::new("/etc/machine-id"), Path::new("/var/lib/dbus/machine-id")]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok().filter(|id| !id.trim().is_empty()))
        .unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned());
    hash(known.trim())
}

fn hash(id: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"deadstop\0");
    hasher.update(id.as_bytes());
    hasher.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_name_is_twelve_digits_and_not_the_id() {
        let name = hash("laptop-of-anna");
        assert_eq!(name.len(), 12);
        assert!(name.chars().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(name, hash("laptop-of-bob"));
    }
}
