//! A settings file as a tree in which everything knows its line (floor 2): TOML, YAML, and JSON with comments.

use std::collections::BTreeMap;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::yaml;

/// The largest settings file that is understood. The parser of TOML bounds how deep one may go.
const LARGEST: usize = 1 << 20;

/// The deepest nesting that the parser of JSON is led into.
const DEEPEST: usize = 100;

/// A value, with the line of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) value: Value,
    /// From 1.
    pub(super) line: u64,
    /// Where its key begins, in bytes: what stands first in a table.
    pub(super) at: usize,
}

/// What a setting says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    Number(i64),
    List(Vec<Item>),
    Table(BTreeMap<String, Item>),
    /// A fraction, a date or nothing at all.
    Other,
}

impl Item {
    pub(super) fn get(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |item, key| item.table()?.get(*key))
    }

    pub(super) const fn table(&self) -> Option<&BTreeMap<String, Self>> {
        if let Value::Table(table) = &self.value { Some(table) } else { None }
    }

    pub(super) const fn list(&self) -> Option<&Vec<Self>> {
        if let Value::List(list) = &self.value { Some(list) } else { None }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    pub(super) const fn flag(&self) -> Option<bool> {
        if let Value::Flag(flag) = self.value { Some(flag) } else { None }
    }

    pub(super) const fn number(&self) -> Option<i64> {
        if let Value::Number(number) = self.value { Some(number) } else { None }
    }

    /// The texts of a list; none if it is no list of texts alone.
    pub(super) fn texts(&self) -> Option<Vec<&str>> {
        self.list()?.iter().map(Self::text).collect()
    }

    /// What a table holds, in the order in which it is written.
    pub(super) fn written(&self) -> Vec<(&str, &Self)> {
        let mut all: Vec<(&str, &Self)> =
            self.table().into_iter().flatten().map(|(key, item)| (key.as_str(), item)).collect();
        all.sort_by_key(|(_, item)| item.at);
        all
    }
}

/// Reads TOML. None if it is none, or larger than any settings file has reason to be.
pub(super) fn toml(text: &str) -> Option<Item> {
    if text.len() > LARGEST {
        return None;
    }
    let table = DeTable::parse(text).ok()?;
    let lines = Lines::of(text);
    Some(Item { value: Value::Table(tabled(table.get_ref(), &lines)), line: 1, at: 0 })
}

/// Reads JSON that may hold comments, and trailing commas if `loose`. None if it is none, names a key twice, or is
/// larger or deeper than any settings file has reason to be.
pub(super) fn json(text: &str, loose: bool) -> Option<Item> {
    let text = text.trim_start_matches('\u{feff}');
    let nested = text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count();
    if text.len() > LARGEST || (nested > DEEPEST && deep(text)) {
        return None;
    }
    let options =
        ParseOptions { allow_comments: true, allow_loose_object_property_names: false, allow_trailing_commas: loose };
    let collect = CollectOptions { comments: CommentCollectionStrategy::Off, tokens: false };
    let parsed = parse_to_ast(text, &collect, &options).ok()?.value?;
    written(&parsed, 0, &Lines::of(text))
}

/// Reads YAML of one document, as version 1.2 of it reads words. None if it is none, names a key twice, or holds aliases or
/// tags. Nothing at all is an empty table.
pub(super) fn yaml(text: &str) -> Option<Item> {
    let text = text.trim_start_matches('\u{feff}');
    if text.len() > LARGEST || text.lines().skip(1).any(|line| line.starts_with("---") || line.starts_with("...")) {
        return None;
    }
    let read = yaml::parse(text).ok()?;
    // The reader above stops behind the first document, and what follows may be none.
    serde_yaml::from_str::<serde_yaml::Value>(text).ok()?;
    let empty = || Item { value: Value::Table(BTreeMap::new()), line: 1, at: 0 };
    read.map_or_else(|| Some(empty()), |node| noted(&node, &mut 0))
}

fn noted(node: &yaml::Node, count: &mut usize) -> Option<Item> {
    let line = node.at.line as u64;
    let value = match &node.kind {
        yaml::Kind::Text(text) => Value::Text(text.clone()),
        yaml::Kind::Plain(text) => bare(text),
        yaml::Kind::List(list) => Value::List(list.iter().map(|one| noted(one, count)).collect::<Option<Vec<Item>>>()?),
        yaml::Kind::Map(entries) => {
            let mut table = BTreeMap::new();
            for (key, value) in entries {
                *count += 1;
                let at = *count;
                let item = noted(value, count)?;
                let item = Item { line: key.at.line as u64, at, ..item };
                if table.insert(key.text()?.to_owned(), item).is_some() {
                    return None;
                }
            }
            Value::Table(table)
        }
        yaml::Kind::Opaque => return None,
    };
    *count += 1;
    Some(Item { value, line, at: *count })
}

/// A word without quotes.
fn bare(text: &str) -> Value {
    match text {
        "true" | "True" | "TRUE" => Value::Flag(true),
        "false" | "False" | "FALSE" => Value::Flag(false),
        "" | "~" | "null" | "Null" | "NULL" => Value::Other,
        _ => match text.parse::<i64>() {
            Ok(number) => Value::Number(number),
            Err(_) if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) => number(text),
            Err(_) => Value::Text(text.to_owned()),
        },
    }
}

