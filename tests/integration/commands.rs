//! What each command prints, writes and ends with.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::program::Place;

const REPORT: [&str; 9] = [
    ".gitignore",
    "assessment.json",
    "calls.jsonl",
    "deadstop.sarif",
    "facts.json",
    "junit.xml",
    "manifest.json",
    "report.html",
    "summary.md",
];

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn help_lists_what_works_and_nothing_else() {
    let place = Place::new();
    let help = place.expect(0, &["--help"]).out;
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let listed: Vec<&str> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let wanted = "run credentials demo collect assess report checks init schema completions man iam permissions sign verify diff export fix tabletop what-if help";
    assert_eq!(listed, wanted.split(' ').collect::<Vec<_>>());
    assert!(help.contains("Examples:") && help.contains("Exit codes:"));
    assert!(help.contains("--live") && help.contains("--offline"));
    for command in &listed {
        place.expect(0, &["help", command]);
    }
    assert!(place.expect(0, &["--version"]).out.starts_with("deadstop 0."));
}

#[test]
fn a_demo_is_a_show_unless_it_is_asked_to_fail() {
    let place = Place::new();
    let show = place.expect(0, &["demo"]);
    assert!(show.out.starts_with("Nothing, for "), "{}", show.out);
    assert!(show.out.contains("Exit 0, as this is a show; for `run` it would be 1: "), "{}", show.out);
    assert!(show.out.contains("Report: deadstop-report/report.html\n"));
    assert!(show.out.ends_with("Nothing left this machine.\n"));
    assert_eq!(show.err, "");
    assert_eq!(place.names("deadstop-report"), REPORT);
    let mode = fs::metadata(place.path("deadstop-report")).unwrap().permissions().mode();
    assert_eq!((mode & 0o777, place.read("deadstop-report/.gitignore").as_str()), (0o700, "*\n"));
    assert!(place.expect(1, &["demo", "--fail-on", "nothing"]).out.contains("Exit 1: "));
    assert!(place.expect(0, &["demo", "--fail-on", "nothing", "--exit-zero"]).out.contains("as --exit-zero asks"));
    let quiet = place.expect(0, &["demo", "--quiet"]);
    assert!(!quiet.out.contains("Exit 0") && quiet.out.starts_with("Nothing, for "));
}

#[test]
fn a_manifest_holds_the_hash_of_each_file() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "r"]);
    let manifest = json(&place.read("r/manifest.json"));
    assert_eq!(manifest["schema"], "deadstop.manifest/1");
    for name in REPORT.iter().filter(|name| !matches!(**name, ".gitignore" | "manifest.json")) {
        let hash = std::process::Command::new("sha256sum").arg(place.path("r").join(name)).output().unwrap();
        let hash = String::from_utf8(hash.stdout).unwrap();
        assert_eq!(manifest["files"][name].as_str(), hash.split(' ').next(), "{name}");
    }
}

#[test]
fn every_world_is_listed_shown_and_the_same_each_time() {
    let place = Place::new();
    let list = place.expect(0, &["demo", "--list"]).out;
    let worlds: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(worlds.contains(&"pocketos"), "{list}");
    for world in worlds {
        place.expect(0, &["demo", world, "-o", "one"]);
        place.expect(0, &["demo", world, "-o", "two"]);
        for name in REPORT {
            assert_eq!(place.read(&format!("one/{name}")), place.read(&format!("two/{name}")), "{world} {name}");
        }
    }
}

#[test]
fn a_fix_is_shown_by_its_number_and_by_its_key() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "before"]);
    let before = json(&place.read("before/assessment.json"));
    let minimal: Vec<&str> = before["fixes"]["minimal"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let all = before["fixes"]["all"].as_array().unwrap();
    let keys = minimal.iter().map(|id| all.iter().find(|fix| fix["id"] == **id).unwrap()["key"].as_str().unwrap());
    let mut args = vec!["demo", "--fail-on", "slowed", "-o", "after"];
    for key in keys {
        args.extend(["--with-fix", key]);
    }
    // The plan brings every production asset to `stopped`, so that nothing is left at the threshold.
    place.expect(0, &args);
    place.expect(0, &["demo", "--with-fix", minimal[0], "-o", "one"]);
}

