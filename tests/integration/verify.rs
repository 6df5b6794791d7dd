//! `deadstop verify`: every byte of a report folder.

use std::fs;
use std::os::unix::fs::symlink;

use proptest::prelude::*;

use crate::program::Place;

fn reported() -> Place {
    let place = Place::new();
    assert_eq!(place.run(&["demo", "-o", "r"]).code, 0);
    place
}

#[test]
fn a_folder_is_whole_as_it_was_written() {
    let place = reported();
    let ran = place.run(&["verify", "r"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("`r` is whole: "), "{}", ran.out);
    assert!(ran.out.contains("a sum") || ran.out.contains("this sum"), "{}", ran.out);
}

#[test]
fn what_is_altered_missing_or_added_is_named() {
    let place = reported();
    fs::write(place.path("r/summary.md"), "All is well.\n").unwrap();
    fs::remove_file(place.path("r/junit.xml")).unwrap();
    fs::write(place.path("r/more\n\u{1b}[31m.txt"), "").unwrap();
    fs::remove_file(place.path("r/facts.json")).unwrap();
    symlink(place.path("r/assessment.json"), place.path("r/facts.json")).unwrap();
    fs::write(place.path("r/.gitignore"), "").unwrap();
    let ran = place.run(&["verify", "r"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    for line in
        ["altered       summary.md", "missing       junit.xml", "altered       facts.json", "altered       .gitignore"]
    {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
    assert!(ran.out.contains("added         more\\n\\u{1b}[31m.txt"), "{}", ran.out);
    assert!(ran.out.contains("`r` is not as it was written"), "{}", ran.out);
}

#[test]
fn without_a_manifest_there_is_nothing_to_say() {
    let place = reported();
    for text in ["", "{}", "{\"schema\": \"deadstop.manifest/1\", \"version\": \"0\", \"files\": {\"../x\": \"0\"}}"] {
        fs::write(place.path("r/manifest.json"), text).unwrap();
        assert_eq!(place.run(&["verify", "r"]).code, 2, "{text}");
    }
    fs::remove_file(place.path("r/manifest.json")).unwrap();
    let ran = place.run(&["verify", "r"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("there is no manifest.json"), "{}", ran.err);
    assert_eq!(place.run(&["verify", "nowhere"]).code, 2);
}

#[test]
fn every_changed_byte_is_seen() {
    let place = reported();
    let names = place.names("r");
    let sizes: Vec<(String, usize)> = names
        .into_iter()
        .map(|name| (name.clone(), fs::read(place.path(&format!("r/{name}"))).unwrap().len()))
        .collect();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 256, ..ProptestConfig::default() });
    let files = 0..sizes.len();
    let change = (files, any::<prop::sample::Index>(), 1_u8..=255);
    runner
        .run(&change, |(file, at, by)| {
            let (name, size) = &sizes[file];
            prop_assume!(*size > 0);
            let path = place.path(&format!("r/{name}"));
            let before = fs::read(&path).unwrap();
            let mut after = before.clone();
            after[at.index(*size)] ^= by;
            fs::write(&path, &after).unwrap();
            let found = deadstop::manifest::verify(&place.path("r"));
            fs::write(&path, &before).unwrap();
            prop_assert!(found.is_err() || found.is_ok_and(|found| found.differences.contains_key(name)), "{name}");
            Ok(())
        })
        .unwrap();
}
