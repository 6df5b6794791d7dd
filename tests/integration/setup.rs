//! What is used once: a starting configuration, completions, manual pages. And what is asked for when something is odd:
//! the log.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use clap::CommandFactory as _;
use serde_json::Value;

use crate::program::{Place, ran};

const SECRET: &str = "Zk7Qm2Xw9Rt4Lp8Vb3Nc6Hd1";

fn furnished() -> Place {
    let place = Place::new();
    place.write(
        "work/.env",
        &format!(
            "DATABASE_URL=postgres://app:{SECRET}@db.internal.example/shop-prod\nOLD_URL=postgres://app:{SECRET}x@old.internal.example/shop-staging\n"
        ),
    );
    place.write("work/.claude/settings.json", "{}");
    place
}

#[test]
fn a_starting_configuration_is_valid_and_tells_no_secret() {
    let place = furnished();
    let ran = place.expect(0, &["init", "work"]);
    assert!(ran.err.contains("deadstop run --config deadstop.yaml"), "{}", ran.err);
    let text = place.read("deadstop.yaml");
    for wanted in [
        "schema: deadstop.config/1",
        "agent: \"claude-code\"",
        "match: [\"*prod*\"]      # here: \"shop-prod\"",
        "  # staging: {match: [\"*stag*\"]}      # here: \"shop-staging\"",
        "#   postgres: {hosts: [\"db.internal.example\", \"old.internal.example\"]}",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in {text}");
    }
    assert!(!text.contains(&SECRET[..8]));
    assert_eq!(place.expect(0, &["init", "work", "-o", "-"]).out, text, "the same world, the same text");
    assert_eq!(place.expect(3, &["run", "work", "--config", "deadstop.yaml"]).err, "");
    place.expect(3, &["run", "work"]);
}

#[test]
fn every_suggestion_is_valid_once_its_mark_is_taken_out() {
    let place = furnished();
    let text = place.expect(0, &["init", "work", "-o", "-"]).out;
    // A suggestion is a line behind one mark; prose is what no key begins.
    let key = |line: &str| {
        let line = line.trim_start_matches(['-', ' ']);
        line.starts_with('{')
            || line.split_once(':').is_some_and(|(key, _)| key.chars().all(|c| c.is_alphanumeric() || c == '_'))
    };
    let mut whole = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        match line.trim_start().strip_prefix("# ") {
            Some(rest) if key(rest) => whole.push_str(&format!("{}{rest}\n", &line[..indent])),
            _ => whole.push_str(&format!("{line}\n")),
        }
    }
    assert!(
        whole.contains("\nwaivers:\n") && whole.contains("\nproviders:\n") && whole.contains("\npolicy:\n"),
        "{whole}"
    );
    place.write("whole.yaml", &whole);
    place.expect(0, &["demo", "--config", "whole.yaml"]);
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let place = furnished();
    place.write("deadstop.yaml", "mine");
    for args in [&["init", "work"][..], &["init", "work", "-o", "work"], &["init", "work", "-o", "deadstop.yaml"]] {
        let ran = place.expect(2, args);
        assert!(
            ran.err.contains("is there already and is never overwritten: name another file with -o"),
            "{}",
            ran.err
        );
    }
    std::os::unix::fs::symlink("nowhere", place.path("link")).unwrap();
    place.expect(2, &["init", "work", "-o", "link"]);
    assert_eq!(place.read("deadstop.yaml"), "mine");
    assert!(place.expect(2, &["init", "work", "-o", "/proc/x"]).err.contains("cannot write `/proc/x`"));
    assert!(place.expect(2, &["init", "work", "-o", "/dev/full"]).err.contains("No space left on device"));
}

#[test]
fn hostile_names_stay_inside_their_quotes() {
    let place = Place::new();
    place.write(
        "work/.env",
        "A=postgres://app:Zk7Qm2Xw9Rt4Lp8Vb3Nc6Hd1@db.internal.example/prod%0apolicy%3a%0a\nB=\"postgres://app:Zk7Qm2Xw9Rt4Lp8Vb3Nc6Hd2@db.internal.example/prod\u{2028}waivers: x\"\n",
    );
    let text = place.expect(0, &["init", "work", "-o", "-"]).out;
    assert!(!text.lines().any(|line| line.starts_with("policy") || line.starts_with("waivers")), "{text}");
    assert!(!text.contains('\u{2028}'));
}

