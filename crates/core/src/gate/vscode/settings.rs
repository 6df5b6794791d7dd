//! Reads the files and puts them together in every way in which they may be (floor 2).

use std::collections::BTreeMap;

use super::VsCodePolicy;
use super::laid::{KNOWN, Kind, Laid, Layer, OLDER, RULES};
use crate::fact::{Fact, GapReason};
use crate::gate::bounds::Odd;
use crate::gate::tree::{self, Item, Value};
use crate::gate::{FileText, Ground, Level, MOST_RULES, Note, Place};

/// The most ways in which files are put together.
const MOST: usize = 16;

/// What an administrator's names for settings stand for.
const POLICIES: [(&str, &str); 7] = [
    ("ChatToolsAutoApprove", "chat.tools.global.autoApprove"),
    ("ChatToolsTerminalEnableAutoApprove", "chat.tools.terminal.enableAutoApprove"),
    ("ChatToolsEligibleForAutoApproval", "chat.tools.eligibleForAutoApproval"),
    ("ChatAgentSandboxEnabled", "chat.agent.sandbox.enabled"),
    ("ChatAgentSandboxAllowNetwork", "chat.agent.sandbox.allowNetwork"),
    ("ChatAgentNetworkFilter", "chat.agent.networkFilter"),
    ("ChatMCP", "chat.mcp.access"),
];

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> VsCodePolicy {
    let mut read = Read {
        policy: VsCodePolicy {
            ground: ground.clone(),
            ways: Vec::new(),
            odd: Vec::new(),
            state: None,
            unread: Vec::new(),
            files: Vec::new(),
            notes: Vec::new(),
            brings: None,
            loose: false,
        },
        layers: Vec::new(),
        trusted: None,
        claude: false,
    };
    for file in files {
        read.file(file);
    }
    read.finish(files)
}

struct Read {
    policy: VsCodePolicy,
    layers: Vec<Layer>,
    trusted: Option<bool>,
    /// Whether hooks that are written for another agent count.
    claude: bool,
}

