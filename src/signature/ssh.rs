//! Signatures of SSH keys, as `ssh-keygen -Y sign` makes them: the key and the signature are OpenSSH's, the arithmetic is
//! ring's. See PROTOCOL.sshsig of OpenSSH.

use std::path::Path;

use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature as crypto;
use ssh_key::private::{EcdsaKeypair, Ed25519Keypair, RsaKeypair};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, LineEnding, Mpint, PrivateKey, PublicKey, Signature, SshSig};
use zeroize::Zeroizing;

use super::{Allowed, Ask, Kind, Made, NAMESPACE, SignError, State, agent};
use deadstop_core::time::Time;

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";

/// Signs with a private key of OpenSSH's own form.
pub(super) fn sign(manifest: &[u8], key: &str, ask: Ask<'_>) -> Result<Made, SignError> {
    let mut key = PrivateKey::from_openssh(key).map_err(|_| SignError::Damaged)?;
    if key.is_encrypted() {
        key = key.decrypt(ask()?.as_bytes()).map_err(|_| SignError::Passphrase)?;
    }
    let data = signed(manifest, HashAlg::Sha512)?;
    let pair = key.key_data();
    let signature = match (pair.ed25519(), pair.ecdsa(), pair.rsa()) {
        (Some(pair), ..) => ed25519(pair, &data),
        (_, Some(pair), _) => ecdsa(pair, &data),
        (.., Some(pair)) => rsa(pair, &data),
        _ => Err(SignError::Unsupported(
            "keys of this kind do not sign from a file; name the public key and let its agent sign",
        )),
    }?;
    made(key.public_key().key_data(), signature, &data)
}

/// Has an agent sign with the key whose public half `text` is.
pub(super) fn by_agent(manifest: &[u8], text: &str, socket: Option<&Path>) -> Result<Made, SignError> {
    let key = PublicKey::from_openssh(text).map_err(|_| SignError::Unknown)?;
    let key = key.key_data();
    let data = signed(manifest, HashAlg::Sha512)?;
    let blob = bytes(key)?;
    let answer = agent::sign(socket, &blob, &data, key.is_rsa())?;
    let signature = Signature::try_from(answer.as_slice()).map_err(|_| SignError::Damaged)?;
    made(key, signature, &data)
}

fn signed(manifest: &[u8], hash: HashAlg) -> Result<Vec<u8>, SignError> {
    SshSig::signed_data(NAMESPACE, hash, manifest).map_err(|_| SignError::Damaged)
}

fn bytes(key: &KeyData) -> Result<Vec<u8>, SignError> {
    PublicKey::from(key.clone()).to_bytes().map_err(|_| SignError::Damaged)
}

/// The file of a signature, which is checked before it is written.
fn made(key: &KeyData, signature: Signature, data: &[u8]) -> Result<Made, SignError> {
    holds(key, &signature, data).map_err(SignError::Unsupported)?;
    let all = SshSig::new(key.clone(), NAMESPACE, HashAlg::Sha512, signature).map_err(|_| SignError::Damaged)?;
    let mut text = all.to_pem(LineEnding::LF).map_err(|_| SignError::Damaged)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(Made { kind: Kind::Ssh, text, key: key.fingerprint(HashAlg::Sha256).to_string() })
}

fn ed25519(pair: &Ed25519Keypair, data: &[u8]) -> Result<Signature, SignError> {
    let seed = Zeroizing::new(pair.private.to_bytes());
    let pair = crypto::Ed25519KeyPair::from_seed_and_public_key(&*seed, pair.public.as_ref())
        .map_err(|_| SignError::Damaged)?;
    Signature::new(Algorithm::Ed25519, pair.sign(data).as_ref()).map_err(|_| SignError::Damaged)
}

fn ecdsa(pair: &EcdsaKeypair, data: &[u8]) -> Result<Signature, SignError> {
    let curve = pair.curve();
    let algorithm = match curve {
        EcdsaCurve::NistP256 => &crypto::ECDSA_P256_SHA256_FIXED_SIGNING,
        EcdsaCurve::NistP384 => &crypto::ECDSA_P384_SHA384_FIXED_SIGNING,
        EcdsaCurve::NistP521 => {
            return Err(SignError::Unsupported(
                "keys on the curve P-521 are not used; take ed25519, P-256, P-384 or RSA",
            ));
        }
    };
    let random = SystemRandom::new();
    let (private, public) = (pair.private_key_bytes(), pair.public_key_bytes());
    let pair = crypto::EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, public, &random)
        .map_err(|_| SignError::Damaged)?;
    let fixed = pair.sign(&random, data).map_err(|_| SignError::Damaged)?;
    let (r, s) = fixed.as_ref().split_at(fixed.as_ref().len() / 2);
    let mut data = Vec::new();
    for part in [r, s] {
        let number = Mpint::from_positive_bytes(part).map_err(|_| SignError::Damaged)?;
        let length = u32::try_from(number.as_bytes().len()).map_err(|_| SignError::Damaged)?;
        data.extend(length.to_be_bytes());
        data.extend(number.as_bytes());
    }
    Signature::new(Algorithm::Ecdsa { curve }, data).map_err(|_| SignError::Damaged)
}

