//! Reads the files (floor 2).

use super::{AmpPolicy, Rule, SETTINGS, Said};
use crate::fact::{Fact, GapReason};
use crate::gate::tree::{self, Item};
use crate::gate::{Effect, FileText, Ground, Level, MOST_RULES, Note, Place};

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> AmpPolicy {
    let mut policy = AmpPolicy {
        ground: ground.clone(),
        all: Vec::new(),
        rules: Vec::new(),
        allowed: Vec::new(),
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
        if root.and_then(|root| policy.file(&root, file)).is_none() {
            policy.unread.push((file.path.clone(), GapReason::Malformed));
            let place = Place { path: file.path.clone(), line: None };
            policy.notes.push(Note { place, text: "it is not understood, so it may say anything".to_owned() });
        }
    }
    policy
}

impl AmpPolicy {
    fn file(&mut self, root: &Item, file: &FileText) -> Option<()> {
        let said = |item: &Item| {
            let line = (file.path != "--started-as").then_some(item.line);
            Said { place: Place { path: file.path.clone(), line }, level: file.level }
        };
        if let Some(item) = root.get(&["amp.dangerouslyAllowAll"]) {
            self.all.push((item.flag()?, said(item)));
        }
        if let Some(list) = root.get(&["amp.commands.allowlist"]) {
            for item in list.list()? {
                self.allowed.push((item.text()?.to_owned(), said(item)));
            }
        }
        if let Some(list) = root.get(&["amp.permissions"]) {
            let rules = list.list()?.iter().map(|item| rule(item, said(item))).collect::<Option<Vec<Rule>>>()?;
            if !rules.is_empty() {
                self.rules.push(rules);
            }
        }
        let count: usize = self.rules.iter().map(Vec::len).sum();
        (count + self.allowed.len() <= MOST_RULES).then_some(())
    }
}

fn rule(item: &Item, said: Said) -> Option<Rule> {
    let effect = match item.get(&["action"])?.text()? {
        "allow" => Some(Effect::Allow),
        "ask" => Some(Effect::Ask),
        "reject" => Some(Effect::Deny),
        "delegate" => None,
        _ => return None,
    };
    // One that holds for some threads alone, or says what is not known here, may count or not.
    let known = ["tool", "matches", "action", "to", "message"];
    let mut loose = item.table()?.keys().any(|key| !known.contains(&key.as_str()));
    let mut wanted = Vec::new();
    for (name, value) in item.get(&["matches"]).and_then(Item::table).into_iter().flatten() {
        let one = value.text().map(|text| vec![text]);
        let values = one.or_else(|| value.texts());
        match values {
            Some(values) => wanted.push((name.clone(), values.into_iter().map(str::to_owned).collect())),
            None => loose = true,
        }
    }
    loose |= item.get(&["matches"]).is_some_and(|item| item.table().is_none());
    Some(Rule { tool: item.get(&["tool"])?.text()?.to_owned(), wanted, loose, effect, said })
}
