//! Reads the files (floor 2).

use super::rule::Rule;
use super::{ContinuePolicy, Mode, PERMISSIONS};
use crate::fact::{Fact, GapReason};
use crate::gate::bounds::Odd;
use crate::gate::tree::{self, Item};
use crate::gate::{Effect, FileText, Ground, Level, MOST_RULES, Note, Place};

/// The lists of rules, in the order in which they are tried.
const LISTS: [(&str, Effect); 3] = [("exclude", Effect::Deny), ("ask", Effect::Ask), ("allow", Effect::Allow)];

/// Hooks that may answer before a tool is run.
const BEFORE: [&str; 2] = ["PreToolUse", "PermissionRequest"];

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> ContinuePolicy {
    let mut policy = ContinuePolicy {
        ground: ground.clone(),
        mode: Mode::Normal,
        headless: false,
        rules: Vec::new(),
        kept: PERMISSIONS.to_owned(),
        odd: Vec::new(),
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    let mut written = Vec::new();
    for file in files {
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => {
                policy.unread.push((file.path.clone(), gap.reason));
                continue;
            }
        };
        policy.files.push(file.path.clone());
        if file.path == "--started-as" {
            policy.started(text, file);
        } else if file.path.ends_with(".yaml") {
            policy.kept.clone_from(&file.path);
            match rules(text, file) {
                Some(rules) => written.extend(rules),
                None => {
                    policy.unread.push((file.path.clone(), GapReason::Malformed));
                    let place = Place { path: file.path.clone(), line: None };
                    let text = "it is not read as it stands, and what it excludes may be excluded no more".to_owned();
                    policy.notes.push(Note { place, text });
                }
            }
        } else {
            policy.hooks(text, file);
        }
    }
    for rule in &written {
        if rule.argument.is_some()
            && rule.effect != Effect::Allow
            && matches!(rule.tool.as_str(), "Read" | "Write" | "List" | "Diff" | "Search")
        {
            let text = format!("`{}` names an argument that the tool does not have, and binds nothing", rule.shown());
            policy.notes.push(Note { place: rule.place.clone(), text });
        }
    }
    policy.rules.extend(written);
    policy
}

/// The rules of the file; none where it is not taken as it stands.
fn rules(text: &str, file: &FileText) -> Option<Vec<Rule>> {
    let root = tree::yaml(text)?;
    let table = root.table()?;
    if table.keys().any(|key| LISTS.iter().all(|(name, _)| name != key)) {
        return None;
    }
    let mut found = Vec::new();
    for (name, effect) in LISTS {
        let Some(list) = root.get(&[name]).filter(|item| item.value != tree::Value::Other) else { continue };
        for one in list.list()? {
            let place = Place { path: file.path.clone(), line: Some(one.line) };
            found.push(Rule::written(one.text()?, effect, place, file.level)?);
        }
    }
    (found.len() <= MOST_RULES).then_some(found)
}

impl ContinuePolicy {
    fn started(&mut self, text: &str, file: &FileText) {
        let Some(root) = tree::json(text, false) else { return };
        self.mode = match root.get(&["mode"]).and_then(Item::text) {
            Some("auto") => Mode::Auto,
            Some("plan") => Mode::Plan,
            Some(_) | None => Mode::Normal,
        };
        self.headless = root.get(&["headless"]).and_then(Item::flag) == Some(true);
        for (name, effect) in LISTS {
            for rule in root.get(&[name]).and_then(Item::texts).unwrap_or_default() {
                let place = Place { path: file.path.clone(), line: None };
                self.rules.push(Rule::typed(rule, effect, place, Level::User));
            }
        }
    }

    fn hooks(&mut self, text: &str, file: &FileText) {
        let whole = Place { path: file.path.clone(), line: None };
        let Some(root) = tree::json(text, false) else {
            // It may be one that the program reads.
            if BEFORE.iter().any(|name| text.contains(name)) {
                self.odd.push(Odd { what: "hook", place: whole, level: file.level, refuses: true });
            }
            return;
        };
        let named = BEFORE.iter().find_map(|name| root.get(&["hooks", name]));
        if let Some(item) = named.filter(|item| item.list().is_none_or(|list| !list.is_empty())) {
            let place = Place { line: Some(item.line), ..whole };
            self.odd.push(Odd { what: "hook", place, level: file.level, refuses: true });
        }
    }
}
