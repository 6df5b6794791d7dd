//! No piece of a secret leaves memory: every command, with every format, at every level of the log, with and without what
//! goes wrong, over a home and a project full of secrets, and with secrets typed where none belongs.

mod plant;

use plant::{Eye, Planted};

/// Every way to log: the format and how often `-v`, by turns to standard error and to a file.
const LOGS: [&[&str]; 8] = [
    &["--log-format=text"],
    &["--log-format=text", "-v", "--log-file=out/log"],
    &["--log-format=text", "-vv"],
    &["--log-format=text", "-vvv", "--log-file=out/log"],
    &["--log-format=json", "--log-file=out/log"],
    &["--log-format=json", "-v"],
    &["--log-format=json", "-vv", "--log-file=out/log"],
    &["--log-format=json", "-vvv"],
];

/// Runs `args` in every way to log and holds all that comes out to the rule.
fn every_log(planted: &Planted, eye: &mut Eye, code: i32, args: &[&str]) {
    for log in LOGS {
        once(planted, eye, code, args, log, &[]);
    }
}

fn once(planted: &Planted, eye: &mut Eye, code: i32, args: &[&str], log: &[&str], env: &[(&str, &str)]) {
    let place = &planted.place;
    let out = place.path("out");
    let _ = std::fs::remove_dir_all(&out);
    std::fs::create_dir_all(out.join("temporary")).unwrap();
    let mut command = place.command(args);
    command.args(log).env("TMPDIR", out.join("temporary")).envs(env.iter().copied());
    let done = command.output().unwrap();
    let shown: Vec<&str> = args.iter().map(|arg| &arg[..arg.len().min(9)]).collect();
    let what = format!("{shown:?} {log:?}");
    eye.look(&format!("{what}: standard output"), &done.stdout);
    eye.look(&format!("{what}: standard error"), &done.stderr);
    eye.look_below(&what, &out);
    if done.status.code() != Some(code) {
        let (got, err) = (done.status, String::from_utf8_lossy(&done.stderr));
        eye.told.push(format!("{what}: {got} instead of {code}: {err}"));
    }
}

/// The scope that all these share: the planted home, with a secret among the variables.
const SCOPE: [&str; 3] = ["work", "--read-time", "60s"];

fn with_scope<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[command], &SCOPE[..], more].concat()
}

#[test]
fn what_is_read_is_told_without_its_secrets() {
    let planted = Planted::new();
    let mut eye = planted.eye();
    let formats = "html,json,markdown,sarif,junit,csv,gitlab,ocsf,oscal";
    for (code, args) in [
        (3, with_scope("run", &["-o", "out/report", "--format", formats])),
        (0, with_scope("credentials", &[])),
        (0, with_scope("credentials", &["--format", "json"])),
        (0, with_scope("collect", &["-o", "out/facts.json"])),
        (0, with_scope("collect", &["-o", "-", "--plan"])),
        (0, with_scope("init", &["-o", "out/deadstop.yaml"])),
    ] {
        every_log(&planted, &mut eye, code, &args);
    }
    // All of it was there to be told.
    let listed = planted.place.expect(0, &with_scope("credentials", &["--format", "json"])).out;
    assert!(listed.lines().count() >= 20, "{listed}");
}

#[test]
fn what_was_read_is_assessed_and_rendered_without_its_secrets() {
    let planted = Planted::new();
    let mut eye = planted.eye();
    planted.place.expect(0, &with_scope("collect", &["-o", "facts.json"]));
    planted.place.expect(3, &["assess", "facts.json", "-o", "assessment.json"]);
    every_log(&planted, &mut eye, 3, &["assess", "facts.json", "facts.json", "-o", "out/a.json"]);
    let formats = "html,json,markdown,sarif,junit,csv,gitlab,ocsf,oscal";
    every_log(&planted, &mut eye, 0, &["report", "assessment.json", "--format", formats, "-o", "out"]);
    for format in formats.split(',').chain(["text"]) {
        let args = ["report", "assessment.json", "--sarif-flavour", "standard", "--format", format, "-o", "-"];
        once(&planted, &mut eye, 0, &args, LOGS[7], &[]);
    }
}

