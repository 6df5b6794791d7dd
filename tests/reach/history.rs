//! What only the history of a repository holds.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use deadstop::collector::{Collected, Options};
use deadstop_core::fact::GapReason;
use deadstop_core::model::Location;

use crate::support::{Fake, made_up, uuid};

/// Runs git as a person would, whatever the machine's own settings.
fn git(folder: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn commit(fake: &Fake, message: &str) {
    git(&fake.root(), &["add", "-A", "-f"]);
    git(&fake.root(), &["commit", "-q", "--allow-empty", "-m", message]);
}

/// A repository whose `.env` was deleted from the files.
fn deleted() -> Fake {
    let fake = Fake::new();
    git(&fake.root(), &["init", "-q", "-b", "main"]);
    fake.write("./deploy/.env", format!("PORT=1\nRAILWAY_API_TOKEN={}\n", uuid(1)));
    fake.write("./README", "A shop.\n");
    commit(&fake, "Start");
    git(&fake.root(), &["rm", "-q", "deploy/.env"]);
    commit(&fake, "Take the token out");
    fake
}

fn asked(fake: &Fake) -> Collected {
    fake.collect_with(&Options { git_history: true, ..Options::default() })
}

fn places(found: &Collected) -> Vec<&Location> {
    found.credentials.items.iter().flat_map(|credential| &credential.locations).collect()
}

fn reasons(found: &Collected) -> Vec<GapReason> {
    found.credentials.gaps.iter().map(|gap| gap.reason).collect()
}

#[test]
fn a_history_not_asked_for_is_a_gap() {
    let fake = deleted();
    let found = fake.collect();
    assert!(found.credentials.items.is_empty());
    assert_eq!(found.reach.gap().unwrap().reason, GapReason::NotAsked);
    let source = found.sources.iter().find(|source| source.operation.contains("history")).unwrap();
    assert_eq!(source.operation, "read the history of the repository .");
    assert_eq!(source.settle.as_deref(), Some("run with --git-history"));
}

#[test]
fn a_repository_without_a_commit_has_no_history() {
    let fake = Fake::new();
    git(&fake.root(), &["init", "-q"]);
    assert!(fake.collect().reach.gap().is_none());
}

#[test]
fn what_was_deleted_is_found_with_its_commit_and_path() {
    for packed in [false, true] {
        let fake = deleted();
        if packed {
            git(&fake.root(), &["gc", "-q"]);
        }
        let found = asked(&fake);
        assert!(found.reach.gap().is_none(), "{:?}", found.credentials.gaps);
        assert_eq!(places(&found).len(), 1);
        let place = places(&found)[0];
        assert_eq!((place.kind.as_str(), place.line), ("git_history", Some(2)));
        let (id, path) = place.path.split_once(':').unwrap();
        assert_eq!((id.len(), path), (12, "deploy/.env"));
        // The name is one that git itself takes.
        git(&fake.root(), &["cat-file", "-e", &place.path]);
    }
}

#[test]
fn of_one_secret_in_many_versions_the_newest_is_named() {
    let fake = deleted();
    for version in 0..5 {
        fake.write("./deploy/.env", format!("PORT={version}\nRAILWAY_API_TOKEN={}\n", uuid(2)));
        commit(&fake, "Change it");
    }
    fake.write("./deploy/.env", format!("RAILWAY_API_TOKEN={}\n", uuid(3)));
    commit(&fake, "Rotate it");
    let found = asked(&fake);
    assert_eq!(found.credentials.items.len(), 3);
    // The last is in the file as well.
    assert_eq!(places(&found).len(), 4, "{:?}", places(&found));
}

#[test]
fn messages_branches_merges_stashes_and_what_no_branch_holds_are_read() {
    let fake = deleted();
    let root = fake.root();
    git(&root, &["checkout", "-q", "-b", "side"]);
    fake.write("./side.env", format!("RAILWAY_API_TOKEN={}\n", uuid(4)));
    commit(&fake, "Work");
    git(&root, &["checkout", "-q", "main"]);
    git(&root, &["commit", "-q", "--allow-empty", "-m", &format!("RAILWAY_API_TOKEN={}", uuid(5))]);
    git(&root, &["merge", "-q", "--no-ff", "side"]);
    fake.write("./README", format!("RAILWAY_API_TOKEN={}\n", uuid(6)));
    git(&root, &["stash", "-q"]);
    fake.write("./lost.env", format!("RAILWAY_API_TOKEN={}\n", uuid(7)));
    commit(&fake, "Soon gone");
    git(&root, &["reset", "-q", "--hard", "HEAD~1"]);
    let found = asked(&fake);
    assert!(found.reach.gap().is_none());
    assert_eq!(found.credentials.items.len(), 5);
    let shown: Vec<&str> = places(&found).iter().map(|place| place.path.as_str()).collect();
    assert!(shown.iter().any(|path| path.starts_with("commit ")), "{shown:?}");
    for path in ["deploy/.env", "side.env", "README", "lost.env"] {
        assert!(shown.iter().any(|shown| shown.ends_with(&format!(":{path}"))), "{path} in {shown:?}");
    }
}

#[test]
fn a_store_known_by_its_name_is_found() {
    let fake = deleted();
    fake.write("./home/.pgpass", format!("db.internal.example:5432:shop:app:{}\n", made_up(8, 20)));
    commit(&fake, "Add");
    git(&fake.root(), &["rm", "-q", "home/.pgpass"]);
    commit(&fake, "Remove");
    let found = asked(&fake);
    assert!(places(&found).iter().any(|place| place.path.ends_with(":home/.pgpass")), "{:?}", places(&found));
}

#[test]
fn nothing_that_a_repository_names_is_run_or_followed() {
    let fake = deleted();
    let (mark, other) = (fake.outside(), tempfile::tempdir().unwrap());
    let touch = format!("touch {}", mark.display());
    // Objects of another repository, to which this one points.
    git(other.path(), &["init", "-q"]);
    std::fs::write(other.path().join(".env"), format!("RAILWAY_API_TOKEN={}\n", uuid(9))).unwrap();
    git(other.path(), &["add", "-A"]);
    git(other.path(), &["commit", "-q", "-m", "Theirs"]);
    let theirs = other.path().join(".git/objects");
    fake.write("./.git/objects/info/alternates", format!("{}\n", theirs.display()));
    fake.write(
        "./.git/config",
        format!(
            "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = {touch}\n\tsshCommand = {touch}\n\tpager = {touch}\n\thooksPath = hooks\n\tattributesFile = a\n[include]\n\tpath = /dev/stdin\n[diff]\n\texternal = {touch}\n[diff \"x\"]\n\ttextconv = {touch}\n[filter \"x\"]\n\tsmudge = {touch}\n\tclean = {touch}\n[remote \"origin\"]\n\turl = ext::{touch}\n\tpromisor = true\n[extensions]\n\tpartialClone = origin\n"
        ),
    );
    fake.write("./.gitattributes", "* diff=x filter=x\n");
    fake.write("./.git/info/attributes", "* diff=x filter=x\n");
    for hook in ["post-checkout", "pre-auto-gc", "reference-transaction", "post-index-change"] {
        fake.write(&format!("./.git/hooks/{hook}"), format!("#!/bin/sh\n{touch}\n"));
    }
    let found = asked(&fake);
    assert!(!mark.exists());
    assert_eq!(found.credentials.items.len(), 1);
    assert_eq!(reasons(&found), [GapReason::Unreachable]);
    assert!(places(&found)[0].path.ends_with(":deploy/.env"));
}

#[test]
fn a_damaged_history_is_a_gap_and_its_rest_is_read() {
    let fake = deleted();
    git(&fake.root(), &["gc", "-q"]);
    fake.write("./late.env", format!("RAILWAY_API_TOKEN={}\n", uuid(10)));
    commit(&fake, "Later");
    let pack = fake.root().join(".git/objects/pack");
    let index = |end: &str| {
        let all = std::fs::read_dir(&pack).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|is| is == end)).collect::<Vec<_>>()
    };
    let pack_file = index("pack").remove(0);
    let data = std::fs::read(&pack_file).unwrap();
    let writable = |bytes: &[u8]| {
        std::fs::remove_file(&pack_file).unwrap();
        std::fs::write(&pack_file, bytes).unwrap();
    };
    let mut bad = data.clone();
    for byte in bad.iter_mut().skip(20).take(60) {
        *byte ^= 0x5a;
    }
    writable(&bad);
    assert!(reasons(&asked(&fake)).contains(&GapReason::Malformed));
    writable(&data[..data.len() / 2]);
    assert!(reasons(&asked(&fake)).contains(&GapReason::Malformed));
    std::fs::remove_file(index("idx").remove(0)).unwrap();
    let found = asked(&fake);
    assert!(reasons(&found).contains(&GapReason::Malformed));
    assert_eq!(found.credentials.items.len(), 1);
}

