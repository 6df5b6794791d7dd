//! Reads the files (floor 2).

use std::collections::BTreeMap;

use super::{ClinePolicy, Kind, Said};
use crate::fact::{Fact, GapReason};
use crate::gate::tree::{self, Item, Value};
use crate::gate::{FileText, Ground, MOST_RULES, Note, Place};

/// Kinds of tools of which settings say whether they run unasked, and whether they do where nothing is said.
const ACTIONS: [(&str, bool); 5] =
    [("readFiles", true), ("editFiles", true), ("executeSafeCommands", false), ("useBrowser", true), ("useMcp", true)];

/// Switches of versions before this one, under which everything runs.
const SWITCHES: [&str; 2] = ["yoloModeToggled", "autoApproveAllToggled"];

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground, kind: Kind) -> ClinePolicy {
    let mut policy = ClinePolicy {
        kind,
        ground: ground.clone(),
        actions: BTreeMap::new(),
        known: kind == Kind::Terminal,
        all: None,
        disabled: BTreeMap::new(),
        servers: BTreeMap::new(),
        headless: false,
        asked_by_editor: None,
        hook: None,
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
        brings: None,
    };
    // What was typed stands above what is kept.
    let mut files: Vec<&FileText> = files.iter().collect();
    files.sort_by_key(|file| file.path == "--started-as");
    for file in files {
        let whole = Place { path: file.path.clone(), line: None };
        if file.path.contains("/hooks/") || file.path.contains("/Hooks/") {
            policy.hook.get_or_insert((whole, file.level));
            continue;
        }
        if file.path.ends_with("/plugins") {
            policy.brings.get_or_insert(whole);
            continue;
        }
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => {
                policy.unread.push((file.path.clone(), gap.reason));
                continue;
            }
        };
        policy.files.push(file.path.clone());
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let said = |value: bool, item: &Item| Said {
            value,
            place: Place { path: file.path.clone(), line: Some(item.line) },
            level: file.level,
        };
        let root = tree::json(text, false).filter(|root| root.table().is_some());
        let understood = root.and_then(|root| match name {
            "globalState.json" => policy.state(&root, said),
            "global-settings.json" => policy.settings(&root, said),
            "--started-as" => policy.started(&root, said),
            _ => policy.servers(&root, said),
        });
        if understood.is_none() {
            policy.unread.push((file.path.clone(), GapReason::Malformed));
            let text = "it is not understood, so it may say anything".to_owned();
            policy.notes.push(Note { place: whole, text });
        }
    }
    policy
}

/// Whether a value counts as yes in JavaScript.
fn truthy(item: &Item) -> bool {
    match &item.value {
        Value::Flag(flag) => *flag,
        Value::Text(text) => !text.is_empty(),
        Value::Number(number) => *number != 0,
        Value::List(_) | Value::Table(_) => true,
        Value::Other => false,
    }
}

impl ClinePolicy {
    /// What the editor keeps.
    fn state(&mut self, root: &Item, said: impl Fn(bool, &Item) -> Said) -> Option<()> {
        self.known = true;
        for switch in SWITCHES {
            if let Some(item) = root.get(&[switch]).filter(|item| truthy(item)) {
                self.all.get_or_insert(said(true, item));
            }
        }
        let Some(settings) = root.get(&["autoApprovalSettings"]) else {
            // Whether what the database holds was brought over is told by a mark.
            self.known = root.get(&["__vscodeMigrationVersion"]).is_some();
            return Some(());
        };
        let actions = settings.get(&["actions"]).filter(|item| item.table().is_some())?;
        for (name, _) in ACTIONS {
            let item = actions.get(&[name]);
            self.actions.insert(name, item.map_or_else(|| said(false, actions), |item| said(truthy(item), item)));
        }
        Some(())
    }

    /// What the terminal keeps.
    fn settings(&mut self, root: &Item, said: impl Fn(bool, &Item) -> Said) -> Option<()> {
        // What is neither yes nor no is passed over.
        if let Some((item, flag)) = root.get(&["toolAutoApprove"]).and_then(|item| Some((item, item.flag()?))) {
            self.all = Some(said(flag, item));
        }
        for tool in root.get(&["disabledTools"]).and_then(Item::list).into_iter().flatten() {
            self.disabled.insert(tool.text()?.to_owned(), said(true, tool));
        }
        (self.disabled.len() <= MOST_RULES).then_some(())
    }

    fn started(&mut self, root: &Item, said: impl Fn(bool, &Item) -> Said) -> Option<()> {
        if let Some(item) = root.get(&["auto-approve"]) {
            self.all = Some(said(item.flag()?, item));
        }
        self.headless = root.get(&["headless"]).and_then(Item::flag) == Some(true);
        if root.get(&["acp"]).and_then(Item::flag) == Some(true) {
            let acp = said(false, root);
            self.asked_by_editor = Some(acp.place.clone());
            // A client of its own asks unless it is told not to.
            if root.get(&["auto-approve"]).is_none() {
                self.all = Some(acp);
            }
        }
        Some(())
    }

    fn servers(&mut self, root: &Item, said: impl Fn(bool, &Item) -> Said) -> Option<()> {
        let Some(servers) = root.get(&["mcpServers"]) else { return Some(()) };
        for (name, item) in servers.table()? {
            let server = self.servers.entry(name.clone()).or_default();
            if let Some(off) = item.get(&["disabled"]).filter(|off| truthy(off)) {
                server.off = Some(said(true, off));
            }
            for tool in item.get(&["autoApprove"]).and_then(Item::list).into_iter().flatten() {
                server.free.insert(tool.text()?.to_owned(), said(true, tool));
            }
        }
        (self.servers.len() <= MOST_RULES).then_some(())
    }

    /// Whether a kind of tools runs unasked where nothing is said of it.
    pub(super) fn by_itself(action: &str) -> bool {
        ACTIONS.iter().any(|(name, free)| *name == action && *free)
    }
}
