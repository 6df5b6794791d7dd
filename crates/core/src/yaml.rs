//! YAML with the place of every node, so that each mistake can be shown where it was typed (floor 0).

pub mod mistakes;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// How deep a file may be nested.
const DEEPEST: usize = 64;

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
}

/// A node and where it begins.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins.
    pub at: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Text between quotes or in a block.
    Text(String),
    /// A bare word or number.
    Plain(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values, in the order of the file.
    Map(Vec<(Node, Node)>),
    /// An alias or a tagged node, left to the reader that comes after.
    Opaque,
}

impl Node {
    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) | Kind::Plain(text) => Some(text),
            Kind::List(_) | Kind::Map(_) | Kind::Opaque => None,
        }
    }
}

/// What is open while events come in: a list, or a map with a key that waits for its value.
enum Open {
    List(Place, Vec<Node>),
    Map(Place, Vec<(Node, Node)>, Option<Node>),
}

/// Reads the first document of `text`; nothing where it is empty.
///
/// # Errors
/// Where it is not YAML, or is nested too deeply: the place and what is wrong.
pub fn parse(text: &str) -> Result<Option<Node>, (Place, String)> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = Place { line: error.marker().line(), column: error.marker().col() + 1 };
            (at, error.info().to_owned())
        })?;
        let at = Place { line: span.start.line(), column: span.start.col() + 1 };
        if open.len() > DEEPEST {
            return Err((at, "it is nested too deeply".to_owned()));
        }
        let done = match event {
            Event::SequenceStart(..) => {
                open.push(Open::List(at, Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(at, Vec::new(), None));
                continue;
            }
            Event::Scalar(text, style, _, None) => Node { at, kind: scalar(text.into_owned(), style) },
            Event::Scalar(..) | Event::Alias(_) => Node { at, kind: Kind::Opaque },
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(at, items)) => Node { at, kind: Kind::List(items) },
                Some(Open::Map(at, entries, _)) => Node { at, kind: Kind::Map(entries) },
                None => continue,
            },
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::StreamEnd => {
                continue;
            }
        };
        match open.last_mut() {
            None => return Ok(Some(done)),
            Some(Open::List(_, items)) => items.push(done),
            Some(Open::Map(_, entries, key)) => match key.take() {
                None => *key = Some(done),
                Some(key) => entries.push((key, done)),
            },
        }
    }
    Ok(None)
}

fn scalar(text: String, style: ScalarStyle) -> Kind {
    match style {
        ScalarStyle::Plain => Kind::Plain(text),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted | ScalarStyle::Literal | ScalarStyle::Folded => {
            Kind::Text(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_knows_its_place() {
        let root = parse("a: 1\nb:\n  - {c: x}\n").unwrap().unwrap();
        let Kind::Map(entries) = root.kind else { panic!() };
        let (key, value) = &entries[1];
        assert_eq!((key.at, value.at), (Place { line: 2, column: 1 }, Place { line: 3, column: 3 }));
        let Kind::List(items) = &value.kind else { panic!() };
        let Kind::Map(inner) = &items[0].kind else { panic!() };
        assert_eq!(inner[0].1.at, Place { line: 3, column: 9 });
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused() {
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
