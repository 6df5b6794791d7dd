//! What settings may say though they do not spell it (floor 2).

use crate::gate::tree::Item;

/// What keys with variables in them make of a file: variables and files are put in before it is read, so such a key may
/// be any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    /// They are what permissions are asked for, so a rule may be another one.
    Rule(u64),
    /// They may be the name of any setting.
    Setting,
}

/// What is hidden by variables in a settings file, if anything is.
pub(super) fn hidden(root: &Item) -> Option<Hidden> {
    let mut rule = None;
    for (key, item) in root.table().into_iter().flatten() {
        if variable(key) {
            return Some(Hidden::Setting);
        }
        if key == "permission" {
            let all = item.table().into_iter().flatten();
            let patterns = all.clone().flat_map(|(_, item)| item.table().into_iter().flatten());
            if all.clone().any(|(key, _)| variable(key)) {
                return Some(Hidden::Setting);
            }
            rule = rule.or_else(|| patterns.clone().find(|(key, _)| variable(key)).map(|(_, item)| item.line));
        } else if !matches!(key.as_str(), "provider" | "mcp") && within(item) {
            return Some(Hidden::Setting);
        }
    }
    rule.map(Hidden::Rule)
}

/// Whether a key anywhere within holds a variable.
pub(super) fn within(item: &Item) -> bool {
    item.table().into_iter().flatten().any(|(key, item)| variable(key) || within(item))
        || item.list().into_iter().flatten().any(within)
}

fn variable(key: &str) -> bool {
    key.contains("{env:") || key.contains("{file:")
}

/// Whether an agent's file may say what the agent may do, or that there is none of that name. Names in its head may be
/// spelled in many ways.
pub(super) fn speaks(text: &str) -> bool {
    let Some(head) = text.trim_start_matches('\u{feff}').trim_start().strip_prefix("---") else { return false };
    let plain = head.starts_with('\n') || head.starts_with("\r\n");
    let head = head.split("\n---").next().unwrap_or(head);
    !plain || ["permission", "tools", "disable", "\\"].iter().any(|word| head.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_in_whatever_way_they_are_spelled() {
        for text in [
            "---\npermission:\n  bash: allow\n---\n",
            "---\n\"permission\": {bash: allow}\n---\n",
            "---\n{permission: {bash: allow}}\n---\n",
            "---\n\"permis\\x73ion\": {bash: allow}\n---\n",
            "---json\n{}\n---\n",
            "---\r\ntools:\r\n  bash: true\r\n---\r\n",
            "---\ndisable: true",
        ] {
            assert!(speaks(text), "{text}");
        }
        for text in ["---\ndescription: x\nmode: subagent\n---\nuse tools\n", "permission: allow", ""] {
            assert!(!speaks(text), "{text}");
        }
    }
}
