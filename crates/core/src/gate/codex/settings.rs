//! Reads the files and lays them over each other (floor 2).

use std::rc::Rc;

use serde_json::Value as Json;

use super::layer::{self, Item, Layer, Rank, Value};
use super::rules::{Owner, Rules, effect, made};
use super::start::{self, Approval, Required, Start, Trust};
use super::{CodexPolicy, Hook, Unread, launch};
use crate::fact::{Fact, GapReason};
use crate::gate::{Effect, FileText, Ground, Level, Note, Place};

/// The most subagents whose settings are looked at.
const MOST_OVER: usize = 8;

/// Settings that a gate rests on: a subagent that sets none of them starts as its parent does.
const GATED: [&str; 8] = [
    "approval_policy",
    "approvals_reviewer",
    "sandbox_mode",
    "sandbox_workspace_write",
    "default_permissions",
    "permissions",
    "mcp_servers",
    "features",
];

/// Settings that a project's file may not make (openai/codex `codex-rs/config/src/loader/mod.rs`).
const NOT_A_PROJECTS: [&str; 6] = ["model_provider", "model_providers", "notify", "profile", "profiles", "otel"];

/// Hook events that may refuse a call, or answer for a person (developers.openai.com/codex/hooks).
const EVENTS: [&str; 2] = ["PreToolUse", "PermissionRequest"];

/// What the files hold, before it is known which of them count.
#[derive(Default)]
struct Read {
    layers: Vec<Rc<Layer>>,
    /// Subagents, each of which may start with settings of its own.
    over: Vec<Rc<Layer>>,
    required: Required,
    rules: Rules,
    hooks: Vec<Hook>,
    launched: Vec<launch::Launched>,
    unread: Vec<Unread>,
    files: Vec<String>,
    notes: Vec<Note>,
    plugin: Option<Place>,
    home: Option<String>,
}

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> CodexPolicy {
    let mut read = Read::default();
    for file in files {
        read.file(file, ground);
    }
    read.layers.sort_by_key(|layer| layer.rank);
    let trusts = start::trusts(&read.layers, ground);
    read.project_notes(&trusts);
    read.plugins();
    let starts: Vec<Start> = trusts.iter().flat_map(|trust| read.starts(*trust, ground)).collect();
    // A file that no session reads says nothing.
    if !starts.iter().any(|start| start.project) {
        read.unread.retain(|unread| !unread.project);
        read.hooks.retain(|hook| !hook.project);
    }
    // Hooks may be switched off (developers.openai.com/codex/hooks).
    let off = |start: &Start| start.get(&["features", "hooks"]).is_some_and(|(_, item)| item.flag() == Some(false));
    if starts.iter().all(off) {
        read.hooks.clear();
    }
    CodexPolicy {
        ground: ground.clone(),
        home: read.home.unwrap_or_else(|| "~/.codex".to_owned()),
        starts,
        rules: read.rules,
        hooks: read.hooks,
        launched: read.launched,
        unread: read.unread,
        files: read.files,
        notes: read.notes,
        plugin: read.plugin,
    }
}

impl Read {
    fn file(&mut self, file: &FileText, ground: &Ground) {
        let project = file.level == Level::Project;
        let unread = |reason| Unread { path: file.path.clone(), reason, project };
        let text = match &file.text {
            Fact::Known(text) => text.trim_start_matches('\u{feff}'),
            Fact::Unknown(gap) => {
                self.unread.push(unread(gap.reason));
                return;
            }
        };
        self.files.push(file.path.clone());
        // A managed file that the user may write is the user's.
        let level = if file.level == Level::Managed && file.writable { Level::User } else { file.level };
        let mut parts = file.path.rsplit('/');
        let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if file.level == Level::User
            && let Some(home) = file.path.strip_suffix("/config.toml")
        {
            self.home = Some(home.to_owned());
        }
        let owner = Owner { path: &file.path, level, project };
        let understood = if name.ends_with(".rules") {
            self.rules.read(text, owner)
        } else if name == "hooks.json" {
            self.hooks_file(text, owner)
        } else {
            layer::read(text).and_then(|root| self.toml(file.level, (name, folder), root, owner, ground))
        };
        if understood.is_none() {
            let text = "it is not understood, so it may say anything".to_owned();
            self.notes.push(Note { place: Place { path: file.path.clone(), line: None }, text });
            self.unread.push(unread(GapReason::Malformed));
        }
    }

    fn toml(
        &mut self,
        from: Level,
        (name, folder): (&str, &str),
        root: Item,
        owner: Owner<'_>,
        ground: &Ground,
    ) -> Option<()> {
        let rank = match (from, name) {
            (Level::Managed, "requirements.toml") => return self.requirements(&root, owner, ground),
            (Level::Managed, "managed_config.toml") => Rank::Managed,
            (Level::Managed, _) => Rank::System,
            (_, _) if folder == "agents" => Rank::Over,
            (Level::Project, _) => Rank::Project,
            (Level::State | Level::User | Level::Local, _) => Rank::User,
        };
        let layer = Rc::new(Layer { rank, level: owner.level, path: owner.path.to_owned(), root });
        self.hooks_table(&layer, owner.project);
        self.launched.extend(launch::of_layer(&layer, owner.project));
        match rank {
            Rank::Managed => {
                self.managed(&layer);
                self.layers.push(layer);
            }
            Rank::Over if GATED.iter().all(|key| layer.root.get(&[key]).is_none()) => {}
            Rank::Over => {
                self.over.push(layer);
                return (self.over.len() <= MOST_OVER).then_some(());
            }
            Rank::Project | Rank::User | Rank::System => {
                self.roles(&layer, owner.project);
                self.layers.push(layer);
            }
        }
        Some(())
    }

