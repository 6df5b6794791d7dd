//! Parsing files that may be made to break a parser (floor 5): how deep and how entangled they are is measured first.

use serde_json::Value;

/// The most brackets that a file may open where its parser does not bound its own depth. Counted without regard to
/// strings and comments, so that none of these hides any.
const OPENED_JSONC: usize = 300;
/// The most brackets that a YAML or TOML file may open.
const OPENED: usize = 5_000;
/// The largest YAML that is parsed; nothing that we look for is larger.
const LARGEST_YAML: usize = 1 << 20;

/// How far before a value its key is looked for.
const NEAR: usize = 4_096;

/// JSON, with the comments and trailing commas that editors allow.
pub(crate) fn json(text: &str) -> Option<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // This one bounds its own depth.
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    if opened(text) > OPENED_JSONC {
        return None;
    }
    jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default()).ok().flatten()
}

/// Every document of a YAML file. One alias is enough for a bomb, and none of our files needs any.
pub(crate) fn yaml(text: &str) -> Option<Vec<Value>> {
    use serde::Deserialize;
    let alias = |pair: &[u8]| matches!(pair, [b' ' | b'\t' | b'\n' | b'[' | b',' | b'{' | b':' | b'-', b'*']);
    let aliases = text.starts_with('*') || text.as_bytes().windows(2).any(alias);
    let indent = text.lines().map(|line| line.bytes().take_while(|byte| matches!(byte, b' ' | b'-')).count()).max();
    if text.len() > LARGEST_YAML || opened(text) > OPENED || aliases || indent.is_some_and(|indent| indent > 400) {
        return None;
    }
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        documents.push(Value::deserialize(document).ok()?);
    }
    Some(documents)
}

/// TOML.
pub(crate) fn toml(text: &str) -> Option<Value> {
    if opened(text) > OPENED || text.len() > LARGEST_YAML {
        return None;
    }
    ::toml::from_str(text).ok()
}

/// How many brackets are opened, those in strings and comments among them.
fn opened(text: &str) -> usize {
    text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count()
}

/// The line of `value` under `key`: where the value stands after the key, else where the value stands, else the key.
pub(crate) fn line_of(text: &str, key: &str, value: &str) -> Option<u64> {
    let near = |at: usize| {
        // A line may be as long as the file; a key is written near its value.
        let mut from = at.saturating_sub(NEAR);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        let mut lines = text.get(from..at).unwrap_or_default().rsplit('\n');
        lines.next().is_some_and(|line| line.contains(key)) || lines.next().is_some_and(|line| line.contains(key))
    };
    let places = || text.match_indices(value).map(|(at, _)| at).take(200);
    let found = if value.is_empty() { None } else { places().find(|at| near(*at)).or_else(|| places().next()) };
    let at = found.or_else(|| text.find(key))?;
    let before = text.get(..at)?;
    u64::try_from(before.bytes().filter(|byte| *byte == b'\n').count() + 1).ok()
}

/// A text at a path of keys.
pub(crate) fn text_at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |value, key| value.get(*key))?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bombs_are_refused() {
        assert!(json(&"[".repeat(100_000)).is_none());
        assert!(yaml(&"[".repeat(100_000)).is_none());
        assert!(yaml(&"- ".repeat(100_000)).is_none());
        let mut bomb = "a: &a [x, x]\n".to_owned();
        for _ in 0..40 {
            bomb.push_str("b: [*a, *a, *a, *a]\n");
        }
        assert!(yaml(&bomb).is_none());
        assert!(toml(&"a = [".repeat(1_000)).is_none());
    }

    #[test]
    fn a_value_is_found_under_its_key() {
        let text = "a: same\nb:\n  - same\n";
        assert_eq!(line_of(text, "b", "same"), Some(3));
        assert_eq!(line_of(text, "a", "same"), Some(1));
        assert_eq!(line_of(text, "b", "absent"), Some(2));
    }
}