/// What cannot be written, whatever it was about to hold.
#[test]
fn what_cannot_be_written_is_named_without_what_it_was_to_hold() {
    let planted = Planted::new();
    let mut eye = planted.eye();
    planted.place.expect(0, &with_scope("collect", &["-o", "facts.json"]));
    planted.place.expect(3, &["assess", "facts.json", "-o", "assessment.json"]);
    for to in ["/dev/full", "/proc/deadstop", "/dev/null/x"] {
        for args in [
            with_scope("run", &["-o", to]),
            with_scope("collect", &["-o", to]),
            with_scope("init", &["-o", to]),
            vec!["assess", "facts.json", "-o", to],
            vec!["report", "assessment.json", "-o", to],
            vec!["report", "assessment.json", "--format", "csv,html", "-o", to],
            vec!["man", "-o", to],
        ] {
            once(&planted, &mut eye, 2, &args, LOGS[7], &[]);
        }
    }
    every_log(&planted, &mut eye, 2, &with_scope("collect", &["-o", "/dev/full"]));
    once(&planted, &mut eye, 2, &with_scope("credentials", &["--log-file", "/proc/x"]), &["-vvv"], &[]);
}

/// Texts in which a secret stands where something else belongs: `@@` is the secret.
const CONFIGURATIONS: [&str; 22] = [
    "@@",
    "@@: 1\n",
    "schema: @@\n",
    "schema: deadstop.config/1\n@@: [1]\n",
    "schema: deadstop.config/1\nwaivers: @@\n",
    "schema: deadstop.config/1\nwaivers: [{check: @@}]\n",
    "schema: deadstop.config/1\nwaivers: [{check: x, subject: y, reason: z, approved_by: a, expires: @@}]\n",
    "schema: deadstop.config/1\npolicy: {fail_on: [@@]}\n",
    "schema: deadstop.config/1\npolicy: {fix_target: @@}\n",
    "schema: deadstop.config/1\npolicy: {time_to_notice: @@}\n",
    "schema: deadstop.config/1\npolicy: {@@: 90d}\n",
    "schema: deadstop.config/1\nproviders: {aws: {token_env: @@-x}}\n",
    "schema: deadstop.config/1\nproviders: {aws: {@@: x}}\n",
    "schema: deadstop.config/1\nproviders: {@@: 1}\n",
    "schema: deadstop.config/1\nproviders: {railway: {token_env: \"@@ \"}}\n",
    "schema: deadstop.config/1\nassets: [{key: x, criticality: @@}]\n",
    "schema: deadstop.config/1\nassets: [{key: x, rpo: @@}]\n",
    "schema: deadstop.config/1\nenvironments: {@@: [x]}\n",
    "schema: deadstop.config/1\n? [@@]\n: x\n",
    "schema: deadstop.config/1\nsessions: [{name: a, agent: b, roots: {@@: @@}}]\n",
    "schema: deadstop.config/1\nwaivers: \"@@\n",
    "schema: deadstop.config/1\nwaivers: !@@ [*@@, &@@ x]\n\t@@\n",
];

#[test]
fn a_wrong_configuration_is_told_without_what_was_typed() {
    let mut planted = Planted::new();
    let secret = planted.more("the configuration");
    let mut eye = planted.eye();
    for text in CONFIGURATIONS {
        planted.place.write("own.yaml", &text.replace("@@", &secret));
        for command in ["run", "credentials", "collect"] {
            once(&planted, &mut eye, 2, &with_scope(command, &["--config", "own.yaml"]), LOGS[7], &[]);
        }
        once(&planted, &mut eye, 2, &["demo", "--config", "own.yaml", "-o", "out/r"], LOGS[3], &[]);
    }
    every_log(&planted, &mut eye, 2, &["demo", "--config", "own.yaml", "-o", "out/r"]);
}

