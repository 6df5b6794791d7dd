//! Reads the files (floor 2).

use std::collections::BTreeMap;

use regex::RegexBuilder;

use super::{Hook, Launch, Pattern, Profile, QPolicy, Said, Tool, globs};
use crate::fact::{Fact, GapReason};
use crate::gate::tree::{self, Item};
use crate::gate::{FileText, Ground, Level, MOST_RULES, Note, Place};

/// What an agent's file may hold; with any other name in it, it is not loaded.
const NAMES: [&str; 14] = [
    "$schema",
    "name",
    "description",
    "prompt",
    "mcpServers",
    "tools",
    "toolAliases",
    "allowedTools",
    "resources",
    "hooks",
    "toolsSettings",
    "useLegacyMcpJson",
    "model",
    "path",
];

/// Tools with settings, each with the names of what is allowed and refused.
const TOOLS: [(&str, &str, &str); 4] = [
    ("execute_bash", "allowedCommands", "deniedCommands"),
    ("use_aws", "allowedServices", "deniedServices"),
    ("fs_read", "allowedPaths", "deniedPaths"),
    ("fs_write", "allowedPaths", "deniedPaths"),
];

/// The longest expression that is read.
const LONGEST: usize = 2_048;

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> QPolicy {
    let mut policy = QPolicy {
        ground: ground.clone(),
        agents: Vec::new(),
        default: None,
        delegate: None,
        knowledge: false,
        launch: None,
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
        let from = From { path: &file.path, level: file.level };
        // Comments are an error to it, and here they are not.
        let strict = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let root = tree::json(text, false).filter(|root| strict && root.table().is_some());
        let understood = root.and_then(|root| policy.file(&root, &from));
        if understood.is_none() {
            policy.unread.push((file.path.clone(), GapReason::Malformed));
            let place = Place { path: file.path.clone(), line: None };
            let text = "it is not loaded as it stands, and what it refuses may bind nobody".to_owned();
            policy.notes.push(Note { place, text });
        }
    }
    policy
}

struct From<'p> {
    path: &'p str,
    level: Level,
}

impl From<'_> {
    fn said(&self, item: &Item) -> Said {
        Said { place: Place { path: self.path.to_owned(), line: Some(item.line) }, level: self.level }
    }
}

impl QPolicy {
    fn file(&mut self, root: &Item, from: &From<'_>) -> Option<()> {
        if from.path == "--started-as" {
            let text = |key: &str| root.get(&[key]).and_then(Item::text).map(str::to_owned);
            let trusted = root.get(&["trust"]).and_then(Item::texts).unwrap_or_default();
            self.launch = Some(Launch {
                place: Place { path: from.path.to_owned(), line: None },
                agent: text("agent"),
                all: root.get(&["all"]).and_then(Item::flag) == Some(true),
                trusted: trusted.into_iter().map(str::to_owned).collect(),
            });
            return Some(());
        }
        if from.path.contains("cli-agents/") {
            let profile = self.profile(root, from)?;
            self.agents.push(profile);
            return Some(());
        }
        let flag = |key: &str| root.get(&[key]).filter(|item| item.flag() == Some(true));
        self.default = root.get(&["chat.defaultAgent"]).and_then(Item::text).map(str::to_owned);
        self.delegate = flag("chat.enableDelegate").map(|item| from.said(item).place);
        self.knowledge = flag("chat.enableKnowledge").is_some();
        Some(())
    }

    fn profile(&mut self, root: &Item, from: &From<'_>) -> Option<Profile> {
        let table = root.table()?;
        // `path` is never read.
        if table.keys().any(|key| !NAMES.contains(&key.as_str()) || key == "path") {
            return None;
        }
        if !sound(root) {
            return None;
        }
        let mut trusted = BTreeMap::new();
        if let Some(all) = root.get(&["allowedTools"]) {
            for tool in all.list()? {
                trusted.insert(tool.text()?.to_owned(), from.said(tool));
            }
        }
        let mut profile = Profile {
            name: root.get(&["name"])?.text()?.to_owned(),
            file: Some(Place { path: from.path.to_owned(), line: None }),
            project: from.level == Level::Project,
            // One whose file of instructions is not there is not loaded.
            doubted: root.get(&["prompt"]).and_then(Item::text).is_some_and(|text| text.starts_with("file:")),
            trusted,
            tools: BTreeMap::new(),
            hooks: hooks(root, from)?,
        };
        if let Some(settings) = root.get(&["toolsSettings"]) {
            settings.table()?;
            for (tool, allowed, denied) in TOOLS {
                let Some(item) = settings.get(&[tool]) else { continue };
                let broken = || Tool { broken: Some(from.said(item)), ..Tool::default() };
                let read = self.tool(tool, item, (allowed, denied), from).unwrap_or_else(broken);
                if read.allowed.len() + read.denied.len() > MOST_RULES {
                    return None;
                }
                profile.tools.insert(tool, read);
            }
        }
        for (key, said) in &profile.trusted {
            let set = profile.tools.get(key.as_str());
            if set.is_some_and(|tool| !tool.allowed.is_empty() || tool.shut.is_some()) {
                let text = format!("`{key}` is trusted, so what is allowed of it in `toolsSettings` says nothing");
                self.notes.push(Note { place: said.place.clone(), text });
            }
        }
        Some(profile)
    }

