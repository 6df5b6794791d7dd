//! Trees made to hang, crash or mislead a reader.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use deadstop::collector::Options;
use deadstop_core::fact::{Fact, GapReason, Listed};

use crate::support::{Fake, inventory, made_up, mknod, uuid};

/// A project with one token, to be found whatever lies beside it.
fn baited() -> (Fake, String) {
    let fake = Fake::new();
    let token = uuid(5);
    fake.write("./.env", format!("RAILWAY_TOKEN={token}\n"));
    (fake, token)
}

fn finds_the_bait(fake: &Fake) {
    let started = Instant::now();
    let found = fake.collect();
    assert!(started.elapsed() < Duration::from_secs(20), "it hung");
    assert!(inventory(&found).iter().any(|(kind, _)| kind == "railway:project_token"));
}

#[test]
fn special_files_are_never_opened() {
    let (fake, _) = baited();
    assert!(mknod(&fake.root().join("pipe"), &["p"]));
    let _socket = std::os::unix::net::UnixListener::bind(fake.root().join("socket")).unwrap();
    // Only the administrator may make devices; elsewhere the other two stand for them.
    let _ = mknod(&fake.root().join("zero"), &["c", "1", "5"]);
    assert!(mknod(&fake.root().join(".mcp.json"), &["p"]));
    finds_the_bait(&fake);
    assert_eq!(fake.collect().reach, Fact::Known(Listed::Complete));
}

#[test]
fn links_lead_nowhere() {
    let (fake, _) = baited();
    let secret = uuid(6);
    std::fs::create_dir_all(fake.outside()).unwrap();
    std::fs::write(fake.outside().join(".env"), format!("RAILWAY_API_TOKEN={secret}\n")).unwrap();
    symlink(fake.outside(), fake.root().join("out")).unwrap();
    symlink(fake.outside().join(".env"), fake.root().join("out.env")).unwrap();
    symlink(".", fake.root().join("loop")).unwrap();
    symlink("b", fake.root().join("a")).unwrap();
    symlink("a", fake.root().join("b")).unwrap();
    symlink("/proc/self/environ", fake.root().join("environ")).unwrap();
    let found = fake.collect();
    assert_eq!(inventory(&found).len(), 1);
    assert_eq!(found.stats.links, 6);
    // An agent follows the two that lead out; what they lead to was not read, and that is a gap.
    assert_eq!(found.credentials.gaps.len(), 2);
    assert!(found.reach.gap().is_some());
    finds_the_bait(&fake);
}

