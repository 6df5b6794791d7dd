//! Signatures of keys that `ssh-keygen` and minisign made, and everything that is not one.

use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b256, Digest as _};
use tempfile::TempDir;

use super::*;

const MANIFEST: &[u8] = b"{\n  \"schema\": \"deadstop.manifest/1\"\n}\n";

/// A folder with a key in it that `ssh-keygen` made.
fn key(kind: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-N", "", "-C", "", "-t"]).args(kind).arg("-f").arg(path).stdin(Stdio::null());
    assert!(command.status().unwrap().success(), "{kind:?}");
    folder
}

fn no_passphrase() -> Result<Zeroizing<String>, SignError> {
    panic!("the key has no passphrase")
}

fn signed(folder: &TempDir) -> (Made, Trust) {
    let path = folder.path().join("key");
    let made = sign(MANIFEST, &path, &no_passphrase, None).unwrap();
    let public = fs::read_to_string(path.with_extension("pub")).unwrap();
    let allowed = Allowed::parse(&format!("anna {public}")).unwrap();
    let at = "2026-12-01T00:00:00Z".parse().unwrap();
    (made, Trust { ssh: Some((allowed, "anna".to_owned(), at)), minisign: None })
}

fn state(text: &[u8], manifest: &[u8], trust: &Trust) -> State {
    checked(Kind::Ssh, text, manifest, trust)
}

/// Each bit, and what makes of the end of a line the other one.
fn changes() -> impl Iterator<Item = u8> {
    (0..8).map(|bit| 1 << bit).chain([b'\n' ^ b'\r'])
}

#[test]
fn no_byte_of_signature_or_manifest_may_differ() {
    for kind in [&["ed25519"][..], &["ecdsa", "-b", "256"], &["ecdsa", "-b", "384"], &["rsa", "-b", "2048"]] {
        let folder = key(kind);
        let (made, trust) = signed(&folder);
        let open = Trust::default();
        let good = state(made.text.as_bytes(), MANIFEST, &trust);
        assert_eq!(good, State::Good { by: "anna".to_owned(), key: made.key.clone() }, "{kind:?}");
        assert_eq!(state(made.text.as_bytes(), MANIFEST, &open), State::Unchecked { key: made.key.clone() });
        for at in 0..made.text.len() {
            for by in changes() {
                let mut text = made.text.clone().into_bytes();
                text[at] ^= by;
                let state = state(&text, MANIFEST, &open);
                assert!(matches!(state, State::Bad(_)), "{kind:?} {at} {by}: {state:?}");
            }
        }
        for at in 0..MANIFEST.len() {
            let mut manifest = MANIFEST.to_vec();
            manifest[at] ^= 1;
            assert!(matches!(state(made.text.as_bytes(), &manifest, &open), State::Bad(_)), "{kind:?} {at}");
        }
        for longer in [[made.text.as_bytes(), b"\n"].concat(), [b"\n", made.text.as_bytes()].concat()] {
            assert!(matches!(state(&longer, MANIFEST, &trust), State::Bad(_)));
        }
    }
}

#[test]
fn an_armour_may_be_wrapped_at_any_width() {
    let folder = key(&["ed25519"]);
    let (made, trust) = signed(&folder);
    let lines: Vec<&str> = made.text.lines().collect();
    let letters: String = lines[1..lines.len() - 1].concat();
    for width in [1, 64, 76, 1_000] {
        let inner: Vec<String> =
            letters.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        let text = format!("{}\r\n{}\r\n{}", lines[0], inner.join("\r\n"), lines[lines.len() - 1]);
        assert!(matches!(state(text.as_bytes(), MANIFEST, &trust), State::Good { .. }), "{width}");
    }
}

#[test]
fn a_signature_of_another_purpose_or_of_another_key_is_none() {
    let (folder, other) = (key(&["ed25519"]), key(&["ed25519"]));
    let (_, trust) = signed(&folder);
    let elsewhere = |namespace: &str, key: &TempDir, hash: &str| {
        let manifest = key.path().join("manifest");
        fs::write(&manifest, MANIFEST).unwrap();
        let _ = fs::remove_file(manifest.with_extension("sig"));
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-Y", "sign", "-n", namespace, "-O", hash, "-f"]).arg(key.path().join("key"));
        assert!(command.arg(&manifest).stderr(Stdio::null()).status().unwrap().success());
        fs::read(manifest.with_extension("sig")).unwrap()
    };
    for hash in ["hashalg=sha256", "hashalg=sha512"] {
        assert!(matches!(state(&elsewhere(NAMESPACE, &folder, hash), MANIFEST, &trust), State::Good { .. }), "{hash}");
    }
    for namespace in ["file", "git", "deadstop-manifest2", "deadstop"] {
        let State::Bad(why) = state(&elsewhere(namespace, &folder, "hashalg=sha512"), MANIFEST, &trust) else {
            panic!("{namespace}")
        };
        assert!(why.contains("namespace"), "{why}");
    }
    let State::Bad(why) = state(&elsewhere(NAMESPACE, &other, "hashalg=sha512"), MANIFEST, &trust) else { panic!() };
    assert!(why.contains("not that of the signer"), "{why}");
}

