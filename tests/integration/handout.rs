//! What is handed out: editions for an audience, a logo, and names replaced.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use serde_json::Value;

use crate::program::Place;

const FORMATS: &str = "html,json,markdown,sarif,junit,csv,gitlab,ocsf,oscal";

/// A client's home and project, in which every name is one that no one else has.
fn furnished() -> Place {
    let place = Place::new();
    place.write(
        "work/zorvex/.env",
        "CALDER_DATABASE_URL=postgres://quillan:Zk7Qm2Xw9Rt4Lp8V@db.mordane.internal:5432/thessaly-prod\nPELAGOS_TOKEN=0c2f8a1e-7b64-4d1f-9a3e-5d7c2b9e8f10\n",
    );
    place.write(
        "work/.mcp.json",
        "{\"mcpServers\": {\"ophelia-db\": {\"command\": \"npx\", \"args\": [\"@calder/ophelia\"]}}}",
    );
    place.write(
        "work/.claude/settings.json",
        "{\"permissions\": {\"deny\": [\"Bash(zorvexctl:*)\", \"mcp__ophelia-db__drop\"]}}",
    );
    place.write(
        "home/.aws/config",
        "[profile vexillo]\nrole_arn = arn:aws:iam::609629065308:role/kestrel-admin\nsource_profile = default\n",
    );
    place.write(
        "work/infra/terraform.tfstate",
        "{\"version\": 4, \"resources\": [{\"mode\": \"managed\", \"type\": \"aws_s3_bucket\", \"name\": \"f\", \"instances\": [{\"attributes\": {\"arn\": \"arn:aws:s3:::brindle-archive\", \"bucket\": \"brindle-archive\"}}]}]}",
    );
    place.write(
        "work/.git/config",
        "[remote \"origin\"]\n\turl = https://ines.marlowe:0123456789abcdefZk@github.com/calder/zorvex.git\n",
    );
    place.write(
        "own.yaml",
        "schema: deadstop.config/1
engagement: {client: Calder Freight, assessor: Tamsin Osei, period: 2026-Q4}
sessions: [{name: gallivant, agent: claude-code, environment: hibernia}]
environments: {hibernia: {match: ['*thessaly*']}}
assets: [{key: 'arn:aws:s3:::brindle-archive', owner: ines.marlowe@calder.example, rpo: 1h, rto: 4h}]
waivers: [{check: asset-would-survive-a-delete, subject: 'arn:aws:s3:::brindle-archive', reason: asked Fenwick, approved_by: Ines Marlowe, expires: 2999-01-31}]
",
    );
    place
}

const ACCOUNTS: [&str; 1] = ["609629065308"];
const PEOPLE: [&str; 4] = ["marlowe", "ines", "osei", "fenwick"];
const NAMES: [&str; 13] = [
    "zorvex",
    "calder",
    "quillan",
    "mordane",
    "thessaly",
    "pelagos",
    "ophelia",
    "vexillo",
    "kestrel",
    "brindle",
    "gallivant",
    "hibernia",
    "db.mordane",
];

/// Everything that a run at a level writes and shows, by file.
fn run(place: &Place, level: &str) -> Vec<(String, String)> {
    let folder = format!("report-{level}");
    let args =
        ["run", "work", "--config", "own.yaml", "--exit-zero", "--format", FORMATS, "--redact", level, "-o", &folder];
    let out = place.expect(0, &args).out;
    // What is closing is for whoever runs it: where the report is.
    let shown = out.split("\nExit 0").next().unwrap().split("\nNote: ").next().unwrap().to_owned();
    let mut all = vec![("standard output".to_owned(), shown)];
    all.extend(place.names(&folder).into_iter().map(|name| {
        let text = place.read(&format!("{folder}/{name}"));
        (name, text)
    }));
    all
}

fn holds(text: &str, name: &str) -> bool {
    // A short name may be a part of any word; a long one may not.
    let (word, low) = (|c: char| c.is_alphanumeric(), text.to_lowercase());
    low.match_indices(name).any(|(at, _)| {
        let inside = |c: Option<char>| c.is_some_and(word);
        name.len() > 5 || !(inside(low[..at].chars().next_back()) || inside(low[at + name.len()..].chars().next()))
    })
}