#[test]
fn the_three_stages_apart_give_what_they_give_together() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "demo"]);
    let facts = "demo/facts.json";
    let found = place.expect(1, &["assess", facts, facts, "-o", "assessment.json"]);
    assert!(found.out.contains("Exit 1: ") && found.out.contains("Assessment: assessment.json"), "{}", found.out);
    place.expect(0, &["assess", facts, "--exit-zero", "-o", "again.json"]);
    assert_eq!(place.read("assessment.json"), place.read("again.json"), "merging a bundle with itself changes nothing");
    let piped = place.expect(1, &["assess", facts, "-o", "-"]);
    assert_eq!(piped.out, place.read("assessment.json"));
    let held = std::fs::File::open(place.path(facts)).unwrap();
    let from_pipe = place.command(&["assess", "-", "-o", "-"]).stdin(held).output().unwrap();
    assert_eq!(String::from_utf8(from_pipe.stdout).unwrap(), piped.out);
    place.expect(0, &["report", "assessment.json", "--format", "html,json,markdown", "-o", "."]);
    assert!(place.read("report.html").contains("<html") && place.read("summary.md").starts_with('#'));
    let one = place.expect(0, &["report", "assessment.json", "--format", "markdown", "-o", "-"]);
    assert_eq!(one.out, place.read("summary.md"));
    assert!(place.expect(0, &["report", "assessment.json", "--format", "text"]).out.starts_with("Nothing, for "));
}

#[test]
fn nothing_found_is_no_pass_and_teaches_the_next_step() {
    let place = Place::new();
    let ran = place.expect(3, &["run", "work"]);
    assert!(ran.out.starts_with("Unknown"), "{}", ran.out);
    assert!(ran.out.contains("Exit 3: no production asset was found"), "{}", ran.out);
    assert!(ran.out.contains("Next: ") && ran.out.contains("deadstop demo"), "{}", ran.out);
    assert!(place.expect(0, &["credentials", "work"]).out.contains("No credential was found."));
}

/// What the first commands of someone without any account print: each says what it did and what comes next.
#[test]
fn each_first_step_names_the_next() {
    let place = Place::new();
    assert!(place.expect(0, &["demo"]).out.contains("Next: `deadstop run ~/code/shop` asks the same"));
    let collected = place.expect(0, &["collect", "work"]).err;
    assert!(collected.starts_with("Facts of 1 session, 0 credentials and 0 assets are in facts.json."), "{collected}");
    assert!(collected.ends_with("Next: deadstop assess facts.json\n"), "{collected}");
    let assessed = place.expect(3, &["assess", "facts.json"]).out;
    assert!(assessed.ends_with("Assessment: assessment.json\nNext: deadstop report assessment.json\n"), "{assessed}");
    assert_eq!(place.expect(0, &["report", "assessment.json"]).err, "wrote report.html\n");
    let begun = place.expect(0, &["init", "work"]).err;
    assert!(
        begun.starts_with("Wrote deadstop.yaml, from 1 session, 0 credentials and 0 assets found here."),
        "{begun}"
    );
    // What `checks new` says to do works beside a configuration.
    place.expect(0, &["checks", "new", "database-has-owner"]);
    place.expect(0, &["checks", "test", "."]);
}

#[test]
fn a_run_finds_what_lies_about_and_tells_no_secret() {
    let place = Place::new();
    let secret = "0c2f8a1e-7b64-4d1f-9a3e-5d7c2b9e8f10";
    place.write("work/deploy/.env", &format!("RAILWAY_API_TOKEN={secret}\n"));
    place.write("work/.gitignore", ".env\n");
    let run = place.run(&["run", "work"]);
    assert_eq!(run.code, 3, "{}\n{}", run.out, run.err);
    // What the terminal breaks over two lines is one sentence.
    let told = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("run with --live, or merge facts of Railway (--merge)"), "{told}");
    let listed = place.expect(0, &["credentials", "work", "--format", "json"]);
    let row = json(listed.out.lines().next().unwrap());
    for key in ["id", "key", "provider", "kind", "public_id", "status", "identity", "scope", "environment", "locations"]
    {
        assert!(row.get(key).is_some(), "{key}: {row}");
    }
    assert_eq!(
        (&row["provider"], &row["locations"][0]["key"]),
        (&Value::from("railway"), &Value::from("RAILWAY_API_TOKEN"))
    );
    place.expect(0, &["collect", "work", "-o", "facts.json"]);
    let mut written = vec![run.out, run.err, listed.out, listed.err, place.read("facts.json")];
    written.extend(REPORT.iter().map(|name| place.read(&format!("deadstop-report/{name}"))));
    for text in written {
        assert!(!text.contains(&secret[4..18]), "a part of a secret is in {text}");
    }
}

