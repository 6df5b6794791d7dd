//! Subagents, skills and commands: what the head of such a file may grant (floor 2).
//!
//! They are Markdown with a head in YAML. The head is not evaluated: that a key may stand in it is enough to be in doubt.

use super::{Event, Hook};
use crate::gate::{FileText, Level, Place};

/// What a definition may answer calls with: nothing if its head names no mode, no tools and no hooks of its own.
pub(super) fn read(file: &FileText, text: &str) -> Vec<Hook> {
    let head = head(text);
    // An escape may spell any key.
    let may = |keys: &[&str]| head.contains('\\') || keys.iter().any(|key| head.contains(key));
    let grants = may(&["permissionMode", "allowed-tools", "allowedTools"]).then_some([Event::Definition].as_slice());
    let hooks = may(&["hooks"]).then_some([Event::BeforeUse, Event::OnPrompt].as_slice());
    // A managed file that the user may write is the user's.
    let level = if file.level == Level::Managed && file.writable { Level::User } else { file.level };
    let events = grants.into_iter().chain(hooks).flatten();
    let place = Place { path: file.path.clone(), line: Some(1) };
    events.map(|event| Hook { event: *event, matcher: None, place: place.clone(), level, holds: false }).collect()
}

/// What stands between the first line and the next line of dashes; all of it if that line is missing.
fn head(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let Some(rest) = text.strip_prefix("---") else { return "" };
    rest.split_once("\n---").map_or(rest, |(head, _)| head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Fact;

    fn events(text: &str) -> Vec<Event> {
        let (path, text) = (".claude/agents/a.md".to_owned(), text.to_owned());
        let file = FileText { level: Level::Project, path, text: Fact::Known(text.clone()), writable: true };
        read(&file, &text).into_iter().map(|hook| hook.event).collect()
    }

    #[test]
    fn only_the_head_grants() {
        assert!(events("allowed-tools: Bash").is_empty());
        assert!(events("---\nname: a\n---\nallowed-tools: Bash").is_empty());
        assert_eq!(events("---\nname: a\nallowed-tools: Bash\n---\nx"), [Event::Definition]);
        assert_eq!(events("---\n{\"permission\\x4dode\": bypassPermissions}\n---").len(), 3);
        assert_eq!(events("---\nhooks:\n  PreToolUse: []\n---\n"), [Event::BeforeUse, Event::OnPrompt]);
    }
}
