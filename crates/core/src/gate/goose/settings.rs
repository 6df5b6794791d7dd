//! Reads the files (floor 2).

use std::collections::BTreeMap;

use super::{CONFIG, GoosePolicy, Mode, PERMISSION, Said};
use crate::fact::{Fact, GapReason};
use crate::gate::bounds::Odd;
use crate::gate::tree::{self, Item};
use crate::gate::{Effect, FileText, Ground, Level, MOST_RULES, Note, Place};

/// The lists of tools, the one that counts before others last.
const LISTS: [(&str, Effect); 3] =
    [("ask_before", Effect::Ask), ("always_allow", Effect::Allow), ("never_allow", Effect::Deny)];

/// Names of models that are agents with tools of their own (`crates/goose/src/providers`).
const AGENTS: [&str; 8] =
    ["claude-code", "claude_code", "codex", "cursor", "gemini-cli", "gemini_cli", "acp", "copilot"];

/// Names that look like one of those, of models that are no agents.
const MODELS: [&str; 2] = ["github_copilot", "chatgpt_codex"];

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> GoosePolicy {
    let mut policy = GoosePolicy {
        ground: ground.clone(),
        mode: Mode::Auto,
        set: None,
        tools: BTreeMap::new(),
        judged: BTreeMap::new(),
        own: vec![CONFIG.to_owned(), PERMISSION.to_owned()],
        odd: Vec::new(),
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    let mut files: Vec<&FileText> = files.iter().collect();
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
        policy.named(file);
        if policy.file(text, file).is_none() {
            policy.unread.push((file.path.clone(), GapReason::Malformed));
            let place = Place { path: file.path.clone(), line: None };
            let text = "it is not read as it stands, and what it says counts for nothing".to_owned();
            policy.notes.push(Note { place, text });
        }
    }
    if policy.mode == Mode::Auto {
        for (tool, (effect, said)) in &policy.tools {
            if *effect != Effect::Allow {
                let tool = crate::gate::shown::shown(tool);
                let text = format!("`{tool}` runs all the same: in the mode `auto` no list is looked at");
                policy.notes.push(Note { place: said.place.clone(), text });
            }
        }
    }
    policy
}

/// The order in which files are laid over each other, the stronger last.
fn rank(file: &FileText) -> u8 {
    match file.path.as_str() {
        "--started-as" => 5,
        "GOOSE_MODE" => 4,
        name if provider(name) => 4,
        _ if file.level == Level::Managed => 0,
        _ if file.level == Level::State => 1,
        path if path.ends_with("pricing.yaml") => 2,
        _ => 3,
    }
}

/// Whether a variable names a model: for all work, or for some of it.
fn provider(name: &str) -> bool {
    !name.contains('/') && name.contains("PROVIDER")
}

impl GoosePolicy {
    /// Its own files may lie elsewhere than is usual.
    fn named(&mut self, file: &FileText) {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let at = match name {
            "config.yaml" if file.level == Level::User => 0,
            "permission.yaml" => 1,
            _ => return,
        };
        if let Some(slot) = self.own.get_mut(at) {
            slot.clone_from(&file.path);
        }
    }

    fn file(&mut self, text: &str, file: &FileText) -> Option<()> {
        let whole = Place { path: file.path.clone(), line: None };
        match file.path.as_str() {
            // It is taken as it stands, blanks and all.
            "GOOSE_MODE" => self.mode(text, Said { place: whole, level: file.level }),
            name if provider(name) => self.provider(text, whole, file.level),
            "--started-as" => {}
            path if path.ends_with("/plugins") => {
                self.odd.push(Odd { what: "plugin", place: whole, level: file.level, refuses: true });
            }
            path if path.ends_with("permission.yaml") => return self.lists(&tree::yaml(text)?, file),
            _ => {
                let root = tree::yaml(text)?;
                let table = root.table()?;
                if let Some(item) = table.get("GOOSE_MODE") {
                    let said = Said { place: Place { line: Some(item.line), ..whole.clone() }, level: file.level };
                    // What is no word of these is none at all, and the usual mode stands.
                    self.mode(item.text().unwrap_or_default(), said);
                }
                for (key, item) in table {
                    if key.contains("PROVIDER") || key.contains("provider") {
                        let place = Place { line: Some(item.line), ..whole.clone() };
                        self.provider(item.text().unwrap_or_default(), place, file.level);
                    }
                }
            }
        }
        Some(())
    }

    fn mode(&mut self, word: &str, said: Said) {
        self.mode = match word {
            "approve" => Mode::Approve,
            "smart_approve" => Mode::Smart,
            "chat" => Mode::Chat,
            _ => Mode::Auto,
        };
        if self.mode == Mode::Auto && word != "auto" {
            let text = "this is no mode that is known, and everything runs".to_owned();
            self.notes.push(Note { place: said.place.clone(), text });
        }
        self.set = Some(said);
    }

    fn provider(&mut self, name: &str, place: Place, level: Level) {
        let lower = name.to_lowercase();
        if MODELS.contains(&lower.trim()) {
            return;
        }
        if AGENTS.iter().any(|agent| lower.contains(agent)) {
            self.odd.push(Odd { what: "agent that it hands everything to", place, level, refuses: true });
        }
    }

    /// Without one of its three lists a table is an error, and it does not start.
    fn lists(&mut self, root: &Item, file: &FileText) -> Option<()> {
        let mut count = 0;
        for (name, table) in root.table()? {
            for (list, effect) in LISTS {
                for one in table.get(&[list])?.list()? {
                    let said =
                        Said { place: Place { path: file.path.clone(), line: Some(one.line) }, level: file.level };
                    count += 1;
                    let tool = one.text()?.to_owned();
                    match name.as_str() {
                        "user" => self.tools.insert(tool, (effect, said)),
                        "smart_approve" => self.judged.insert(tool, (effect, said)),
                        _ => None,
                    };
                }
            }
        }
        (count <= MOST_RULES).then_some(())
    }
}