#[test]
fn huge_files_are_bounded() {
    let (fake, _) = baited();
    let sparse = std::fs::File::create(fake.root().join("sparse")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    let mut headed = std::fs::File::create(fake.root().join("headed.log")).unwrap();
    headed.write_all(&b"text\n".repeat(20_000)).unwrap();
    headed.set_len(1 << 40).unwrap();
    let token = uuid(7);
    let mut line = vec![b'a'; 64 << 20];
    line.extend_from_slice(format!(" RAILWAY_API_TOKEN={token}").as_bytes());
    fake.write("./long.txt", &line);
    let started = Instant::now();
    let found = fake.collect();
    assert!(started.elapsed() < Duration::from_secs(60));
    assert_eq!(found.reach.gap().unwrap().reason, GapReason::TooLarge);
    let all = inventory(&found);
    assert!(
        all.contains(&("railway:account_token".to_owned(), vec!["./long.txt:1#RAILWAY_API_TOKEN".to_owned()])),
        "{all:?}"
    );
}

#[test]
fn a_secret_across_two_pieces_is_found_once_with_its_line() {
    for shift in [0, 17, 36, 4_096, 8_192] {
        let fake = Fake::new();
        let token = uuid(9);
        let mut text = b"0123456789abcde\n".repeat(((1 << 20) + (64 << 10)) / 16);
        text.truncate(text.len() - shift);
        let lines = text.iter().filter(|byte| **byte == b'\n').count();
        text.extend_from_slice(format!("\nRAILWAY_TOKEN={token}\n").as_bytes());
        text.extend_from_slice(&b"fill\n".repeat(400_000));
        fake.write("./big.txt", &text);
        let expected = format!("./big.txt:{}#RAILWAY_TOKEN", lines + 2);
        assert_eq!(inventory(&fake.collect()), [("railway:project_token".to_owned(), vec![expected])]);
    }
}

/// As Windows PowerShell writes what `>` sends to a file.
#[test]
fn text_in_two_bytes_a_letter_is_read_as_any_other() {
    let (fake, _) = baited();
    let wide = |text: &str| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let long = "# ä\r\n".repeat(200_000);
    let (one, two) = (uuid(21), uuid(22));
    fake.write("./.env", wide(&format!("A=1\r\nRAILWAY_API_TOKEN={one}\r\n")));
    fake.write("./long.env", wide(&format!("{long}RAILWAY_TOKEN={two}\r\n")));
    // What only says so is no text.
    fake.write("./none.env", b"\xff\xfea\0\0\0b\0".as_slice());
    let found = fake.collect();
    let all = inventory(&found);
    assert_eq!(all[0], ("railway:account_token".to_owned(), vec!["./.env:2#RAILWAY_API_TOKEN".to_owned()]));
    assert_eq!(all[1], ("railway:project_token".to_owned(), vec!["./long.env:200001#RAILWAY_TOKEN".to_owned()]));
    assert_eq!(found.reach.gap().unwrap().reason, GapReason::Unsupported);
}

#[test]
fn names_and_contents_may_be_anything() {
    let (fake, _) = baited();
    let token = uuid(8);
    let text = format!("RAILWAY_API_TOKEN={token}\n");
    for name in [
        &b"\xff\xfe.env"[..],
        b"<img src=x onerror=alert(1)>",
        b"\x1b[2J\x1b]0;x\x07",
        b"a\nb.env",
        b"-rf",
        "\u{202e}vne.txt".as_bytes(),
    ] {
        std::fs::write(fake.root().join(OsStr::from_bytes(name)), &text).unwrap();
    }
    fake.write("./bad.txt", [&b"\xff\xc0\xaf RAILWAY_API_TOKEN="[..], token.as_bytes(), b"\n\xff"].concat());
    fake.write("./binary", [&b"\0\0\0 RAILWAY_API_TOKEN="[..], uuid(10).as_bytes()].concat());
    let found = fake.collect();
    let all = inventory(&found);
    assert_eq!(all.len(), 2);
    let places = &all.iter().find(|(kind, _)| kind == "railway:account_token").unwrap().1;
    assert_eq!(places.len(), 7, "{places:?}");
    assert!(places.iter().all(|place| place.chars().all(|c| !c.is_control() && c != '\u{202e}')));
}

#[test]
fn bombs_do_not_go_off() {
    let (fake, _) = baited();
    let token = uuid(11);
    let deep = format!("{}\"RAILWAY_API_TOKEN\": \"{token}\"", "[".repeat(100_000));
    fake.write("./.mcp.json", &deep);
    fake.write("~/.railway/config.json", &deep);
    fake.write("~/.aws/sso/cache/x.json", &deep);
    fake.write("./terraform.tfstate", &deep);
    let mut bomb =
        "clusters: &a [x,x,x,x,x,x,x,x]\nusers: &b [*a,*a,*a,*a,*a,*a,*a,*a]\ncontexts: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
            .to_owned();
    for at in 0..30 {
        bomb.push_str(&format!("k{at}: [*c,*c,*c,*c,*c,*c,*c,*c]\n"));
    }
    bomb.push_str(&format!("RAILWAY_API_TOKEN: {token}\n"));
    fake.write("~/.kube/config", &bomb);
    fake.write("~/.codex/config.toml", format!("a = {}", "[".repeat(100_000)));
    let found = fake.collect();
    let all = inventory(&found);
    let places = &all.iter().find(|(kind, _)| kind == "railway:account_token").unwrap().1;
    assert_eq!(places.len(), 5, "{places:?}");
    assert_eq!(found.reach.gap().unwrap().reason, GapReason::Malformed);
    finds_the_bait(&fake);
}

#[test]
fn nothing_in_a_repository_is_run() {
    let (fake, _) = baited();
    let mark = fake.outside();
    let touch = format!("touch {}", mark.display());
    fake.write(
        "./.git/config",
        format!("[core]\n\tfsmonitor = {touch}\n\tpager = {touch}\n[alias]\n\tstatus = !{touch}\n"),
    );
    fake.write("./.git/hooks/post-checkout", format!("#!/bin/sh\n{touch}\n"));
    fake.write("~/.aws/config", format!("[default]\ncredential_process = {touch}\n"));
    fake.write(
        "~/.kube/config",
        format!("clusters: [{{name: c, cluster: {{server: https://c}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{exec: {{command: /bin/sh, args: [-c, {touch}]}}}}}}]\n"),
    );
    fake.write(&format!("./.git/objects/ab/{}", "c".repeat(38)), format!("RAILWAY_API_TOKEN={}\n", uuid(12)));
    let found = fake.collect();
    assert!(!mark.exists());
    let all = inventory(&found);
    assert!(all.iter().any(|(kind, _)| kind == "kubernetes:exec_plugin"));
    // What is no object of git's but lies where one would is text that any program reads.
    let (_, places) = all.iter().find(|(kind, _)| kind == "railway:account_token").unwrap();
    assert!(places.iter().any(|place| place.starts_with("./.git/objects/ab/")), "{places:?}");
    assert_eq!(found.reach.gap().unwrap().reason, GapReason::NotAsked);
}

#[test]
fn what_was_written_by_itself_is_not_read() {
    let (fake, _) = baited();
    fake.write("./deadstop-report/manifest.json", "{\"schema\": \"deadstop.manifest/1\"}");
    fake.write("./deadstop-report/report.html", "<html>");
    fake.write("./deadstop-report/facts.json", format!("RAILWAY_API_TOKEN={}\n", uuid(13)));
    assert_eq!(inventory(&fake.collect()).len(), 1);
    // A folder made to look like a report, and what only lies where git keeps its objects, is read.
    fake.write("./deadstop-report/.env", format!("RAILWAY_API_TOKEN={}\n", uuid(14)));
    fake.write("./.git/objects/notes", format!("RAILWAY_API_TOKEN={}\n", uuid(15)));
    assert!(inventory(&fake.collect()).len() >= 3);
}

#[test]
fn a_packed_file_named_for_secrets_is_a_gap() {
    let (fake, _) = baited();
    fake.write("./.env.gz", [0x1f_u8, 0x8b, 0]);
    assert_eq!(fake.collect().reach.gap().unwrap().reason, GapReason::Unsupported);
}

#[test]
fn a_deep_tree_ends() {
    let (fake, _) = baited();
    let mut path = fake.root();
    for _ in 0..400 {
        path.push("deep-deep-d");
    }
    // Longer than one path may be, so it is made one step at a time.
    let made = std::process::Command::new("sh")
        .arg("-c")
        .arg("i=0; while [ $i -lt 500 ]; do mkdir deep-deep-d && cd -P deep-deep-d || exit 1; i=$((i+1)); done; echo RAILWAY_API_TOKEN=0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f > .env")
        .current_dir(fake.root())
        .status()
        .unwrap();
    let found = fake.collect();
    if made.success() {
        assert!(inventory(&found).iter().any(|(kind, _)| kind == "railway:account_token"));
    }
    assert_eq!(found.reach, Fact::Known(Listed::Complete));
}

#[test]
fn files_that_change_while_read_are_gaps_or_read() {
    let (fake, _) = baited();
    for at in 0..300 {
        fake.write(&format!("./churn/{at}.txt"), made_up(at, 4_000));
    }
    let folder = fake.root().join("churn");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for at in 0..300 {
                let _ = std::fs::remove_file(folder.join(format!("{at}.txt")));
            }
        });
        for _ in 0..5 {
            let found = fake.collect();
            assert!(found.reach.gap().is_none_or(|gap| gap.reason == GapReason::Vanished));
        }
    });
    finds_the_bait(&fake);
}

