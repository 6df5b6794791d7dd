//! Signatures of minisign, of the kind that it makes today (a BLAKE2b sum, signed with Ed25519).
//! See <https://jedisct1.github.io/minisign/#signature-format>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b256, Blake2b512, Digest as _};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use std::path::Path;
use zeroize::Zeroizing;

use super::{Ask, Kind, Made, SignError, State};
use crate::manifest;

/// How the files of minisign begin.
pub(super) const UNTRUSTED: &str = "untrusted comment: ";
const TRUSTED: &str = "trusted comment: ";

/// The memory that opening a key may take: what minisign itself allows.
const MEMORY: u64 = 1 << 30;

/// A public key of minisign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    number: [u8; 8],
    key: [u8; 32],
}

impl PublicKey {
    /// Reads the file that minisign writes, or the key alone.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes = super::read(path).map_err(|error| format!("it cannot be read: {error}"))?;
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(UNTRUSTED));
        Self::parse(line.unwrap_or_default()).ok_or_else(|| "it is no public key of minisign".to_owned())
    }

    fn parse(line: &str) -> Option<Self> {
        let bytes = STANDARD.decode(line).ok()?;
        let (number, key) = bytes.strip_prefix(b"Ed")?.split_first_chunk()?;
        Some(Self { number: *number, key: key.try_into().ok()? })
    }
}

/// The number of a key, as minisign shows it.
fn shown(number: [u8; 8]) -> String {
    format!("{:016X}", u64::from_le_bytes(number))
}

/// The parts of a secret key's line.
struct SecretKey {
    kind: [u8; 2],
    derived: [u8; 2],
    sum: [u8; 2],
    salt: [u8; 32],
    operations: u64,
    memory: u64,
    /// The number, the seed, the public key and the check sum, which the passphrase covers.
    covered: Zeroizing<[u8; 104]>,
}

impl SecretKey {
    fn parse(line: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(line).ok()?);
        let (kind, rest) = bytes.split_first_chunk()?;
        let (derived, rest) = rest.split_first_chunk()?;
        let (sum, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (operations, rest) = rest.split_first_chunk()?;
        let (memory, rest) = rest.split_first_chunk()?;
        let covered = Zeroizing::new(rest.try_into().ok()?);
        let (operations, memory) = (u64::from_le_bytes(*operations), u64::from_le_bytes(*memory));
        Some(Self { kind: *kind, derived: *derived, sum: *sum, salt: *salt, operations, memory, covered })
    }

    /// Uncovers it.
    fn open(&mut self, ask: Ask<'_>) -> Result<(), SignError> {
        let covered = match &self.derived {
            b"Sc" => true,
            [0, 0] => false,
            _ => return Err(SignError::Damaged),
        };
        if covered {
            let parameters = parameters(self.operations, self.memory).ok_or(SignError::Damaged)?;
            let passphrase = ask()?;
            let mut stream = Zeroizing::new([0_u8; 104]);
            scrypt::scrypt(passphrase.as_bytes(), &self.salt, &parameters, &mut *stream)
                .map_err(|_| SignError::Damaged)?;
            self.covered.iter_mut().zip(stream.iter()).for_each(|(byte, over)| *byte ^= over);
        }
        let (key, sum) = self.covered.split_at(72);
        let own = Blake2b256::new().chain_update(self.kind).chain_update(key).finalize();
        // A key without a passphrase has no sum in minisign itself; its halves must fit all the same.
        let held = own.as_slice() == sum || (!covered && sum.iter().all(|byte| *byte == 0));
        match (held, covered) {
            (true, _) => Ok(()),
            (false, true) => Err(SignError::Passphrase),
            (false, false) => Err(SignError::Damaged),
        }
    }
}

