//! Reads the files (floor 2).

use super::{AiderPolicy, Said};
use crate::fact::{Fact, GapReason};
use crate::gate::tree::{self, Item, Value};
use crate::gate::{FileText, Ground, Level, MOST_RULES, Note, Place};

/// Settings that are read here by another name, or lead to files that are not read.
const STRANGE: [&str; 5] = ["yes", "config", "env-file", "gui", "browser"];

/// Settings that give it all that it is to do.
const MESSAGES: [&str; 4] = ["message", "msg", "message-file", "apply"];

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> AiderPolicy {
    let mut policy = AiderPolicy {
        ground: ground.clone(),
        yes: None,
        suggests: None,
        test: None,
        tests: None,
        lint: Vec::new(),
        lints: None,
        message: None,
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    let mut files: Vec<&FileText> = files.iter().collect();
    // Those of a repository in the order in which they were found: its top, then the folder that it is started in.
    files.sort_by_key(|file| match file.level {
        Level::Managed | Level::State | Level::User => 0,
        Level::Project => 1,
        Level::Local => 2,
    });
    for file in files {
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => {
                policy.unread.push((file.path.clone(), gap.reason));
                continue;
            }
        };
        policy.files.push(file.path.clone());
        let root = tree::yaml(text).filter(|root| root.table().is_some());
        if root.and_then(|root| policy.settings(&root, file)).is_none() {
            policy.unread.push((file.path.clone(), GapReason::Malformed));
            let place = Place { path: file.path.clone(), line: None };
            policy.notes.push(Note { place, text: "it is not understood, so it may say anything".to_owned() });
        }
    }
    policy
}

/// What is said of a switch, in the words that stand for yes and no.
fn flag(item: &Item) -> Option<bool> {
    match &item.value {
        Value::Flag(flag) => Some(*flag),
        Value::Text(text) => match text.to_lowercase().as_str() {
            "yes" | "on" | "true" => Some(true),
            "no" | "off" | "false" => Some(false),
            _ => None,
        },
        Value::Number(_) | Value::List(_) | Value::Table(_) | Value::Other => None,
    }
}

impl AiderPolicy {
    fn settings(&mut self, root: &Item, file: &FileText) -> Option<()> {
        for (key, item) in root.table()? {
            let place = || Place { path: file.path.clone(), line: Some(item.line) };
            let (name, turned) = key.strip_prefix("no-").map_or((key.as_str(), false), |name| (name, true));
            if STRANGE.contains(&name) {
                return None;
            }
            if MESSAGES.contains(&name) {
                self.message = Some(Said { value: (), place: place(), level: file.level });
            }
            let slot = match name {
                "yes-always" => &mut self.yes,
                "suggest-shell-commands" => &mut self.suggests,
                "auto-test" => &mut self.tests,
                "auto-lint" => &mut self.lints,
                "test-cmd" => {
                    self.test = Some(Said { value: item.text()?.to_owned(), place: place(), level: file.level });
                    continue;
                }
                "lint-cmd" => {
                    let one = item.text().map(|text| vec![text]);
                    for text in one.or_else(|| item.texts())? {
                        // A language may stand in front.
                        let command = text.split_once(": ").map_or(text, |(_, command)| command);
                        self.lint.push(Said { value: command.trim().to_owned(), place: place(), level: file.level });
                    }
                    if self.lint.len() > MOST_RULES {
                        return None;
                    }
                    continue;
                }
                _ => continue,
            };
            *slot = Some(Said { value: flag(item)? != turned, place: place(), level: file.level });
        }
        Some(())
    }
}
