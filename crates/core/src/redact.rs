//! An assessment for other eyes (floor 3): the same answers, with accounts, people or every name replaced.
//!
//! A name becomes a word and a number, `asset-3`, the same wherever it stood. The number says in which order names were
//! met and nothing else: no hash of a name is written, as short names can be guessed and tried. Words that Deadstop itself
//! uses stay.
//!
//! INVARIANT: a text is left alone only if its key is on [`OWN`], the list of what Deadstop or the provider's own
//! documentation wrote. What is added to the assessment later is searched for names unless it is put on that list.

mod names;

use names::{Kind, Names};
use serde_json::{Map, Value};
use std::borrow::Cow;

use crate::assessment::Assessment;

/// What is replaced; each level includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    #[default]
    None,
    /// Account numbers and ids that a provider gives accounts, credentials and machines.
    Accounts,
    /// People too: identities, user names, mail addresses, owners, and what people wrote of waivers and exercises.
    People,
    /// Every name: assets, places, hosts, files, sessions, settings, the client.
    Names,
}

/// Keys whose texts are Deadstop's own words, a provider's operations or numbers of this file.
const OWN: [&str; 59] = [
    "action",
    "actions",
    "agent",
    "answer",
    "aside",
    "assessed_at",
    "asset",
    "at",
    "basis",
    "bounds",
    "call",
    "check",
    "class",
    "closes",
    "closes_assets",
    "contained",
    "corpus",
    "credential",
    "criticality",
    "decides",
    "decision",
    "destroys_in",
    "due",
    "effort_words",
    "evidence",
    "facts_sha256",
    "gaps",
    "handling",
    "id",
    "item",
    "kind",
    "kinds",
    "layer",
    "layers",
    "maps_to",
    "minimal",
    "paths",
    "period",
    "plain_bounds",
    "prevention",
    "provider",
    "rated",
    "reason",
    "recovery",
    "references",
    "restored",
    "rpo",
    "rto",
    "schema",
    "settled_by",
    "severity",
    "state",
    "status",
    "subject_kind",
    "survives",
    "target",
    "verdict",
    "version",
    "worst_path",
];

/// The same assessment with what `level` says replaced.
///
/// # Errors
/// If the assessment has no JSON form.
pub fn redact(assessment: &Assessment, level: Level) -> Result<Cow<'_, Assessment>, serde_json::Error> {
    if level == Level::None {
        return Ok(Cow::Borrowed(assessment));
    }
    let mut names = Names::of(assessment, level);
    let mut value = serde_json::to_value(assessment)?;
    // A fingerprint tells the holder of its key whether he knows the secret.
    let rows = value.get_mut("credentials").and_then(Value::as_array_mut).into_iter().flatten();
    for row in rows.filter_map(Value::as_object_mut) {
        row.remove("fingerprint");
    }
    if level >= Level::People {
        spoken(&mut value);
    }
    if level >= Level::Names {
        // What was read is quoted with the name that it has there.
        let rows = value.get_mut("evidence").and_then(Value::as_array_mut).into_iter().flatten();
        for excerpt in rows.filter_map(|row| row.get_mut("excerpt")).filter(|excerpt| excerpt.is_string()) {
            *excerpt = Value::from("[redacted]");
        }
    }
    if let Value::Object(all) = &mut value {
        // A check is Deadstop's own or the author's, and speaks of no one.
        let checks = all.remove("checks");
        // Hashes of names can be tried, so paths are numbered.
        renumber(all, &mut names);
        walk(all, &mut names, "");
        if let Some(checks) = checks {
            all.insert("checks".to_owned(), checks);
        }
        note(all, level);
    }
    serde_json::from_value(value).map(Cow::Owned)
}

/// Takes out what people wrote in their own words.
fn spoken(value: &mut Value) {
    value["tabletop"] = Value::Null;
    for finding in value["findings"].as_array_mut().into_iter().flatten() {
        if !finding["waiver"].is_null() {
            finding["waiver"] = Value::from("its words are left out here");
        }
        // As an expired waiver is told: "; the waiver of NAME expired on DAY".
        let told = finding["message"].as_str().and_then(|text| text.split_once("; the waiver of "));
        if let Some((before, day)) = told.and_then(|(before, rest)| Some((before, rest.rsplit_once(" expired on ")?.1)))
        {
            finding["message"] = Value::from(format!("{before}; a waiver expired on {day}"));
        }
    }
}

/// The keys of paths and fixes, which are made from names.
fn renumber(all: &mut Map<String, Value>, names: &mut Names) {
    let fixes = all.get_mut("fixes").and_then(|fixes| fixes.get_mut("all"));
    for fix in fixes.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(key) = fix.get_mut("key") {
            *key = Value::from(names.whole(Kind::Fix, key.as_str().unwrap_or_default()));
        }
    }
    for path in all.get_mut("paths").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(key) = path.get_mut("key") {
            *key = Value::from(names.whole(Kind::Path, key.as_str().unwrap_or_default()));
        }
    }
}

/// Replaces names in every text below a key that is not Deadstop's own.
fn walk(map: &mut Map<String, Value>, names: &mut Names, parent: &str) {
    for (key, value) in map.iter_mut() {
        // `covers` lists sessions by name; elsewhere they are numbers of this file.
        let own = OWN.binary_search(&key.as_str()).is_ok() || (parent != "covers" && key == "sessions");
        let own = own || matches!((parent, key.as_str()), ("tool", _) | ("", "basis"));
        let structured =
            matches!(value, Value::Object(_)) || value.as_array().is_some_and(|all| all.iter().any(Value::is_object));
        if !own || structured {
            inside(value, names, key);
        }
    }
}

fn inside(value: &mut Value, names: &mut Names, key: &str) {
    match value {
        Value::String(text) => *text = names.replace(text),
        Value::Array(all) => all.iter_mut().for_each(|one| inside(one, names, key)),
        Value::Object(map) => walk(map, names, key),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Says on the first page what was done.
fn note(all: &mut Map<String, Value>, level: Level) {
    let what = match level {
        Level::None => return,
        Level::Accounts => "Account numbers and ids",
        Level::People => "Account numbers, ids and people",
        Level::Names => "Names, account numbers, ids and people",
    };
    if let Some(Value::Array(notes)) = all.get_mut("notes") {
        notes.push(Value::from(format!(
            "{what} are replaced in this copy, the same one by the same word. The answers are those of the original."
        )));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_lower_case_after_role_or_user_is_a_name() {
        let bundle = crate::bundle::Bundle::empty(crate::time::Time::from_unix(1_800_000_000), "0");
        let assessment = crate::assess::assess(&bundle, &crate::policy::Policy::default());
        let mut names = Names::of(&assessment, Level::Names);
        for (text, expected) in [
            ("assume role deployer", "assume role name-1"),
            (
                "what user agent-x of 7 may do; what deployer's role may",
                "what user name-2 of 7 may do; what deployer's role may",
            ),
            ("the role's policy of a user may let the role in", "the role's policy of a user may let the role in"),
            ("drop the database shop, as user may", "drop the database name-3, as user may"),
            ("its policy was not read: the server said so", "its policy was not read: the server said so"),
        ] {
            assert_eq!(names.replace(text), expected);
        }
    }

    #[test]
    fn the_list_can_be_searched() {
        assert!(OWN.is_sorted());
    }
}
