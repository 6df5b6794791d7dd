//! Fingerprints under the user's key: one secret on two machines.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use serde_json::Value;

use crate::program::{Place, Ran};

const KEY: &str = "a key that only this team holds";
const TOKEN: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

/// The facts of one laptop, which holds the token in a file of its own.
fn laptop(place: &Place, file: &str, key: Option<&str>, out: &str) -> Ran {
    place.write(&format!("{out}/{file}"), &format!("RAILWAY_TOKEN={TOKEN}\n"));
    let (work, facts) = (place.path(out), format!("{out}.json"));
    let mut args = vec!["collect", work.to_str().unwrap_or_default(), "--no-env", "-o", &facts];
    if key.is_some() {
        args.extend(["--fingerprint-key-env", "TEAM_KEY"]);
    }
    let mut command = place.command(&args);
    command.envs(key.map(|key| ("TEAM_KEY", key)));
    let output = command.output().unwrap_or_else(|error| panic!("{error}"));
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The Railway tokens of both together.
fn together(place: &Place) -> Vec<Value> {
    let ran = place.run(&["assess", "one.json", "two.json", "--exit-zero", "-o", "both.json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let text = place.read("both.json");
    assert!(!text.contains(TOKEN));
    let all: Value = serde_json::from_str(&text).unwrap_or_default();
    let rows = all["credentials"].as_array().cloned().unwrap_or_default();
    rows.into_iter().filter(|row| row["provider"] == "railway").collect()
}

#[test]
fn with_the_key_one_secret_on_two_laptops_is_one_credential() {
    let place = Place::new();
    for (out, file) in [("one", ".env"), ("two", "deploy/settings.env")] {
        let ran = laptop(&place, file, Some(KEY), out);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let rows = together(&place);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["fingerprint"].as_str().map(str::len), Some(32));
    assert_eq!(rows[0]["locations"].as_array().map(Vec::len), Some(2));
    let ran = place.run(&["report", "both.json", "--format", "json", "--redact", "accounts", "-o", "handout"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!place.read("handout").contains("fingerprint"));
}

#[test]
fn without_a_key_or_with_two_keys_they_are_two() {
    for second in [None, Some("another key, of another team")] {
        let place = Place::new();
        laptop(&place, ".env", second.and(Some(KEY)), "one");
        laptop(&place, "deploy/settings.env", second, "two");
        assert_eq!(together(&place).len(), 2);
    }
}

#[test]
fn a_key_that_is_missing_or_short_is_refused_and_not_repeated() {
    let place = Place::new();
    let ran = laptop(&place, ".env", Some("hunter2hunter2"), "one");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("shorter than 16 bytes") && !ran.err.contains("hunter2"), "{}", ran.err);
    let ran = place.run(&["collect", "one", "--fingerprint-key-env", "Zk7Qm2Xw9Rt4Lp8V", "-o", "x.json"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("is not set") && !ran.err.contains("Zk7Qm2Xw9Rt4Lp8V"), "{}", ran.err);
}
