//! Reads the files (floor 2).

use std::collections::BTreeMap;

use super::{CrushPolicy, Said, Server};
use crate::fact::{Fact, GapReason};
use crate::gate::bounds::Odd;
use crate::gate::tree::{self, Item};
use crate::gate::{FileText, Ground, Level, MOST_RULES, Note, Place};

/// Names that are looked for at the top, and within some of these.
const NAMES: [(&str, &[&str]); 4] = [
    ("permissions", &["allowed_tools"]),
    ("options", &["disabled_tools", "data_directory"]),
    ("hooks", &[]),
    ("mcp", &[]),
];

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> CrushPolicy {
    let mut policy = CrushPolicy {
        ground: ground.clone(),
        allowed: BTreeMap::new(),
        disabled: BTreeMap::new(),
        servers: BTreeMap::new(),
        yolo: None,
        headless: None,
        odd: Vec::new(),
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    let mut files: Vec<&FileText> = files.iter().collect();
    // The stronger last; within a folder what is written for a shell is stronger than what is not.
    files.sort_by_key(|file| rank(file));
    for file in files {
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => {
                policy.unread.push((file.path.clone(), gap.reason));
                continue;
            }
        };
        policy.files.push(file.path.clone());
        let from = From { path: &file.path, level: file.level };
        let understood = if file.path.ends_with("crushrc") {
            policy.script(text, &from).ok_or(GapReason::Unsupported)
        } else if text.is_empty() {
            Ok(())
        } else {
            let root = tree::json(text, false).filter(|root| root.table().is_some());
            root.and_then(|root| policy.settings(&root, &from)).ok_or(GapReason::Malformed)
        };
        if let Err(reason) = understood {
            policy.unread.push((file.path.clone(), reason));
            let place = Place { path: file.path.clone(), line: None };
            let text = "it is not understood, so it may say anything".to_owned();
            policy.notes.push(Note { place, text });
        }
    }
    policy
}

fn rank(file: &FileText) -> u8 {
    match file.level {
        Level::Managed => 0,
        Level::User if file.path != "--started-as" => 1,
        Level::State => 2,
        // What it keeps beside a project stands above all other files (`internal/config/load.go`).
        Level::Project | Level::Local if file.path.ends_with(".crush/crush.json") => 4,
        Level::Project | Level::Local => 3,
        Level::User => 5,
    }
}

struct From<'p> {
    path: &'p str,
    level: Level,
}

impl From<'_> {
    fn place(&self, line: u64) -> Place {
        Place { path: self.path.to_owned(), line: Some(line) }
    }

    fn said(&self, item: &Item) -> Said {
        Said { place: self.place(item.line), level: self.level }
    }
}

/// A name as it is compared: without regard to case, as the program reads it.
fn folded(name: &str) -> String {
    name.to_lowercase().to_uppercase()
}

/// Whether a table holds a name that is read as another one that counts.
fn strange(table: &Item, names: &[&str]) -> bool {
    table
        .table()
        .into_iter()
        .flatten()
        .any(|(key, _)| names.iter().any(|name| key != name && folded(key) == folded(name)))
}

impl CrushPolicy {
    fn settings(&mut self, root: &Item, from: &From<'_>) -> Option<()> {
        let top: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        let within = NAMES.iter().any(|(name, inner)| root.get(&[name]).is_some_and(|item| strange(item, inner)));
        // Where the strongest file lies may be said, and what lies there is not read.
        let elsewhere = root.get(&["options", "data_directory"]).is_some();
        if strange(root, &top) || within || elsewhere {
            return None;
        }
        for (path, allows) in [(["permissions", "allowed_tools"], true), (["options", "disabled_tools"], false)] {
            let Some(item) = root.get(&path) else { continue };
            for tool in item.list()? {
                let into = if allows { &mut self.allowed } else { &mut self.disabled };
                into.insert(tool.text()?.to_owned(), from.said(tool));
                if into.len() > MOST_RULES {
                    return None;
                }
            }
        }
        if from.path == "--started-as" {
            let flag = |key: &str| root.get(&[key]).and_then(Item::flag) == Some(true);
            let whole = Place { path: from.path.to_owned(), line: Some(root.line) };
            self.yolo = flag("yolo").then(|| whole.clone());
            self.headless = flag("run").then_some(whole);
            return Some(());
        }
        if let Some(item) = root.get(&["hooks"]).filter(|item| item.table().is_none_or(|table| !table.is_empty())) {
            let place = from.place(item.line);
            self.odd.push(Odd { what: "hook", place, level: from.level, refuses: true });
        }
        if let Some(servers) = root.get(&["mcp"]) {
            for (name, item) in servers.table()? {
                if strange(item, &["disabled", "disabled_tools", "enabled_tools"]) {
                    return None;
                }
                self.of_server(name, item, from)?;
            }
        }
        Some(())
    }

    fn of_server(&mut self, name: &str, item: &Item, from: &From<'_>) -> Option<()> {
        let server: &mut Server = self.servers.entry(name.to_owned()).or_default();
        if let Some(off) = item.get(&["disabled"]) {
            server.off = off.flag()?.then(|| from.said(off));
        }
        for tool in item.get(&["disabled_tools"]).map_or(Some(&Vec::new()), Item::list)? {
            server.disabled.insert(tool.text()?.to_owned(), from.said(tool));
        }
        if let Some(enabled) = item.get(&["enabled_tools"]) {
            let mut tools: Vec<String> = enabled.texts()?.into_iter().map(str::to_owned).collect();
            tools.extend(server.enabled.iter().flat_map(|(tools, _)| tools.clone()));
            // A list of none is no list.
            server.enabled = (!tools.is_empty()).then(|| (tools, from.said(enabled)));
        }
        Some(())
    }

    /// What is written for a shell is run by one. Only lines that are plainly about permissions are understood.
    fn script(&mut self, text: &str, from: &From<'_>) -> Option<()> {
        for (line, at) in text.lines().zip(1_u64..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let plain = line.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | ':'));
            let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
            let into = match words.get(..2).filter(|_| plain)? {
                ["permissions", "allow"] => &mut self.allowed,
                ["permissions", "deny"] => &mut self.disabled,
                _ => return None,
            };
            let said = Said { place: from.place(at), level: from.level };
            into.extend(words.iter().skip(2).map(|tool| ((*tool).to_owned(), said.clone())));
        }
        Some(())
    }
}
