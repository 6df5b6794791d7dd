//! What a failure says (floor 2): a line with `{{ asset.name }}` in it, and nothing else that a template could do. A
//! check may come from anyone; a line without loops and filters can neither run on nor reach beyond its subject.

use serde_json::Value;

use super::subject::{Kind, Subject, kind_at};

/// A line with fields in it.
#[derive(Clone, Debug)]
pub struct Message(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    /// A path below the subject.
    Field(String),
}

impl Message {
    /// Reads a line over a subject.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(line: &str, subject: Subject) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = line;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((inside, behind)) = after.split_once("}}") else {
                return Err("`{{` is not closed by `}}`".to_owned());
            };
            let inside = inside.trim();
            let path = inside.strip_prefix(subject.word()).and_then(|path| path.strip_prefix('.'));
            match path.and_then(|path| kind_at(subject.fields(), path).map(|kind| (path, kind))) {
                Some((path, Kind::Bool | Kind::Int | Kind::Text | Kind::Word(_) | Kind::Texts)) => {
                    parts.push(Part::Text(before.to_owned()));
                    parts.push(Part::Field(path.to_owned()));
                }
                Some((_, Kind::Record(_) | Kind::Records(_))) | None => {
                    let word = subject.word();
                    return Err(format!("`{inside}` is no field that can be shown; write `{{{{ {word}.… }}}}`"));
                }
            }
            rest = behind;
        }
        if line.contains("{%") || line.contains("{#") {
            return Err("only fields in `{{ }}` can stand in it".to_owned());
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The line for a subject; what is not known stands as `unknown`.
    #[must_use]
    pub fn of(&self, values: &Value) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Field(path) => path
                .split('.')
                .try_fold(values, |value, key| value.get(key))
                .map_or_else(|| "unknown".to_owned(), shown),
        };
        self.0.iter().map(part).collect()
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