#[test]
fn completions_and_pages_name_every_command() {
    let place = Place::new();
    let names: Vec<String> =
        deadstop::cli::Cli::command().get_subcommands().map(|one| one.get_name().to_owned()).collect();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.expect(0, &["completions", shell]).out;
        assert!(names.iter().all(|name| script.contains(name.as_str())), "{shell}");
    }
    let checked = place.expect(0, &["completions", "bash"]).out;
    place.write("script", &checked);
    assert!(std::process::Command::new("bash").arg("-n").arg(place.path("script")).status().unwrap().success());
    assert!(place.expect(0, &["man"]).out.contains(".TH deadstop 1"));
    place.expect(0, &["man", "-o", "man/man1"]);
    let pages = place.names("man/man1");
    assert!(names.iter().all(|name| pages.contains(&format!("deadstop-{name}.1"))), "{pages:?}");
    let nested = [
        "checks-list",
        "checks-show",
        "checks-test",
        "checks-new",
        "iam-simulate",
        "tabletop-prepare",
        "tabletop-run",
        "tabletop-record",
    ];
    assert_eq!(pages.len(), names.len() + 1 + nested.len(), "{pages:?}");
    assert!(nested.iter().all(|name| pages.contains(&format!("deadstop-{name}.1"))), "{pages:?}");
    for page in &pages {
        let text = place.read(&format!("man/man1/{page}"));
        let head = format!(".TH {} 1", page.trim_end_matches(".1"));
        let version = format!("\"deadstop {}\"", env!("CARGO_PKG_VERSION"));
        let line = text.lines().find(|line| line.starts_with(".TH")).unwrap();
        assert!(line.starts_with(&head) && line.contains(&version), "{page}: {line}");
    }
    assert!(place.read("man/man1/deadstop-run.1").contains("live"));
    assert!(place.expect(2, &["man", "-o", "/dev/null/x"]).err.contains("cannot write `/dev/null/x`"));
}