fn rsa(pair: &RsaKeypair, data: &[u8]) -> Result<Signature, SignError> {
    let positive = |number: &Mpint| number.as_positive_bytes().map(|bytes| Zeroizing::new(bytes.to_vec()));
    let numbers =
        [&pair.public.n, &pair.public.e, &pair.private.d, &pair.private.p, &pair.private.q, &pair.private.iqmp];
    let [Some(n), Some(e), Some(d), Some(p), Some(q), Some(inverse)] = numbers.map(positive) else {
        return Err(SignError::Damaged);
    };
    let (dp, dq) = (below(&d, &p), below(&d, &q));
    let parts = KeyPairComponents {
        public_key: PublicKeyComponents { n: &n[..], e: &e[..] },
        d: &d[..],
        p: &p[..],
        q: &q[..],
        dP: &dp[..],
        dQ: &dq[..],
        qInv: &inverse[..],
    };
    let pair = crypto::RsaKeyPair::from_components(&parts).map_err(|_| {
        SignError::Unsupported("this RSA key is not used: it takes 2048 to 4096 bits and a usual exponent (65537)")
    })?;
    let mut out = vec![0; pair.public().modulus_len()];
    pair.sign(&crypto::RSA_PKCS1_SHA512, &SystemRandom::new(), data, &mut out).map_err(|_| SignError::Damaged)?;
    Signature::new(Algorithm::Rsa { hash: Some(HashAlg::Sha512) }, out).map_err(|_| SignError::Damaged)
}

/// `number mod (prime - 1)`, which OpenSSH's form of a key leaves out: long division, a bit at a time, with the same steps
/// whatever the bits are.
fn below(number: &[u8], prime: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut divisor = Zeroizing::new(vec![0]);
    divisor.extend_from_slice(prime);
    if let Some(last) = divisor.last_mut() {
        *last &= !1;
    }
    let mut rest = Zeroizing::new(vec![0_u8; divisor.len()]);
    let mut less = Zeroizing::new(vec![0_u8; divisor.len()]);
    for byte in number {
        for bit in (0..8).rev() {
            let mut carry = (byte >> bit) & 1;
            for place in rest.iter_mut().rev() {
                let next = *place >> 7;
                *place = *place << 1 | carry;
                carry = next;
            }
            let mut borrow = 0_u16;
            for ((difference, place), one) in less.iter_mut().zip(rest.iter()).zip(divisor.iter()).rev() {
                let wide = 0x100 + u16::from(*place) - u16::from(*one) - borrow;
                borrow = 1 - (wide >> 8);
                *difference = wide.to_be_bytes()[1];
            }
            let keep = (borrow as u8).wrapping_neg();
            for (place, difference) in rest.iter_mut().zip(less.iter()) {
                *place = *place & keep | *difference & !keep;
            }
        }
    }
    let zeros = rest.iter().take_while(|byte| **byte == 0).count();
    Zeroizing::new(rest.get(zeros..).unwrap_or_default().to_vec())
}

/// What is not so, if a signature is not that of a key over these bytes.
fn holds(key: &KeyData, signature: &Signature, data: &[u8]) -> Result<(), &'static str> {
    let unknown = "it was made with a kind of key that is not checked here; `ssh-keygen -Y verify` checks more kinds";
    let broken = "it is not a signature of this manifest by its key";
    let bytes = signature.as_bytes();
    let verified = match (key.ed25519(), key.ecdsa(), key.rsa(), signature.algorithm()) {
        (Some(key), _, _, Algorithm::Ed25519) => {
            crypto::UnparsedPublicKey::new(&crypto::ED25519, key.as_ref()).verify(data, bytes)
        }
        (_, Some(key), _, Algorithm::Ecdsa { curve }) if curve == key.curve() => {
            let (algorithm, size): (&dyn crypto::VerificationAlgorithm, usize) = match curve {
                EcdsaCurve::NistP256 => (&crypto::ECDSA_P256_SHA256_FIXED, 32),
                EcdsaCurve::NistP384 => (&crypto::ECDSA_P384_SHA384_FIXED, 48),
                EcdsaCurve::NistP521 => return Err(unknown),
            };
            let fixed = fixed(bytes, size).ok_or(broken)?;
            crypto::UnparsedPublicKey::new(algorithm, key.as_sec1_bytes()).verify(data, &fixed)
        }
        (_, _, Some(key), Algorithm::Rsa { hash: Some(hash) }) => {
            let algorithm = match hash {
                HashAlg::Sha256 => &crypto::RSA_PKCS1_2048_8192_SHA256,
                HashAlg::Sha512 => &crypto::RSA_PKCS1_2048_8192_SHA512,
                _ => return Err(unknown),
            };
            let (n, e) = (key.n.as_positive_bytes().ok_or(broken)?, key.e.as_positive_bytes().ok_or(broken)?);
            crypto::RsaPublicKeyComponents { n, e }.verify(algorithm, data, bytes)
        }
        _ => return Err(unknown),
    };
    verified.map_err(|_| broken)
}

