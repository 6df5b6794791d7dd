//! Signatures of a report's manifest (floor 4), made and checked with keys that the user has already: SSH keys, as
//! `ssh-keygen -Y` does, and keys of minisign. Each stands in a file beside the manifest, which the tools of that kind check
//! as well. A secret key is read, used and wiped; nothing here writes or shows one.

mod agent;
mod allowed;
mod minisign;
mod ssh;

use std::fs;
use std::io::Read as _;
use std::path::Path;

use deadstop_core::time::Time;
use zeroize::Zeroizing;

use crate::manifest;

pub use allowed::{Allowed, AllowedError};
pub use minisign::PublicKey;

/// What an SSH signature is made for, so that one made for something else does not pass for it.
pub const NAMESPACE: &str = "deadstop-manifest";

/// The largest key or signature that is read.
const LARGEST: u64 = 64 << 10;

/// A kind of signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// That of `ssh-keygen -Y sign`.
    Ssh,
    /// That of minisign.
    Minisign,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Ssh, Self::Minisign];

    /// The file it stands in.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Ssh => manifest::SIGNATURES[0],
            Self::Minisign => manifest::SIGNATURES[1],
        }
    }
}

/// A signature that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its kind.
    pub kind: Kind,
    /// The text of its file.
    pub text: String,
    /// The key that it was made with, by its public fingerprint or number.
    pub key: String,
}

/// A signature that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The key cannot be read.
    #[error("the key cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// It is no key that is known.
    #[error(
        "it is no secret key of OpenSSH or minisign, and no public key of an agent; `ssh-keygen -p -f FILE` rewrites one of an older form"
    )]
    Unknown,
    /// It is one and does not hold together.
    #[error("the key is damaged, or of a kind or form that is not known")]
    Damaged,
    /// A kind of key that signs nothing here.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The passphrase is not its own.
    #[error("the passphrase does not open the key")]
    Passphrase,
    /// There was no way to ask for it.
    #[error("the key has a passphrase, and {0}; --passphrase-env names a variable that holds it")]
    NotAsked(String),
    /// The agent did not sign.
    #[error("{0}")]
    Agent(String),
}

/// A way to ask for a passphrase.
pub type Ask<'a> = &'a dyn Fn() -> Result<Zeroizing<String>, SignError>;

/// Signs a manifest with the key in a file. `ask` is called if the key has a passphrase, and `agent` is the socket of the
/// agent that is asked where the file holds a public key alone.
///
/// # Errors
/// If the key cannot be used.
pub fn sign(manifest: &[u8], key: &Path, ask: Ask<'_>, agent: Option<&Path>) -> Result<Made, SignError> {
    let text = read(key).map_err(SignError::Unreadable)?;
    let text = Zeroizing::new(String::from_utf8(text.to_vec()).map_err(|_| SignError::Unknown)?);
    match text.lines().next().unwrap_or_default() {
        "-----BEGIN OPENSSH PRIVATE KEY-----" => ssh::sign(manifest, &text, ask),
        first if first.starts_with(minisign::UNTRUSTED) => minisign::sign(manifest, &text, ask),
        _ => ssh::by_agent(manifest, text.trim(), agent),
    }
}

/// A small file, wiped when dropped.
fn read(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(LARGEST as usize + 1));
    fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(std::io::Error::other(format!("it is larger than {} KiB", LARGEST >> 10)));
    }
    Ok(text)
}

/// Whose signatures are taken.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Those of SSH keys: who may sign, who is meant to have signed, and the moment at which that is judged.
    pub ssh: Option<(Allowed, String, Time)>,
    /// Those of minisign: the key.
    pub minisign: Option<PublicKey>,
}

/// What became of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is of the manifest, and of whom it should be: who, and with which key.
    Good {
        /// Who signed, as the user named them.
        by: String,
        /// The key.
        key: String,
    },
    /// It was not checked whose it is, as nobody said who may sign: the key that it says it was made with.
    Unchecked {
        /// The key.
        key: String,
    },
    /// It is not what it should be.
    Bad(String),
    /// It should be there and is not.
    Missing,
}

/// Checks the signatures in a folder against the bytes of its manifest. What is not there and not asked for is left out.
#[must_use]
pub fn verify(folder: &Path, manifest: &[u8], trust: &Trust) -> Vec<(Kind, State)> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        let asked = match kind {
            Kind::Ssh => trust.ssh.is_some(),
            Kind::Minisign => trust.minisign.is_some(),
        };
        let path = folder.join(kind.file());
        let state = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !asked => continue,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::Missing,
            Ok(meta) if !meta.is_file() => State::Bad("it is no plain file".to_owned()),
            Ok(_) | Err(_) => match read(&path) {
                Err(error) => State::Bad(format!("it cannot be read: {error}")),
                Ok(bytes) => checked(kind, &bytes, manifest, trust),
            },
        };
        found.push((kind, state));
    }
    found
}

/// Checks the bytes of a signature's file.
#[must_use]
pub fn checked(kind: Kind, bytes: &[u8], manifest: &[u8], trust: &Trust) -> State {
    let Ok(text) = std::str::from_utf8(bytes) else { return State::Bad("it is no text".to_owned()) };
    let state = match kind {
        Kind::Ssh => ssh::verify(text, manifest, trust.ssh.as_ref()),
        Kind::Minisign => minisign::verify(text, manifest, trust.minisign.as_ref()),
    };
    state.unwrap_or_else(|why| State::Bad(why.to_owned()))
}

#[cfg(test)]
mod tests;
