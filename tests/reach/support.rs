//! A made-up home with folders in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use deadstop::collector::{Collected, Options, collect};
use deadstop::surroundings::Surroundings;
use deadstop_core::id::SessionId;
use deadstop_core::model::Credential;
use deadstop_core::time::Time;

/// A home and a project beside it, both gone when dropped.
pub(crate) struct Fake {
    folder: tempfile::TempDir,
    env: BTreeMap<String, std::ffi::OsString>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        let fake = Self { folder: tempfile::tempdir().unwrap(), env: BTreeMap::new() };
        std::fs::create_dir_all(fake.home()).unwrap();
        std::fs::create_dir_all(fake.root()).unwrap();
        fake
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("work/shop")
    }

    /// What stands for `/`.
    pub(crate) fn system(&self) -> PathBuf {
        self.folder.path().join("system")
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    /// Writes a file; `~/` is the home, `./` the project and `/` the top of the system.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let whole = self.path(path);
        std::fs::create_dir_all(whole.parent().unwrap()).unwrap();
        std::fs::write(whole, text).unwrap();
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        match path.split_once('/').unwrap() {
            ("~", rest) => self.home().join(rest),
            ("", rest) => self.system().join(rest),
            (_, rest) => self.root().join(rest),
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.into());
    }

    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings {
            home: Some(self.home()),
            system: Some(self.system()),
            env: self.env.clone(),
            roots: vec![self.root()],
            cwd: self.root(),
            now: "2026-11-24T06:00:00Z".parse::<Time>().unwrap(),
            machine: "0123456789ab".to_owned(),
            uid: 1000,
        }
    }

    pub(crate) fn collect(&self) -> Collected {
        self.collect_with(&Options::default())
    }

    pub(crate) fn collect_with(&self, options: &Options) -> Collected {
        collect(&self.surroundings(), options, &[SessionId::from("plain")])
    }
}

/// The places of a credential as `path:line#key`.
pub(crate) fn places(credential: &Credential) -> Vec<String> {
    let line = |line: Option<u64>| line.map_or_else(String::new, |line| format!(":{line}"));
    let key = |key: &Option<String>| key.as_ref().map_or_else(String::new, |key| format!("#{key}"));
    credential.locations.iter().map(|at| format!("{}{}{}", at.path, line(at.line), key(&at.key))).collect()
}

/// Every credential as `provider:kind` with its places.
pub(crate) fn inventory(collected: &Collected) -> Vec<(String, Vec<String>)> {
    let line = |found: &Credential| (format!("{}:{}", found.provider, found.kind), places(found));
    let mut all: Vec<_> = collected.credentials.items.iter().map(line).collect();
    all.sort();
    all
}

/// Letters and digits that no two callers share, so that one secret is never taken for another.
pub(crate) fn made_up(seed: u64, length: usize) -> String {
    from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", seed, length)
}

/// The same of lower-case hexadecimal digits.
pub(crate) fn hex(seed: u64, length: usize) -> String {
    from(b"0123456789abcdef", seed, length)
}

/// A UUID.
pub(crate) fn uuid(seed: u64) -> String {
    let digits = hex(seed, 32);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

fn from(alphabet: &[u8], seed: u64, length: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    (0..length).map(|_| char::from(alphabet[next() % alphabet.len()])).collect()
}

/// Makes a special file with the system's own program; `false` if that is not allowed here.
pub(crate) fn mknod(path: &Path, what: &[&str]) -> bool {
    std::process::Command::new("mknod").arg(path).args(what).output().is_ok_and(|done| done.status.success())
}
