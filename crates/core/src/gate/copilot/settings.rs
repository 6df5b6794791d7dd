//! Reads the files (floor 2).

use super::managed::{self, Managed};
use super::{CopilotPolicy, Mode, Odd, Rule, SERVER, Set};
use crate::fact::{Fact, GapReason};
use crate::gate::tree::{self, Item, Value};
use crate::gate::{Effect, FileText, Ground, Level, MOST_RULES, Note, Place};

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> CopilotPolicy {
    let mut read = Read {
        policy: CopilotPolicy {
            ground: ground.clone(),
            allow: Vec::new(),
            deny: Vec::new(),
            managed: Managed::default(),
            mode: None,
            assisted: None,
            tools: None,
            paths: false,
            pages: false,
            bypass: None,
            headless: false,
            planning: None,
            autopilot: None,
            available: None,
            excluded: Vec::new(),
            folders: Vec::new(),
            off: Vec::new(),
            sandboxed: false,
            server: None,
            odd: Vec::new(),
            unread: Vec::new(),
            files: Vec::new(),
            notes: Vec::new(),
            brings: None,
        },
        key: ground.absolute(&ground.root),
        on: Vec::new(),
    };
    // Under which name approvals for this folder are kept: the top of its repository.
    if let Some(Fact::Known(key)) = files.iter().find(|file| file.path == "--location").map(|file| &file.text) {
        key.trim().clone_into(&mut read.key);
    }
    let mut files: Vec<&FileText> = files.iter().filter(|file| file.path != "--location").collect();
    // What was there before the settings had a file of their own counts where that says nothing.
    files.sort_by_key(|file| (rank(file), !file.path.ends_with("config.json")));
    for file in files {
        read.file(file);
    }
    read.finish()
}

/// The order in which files are laid over each other.
fn rank(file: &FileText) -> u8 {
    match file.level {
        Level::Managed => 0,
        _ if file.path == "--started-as" => 5,
        Level::State | Level::User => 1,
        Level::Project => 2,
        Level::Local => 3,
    }
}

struct Read {
    policy: CopilotPolicy,
    key: String,
    /// Servers that are switched on for this session.
    on: Vec<String>,
}

/// A `(kind, argument)` out of `kind(argument)`.
fn spec(text: &str) -> Option<(String, Option<String>)> {
    let (kind, argument) = match text.split_once('(') {
        None => (text, None),
        Some((kind, rest)) => (kind, Some(rest.strip_suffix(')')?.to_owned())),
    };
    let argument = argument.filter(|argument| !argument.is_empty());
    (!kind.is_empty()).then(|| (kind.to_owned(), argument))
}

impl Read {
    fn finish(mut self) -> CopilotPolicy {
        let on = self.on;
        self.policy.off.retain(|off| !on.contains(&off.value));
        self.policy
    }

    fn note(&mut self, path: &str, text: &str) {
        self.policy.notes.push(Note { place: Place { path: path.to_owned(), line: None }, text: text.to_owned() });
    }

