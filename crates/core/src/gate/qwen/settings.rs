//! Reads the files (floor 2).

use super::rules::Rule;
use super::{Mode, QwenPolicy, Said};
use crate::fact::{Fact, GapReason};
use crate::gate::bounds::Odd;
use crate::gate::ignore::Ignored;
use crate::gate::tree::{self, Item};
use crate::gate::{Effect, FileText, Ground, Level, MOST_RULES, Note, Place};

/// Names that earlier versions had at the top, which are taken over in ways of their own.
const OLDER: [&str; 8] = [
    "approvalMode",
    "coreTools",
    "excludeTools",
    "allowedTools",
    "autoAccept",
    "allowMCPServers",
    "excludeMCPServers",
    "sandbox",
];

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> QwenPolicy {
    let mut policy = QwenPolicy {
        ground: ground.clone(),
        mode: None,
        rules: Vec::new(),
        core: None,
        shut: Vec::new(),
        only: None,
        trust: false,
        headless: false,
        sandboxed: false,
        ignored: Ignored::default(),
        odd: Vec::new(),
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
        brings: None,
        loose: false,
    };
    let mut files: Vec<&FileText> = files.iter().collect();
    files.sort_by_key(|file| rank(file));
    for file in files {
        policy.file(file);
    }
    policy
}

/// The order in which files are laid over each other, the stronger last.
fn rank(file: &FileText) -> u8 {
    match file.level {
        Level::Managed if file.path.ends_with("system-defaults.json") => 0,
        Level::Managed => 3,
        _ if file.path == "--started-as" => 4,
        Level::User | Level::State => 1,
        Level::Project | Level::Local => 2,
    }
}

struct From<'p> {
    path: &'p str,
    level: Level,
}

impl From<'_> {
    fn place(&self, item: &Item) -> Place {
        Place { path: self.path.to_owned(), line: Some(item.line) }
    }

    fn said<T>(&self, value: T, item: &Item) -> Said<T> {
        Said { value, place: self.place(item), level: self.level }
    }
}

impl QwenPolicy {
    fn file(&mut self, file: &FileText) {
        let whole = Place { path: file.path.clone(), line: None };
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => return self.unread.push((file.path.clone(), gap.reason)),
        };
        self.files.push(file.path.clone());
        let from = From { path: &file.path, level: file.level };
        if file.path.ends_with(".qwenignore") {
            self.ignored = Ignored::parse(&file.path, text, &self.ground);
            return;
        }
        if file.path.ends_with(".md") {
            return self.described(text, &from, whole);
        }
        if file.path.ends_with("/extensions") {
            self.brings.get_or_insert(whole.clone());
            return self.odd.push(Odd { what: "extension", place: whole, level: file.level, refuses: true });
        }
        self.loose |= file.level == Level::Managed && file.writable;
        let root = tree::json(text, false).filter(|root| root.table().is_some());
        // Later versions have another name for the mode, and other words for it.
        let later = |root: &Item| root.get(&["general", "defaultPermissionMode"]).is_some();
        let old =
            root.as_ref().is_some_and(|root| later(root) || OLDER.iter().any(|name| root.get(&[*name]).is_some()));
        let reason = if old { GapReason::Unsupported } else { GapReason::Malformed };
        let understood = root.filter(|_| !old).and_then(|root| self.settings(&root, &from));
        if understood.is_none() && !text.trim().is_empty() {
            self.unread.push((file.path.clone(), reason));
            let text = "it is not understood, so it may say anything".to_owned();
            self.notes.push(Note { place: whole, text });
        }
    }

    /// Subagents may have a mode of their own, skills may bring tools, and both may have hooks.
    fn described(&mut self, text: &str, from: &From<'_>, place: Place) {
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let Some(head) = text.strip_prefix("---").and_then(|rest| rest.split("\n---").next()) else { return };
        let words = ["approvalMode", "permissionMode", "allowedTools", "allowed-tools", "hooks", "\\"];
        if words.iter().any(|word| head.contains(word)) {
            self.odd.push(Odd { what: "subagent or skill", place, level: from.level, refuses: head.contains("hooks") });
        }
    }

    fn settings(&mut self, root: &Item, from: &From<'_>) -> Option<()> {
        if let Some(item) = root.get(&["tools", "approvalMode"]) {
            let mode = match item.text()? {
                "plan" => Mode::Plan,
                "default" => Mode::Ask,
                "auto-edit" | "auto_edit" | "autoEdit" => Mode::Edits,
                "auto" => Mode::Auto,
                "yolo" => Mode::Yolo,
                _ => return None,
            };
            self.mode = Some(from.said(mode, item));
        }
        let lists = [
            (["permissions", "deny"], Effect::Deny),
            (["permissions", "ask"], Effect::Ask),
            (["permissions", "allow"], Effect::Allow),
            (["tools", "exclude"], Effect::Deny),
            (["tools", "allowed"], Effect::Allow),
            (["tools", "core"], Effect::Allow),
        ];
        for (path, effect) in lists {
            let Some(item) = root.get(&path) else { continue };
            for rule in item.list()? {
                // Variables are put into what is written, and what a rule then names is not known.
                if rule.text()?.contains('$') {
                    return None;
                }
                // What names nothing counts for nothing.
                self.rules.extend(Rule::read(effect, rule.text()?, from.place(rule), from.level));
            }
            if path == ["tools", "core"] && !item.list()?.is_empty() {
                self.core.get_or_insert(from.place(item));
            }
        }
        if self.rules.len() > MOST_RULES {
            return None;
        }
        for name in root.get(&["mcp", "excluded"]).map_or(Some(&Vec::new()), Item::list)? {
            self.shut.push(from.said(name.text()?.to_owned(), name));
        }
        if let Some(item) = root.get(&["mcp", "allowed"]) {
            let names = item.texts()?.into_iter().map(str::to_owned).collect();
            self.only = Some(from.said(names, item));
        }
        self.trust |= root
            .get(&["security", "folderTrust"])
            .is_some_and(|item| item.get(&["enabled"]).is_none_or(|enabled| enabled.flag() != Some(false)));
        self.sandboxed |= root.get(&["tools", "sandbox"]).is_some_and(|item| item.flag() != Some(false));
        let off = root.get(&["disableAllHooks"]).and_then(Item::flag) == Some(true);
        if let Some(item) =
            root.get(&["hooks"]).filter(|item| item.table().is_none_or(|table| !table.is_empty()) && !off)
        {
            self.odd.push(Odd { what: "hook", place: from.place(item), level: from.level, refuses: true });
        }
        if from.path == "--started-as" {
            self.headless = root.get(&["headless"]).and_then(Item::flag) == Some(true);
        }
        Some(())
    }
}