#[test]
fn a_run_names_the_rule_by_which_codex_lets_a_command_out() {
    let place = Place::new();
    place.write("home/.codex/rules/default.rules", "# what was allowed before\nprefix_rule(pattern=[\"vercel\"])\n");
    let root = place.path("work").canonicalize().unwrap();
    let server = "[mcp_servers.pg]\nurl = \"https://pg.example.com/mcp\"\nbearer_token_env_var = \"PG_TOKEN\"\n";
    let trust = format!("[projects.\"{}\"]\ntrust_level = \"trusted\"\n", root.display());
    place.write("home/.codex/config.toml", &format!("{trust}{server}"));
    let root = root.display().to_string();
    let run = place.run(&["run", &root]);
    assert_eq!(run.code, 3, "{}\n{}", run.out, run.err);
    let facts = json(&place.read("deadstop-report/facts.json"));
    let ways = facts["ways"]["items"].as_array().unwrap();
    let named = |way: &&Value, id: &str| way["id"].as_str().is_some_and(|whole| whole.ends_with(id));
    let way = |id: &str| ways.iter().find(|way| named(way, id)).unwrap_or_else(|| panic!("{id}: {ways:?}"));
    let out = way("codex/cli/vercel");
    assert_eq!((&out["decision"], &out["contained"]), (&Value::from("allow"), &Value::from(false)));
    assert_eq!(out["rule"], "prefix_rule(vercel)");
    assert!(out["because"].as_str().unwrap().contains("~/.codex/rules/default.rules:2"), "{out}");
    assert_eq!((&way("codex/bash")["contained"], &way("codex/mcp/pg")["contained"]), (&true.into(), &false.into()));
    let sources = facts["sources"].as_array().unwrap();
    assert!(sources.iter().any(|source| source["place"] == "~/.codex/config.toml:3"), "{sources:?}");
    let page = place.read("deadstop-report/report.html");
    assert!(page.contains("default.rules:2"));
}

#[test]
fn a_plan_reads_nothing_and_calls_nobody() {
    let place = Place::new();
    for command in ["run", "collect", "credentials"] {
        let ran = place.expect(0, &[command, "work", "--plan"]);
        assert!(ran.out.starts_with("No call would be made"), "{}", ran.out);
        assert!(ran.out.contains(place.path("work").canonicalize().unwrap().to_str().unwrap()), "{}", ran.out);
    }
    assert_eq!(place.names("."), ["home", "work"]);
}

#[test]
fn schemas_accept_what_is_written() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "r"]);
    for (name, file) in [("facts", "facts.json"), ("assessment", "assessment.json"), ("manifest", "manifest.json")] {
        let schema = json(&place.expect(0, &["schema", name]).out);
        let written = json(&place.read(&format!("r/{file}")));
        let validator = jsonschema::validator_for(&schema).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&written).map(|error| error.to_string()).take(3).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
    }
    json(&place.expect(0, &["schema", "config"]).out);
}

#[test]
fn variables_stand_for_flags_and_others_change_nothing() {
    let place = Place::new();
    let ran = place.command(&["demo"]).env("DEADSTOP_FAIL_ON", "nothing").env("DEADSTOP_OUTPUT", "r").output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(place.path("r/report.html").exists());
    let coloured = place.command(&["demo", "--color", "always"]).output().unwrap();
    assert!(coloured.stdout.contains(&0x1b));
    let plain = place.command(&["demo"]).env("CLICOLOR_FORCE", "1").env("TERM", "xterm").output().unwrap();
    assert!(!plain.stdout.contains(&0x1b), "no terminal, no colour");
}