/// What scrypt is to spend, from the limits that libsodium keeps: `crypto_pwhash_scryptsalsa208sha256`.
fn parameters(operations: u64, memory: u64) -> Option<scrypt::Params> {
    let operations = operations.max(32_768);
    let log = |most: u64| (1..63).find(|log| 1_u64 << log > most / 2);
    let (log_n, p) = if operations < memory / 32 {
        (log(operations / 32)?, 1)
    } else {
        let log_n = log(memory / 1024)?;
        (log_n, (operations / 4 / (1 << log_n)).min(0x3fff_ffff) / 8)
    };
    let taken = 1024_u64.checked_mul(1 << log_n)?;
    if taken > MEMORY || p > 64 {
        return None;
    }
    scrypt::Params::new(log_n, 8, u32::try_from(p).ok()?, 32).ok()
}

/// Signs with a secret key of minisign.
pub(super) fn sign(manifest: &[u8], text: &str, ask: Ask<'_>) -> Result<Made, SignError> {
    let mut secret = text.lines().nth(1).and_then(SecretKey::parse).ok_or(SignError::Damaged)?;
    if secret.kind != *b"Ed" || secret.sum != *b"B2" {
        return Err(SignError::Damaged);
    }
    secret.open(ask)?;
    let parts = secret.covered.split_first_chunk::<8>();
    let (number, (seed, public)) =
        parts.and_then(|(number, rest)| Some((number, rest.get(..64)?.split_at(32)))).ok_or(SignError::Damaged)?;
    let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).map_err(|_| SignError::Damaged)?;
    let signature = pair.sign(&Blake2b512::digest(manifest));
    let comment = format!("file:{}\thashed", manifest::NAME);
    let global = pair.sign(&[signature.as_ref(), comment.as_bytes()].concat());
    let line = STANDARD.encode([b"ED", number.as_slice(), signature.as_ref()].concat());
    let text = format!(
        "{UNTRUSTED}signature of a manifest of deadstop\n{line}\n{TRUSTED}{comment}\n{}\n",
        STANDARD.encode(global.as_ref())
    );
    Ok(Made { kind: Kind::Minisign, text, key: shown(*number) })
}

/// Checks a signature, as far as that is possible without a key.
pub(super) fn verify(text: &str, manifest: &[u8], trust: Option<&PublicKey>) -> Result<State, &'static str> {
    let unlike = "it is no signature of minisign, or was altered";
    let text = text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or(&text).split('\n').collect();
    let [untrusted, line, trusted, global] = lines.as_slice() else { return Err(unlike) };
    let comment = trusted.strip_prefix(TRUSTED).filter(|_| untrusted.starts_with(UNTRUSTED)).ok_or(unlike)?;
    let bytes = STANDARD.decode(line).map_err(|_| unlike)?;
    let global = STANDARD.decode(global).map_err(|_| unlike)?;
    let (kind, rest) = bytes.split_first_chunk::<2>().ok_or(unlike)?;
    let (number, signature) = rest.split_first_chunk::<8>().ok_or(unlike)?;
    if kind == b"Ed" {
        return Err("it is of the older kind that is not made of a sum; sign again with a minisign of today");
    }
    if kind != b"ED" || signature.len() != 64 || global.len() != 64 {
        return Err(unlike);
    }
    let Some(trust) = trust else { return Ok(State::Unchecked { key: shown(*number) }) };
    if *number != trust.number {
        return Err("it was made with another key than that of --public-key");
    }
    let key = UnparsedPublicKey::new(&ED25519, trust.key);
    key.verify(&Blake2b512::digest(manifest), signature)
        .and_then(|()| key.verify(&[signature, comment.as_bytes()].concat(), &global))
        .map_err(|_| "it is not a signature of this manifest by the key of --public-key")?;
    Ok(State::Good { by: "the key of --public-key".to_owned(), key: shown(*number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scrypt_spends_is_what_minisign_asked_for() {
        // The limits of minisign itself, and those of its port to Rust: N = 2^20 and 2^15.
        for (operations, memory, log_n) in [(33_554_432, 1_073_741_824, 20), (1_048_576, 33_554_432, 15)] {
            assert_eq!(parameters(operations, memory).map(|one| one.log_n()), Some(log_n));
        }
        assert!(parameters(u64::MAX, u64::MAX).is_none());
        assert!(parameters(1 << 40, 1 << 20).is_none());
    }
}
