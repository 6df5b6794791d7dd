//! Fingerprints of secrets under a key that the user holds (floor 5), so that one secret on two machines is one credential.
//!
//! Without the key nobody can tell from one what the secret is, nor try whether a guess is right (RFC 2104, FIPS 198-1).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::secret::Secret;

/// The least number of bytes of a key: whoever can guess it can try secrets against every fingerprint.
pub const SHORTEST_KEY: usize = 16;

/// The user's key.
#[derive(Clone)]
pub struct FingerprintKey(Secret);

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }
}

impl FingerprintKey {
    /// Takes the bytes of a key; nothing if there are fewer than [`SHORTEST_KEY`].
    #[must_use]
    pub fn new(key: &[u8]) -> Option<Self> {
        (key.len() >= SHORTEST_KEY).then(|| Self(Secret::new(key)))
    }

    /// The first 128 bits of HMAC-SHA256, in hexadecimal digits, over provider, kind and secret, each behind its length.
    pub(crate) fn of(&self, provider: &str, kind: &str, secret: &Secret) -> Option<String> {
        // HMAC takes a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose()).ok()?;
        for part in [b"deadstop fingerprint 1", provider.as_bytes(), kind.as_bytes(), secret.expose()] {
            mac.update(&u64::try_from(part.len()).ok()?.to_be_bytes());
            mac.update(part);
        }
        let sum = mac.finalize().into_bytes();
        Some(sum.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_one_key_one_provider_one_kind_and_one_secret() {
        let key = FingerprintKey::new(b"a key that only the user holds").unwrap();
        let of = |provider, kind, secret: &[u8]| key.of(provider, kind, &Secret::new(secret)).unwrap();
        let first = of("railway", "project_token", b"one");
        assert_eq!(first.len(), 32);
        assert_eq!(first, of("railway", "project_token", b"one"));
        for other in [
            of("railway", "project_token", b"onE"),
            of("railway", "account_token", b"one"),
            of("railwa", "yproject_token", b"one"),
            FingerprintKey::new(b"a key that another user holds")
                .unwrap()
                .of("railway", "project_token", &Secret::new(b"one"))
                .unwrap(),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn it_is_the_hmac_of_rfc_4231() {
        // Test case 2 of RFC 4231 holds the building block to the standard.
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        let sum: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sum, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_short_key_is_none() {
        assert!(FingerprintKey::new(b"fifteen bytes..").is_none());
        assert_eq!(format!("{:?}", FingerprintKey::new(&[7; 16]).unwrap()), "a key");
    }
}