/// The two numbers of an ECDSA signature, each at its full width.
fn fixed(bytes: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let mut out = Vec::with_capacity(2 * size);
    for _ in 0..2 {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (number, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let number = Mpint::from_bytes(number).ok()?;
        let number = number.as_positive_bytes()?;
        out.resize(out.len() + size.checked_sub(number.len())?, 0);
        out.extend_from_slice(number);
        rest = after;
    }
    rest.is_empty().then_some(out)
}

/// Checks a signature: that it holds for the key that it names, and where it is said who may sign, that this key is theirs.
pub(super) fn verify(
    text: &str,
    manifest: &[u8],
    trust: Option<&(Allowed, String, Time)>,
) -> Result<State, &'static str> {
    let unlike = "it is no SSH signature, or was altered";
    let all = parsed(text).ok_or(unlike)?;
    if all.namespace() != NAMESPACE {
        return Err("it was made for another purpose than manifests of Deadstop (another namespace)");
    }
    let data = SshSig::signed_data(NAMESPACE, all.hash_alg(), manifest).map_err(|_| unlike)?;
    holds(all.public_key(), all.signature(), &data)?;
    let key = all.public_key().fingerprint(HashAlg::Sha256).to_string();
    let Some((allowed, by, at)) = trust else { return Ok(State::Unchecked { key }) };
    let blob = bytes(all.public_key()).map_err(|_| unlike)?;
    allowed.permit(&blob, by, NAMESPACE, *at)?;
    Ok(State::Good { by: by.clone(), key })
}

/// A signature in its armour, which may be wrapped at any width. Anything else that stands there, or that is not written as
/// it would be, makes it none.
fn parsed(text: &str) -> Option<SshSig> {
    let text = text.replace("\r\n", "\n");
    let inner = text.strip_prefix(BEGIN)?.strip_prefix('\n')?;
    let inner = inner.strip_suffix('\n').unwrap_or(inner).strip_suffix(END)?;
    let letters: String = inner.split('\n').collect();
    let wrapped: Vec<&str> = chunks(&letters, 70)?;
    let all = SshSig::from_pem(format!("{BEGIN}\n{}\n{END}\n", wrapped.join("\n"))).ok()?;
    let again: String = all.to_pem(LineEnding::LF).ok()?.lines().filter(|line| !line.starts_with("-----")).collect();
    (all.version() == SshSig::VERSION && all.reserved().is_empty() && again == letters).then_some(all)
}

fn chunks(letters: &str, width: usize) -> Option<Vec<&str>> {
    letters.as_bytes().chunks(width).map(|chunk| std::str::from_utf8(chunk).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remainder_is_that_of_a_division() {
        for (number, prime) in
            [(0_u64, 3_u64), (17, 3), (255, 257), (65_537, 251), (u64::MAX, 4_294_967_291), (5, 1_000_003)]
        {
            let rest = below(&number.to_be_bytes(), &prime.to_be_bytes());
            let wanted: Vec<u8> =
                (number % (prime - 1)).to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            assert_eq!(*rest, wanted, "{number} mod {prime} - 1");
        }
    }

    #[test]
    fn numbers_of_a_signature_are_widened_and_no_more() {
        assert_eq!(fixed(&[0, 0, 0, 1, 7, 0, 0, 0, 2, 0, 200], 2), Some(vec![0, 7, 0, 200]));
        for wrong in [&[][..], &[0, 0, 0, 1, 7], &[0, 0, 0, 1, 7, 0, 0, 0, 1, 7, 0], &[0, 0, 0, 1, 200, 0, 0, 0, 1, 7]]
        {
            assert_eq!(fixed(wrong, 2), None, "{wrong:?}");
        }
    }
}