    /// What is set for a tool; none where it does not understand it, and asks.
    fn tool(&self, tool: &str, item: &Item, lists: (&str, &str), from: &From<'_>) -> Option<Tool> {
        item.table()?;
        let list = |key: &str| -> Option<Vec<Pattern>> {
            let Some(all) = item.get(&[key]) else { return Some(Vec::new()) };
            all.list()?.iter().map(|one| Some(self.pattern(tool, one.text()?, from.said(one)))).collect()
        };
        let flag = |key: &str| -> Option<Option<Said>> {
            let Some(set) = item.get(&[key]) else { return Some(None) };
            Some(set.flag()?.then(|| from.said(set)))
        };
        let (shut, reading) = match tool {
            "execute_bash" => (flag("denyByDefault")?, flag("autoAllowReadonly")?),
            "use_aws" => (None, flag("autoAllowReadonly")?),
            "fs_read" => (None, flag("allowReadOnly")?),
            _ => (None, None),
        };
        Some(Tool { broken: None, allowed: list(lists.0)?, denied: list(lists.1)?, shut, reading })
    }

    fn pattern(&self, tool: &str, text: &str, said: Said) -> Pattern {
        let expression = match tool {
            "execute_bash" if text.len() <= LONGEST => RegexBuilder::new(&format!(r"\A{text}\z")).build().ok(),
            "fs_read" | "fs_write" => globs::path(text, &self.ground),
            _ => None,
        };
        // What is no name of a file cannot be followed through links, and what is asked about is.
        let loose = tool != "execute_bash" && text.contains(['*', '?']);
        Pattern { text: text.to_owned(), said, expression, loose }
    }
}

/// Whether what has nothing to do with commands is of the kinds that it has to be, without which an agent is not loaded.
fn sound(root: &Item) -> bool {
    let texts = |item: &Item| item.table().is_some_and(|table| table.values().all(|one| one.text().is_some()));
    let is = |root: &Item, keys: &[&str], kind: &dyn Fn(&Item) -> bool| {
        keys.iter().all(|key| root.get(&[*key]).is_none_or(kind))
    };
    let text = |item: &Item| item.text().is_some();
    let server = |item: &Item| {
        item.table().is_some()
            && is(item, &["type"], &|item| matches!(item.text(), Some("stdio" | "http")))
            && is(item, &["url", "command"], &text)
            && is(item, &["args", "oauthScopes"], &|item| item.texts().is_some())
            && is(item, &["headers", "env"], &texts)
            && is(item, &["timeout"], &|item| item.number().is_some_and(|number| number >= 0))
            && is(item, &["disabled"], &|item| item.flag().is_some())
            && item.get(&["oauth"]).is_none()
    };
    is(root, &["$schema", "description", "prompt", "model"], &text)
        && is(root, &["tools", "resources"], &|item| item.texts().is_some())
        && is(root, &["toolAliases"], &texts)
        && is(root, &["useLegacyMcpJson"], &|item| item.flag().is_some())
        && is(root, &["mcpServers"], &|item| item.table().is_some_and(|table| table.values().all(server)))
}

fn hooks(root: &Item, from: &From<'_>) -> Option<Vec<Hook>> {
    let Some(hooks) = root.get(&["hooks"]) else { return Some(Vec::new()) };
    let known = ["agentSpawn", "userPromptSubmit", "preToolUse", "postToolUse", "stop"];
    if hooks.table()?.keys().any(|key| !known.contains(&key.as_str())) {
        return None;
    }
    let mut found = Vec::new();
    for (trigger, hook) in hooks.table()?.iter().flat_map(|(trigger, all)| {
        all.list().map_or_else(|| vec![(trigger, all)], |all| all.iter().map(|hook| (trigger, hook)).collect())
    }) {
        hook.get(&["command"])?.text()?;
        let number = |key: &str| hook.get(&[key]).is_none_or(|item| item.number().is_some_and(|number| number >= 0));
        if !["timeout_ms", "max_output_size", "cache_ttl_seconds"].into_iter().all(number) {
            return None;
        }
        let matcher = match hook.get(&["matcher"]) {
            Some(matcher) => Some(matcher.text()?.to_owned()),
            None => None,
        };
        if trigger == "preToolUse" {
            found.push(Hook { matcher, said: from.said(hook) });
        }
    }
    Some(found)
}