#[test]
fn a_shallow_clone_is_a_gap_and_what_it_has_is_read() {
    let fake = Fake::new();
    let other = deleted();
    other.write("./new.env", format!("RAILWAY_API_TOKEN={}\n", uuid(11)));
    commit(&other, "Last");
    let from = format!("file://{}", other.root().display());
    git(&fake.root(), &["clone", "-q", "--depth", "1", &from, "copy"]);
    let found = asked(&fake);
    assert_eq!(reasons(&found), [GapReason::Unreachable]);
    assert!(places(&found).iter().any(|place| place.path.ends_with(":new.env in ./copy")), "{:?}", places(&found));
}

#[test]
fn special_files_among_the_objects_stop_nothing() {
    let fake = deleted();
    let pack = fake.root().join(".git/objects/pack");
    std::fs::create_dir_all(&pack).unwrap();
    let made = Command::new("mkfifo").arg(pack.join("pack-a.idx")).arg(pack.join("pack-a.pack")).status().unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink("/dev/zero", fake.root().join(".git/objects/ab")).unwrap();
    let begin = Instant::now();
    let found = asked(&fake);
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert!(reasons(&found).contains(&GapReason::Malformed));
    assert_eq!(found.credentials.items.len(), 1);
}

#[test]
fn it_ends_with_the_time_allowed_and_when_told_to() {
    let fake = deleted();
    let late = Options { git_history: true, budget: Some(Duration::ZERO), ..Options::default() };
    let found = fake.collect_with(&late);
    assert!(reasons(&found).contains(&GapReason::TimedOut));
    let stop = Options { git_history: true, cancel: Arc::new(AtomicBool::new(true)), ..Options::default() };
    assert!(reasons(&fake.collect_with(&stop)).contains(&GapReason::TimedOut));
}

#[test]
fn a_repository_of_the_longer_ids_is_read() {
    let fake = Fake::new();
    git(&fake.root(), &["init", "-q", "--object-format=sha256"]);
    fake.write("./.env", format!("RAILWAY_API_TOKEN={}\n", uuid(12)));
    commit(&fake, "Start");
    git(&fake.root(), &["rm", "-q", ".env"]);
    commit(&fake, "Remove");
    let found = asked(&fake);
    assert!(found.reach.gap().is_none());
    assert!(places(&found)[0].path.ends_with(":.env"));
}

#[test]
fn a_repository_kept_outside_what_is_read_is_a_gap() {
    let (fake, other) = (Fake::new(), deleted());
    git(&other.root(), &["worktree", "add", "-q", "--detach", fake.root().join("tree").to_str().unwrap()]);
    let found = asked(&fake);
    assert_eq!(found.reach.gap().unwrap().reason, GapReason::NotAsked);
    assert!(found.sources.iter().any(|source| source.operation == "read ./tree/.git"));
}
