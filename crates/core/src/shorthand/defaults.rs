//! What a hand-written world may leave out (floor 1).

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{COLLECTED_AT, empty_listing};
use crate::model::{
    Action, Asset, Copy, Credential, Drill, Grant, Group, Principal, Protection, Session, Source, Step, Way,
};

type Object = Map<String, Value>;

const LISTINGS: [&str; 10] = [
    "sessions",
    "ways",
    "credentials",
    "principals",
    "grants",
    "steps",
    "assets",
    "protections",
    "recovery_points",
    "drills",
];

/// A whole bundle from what was written of it.
pub(super) fn bundle(mut facts: Object) -> Result<Value, String> {
    let at = facts.remove("at").unwrap_or_else(|| json!(COLLECTED_AT));
    let mut sources = Sources { at: at.clone(), items: Vec::new() };
    let mut out = Object::new();
    out.insert("schema".to_owned(), json!(crate::bundle::SCHEMA));
    out.insert("collected_at".to_owned(), at.clone());
    out.insert("tool".to_owned(), json!({ "name": "deadstop", "version": env!("CARGO_PKG_VERSION") }));
    for key in ["machine", "groups", "actions"] {
        if let Some(value) = facts.remove(key) {
            out.insert(key.to_owned(), value);
        }
    }
    for mut source in objects(facts.remove("sources"), "sources")? {
        put(&mut source, "outcome", || json!("answered"));
        put(&mut source, "at", || at.clone());
        sources.items.push(Value::Object(source));
    }
    for listing in LISTINGS {
        let expanded = self::listing(listing, facts.remove(listing), &mut sources)?;
        out.insert(listing.to_owned(), expanded);
    }
    if let Some(unknown) = facts.keys().next() {
        return Err(format!("`{unknown}` is no part of a bundle"));
    }
    out.insert("sources".to_owned(), Value::Array(sources.items));
    Ok(Value::Object(out))
}

/// Sources as written, and those made up for gaps.
struct Sources {
    at: Value,
    items: Vec<Value>,
}