impl Read {
    fn file(&mut self, file: &FileText) {
        if file.path.ends_with(".vscdb") {
            self.policy.state.get_or_insert_with(|| file.path.clone());
            return;
        }
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => return self.policy.unread.push((file.path.clone(), gap.reason)),
        };
        if file.path == "--trusted" {
            self.trusted = Some(text.trim() == "true");
            return;
        }
        self.policy.files.push(file.path.clone());
        let whole = Place { path: file.path.clone(), line: None };
        if file.path.contains("/hooks/") || file.path.contains(".claude/settings") {
            return;
        }
        if file.path.ends_with(".md") {
            if text.contains("hooks") || text.split("\n---").next().is_some_and(|head| head.contains('\\')) {
                let odd = Odd { what: "hook of an agent", place: whole, level: file.level, refuses: true };
                self.policy.odd.push(odd);
            }
            return;
        }
        if file.path.ends_with(".vscode/tasks.json") {
            let odd = Odd { what: "task", place: whole, level: file.level, refuses: false };
            return self.policy.odd.push(odd);
        }
        // A file of a workspace may hold tasks too.
        if file.path.ends_with(".code-workspace") && text.contains("tasks") {
            let place = whole.clone();
            self.policy.odd.push(Odd { what: "task", place, level: file.level, refuses: false });
        }
        let kind = match file.level {
            Level::Managed => Kind::Managed,
            _ if file.path.ends_with(".code-workspace") => Kind::Workspace,
            _ if file.path.contains("/Machine/") || file.path.ends_with("devcontainer.json") => Kind::Machine,
            Level::User | Level::State => Kind::User,
            Level::Project | Level::Local => Kind::Workspace,
        };
        self.policy.loose |= kind == Kind::Managed && file.writable;
        let root = tree::json(text, true).filter(|root| root.table().is_some());
        let root = match (root, kind) {
            (Some(root), Kind::Managed) => Some(named(&root)),
            (Some(root), _) if file.path.ends_with(".code-workspace") => Some(inner(&root, &["settings"])),
            (Some(root), _) if file.path.ends_with("devcontainer.json") => {
                Some(inner(&root, &["customizations", "vscode", "settings"]))
            }
            (root, _) => root,
        };
        let empty = text.trim().is_empty();
        match root {
            Some(root) if nested(&root) => {
                self.policy.unread.push((file.path.clone(), GapReason::Unsupported));
                self.note(whole, "settings within settings: whether they count is not documented");
            }
            Some(root) if other_shell(&root) => {
                self.policy.unread.push((file.path.clone(), GapReason::Unsupported));
                self.note(whole, "PowerShell cuts lines in another way, which is not followed");
            }
            Some(root) => {
                let level = file.level;
                // Hooks, and agents that have hooks, may lie wherever a file says.
                let elsewhere = ["chat.hookFilesLocations", "chat.agentFilesLocations", "chat.modeFilesLocations"];
                for item in elsewhere.iter().filter_map(|key| root.get(&[*key])) {
                    let place = Place { path: file.path.clone(), line: Some(item.line) };
                    self.policy.odd.push(Odd { what: "hook", place, level, refuses: true });
                }
                self.layers.push(Layer { root, path: file.path.clone(), level, kind });
            }
            None if empty => {}
            None => {
                self.policy.unread.push((file.path.clone(), GapReason::Malformed));
                self.note(whole, "it is not understood, so it may say anything");
            }
        }
    }

    fn note(&mut self, place: Place, text: &str) {
        self.policy.notes.push(Note { place, text: text.to_owned() });
    }

    fn finish(mut self, files: &[FileText]) -> VsCodePolicy {
        let too_many = self.layers.iter().any(|layer| {
            [RULES, OLDER, "chat.tools.edits.autoApprove", "chat.tools.urls.autoApprove"]
                .iter()
                .any(|key| layer.root.get(&[*key]).and_then(Item::table).is_some_and(|table| table.len() > MOST_RULES))
        });
        if too_many {
            self.policy.unread.push(("the settings".to_owned(), GapReason::TooLarge));
        }
        let ways = self.ways();
        if ways.len() > MOST {
            self.policy.unread.push(("the settings, in every way they come together".to_owned(), GapReason::TooLarge));
        }
        for way in ways.iter().take(if too_many { 1 } else { MOST }) {
            let set = Laid { layers: way }.set();
            self.claude |= Laid { layers: way }.flag("chat.useClaudeHooks") == Some(true);
            for key in ["chat.mcp.discovery.enabled", "chat.plugins.enabled"] {
                let laid = Laid { layers: way };
                if let Some((item, layer)) = laid.last(key).filter(|(item, _)| item.flag() != Some(false)) {
                    self.policy.brings.get_or_insert_with(|| layer.place(item));
                }
            }
            self.policy.ways.push(set);
        }
        self.hooks(files);
        self.notes();
        self.policy
    }

    /// Files of hooks, by what they are called: what a hook answers is not known.
    fn hooks(&mut self, files: &[FileText]) {
        for file in files {
            let other = file.path.contains(".claude/settings");
            let named = file.path.contains("/hooks/") || (other && self.claude);
            let says = match &file.text {
                Fact::Known(text) => !other || text.contains("\"hooks\""),
                Fact::Unknown(_) => true,
            };
            if named && says {
                let place = Place { path: file.path.clone(), line: None };
                self.policy.odd.push(Odd { what: "hook", place, level: file.level, refuses: true });
            }
        }
    }

    /// Settings of a repository that have no effect where they stand.
    fn notes(&mut self) {
        let mut found = Vec::new();
        for layer in self.layers.iter().filter(|layer| layer.kind == Kind::Workspace) {
            for (key, scope) in KNOWN {
                if let Some(item) = layer.root.get(&[key]).filter(|_| !layer.holds(scope, true)) {
                    found.push((layer.place(item), format!("`{key}` has no effect in a workspace")));
                }
            }
        }
        for (place, text) in found {
            self.note(place, &text);
        }
    }

    /// Every way in which the files may come together: which user's settings, which profile, whether in a container or on
    /// another machine, whether by a file of a workspace, whether trusted.
    fn ways(&self) -> Vec<Vec<Layer>> {
        let of = |kind: Kind| self.layers.iter().filter(move |layer| layer.kind == kind);
        let profile = |layer: &&Layer| layer.path.contains("/profiles/");
        let mut users: Vec<Vec<Layer>> =
            of(Kind::User).filter(|one| !profile(one)).map(|one| vec![one.clone()]).collect();
        for own in of(Kind::User).filter(profile) {
            let base = own.path.split("/profiles/").next().unwrap_or_default();
            let common = of(Kind::User).find(|one| !profile(one) && one.path.starts_with(base)).cloned();
            let mut both: Vec<Layer> = common.clone().into_iter().collect();
            let shares =
                common.as_ref().is_some_and(|one| one.root.get(&["workbench.settings.applyToAllProfiles"]).is_some());
            let only: Vec<Layer> = common.into_iter().map(|one| Layer { kind: Kind::Common, ..one }).collect();
            users.push([only, vec![own.clone()]].concat());
            if shares {
                both.push(own.clone());
                users.push(both);
            }
        }
        if users.is_empty() {
            users.push(Vec::new());
        }
        let mut machines: Vec<Vec<Layer>> = vec![Vec::new()];
        machines.extend(of(Kind::Machine).map(|one| vec![one.clone()]));
        let file = |layer: &&Layer| layer.path.ends_with(".code-workspace");
        let folder: Vec<Layer> = of(Kind::Workspace).filter(|one| !file(one)).cloned().collect();
        let mut workspaces = vec![folder.clone()];
        for own in of(Kind::Workspace).filter(file) {
            workspaces.push(vec![own.clone()]);
            if !folder.is_empty() {
                workspaces.push([vec![own.clone()], folder.clone()].concat());
            }
        }
        let managed: Vec<Layer> = of(Kind::Managed).cloned().collect();
        let mut ways = Vec::new();
        for user in &users {
            for machine in &machines {
                for workspace in &workspaces {
                    let all = [user.clone(), machine.clone(), workspace.clone(), managed.clone()].concat();
                    let matters = workspace.iter().any(Layer::restricted);
                    let off = Laid { layers: &all }.flag("security.workspace.trust.enabled") == Some(false);
                    let trusts: &[bool] = match self.trusted {
                        _ if off || !matters => &[true],
                        Some(true) => &[true],
                        Some(false) => &[false],
                        None => &[true, false],
                    };
                    for trusted in trusts {
                        let own = |layer: &Layer| if *trusted { layer.clone() } else { layer.bared() };
                        ways.push(all.iter().map(own).collect());
                    }
                    if ways.len() > MOST {
                        return ways;
                    }
                }
            }
        }
        ways
    }
}

