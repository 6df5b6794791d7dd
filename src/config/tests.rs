use super::*;
use deadstop_core::time::Span;
use deadstop_core::verdict::Rank;

fn config(text: &str, trusted: bool) -> Config {
    read(text, Path::new("deadstop.yaml"), trusted).unwrap()
}

fn mistakes(text: &str) -> Vec<String> {
    let error = read(text, Path::new("deadstop.yaml"), true).unwrap_err().to_string();
    error.lines().map(|line| line.strip_prefix("deadstop.yaml:").unwrap_or(line).to_owned()).collect()
}

/// Everything that the interface names.
const FULL: &str = r#"schema: deadstop.config/1
engagement: {client: Northwind Rentals, assessor: Example Audit Ltd, period: 2026-Q4, logo: logo.svg, handling: Confidential}
sessions:
  - name: cursor-staging
    agent: cursor
    environment: staging
    roots: [.]
    intended: [{provider: railway, project: storefront, environment: staging}]
environments:
  production:
    aws_accounts: ["111122223333"]
    railway: [{project: storefront, environment: production}]
    match: ["*prod*"]
  staging: {match: ["*stag*", "*dev*"]}
providers:
  aws: {profile: security-audit, regions: [eu-west-1], roles: ["arn:aws:iam::111122223333:role/audit"], endpoint: null}
  railway: {token_env: DEADSTOP_RAILWAY_TOKEN}
  postgres: {hosts: [db.internal.example]}
assets: [{key: "railway:a", criticality: high, rpo: 1h, rto: 4h, owner: platform}]
restore_tests: [{asset: "railway:a", copy: "c", tested_at: 2026-10-02, took: 38m, evidence: runbooks/restore-2026-10.md, by: "A. Person"}]
waivers: [{check: asset-would-survive-a-delete, subject: "railway:a", reason: "r", approved_by: "p", expires: 2027-01-31}]
ignore: [{location: "tests/fixtures/**", reason: "documented dummy keys", expires: 2027-01-31}]
fixes: [{fix: "f", owner: "o", due: 2026-12-15}]
policy: {fail_on: [slowed, critical], restore_test_max_age: 60d, time_to_notice: 3d, fact_max_age: 7d, fix_target: slowed}
"#;

#[test]
fn a_named_file_is_understood_whole() {
    let config = config(FULL, true);
    let policy = &config.policy;
    assert_eq!(policy.environments[0].name, "production");
    assert_eq!(policy.environments[0].ids, ["aws:account/111122223333", "railway:storefront/production"]);
    assert_eq!(policy.assets["railway:a"].rpo, Some(Span(3_600)));
    assert_eq!((policy.drills.len(), policy.waivers.len(), config.ignore.len()), (1, 1, 1));
    assert_eq!((policy.time_to_notice, policy.target), (Some(Span::days(3)), Rank::SlowedUntested));
    assert_eq!((policy.drill_max_age, policy.fact_max_age), (Span::days(60), Span::days(7)));
    assert_eq!(config.fail_on.map(Threshold::word), Some("slowed"));
    assert_eq!(policy.fixes["f"].due.as_deref(), Some("15 Dec 2026"));
    assert_eq!(config.sessions[0].name, "cursor-staging");
    assert!(policy.trusted);
}

#[test]
fn a_file_that_was_not_named_describes_and_does_not_excuse() {
    let config = config(FULL, false);
    let policy = &config.policy;
    assert!(!policy.trusted);
    assert!(policy.waivers.is_empty() && policy.drills.is_empty() && config.ignore.is_empty());
    assert_eq!((config.fail_on, policy.time_to_notice, policy.target), (None, None, Rank::Stopped));
    assert_eq!((policy.environments.len(), policy.assets.len(), config.sessions.len()), (2, 1, 1));
    let notes: Vec<_> = config.notes.iter().filter(|note| note.contains("--config")).collect();
    assert_eq!(notes.len(), 1, "one line: {:?}", config.notes);
    assert!(notes[0].contains("waivers, ignore, policy, restore_tests"));
}

#[test]
fn a_file_that_only_describes_says_nothing() {
    assert!(config("schema: deadstop.config/1\nassets: []\n", false).notes.is_empty());
}

#[test]
fn every_mistake_is_named_at_once() {
    let text = "schema: deadstop.config/1
waver: []
policy: {time_to_notice: soon, fail_on: [everything], fix_target: stoped}
waivers:
  - {check: c, subject: s}
  - check: c
    subject: s
    subject: t
    reason: r
    approved_by: p
    expires: someday
";
    assert_eq!(
        mistakes(text),
        [
            "2:1: `waver` is no key; did you mean `waivers`?",
            "3:26: `policy.time_to_notice`: `soon` is not a length of time: write whole numbers with s, m, h, d or w, such as `90d` or `1h30m`",
            "3:42: `policy.fail_on[0]` cannot be `everything`; there are nothing, slowed-no-recovery, recoverable-untested, recoverable, slowed, critical, high, medium, low",
            "3:67: `policy.fix_target` cannot be `stoped`; did you mean `stopped`?",
            "5:5: `waivers[0]` lacks `reason`, `approved_by`, `expires`",
            "8:5: `subject` is given twice, first on line 7",
            "11:14: `waivers[1].expires`: `someday` is not a date or time: write `2026-11-24` or `2026-11-24T06:00:00Z`",
        ]
    );
}

