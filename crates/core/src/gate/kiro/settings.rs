//! Reads the files (floor 2).

use super::{KiroPolicy, Profile, RULES, Rule, Said};
use crate::fact::{Fact, GapReason};
use crate::gate::tree::{self, Item};
use crate::gate::{Effect, FileText, Ground, Level, MOST_RULES, Note, Place};

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> KiroPolicy {
    let mut policy = KiroPolicy {
        ground: ground.clone(),
        rules: Vec::new(),
        trusted: Vec::new(),
        agents: Vec::new(),
        agent: None,
        all: None,
        own: vec![RULES.to_owned()],
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    let mut files: Vec<&FileText> = files.iter().collect();
    // What is typed comes last.
    files.sort_by_key(|file| (file.level == Level::Local, file.path.clone()));
    for file in files {
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => {
                policy.unread.push((file.path.clone(), gap.reason));
                continue;
            }
        };
        policy.files.push(file.path.clone());
        let yaml = file.path.ends_with(".yaml");
        if yaml && file.level == Level::User {
            policy.own = vec![file.path.clone()];
        }
        let root = if yaml { tree::yaml(text) } else { tree::json(text, true) };
        let root = root.filter(|root| root.table().is_some());
        if root.and_then(|root| policy.file(&root, file)).is_none() && !text.trim().is_empty() {
            policy.unread.push((file.path.clone(), GapReason::Malformed));
            let place = Place { path: file.path.clone(), line: None };
            policy.notes.push(Note { place, text: "it is not understood, so it may say anything".to_owned() });
        }
    }
    policy
}

impl KiroPolicy {
    fn file(&mut self, root: &Item, file: &FileText) -> Option<()> {
        let typed = file.path == "--started-as";
        let said = |item: &Item| {
            let line = (!typed).then_some(item.line);
            Said { place: Place { path: file.path.clone(), line }, level: file.level }
        };
        let texts = |root: &Item, path: &[&str]| -> Option<Vec<(String, Said)>> {
            let Some(list) = root.get(path) else { return Some(Vec::new()) };
            list.list()?.iter().map(|item| Some((item.text()?.to_owned(), said(item)))).collect()
        };
        if typed {
            if let Some(item) = root.get(&["all"]).filter(|item| item.flag() == Some(true)) {
                self.all = Some(said(item));
            }
            self.agent = root.get(&["agent"]).and_then(Item::text).map(str::to_owned).or(self.agent.take());
            let trusted = texts(root, &["trust"])?;
            if !trusted.is_empty() {
                self.agents.push(Profile { name: String::new(), trusted, allowed: Vec::new() });
            }
            return Some(());
        }
        if file.path.ends_with(".yaml") {
            // Which of the folders of workspaces is this one's is not told by its name.
            return self.add_rules(root.get(&["rules"]), file.level == Level::User, &said);
        }
        if file.path.contains("agents/") {
            let name = root.get(&["name"]).and_then(Item::text).map(str::to_owned);
            let stem = || file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".json").to_owned();
            let mut allowed = Vec::new();
            for tool in ["shell", "execute_bash"] {
                allowed.extend(texts(root, &["toolsSettings", tool, "allowedCommands"])?);
            }
            let profile =
                Profile { name: name.unwrap_or_else(stem), trusted: texts(root, &["allowedTools"])?, allowed };
            self.agents.push(profile);
            return self.add_rules(root.get(&["permissions", "rules"]), false, &said);
        }
        if file.path.ends_with("cli.json") {
            self.agent = root.get(&["chat.defaultAgent"]).and_then(Item::text).map(str::to_owned);
            return Some(());
        }
        self.trusted.extend(texts(root, &["kiroAgent.trustedCommands"])?);
        (self.trusted.len() <= MOST_RULES).then_some(())
    }

    fn add_rules(&mut self, rules: Option<&Item>, sure: bool, said: &impl Fn(&Item) -> Said) -> Option<()> {
        let Some(rules) = rules else { return Some(()) };
        for item in rules.list()? {
            let patterns = |key: &str| -> Option<Vec<String>> {
                let Some(list) = item.get(&[key]) else { return Some(Vec::new()) };
                Some(list.texts()?.into_iter().map(str::to_owned).collect())
            };
            let effect = match item.get(&["effect"])?.text()? {
                "allow" => Effect::Allow,
                "ask" => Effect::Ask,
                "deny" => Effect::Deny,
                _ => return None,
            };
            self.rules.push(Rule {
                capability: item.get(&["capability"])?.text()?.to_owned(),
                wanted: patterns("match")?,
                spared: patterns("exclude")?,
                effect,
                sure,
                said: said(item),
            });
        }
        (self.rules.len() <= MOST_RULES).then_some(())
    }
}