#[test]
fn no_name_is_left_in_any_format() {
    let place = furnished();
    let whole = run(&place, "none");
    let told: String = whole.iter().map(|(_, text)| text.to_lowercase()).collect();
    for name in ACCOUNTS.iter().chain(&PEOPLE).chain(&NAMES) {
        assert!(told.contains(name), "{name} is not told without --redact, so that nothing is shown with it");
    }
    for (level, hidden, kept) in [
        ("accounts", vec![&ACCOUNTS[..]], &["brindle", "marlowe"][..]),
        ("people", vec![&ACCOUNTS[..], &PEOPLE], &["brindle", "zorvex"]),
        ("names", vec![&ACCOUNTS[..], &PEOPLE, &NAMES], &[]),
    ] {
        let files = run(&place, level);
        assert!(files.iter().all(|(name, _)| name != "facts.json"), "the facts hold every name");
        for (file, text) in &files {
            for name in hidden.iter().flat_map(|names| names.iter()) {
                let at = text.to_lowercase().find(name);
                assert!(
                    !holds(text, name),
                    "{name} is in {file} at {level}: {:?}",
                    at.map(|at| &text[at.saturating_sub(60)..text.len().min(at + 60)])
                );
            }
        }
        let all: String = files.iter().map(|(_, text)| text.to_lowercase()).collect();
        assert!(kept.iter().all(|name| all.contains(name)), "{level} replaces more than it says");
    }
}

/// A later hand-out into the same folder leaves nothing of the earlier one that would undo it.
#[test]
fn facts_of_an_earlier_report_do_not_stay() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "r"]);
    assert!(place.names("r").contains(&"facts.json".to_owned()));
    let out = place.expect(0, &["demo", "--redact", "names", "-o", "r"]).out;
    assert!(!place.names("r").contains(&"facts.json".to_owned()) && out.contains("facts.json"), "{out}");
    place.expect(0, &["demo", "-o", "r"]);
    assert!(place.names("r").contains(&"facts.json".to_owned()));
}

/// The names of an assessment, from its own fields.
fn names(assessment: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |value: &Value| found.extend(value.as_str().map(str::to_lowercase));
    let rows = |key: &str| assessment[key].as_array().unwrap().clone();
    for asset in rows("assets") {
        ["name", "key", "owner"].into_iter().for_each(|key| add(&asset[key]));
        asset["recovery_points"].as_array().unwrap().iter().for_each(|copy| add(&copy["key"]));
    }
    for credential in rows("credentials") {
        ["identity", "public_id"].into_iter().for_each(|key| add(&credential[key]));
        credential["locations"].as_array().unwrap().iter().for_each(|at| add(&at["path"]));
    }
    for path in rows("paths") {
        path["principals"].as_array().unwrap().iter().for_each(&mut add);
        add(&path["key"]);
    }
    for session in rows("sessions").iter().filter(|session| session["agent"] != "plain") {
        add(&session["name"]);
    }
    add(&assessment["subject"]["client"]);
    // Words that anyone has for such a thing name no one.
    // Ordinary words, which keys and sentences of Deadstop's own hold whatever is replaced.
    found.retain(|name| {
        name.len() > 3
            && !["environment", "production", "database", "staging", "main", "sessions", "lists", "audit"]
                .contains(&name.as_str())
    });
    found
}