/// What lies within a file; nothing where it holds none.
fn inner(root: &Item, path: &[&str]) -> Item {
    let none = Item { value: Value::Table(BTreeMap::new()), line: 1, at: 0 };
    root.get(path).filter(|item| item.table().is_some()).cloned().unwrap_or(none)
}

/// An administrator's settings by the names that others have. What is no text may be written as one.
fn named(root: &Item) -> Item {
    let mut table = BTreeMap::new();
    for (policy, key) in POLICIES {
        let Some(item) = root.get(&[policy]) else { continue };
        let text = item.text().filter(|text| text.trim_start().starts_with('{'));
        let inner = text.and_then(|text| tree::json(text, true));
        let value = inner.map_or_else(|| item.value.clone(), |inner| inner.value);
        table.insert(key.to_owned(), Item { value, line: item.line, at: item.at });
    }
    Item { value: Value::Table(table), line: root.line, at: root.at }
}

/// Whether a name is the beginning of a setting's: what it holds then stands for the setting, or takes it away.
fn nested(root: &Item) -> bool {
    let begins =
        |key: &str| KNOWN.iter().any(|(known, _)| known.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')));
    root.table().into_iter().flatten().any(|(key, _)| begins(key))
}

/// Whether a shell is named that cuts lines in another way, for the terminal or for the agent alone.
fn other_shell(root: &Item) -> bool {
    let names =
        |key: &str| key.contains("terminalProfile") || key.contains("defaultProfile") || key.contains("profiles.");
    let shells = |item: &Item| {
        let texts = [item.text(), item.get(&["path"]).and_then(Item::text)];
        texts.into_iter().flatten().any(|text| {
            let text = text.to_lowercase();
            text.contains("pwsh") || text.contains("powershell")
        })
    };
    root.table().into_iter().flatten().any(|(key, item)| names(key) && !key.ends_with("windows") && shells(item))
}
