//! Stores that are no text, and keys that a passphrase guards.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deadstop_core::fact::{Fact, GapReason, Listed};
use deadstop_core::model::{Credential, Status};

use crate::support::{Fake, inventory, made_up, mknod};

/// Written by `SQLite` 3.40 with pages of 512 bytes, so that the rows overflow; the tables are those that
/// `core/credentials/creds.py` of the Google Cloud SDK makes.
const LOGINS: &[u8] = include_bytes!("fixtures/gcloud-credentials.db");
const TOKENS: &[u8] = include_bytes!("fixtures/gcloud-access-tokens.db");

fn one<'a>(found: &'a [Credential], kind: &str) -> &'a Credential {
    found.iter().find(|one| one.kind == kind).unwrap()
}

#[test]
fn the_databases_of_gcloud_are_read() {
    let fake = Fake::new();
    fake.write("~/.config/gcloud/credentials.db", LOGINS);
    fake.write("~/.config/gcloud/access_tokens.db", TOKENS);
    let found = fake.collect();
    let all = &found.credentials.items;
    assert_eq!(all.len(), 3, "{:#?}", inventory(&found));
    let user = one(all, "authorized_user");
    assert_eq!(user.status, Fact::Known(Status::Live));
    assert_eq!(user.locations[0].path, "~/.config/gcloud/credentials.db");
    assert_eq!(user.locations[0].key.as_deref(), Some("credentials.anna@example.test.refresh_token"));
    let key = one(all, "service_account_key");
    assert_eq!(key.identity.known().unwrap().as_str(), "google:serviceAccount:ci@acme-prod.iam.gserviceaccount.com");
    let token = one(all, "access_token");
    assert_eq!(serde_json::to_value(token.expires).unwrap(), "2026-11-24T05:00:00Z");
    assert_eq!(token.scope.as_deref(), Some("account anna@example.test"));
    assert_eq!(found.reach, Fact::Known(Listed::Complete));
    let told = format!("{}{found:?}", serde_json::to_string(&found).unwrap());
    for mark in ["1//0", "ya29."] {
        assert!(!told.contains(mark), "{mark}");
    }
}

#[test]
fn a_database_that_is_none_is_a_gap() {
    let cut = LOGINS[..700].to_vec();
    let mut wrong = LOGINS.to_vec();
    for (at, byte) in wrong.iter_mut().enumerate().skip(100) {
        *byte = u8::try_from(at * 31 % 251).unwrap();
    }
    // Every page a leaf whose cells lead everywhere, and overflow to themselves.
    let mut circle = LOGINS.to_vec();
    for page in circle.chunks_exact_mut(512).skip(1) {
        page[0] = 0x0d;
        page[3..5].copy_from_slice(&[0, 200]);
        page[8..].fill(0x81);
    }
    for bytes in [cut, wrong, circle, b"SQLite format 3\0".to_vec(), vec![0; 5_000]] {
        let fake = Fake::new();
        fake.write("~/.config/gcloud/credentials.db", &bytes);
        assert_eq!(fake.collect().reach.gap().unwrap().reason, GapReason::Malformed);
    }
}

