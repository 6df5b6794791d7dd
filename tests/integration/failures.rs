//! What is written appears whole or not at all, whatever the disk, the terminal or the user does.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Place, ran};

#[test]
fn a_full_disk_is_one_clear_message() {
    let place = Place::new();
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    for args in [&["demo", "--list"][..], &["schema", "facts"], &["--help"], &["assess", "--help"]] {
        let ran = ran(&place.command(args).stdout(full()).output().unwrap());
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains("No space left on device"), "{args:?}: {}", ran.err);
    }
    let ran = place.expect(2, &["collect", "work", "-o", "/dev/full"]);
    assert!(ran.err.contains("cannot write `/dev/full`: No space left on device"), "{}", ran.err);
    assert!(!fs::metadata("/dev/full").unwrap().is_file(), "the device was replaced");
    // The cause once, and of the file that was asked for.
    for (args, wanted) in [
        (["demo", "-o", "/dev/full"], "cannot write `/dev/full`: Not a directory (os error 20)"),
        (["collect", "-o", "no/x.json"], "cannot write `no/x.json`: No such file or directory (os error 2)"),
        (["demo", "--log-file", "no/log"], "cannot write `no/log`: No such file or directory (os error 2)"),
        (["demo", "--config", "no.yaml"], "cannot read `no.yaml`: No such file or directory (os error 2)"),
    ] {
        assert_eq!(place.expect(2, &args).err, format!("deadstop: {wanted}\n"), "{args:?}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::new();
    let mut child =
        place.command(&["schema", "assessment"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ran = ran(&child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn a_folder_that_cannot_be_written_leaves_nothing() {
    let place = Place::new();
    for folder in ["/proc/deadstop-report", "/dev/null/report", "/sys/report"] {
        let ran = place.expect(2, &["demo", "-o", folder]);
        assert!(ran.err.contains(&format!("cannot write `{folder}`: ")), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
    assert_eq!(place.names("."), ["home", "work"]);
    if rustix::process::getuid().is_root() {
        return;
    }
    fs::create_dir(place.path("closed")).unwrap();
    fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o500)).unwrap();
    place.expect(2, &["demo", "-o", "closed/report"]);
    assert!(place.names("closed").is_empty());
}

#[test]
fn what_is_not_ours_is_not_touched() {
    let place = Place::new();
    place.write("foreign/precious", "precious");
    place.write("pretender/manifest.json", "{\"schema\": \"deadstop.manifest/2\", \"files\": {}}");
    place.write("file", "precious");
    for name in ["foreign", "pretender"] {
        let before = place.names(name);
        let ran = place.expect(2, &["demo", "-o", name]);
        assert!(ran.err.contains("is not empty and no report of Deadstop's"), "{}", ran.err);
        assert_eq!(place.names(name), before);
    }
    place.expect(2, &["demo", "-o", "file"]);
    assert_eq!(place.read("file"), "precious");
}

#[test]
fn a_report_planted_by_a_repository_leads_nowhere_else() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "report"]);
    place.write("precious", "precious");
    for name in ["report.html", ".gitignore", "calls.jsonl"] {
        fs::remove_file(place.path("report").join(name)).unwrap();
        symlink(place.path("precious"), place.path("report").join(name)).unwrap();
    }
    place.expect(0, &["demo", "-o", "report"]);
    assert_eq!(place.read("precious"), "precious");
    assert!(place.read("report/report.html").contains("<html"));
}

#[test]
fn the_report_folder_itself_is_never_scanned() {
    let place = Place::new();
    place.write("work/.env", "RAILWAY_TOKEN=0c2f8a1e-7b64-4d1f-9a3e-5d7c2b9e8f10\n");
    let first = place.run(&["run", "work", "-o", "work/deadstop-report"]);
    let before = place.read("work/deadstop-report/assessment.json");
    let again = place.run(&["run", "work", "-o", "work/deadstop-report"]);
    let after = place.read("work/deadstop-report/assessment.json");
    assert_eq!(first.code, again.code);
    let credentials = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["credentials"].clone();
    assert_eq!(credentials(&before), credentials(&after));
}

/// A newcomer shows a demo and then runs it, in one folder: what the demo is about is not here.
#[test]
fn a_demo_with_every_format_is_not_taken_for_what_is_here() {
    let place = Place::new();
    place.expect(
        0,
        &["demo", "-o", "work/deadstop-report", "--format", "html,json,markdown,sarif,junit,csv,gitlab,ocsf,oscal"],
    );
    let listed = place.expect(0, &["credentials", "work"]);
    assert!(
        listed.out.starts_with("No credential was found.") && listed.err.starts_with("0 files read"),
        "{}",
        listed.err
    );
    place.write("work/deadstop-report/other.json", "{\"token\": \"x\"}");
    assert!(
        !place.expect(0, &["credentials", "work"]).err.starts_with("0 files"),
        "what only looks like a report is read"
    );
}

#[test]
fn control_c_stops_within_a_second_and_leaves_nothing() {
    let place = Place::new();
    // A fragment that never comes holds the run where it is.
    let status = std::process::Command::new("mkfifo").arg(place.path("fragment")).status().unwrap();
    assert!(status.success());
    for args in [
        &["run", "work", "--merge", "fragment", "-o", "report"][..],
        &["collect", "work", "--merge", "fragment"],
        &["assess", "fragment"],
    ] {
        let child = place.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        sleep(Duration::from_millis(600));
        let started = Instant::now();
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let ran = ran(&child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (130, "deadstop: interrupted\n"), "{args:?}");
        assert!(started.elapsed() < Duration::from_millis(1_000), "{args:?}: {:?}", started.elapsed());
        assert_eq!(place.names("."), ["fragment", "home", "work"], "{args:?}");
    }
}
