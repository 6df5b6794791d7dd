//! Holds a file as typed against its schema, and names every mistake with its place (floor 0). Values are named only
//! where they come from a closed list, so that a secret typed into the wrong place is not repeated.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Kind, Node, Place};
use crate::quote;
use crate::time::{Span, Time};

/// A mistake and where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Where.
    pub at: Place,
    /// What is wrong.
    pub message: String,
}

/// Every mistake of `node`, in the order of the file. `schema` is a JSON Schema as `schemars` writes it, and `what` is
/// what to call the whole: `the configuration`.
#[must_use]
pub fn mistakes(node: &Node, schema: &Value, what: &str) -> Vec<Mistake> {
    let mut check = Check { schema, what, found: Vec::new() };
    check.node(node, schema, "");
    check.found.sort();
    check.found.dedup();
    check.found
}

/// Stands for the name of a type whose texts may be empty.
const BLANK: &str = "may be empty";

struct Check<'a> {
    schema: &'a Value,
    what: &'a str,
    found: Vec<Mistake>,
}

impl<'a> Check<'a> {
    fn wrong(&mut self, at: Place, message: String) {
        self.found.push(Mistake { at, message });
    }

    fn node(&mut self, node: &Node, schema: &'a Value, path: &str) {
        let (schema, name) = self.resolve(schema);
        if let Some(words) = closed(schema) {
            return self.word(node, &words, path);
        }
        let kinds = kinds(schema);
        // A text that says that it may be empty.
        let name = if schema.get("minLength").and_then(Value::as_u64) == Some(0) { BLANK } else { name };
        match &node.kind {
            Kind::Opaque => {}
            _ if kinds.is_empty() => {}
            Kind::Map(entries) if kinds.contains(&"object") => self.map(node, entries, schema, path),
            Kind::List(items) if kinds.contains(&"array") => {
                for (n, item) in items.iter().enumerate() {
                    match schema.get("items") {
                        Some(inner) => self.node(item, inner, &format!("{path}[{n}]")),
                        None => self.duplicates(item),
                    }
                }
            }
            Kind::Text(text) if kinds.contains(&"string") => self.text(node.at, text, name, path),
            Kind::Plain(text) if is_null(text) && kinds.contains(&"null") => {}
            Kind::Plain(text) if kinds.contains(&"boolean") && bare(text) == "yes or no" => {}
            Kind::Plain(text) if kinds.contains(&"integer") && text.parse::<i64>().is_ok() => {}
            Kind::Plain(text) if kinds.contains(&"string") && !is_null(text) => match bare(text) {
                "text" => self.text(node.at, text, name, path),
                other => self.wrong(node.at, format!("`{path}` is {other}: write it in quotes, as text")),
            },
            Kind::Text(_) | Kind::Plain(_) | Kind::List(_) | Kind::Map(_) => {
                let wanted = kinds.iter().filter(|kind| **kind != "null").map(|kind| in_words(kind));
                let wanted = wanted.collect::<Vec<_>>().join(" or ");
                let path = if path.is_empty() { self.what } else { &format!("`{path}`") };
                self.wrong(node.at, format!("{path} is {}, and {wanted} is wanted", given(&node.kind)));
            }
        }
    }

