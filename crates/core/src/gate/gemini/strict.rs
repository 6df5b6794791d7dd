//! What the agent's parser of TOML does not read as ours does (floor 2).
//!
//! It is that of the package `@iarna/toml` 2.2.5, for version 0.5 of the language. A file that it does not read counts for
//! nothing, so one with anything that later versions of the language brought is not understood here.

use crate::gate::tree::{Item, Value};

/// Whether a text holds what the agent's parser may not read, though ours does.
pub(super) fn newer(text: &str, root: &Item) -> bool {
    text.contains(['\u{feff}', '\u{7f}']) || mixed(root) || spelled(text)
}

/// Whether values of several kinds stand in one list.
fn mixed(item: &Item) -> bool {
    match &item.value {
        Value::List(list) => {
            let same = list.windows(2).all(|two| {
                let [a, b] = two else { return true };
                std::mem::discriminant(&a.value) == std::mem::discriminant(&b.value)
            });
            // Fractions and dates are not told apart.
            !same || list.iter().any(|one| one.value == Value::Other || mixed(one))
        }
        Value::Table(table) => table.values().any(mixed),
        Value::Text(_) | Value::Flag(_) | Value::Number(_) | Value::Other => false,
    }
}

/// Whether something is written as only later versions of the language have it: a line's end within `{}`, a quote right
/// before three that close, an escape by `e` or `x`, a name beyond ASCII. Times need not have seconds in them either, so
/// any colon is one too many.
fn spelled(text: &str) -> bool {
    let mut rest = text;
    let mut braces = 0_usize;
    while let Some(c) = rest.chars().next() {
        if let Some(quotes) = ["\"\"\"", "'''"].into_iter().find(|quotes| rest.starts_with(quotes)) {
            let Some((inner, behind)) = quoted(rest.get(3..).unwrap_or_default(), quotes) else { return true };
            if behind.starts_with(c) || (c == '"' && escapes(inner)) {
                return true;
            }
            rest = behind;
            continue;
        }
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '"' | '\'' => {
                let Some((inner, behind)) = quoted(behind, c.encode_utf8(&mut [0; 4])) else { return true };
                if c == '"' && escapes(inner) {
                    return true;
                }
                rest = behind;
                continue;
            }
            '#' => {
                rest = behind.find('\n').and_then(|end| behind.get(end..)).unwrap_or_default();
                continue;
            }
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            '\n' if braces > 0 => return true,
            ':' => return true,
            c if !c.is_ascii() => return true,
            _ => {}
        }
        rest = behind;
    }
    false
}

/// What stands before the quotes that close, and what stands behind them.
fn quoted<'t>(text: &'t str, quotes: &str) -> Option<(&'t str, &'t str)> {
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(quotes) {
            return Some((text.get(..at)?, rest.get(quotes.len()..)?));
        }
        let c = rest.chars().next()?;
        at += c.len_utf8();
        if c == '\\' && quotes.starts_with('"') {
            at += rest.chars().nth(1).map_or(0, char::len_utf8);
        }
    }
    None
}

/// Whether a text has an escape that the agent's parser does not know.
fn escapes(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && matches!(chars.next(), Some('e' | 'x')) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::tree::toml;

    #[test]
    fn what_later_versions_brought_is_not_read() {
        for text in [
            "a = [1, \"a\"]",
            "a = [1, 1.5]",
            "a = [[1, \"a\"]]",
            "a = \"\\e\"",
            "a = \"\\x41\"",
            "a = { b = 1,\n c = 2 }",
            "a = \"\"\"\"q\"\"\"\"",
            "a = ''''q''''",
            "a = 07:32",
            "\u{feff}a = 1",
            "a = [{ b = 1 }, 1]",
        ] {
            assert!(toml(text).is_none_or(|root| newer(text, &root)), "{text}");
        }
    }

    #[test]
    fn what_both_read_is_read() {
        for text in [
            "# \u{e9}: a = {\n[[rule]]\ntoolName = \"run_shell_command\"\ncommandRegex = \"git (status|log)\\\\b\"\n",
            "a = [\n  \"x: {\", # one\n  '\\x00',\n]\nb = { c = \"\u{e9}\", d.e = [1, 2] }\n",
            "a = \"\"\"\nx \\\n  \"y\" {\n\"\"\"\nb = '''\n'''\nc = \"\\u00e9 \\\"\"\n",
        ] {
            let root = toml(text).unwrap();
            assert!(!newer(text, &root), "{text}");
        }
    }
}