#[test]
fn the_log_tells_stages_with_times_and_counts() {
    let place = furnished();
    assert_eq!(place.expect(3, &["run", "work"]).err, "", "silent unless asked");
    let text = place.expect(3, &["run", "work", "-v"]).err;
    for stage in ["collect{", "assess{", "report{"] {
        assert!(text.contains(stage) && text.contains("time.busy="), "{text}");
    }
    assert!(!text.contains("walk{") && place.expect(3, &["run", "work", "-vv"]).err.contains("walk{"), "{text}");
    let lines = place.expect(3, &["run", "work", "-vvv", "--log-format", "json"]).err;
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let collect = rows.iter().find(|row| row["span"]["name"] == "collect").unwrap();
    assert_eq!((&collect["span"]["credentials"], &collect["level"]), (&Value::from(2), &Value::from("INFO")));
    assert_eq!(place.expect(3, &["run", "work", "--log-file", "log"]).err, "");
    let mode = std::fs::metadata(place.path("log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(place.read("log").contains("assess{"));
    assert!(place.expect(2, &["demo", "--log-file", "/dev/null/x"]).err.contains("cannot write `/dev/null/x`"));
    place.expect(0, &["demo", "--log-file", "/dev/full"]);
}

#[test]
fn progress_is_for_terminals() {
    let place = furnished();
    let silent = place.expect(0, &["collect", "work", "-o", "-"]);
    assert!(!silent.err.contains("Reading"), "{}", silent.err);
    // `script` gives the program a terminal; without it nothing can be said of one.
    let program = env!("CARGO_BIN_EXE_deadstop");
    let shown = |flag: &str| {
        let line = format!("{program} collect work -o facts.json --read-time 5s {flag}");
        let mut command = std::process::Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).current_dir(place.path(".")).stdin(Stdio::null());
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", place.path("home")).env("TERM", "xterm");
        command.output().ok().map(|output| ran(&output).out)
    };
    if let Some(out) = shown("--no-progress") {
        assert!(!out.contains("Reading"), "{out}");
        assert!(!shown("-q").unwrap_or_default().contains("Reading"));
    }
}

#[test]
fn every_flag_has_a_variable() {
    // What is typed once, for one look.
    let once = ["help", "version", "list", "with-fix", "plan"];
    let program = deadstop::cli::Cli::command();
    let commands = program.get_subcommands().chain([&program]);
    for command in commands {
        for flag in command.get_arguments().filter(|flag| flag.get_long().is_some_and(|long| !once.contains(&long))) {
            let name = flag.get_long().unwrap();
            let wanted = format!("DEADSTOP_{}", name.to_uppercase().replace('-', "_"));
            let found = flag.get_env().map(|env| env.to_string_lossy().into_owned());
            assert_eq!(found.as_deref(), Some(wanted.as_str()), "--{name} of {}", command.get_name());
        }
    }
}

#[test]
fn no_variable_is_left_without_effect() {
    let place = furnished();
    place.write("named.yaml", "schema: deadstop.config/1\nwaver: []\n");
    let with = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = place.command(args);
        command.envs(variables.iter().copied());
        ran(&command.output().unwrap())
    };
    assert!(with(&["demo"], &[("DEADSTOP_CONFIG", "named.yaml")]).err.contains("named.yaml:2:1"));
    assert!(!with(&["demo"], &[("DEADSTOP_QUIET", "1")]).out.contains("Exit 0"));
    assert!(with(&["demo"], &[("DEADSTOP_QUIET", "0")]).out.contains("Exit 0"));
    assert!(with(&["demo"], &[("DEADSTOP_COLOR", "always")]).out.contains('\u{1b}'));
    assert!(with(&["demo"], &[("DEADSTOP_VERBOSE", "1")]).err.contains("assess{"));
    assert!(with(&["demo"], &[("DEADSTOP_VERBOSE", "1"), ("DEADSTOP_LOG_FORMAT", "json")]).err.starts_with('{'));
    with(&["demo"], &[("DEADSTOP_LOG_FILE", "log")]);
    assert!(place.read("log").contains("assess{"));
    assert_eq!(with(&["demo"], &[("DEADSTOP_LIVE", "1")]).code, 2);
    assert_eq!(with(&["demo"], &[("DEADSTOP_OFFLINE", "1"), ("DEADSTOP_NO_PROGRESS", "1")]).code, 0);
    assert_eq!(with(&["demo"], &[("DEADSTOP_FAIL_ON", "nothing"), ("DEADSTOP_EXIT_ZERO", "1")]).code, 0);
    assert_eq!(with(&["demo"], &[("DEADSTOP_TARGET", "nowhere")]).code, 2);
    assert_eq!(with(&["demo"], &[("DEADSTOP_ASSESSED_AT", "someday")]).code, 2);
    with(&["demo"], &[("DEADSTOP_OUTPUT", "elsewhere")]);
    assert!(place.path("elsewhere/report.html").exists());
    let plan = |name: &str, value: &str| with(&["run", "work", "--plan"], &[(name, value)]);
    assert!(plan("DEADSTOP_HOME", "work").out.contains("work, the home folder"));
    assert!(plan("DEADSTOP_NO_HOME", "1").out.contains("no home folder"));
    assert!(plan("DEADSTOP_NO_ENV", "1").out.contains("  0 environment variables"));
    assert!(plan("DEADSTOP_READ_TIME", "7s").out.contains("at most 7 s"));
    place.write("fragment.json", "[]");
    assert!(with(&["collect", "work"], &[("DEADSTOP_MERGE", "fragment.json")]).err.contains("`fragment.json`"));
    assert!(with(&["credentials", "work"], &[("DEADSTOP_FORMAT", "json")]).out.starts_with('{'));
}

/// A setting without effect would mislead whoever wrote it, so what has none says so.
#[test]
fn a_setting_without_effect_says_so() {
    let place = Place::new();
    place.write("shop/.env", "DATABASE_URL=postgres://app:kR7vQ2mX9pLw@db.internal.example/shop\n");
    let config = |expires: &str| {
        format!(
            "schema: deadstop.config/1
engagement: {{client: Northwind Rentals, logo: logo.svg}}
sessions: [{{name: staging, agent: claude-code, intended: [{{provider: railway, environment: staging}}]}}]
ignore: [{{location: .env, reason: documented dummy keys, expires: {expires}}}]
"
        )
    };
    let run = |expires: &str, folder: &str| {
        place.write("own.yaml", &config(expires));
        let args = ["run", "shop", "--config", "own.yaml", "--no-home", "--no-env", "--exit-zero", "-o", folder];
        let out = place.expect(0, &args).out;
        assert!(out.contains("`logo.svg` of `engagement.logo` is not shown: it cannot be read"), "{out}");
        assert!(out.contains("Note: a place in `sessions[].intended` is not understood"), "{out}");
        (out, place.read(&format!("{folder}/assessment.json")).contains("db.internal.example"))
    };
    let (out, found) = run("2026-01-31", "expired");
    assert!(out.contains("`ignore` of `.env` expired on 31 Jan 2026, so nothing is left out for it"), "{out}");
    assert!(found);
    let (out, _) = run("2999-01-31", "current");
    assert!(!out.contains("expired on") && out.contains("as `ignore` says"), "{out}");
}