    /// Subagents whose settings lie in a file that is named and may lie anywhere.
    fn roles(&mut self, layer: &Layer, project: bool) {
        for role in layer.root.get(&["agents"]).and_then(Item::table).into_iter().flatten().map(|(_, role)| role) {
            let Some(named) = role.get(&["config_file"]) else { continue };
            let beside = named.text().is_some_and(|path| {
                let path = path.trim_start_matches("./");
                path.strip_prefix("agents/").is_some_and(|name| !name.contains('/'))
            });
            if !beside {
                let path = layer.place(named).to_string();
                self.unread.push(Unread { path, reason: GapReason::NotAsked, project });
            }
        }
    }

    /// What `managed_config.toml` fixes: the policy and the mode that it sets, and no other beside `read-only`.
    fn managed(&mut self, layer: &Layer) {
        if let Some(item) = layer.root.get(&["approval_policy"]) {
            self.required.approvals = Some((vec![Approval::read(item)], layer.place(item), layer.level));
        }
        if let Some(item) = layer.root.get(&["sandbox_mode"])
            && let Some(mode) = item.text()
        {
            let allowed = vec!["read-only".to_owned(), mode.to_owned()];
            self.required.sandboxes = Some((allowed, layer.place(item), layer.level));
        }
    }

    /// `requirements.toml` (developers.openai.com/codex/config-reference#requirementstoml).
    fn requirements(&mut self, root: &Item, owner: Owner<'_>, ground: &Ground) -> Option<()> {
        let place = |item: &Item| Place { path: owner.path.to_owned(), line: Some(item.line) };
        let required = &mut self.required;
        if let Some(item) = root.get(&["allowed_approval_policies"]) {
            let Value::List(list) = &item.value else { return None };
            let allowed: Vec<Approval> = list.iter().map(Approval::read).collect();
            (!allowed.is_empty() && allowed.len() <= 5).then_some(())?;
            required.approvals = Some((allowed, place(item), owner.level));
        }
        if let Some(item) = root.get(&["allowed_sandbox_modes"]) {
            let allowed: Vec<String> = item.texts()?.into_iter().map(str::to_owned).collect();
            (!allowed.is_empty() && allowed.len() <= 5).then_some(())?;
            // Other hosts may be given other modes.
            if root.get(&["remote_sandbox_config"]).is_none() {
                required.sandboxes = Some((allowed, place(item), owner.level));
            }
        }
        if let Some(item) = root.get(&["allowed_approvals_reviewers"]) {
            required.reviewers = Some(item.texts()?.into_iter().map(str::to_owned).collect());
        }
        let profiles = ["allowed_permission_profiles", "allowed_permissions", "default_permissions"];
        required.profiles = profiles.iter().any(|key| root.get(&[key]).is_some());
        required.network = root.get(&["experimental_network"]).is_some();
        required.servers = root.get(&["mcp_servers"]).is_some();
        for item in root.get(&["permissions", "filesystem", "deny_read"]).map(list).into_iter().flatten() {
            let path = item.text().filter(|path| path.starts_with(['/', '~']) && !path.contains(['*', '?', '[']));
            required.hidden.extend(path.map(|path| (ground.absolute(path), place(item), owner.level)));
        }
        if root.get(&["hooks"]).is_some_and(|hooks| EVENTS.iter().any(|event| hooks.get(&[event]).is_some())) {
            let answers = root.get(&["hooks", "PermissionRequest"]).is_some();
            let place = root.get(&["hooks"]).map(place)?;
            self.hooks.push(Hook { answers, place, level: owner.level, project: false });
        }
        for item in root.get(&["rules", "prefix_rules"]).map(list).into_iter().flatten() {
            let words: Option<Vec<Vec<String>>> = list(item.get(&["pattern"])?).iter().map(token).collect();
            let effect = effect(item.get(&["decision"])?.text()?)?;
            // An administrator's rules only ever refuse or ask.
            (effect != Effect::Allow).then_some(())?;
            let line = item.get(&["pattern"]).map_or(item.line, |pattern| pattern.line);
            let place = Place { path: owner.path.to_owned(), line: Some(line) };
            self.rules.add(made(words?, effect, place, owner))?;
        }
        Some(())
    }