#[test]
fn the_end_of_time_is_a_gap() {
    let (fake, _) = baited();
    let none = Options { budget: Some(Duration::ZERO), ..Options::default() };
    assert_eq!(fake.collect_with(&none).reach.gap().unwrap().reason, GapReason::TimedOut);
    let cancelled = Options { cancel: Arc::new(AtomicBool::new(true)), ..Options::default() };
    assert_eq!(fake.collect_with(&cancelled).reach.gap().unwrap().reason, GapReason::TimedOut);
}

#[test]
fn files_of_very_many_entries_cost_no_more_than_to_read_them() {
    let (fake, _) = baited();
    let chain = |at| format!("[profile a]\nrole_arn = arn:aws:iam::609629065308:role/r{at}\nsource_profile = a\n");
    fake.write("~/.aws/config", (0..8_000).map(chain).collect::<String>());
    let entry = |at| format!("- name: n{at}\n  user: {{token: t}}\n");
    let context = |at| format!("- name: c{at}\n  context: {{cluster: c, user: n{at}}}\n");
    let (users, contexts): (String, String) = ((0..4_000).map(entry).collect(), (0..4_000).map(context).collect());
    let clusters = "clusters:\n- name: c\n  cluster: {server: https://k8s.internal.example}\n";
    fake.write("~/.kube/config", format!("{clusters}contexts:\n{contexts}users:\n{users}"));
    let url = |at| format!("DATABASE_URL=postgres://app:{}@db.internal.example/shop\n", made_up(at, 18));
    fake.write("./urls.conf", (0..8_000).map(url).collect::<String>());
    let keys = |at| format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", key_id(at), made_up(at, 40));
    fake.write("./keys.conf", (0..8_000).map(keys).collect::<String>());
    finds_the_bait(&fake);
}