    fn map(&mut self, node: &Node, entries: &[(Node, Node)], schema: &'a Value, path: &str) {
        self.duplicates(node);
        let fields = schema.get("properties").and_then(Value::as_object);
        let rest = schema.get("additionalProperties").filter(|rest| rest.is_object());
        for (key, value) in entries {
            let Some(name) = key.text() else {
                self.wrong(key.at, "a key is one word".to_owned());
                continue;
            };
            let inner = if path.is_empty() { shown(name).to_owned() } else { format!("{path}.{}", shown(name)) };
            match (fields.and_then(|fields| fields.get(name)), rest) {
                (Some(schema), _) | (None, Some(schema)) => self.node(value, schema, &inner),
                (None, None) => {
                    if let Some(fields) = fields {
                        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                        let place = if path.is_empty() { String::new() } else { format!(" of `{path}`") };
                        self.wrong(key.at, format!("{} is no key{place}{}", quote::word(name), meant(name, &names)));
                    }
                }
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let missing: Vec<String> = required
            .filter(|name| !entries.iter().any(|(key, _)| key.text() == Some(name)))
            .map(|name| format!("`{name}`"))
            .collect();
        if !missing.is_empty() {
            let what = if path.is_empty() { self.what } else { &format!("`{path}`") };
            self.wrong(node.at, format!("{what} lacks {}", missing.join(", ")));
        }
    }

    /// Keys that are given twice, here and, where no schema leads, further down.
    fn duplicates(&mut self, node: &Node) {
        match &node.kind {
            Kind::Map(entries) => {
                let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
                for (key, _) in entries {
                    let Some(name) = key.text() else { continue };
                    match seen.get(name) {
                        Some(first) => {
                            let name = quote::word(name);
                            self.wrong(key.at, format!("{name} is given twice, first on line {}", first.line));
                        }
                        None => drop(seen.insert(name, key.at)),
                    }
                }
            }
            Kind::List(items) => items.iter().for_each(|item| self.duplicates(item)),
            Kind::Text(_) | Kind::Plain(_) | Kind::Opaque => {}
        }
    }

    fn text(&mut self, at: Place, text: &str, name: &str, path: &str) {
        let wrong = match name {
            "Span" => text.parse::<Span>().err().map(|error| error.to_string()),
            "Time" => text.parse::<Time>().err().map(|error| error.to_string()),
            "Variable" if !is_variable(text) => {
                Some("name an environment variable here; the secret itself is never written".to_owned())
            }
            BLANK => None,
            _ if text.trim().is_empty() => Some("it is empty".to_owned()),
            _ => None,
        };
        if let Some(wrong) = wrong {
            self.wrong(at, format!("`{path}`: {wrong}"));
        }
    }

    fn word(&mut self, node: &Node, words: &[&str], path: &str) {
        match node.text() {
            Some(text) if words.contains(&text) => {}
            Some(text) => {
                let all =
                    if words.len() == 1 { format!("; this version reads `{}`", words.join("")) } else { String::new() };
                let all = if all.is_empty() { meant(text, words) } else { all };
                self.wrong(node.at, format!("`{path}` cannot be {}{all}", quote::word(text)));
            }
            None if matches!(node.kind, Kind::Opaque) => {}
            None => self.wrong(node.at, format!("`{path}` is {}, and a word is wanted", given(&node.kind))),
        }
    }

    /// Follows a reference, and takes the part of an optional one that is not null. Gives the name of the type too.
    fn resolve(&self, mut schema: &'a Value) -> (&'a Value, &'a str) {
        let mut name = "";
        for _ in 0..8 {
            let options = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
            let some = options.into_iter().find(|option| kinds(option) != ["null"]);
            if let Some(option) = some {
                schema = option;
            } else if let Some(to) = schema.get("$ref").and_then(Value::as_str) {
                name = to.rsplit('/').next().unwrap_or_default();
                match self.schema.get("$defs").and_then(|all| all.get(name)) {
                    Some(definition) => schema = definition,
                    None => break,
                }
            } else {
                break;
            }
        }
        (schema, name)
    }
}

/// A key as it may stand in a message.
fn shown(name: &str) -> &str {
    if quote::plain(name) { name } else { "…" }
}

/// The words of a closed list.
fn closed(schema: &Value) -> Option<Vec<&str>> {
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![word]);
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return Some(words.iter().filter_map(Value::as_str).collect());
    }
    let options = schema.get("oneOf").and_then(Value::as_array)?;
    Some(options.iter().filter_map(closed).flatten().collect())
}

fn kinds(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    }
}

/// What was most likely meant, to end a sentence with.
#[must_use]
pub fn meant(given: &str, known: &[&str]) -> String {
    match nearest(given, known) {
        Some(word) => format!("; did you mean `{word}`?"),
        None => format!("; there are {}", known.join(", ")),
    }
}

/// The word that is most like the one given: one that begins alike, or in which one letter is another, missing, too many
/// or in its neighbour's place.
#[must_use]
pub fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let given = given.to_lowercase();
    let likeness = |word: &str| {
        let slipped = given.len() > 2 && strsim::osa_distance(&given, word) == 1;
        strsim::jaro_winkler(&given, word) + f64::from(u8::from(slipped))
    };
    let near = known.iter().map(|word| (likeness(word), *word)).filter(|(near, _)| *near > 0.8);
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word)
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn is_variable(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && text.len() <= 128 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What YAML takes a bare word for.
fn bare(text: &str) -> &'static str {
    if matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE") {
        return "yes or no";
    }
    let digits = text.trim_start_matches(['+', '-']);
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && (text.parse::<f64>().is_ok() || digits.starts_with("0x") || digits.starts_with("0o"));
    if numeric { "a number" } else { "text" }
}

fn given(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text(_) => "text",
        Kind::Plain(text) if is_null(text) => "empty",
        Kind::Plain(text) => bare(text),
        Kind::List(_) => "a list",
        Kind::Map(_) => "a map of keys",
        Kind::Opaque => "an alias",
    }
}

fn in_words(kind: &str) -> &'static str {
    match kind {
        "object" => "a map of keys",
        "array" => "a list",
        "boolean" => "yes or no",
        "integer" | "number" => "a whole number",
        _ => "text",
    }
}