#[test]
fn one_mistake_each() {
    for (text, wanted) in [
        ("", "1:1: it is empty"),
        ("# nothing\n", "1:1: it is empty"),
        ("a: [", "2:1: "),
        ("policy: {}\n", "1:1: the configuration lacks `schema`"),
        (
            "schema: deadstop.config/2\n",
            "1:9: `schema` cannot be `deadstop.config/2`; this version reads `deadstop.config/1`",
        ),
        ("- schema\n", "1:1: the configuration is a list, and a map of keys is wanted"),
        ("schema: deadstop.config/1\nschema: deadstop.config/1\n", "2:1: `schema` is given twice, first on line 1"),
        ("schema: deadstop.config/1\nwaivers: no\n", "2:10: `waivers` is text, and a list is wanted"),
        ("schema: deadstop.config/1\nwaivers:\n", "`waivers` is empty, and a list is wanted"),
        (
            "schema: deadstop.config/1\nenvironments: {prod: {aws_accounts: [111122223333]}}\n",
            "2:38: `environments.prod.aws_accounts[0]` is a number: write it in quotes",
        ),
        ("schema: deadstop.config/1\nassets: [{key: a, criticality: hihg}]\n", "did you mean `high`?"),
        ("schema: deadstop.config/1\nassets: [{rpo: 1h}]\n", "2:10: `assets[0]` lacks `key`"),
        (
            "schema: deadstop.config/1\nassets: [{key: a, rpo: -1h}]\n",
            "2:24: `assets[0].rpo`: `-1h` is not a length of time",
        ),
        ("schema: deadstop.config/1\nignore: [{location: x}]\n", "2:10: `ignore[0]` lacks `reason`, `expires`"),
        (
            "schema: deadstop.config/1\nsessions: [{name: a, agent: cursor, root: [.]}]\n",
            "2:37: `root` is no key of `sessions[0]`; did you mean `roots`?",
        ),
        ("schema: deadstop.config/1\nproviders: {aws: {profil: x}}\n", "did you mean `profile`?"),
        (
            "schema: deadstop.config/1\nwaivers: [{check: c, subject: s, reason: '', approved_by: p, expires: 2027-01-31}]\n",
            "2:42: `waivers[0].reason`: it is empty",
        ),
    ] {
        let found = mistakes(text);
        assert_eq!(found.len(), 1, "{text:?}: {found:?}");
        assert!(found[0].contains(wanted), "{text:?}: {found:?}");
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let secret = "b7d1-EXAMPLE-4f2a";
    for text in [
        format!("schema: deadstop.config/1\nproviders: {{railway: {{token_env: {secret}}}}}\n"),
        format!("schema: deadstop.config/1\nproviders: {{railway: {{token: {secret}}}}}\n"),
        format!("schema: deadstop.config/1\nproviders: {{railway: {{{secret}: x}}}}\n"),
        format!("schema: deadstop.config/1\nproviders: {{{secret}: {{x: y}}}}\n"),
        format!("schema: deadstop.config/1\n{secret}: 1\n{secret}: 2\n"),
        format!("schema: {secret}\n"),
        format!(
            "schema: deadstop.config/1\npolicy: {{fail_on: [{secret}], fix_target: {secret}, time_to_notice: {secret}}}\n"
        ),
        format!("schema: deadstop.config/1\nassets: [{{key: k, criticality: {secret}}}]\n"),
        format!("schema: deadstop.config/1\nrestore_tests: [{{asset: a, copy: c, tested_at: {secret}}}]\n"),
        format!("schema: deadstop.config/1\nsessions: !{secret} {secret}\n"),
        format!("schema: deadstop.config/1\nsessions: *{secret}\n"),
        format!("schema: deadstop.config/1\nassets: &a [x]\nwaivers: [!x \"{secret}\"]\n"),
        format!("schema: deadstop.config/1\nwaivers: \"{secret}\n"),
    ] {
        let found = mistakes(&text).join("\n");
        assert!(!found.contains(secret), "{found}");
    }
}

#[test]
fn hostile_files_are_refused_in_no_time() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n";
    for text in [bomb.to_owned(), "[".repeat(200_000), "{a: ".repeat(100_000), "\u{1b}]0;x\u{7}: 1".to_owned()] {
        assert!(!mistakes(&text).is_empty());
    }
}