/// An AWS access key id of the documented form.
fn key_id(seed: u64) -> String {
    format!("{}{}", "AKIA", made_up(seed, 16).to_ascii_uppercase().replace(['0', '1', '8', '9'], "A"))
}

/// A place for each store that is listed, below the made-up home, project and system.
fn store_paths() -> Vec<String> {
    let listed = deadstop::collector::credentials_document();
    let rows = listed.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| provider"));
    let places = rows.filter_map(|row| row.split(" | ").nth(2)).flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let path = |place: &str| place.replace("**", "deep/er").replace('*', "x");
    let below = |place: &str| match place {
        place if place.starts_with(['~', '/']) => path(place),
        place => format!("./{}", path(place)),
    };
    let all: Vec<String> = places.filter(|place| !place.starts_with('$')).map(below).collect();
    assert!(all.len() > 150, "{}", all.len());
    all
}

#[test]
fn every_store_may_hold_anything() {
    let open = "[".repeat(60_000);
    let texts = [
        "{\"a\": ".to_owned() + &open,
        "<a b='c'>".repeat(30_000),
        "a: &a [*a, *a]\n".repeat(50),
        format!("{}=\n[[[\n]]]=\"\n\u{feff}:::\n", "x".repeat(70_000)),
        "\0\u{1}SQLite format 3\0".to_owned(),
    ];
    let paths = store_paths();
    for text in texts {
        let malformed = |gap: &deadstop_core::fact::Gap| gap.reason == GapReason::Malformed;
        // Each hundred must be done with in time, however many there are by now.
        let told = paths.chunks(100).filter(|paths| {
            let (fake, _) = baited();
            for path in *paths {
                fake.write(path, &text);
            }
            finds_the_bait(&fake);
            fake.collect().credentials.gaps.iter().any(malformed)
        });
        assert!(told.count() > 0, "{}", &text[..4]);
    }
}

