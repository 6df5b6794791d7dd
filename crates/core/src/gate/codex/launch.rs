//! Programs that settings start: MCP servers, hooks and `notify` (floor 2). None of them is in the sandbox, so one that
//! lies where the session may write is a way out of it.

use serde_json::Value as Json;

use super::layer::{Item, Layer, Value};
use crate::gate::{Ground, Place};

/// The most words of commands that are looked at.
pub(super) const MOST: usize = 2_000;

/// Endings by which a word that is no path is still taken for a file.
const SCRIPTS: [&str; 9] = [".js", ".mjs", ".cjs", ".ts", ".py", ".sh", ".rb", ".pl", ".jar"];

/// One word of a command that settings start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Launched {
    word: String,
    pub(super) place: Place,
    /// Whether it counts in a trusted folder only.
    pub(super) project: bool,
}

impl Launched {
    /// The file that the word may name, absolute.
    pub(super) fn file(&self, ground: &Ground) -> Option<String> {
        let word = self.word.as_str();
        let script = SCRIPTS.iter().any(|ending| word.ends_with(ending));
        let path = word.contains('/') && !word.contains("://") && !word.starts_with(['@', '-']);
        (path || script).then(|| ground.absolute(word))
    }
}

/// What a file of settings starts.
pub(super) fn of_layer(layer: &Layer, project: bool) -> Vec<Launched> {
    let mut found = Vec::new();
    let mut add = |item: &Item, place: &Place| {
        let listed = item.texts().into_iter().flatten().map(str::to_owned);
        let words = item.text().map(split).into_iter().flatten().chain(listed);
        found.extend(words.map(|word| Launched { word, place: place.clone(), project }));
    };
    // A project's file starts nobody who is to be told.
    if let Some(item) = layer.root.get(&["notify"]).filter(|_| !project) {
        add(item, &layer.place(item));
    }
    for (_, server) in layer.root.get(&["mcp_servers"]).and_then(Item::table).into_iter().flatten() {
        for key in ["command", "args"] {
            if let Some(item) = server.get(&[key]) {
                add(item, &layer.place(server));
            }
        }
    }
    let events = layer.root.get(&["hooks"]).and_then(Item::table).into_iter().flatten();
    for (_, event) in events {
        for group in list(event) {
            for hook in group.get(&["hooks"]).map(list).into_iter().flatten() {
                if let Some(item) = hook.get(&["command"]) {
                    add(item, &layer.place(event));
                }
            }
        }
    }
    found.truncate(MOST);
    found
}

fn list(item: &Item) -> &[Item] {
    if let Value::List(list) = &item.value { list } else { &[] }
}

/// What a file of hooks starts.
pub(super) fn of_hooks(json: &Json, path: &str, project: bool) -> Vec<Launched> {
    let events = json.get("hooks").and_then(Json::as_object).into_iter().flatten();
    let groups = events.filter_map(|(_, event)| event.as_array()).flatten();
    let hooks = groups.filter_map(|group| group.get("hooks")?.as_array()).flatten();
    let words = hooks.filter_map(|hook| hook.get("command")?.as_str()).flat_map(split);
    let place = Place { path: path.to_owned(), line: None };
    words.take(MOST).map(|word| Launched { word, place: place.clone(), project }).collect()
}

fn split(command: &str) -> Vec<String> {
    let cut = command.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '&' | '|' | '(' | ')'));
    cut.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
