//! Settings laid over each other, and where each may be set (floor 2).

use std::collections::BTreeMap;

use super::built_in;
use super::files::Glob;
use super::rules::{Rule, Test};
use crate::gate::tree::{Item, Value};
use crate::gate::{Level, Place};

/// The settings that count, and where each may be set.
pub(super) const KNOWN: [(&str, Scope); 22] = [
    ("chat.permissions.default", Scope::Window),
    ("chat.autopilot.advanced.enabled", Scope::Window),
    ("chat.defaultConfiguration", Scope::Window),
    ("chat.tools.global.autoApprove", Scope::Machine),
    ("chat.tools.eligibleForAutoApproval", Scope::Window),
    ("chat.tools.edits.autoApprove", Scope::Application),
    ("chat.tools.urls.autoApprove", Scope::Window),
    ("chat.tools.terminal.enableAutoApprove", Scope::Trusted),
    (RULES, Scope::Trusted),
    (OLDER, Scope::Trusted),
    ("chat.tools.terminal.ignoreDefaultAutoApproveRules", Scope::Trusted),
    ("chat.tools.terminal.autoApproveWorkspaceNpmScripts", Scope::Trusted),
    ("chat.tools.terminal.blockDetectedFileWrites", Scope::Trusted),
    ("chat.agent.sandbox.enabled", Scope::Trusted),
    ("chat.agent.sandbox.allowNetwork", Scope::Trusted),
    ("chat.agent.networkFilter", Scope::Application),
    ("chat.mcp.access", Scope::Window),
    ("chat.mcp.discovery.enabled", Scope::Window),
    ("chat.plugins.enabled", Scope::Window),
    ("chat.useClaudeHooks", Scope::Trusted),
    ("github.copilot.chat.additionalReadAccessPaths", Scope::Window),
    ("security.workspace.trust.enabled", Scope::Application),
];

/// Rules for commands, by their present and by an older name.
pub(super) const RULES: &str = "chat.tools.terminal.autoApprove";
pub(super) const OLDER: &str = "chat.agent.terminal.autoApprove";

/// Where a setting may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// By the user alone.
    Application,
    /// By the user, on each machine.
    Machine,
    /// Anywhere, but for folders that are not trusted.
    Trusted,
    /// Anywhere.
    Window,
}

/// Whose settings a layer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The user's, where another profile may be open: only what holds for all of them.
    Common,
    User,
    Machine,
    Workspace,
    Managed,
}

/// One file of settings.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) root: Item,
    pub(super) path: String,
    pub(super) level: Level,
    pub(super) kind: Kind,
}

/// What a setting says, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said<T> {
    pub(super) value: T,
    pub(super) place: Place,
    pub(super) level: Level,
}

/// The level at which sessions start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// What is listed runs, the rest is asked about.
    Ask,
    /// Everything runs.
    All,
    /// Everything runs but what a model holds for dangerous.
    Judged,
}

/// What is done with commands that write files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writes {
    Free,
    Inside,
    Asked,
}

/// Settings laid over each other.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) start: Option<Said<Start>>,
    /// How sessions start that run apart from the window.
    pub(super) host: Option<Said<Start>>,
    /// Whether all tools run.
    pub(super) all: Option<Said<bool>>,
    /// Whether an administrator says that they may not.
    pub(super) barred: Option<Place>,
    pub(super) eligible: BTreeMap<String, Said<bool>>,
    /// Whether rules for commands count.
    pub(super) terminal: Option<Said<bool>>,
    pub(super) rules: Vec<Rule>,
    pub(super) scripts: bool,
    pub(super) writes: Writes,
    pub(super) sandbox: Option<Said<bool>>,
    pub(super) network: bool,
    pub(super) edits: Vec<(Glob, bool, Option<Place>)>,
    /// Pages, and whether they are asked about: nothing where what stands there is not understood.
    pub(super) urls: Vec<(String, Option<bool>, Place, Level)>,
    pub(super) filter: Option<Said<bool>>,
    pub(super) servers: Option<Said<String>>,
    pub(super) reads: Option<Place>,
}

impl Layer {
    pub(super) const fn holds(&self, scope: Scope, trusted: bool) -> bool {
        match self.kind {
            Kind::Managed | Kind::User => true,
            Kind::Common => matches!(scope, Scope::Application),
            Kind::Machine => !matches!(scope, Scope::Application),
            Kind::Workspace => match scope {
                Scope::Application | Scope::Machine => false,
                Scope::Trusted => trusted,
                Scope::Window => true,
            },
        }
    }