impl Sources {
    /// The gap that `{unknown: …}` means: a reason alone, or with what was asked and what would settle it.
    fn gap(&mut self, written: &Value, place: &str) -> Value {
        let (reason, mut source) = match written {
            Value::String(_) => (written.clone(), Object::new()),
            Value::Object(map) if map.contains_key("source") => return written.clone(),
            Value::Object(map) => {
                let mut map = map.clone();
                (map.remove("reason").unwrap_or(Value::Null), map)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return written.clone(),
        };
        let id = format!("gap-{}", self.items.len());
        put(&mut source, "operation", || json!(format!("read {place}")));
        put(&mut source, "at", || self.at.clone());
        source.insert("id".to_owned(), json!(id));
        source.insert("outcome".to_owned(), reason.clone());
        self.items.push(Value::Object(source));
        json!({ "source": id, "reason": reason })
    }

    /// Gives every unknown fact below a value its source.
    fn settle(&mut self, value: &mut Value, place: &str) {
        match value {
            Value::Object(map) if map.len() == 1 && map.contains_key("unknown") => {
                if let Some(written) = map.get_mut("unknown") {
                    *written = self.gap(written, place);
                }
            }
            Value::Object(map) => {
                for (key, held) in map.iter_mut() {
                    self.settle(held, &format!("{place} {key}"));
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|held| self.settle(held, place)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

fn listing(name: &str, written: Option<Value>, sources: &mut Sources) -> Result<Value, String> {
    let (items, gaps) = match written {
        None | Some(Value::Null) => return Ok(empty_listing()),
        Some(Value::Object(mut map)) => {
            let gaps = map.remove("gaps").unwrap_or_else(|| json!([]));
            (objects(map.remove("items"), name)?, gaps)
        }
        Some(list) => (objects(Some(list), name)?, json!([])),
    };
    let mut out = Vec::new();
    for written in items {
        for mut one in repeated(written) {
            item(name, &mut one);
            let place = one.get("id").and_then(Value::as_str).unwrap_or(name).to_owned();
            let mut value = Value::Object(one);
            sources.settle(&mut value, &place);
            out.push(value);
        }
    }
    let gaps: Vec<Value> =
        gaps.as_array().into_iter().flatten().map(|gap| sources.gap(gap, &format!("all {name}"))).collect();
    Ok(json!({ "items": out, "gaps": gaps }))
}

fn objects(list: Option<Value>, name: &str) -> Result<Vec<Object>, String> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let Value::Array(list) = list else { return Err(format!("`{name}` is not a list")) };
    let each = list.into_iter().map(|item| {
        if let Value::Object(map) = item { Ok(map) } else { Err(format!("`{name}` holds {item}, which is no item")) }
    });
    each.collect()
}

/// `repeat: 500` stands for so many items, with their number from 1 wherever `{n}` is written.
fn repeated(mut written: Object) -> Vec<Object> {
    let Some(times) = written.remove("repeat").and_then(|times| times.as_u64()) else { return vec![written] };
    (1..=times).map(|n| written.iter().map(|(key, held)| (key.clone(), numbered(held, n))).collect()).collect()
}

fn numbered(value: &Value, n: u64) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("{n}", &n.to_string())),
        Value::Array(list) => list.iter().map(|held| numbered(held, n)).collect(),
        Value::Object(map) => Value::Object(map.iter().map(|(key, held)| (key.clone(), numbered(held, n))).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn put(map: &mut Object, key: &str, value: impl FnOnce() -> Value) {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), value());
    }
}

/// Puts in what an item of a listing may leave out.
pub(super) fn item(listing: &str, map: &mut Object) {
    let id = map.get("id").cloned().unwrap_or(Value::Null);
    let complete = || json!("complete");
    let all: Vec<(&str, Value)> = match listing {
        "sessions" => {
            vec![
                ("key", id.clone()),
                ("name", id),
                ("agent", json!("other")),
                ("reach", complete()),
                ("ways", complete()),
            ]
        }
        "ways" => return way(map, &id),
        "credentials" => {
            places(map, &id);
            vec![("key", id), ("kind", json!("token")), ("status", json!("live")), ("locations", json!([]))]
        }
        "principals" => vec![("name", id), ("grants", complete())],
        "grants" => vec![
            ("target", json!("*")),
            ("allowed", json!(true)),
            ("basis", json!("evaluated")),
            ("because", json!("its rights")),
        ],
        "steps" => vec![("needs", json!([])), ("possible", json!(true))],
        "assets" => vec![
            ("name", id),
            ("environment", json!("production")),
            ("protections", complete()),
            ("copies", complete()),
        ],
        "protections" => {
            let because = map.get("kind").cloned().unwrap_or(Value::Null);
            vec![
                ("side", json!("protect")),
                ("enabled", json!(true)),
                ("whole", json!(true)),
                ("basis", json!("observed")),
                ("because", because),
            ]
        }
        "recovery_points" => vec![
            ("name", id.clone()),
            ("kind", json!("snapshot")),
            ("lag", json!("24h")),
            ("drills", complete()),
            ("basis", json!("observed")),
            ("because", id),
        ],
        "drills" => vec![("took", json!("30m")), ("worked", json!(true)), ("basis", json!("observed"))],
        _ => Vec::new(),
    };
    for (key, value) in all {
        put(map, key, || value);
    }
}

/// A way asks nobody, is not contained and carries everything, unless it says otherwise.
fn way(map: &mut Object, id: &Value) {
    let kind = map.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = kind.as_str();
    let reads = matches!(kind, "shell" | "program" | "file_read");
    let because = match map.get("decision") {
        Some(Value::String(word)) if word == "deny" => "refused",
        Some(Value::String(word)) if word == "ask" => "asks a person",
        Some(Value::String(word)) if word == "reviewed" => "a model decides",
        Some(Value::Object(_)) => "what its gate decides is not known",
        Some(_) | None => "runs unasked",
    };
    put(map, "name", || id.clone());
    put(map, "carries", || if matches!(kind, "file_read" | "file_write") { json!([]) } else { json!(["*"]) });
    put(map, "reads", || json!(reads));
    put(map, "decision", || json!("allow"));
    put(map, "contained", || json!(false));
    put(map, "managed", || json!(false));
    put(map, "because", || json!(because));
}

/// `read_by: [session]` stands for a file that these sessions read.
fn places(map: &mut Object, id: &Value) {
    if let Some(sessions) = map.remove("read_by") {
        let path = format!("~/{}", id.as_str().unwrap_or("credential"));
        map.insert("locations".to_owned(), json!([{ "kind": "file", "path": path, "sessions": sessions }]));
    }
    for location in map.get_mut("locations").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(location) = location {
            put(location, "kind", || json!("file"));
        }
    }
}

/// Whether an item is what its listing holds.
pub(super) fn fits(listing: &str, item: &Value) -> Result<(), String> {
    fn read<T: DeserializeOwned>(item: &Value) -> Result<(), String> {
        serde_json::from_value::<T>(item.clone()).map(drop).map_err(|error| error.to_string())
    }
    match listing {
        "sources" => read::<Source>(item),
        "sessions" => read::<Session>(item),
        "ways" => read::<Way>(item),
        "credentials" => read::<Credential>(item),
        "principals" => read::<Principal>(item),
        "grants" => read::<Grant>(item),
        "steps" => read::<Step>(item),
        "assets" => read::<Asset>(item),
        "protections" => read::<Protection>(item),
        "recovery_points" => read::<Copy>(item),
        "drills" => read::<Drill>(item),
        "groups" => read::<Group>(item),
        "actions" => read::<Action>(item),
        _ => Ok(()),
    }
}
