//! What is fuzzed: every reader of text that others write, as a plain function of bytes that must not panic, hang or break
//! a rule. `tests/integration/fuzz.rs` runs each on the stable toolchain; `fuzz_targets/` wraps each for cargo-fuzz.

use std::collections::BTreeMap;
use std::path::PathBuf;

use deadstop::collector::{Options, collect};
use deadstop::embedded::TEMPLATES;
use deadstop::signature::{Allowed, Kind, State, Trust, checked};
use deadstop::surroundings::Surroundings;
use deadstop_core::assess::assess;
use deadstop_core::assessment::Assessment;
use deadstop_core::fact::Fact;
use deadstop_core::gate::{Call, FileText, GATES, Ground, Level, McpServer, shell as lines};
use deadstop_core::id::SessionId;
use deadstop_core::policy::Policy;
use deadstop_core::redact::{Level as Redact, redact};
use deadstop_core::render::{self, SarifFlavour};
use deadstop_core::time::Time;
use deadstop_core::verdict::{Rank, Severity};
use deadstop_core::{bundle, check, iam, meaning, program as agent_program, quote, shorthand};

/// What is done with bytes.
type Body = fn(&[u8]);

/// Every body by its name, which is that of its target.
pub(crate) const ALL: [(&str, Body); 15] = [
    ("assessment", assessment),
    ("bundle", facts),
    ("check", a_check),
    ("condition", condition),
    ("config", config),
    ("gate", gate),
    ("iam", policy),
    ("meaning", call),
    ("program", program),
    ("quote", message),
    ("scan", scan),
    ("shell", shell),
    ("signature", signature),
    ("store", store),
    ("world", world),
];

/// Runs the body of that name.
pub(crate) fn run(name: &str, data: &[u8]) {
    for (_, body) in ALL.iter().filter(|(own, _)| *own == name) {
        body(data);
    }
}

fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// A signature, or who may sign: what is no signature of this manifest is none, whoever may sign.
fn signature(data: &[u8]) {
    let manifest = b"not what the seed is a signature of";
    let mut trust = Trust::default();
    if let Ok(allowed) = Allowed::parse(&text(data)) {
        trust.ssh = Some((allowed, "anna".to_owned(), Time::from_unix(1_800_000_000)));
    }
    assert!(matches!(checked(Kind::Ssh, data, manifest, &trust), State::Bad(_)));
    assert!(!matches!(checked(Kind::Minisign, data, manifest, &trust), State::Good { .. }));
}

/// A bundle: what is read can be merged, assessed and written, and reads back as itself.
fn facts(data: &[u8]) {
    let Ok(read) = bundle::parse(&text(data)) else { return };
    let merged = bundle::merge(&[read.clone(), read]);
    let again = bundle::parse(&bundle::to_json(&merged));
    assert!(again.is_ok_and(|again| again == merged), "a bundle reads back as it was written");
    shown(&assess(&merged, &Policy::default()));
}

/// An assessment: what is read is rendered in every format.
fn assessment(data: &[u8]) {
    if let Ok(read) = serde_json::from_slice::<Assessment>(data) {
        shown(&read);
    }
}

fn shown(assessment: &Assessment) {
    let limits = render::Limits { answer: Rank::SlowedNoRecovery, severity: Severity::Critical };
    for level in [Redact::None, Redact::Names] {
        let Ok(assessment) = redact(assessment, level) else {
            panic!("an assessment that was read cannot be redacted")
        };
        let _ = render::html(&assessment, &TEMPLATES).map(drop);
        let _ = render::sarif(&assessment, SarifFlavour::Standard).map(drop);
        let _ = render::gitlab(&assessment).map(drop);
        drop((render::markdown(&assessment), render::junit(&assessment, limits), render::csv(&assessment)));
        let told = render::text(&assessment, false, 80);
        assert!(told.chars().all(|c| c == '\n' || !c.is_control()), "what would steer a terminal is spelled out");
    }
}

