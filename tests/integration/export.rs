//! `deadstop export`: which files, the same bytes, and what is refused. What is in them is read by a query engine:
//! `tests/export/prove.py`.

use std::fs;

use crate::program::{Place, ran};

#[test]
fn every_table_is_a_file_and_the_same_input_gives_the_same_bytes() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "deadstop-report"]);
    let told = place.expect(0, &["export", "--parquet", "a", "--facts", "deadstop-report/facts.json"]);
    assert!(told.out.is_empty() && told.err.starts_with("wrote 20 tables with "), "{}", told.err);
    let mut wanted: Vec<String> =
        deadstop_core::render::table_names().iter().map(|name| format!("{name}.parquet")).collect();
    wanted.sort();
    assert_eq!(place.names("a"), wanted);
    let export = ["export", "deadstop-report/assessment.json", "--quiet"];
    let mut command = place.command(&export);
    command.env("DEADSTOP_PARQUET", "b/deep").env("DEADSTOP_FACTS", "deadstop-report/facts.json");
    assert_eq!(ran(&command.output().unwrap()).code, 0);
    for name in wanted {
        let bytes = fs::read(place.path(&format!("a/{name}"))).unwrap();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{name}");
        assert_eq!(bytes, fs::read(place.path(&format!("b/deep/{name}"))).unwrap(), "{name}");
    }
    // Facts of an earlier export do not stay beside a redacted one.
    place.expect(0, &["export", "--parquet", "a", "--redact", "names"]);
    assert!(!place.path("a/facts.parquet").exists());
    assert_ne!(
        fs::read(place.path("a/assets.parquet")).unwrap(),
        fs::read(place.path("b/deep/assets.parquet")).unwrap()
    );
}

#[test]
fn nothing_of_anyone_else_is_overwritten() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "deadstop-report"]);
    place.write("foreign/notes.txt", "mine");
    let told = place.expect(2, &["export", "--parquet", "foreign"]);
    assert!(told.err.contains("holds something else than tables of Deadstop (`notes.txt`)"), "{}", told.err);
    assert_eq!(place.names("foreign"), ["notes.txt"]);
    let told =
        place.expect(2, &["export", "--parquet", "t", "--redact", "names", "--facts", "deadstop-report/facts.json"]);
    assert!(told.err.contains("do not go together"), "{}", told.err);
    place.write("empty.json", "{}");
    for args in [
        &["export"][..],
        &["export", "nowhere.json", "--parquet", "t"],
        &["export", "empty.json", "--parquet", "t"],
        &["export", "--parquet", "t", "--facts", "deadstop-report/assessment.json"],
        &["export", "--parquet", "empty.json"],
    ] {
        place.expect(2, args);
        assert!(!place.path("t").exists());
    }
}