#[test]
fn the_built_in_worlds_lose_every_name_and_keep_every_answer() {
    let place = Place::new();
    let mut left = Vec::new();
    for world in ["pocketos", "terraform-destroy", "code-freeze", "own-role", "hardened"] {
        place.expect(0, &["demo", world, "-o", "whole", "--format", FORMATS]);
        place.expect(0, &["demo", world, "-o", "names", "--format", FORMATS, "--redact", "names"]);
        let whole: Value = serde_json::from_str(&place.read("whole/assessment.json")).unwrap();
        let named: Value = serde_json::from_str(&place.read("names/assessment.json")).unwrap();
        for key in ["headline", "assets", "paths"] {
            let told = |one: &Value| (one["answer"].clone(), one["bounds"].clone(), one["counts"].clone());
            let answers = |all: &Value| {
                all[key].as_array().map_or_else(|| vec![told(&all[key])], |rows| rows.iter().map(told).collect())
            };
            assert_eq!(answers(&whole), answers(&named), "{world}");
        }
        let mut files = place.names("names");
        files.retain(|name| name != "manifest.json" && name != ".gitignore");
        for file in files {
            let text = place.read(&format!("names/{file}")).replace("&#x2f;", "/");
            for name in names(&whole) {
                if holds(&text, &name) {
                    left.push(format!("{world}: {name} is in {file}"));
                }
            }
        }
        // Rendered again from the whole one it is the same.
        place.expect(
            0,
            &["report", "whole/assessment.json", "--format", "json", "--redact", "names", "-o", "again.json"],
        );
        assert_eq!(place.read("again.json"), place.read("names/assessment.json"), "{world}");
    }
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_picture_is_shown_and_what_is_none_is_said_to_be_none() {
    let place = Place::new();
    let config =
        |logo: &str| format!("schema: deadstop.config/1\nengagement: {{client: Northwind, logo: \"{logo}\"}}\n");
    std::fs::create_dir_all(place.path("audit/signs")).unwrap();
    std::fs::write(place.path("audit/signs/logo.png"), b"\x89PNG\r\n\x1a\n0000").unwrap();
    std::fs::write(place.path("audit/large.png"), [&b"\x89PNG\r\n\x1a\n"[..], &[0; 200_000]].concat()).unwrap();
    std::fs::write(place.path("secret.png"), b"\x89PNG\r\n\x1a\n0000").unwrap();
    std::os::unix::fs::symlink(place.path("secret.png"), place.path("audit/link.png")).unwrap();
    place.write("audit/logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>");
    let demo = |logo: &str| {
        place.write("audit/own.yaml", &config(logo));
        let out = place.expect(0, &["demo", "--config", "audit/own.yaml", "-o", "r"]).out;
        (out, place.read("r/report.html"))
    };
    let (out, page) = demo("signs/logo.png");
    assert!(!out.contains("engagement.logo") && page.contains("<img class=\"logo\" src=\"data:image&#x2f;png;base64,"));
    for (logo, why) in [
        ("logo.svg", "it is no PNG, JPEG or WebP picture; SVG is not taken, as it may hold a script"),
        ("large.png", "it is larger than 200 kB"),
        ("none.png", "it cannot be read: No such file or directory"),
        ("../secret.png", "it is to lie in the folder of the configuration"),
        ("/etc/passwd", "it is to lie in the folder of the configuration"),
        ("link.png", "it is no file in the folder of the configuration"),
        ("signs", "it is no file in the folder of the configuration"),
    ] {
        let (out, page) = demo(logo);
        assert!(out.contains(&format!("`{logo}` of `engagement.logo` is not shown: {why}")), "{logo}: {out}");
        assert!(!page.contains("<img") && !page.contains("img-src"), "{logo}");
    }
    place.write("deadstop.yaml", &config("secret.png"));
    let out = place.expect(0, &["demo", "-o", "r"]).out;
    assert!(out.contains("it is read only for a configuration that --config names"), "{out}");
    assert!(!place.read("r/report.html").contains("<img"));
}

#[test]
fn an_edition_is_for_the_page_and_changes_no_answer() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "full"]);
    for who in ["executive", "technical"] {
        place.expect(0, &["demo", "-o", who, "--audience", who]);
        assert!(place.read(&format!("{who}/report.html")).contains("What this edition leaves out"));
        assert_eq!(place.read(&format!("{who}/assessment.json")), place.read("full/assessment.json"));
        let page = place.expect(0, &["report", "full/assessment.json", "--audience", who, "-o", "-"]).out;
        assert_eq!(page, place.read(&format!("{who}/report.html")));
    }
}

#[test]
fn the_page_says_what_changed_since_a_baseline_and_a_hand_out_does_not() {
    let place = Place::new();
    place.run(&["demo", "hardened", "-o", "old"]);
    let shown = place.run(&["demo", "pocketos", "-o", "new", "--baseline", "old/assessment.json"]);
    let page = place.read("new/report.html");
    assert!(page.contains("What changed since") && page.contains("data-changes=\"New assets\""), "{}", shown.out);
    let again = place.expect(0, &["report", "new/assessment.json", "--baseline", "old/assessment.json", "-o", "-"]);
    assert_eq!(again.out, page, "the same two files give the same page");
    let alone = place.expect(0, &["report", "new/assessment.json", "-o", "-"]).out;
    assert!(!alone.contains("What changed since"));
    let given = ["report", "new/assessment.json", "--baseline", "old/assessment.json", "--redact", "names", "-o", "-"];
    let given = place.expect(0, &given);
    assert!(!given.out.contains("What changed since") && given.err.contains("it is left out"), "{}", given.err);
    let made = place.run(&["demo", "pocketos", "-o", "for", "--baseline", "old/assessment.json", "--redact", "names"]);
    assert!(made.out.contains("what changed since the baseline holds the names"), "{}", made.out);
    assert!(!place.read("for/report.html").contains("What changed since"));
}