    pub(super) fn restricted(&self) -> bool {
        KNOWN.iter().any(|(key, scope)| *scope == Scope::Trusted && self.root.get(&[*key]).is_some())
    }

    /// What is left of it in a folder that is not trusted.
    pub(super) fn bared(&self) -> Self {
        if self.kind != Kind::Workspace {
            return self.clone();
        }
        let mut bare = self.clone();
        if let Value::Table(table) = &mut bare.root.value {
            for (key, _) in KNOWN.iter().filter(|(_, scope)| *scope == Scope::Trusted) {
                table.remove(*key);
            }
        }
        bare
    }

    pub(super) fn place(&self, item: &Item) -> Place {
        Place { path: self.path.clone(), line: Some(item.line) }
    }

    fn said<T>(&self, value: T, item: &Item) -> Said<T> {
        Said { value, place: self.place(item), level: self.level }
    }
}

/// Layers over each other, the strongest last.
#[derive(Clone, Copy)]
pub(super) struct Laid<'l> {
    pub(super) layers: &'l [Layer],
}

impl<'l> Laid<'l> {
    fn holding(self, key: &str) -> impl DoubleEndedIterator<Item = (&'l Item, &'l Layer)> {
        let scope = KNOWN.iter().find(|(known, _)| *known == key).map_or(Scope::Window, |(_, scope)| *scope);
        let holds = self.layers.iter().filter(move |layer| layer.holds(scope, true));
        let key = key.to_owned();
        holds.filter_map(move |layer| layer.root.get(&[key.as_str()]).map(|item| (item, layer)))
    }

    pub(super) fn last(self, key: &str) -> Option<(&'l Item, &'l Layer)> {
        self.holding(key).next_back()
    }

    pub(super) fn flag(self, key: &str) -> Option<bool> {
        self.last(key).and_then(|(item, _)| item.flag())
    }

    fn said(self, key: &str) -> Option<Said<bool>> {
        // What is no `true` counts as none.
        self.last(key).map(|(item, layer)| layer.said(item.flag() == Some(true), item))
    }

    /// What lists hold that are put together key by key.
    fn merged(self, key: &str) -> Option<BTreeMap<String, (Item, &'l Layer)>> {
        let mut found: Option<BTreeMap<String, (Item, &Layer)>> = Some(BTreeMap::new());
        for (item, layer) in self.holding(key) {
            let Some(table) = item.table() else {
                found = None;
                continue;
            };
            let found = found.get_or_insert_default();
            for (key, item) in table {
                let before = found.get(key).and_then(|(before, _)| before.table());
                let mut item = item.clone();
                if let (Some(before), Value::Table(table)) = (before, &mut item.value) {
                    for (key, own) in before {
                        table.entry(key.clone()).or_insert_with(|| own.clone());
                    }
                }
                found.insert(key.clone(), (item, layer));
            }
        }
        found
    }

    pub(super) fn set(self) -> Set {
        let all = self.last("chat.tools.global.autoApprove");
        let barred = all.filter(|(item, layer)| layer.kind == Kind::Managed && item.flag() == Some(false));
        Set {
            start: self.start(),
            host: self.host(),
            all: all.map(|(item, layer)| {
                let one = item.get(&["run_in_terminal"]).and_then(Item::flag);
                layer.said(item.flag() == Some(true) || one == Some(true), item)
            }),
            barred: barred.map(|(item, layer)| layer.place(item)),
            eligible: self
                .merged("chat.tools.eligibleForAutoApproval")
                .unwrap_or_default()
                .into_iter()
                .map(|(key, (item, layer))| (key, layer.said(item.flag() != Some(false), &item)))
                .collect(),
            terminal: self.said("chat.tools.terminal.enableAutoApprove"),
            rules: self.rules(),
            scripts: self.flag("chat.tools.terminal.autoApproveWorkspaceNpmScripts") != Some(false),
            writes: match self.last("chat.tools.terminal.blockDetectedFileWrites").map(|(item, _)| item.text()) {
                None | Some(Some("outsideWorkspace")) => Writes::Inside,
                Some(Some("all")) => Writes::Asked,
                Some(_) => Writes::Free,
            },
            sandbox: self.last("chat.agent.sandbox.enabled").map(|(item, layer)| {
                let off = item.text() == Some("off") || item.flag() == Some(false);
                layer.said(!off, item)
            }),
            network: self.flag("chat.agent.sandbox.allowNetwork") != Some(false),
            edits: self.edits(),
            urls: self.urls(),
            filter: self.said("chat.agent.networkFilter"),
            servers: self
                .last("chat.mcp.access")
                .and_then(|(item, layer)| Some(layer.said(item.text()?.to_owned(), item))),
            reads: self.last("github.copilot.chat.additionalReadAccessPaths").map(|(item, layer)| layer.place(item)),
        }
    }