    fn hooks_file(&mut self, text: &str, owner: Owner<'_>) -> Option<()> {
        let json: Json = serde_json::from_str(text).ok()?;
        self.launched.extend(launch::of_hooks(&json, owner.path, owner.project));
        for event in EVENTS {
            let filled = json
                .get("hooks")
                .and_then(|hooks| hooks.get(event))
                .is_some_and(|list| list != &Json::Array(Vec::new()));
            if filled {
                let line = text
                    .find(event)
                    .and_then(|at| text.get(..at))
                    .map(|before| before.matches('\n').count() as u64 + 1);
                let place = Place { path: owner.path.to_owned(), line };
                self.hooks.push(Hook {
                    answers: event == "PermissionRequest",
                    place,
                    level: owner.level,
                    project: owner.project,
                });
            }
        }
        Some(())
    }

    fn hooks_table(&mut self, layer: &Layer, project: bool) {
        for event in EVENTS {
            if let Some(item) = layer.root.get(&["hooks", event]) {
                let answers = event == "PermissionRequest";
                self.hooks.push(Hook { answers, place: layer.place(item), level: layer.level, project });
            }
        }
    }

    /// A plugin may bring hooks; one that is not the administrator's runs once a person has trusted it, which the
    /// settings then say.
    fn plugins(&mut self) {
        let own = || self.layers.iter().filter(|layer| layer.rank != Rank::Project);
        let reviewed = own().any(|layer| layer.root.get(&["hooks", "state"]).is_some());
        let on = |item: &&Item| item.get(&["enabled"]).and_then(Item::flag) != Some(false);
        let mut found = Vec::new();
        for layer in own() {
            let plugins = layer.root.get(&["plugins"]).and_then(Item::table).into_iter().flatten();
            found.extend(plugins.map(|(_, item)| item).find(on).map(|item| (layer.place(item), layer.level)));
        }
        for (place, level) in found {
            let text = "plugins may bring MCP servers and hooks, which are not read".to_owned();
            self.notes.push(Note { place: place.clone(), text });
            self.plugin.get_or_insert_with(|| place.clone());
            if reviewed {
                self.hooks.push(Hook { answers: true, place, level, project: false });
            }
        }
    }

    /// What is worth saying of a project's files.
    fn project_notes(&mut self, trusts: &[Trust]) {
        self.notes.extend(start::notes(&self.layers));
        for layer in self.layers.iter().filter(|layer| layer.rank == Rank::Project) {
            let mut note = |line, text: String| {
                self.notes.push(Note { place: Place { path: layer.path.clone(), line }, text });
            };
            if !trusts.contains(&Trust::Trusted) {
                note(None, "the folder is not trusted, so nothing in it counts".to_owned());
            } else if trusts.len() > 1 {
                note(None, "it counts once the folder is trusted, which is not said of it".to_owned());
            }
            for key in NOT_A_PROJECTS {
                if let Some(item) = layer.root.get(&[key]) {
                    note(Some(item.line), format!("`{key}` has no effect in a project's file"));
                }
            }
        }
    }

    /// The ways in which a session may start in a folder that is trusted so.
    fn starts(&self, trust: Trust, ground: &Ground) -> Vec<Start> {
        let counts = |layer: &&Rc<Layer>| trust == Trust::Trusted || layer.level != Level::Project;
        let base: Vec<Rc<Layer>> = self.layers.iter().filter(counts).cloned().collect();
        let named = match trust {
            Trust::Trusted => "in a trusted folder",
            Trust::Untrusted => "in a folder that is not trusted",
            Trust::Unset => "in a folder of which nobody has said whether it is trusted",
        };
        let mut all = start::starts((named, trust), base.clone(), &self.required, ground);
        let mut over = |named: &'static str, layer: Rc<Layer>| {
            let mut layers = base.clone();
            let at = layers.iter().filter(|layer| layer.rank == Rank::Managed).count();
            layers.insert(at, layer);
            all.extend(start::starts((named, trust), layers, &self.required, ground));
        };
        for layer in self.over.iter().filter(counts).take(MOST_OVER) {
            over("as a subagent with settings of its own", layer.clone());
        }
        // Newer versions no longer know profiles inside the file, and say so.
        if let Some(layer) = profile(&base) {
            over("with the profile that the settings name", Rc::new(layer));
        }
        all
    }
}

fn list(item: &Item) -> &[Item] {
    if let Value::List(list) = &item.value { list } else { &[] }
}

/// `{token = "rm"}` or `{any_of = ["rm", "rmdir"]}`.
fn token(item: &Item) -> Option<Vec<String>> {
    let one = item.get(&["token"]).and_then(Item::text).map(|word| vec![word.to_owned()]);
    one.or_else(|| {
        let words = item.get(&["any_of"])?.texts()?;
        (!words.is_empty()).then(|| words.into_iter().map(str::to_owned).collect())
    })
}

/// The profile inside the file that `profile` names, to lay over it.
fn profile(layers: &[Rc<Layer>]) -> Option<Layer> {
    let mut own = layers.iter().filter(|layer| layer.rank != Rank::Project);
    let name = own.clone().find_map(|layer| layer.root.get(&["profile"])?.text())?;
    let found = own.find_map(|layer| Some((layer, layer.root.get(&["profiles", name])?)));
    found.map(|(layer, item)| Layer { rank: Rank::Over, root: item.clone(), ..Layer::clone(layer) })
}
