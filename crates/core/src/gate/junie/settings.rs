//! Reads the files (floor 2).

use super::{Group, JuniePolicy, LIST, List, Rule, Said, Wanted};
use crate::fact::{Fact, GapReason};
use crate::gate::bounds::Odd;
use crate::gate::tree::{self, Item};
use crate::gate::{FileText, Ground, Level, MOST_RULES, Note, Place};

/// Events of hooks that are asked before a call, and may refuse it or answer its prompt.
const BEFORE: [&str; 2] = ["PreToolUse", "PermissionRequest"];

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> JuniePolicy {
    let mut policy = JuniePolicy {
        ground: ground.clone(),
        lists: Vec::new(),
        brave: Vec::new(),
        headless: None,
        hooks: Vec::new(),
        own: vec![LIST.to_owned()],
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
        if file.level != Level::Local && !policy.own.contains(&file.path) {
            policy.own.push(file.path.clone());
        }
        let root = tree::json(text, true).filter(|root| root.table().is_some());
        let list = file.path.ends_with("allowlist.json");
        let read = root.and_then(|root| if list { policy.list(&root, file) } else { policy.file(&root, file) });
        if read.is_none() {
            policy.unread.push((file.path.clone(), GapReason::Malformed));
            let place = Place { path: file.path.clone(), line: None };
            policy.notes.push(Note { place, text: "it is not understood, so it may say anything".to_owned() });
        }
    }
    policy
}

fn said<T>(value: T, item: &Item, file: &FileText) -> Said<T> {
    let line = (file.level != Level::Local).then_some(item.line);
    Said { value, place: Place { path: file.path.clone(), line }, level: file.level }
}

impl JuniePolicy {
    fn file(&mut self, root: &Item, file: &FileText) -> Option<()> {
        if let Some(item) = root.get(&["brave"]) {
            self.brave.push(said(item.flag()?, item, file));
        }
        if root.get(&["headless"]).is_some_and(|item| file.level == Level::Local && item.flag() == Some(true)) {
            self.headless = Some(Place { path: file.path.clone(), line: None });
        }
        let Some(hooks) = root.get(&["hooks"]) else { return Some(()) };
        if file.level == Level::Project {
            let place = said((), hooks, file).place;
            self.notes.push(Note { place, text: "hooks of a project do not run".to_owned() });
            return Some(());
        }
        for (event, item) in hooks.table()? {
            if BEFORE.contains(&event.as_str()) {
                let Said { place, level, .. } = said((), item, file);
                self.hooks.push(Odd { what: "hook", place, level, refuses: true });
            }
        }
        Some(())
    }

    fn list(&mut self, root: &Item, file: &FileText) -> Option<()> {
        let mut list = List { sure: file.level == Level::User, ..List::default() };
        if let Some(item) = root.get(&["defaultBehavior"]) {
            list.default = Some(said(allows(item)?, item, file));
        }
        if let Some(item) = root.get(&["allowReadonlyCommands"]) {
            list.reading = Some(said(item.flag()?, item, file));
        }
        for (name, group) in [
            ("executables", &mut list.commands),
            ("fileEditing", &mut list.edits),
            ("mcpTools", &mut list.servers),
            ("readOutsideProject", &mut list.reads),
        ] {
            let Some(item) = root.get(&["rules", name]) else { continue };
            *group = grouped(item, file)?;
        }
        let groups = [&list.commands, &list.edits, &list.servers, &list.reads];
        let count: usize = groups.iter().map(|group| group.rules.len()).sum();
        self.lists.push(list);
        (count <= MOST_RULES).then_some(())
    }
}

fn grouped(item: &Item, file: &FileText) -> Option<Group> {
    let mut group = Group::default();
    for name in ["defaultBehavior", "default"] {
        if let Some(item) = item.get(&[name]) {
            group.default = Some(said(allows(item)?, item, file));
        }
    }
    let Some(rules) = item.get(&["rules"]) else { return Some(group) };
    for item in rules.list()? {
        let wanted = match (item.get(&["prefix"]), item.get(&["pattern"])) {
            (Some(prefix), None) => Wanted::Prefix(prefix.text()?.to_owned()),
            (None, Some(pattern)) => Wanted::Pattern(pattern.text()?.to_owned()),
            (Some(_), Some(_)) | (None, None) => return None,
        };
        group.rules.push(Rule { wanted, allows: allows(item.get(&["action"])?)?, said: said((), item, file) });
    }
    Some(group)
}

/// What is done: only these two are documented. One that refuses is taken to ask.
fn allows(item: &Item) -> Option<bool> {
    match item.text()? {
        "allow" => Some(true),
        "ask" | "deny" => Some(false),
        _ => None,
    }
}