/// A check file, as one of a folder.
fn a_check(data: &[u8]) {
    let _ = check::load::load(&[("x/locked.yaml".to_owned(), text(data))], true).map(drop);
}

/// A condition, in a check that is right but for it.
fn condition(data: &[u8]) {
    let quoted = serde_json::to_string(&text(data)).unwrap_or_default();
    let whole = format!(
        "id: x/locked\ntitle: T\nitem: recovery\nsubject: asset\nseverity: high\npass_if: {quoted}\nmessage: m\nwhy: w\nfix: f\n\
         references: [https://example.org/]\ncases:\n  - {{name: a, asset: {{}}, expect: unknown}}\n"
    );
    let _ = check::load::load(&[("x/locked.yaml".to_owned(), whole)], false).map(drop);
}

/// A configuration.
fn config(data: &[u8]) {
    let _ = deadstop::config::check(&text(data), &PathBuf::from("deadstop.yaml"));
}

/// Settings of each agent, as each of its files and at each level; then every kind of call.
fn gate(data: &[u8]) {
    let text = text(data);
    let ground = Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() };
    let (at, session) = (Time::from_unix(1_800_000_000), SessionId::from("s"));
    for gate in GATES {
        for file in gate.files() {
            let writable = file.level != Level::Managed;
            let read =
                FileText { level: file.level, path: file.path.to_owned(), text: Fact::Known(text.clone()), writable };
            let policy = gate.parse(&[read], &ground);
            let none: &[McpServer] = &[];
            drop(policy.ways(&session, none, at));
            drop(policy.refusals(&session, none, "/repo/.env"));
            for call in [
                Call::shell("rm -rf /"),
                Call::shell(text.lines().next().unwrap_or_default()),
                Call::Read { path: "/repo/.env".to_owned() },
                Call::Edit { path: "~/x".to_owned() },
                Call::Fetch { domain: "example.org".to_owned() },
                Call::Mcp { server: "a".to_owned(), tool: "b".to_owned() },
            ] {
                drop(policy.decide(&call));
            }
        }
    }
}

/// Requests for AWS with their policies, and a policy inside a request that is right but for it.
fn policy(data: &[u8]) {
    let text = text(data);
    let _ = iam::simulate::simulate(&text).map(drop);
    let whole = format!(
        "{{\"request\": {{\"principal\": \"arn:aws:iam::123456789012:user/ci\", \"action\": \"s3:DeleteBucket\", \"resource\": \
         {{\"resource\": \"arn:aws:s3:::prod\", \"accountId\": \"123456789012\"}}, \"context\": {{}}}}, \"identityPolicies\": \
         [{{\"name\": \"p\", \"policy\": {text}}}]}}"
    );
    let _ = iam::simulate::simulate(&whole).map(drop);
}

/// Code of an agent program in each language: whatever is found in it is written as facts, and a gate that asks stands somewhere.
fn program(data: &[u8]) {
    let text = text(data);
    let _ = agent_program::concerns(data);
    for ending in ["py", "ts", "tsx", "js"] {
        let source = agent_program::Source { path: format!("a.{ending}"), dotted: "a".to_owned(), text: text.clone() };
        let Some(found) = agent_program::read(&[source], &|_| None) else { continue };
        for tool in &found.tools {
            assert!(
                tool.gate != agent_program::Gate::Asks || tool.gate_at.is_some(),
                "a gate that asks stands somewhere"
            );
        }
        let session = SessionId::from("program:.");
        let carried = agent_program::carried(&found, &session, Time::from_unix(0));
        let open = !found.open.is_empty() || found.tools.iter().any(|tool| !tool.reaches.doubts.is_empty());
        assert_eq!(open, carried.gap.is_some(), "what is not plain is a gap");
        assert!(carried.ways.iter().any(|way| way.decision.gap().is_some()), "code may do more than was found in it");
    }
}

