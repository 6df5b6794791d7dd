//! Checks: what loads, what does not and why, and what the built-in ones find.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the harness hands the files of worlds/ to the core")]

#[path = "support/checks.rs"]
mod checks;

use deadstop_core::assess::assess_with;
use deadstop_core::bundle::merge;
use deadstop_core::check::expr::Condition;
use deadstop_core::check::load::{json_schema, load};
use deadstop_core::check::subject::Subject;
use deadstop_core::check::{CHECKLIST, CheckSet};
use deadstop_core::policy::{Policy, Waiver};
use deadstop_core::shorthand::expand;
use deadstop_core::time::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const GOOD: &str = "\
id: some-check
title: Asset is fine
item: recovery
subject: asset
severity: low
applies_if: asset.in_headline
pass_if: asset.recovery.copies > 0
message: '{{ asset.name }} has no copy'
why: Copies bring data back.
fix: Make one.
references: [https://example.org/]
maps_to: {nist_csf: [PR.DS-11]}
cases:
  - {name: one, asset: {in_headline: true, recovery: {copies: 1}}, expect: pass}
  - {name: none, asset: {in_headline: true, recovery: {copies: 0}}, expect: fail}
  - {name: not read, asset: {in_headline: true}, expect: unknown}
";

fn mistakes(name: &str, text: &str) -> Vec<String> {
    load(&[(name.to_owned(), text.to_owned())], true).err().map(|error| error.0).unwrap_or_default()
}

#[test]
fn every_mistake_is_told_with_its_place() {
    assert_eq!(mistakes("some-check.yaml", GOOD), Vec::<String>::new());
    for (from, to, place, says) in [
        ("id: some-check", "id: other-check", "1:5", "one name"),
        ("id: some-check", "id: Some_Check", "1:5", "small letters"),
        ("title: Asset", "title: Ensure asset", "2:8", "Ensure"),
        ("title: Asset is fine\n", "", "1:1", "lacks `title`"),
        ("item: recovery", "item: recovrey", "3:7", "did you mean `recovery`"),
        ("subject: asset", "subject: asett", "4:10", "did you mean `asset`"),
        ("severity: low", "severity: bad", "5:11", "cannot be `bad`"),
        ("severity: low", "severity: low\nseverity: high", "6:1", "given twice, first on line 5"),
        ("severity: low", "severity: low\ncolour: red", "6:1", "`colour` is no key"),
        ("{nist_csf: ", "{nist_cfs: ", "12:11", "did you mean `nist_csf`"),
        ("[https://example.org/]", "[]", "11:13", "public page"),
        ("[https://example.org/]", "['http://example.org/']", "11:13", "https://"),
        ("asset.in_headline\n", "asset.in_headlin\n", "6:18", "did you mean `in_headline`"),
        ("asset.recovery.copies > 0", "asset.recovery.copies == 'x'", "7:", "never alike"),
        ("asset.recovery.copies > 0", "asset.recovery.copies", "7:", "a condition is true or false"),
        ("{{ asset.name }}", "{{ asset.nam }}", "8:10", "no field that can be shown"),
        ("{{ asset.name }}", "{% for x in y %}", "8:10", "only fields"),
        ("expect: unknown", "expect: pass", "14:3", "no case for unknown"),
        ("{copies: 0}", "{copies: 2}", "15:5", "expects fail and gives pass"),
        ("{copies: 0}", "{copies: none}", "15:", "a whole number is wanted"),
        ("asset: {in_headline: true}, expect", "session: {counted: true}, expect", "16:5", "of its `asset`"),
        ("name: not read", "name: none", "16:5", "another case"),
        ("why: Copies bring data back.", "why: &a x\nfix: *a", "1:1", "aliases"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let found = mistakes("some-check.yaml", &text);
        let wanted = format!("some-check.yaml:{place}");
        let told = found.iter().any(|one| one.starts_with(&wanted) && one.contains(says));
        assert!(told, "{to}: {found:?}");
    }
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let text = GOOD.replace("severity: low", "severity: bad").replace("item: recovery", "item: bad");
    assert_eq!(mistakes("some-check.yaml", &text).len(), 2);
    let twice = [("a/some-check.yaml", GOOD), ("b/some-check.yaml", GOOD)];
    let twice = twice.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert!(load(&twice, true).unwrap_err().0.concat().contains("another check"));
    let third = GOOD.replace("id: some-check", "id: northwind/some-check");
    assert_eq!(mistakes("some-check.yaml", &third), Vec::<String>::new());
}

/// Each way in which CEL would look at the absence of a fact, or answer a slip of the pen.
#[test]
fn a_condition_cannot_look_at_absence() {
    for (source, says) in [
        ("has(asset.environment)", "`has()`"),
        ("asset", "is no value"),
        ("asset.recovery.pitr", "is no value"),
        ("size(asset) > 0", "is no value"),
        ("'environment' in asset", "is no value"),
        ("asset == asset", "is no value"),
        ("asset['environment'] == 'x'", "named with a full stop"),
        ("asset.?environment.hasValue()", ""),
        ("asset.kind == 3", "never alike"),
        ("asset.in_headline == 'yes'", "never alike"),
        ("asset.class == 'databse'", "did you mean `database`"),
        ("asset.class in ['database', 'bukket']", "did you mean `bucket`"),
        ("nope.x", "is not there"),
        ("asset.nope", "is no field"),
        ("undefinedfn(asset.kind)", "cannot be used"),
        ("asset.kind.matches('.*')", "cannot be used"),
        ("timestamp('2026-01-01T00:00:00Z') > timestamp(asset.kind)", "cannot be used"),
        ("{'a': 1}.a == 1", "maps"),
        ("asset.kind == null", "only yes or no"),
        ("asset.protections == []", "lists are not compared"),
        ("asset.protections.exists(p, p.nope)", "is no field"),
        ("asset.protections.exists(p, p == p)", "is no value"),
        ("asset.rpo_hours / 0 == 1", "cannot be used"),
        ("asset.kind > 'a'", "a number is wanted"),
        ("asset.in_headline &&", "not CEL"),
    ] {
        let slips = Condition::compile(source, Subject::Asset).unwrap_err();
        assert!(slips.iter().any(|slip| slip.message.contains(says)), "{source}: {slips:?}");
    }
    for source in [
        "asset.class in ['database', 'bucket'] ? asset.in_headline : !asset.in_headline",
        "asset.protections.all(p, p.enabled) && size(asset.protections) > 1",
        "size(asset.protections.filter(p, p.locked)) == 2",
        "asset.protections.map(p, p.kind).exists(k, k.startsWith('Object'))",
        "asset.protections.exists_one(p, p.side == 'confirm')",
        "asset.rpo_hours + 1 - 2 * 3 <= 4",
    ] {
        assert!(Condition::compile(source, Subject::Asset).is_ok(), "{source}");
    }
}

#[test]
fn hostile_checks_are_refused_in_no_time() {
    let bomb = format!("a: &a [x]\n{}", (0..30).map(|n| format!("b{n}: &b{n} [*a, *a]\n")).collect::<String>());
    for text in [
        String::new(),
        "[".repeat(100_000),
        "\u{0}".to_owned(),
        bomb,
        "x".repeat(1 << 20),
        GOOD.replace("asset.in_headline\n", &format!("'{}true{}'\n", "(".repeat(10_000), ")".repeat(10_000))),
        GOOD.replace("asset.in_headline\n", &format!("'{}true'\n", "!".repeat(10_000))),
        GOOD.replace("asset.in_headline\n", &format!("'{}true'\n", "!".repeat(1_900))),
        GOOD.replace("asset.in_headline\n", &format!("'1{} > 0'\n", " + 1".repeat(400))),
        GOOD.replace("asset.in_headline\n", &format!("'asset{}'\n", ".a".repeat(900))),
        GOOD.replace("asset.in_headline\n", &format!("'true{}'\n", "?true:true".repeat(190))),
    ] {
        assert!(!mistakes("some-check.yaml", &text).is_empty(), "{}", text.chars().take(300).collect::<String>());
    }
}

fn controls() -> BTreeMap<String, Vec<String>> {
    serde_yaml::from_str(include_str!("../data/controls.yaml")).unwrap()
}

#[test]
fn the_built_in_checks_cover_the_checklist_and_every_subject() {
    let checks = checks::built_in();
    assert!(checks.len() >= 36, "{} checks", checks.len());
    let items: BTreeSet<&str> = checks.iter().map(|check| check.item.as_str()).collect();
    assert_eq!(items, CHECKLIST.iter().map(|(item, _)| *item).collect());
    let subjects: BTreeSet<Subject> = checks.iter().map(|check| check.subject).collect();
    assert_eq!(subjects, Subject::ALL.into_iter().collect());
    let controls = controls();
    for check in checks.iter() {
        assert!(!check.maps_to.is_empty(), "{} maps to nothing", check.id);
        for (framework, ids) in &check.maps_to {
            for id in ids {
                assert!(controls[framework].contains(id), "{}: {framework} has no {id}", check.id);
            }
        }
    }
    for (name, _) in checks::files() {
        let (area, file) = name.split_once('/').unwrap();
        assert_eq!(checks.get(file.strip_suffix(".yaml").unwrap()).unwrap().item, area, "{name}");
    }
}

fn world(name: &str) -> (deadstop_core::bundle::Bundle, Policy) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../worlds/{name}.yaml"));
    let (bundles, meta) = expand(&fs::read_to_string(path).unwrap()).unwrap();
    (merge(&bundles), meta.policy)
}

fn verdicts(checks: &CheckSet, name: &str, check: &str) -> BTreeMap<String, String> {
    let (bundle, policy) = world(name);
    let found = assess_with(&bundle, &policy, checks).findings.into_iter().filter(|one| one.check == check);
    found.map(|one| (one.subject_name.into(), one.verdict.into())).collect()
}

#[test]
fn the_reported_incident_is_found() {
    let checks = checks::built_in();
    let survives = verdicts(&checks, "pocketos", "asset-would-survive-a-delete");
    for (asset, verdict) in [("bookings", "fail"), ("exports", "fail"), ("ledger", "pass"), ("vehicle-photos", "pass")]
    {
        assert_eq!(survives[asset], verdict, "{asset}");
    }
    assert_eq!(survives["northwind-contracts"], "not_applicable");
    assert_eq!(survives["pricing"], "unknown");
    let staging = verdicts(&checks, "pocketos", "no-production-credential-in-staging-session");
    assert_eq!(staging["Cursor in staging"], "fail");
    assert_eq!(verdicts(&checks, "pocketos", "no-bypass-mode")["Cursor in staging"], "fail");
    assert_eq!(verdicts(&checks, "hardened", "session-destroys-no-production")["Cursor in staging"], "pass");
    let critical = assess_with(&world("hardened").0, &world("hardened").1, &checks).findings;
    let critical: Vec<_> = critical.iter().filter(|one| one.severity == "critical" && one.verdict == "fail").collect();
    assert!(critical.is_empty(), "{critical:?}");
}

#[test]
fn every_subject_has_one_verdict_of_each_of_its_checks() {
    let checks = checks::built_in();
    let (bundle, policy) = world("pocketos");
    let assessment = assess_with(&bundle, &policy, &checks);
    let count = |kind: &str| {
        let of = assessment.findings.iter().filter(|one| one.subject_kind == kind && one.subject != "?").count();
        of / checks.iter().filter(|check| check.subject.word() == kind).count()
    };
    assert_eq!(count("asset"), assessment.assets.len());
    assert_eq!(count("credential"), assessment.credentials.len());
    assert_eq!(count("session"), assessment.sessions.len());
    assert_eq!(count("path"), assessment.paths.iter().map(|path| &path.key).collect::<BTreeSet<_>>().len());
    assert_eq!(assessment.checks.len(), checks.len());
}

/// A key whose own user may nothing, beside a role that it can assume: what it can become counts as its own.
#[test]
fn what_a_credential_can_become_counts() {
    let found = |step: &str| {
        let facts = format!(
            "about: what can be become
facts:
- machine: laptop
  sessions: [{{id: claude, agent: claude-code}}]
  ways: [{{id: shell, session: claude, kind: shell}}]
  credentials: [{{id: key, provider: aws, kind: access_key, identity: dev, read_by: [claude]}}]
  principals: [{{id: dev, provider: aws, name: user dev}}, {{id: admin, provider: aws, name: role admin}}]
  grants: [{{principal: admin, actions: ['*']}}]
  steps: [{step}]
  assets:
    - {{id: live, provider: aws, kind: db_instance, class: database, environment: production}}
    - {{id: test, provider: aws, kind: db_instance, class: database, environment: staging}}
expect: {{}}
"
        );
        let bundle = merge(&expand(&facts).unwrap().0);
        let found = assess_with(&bundle, &Policy::default(), &checks::built_in()).findings.into_iter();
        let wanted = ["one-credential-one-environment", "credential-in-reach-destroys-no-production"];
        let of_key = found.filter(|one| one.subject_kind == "credential" && wanted.contains(&one.check.as_str()));
        of_key.map(|one| one.verdict).collect::<Vec<_>>()
    };
    let step = |needs: &str, more: &str| {
        format!(
            "{{id: assume, needs: [{needs}], gains: [{{principal: admin}}], changes: false, because: assume{more}}}"
        )
    };
    assert_eq!(found(""), ["pass", "pass"]);
    for needs in ["{principal: dev}", "{credential: key}"] {
        assert_eq!(found(&step(needs, "")), ["fail", "fail"], "{needs}");
        assert_eq!(found(&step(needs, ", possible: {unknown: denied}")), ["unknown", "unknown"], "{needs}");
    }
    // A step that takes more than the identity is not surely open to it.
    assert_eq!(found(&step("{principal: dev}, {lifted: mfa}", "")), ["unknown", "unknown"]);
}

#[test]
fn a_listing_that_was_cut_off_is_an_unknown_of_every_check_over_it() {
    let checks = checks::built_in();
    let (mut bundle, policy) = world("hardened");
    let source = bundle.sources.first().unwrap().id.clone();
    bundle.credentials.gaps.push(deadstop_core::fact::Gap { source, reason: deadstop_core::fact::GapReason::Denied });
    let assessment = assess_with(&bundle, &policy, &checks);
    for check in checks.iter().filter(|check| check.subject == Subject::Credential) {
        let found = assessment.findings.iter().find(|one| one.check == check.id && one.subject == "?").unwrap();
        assert_eq!(found.verdict, "unknown", "{}", check.id);
        assert!(found.message.contains("access was denied"), "{}", found.message);
    }
}

#[test]
fn a_waiver_stands_beside_the_verdict_until_it_expires() {
    let checks = checks::built_in();
    let (bundle, mut policy) = world("pocketos");
    let now = assess_with(&bundle, &policy, &checks).assessed_at;
    let key = "railway:storefront/production/vol-bookings";
    let waiver = Waiver {
        check: "asset-has-independent-copy".to_owned(),
        subject: key.to_owned(),
        reason: "made again in an hour".to_owned(),
        approved_by: "A. Person".to_owned(),
        expires: now.plus(Span::days(1)),
    };
    for (expires, accepted) in [(waiver.expires, true), (now, false)] {
        policy.waivers = vec![Waiver { expires, ..waiver.clone() }];
        let findings = assess_with(&bundle, &policy, &checks).findings;
        let found = findings.iter().find(|one| one.check == waiver.check && one.subject == key).unwrap();
        assert_eq!((found.verdict.as_str(), found.waiver.is_some()), ("fail", accepted), "{found:?}");
        assert_eq!(found.message.contains("expired on"), !accepted);
    }
}

#[test]
fn the_schema_knows_every_field() {
    let schema = json_schema();
    for subject in Subject::ALL {
        let fields = &schema["$defs"]["CaseFile"]["properties"][subject.word()]["properties"];
        assert_eq!(fields.as_object().unwrap().len(), subject.fields().len());
    }
}
