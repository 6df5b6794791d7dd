//! Reads the files (floor 2).

use super::{Autonomy, DroidPolicy, SETTINGS, Said};
use crate::fact::{Fact, GapReason};
use crate::gate::tree::{self, Item};
use crate::gate::{FileText, Ground, Level, MOST_RULES, Note, Place};

/// The names that the level has had.
const LEVELS: [&str; 2] = ["autonomyLevel", "autonomyMode"];

/// Where the level of new sessions may be set as well.
const SESSION: &str = "sessionDefaultSettings";

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> DroidPolicy {
    let mut policy = DroidPolicy {
        ground: ground.clone(),
        skips: None,
        autonomy: None,
        most: None,
        typed: false,
        allowed: Vec::new(),
        denied: Vec::new(),
        blocked: Vec::new(),
        own: vec![SETTINGS.to_owned()],
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    let mut files: Vec<&FileText> = files.iter().collect();
    // The weaker first: what is typed stands above the files, and what lies beside a file above that file.
    files.sort_by_key(|file| (rank(file.level), file.path.ends_with("settings.local.json")));
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

const fn rank(level: Level) -> u8 {
    match level {
        Level::State | Level::User => 0,
        Level::Project => 1,
        Level::Managed => 2,
        Level::Local => 3,
    }
}

fn level(word: &str) -> Option<Autonomy> {
    Some(match word.strip_prefix("auto-").unwrap_or(word) {
        "off" | "normal" | "spec" => Autonomy::Off,
        "low" => Autonomy::Low,
        "medium" => Autonomy::Medium,
        "high" => Autonomy::High,
        _ => return None,
    })
}

impl DroidPolicy {
    fn file(&mut self, root: &Item, file: &FileText) -> Option<()> {
        let typed = file.path == "--started-as";
        let place = |item: &Item| Place { path: file.path.clone(), line: (!typed).then_some(item.line) };
        if let Some(item) = root.get(&["skip"]).filter(|item| typed && item.flag() == Some(true)) {
            self.skips = Some(Said { value: true, place: place(item), level: file.level });
        }
        let session = root.get(&[SESSION]);
        for item in [Some(root), session].into_iter().flatten().flat_map(|root| LEVELS.map(|name| root.get(&[name]))) {
            let Some(item) = item else { continue };
            self.autonomy = Some(Said { value: level(item.text()?)?, place: place(item), level: file.level });
            self.typed = typed;
        }
        for root in [Some(root), session].into_iter().flatten() {
            let Some(item) = root.get(&["maxAutonomyLevel"]) else { continue };
            let most = Said { value: level(item.text()?)?, place: place(item), level: file.level };
            // Each may only make it less.
            if self.most.as_ref().is_none_or(|known| most.value < known.value) {
                self.most = Some(most);
            }
        }
        for root in [Some(root), session].into_iter().flatten() {
            for (name, list) in [
                ("commandAllowlist", &mut self.allowed),
                ("commandDenylist", &mut self.denied),
                ("commandBlocklist", &mut self.blocked),
            ] {
                let Some(all) = root.get(&[name]) else { continue };
                for item in all.list()? {
                    list.push(Said { value: item.text()?.to_owned(), place: place(item), level: file.level });
                }
            }
        }
        (self.allowed.len() + self.denied.len() + self.blocked.len() <= MOST_RULES).then_some(())
    }
}