/// What looks like a number and may be a fraction, or a word.
fn number(text: &str) -> Value {
    let other = text.parse::<f64>().is_ok() || text.starts_with("0x") || text.starts_with("0o");
    if other { Value::Other } else { Value::Text(text.to_owned()) }
}

/// Whether brackets go deeper than the parser is led. Those in strings count as well, so it may say yes of a shallow file.
fn deep(text: &str) -> bool {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest > DEEPEST
}

struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    fn line(&self, at: usize) -> u64 {
        self.0.partition_point(|start| *start <= at) as u64
    }
}

fn written(value: &ast::Value<'_>, at: usize, lines: &Lines) -> Option<Item> {
    let value = match value {
        ast::Value::StringLit(text) => Value::Text(text.value.to_string()),
        ast::Value::NumberLit(number) => number.value.parse().map_or(Value::Other, Value::Number),
        ast::Value::BooleanLit(flag) => Value::Flag(flag.value),
        ast::Value::NullKeyword(_) => Value::Other,
        ast::Value::Array(list) => {
            let items = list.elements.iter().map(|one| written(one, one.range().start, lines));
            Value::List(items.collect::<Option<Vec<Item>>>()?)
        }
        ast::Value::Object(object) => {
            let mut table = BTreeMap::new();
            for property in &object.properties {
                let item = written(&property.value, property.range.start, lines)?;
                // Which of two counts is not the same everywhere.
                if table.insert(property.name.as_str().to_owned(), item).is_some() {
                    return None;
                }
            }
            Value::Table(table)
        }
    };
    Some(Item { value, line: lines.line(at), at })
}

fn tabled(table: &DeTable<'_>, lines: &Lines) -> BTreeMap<String, Item> {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), item(value, key.span().start, lines))).collect()
}

fn item(value: &Spanned<DeValue<'_>>, at: usize, lines: &Lines) -> Item {
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Array(list) => Value::List(list.iter().map(|one| item(one, one.span().start, lines)).collect()),
        DeValue::Table(table) => Value::Table(tabled(table, lines)),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Other, Value::Number)
        }
        DeValue::Float(_) | DeValue::Datetime(_) => Value::Other,
    };
    Item { value, line: lines.line(at), at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_knows_its_line() {
        let root = toml("a = \"x\"\n[b.c]\nd = [\n  'e',\n]\nn = 0x10\n").unwrap();
        assert_eq!(root.get(&["a"]).unwrap().line, 1);
        let list = root.get(&["b", "c", "d"]).unwrap();
        assert_eq!((list.line, list.texts().unwrap()), (3, vec!["e"]));
        assert_eq!(root.get(&["b", "c", "n"]).unwrap().number(), Some(16));
        assert!(root.get(&["b", "x"]).is_none());
        let root = json("{ // mine\n \"z\": {\"b\": 1,\n  \"a\": [true]}}", false).unwrap();
        let inner = root.get(&["z"]).unwrap();
        assert_eq!(inner.line, 2);
        let order: Vec<(&str, u64)> = inner.written().into_iter().map(|(key, item)| (key, item.line)).collect();
        assert_eq!(order, [("b", 2), ("a", 3)]);
    }

    #[test]
    fn yaml_is_one_plain_document() {
        let root = yaml("# x\na: [b, 'true']\nc:\n  - \"d\"\ne: true\nf: 1.5\ng: null\n").unwrap();
        assert_eq!(root.get(&["a"]).unwrap().texts().unwrap(), ["b", "true"]);
        let list = root.get(&["c"]).unwrap();
        assert_eq!((list.line, list.list().unwrap()[0].line), (3, 4));
        assert_eq!(root.get(&["e"]).unwrap().flag(), Some(true));
        assert!(yaml("").unwrap().table().unwrap().is_empty());
        for text in ["a: 1\na: 2", "a: &x 1\nb: *x", "a: !t 1", "a: 1\n---\nb: 1", "a: [", "a: 1\n b: 2"] {
            assert!(yaml(text).is_none(), "{text}");
        }
    }

    #[test]
    fn json_is_as_loose_as_it_is_read() {
        assert!(json("{\"a\": 1,}", true).is_some() && json("{\"a\": 1,}", false).is_none());
        assert!(json("{\"a\": 1, \"a\": 2}", true).is_none());
        assert!(json("{a: 1}", true).is_none() && json("", true).is_none());
    }

    #[test]
    fn what_was_made_to_break_a_parser_is_refused() {
        for text in [
            format!("a = {}", "[".repeat(100_000)),
            format!("a = {}{}", "[".repeat(10_000), "]".repeat(10_000)),
            format!("{}x = 1", "a.".repeat(100_000)),
            format!("[{}x]", "a.".repeat(100_000)),
            format!("x = {{{}x = 1}}", "a.".repeat(100_000)),
            " ".repeat(LARGEST + 1),
        ] {
            assert!(toml(&text).is_none(), "{text:.40}");
        }
        for text in [format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)), " ".repeat(LARGEST + 1)] {
            assert!(json(&text, true).is_none(), "{text:.40}");
        }
    }
}
