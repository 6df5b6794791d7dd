//! Reads the files (floor 2).

use super::{SETTINGS, Said, WindsurfPolicy};
use crate::fact::{Fact, GapReason};
use crate::gate::bounds::Odd;
use crate::gate::tree::{self, Item};
use crate::gate::{FileText, Ground, Level, MOST_RULES, Note, Place};

/// The names that its settings begin with: the editor has had two.
const NAMES: [&str; 2] = ["windsurf", "devin"];

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> WindsurfPolicy {
    let mut policy = WindsurfPolicy {
        ground: ground.clone(),
        levels: Vec::new(),
        pages: Vec::new(),
        allowed: Vec::new(),
        denied: Vec::new(),
        hooks: Vec::new(),
        own: vec![SETTINGS.to_owned()],
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    let mut files: Vec<&FileText> = files.iter().collect();
    files.sort_by_key(|file| file.level);
    for file in files {
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => {
                policy.unread.push((file.path.clone(), gap.reason));
                continue;
            }
        };
        policy.files.push(file.path.clone());
        if matches!(file.level, Level::User | Level::Project) && !policy.own.contains(&file.path) {
            policy.own.push(file.path.clone());
        }
        let root = tree::json(text, true).filter(|root| root.table().is_some());
        let hooks = file.path.ends_with("hooks.json");
        let read = root.and_then(|root| if hooks { policy.hook(&root, file) } else { policy.file(&root, file) });
        if read.is_none() {
            policy.unread.push((file.path.clone(), GapReason::Malformed));
            let place = Place { path: file.path.clone(), line: None };
            policy.notes.push(Note { place, text: "it is not understood, so it may say anything".to_owned() });
        }
    }
    policy
}

impl WindsurfPolicy {
    fn file(&mut self, root: &Item, file: &FileText) -> Option<()> {
        let said = |item: &Item| {
            let place = Place { path: file.path.clone(), line: Some(item.line) };
            Some(Said { value: item.text()?.to_owned(), place, level: file.level })
        };
        for name in NAMES {
            if let Some(item) = root.get(&[&format!("{name}.autoExecutionPolicy")]) {
                self.levels.push(said(item)?);
            }
            if let Some(item) = root.get(&[&format!("{name}.autoWebRequestPolicy")]) {
                self.pages.push(said(item)?);
            }
            for (key, list) in
                [("cascadeCommandsAllowList", &mut self.allowed), ("cascadeCommandsDenyList", &mut self.denied)]
            {
                let Some(all) = root.get(&[&format!("{name}.{key}")]) else { continue };
                for item in all.list()? {
                    list.push(said(item)?);
                }
            }
        }
        (self.allowed.len() + self.denied.len() <= MOST_RULES).then_some(())
    }

    fn hook(&mut self, root: &Item, file: &FileText) -> Option<()> {
        let Some(hooks) = root.get(&["hooks"]) else { return Some(()) };
        for (event, all) in hooks.table()? {
            // Those behind an action cannot block it.
            if !event.starts_with("pre_") {
                continue;
            }
            for item in all.list()? {
                let place = Place { path: file.path.clone(), line: Some(item.line) };
                self.hooks.push((event.clone(), Odd { what: "hook", place, level: file.level, refuses: true }));
            }
        }
        (self.hooks.len() <= MOST_RULES).then_some(())
    }
}