    fn file(&mut self, file: &FileText) {
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) if file.path == SERVER => return self.policy.server = Some(gap.reason),
            Fact::Unknown(gap) => return self.policy.unread.push((file.path.clone(), gap.reason)),
        };
        self.policy.files.push(file.path.clone());
        let from = From { path: &file.path, level: file.level };
        let whole = Place { path: file.path.clone(), line: None };
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        if matches!(file.path.as_str(), "COPILOT_ALLOW_ALL" | "COPILOT_ASSISTED_APPROVAL") {
            let word = text.trim().to_ascii_lowercase();
            let slot = if file.path.ends_with("ALL") { &mut self.policy.tools } else { &mut self.policy.assisted };
            if !matches!(word.as_str(), "" | "false" | "0" | "no" | "off" | "n") {
                slot.get_or_insert(whole);
            }
            return;
        }
        if name.ends_with(".md") {
            return self.described(text, &from, whole);
        }
        if file.path.contains("/extensions/") {
            self.policy.brings.get_or_insert(whole.clone());
            return self.policy.odd.push(from.odd("extension", whole, true));
        }
        let understood = tree::json(text, true).filter(|root| root.table().is_some()).and_then(|root| {
            if file.path.contains("/hooks/") {
                self.hook(&root, &from);
                return Some(());
            }
            match name {
                "permissions-config.json" | "permissions-config" => self.approvals(&root, &from),
                "managed-settings.json" => self.managed(&root, &from, file.writable),
                _ if file.path == "--started-as" => self.started(&root, &from),
                _ => self.settings(&root, &from),
            }
        });
        if understood.is_none() {
            self.policy.unread.push((file.path.clone(), GapReason::Malformed));
            self.note(&file.path, "it is not understood, so it may say anything");
        }
    }

    /// Skills and commands may bring tools that are then not asked about, agents may bring servers.
    fn described(&mut self, text: &str, from: &From<'_>, whole: Place) {
        let Some(head) = text.trim_start().strip_prefix("---").and_then(|rest| rest.split("\n---").next()) else {
            return;
        };
        let says = |key: &str| head.lines().any(|line| line.trim_start_matches(['"', '\'']).starts_with(key));
        if says("allowed-tools") {
            self.policy.odd.push(from.odd("skill that brings tools", whole.clone(), false));
        }
        if says("mcp-servers") {
            self.policy.brings.get_or_insert(whole);
        }
    }

    fn hook(&mut self, root: &Item, from: &From<'_>) {
        if let Some(off) = root.get(&["disableAllHooks"]).and_then(Item::flag) {
            // A file of hooks switches off its own.
            if off {
                return;
            }
        }
        self.policy.odd.push(from.odd("hook", Place { path: from.path.to_owned(), line: None }, true));
    }

    /// `settings.json` of the user, of a repository, and of one person in it.
    fn settings(&mut self, root: &Item, from: &From<'_>) -> Option<()> {
        let own = matches!(from.level, Level::User | Level::State);
        for (key, kind) in [("allowedUrls", false), ("deniedUrls", true)] {
            let Some(item) = root.get(&[key]).filter(|_| own || kind) else { continue };
            for url in item.list()? {
                let rule = from.rule("url", Some(url.text()?.to_owned()), url);
                if kind { self.policy.deny.push(rule) } else { self.policy.allow.push(rule) }
            }
        }
        if let Some(item) = root.get(&["disabledMcpServers"]) {
            for server in item.list()? {
                self.policy.off.push(from.set(server.text()?.to_owned(), server));
            }
        }
        // `disableAllHooks` switches off those of the same file alone (seen in 1.0.102).
        let off = root.get(&["disableAllHooks"]).map_or(Some(false), Item::flag)?;
        let hooks = root.get(&["hooks"]).filter(|_| !off);
        if let Some(item) = hooks.filter(|item| item.table().is_none_or(|table| !table.is_empty())) {
            self.policy.odd.push(from.odd("hook", from.place(item), true));
        }
        for key in ["enabledPlugins", "installedPlugins"] {
            let any = |item: &&Item| match &item.value {
                Value::Table(table) => table.values().any(|one| one.flag() != Some(false)),
                Value::List(list) => !list.is_empty(),
                Value::Text(_) | Value::Flag(_) | Value::Number(_) | Value::Other => true,
            };
            if let Some(item) = root.get(&[key]).filter(any) {
                self.policy.brings.get_or_insert(from.place(item));
                self.policy.odd.push(from.odd("plugin", from.place(item), true));
            }
        }
        if !own {
            return Some(());
        }
        if let Some(item) = root.get(&["defaultPermissionMode"]) {
            let mode = match item.text()? {
                "manual" => Mode::Manual,
                "assisted" => Mode::Assisted,
                "allow-all" => Mode::AllowAll,
                _ => return None,
            };
            self.policy.mode = Some(from.set(mode, item));
        }
        if let Some(item) = root.get(&["defaultMode"]) {
            self.working(item.text()?, from.place(item))?;
        }
        self.bypass(root, from)?;
        self.sandbox(root)
    }

    fn working(&mut self, mode: &str, place: Place) -> Option<()> {
        (self.policy.planning, self.policy.autopilot) = match mode {
            "interactive" => (None, None),
            "plan" => (Some(place), None),
            "autopilot" => (None, Some(place)),
            _ => return None,
        };
        Some(())
    }

    fn bypass(&mut self, root: &Item, from: &From<'_>) -> Option<()> {
        if let Some(item) = root.get(&["permissions", "disableBypassPermissionsMode"]) {
            // Whatever is no known word counts as the stricter; what is no word at all is not documented.
            item.text()?;
            self.policy.bypass.get_or_insert((from.place(item), from.level));
        }
        Some(())
    }

    fn sandbox(&mut self, root: &Item) -> Option<()> {
        if let Some(item) = root.get(&["sandbox", "enabled"]) {
            self.policy.sandboxed |= item.flag()?;
        }
        Some(())
    }

    fn managed(&mut self, root: &Item, from: &From<'_>, writable: bool) -> Option<()> {
        let mut managed = Managed { loose: writable, ..Managed::default() };
        for (key, effect) in [("deny", Effect::Deny), ("ask", Effect::Ask), ("allow", Effect::Allow)] {
            let Some(item) = root.get(&["permissions", key]) else { continue };
            managed.place.get_or_insert(from.place(item));
            for rule in item.list()? {
                managed.rules.push(managed::Rule::read(effect, rule.text()?, from.place(rule))?);
            }
        }
        if managed.rules.len() > MOST_RULES {
            return None;
        }
        managed.bounds_pages = root.get(&["permissions", "limitTo"]).is_some();
        managed.bounds_servers =
            ["allowedMcpServers", "deniedMcpServers"].iter().any(|key| root.get(&[*key]).is_some());
        self.policy.managed = managed;
        if !writable {
            self.bypass(root, from)?;
        }
        self.sandbox(root)
    }

    /// What was approved for this folder, once and for all.
    fn approvals(&mut self, root: &Item, from: &From<'_>) -> Option<()> {
        let Some(locations) = root.get(&["locations"]) else { return Some(()) };
        locations.table()?;
        for (key, item) in locations.written() {
            if self.policy.ground.absolute(key) != self.policy.ground.absolute(&self.key) {
                continue;
            }
            for approval in item.get(&["tool_approvals"]).map_or(Some(&Vec::new()), Item::list)? {
                let text = |key: &str| approval.get(&[key]).and_then(Item::text).map(str::to_owned);
                match text("kind")?.as_str() {
                    "commands" => {
                        for command in approval.get(&["commandIdentifiers"])?.list()? {
                            self.policy.allow.push(from.rule("shell", Some(command.text()?.to_owned()), command));
                        }
                    }
                    kind @ ("read" | "write") => self.policy.allow.push(from.rule(kind, None, approval)),
                    "mcp" => self.policy.allow.push(from.rule(&text("serverName")?, text("toolName"), approval)),
                    _ => {}
                }
            }
            for folder in item.get(&["allowed_directories"]).map_or(Some(&Vec::new()), Item::list)? {
                self.policy.folders.push(self.policy.ground.absolute(folder.text()?));
            }
        }
        (self.policy.allow.len() <= MOST_RULES).then_some(())
    }

    /// What the command line says that started it.
    fn started(&mut self, root: &Item, from: &From<'_>) -> Option<()> {
        let flag = |key: &str| root.get(&[key]).and_then(Item::flag).unwrap_or(false);
        let list = |key: &str| root.get(&[key]).map_or(&[][..], |item| item.list().map_or(&[][..], Vec::as_slice));
        for (key, refuses) in [("allow-tool", false), ("deny-tool", true)] {
            for item in list(key) {
                let (kind, argument) = spec(item.text()?)?;
                let rule = from.rule(&kind, argument, item);
                if refuses { self.policy.deny.push(rule) } else { self.policy.allow.push(rule) }
            }
        }
        for (key, refuses) in [("allow-url", false), ("deny-url", true)] {
            for item in list(key) {
                let rule = from.rule("url", Some(item.text()?.to_owned()), item);
                if refuses { self.policy.deny.push(rule) } else { self.policy.allow.push(rule) }
            }
        }
        if flag("allow-all-tools") {
            self.policy.tools.get_or_insert(Place { path: from.path.to_owned(), line: Some(root.line) });
        }
        self.policy.paths |= flag("allow-all-paths");
        self.policy.pages |= flag("allow-all-urls");
        self.policy.headless |= flag("headless");
        let words =
            |key: &str| -> Option<Vec<String>> { list(key).iter().map(|one| one.text().map(str::to_owned)).collect() };
        if root.get(&["available-tools"]).is_some() {
            self.policy.available = Some(words("available-tools")?);
        }
        self.policy.excluded = words("excluded-tools")?;
        let folders = words("add-dir")?;
        self.policy.folders.extend(folders.iter().map(|folder| self.policy.ground.absolute(folder)));
        for item in list("disable-mcp-server") {
            self.policy.off.push(from.set(item.text()?.to_owned(), item));
        }
        self.on.extend(words("enable-mcp-server")?);
        if let Some(item) = root.get(&["mode"]) {
            self.working(item.text()?, from.place(item))?;
        }
        if flag("assisted-approval") {
            self.policy.assisted = Some(from.place(root));
        }
        if flag("sandbox") {
            self.policy.sandboxed = true;
        }
        Some(())
    }
}

struct From<'p> {
    path: &'p str,
    level: Level,
}

impl From<'_> {
    fn place(&self, item: &Item) -> Place {
        Place { path: self.path.to_owned(), line: Some(item.line) }
    }

    fn rule(&self, kind: &str, argument: Option<String>, item: &Item) -> Rule {
        Rule { kind: kind.to_owned(), argument, place: self.place(item), level: self.level }
    }

    fn set<T>(&self, value: T, item: &Item) -> Set<T> {
        Set { value, place: self.place(item), level: self.level }
    }

    const fn odd(&self, what: &'static str, place: Place, refuses: bool) -> Odd {
        Odd { what, place, level: self.level, refuses }
    }
}