#[test]
fn iam_requests_are_decided_offline() {
    let place = Place::new();
    let request = |context: &str, complete: bool| {
        format!(
            r#"{{"request": {{"principal": "arn:aws:iam::123456789012:user/ci", "action": "s3:DeleteBucket",
            "resource": {{"resource": "arn:aws:s3:::prod", "accountId": "123456789012"}}, "context": {context}}},
            "contextComplete": {complete}, "identityPolicies": [{{"name": "p", "policy": {{"Version": "2012-10-17",
            "Statement": {{"Effect": "Allow", "Action": "s3:*", "Resource": "*",
            "Condition": {{"Bool": {{"aws:MultiFactorAuthPresent": "true"}}}}}}}}}}]}}"#
        )
    };
    place.write("one.json", &request(r#"{"aws:MultiFactorAuthPresent": "true"}"#, true));
    let one = json(&place.expect(0, &["iam", "simulate", "one.json"]).out);
    assert_eq!(one["decision"], "Allowed");
    assert_eq!(one["decided_by"], serde_json::json!([{"policy": "p", "statement": 0}]));
    place.write("many.json", &format!("[{}, {}]", request("{}", true), request("{}", false)));
    let many = json(&place.expect(3, &["iam", "simulate", "many.json"]).out);
    assert_eq!(
        (many[0]["decision"].as_str(), many[1]["decision"].as_str()),
        (Some("ImplicitlyDenied"), Some("Depends"))
    );
    assert_eq!(many[1]["depends_on"], serde_json::json!(["aws:multifactorauthpresent"]));
    place.write("bad.json", &request("7", true));
    assert!(
        place.expect(2, &["iam", "simulate", "bad.json"]).err.contains("request 1: request.context: it is no object")
    );
}

#[test]
fn permissions_are_told_for_every_provider_that_is_asked() {
    use clap::ValueEnum as _;
    let place = Place::new();
    let policy = place.expect(0, &["permissions"]).out;
    assert_eq!(policy, place.expect(0, &["permissions", "aws"]).out);
    assert_eq!(policy, place.expect(0, &["permissions", "--provider", "aws"]).out);
    assert!(place.expect(2, &["permissions", "--provider", "nowhere"]).err.contains("it asks aiven, aws"));
    let reads = json(&policy)["Statement"][0]["Action"].as_array().unwrap().clone();
    assert!(reads.contains(&Value::from("rds:DescribeDBInstances")), "{policy}");
    let named: Vec<String> = deadstop::cli::Asked::value_variants()
        .iter()
        .map(|asked| asked.to_possible_value().unwrap().get_name().to_owned())
        .collect();
    assert_eq!(named, deadstop::provider::names().collect::<Vec<_>>());
    for name in named.iter().filter(|name| *name != "aws") {
        let told = place.expect(0, &["permissions", name]).out;
        if let Some(engine) = deadstop::provider::databases::ENGINES.iter().find(|engine| engine.name == name) {
            assert!(engine.questions.list.iter().all(|one| told.contains(one.text)), "{told}");
            assert!(engine.questions.list.len() > 3 && told.starts_with(['-', '#', '/']), "{told}");
            continue;
        }
        if name == deadstop::provider::kubernetes::NAME {
            // A role that lists and does nothing else.
            let role: Value = serde_yaml::from_str(&told).unwrap();
            assert_eq!(role["kind"], "ClusterRole", "{told}");
            let rules = role["rules"].as_array().unwrap();
            assert!(rules.len() > 2 && rules.iter().all(|rule| rule["verbs"] == serde_json::json!(["list"])), "{told}");
            let granted = |operation: &str| {
                let mut resources = rules.iter().flat_map(|rule| rule["resources"].as_array().unwrap());
                let wanted = operation.trim_start_matches("list ").split([' ', '.']).next();
                resources.any(|resource| resource.as_str() == wanted)
            };
            for operation in deadstop::provider::kubernetes::operations() {
                assert!(granted(operation) || told.contains(&format!("# {operation}\n")), "{operation}: {told}");
            }
            continue;
        }
        let asked = told.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>();
        // Methods of Google's have names of their own, of which the last word says what they do.
        let reads = ["aggregatedList", "get", "list", "search", "testIamPermissions", "token"];
        let method = |line: &str| name == "google" && line.rsplit('.').next().is_some_and(|verb| reads.contains(&verb));
        let known = |line: &&str| line.starts_with("query ") || line.starts_with("GET /") || method(line);
        assert!(asked.iter().all(known), "{told}");
        let plan = deadstop::provider::plans().find(|plan| plan.provider == name).unwrap();
        assert!(asked.len() > 2 && asked.len() == plan.operations.len() && told.starts_with("# "), "{told}");
    }
}