#[test]
fn a_store_may_be_a_circle_or_a_pipe() {
    let (fake, _) = baited();
    for (at, path) in store_paths().into_iter().enumerate() {
        let path = fake.path(&path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if path.exists() {
            continue;
        }
        if at % 2 == 0 {
            symlink(path.file_name().unwrap(), &path).unwrap();
        } else {
            assert!(mknod(&path, &["p"]));
        }
    }
    finds_the_bait(&fake);
    assert_eq!(inventory(&fake.collect()).len(), 1);
}

#[test]
fn a_store_of_fifty_megabytes_is_a_gap() {
    let rows = [
        ("~/.docker/config.json", "{\"auths\": {\"a.example\": {\"auth\": \"", "aGVsbG8gd29ybGQ=", "\"}}}"),
        ("~/.npmrc", "", "//npm.acme.example/:_authToken=a\n", ""),
        ("~/.m2/settings.xml", "<settings>", "<a>text</a>\n", "</settings>"),
        ("~/.config/gcloud/credentials.db", "SQLite format 3\0", "text\n", ""),
    ];
    for (path, head, piece, tail) in rows {
        let (fake, _) = baited();
        fake.write(path, format!("{head}{}{tail}", piece.repeat((50 << 20) / piece.len())));
        let started = Instant::now();
        let found = fake.collect();
        assert!(started.elapsed() < Duration::from_secs(60), "{path}");
        assert!(inventory(&found).iter().any(|(kind, _)| kind == "railway:project_token"), "{path}");
        assert_eq!(found.reach.gap().unwrap().reason, GapReason::Malformed, "{path}");
    }
}

#[test]
fn stores_of_very_many_entries_cost_no_more_than_to_read_them() {
    let (fake, _) = baited();
    let many = |entry: &dyn Fn(u64) -> String| (0..4_000).map(entry).collect::<String>();
    let auth = |at| format!("\"r{at}.example\": {{\"auth\": \"{}\"}},\n", made_up(at, 40));
    fake.write("~/.docker/config.json", format!("{{\"auths\": {{{}\"z\": {{}}}}}}", many(&auth)));
    fake.write("~/.npmrc", many(&|at| format!("//r{at}.example/:_authToken={}\n", made_up(at, 36))));
    let server = |at| format!("<server><id>r{at}</id><password>{}</password></server>\n", made_up(at, 30));
    fake.write("~/.m2/settings.xml", format!("<settings><servers>{}</servers></settings>", many(&server)));
    let section = |at| format!("[r{at}]\nhost={at}.internal.example\nuser=a\npassword={}\n", made_up(at, 20));
    fake.write("~/.pg_service.conf", many(&section));
    finds_the_bait(&fake);
    assert_eq!(fake.collect().reach.gap().unwrap().reason, GapReason::Malformed);
}

#[test]
fn a_secret_is_not_hidden_by_being_called_an_id() {
    let fake = Fake::new();
    let (secret, other) = ("QJ7ZK2MX9RT4LP8V", made_up(8, 36));
    fake.write(
        "~/.config/openstack/clouds.yaml",
        format!(
            "clouds:\n  a:\n    auth:\n      application_credential_id: {secret}\n      application_credential_secret: {other}\nproxy_password: {secret}\n"
        ),
    );
    let found = fake.collect();
    let at = |line: u64| {
        let places = found.credentials.items.iter().flat_map(|credential| &credential.locations);
        places.filter(|place| place.line == Some(line)).count()
    };
    assert_eq!((at(5), at(6)), (1, 1), "{:?}", found.credentials.items);
}
