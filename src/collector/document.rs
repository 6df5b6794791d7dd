//! Parsing files that may be made to break a parser (floor 5): how deep and how entangled they are is measured first.

use serde_json::Value;

/// The deepest nesting that is parsed.
const DEEPEST: usize = 100;
/// The largest YAML that is parsed; nothing that we look for is larger.
const LARGEST_YAML: usize = 1 << 20;

/// JSON, with the comments and trailing commas that editors allow.
pub(crate) fn json(text: &str) -> Option<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if depth(text.as_bytes()) > DEEPEST {
        return None;
    }
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default()).ok().flatten()
}

/// Every document of a YAML file. Aliases in numbers are the mark of a bomb, and none of our files has them.
pub(crate) fn yaml(text: &str) -> Option<Vec<Value>> {
    use serde::Deserialize;
    let aliases =
        text.split(|c: char| c.is_whitespace() || matches!(c, '[' | ',')).filter(|word| word.starts_with('*'));
    let indent = text.lines().map(|line| line.bytes().take_while(|byte| matches!(byte, b' ' | b'-')).count()).max();
    if text.len() > LARGEST_YAML
        || depth(text.as_bytes()) > DEEPEST
        || aliases.count() > 20
        || indent.is_some_and(|indent| indent > 400)
    {
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
    if depth(text.as_bytes()) > DEEPEST || text.len() > LARGEST_YAML {
        return None;
    }
    ::toml::from_str(text).ok()
}

/// The most brackets that are open at once, at most. Brackets in strings count too, which is safe.
fn depth(text: &[u8]) -> usize {
    let (mut open, mut deepest) = (0_usize, 0_usize);
    for byte in text {
        match byte {
            b'{' | b'[' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The line of `value` under `key`: where the value stands after the key, else where the value stands, else the key.
pub(crate) fn line_of(text: &str, key: &str, value: &str) -> Option<u64> {
    let near = |at: usize| {
        let before = text.get(..at).unwrap_or_default();
        let mut lines = before.rsplit('\n');
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
