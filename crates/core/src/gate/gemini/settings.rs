//! Reads the files, and says in which ways a session may start with them (floor 2).

use std::rc::Rc;

use super::laid::{self, Layer, Layers, Rank, laid};
use super::policy::{self, Tier};
use super::rule::Rule;
use super::{GeminiPolicy, Hook, Mode, Start};
use crate::fact::{Fact, GapReason};
use crate::gate::ignore::Ignored;
use crate::gate::tree::{self, Item};
use crate::gate::{FileText, Ground, Level, Note, Place};

/// Where settings that were typed are said to stand.
const TYPED: &str = "--started-as";

/// Settings that are lists of texts, and count as such.
const LISTS: [&[&str]; 6] = [
    &["tools", "exclude"],
    &["tools", "allowed"],
    &["tools", "core"],
    &["tools", "confirmationRequired"],
    &["mcp", "allowed"],
    &["mcp", "excluded"],
];

/// Settings that are switched on or off. What is neither may count as either.
const FLAGS: [&[&str]; 9] = [
    &["security", "disableAlwaysAllow"],
    &["security", "disableYoloMode"],
    &["security", "toolSandboxing"],
    &["security", "enableConseca"],
    &["security", "folderTrust", "enabled"],
    &["context", "fileFiltering", "respectGeminiIgnore"],
    &["general", "plan", "enabled"],
    &["hooksConfig", "enabled"],
    &["mcp", "autoAllowInHeadless"],
];

/// Settings that hold others. What is no table in one file takes the place of what all weaker ones say.
const TABLES: [&[&str]; 11] = [
    &["tools"],
    &["mcp"],
    &["mcpServers"],
    &["security"],
    &["security", "folderTrust"],
    &["general"],
    &["general", "plan"],
    &["context"],
    &["context", "fileFiltering"],
    &["hooks"],
    &["hooksConfig"],
];

/// Settings that name policy files elsewhere, which are not read.
const ELSEWHERE: [&[&str]; 2] = [&["policyPaths"], &["adminPolicyPaths"]];

#[derive(Default)]
struct Read {
    layers: Vec<Layer>,
    rules: Vec<Rule>,
    checkers: Vec<Hook>,
    ignored: Option<Ignored>,
    /// Whether the folder is trusted, where a file tells.
    trusted: Option<bool>,
    /// Whether someone said that it is, whatever the files tell.
    told: Option<bool>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
    extension: Option<Place>,
    headless: bool,
}

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> GeminiPolicy {
    let mut read = Read::default();
    for file in files {
        read.file(file, ground);
    }
    read.layers.sort_by_key(|layer| layer.rank);
    let all = Layers(std::mem::take(&mut read.layers));
    read.elsewhere(&all);
    read.notes.extend(laid::notes(&all));
    let mut starts = read.starts(&all);
    if all.0.iter().any(|layer| layer.doubtful) {
        starts.extend(read.starts(&all.without(|layer| layer.doubtful)));
    }
    let no_yolo = all.without(|layer| layer.doubtful || layer.rank == Rank::Project);
    let no_yolo = no_yolo.last(&["security", "disableYoloMode"]);
    let no_yolo = no_yolo.is_some_and(|(layer, item)| layer.rank == Rank::System && item.flag() == Some(true));
    GeminiPolicy {
        ground: ground.clone(),
        starts,
        unread: read.unread,
        files: read.files,
        notes: read.notes,
        extension: read.extension,
        no_yolo,
    }
}

/// The modes that a session may be in. A plan that a person approves is carried out in one of the others.
fn modes(set: Option<&Item>, typed: bool, trusted: bool, layers: &Layers) -> Vec<Mode> {
    let planned = || {
        if layers.flag(&["general", "plan", "enabled"]) == Some(false) {
            vec![Mode::Default]
        } else {
            vec![Mode::Plan, Mode::Default, Mode::AutoEdit]
        }
    };
    let yolo = layers.flag(&["security", "disableYoloMode"]) != Some(true);
    let modes = match set.map(Item::text) {
        None | Some(Some("default")) => vec![Mode::Default],
        Some(Some("auto_edit")) => vec![Mode::AutoEdit],
        Some(Some("plan")) => planned(),
        Some(Some("yolo")) if typed && yolo => vec![Mode::Yolo],
        // It is set by a flag alone, and an administrator may keep it from being set at all.
        Some(Some("yolo")) => vec![Mode::Default],
        Some(Some(_) | None) => vec![Mode::Default, Mode::AutoEdit, Mode::Yolo],
    };
    if trusted { modes } else { vec![Mode::Default] }
}