/// No bundle, no assessment and no request: `@@` is the secret.
const RECORDS: [&str; 16] = [
    "@@",
    "RAILWAY_TOKEN=@@\n",
    "\"@@\"",
    "[\"@@\"]",
    "{\"@@\": 1}",
    "{\"schema\": \"@@\"}",
    "{\"schema\": [\"@@\"]}",
    "{\"schema\": \"deadstop.facts/1\", \"collected_at\": \"@@\"}",
    "{\"schema\": \"deadstop.facts/1\", \"@@\": {}}",
    "{\"schema\": \"deadstop.facts/1\", \"credentials\": {\"items\": [{\"@@\": \"@@\"}]}}",
    "{\"schema\": \"deadstop.facts/1\", \"tool\": \"@@\"}",
    "{\"schema\": \"deadstop.assessment/1\", \"assessed_at\": \"@@\"}",
    "{\"schema\": \"deadstop.assessment/1\", \"headline\": {\"answer\": \"@@\"}}",
    "{\"schema\": \"deadstop.assessment/1\", \"assets\": \"@@\"}",
    "{\"request\": {\"principal\": \"@@\", \"action\": \"@@\", \"resource\": \"@@\"}}",
    "{\"request\": {\"principal\": \"arn:aws:iam::123456789012:user/ci\", \"action\": \"s3:GetObject\", \"resource\": {\"resource\": \"arn:aws:s3:::b\"}, \"context\": {}}, \"identityPolicies\": [{\"name\": \"p\", \"policy\": {\"Version\": \"@@\", \"Statement\": {\"Effect\": \"@@\", \"@@\": 1, \"Action\": \"@@\", \"Resource\": \"*\", \"Condition\": {\"@@\": {\"@@\": \"@@\"}}}}}]}",
];

#[test]
fn what_is_no_bundle_or_assessment_is_told_without_what_it_is() {
    let mut planted = Planted::new();
    let secret = planted.more("the record");
    let mut eye = planted.eye();
    for text in RECORDS {
        planted.place.write("record.json", &text.replace("@@", &secret));
        for args in [
            vec!["assess", "record.json", "-o", "out/a.json"],
            vec!["report", "record.json", "-o", "out/r.html"],
            vec!["iam", "simulate", "record.json"],
            with_scope("collect", &["--merge", "record.json", "-o", "out/f.json"]),
            vec!["demo", "--config", "record.json", "-o", "out/r"],
        ] {
            once(&planted, &mut eye, 2, &args, LOGS[7], &[]);
        }
    }
    for command in ["assess", "report"] {
        every_log(&planted, &mut eye, 2, &[command, "record.json", "-o", "out/x"]);
    }
}

/// A check and what is put wrong in it: `@@` is the secret.
const CHECKS: [(&str, &str); 17] = [
    ("id: ours/locked", "id: @@"),
    ("id: ours/locked", "@@: 1"),
    ("item: recovery", "item: @@"),
    ("subject: asset", "subject: @@"),
    ("severity: high", "severity: @@"),
    ("asset.class == 'vault'", "asset.@@ == 'x'"),
    ("asset.class == 'vault'", "asset.class == '@@"),
    ("asset.class == 'vault'", "asset.class == '@@'"),
    ("asset.class == 'vault'", "asset.class == @@"),
    ("asset.class == 'vault'", "@@(asset.class)"),
    ("asset.class == 'vault'", "asset.class.@@('x')"),
    ("asset.class == 'vault'", "@@ @@ @@"),
    ("{{ asset.name }}", "{{ asset.@@ }}"),
    ("{{ asset.name }}", "{{ @@('@@') }} {% @@ %}"),
    ("references: [https://attack.mitre.org/techniques/T1490/]", "references: [@@]"),
    ("expect: pass", "expect: @@"),
    ("asset: {class: vault}", "asset: {class: @@, @@: 1}"),
];

