//! Wrong use is exit 2 and one clear message with a place, and what to do.

use crate::program::Place;

#[test]
fn usage_errors() {
    let place = Place::new();
    place.write("empty.json", "");
    place.write("list.json", "[]");
    place.write("future.json", "{\"schema\": \"deadstop.facts/9\"}");
    place.write("half.json", "{\n  \"schema\": \"deadstop.facts/1\",\n  \"collected_at\": 7\n}");
    place.write("text", "x");
    for (args, wanted) in [
        (&[][..], "Usage"),
        (&["demmo"], "a similar subcommand exists: 'demo'"),
        (&["rnu"], "a similar subcommand exists: 'run'"),
        (&["credentails", "."], "a similar subcommand exists: 'credentials'"),
        (&["checks", "tets"], "a similar subcommand exists: 'test'"),
        (&["iam", "simluate"], "a similar subcommand exists: 'simulate'"),
        (&["run", "--formt", "html"], "a similar argument exists: '--format'"),
        (&["demo", "pocketsos"], "there is no world `pocketsos`; there are"),
        (&["iam", "simulate"], "there is no request in the input: `deadstop iam simulate --help` shows one"),
        (&["run", "--fail-no", "nothing"], "--fail-on"),
        (&["run", "--fail-on", "evrything"], "`evrything` is neither an answer (nothing, slowed-no-recovery,"),
        (&["run", "--target", "safe"], "`safe` is no target; there are stopped,"),
        (&["run", "--assessed-at", "yesterday"], "`yesterday` is not a date or time: write `2026-11-24`"),
        (&["run", "--read-time", "long"], "`long` is not a length of time"),
        (&["run", "--home", "home", "--no-home"], "cannot be used with"),
        (&["demo", "--live"], "`--live` is for run, collect and credentials"),
        (
            &["run", "--live", "--provider", "linode"],
            "this version asks `aiven`, `aws`, `cloudflare`, `digitalocean`, `fly`, `github`, `google`, `heroku`, `kubernetes`, `mongodb`, `mongodb_atlas`, `mysql`, `neon`, `planetscale`, `postgres`, `railway`, `redis`, `render`, `supabase`, `terraform`, `turso`, `upstash` and `vercel`",
        ),
        (&["run", "nowhere"], "cannot read the folder `nowhere`"),
        (&["run", "text"], "`text` is no folder"),
        (&["run", "--home", "nowhere"], "cannot read the home folder `nowhere`"),
        (&["run", "work", "-o", "-"], "standard output cannot hold"),
        (&["demo", "atlantis"], "there is no world `atlantis`; there are"),
        (&["demo", "--with-fix", "F99"], "has no fix `F99`; it has"),
        (&["assess"], "<FACTS>"),
        (&["assess", "nowhere.json"], "cannot read `nowhere.json`"),
        (&["assess", "empty.json"], "`empty.json` is no facts bundle: line 1, column 0"),
        (&["assess", "list.json"], "`list.json` is no facts bundle: line 1, column "),
        (&["assess", "future.json"], "the schema is `deadstop.facts/9`, and this version reads `deadstop.facts/1`"),
        (&["assess", "half.json"], "`half.json` is no facts bundle: line 3, column "),
        (&["assess", "work"], "work"),
        (&["report", "future.json"], "`future.json` is no assessment"),
        (&["collect", "work", "--merge", "list.json"], "`list.json` is no facts bundle"),
        (&["schema", "chekc"], "possible values: config, facts, assessment, manifest, check"),
        (&["--config", "nowhere.yaml", "demo"], "cannot read `nowhere.yaml`"),
    ] {
        let ran = place.expect(2, args);
        assert!(ran.err.contains(wanted), "{args:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{args:?}");
        assert!(!ran.err.contains("panicked"), "{args:?}: {}", ran.err);
    }
    assert_eq!(place.names("."), ["empty.json", "future.json", "half.json", "home", "list.json", "text", "work"]);
}

#[test]
fn every_command_that_reads_a_configuration_refuses_a_wrong_one() {
    let place = Place::new();
    place.write("deadstop.yaml", "schema: deadstop.config/1\nwaver: []\npolicy: {time_to_notice: soon}\n");
    for args in [&["run", "work"][..], &["credentials", "work"], &["demo"], &["collect", "work"]] {
        let ran = place.expect(2, args);
        assert!(ran.err.contains("deadstop.yaml:2:1: `waver` is no key; did you mean `waivers`?"), "{}", ran.err);
        assert!(ran.err.contains("deadstop.yaml:3:26: `policy.time_to_notice`: `soon`"), "{}", ran.err);
    }
    assert_eq!(place.names("."), ["deadstop.yaml", "home", "work"]);
}

#[test]
fn a_hostile_configuration_does_not_steer_the_terminal() {
    let place = Place::new();
    place.write("deadstop.yaml", "schema: deadstop.config/1\n\"\\e]0;owned\\a\": 1\n");
    let ran = place.expect(2, &["run", "work"]);
    assert!(ran.err.contains("deadstop.yaml:2:1") && !ran.err.contains('\u{1b}'), "{:?}", ran.err);
}

#[test]
fn a_configuration_that_was_not_named_does_not_excuse() {
    let place = Place::new();
    let key = "railway:storefront/production/vol-bookings";
    place.write(
        "deadstop.yaml",
        &format!(
            "schema: deadstop.config/1\npolicy: {{fail_on: [nothing]}}\nwaivers: [{{check: asset-would-survive-a-delete, subject: \"{key}\", reason: r, approved_by: p, expires: 2099-01-01}}]\n"
        ),
    );
    place.expect(0, &["demo", "-o", "demo"]);
    let facts = "demo/facts.json";
    let found = place.expect(1, &["assess", facts]);
    assert!(found.out.contains("deadstop.yaml was not named by --config"), "{}", found.out);
    assert!(!found.out.contains("accepted by a waiver"), "{}", found.out);
    let named = place.expect(1, &["assess", facts, "--config", "deadstop.yaml"]);
    assert!(named.out.contains("`nothing` or worse; 1 accepted by a waiver"), "{}", named.out);
}
