//! One file of TOML as a tree in which everything knows its line (floor 2).

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::gate::{Level, Place};

/// The largest settings file that is understood. The parser bounds how deep one may go.
const LARGEST: usize = 1 << 20;

/// A value, with the line of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) value: Value,
    pub(super) line: u64,
}

/// What a setting says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    List(Vec<Item>),
    Table(BTreeMap<String, Item>),
    /// A number or a date: nothing that a gate rests on.
    Other,
}

impl Item {
    pub(super) fn get(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |item, key| item.table()?.get(*key))
    }

    pub(super) const fn table(&self) -> Option<&BTreeMap<String, Self>> {
        if let Value::Table(table) = &self.value { Some(table) } else { None }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    pub(super) const fn flag(&self) -> Option<bool> {
        if let Value::Flag(flag) = self.value { Some(flag) } else { None }
    }

    /// The texts of a list; none if it is no list of texts alone.
    pub(super) fn texts(&self) -> Option<Vec<&str>> {
        if let Value::List(items) = &self.value { items.iter().map(Self::text).collect() } else { None }
    }
}

/// Where a file stands among those that are merged, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// `managed_config.toml`.
    Managed,
    /// A profile or a subagent, which is laid over what the files say.
    Over,
    /// `.codex/config.toml` of a project.
    Project,
    /// The user's own.
    User,
    /// What an administrator gives to begin with.
    System,
}

/// A settings file that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) rank: Rank,
    pub(super) level: Level,
    pub(super) path: String,
    pub(super) root: Item,
}

impl Layer {
    pub(super) fn place(&self, item: &Item) -> Place {
        Place { path: self.path.clone(), line: Some(item.line) }
    }
}

/// Reads a file. None if it is not TOML, or larger than any settings file has reason to be.
pub(super) fn read(text: &str) -> Option<Item> {
    if text.len() > LARGEST {
        return None;
    }
    let table = DeTable::parse(text).ok()?;
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    Some(Item { value: Value::Table(tabled(table.get_ref(), &starts)), line: 1 })
}

fn tabled(table: &DeTable<'_>, starts: &[usize]) -> BTreeMap<String, Item> {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), item(value, key.span().start, starts))).collect()
}

fn item(value: &Spanned<DeValue<'_>>, at: usize, starts: &[usize]) -> Item {
    let line = starts.partition_point(|start| *start <= at) as u64;
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Array(list) => Value::List(list.iter().map(|one| item(one, one.span().start, starts)).collect()),
        DeValue::Table(table) => Value::Table(tabled(table, starts)),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => Value::Other,
    };
    Item { value, line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_knows_its_line() {
        let root = read("a = \"x\"\n[b.c]\nd = [\n  'e',\n]\n").unwrap();
        assert_eq!(root.get(&["a"]).unwrap().line, 1);
        let list = root.get(&["b", "c", "d"]).unwrap();
        assert_eq!((list.line, list.texts().unwrap()), (3, vec!["e"]));
        assert!(root.get(&["b", "x"]).is_none());
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
            assert!(read(&text).is_none(), "{text:.40}");
        }
    }
}
