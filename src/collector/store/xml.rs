//! XML as the tree that the other forms have (floor 5): elements and attributes by name, `<add key= value=>` as a setting.
//! No entity but the five of XML itself is resolved, and no document type is read.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};

use super::fields::Tree;

/// The deepest that elements may stand in one another.
const DEEPEST: usize = 40;
/// The largest text that is parsed; nothing that we look for is larger.
const LARGEST: usize = 4 << 20;

/// An element that is not closed yet.
struct Open {
    name: String,
    inner: Map<String, Value>,
    text: String,
    line: u64,
    lines: Vec<(Vec<String>, u64)>,
}

impl Open {
    fn new(name: String, line: u64) -> Self {
        Self { name, inner: Map::new(), text: String::new(), line, lines: Vec::new() }
    }

    /// Adds what an element inside came to. Several of one name are a list.
    fn add(&mut self, name: &str, value: Value, lines: Vec<(Vec<String>, u64)>) {
        let mut way = vec![name.to_owned()];
        match self.inner.get_mut(name) {
            Some(Value::Array(all)) => {
                way.push(all.len().to_string());
                all.push(value);
            }
            Some(one) => {
                let first = std::mem::take(one);
                *one = Value::Array(vec![first, value]);
                for (path, _) in self.lines.iter_mut().filter(|(path, _)| path.first().is_some_and(|part| part == name))
                {
                    path.insert(1, "0".to_owned());
                }
                way.push("1".to_owned());
            }
            None => {
                self.inner.insert(name.to_owned(), value);
            }
        }
        self.lines.extend(lines.into_iter().map(|(path, line)| ([way.clone(), path].concat(), line)));
    }

    fn close(mut self) -> (String, Value, Vec<(Vec<String>, u64)>) {
        if self.inner.is_empty() {
            return (self.name, Value::String(self.text.trim().to_owned()), vec![(Vec::new(), self.line)]);
        }
        // `<add key="Password" value="…"/>` is the setting `Password`.
        let text = |inner: &Map<String, Value>, key: &str| inner.get(key).and_then(Value::as_str).map(str::to_owned);
        if let ("add", Some(key), Some(value)) =
            (self.name.as_str(), text(&self.inner, "key"), text(&self.inner, "value"))
        {
            return (key, Value::String(value), vec![(Vec::new(), self.line)]);
        }
        if !self.text.trim().is_empty() {
            self.inner.insert("#text".to_owned(), Value::String(self.text.trim().to_owned()));
        }
        (self.name, Value::Object(self.inner), self.lines)
    }
}

/// The tree of a document; nothing, if it is none, or too deep or large to be one that we look for.
pub(super) fn tree(text: &str) -> Option<Tree> {
    if text.len() > LARGEST {
        return None;
    }
    let mut reader = Reader::from_str(text);
    let mut open = vec![Open::new(String::new(), 1)];
    let (mut line, mut counted) = (1_u64, 0_usize);
    loop {
        let event = reader.read_event().ok()?;
        let at = usize::try_from(reader.buffer_position()).ok()?.min(text.len());
        let passed = text.as_bytes().get(counted..at).unwrap_or_default();
        line += u64::try_from(passed.iter().filter(|byte| **byte == b'\n').count()).ok()?;
        counted = counted.max(at);
        match event {
            Event::Start(start) => {
                if open.len() > DEEPEST {
                    return None;
                }
                open.push(begun(&start, line)?);
            }
            Event::Empty(start) => {
                let (name, value, lines) = begun(&start, line)?.close();
                open.last_mut()?.add(&name, value, lines);
            }
            Event::End(_) if open.len() > 1 => {
                let (name, value, lines) = open.pop()?.close();
                open.last_mut()?.add(&name, value, lines);
            }
            Event::Text(inner) => open.last_mut()?.text.push_str(&inner),
            Event::CData(inner) => open.last_mut()?.text.push_str(&inner),
            Event::GeneralRef(entity) => {
                let known = quick_xml::escape::resolve_predefined_entity(&entity);
                let letter = entity.resolve_char_ref().ok().flatten().map(String::from);
                open.last_mut()?.text.push_str(&known.map(str::to_owned).or(letter).unwrap_or_default());
            }
            Event::Eof => break,
            Event::End(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    let (top, rest) = (open.pop()?, open.is_empty());
    let lines: BTreeMap<Vec<String>, u64> = top.lines.into_iter().collect();
    (rest && !top.inner.is_empty()).then_some(Tree { value: Value::Object(top.inner), lines })
}

fn begun(start: &BytesStart<'_>, line: u64) -> Option<Open> {
    let name = start.local_name().as_ref().to_owned();
    let mut open = Open::new(name, line);
    for attribute in start.attributes().take(50) {
        let attribute = attribute.ok()?;
        let key = attribute.key.local_name().as_ref().to_owned();
        let value = quick_xml::escape::unescape(&attribute.value).ok()?.into_owned();
        open.inner.insert(key.clone(), Value::String(value));
        open.lines.push((vec![key], line));
    }
    Some(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_and_settings_become_one_tree() {
        let text = "<?xml version=\"1.0\"?>\n<!-- x -->\n<a>\n  <b id=\"1\">w&amp;x</b>\n  <b>y</b>\n  <c>\n    <add key=\"K\"\n value=\"v\" />\n  </c>\n</a>";
        let tree = tree(text).unwrap();
        let expected = serde_json::json!({"a": {"b": [{"id": "1", "#text": "w&x"}, "y"], "c": {"K": "v"}}});
        assert_eq!(tree.value, expected);
        let line =
            |way: &[&str]| tree.lines.get(&way.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>()).copied();
        assert_eq!(line(&["a", "b", "1"]), Some(5));
        assert_eq!(line(&["a", "c", "K"]), Some(8));
    }

    #[test]
    fn what_was_made_to_break_a_parser_is_refused() {
        assert!(tree(&"<a>".repeat(100_000)).is_none());
        assert!(tree(&format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000))).is_none());
        assert!(tree("<a><b></a></b>").is_none());
        assert!(tree("no markup").is_none());
        let bomb = "<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;&x;\">]><a>&y;</a>";
        assert_eq!(tree(bomb).unwrap().value, serde_json::json!({"a": ""}));
    }
}