const CHECK: &str = "\
id: ours/locked
title: Vault is locked
item: recovery
subject: asset
severity: high
applies_if: asset.class == 'vault'
pass_if: asset.protections.exists(p, p.locked)
message: '{{ asset.name }} is not locked'
why: An open vault is none.
fix: Lock it.
references: [https://attack.mitre.org/techniques/T1490/]
cases:
  - {name: locked, asset: {class: vault, protections: [{locked: true}]}, expect: pass}
  - {name: open, asset: {class: vault, protections: []}, expect: fail}
  - {name: not read, asset: {class: vault}, expect: unknown}
";

#[test]
fn a_wrong_check_is_told_without_what_was_typed() {
    let mut planted = Planted::new();
    let secret = planted.more("the check");
    let mut eye = planted.eye();
    for (right, wrong) in CHECKS {
        assert!(CHECK.contains(right), "{right}");
        planted.place.write("ours/locked.yaml", &CHECK.replacen(right, &wrong.replace("@@", &secret), 1));
        for args in [
            vec!["checks", "test", "ours"],
            vec!["checks", "list", "--checks", "ours"],
            vec!["checks", "show", "ours/locked", "--checks", "ours"],
            vec!["demo", "--checks", "ours", "-o", "out/r"],
        ] {
            once(&planted, &mut eye, 2, &args, LOGS[7], &[]);
        }
    }
    every_log(&planted, &mut eye, 2, &["checks", "test", "ours"]);
}

/// What is typed, or set as a variable, where no secret belongs.
#[test]
fn what_is_typed_in_the_wrong_place_is_not_repeated() {
    let mut planted = Planted::new();
    let secret = planted.more("the command line");
    let token = format!("sk-ant-api03-{}", planted.more("the token"));
    let url = format!("postgres://app:{}@db.example.test/shop", planted.more("the URL"));
    let uuid = planted.place.read("work/.env");
    let uuid = uuid.trim_start_matches("RAILWAY_TOKEN=").split('\n').next().unwrap().to_owned();
    let mut eye = planted.eye();
    let forms = "@@|--@@|--@@=x|-v=@@|help @@|demo @@|demo x @@|demo --with-fix @@|demo --color @@|demo --format @@|\
                 demo --quiet=@@|demo --@@|run @@|run --fail-on @@|run --target @@|run --assessed-at @@|run --home @@|\
                 run --read-time @@|run --merge @@|run --checks @@|run --config @@|run -o /dev/null/@@|\
                 run work -o /proc/@@|credentials @@|collect -o nowhere/@@/f|collect work -o @@/f|\
                 assess @@|assess @@.json|assess|report @@|report --@@|checks @@|checks show @@|checks new X@@|\
                 checks new a/b/@@|checks test @@|schema @@|completions @@|man -o /dev/null/@@|iam @@|iam simulate @@|\
                 iam simulate --@@|init -o nowhere/@@|demo --log-file @@/x|demo --log-format @@|demo --sarif-flavour @@";
    for typed in [&secret, &token, &url, &uuid] {
        for form in forms.split('|') {
            let args: Vec<String> = form.split(' ').map(|arg| arg.replace("@@", typed)).collect();
            let args: Vec<&str> = args.iter().map(String::as_str).filter(|arg| !arg.is_empty()).collect();
            once(&planted, &mut eye, 2, &args, &[], &[]);
        }
        for name in [
            "COLOR",
            "LOG_FORMAT",
            "FAIL_ON",
            "TARGET",
            "ASSESSED_AT",
            "READ_TIME",
            "CONFIG",
            "CHECKS",
            "MERGE",
            "FORMAT",
        ] {
            let name = format!("DEADSTOP_{name}");
            once(&planted, &mut eye, 2, &["run", "work", "-o", "out/r"], &[], &[(&name, typed)]);
        }
    }
}
