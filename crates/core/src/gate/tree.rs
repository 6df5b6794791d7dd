//! A settings file as a tree in which everything knows its line (floor 2): TOML, and JSON with comments.

use std::collections::BTreeMap;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

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
