//! Private keys in their text forms (floor 5): which program's they are, and whether a passphrase guards them.
//!
//! <https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key>, RFC 1421 (`Proc-Type`), RFC 7468
//! (`ENCRYPTED PRIVATE KEY`).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::scan::Raw;

/// What OpenSSH's own form begins with.
const MAGIC: &[u8] = b"openssh-key-v1\0";
/// What is said of a key that a passphrase guards.
pub(crate) const LOCKED: &str = "present, and needs a passphrase that was not found here";

/// Tells an encrypted key from one that works as it is, and OpenSSH's public id of it.
pub(crate) fn describe(raw: &mut Raw, block: &[u8]) {
    // What follows the key is no part of it: another may, and that one encrypted.
    let text = String::from_utf8_lossy(block).replace("\\n", "\n");
    let text = text.split("-----END").next().unwrap_or_default();
    let openssh = text.contains("BEGIN OPENSSH PRIVATE KEY").then(|| openssh(text)).flatten();
    let mut locked = text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED");
    if text.contains("BEGIN OPENSSH PRIVATE KEY") {
        "ssh".clone_into(&mut raw.provider);
    }
    let mut fingerprint = None;
    if let Some((cipher, public)) = openssh {
        locked |= cipher != b"none";
        fingerprint = Some(format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(public))));
    }
    if locked {
        // A copy of the same key that is open must not be taken for this one, so that this has no public id.
        "encrypted_private_key".clone_into(&mut raw.kind);
        raw.scope = Some(fingerprint.map_or_else(|| LOCKED.to_owned(), |id| format!("{id}; {LOCKED}")));
    } else {
        raw.public_id = fingerprint;
    }
}

/// The cipher and the public half of a key in OpenSSH's form.
fn openssh(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let body = text.split_once("PRIVATE KEY-----")?.1.split("-----END").next()?;
    let digits: String = body.chars().filter(|c| !c.is_whitespace() && *c != '\\').collect();
    // A long key goes on beyond what is looked at; its head is enough.
    let whole = digits.len() - digits.len() % 4;
    let bytes = STANDARD.decode(digits.get(..whole)?).ok()?;
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let cipher = string(&mut rest)?.to_vec();
    string(&mut rest)?;
    string(&mut rest)?;
    // The number of keys, which is one.
    rest = rest.get(4..)?;
    Some((cipher, string(&mut rest)?.to_vec()))
}

/// A length of four bytes and so many bytes.
fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (text, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = after;
    Some(text)
}