/// A message of a parser: whatever it quotes, what looks like a secret is not repeated.
fn message(data: &[u8]) {
    const SECRET: &str = "Zk7Qm2Xw9Rt4Lp8Vb3Nc6Hd1";
    let text = text(data);
    drop((quote::word(&text), quote::message(&text).into_owned()));
    // Beside whatever separates words it is known for what it is.
    let told = quote::guarded(&format!("{text} {SECRET} {text}"));
    assert!(!told.contains(SECRET), "a secret is repeated");
}

/// A command line: its parts are parts of it.
fn shell(data: &[u8]) {
    let text = text(data);
    let _ = lines::split(&text).map(drop);
    let (first, rest) = lines::word(&text);
    assert!(first.len() + rest.len() <= text.len());
    assert!(lines::words(&text).iter().all(|word| text.contains(word)));
}

/// A call: whatever it is, it is read, and what stands in front of it takes nothing away.
fn call(data: &[u8]) {
    let text = text(data);
    let around = meaning::Around { makefile: Some(text.clone()), ..meaning::Around::default() };
    let plain = meaning::of_command(&text, &around);
    let quoted = format!("sh -c '{}'", text.replace('\'', "'\\''"));
    if quoted.len() <= meaning::LONGEST && plain.doubts.is_empty() {
        let wrapped = meaning::of_command(&quoted, &around);
        assert!(plain.amounts.is_subset(&wrapped.amounts), "a shell takes nothing away");
        assert!(plain.harmless() || !wrapped.harmless(), "a shell makes nothing harmless");
    }
    let _ = meaning::of_words(&text.split(' ').map(str::to_owned).collect::<Vec<_>>(), &around);
    let arguments = serde_json::json!({ "sql": &text, "command": &text, "kind": &text });
    let _ = meaning::of_tool("supabase", "execute_sql", Some(&arguments), &around);
    let _ = meaning::of_tool("kubernetes", "resources_delete", Some(&arguments), &around);
    let _ = meaning::of_fetch(&text);
    let _ = meaning::of_write(&text);
}

/// A file of any name, read for credentials.
fn scan(data: &[u8]) {
    read(&[
        ("work/notes.conf", data),
        ("work/.env", data),
        ("work/a.json", data),
        ("work/a.yaml", data),
        ("work/a.toml", data),
    ]);
}

/// The same text as each file that has a reader of its own.
fn store(data: &[u8]) {
    let files = [
        "home/.aws/credentials",
        "home/.aws/config",
        "home/.aws/sso/cache/a.json",
        "home/.railway/config.json",
        "home/.config/gh/hosts.yml",
        "home/.kube/config",
        "home/.pgpass",
        "home/.my.cnf",
        "home/.netrc",
        "home/.git-credentials",
        "home/.docker/config.json",
        "home/.npmrc",
        "work/.mcp.json",
        "work/.git/config",
        "work/infra/terraform.tfstate",
        "work/.vercel/project.json",
    ];
    read(&files.map(|name| (name, data)));
}

fn read(files: &[(&str, &[u8])]) {
    let Ok(folder) = tempfile::tempdir() else { return };
    for (name, data) in files {
        let path = folder.path().join(name);
        if path.parent().is_some_and(|parent| std::fs::create_dir_all(parent).is_ok()) {
            let _ = std::fs::write(path, data);
        }
    }
    let around = Surroundings {
        home: Some(folder.path().join("home")),
        env: BTreeMap::new(),
        roots: vec![folder.path().join("work")],
        cwd: folder.path().join("work"),
        now: Time::from_unix(1_800_000_000),
        machine: "0123456789ab".to_owned(),
        uid: 1000,
        system: None,
    };
    let found = collect(&around, &Options::default(), &[SessionId::from("plain")]);
    drop(serde_json::to_string(&found));
}

/// A world in short notation.
fn world(data: &[u8]) {
    let _ = shorthand::expand(&text(data)).map(drop);
}