/// A key in OpenSSH's form: <https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key>.
fn openssh(cipher: &str, seed: u64) -> String {
    let mut bytes = b"openssh-key-v1\0".to_vec();
    let public = [&7_u32.to_be_bytes()[..], b"ssh-rsa", &[9; 32]].concat();
    for part in [cipher.as_bytes(), b"bcrypt", b"salt"] {
        bytes.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(&1_u32.to_be_bytes());
    for part in [public.as_slice(), made_up(seed, 200).as_bytes()] {
        bytes.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(part);
    }
    let body = STANDARD.encode(bytes);
    let lines: Vec<&str> = body.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let word = ["PRIVATE", "KEY"].join(" ");
    format!("-----BEGIN OPENSSH {word}-----\n{}\n-----END OPENSSH {word}-----\n", lines.join("\n"))
}

#[test]
fn a_key_that_needs_a_passphrase_is_told_from_one_that_works() {
    let fake = Fake::new();
    let word = ["PRIVATE", "KEY"].join(" ");
    let body = |seed| format!("{}\n{}\n", made_up(seed, 64), made_up(seed + 1, 64));
    fake.write("~/.ssh/id_open", openssh("none", 1));
    fake.write("~/.ssh/id_locked", openssh("aes256-ctr", 2).replace('\n', "\r\n"));
    // RFC 1421, RFC 7468.
    fake.write("~/.ssh/id_old", format!("-----BEGIN RSA {word}-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n{}-----END RSA {word}-----\n", body(3)));
    fake.write(
        "./tls/locked.pem",
        format!("-----BEGIN ENCRYPTED {word}-----\n{}-----END ENCRYPTED {word}-----\n", body(5)),
    );
    // An open key, and behind it one that is not.
    let pair = format!("-----BEGIN {word}-----\n{}-----END {word}-----\n", body(7));
    fake.write("./tls/open.pem", format!("{pair}-----BEGIN ENCRYPTED {word}-----\nshort\n"));
    // https://github.com/gpg/gnupg/blob/master/agent/keyformat.txt: both forms, and the shadow of a card's key.
    let grip = |digit: &str| format!("~/.gnupg/private-keys-v1.d/{}.key", digit.repeat(40));
    fake.write(
        &grip("A"),
        format!("Created: 20261001T100000\nKey: (protected-private-key (rsa (n #00{}#)))\n", made_up(9, 60)),
    );
    fake.write(
        &grip("B"),
        [
            &b"(11:private-key(7:comment21:protected-private-key)(3:rsa(1:n257:\0\xff"[..],
            made_up(10, 60).as_bytes(),
            b")))",
        ]
        .concat(),
    );
    fake.write(&grip("C"), "(20:shadowed-private-key(3:rsa))");
    let found = fake.collect();
    let expected = [
        (
            "gnupg:encrypted_private_key",
            "~/.gnupg/private-keys-v1.d/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.key:2#private-key",
        ),
        ("gnupg:private_key", "~/.gnupg/private-keys-v1.d/BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB.key:1#private-key"),
        ("ssh:encrypted_private_key", "~/.ssh/id_locked:1"),
        ("ssh:private_key", "~/.ssh/id_open:1"),
        ("unknown:encrypted_private_key", "./tls/locked.pem:1"),
        ("unknown:encrypted_private_key", "~/.ssh/id_old:1"),
        ("unknown:private_key", "./tls/open.pem:1"),
    ];
    let expected: Vec<(String, Vec<String>)> =
        expected.iter().map(|(kind, place)| ((*kind).to_owned(), vec![(*place).to_owned()])).collect();
    assert_eq!(inventory(&found), expected);
    let locked: Vec<_> = found.credentials.items.iter().filter(|one| one.kind == "encrypted_private_key").collect();
    assert!(
        locked.iter().all(|one| one.status.gap().is_some() && one.scope.as_deref().unwrap().contains("passphrase"))
    );
    // The two of OpenSSH have one public half, as a key and its encrypted copy have: they are two all the same.
    let ssh: Vec<_> = found.credentials.items.iter().filter(|one| one.provider == "ssh").collect();
    assert!(ssh[0].public_id.is_none() && ssh[0].scope.as_deref().unwrap().starts_with("SHA256:"));
    assert!(ssh[1].public_id.as_deref().unwrap().starts_with("SHA256:"));
}

#[test]
fn an_agent_that_holds_keys_is_listed_and_not_asked() {
    let mut fake = Fake::new();
    let socket = fake.root().join("agent.sock");
    fake.set("SSH_AUTH_SOCK", socket.to_str().unwrap());
    assert_eq!(fake.collect().credentials.items.len(), 0);
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert_eq!(inventory(&fake.collect()), [("ssh:agent".to_owned(), vec!["environment#SSH_AUTH_SOCK".to_owned()])]);
    std::fs::remove_file(&socket).unwrap();
    assert!(mknod(&socket, &["p"]));
    assert_eq!(fake.collect().credentials.items.len(), 0);
}

#[test]
fn obfuscated_logins_are_readable() {
    // https://dev.mysql.com/doc/refman/8.4/en/mysql-config-editor.html: obfuscated, and decoded by any client.
    let fake = Fake::new();
    fake.write("~/.mylogin.cnf", [&[0; 4][..], &[7; 20], &[16, 0, 0, 0], &[3; 16]].concat());
    let found = fake.collect();
    assert_eq!(inventory(&found), [("mysql:login_path".to_owned(), vec!["~/.mylogin.cnf#login paths".to_owned()])]);
    fake.write("~/.mylogin.cnf", [1; 10]);
    assert_eq!(fake.collect().reach.gap().unwrap().reason, GapReason::Malformed);
}

#[test]
fn variables_name_stores_that_lie_elsewhere() {
    let mut fake = Fake::new();
    fake.write("~/elsewhere/logins", format!("shop.internal.example:5432:shop:owner:{}\n", made_up(31, 20)));
    fake.write("~/elsewhere/gcloud/credentials.db", LOGINS);
    let path = fake.path("~/elsewhere");
    fake.set("PGPASSFILE", path.join("logins").to_str().unwrap());
    fake.set("CLOUDSDK_CONFIG", path.join("gcloud").to_str().unwrap());
    let kinds: Vec<String> = inventory(&fake.collect()).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["google:authorized_user", "google:service_account_key", "postgres:password"]);
}

#[test]
fn what_is_read_as_text_is_read_where_a_variable_says() {
    let mut fake = Fake::new();
    let outside = fake.outside();
    std::fs::create_dir_all(&outside).unwrap();
    let token = format!("gho_{}", made_up(91, 36));
    std::fs::write(outside.join("typed"), format!("ls\ngh auth login --with-token <<< {token}\n")).unwrap();
    assert!(inventory(&fake.collect()).is_empty());
    fake.set("HISTFILE", outside.join("typed").to_str().unwrap());
    let found = inventory(&fake.collect());
    assert!(
        matches!(found.as_slice(), [(kind, places)] if kind == "github:oauth_token" && places[0].ends_with("typed:2")),
        "{found:?}"
    );
}