    fn start(self) -> Option<Said<Start>> {
        let (item, layer) = self.last("chat.permissions.default")?;
        let start = match item.text() {
            Some("autoApprove") => Start::All,
            Some("autopilot") if self.flag("chat.autopilot.advanced.enabled") == Some(true) => Start::Judged,
            Some("autopilot") => Start::All,
            _ => Start::Ask,
        };
        Some(layer.said(start, item))
    }

    fn host(self) -> Option<Said<Start>> {
        let merged = self.merged("chat.defaultConfiguration")?;
        let said = |key: &str| merged.get(key).and_then(|(item, layer)| Some((item.text()?, item, *layer)));
        let autopilot =
            said("mode").filter(|(text, _, _)| *text == "autopilot").map(|(_, item, layer)| (Start::All, item, layer));
        let approvals = said("approvals").and_then(|(text, item, layer)| match text {
            "allowAll" => Some((Start::All, item, layer)),
            "assisted" => Some((Start::Judged, item, layer)),
            _ => None,
        });
        approvals.or(autopilot).map(|(start, item, layer)| layer.said(start, item))
    }

    /// Rules for commands: those of the program, and over them by their keys those of the files.
    fn rules(self) -> Vec<Rule> {
        let Some(mut own) = self.merged(RULES) else { return Vec::new() };
        own.extend(self.merged(OLDER).unwrap_or_default());
        let ignore = self.flag("chat.tools.terminal.ignoreDefaultAutoApproveRules") == Some(true);
        let kept = built_in::RULES.iter().filter(|rule| !ignore && !own.contains_key(&rule.key));
        let mut all: Vec<Rule> = kept.cloned().collect();
        for (key, (item, layer)) in own {
            let (approve, line) = match &item.value {
                Value::Flag(approve) => (Some(*approve), false),
                Value::Table(_) => {
                    let flag = |key: &str| item.get(&[key]).and_then(Item::flag);
                    (flag("approve"), flag("matchCommandLine") == Some(true))
                }
                Value::Text(_) | Value::Number(_) | Value::List(_) | Value::Other => (None, false),
            };
            if let Some(approve) = approve {
                let (place, test) = (Some(layer.place(&item)), Test::read(&key));
                all.push(Rule { key, approve, line, place, level: layer.level, test });
            }
        }
        all
    }

    /// Patterns for files, in their order: those of the program first.
    fn edits(self) -> Vec<(Glob, bool, Option<Place>)> {
        let own = self.merged("chat.tools.edits.autoApprove").unwrap_or_default();
        let mut written: Vec<(&String, &(Item, &Layer))> = own.iter().collect();
        written.sort_by_key(|(_, (item, _))| item.at);
        let mut all = Vec::new();
        for (pattern, glob, free) in built_in::EDITS.iter() {
            let set = own.get(*pattern);
            let free = set.map_or(*free, |(item, _)| item.flag() == Some(true));
            all.push((glob.clone(), free, set.map(|(item, layer)| layer.place(item))));
        }
        for (pattern, (item, layer)) in written {
            if !built_in::EDITS.iter().any(|(known, _, _)| known == pattern) {
                all.push((Glob::read(pattern), item.flag() == Some(true), Some(layer.place(item))));
            }
        }
        all.extend(built_in::ALWAYS.iter().map(|glob| (glob.clone(), false, None)));
        all
    }

    fn urls(self) -> Vec<(String, Option<bool>, Place, Level)> {
        let Some(own) = self.merged("chat.tools.urls.autoApprove") else {
            let whole = self.last("chat.tools.urls.autoApprove").into_iter();
            return whole.map(|(item, layer)| ("*".to_owned(), None, layer.place(item), layer.level)).collect();
        };
        let each = own.into_iter().map(|(pattern, (item, layer))| {
            let free = item.flag().or_else(|| item.get(&["approveRequest"]).and_then(Item::flag));
            let place = layer.place(&item);
            (pattern, free, place, layer.level)
        });
        each.collect()
    }
}