#[test]
fn what_is_no_key_signs_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    let begin = "-----BEGIN OPENSSH PRIVATE KEY-----";
    let secret = "b3BlbnNzaC1rZXktdjEA";
    for text in [
        String::new(),
        secret.to_owned(),
        format!("{begin}\n{secret}\n-----END OPENSSH PRIVATE KEY-----\n"),
        begin.to_owned(),
        format!("-----BEGIN RSA PRIVATE KEY-----\n{secret}\n"),
        format!("untrusted comment: x\n{secret}\n"),
        "untrusted comment: x".to_owned(),
        "ssh-ed25519 AAAA".to_owned(),
        "x".repeat(70_000),
    ] {
        fs::write(&path, &text).unwrap();
        let error = sign(MANIFEST, &path, &no_passphrase, None).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
    assert!(matches!(sign(MANIFEST, folder.path(), &no_passphrase, None), Err(SignError::Unreadable(_))));
}

/// A pair of keys of minisign, which the program makes where it is there.
fn minisign() -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new("minisign");
    command.args(["-G", "-W", "-f", "-s", "key", "-p", "key.pub"]).current_dir(folder.path());
    assert!(command.stdout(Stdio::null()).status().unwrap().success());
    folder
}

#[test]
fn no_byte_that_minisign_signs_may_differ() {
    let folder = minisign();
    let made = sign(MANIFEST, &folder.path().join("key"), &no_passphrase, None).unwrap();
    let trust = Trust { ssh: None, minisign: Some(PublicKey::read(&folder.path().join("key.pub")).unwrap()) };
    let state = |text: &[u8], manifest: &[u8]| checked(Kind::Minisign, text, manifest, &trust);
    assert!(matches!(state(made.text.as_bytes(), MANIFEST), State::Good { .. }));
    let unchecked = checked(Kind::Minisign, made.text.as_bytes(), MANIFEST, &Trust::default());
    assert_eq!(unchecked, State::Unchecked { key: made.key.clone() });
    // The first line is said to be untrusted, and may read as it likes.
    let comment = minisign::UNTRUSTED.len()..made.text.find('\n').unwrap();
    for at in (0..made.text.len()).filter(|at| !comment.contains(at)) {
        for by in changes() {
            let mut text = made.text.clone().into_bytes();
            text[at] ^= by;
            assert!(matches!(state(&text, MANIFEST), State::Bad(_)), "{at} {by}");
        }
    }
    for at in 0..MANIFEST.len() {
        let mut manifest = MANIFEST.to_vec();
        manifest[at] ^= 1;
        assert!(matches!(state(made.text.as_bytes(), &manifest), State::Bad(_)), "{at}");
    }
    let other = PublicKey::read(&minisign().path().join("key.pub")).unwrap();
    let other = Trust { ssh: None, minisign: Some(other) };
    assert!(matches!(checked(Kind::Minisign, made.text.as_bytes(), MANIFEST, &other), State::Bad(_)));
}

#[test]
fn a_key_of_minisign_opens_with_its_passphrase_alone() {
    let folder = minisign();
    let path = folder.path().join("key");
    let text = fs::read_to_string(&path).unwrap();
    let bytes = STANDARD.decode(text.lines().nth(1).unwrap()).unwrap();
    // The same key as the program keeps it under a passphrase, with less work than it would ask for.
    let (head, covered) = bytes.split_at(54);
    let mut key = [&head[..2], b"ScB2", &[7; 32], &32_768_u64.to_le_bytes(), &(16_u64 << 20).to_le_bytes()].concat();
    let sum = Blake2b256::new().chain_update(b"Ed").chain_update(&covered[..72]).finalize();
    let mut stream = [0; 104];
    scrypt::scrypt(b"word", &[7; 32], &scrypt::Params::new(10, 8, 1, 32).unwrap(), &mut stream).unwrap();
    key.extend(covered[..72].iter().chain(&sum).zip(&stream).map(|(byte, over)| byte ^ over));
    fs::write(&path, format!("untrusted comment: x\n{}\n", STANDARD.encode(key))).unwrap();
    let open = |word: &str| sign(MANIFEST, &path, &|| Ok(Zeroizing::new(word.to_owned())), None);
    let trust = Trust { ssh: None, minisign: Some(PublicKey::read(&folder.path().join("key.pub")).unwrap()) };
    let text = open("word").unwrap().text;
    assert!(matches!(checked(Kind::Minisign, text.as_bytes(), MANIFEST, &trust), State::Good { .. }));
    assert!(matches!(open("Word"), Err(SignError::Passphrase)));
    let unasked = || Err(SignError::NotAsked("nobody is there".to_owned()));
    assert!(matches!(sign(MANIFEST, &path, &unasked, None), Err(SignError::NotAsked(_))));
}
