//! Reads the files (floor 2).

use std::collections::BTreeMap;

use regex::RegexBuilder;

use super::{Mode, Pattern, Rules, SETTINGS, ZedPolicy};
use crate::fact::{Fact, GapReason};
use crate::gate::bounds::Odd;
use crate::gate::tree::{self, Item};
use crate::gate::{FileText, Ground, Level, MOST_RULES, Note, Place};

/// Settings that stand above others of the same file: by channel, by system, and by a name that is chosen.
const ABOVE: [&str; 8] = ["dev", "nightly", "preview", "stable", "linux", "macos", "windows", "profiles"];

/// The longest expression that is read.
const LONGEST: usize = 2_048;

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> ZedPolicy {
    let mut policy = ZedPolicy {
        ground: ground.clone(),
        default: None,
        tools: BTreeMap::new(),
        older: None,
        own: SETTINGS.to_owned(),
        odd: Vec::new(),
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    for file in files {
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => {
                policy.unread.push((file.path.clone(), gap.reason));
                continue;
            }
        };
        policy.files.push(file.path.clone());
        let root = tree::json(text, true).filter(|root| root.table().is_some());
        if root.and_then(|root| policy.file(&root, file)).is_none() && !text.trim().is_empty() {
            policy.unread.push((file.path.clone(), GapReason::Malformed));
            let place = Place { path: file.path.clone(), line: None };
            policy.notes.push(Note { place, text: "it is not understood, so it may say anything".to_owned() });
        }
    }
    policy
}

impl ZedPolicy {
    fn file(&mut self, root: &Item, file: &FileText) -> Option<()> {
        let place = |item: &Item| Place { path: file.path.clone(), line: Some(item.line) };
        let agent = root.get(&["agent"]);
        if file.level == Level::Project {
            if let Some(item) = agent {
                let text = "settings of a project do not reach the agent".to_owned();
                self.notes.push(Note { place: place(item), text });
            }
            return Some(());
        }
        let held = |item: &Item| item.get(&["agent"]).is_some() || nested(item);
        let above = ABOVE.iter().filter_map(|key| root.get(&[key])).find(|item| held(item));
        let other = agent.filter(|_| file.level == Level::State);
        for item in above.into_iter().chain(other) {
            let what = "other part of the settings";
            self.odd.push(Odd { what, place: place(item), level: file.level, refuses: true });
        }
        if file.level == Level::State {
            return Some(());
        }
        self.own.clone_from(&file.path);
        let Some(agent) = agent else { return Some(()) };
        agent.table()?;
        if let Some(item) = agent.get(&["always_allow_tool_actions"]).filter(|item| item.flag() != Some(false)) {
            self.older = Some(place(item));
        }
        let Some(permissions) = agent.get(&["tool_permissions"]) else { return Some(()) };
        permissions.table()?;
        self.default = default(permissions, &place)?;
        let Some(tools) = permissions.get(&["tools"]) else { return Some(()) };
        for (name, item) in tools.table()? {
            item.table()?;
            let list = |key: &str| -> Option<Vec<Pattern>> {
                let Some(all) = item.get(&[key]) else { return Some(Vec::new()) };
                all.list()?.iter().map(|one| pattern(one, place(one), file.level)).collect()
            };
            let rules = Rules {
                default: default(item, &place)?,
                allow: list("always_allow")?,
                confirm: list("always_confirm")?,
                deny: list("always_deny")?,
            };
            if rules.allow.len() + rules.confirm.len() + rules.deny.len() > MOST_RULES {
                return None;
            }
            self.tools.insert(name.clone(), rules);
        }
        Some(())
    }
}

/// Whether something in it, one step down, is about the agent.
fn nested(item: &Item) -> bool {
    item.table()
        .into_iter()
        .flatten()
        .any(|(_, inner)| inner.get(&["agent"]).is_some() || inner.get(&["settings", "agent"]).is_some())
}

fn default(item: &Item, place: &impl Fn(&Item) -> Place) -> Option<Option<(Mode, Place)>> {
    let Some(word) = item.get(&["default"]) else { return Some(None) };
    let mode = match word.text()? {
        "allow" => Mode::Allow,
        "confirm" => Mode::Confirm,
        "deny" => Mode::Deny,
        _ => return None,
    };
    Some(Some((mode, place(word))))
}

fn pattern(item: &Item, place: Place, level: Level) -> Option<Pattern> {
    let text = item.get(&["pattern"])?.text()?.to_owned();
    let sensitive = item.get(&["case_sensitive"]).map_or(Some(false), Item::flag)?;
    let build = || RegexBuilder::new(&text).case_insensitive(!sensitive).build().ok();
    let expression = if text.len() <= LONGEST { build() } else { None };
    Some(Pattern { text, place, level, expression })
}