/// Whether the folder may be trusted, and whether it may not be. An editor may say that it is, which no file tells.
fn trusts(everywhere: &Layers, read: &Read) -> Vec<bool> {
    if let Some(told) = read.told {
        return vec![told];
    }
    let off = everywhere.flag(&["security", "folderTrust", "enabled"]) == Some(false);
    if off || read.trusted == Some(true) { vec![true] } else { vec![true, false] }
}

impl Read {
    /// The ways in which a session may start with these settings.
    fn starts(&self, all: &Layers) -> Vec<Start> {
        let everywhere = all.without(|layer| layer.rank == Rank::Project);
        let mut starts = Vec::new();
        for trusted in trusts(&everywhere, self) {
            let layers = if trusted { all.clone() } else { everywhere.clone() };
            let mut rules = Rc::new(laid(layers, &self.rules, &self.checkers, self.ignored.as_ref()));
            // Hooks of settings count where the folder is trusted, and so do servers.
            if !trusted && let Some(rules) = Rc::get_mut(&mut rules) {
                rules.hooks.retain(|hook| hook.what == "safety checker");
            }
            let set = rules.layers.last(&["general", "defaultApprovalMode"]);
            let place = set.map(|(layer, item)| (layer.place(item), layer.level));
            let typed = set.is_some_and(|(layer, _)| layer.rank == Rank::Typed);
            for mode in modes(set.map(|(_, item)| item), typed, trusted, &rules.layers) {
                let start = |headless| Start { mode, place: place.clone(), headless, trusted, laid: Rc::clone(&rules) };
                if !self.headless {
                    starts.push(start(false));
                }
                // Without a person rules may count that do not count with one.
                let counts = |rule: &Rule| rule.interactive == Some(false) && rule.place.is_some();
                if self.headless || rules.rules.iter().any(counts) {
                    starts.push(start(true));
                }
            }
        }
        starts
    }

    fn note(&mut self, path: &str, line: Option<u64>, text: &str) {
        self.notes.push(Note { place: Place { path: path.to_owned(), line }, text: text.to_owned() });
    }

    fn missed(&mut self, file: &FileText, reason: GapReason) {
        self.unread.push((file.path.clone(), reason));
    }

    fn file(&mut self, file: &FileText, ground: &Ground) {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => {
                // An ignore file that was not read hides nothing, and trust that was not read is not known.
                if !matches!(name, ".geminiignore" | "trustedFolders.json") && !self.idle(file) {
                    self.missed(file, gap.reason);
                }
                return;
            }
        };
        self.files.push(file.path.clone());
        if name.ends_with(".toml") {
            return self.policy(file, text);
        }
        match name {
            ".geminiignore" => self.ignored = Some(Ignored::parse(&file.path, text, ground)),
            "trustedFolders.json" => self.trust(file, text, ground),
            "--trusted" => self.told = text.trim().parse().ok(),
            "gemini-extension.json" => self.extension(file, text),
            "hooks.json" => {
                let place = Place { path: file.path.clone(), line: None };
                self.checkers.push(Hook { matcher: None, place, level: Level::User, what: "hook of an extension" });
            }
            _ => self.settings(file, text),
        }
    }

    /// Whether a file has no effect.
    fn idle(&mut self, file: &FileText) -> bool {
        let idle = file.level == Level::Project && file.path.ends_with(".toml");
        if idle {
            self.note(&file.path, None, "policies in a project have no effect in this agent");
        }
        idle
    }

    fn policy(&mut self, file: &FileText, text: &str) {
        if self.idle(file) {
            return;
        }
        let tier = match file.level {
            _ if file.path.contains("/extensions/") => Tier::Extension,
            Level::Managed => Tier::Admin,
            Level::State | Level::User | Level::Project | Level::Local => Tier::User,
        };
        let Some(read) = policy::read(file, text, tier) else {
            self.note(&file.path, None, "what the agent makes of it is not known");
            return self.missed(file, GapReason::Malformed);
        };
        for (line, text) in read.notes {
            self.note(&file.path, line, &text);
        }
        self.rules.extend(read.rules);
        self.checkers.extend(read.checkers);
    }

    fn settings(&mut self, file: &FileText, text: &str) {
        let rank = match file.level {
            _ if file.path == TYPED => Rank::Typed,
            Level::Managed if file.path.ends_with("system-defaults.json") => Rank::Defaults,
            Level::Managed => Rank::System,
            Level::Project | Level::Local => Rank::Project,
            Level::User | Level::State => Rank::User,
        };
        // The agent does not start with a file that it cannot parse.
        let Some(root) = tree::json(text, false).filter(|root| root.table().is_some()) else {
            self.note(&file.path, None, "the agent does not start with it, or reads it as is not known here");
            return self.missed(file, GapReason::Malformed);
        };
        let is = |paths: &[&[&str]], kind: fn(&Item) -> bool| paths.iter().all(|path| root.get(path).is_none_or(kind));
        if !is(&FLAGS, |item| item.flag().is_some()) || !is(&TABLES, |item| item.table().is_some()) {
            self.note(
                &file.path,
                None,
                "a setting in it is not of its kind, and what the agent makes of it is not known",
            );
            return self.missed(file, GapReason::Malformed);
        }
        let odd = LISTS.iter().chain(&ELSEWHERE).any(|path| root.get(path).is_some_and(|item| item.texts().is_none()));
        let many = LISTS.iter().filter_map(|path| root.get(path)?.list()).map(Vec::len).sum::<usize>();
        if odd || many > crate::gate::MOST_RULES {
            self.note(&file.path, None, "a list in it is not one of texts, or is too long to be weighed");
            return self.missed(file, GapReason::Malformed);
        }
        self.headless |= rank == Rank::Typed && root.get(&["headless"]).and_then(Item::flag) == Some(true);
        // Another file may be put in the place of the system's (`GEMINI_CLI_SYSTEM_SETTINGS_PATH`), so it binds nobody.
        let level = if file.level == Level::Managed { Level::User } else { file.level };
        // Later versions pass over a file of the system that others than its administrator may write.
        let doubtful = file.level == Level::Managed && file.writable;
        self.layers.push(Layer { rank, level, path: file.path.clone(), root, doubtful });
    }

    /// `trustedFolders.json`: of several folders that hold the session's, the longest path has the word
    /// (google-gemini/gemini-cli `packages/core/src/utils/trust.ts`).
    fn trust(&mut self, file: &FileText, text: &str, ground: &Ground) {
        let Some(root) = tree::json(text, false) else { return };
        let mut longest = 0;
        for (path, item) in root.table().into_iter().flatten() {
            let parent = item.text() == Some("TRUST_PARENT");
            let full = ground.absolute(path);
            let folder = if parent { full.rsplit_once('/').map_or("", |(folder, _)| folder) } else { &full };
            let inside = ground.absolute(&ground.root);
            let holds = inside
                .strip_prefix(folder.trim_end_matches('/'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if holds && path.len() > longest {
                longest = path.len();
                self.trusted = match item.text() {
                    Some("TRUST_FOLDER" | "TRUST_PARENT") => Some(true),
                    Some("DO_NOT_TRUST") => Some(false),
                    Some(_) | None => None,
                };
            }
        }
        let _ = file;
    }

    fn extension(&mut self, file: &FileText, text: &str) {
        let place = Place { path: file.path.clone(), line: None };
        self.extension = self.extension.take().or_else(|| Some(place.clone()));
        let takes = tree::json(text, true).is_none_or(|root| root.get(&["excludeTools"]).is_some());
        if takes {
            self.checkers.push(Hook {
                matcher: None,
                place,
                level: Level::User,
                what: "extension that takes tools away",
            });
        }
    }

    /// Policy files elsewhere may say anything.
    fn elsewhere(&mut self, layers: &Layers) {
        for path in ELSEWHERE {
            for (layer, item) in layers.all(path) {
                if item.list().is_some_and(|list| !list.is_empty()) {
                    let place = layer.place(item);
                    let name = path.last().copied().unwrap_or_default();
                    self.unread.push((format!("the policies that `{name}` names ({place})"), GapReason::NotAsked));
                }
            }
        }
    }
}
