//! Settings files laid over each other, and the rules that they become (floor 2): google-gemini/gemini-cli
//! `packages/cli/src/config/settings.ts`, `packages/core/src/policy/config.ts`.

use std::collections::BTreeMap;

use super::policy::text;
use super::rule::{Args, Rule};
use super::{Hook, Mode};
use crate::gate::ignore::Ignored;
use crate::gate::shown::shown;
use crate::gate::tree::{Item, Value};
use crate::gate::{Effect, Level, Note, Place};

/// What a settings file is, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// `system-defaults.json`.
    Defaults,
    User,
    Project,
    /// `settings.json` of the system.
    System,
    /// What was typed when it was started.
    Typed,
}

/// A settings file that was understood.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) rank: Rank,
    pub(super) level: Level,
    pub(super) path: String,
    pub(super) root: Item,
    /// Whether the agent may pass it over.
    pub(super) doubtful: bool,
}

impl Layer {
    pub(super) fn place(&self, item: &Item) -> Place {
        Place { path: self.path.clone(), line: Some(item.line) }
    }
}

/// Settings laid over each other, the weakest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers(pub(super) Vec<Layer>);

impl Layers {
    /// Those that are not such.
    pub(super) fn without(&self, such: impl Fn(&Layer) -> bool) -> Self {
        Self(self.0.iter().filter(|layer| !such(layer)).cloned().collect())
    }

    /// The strongest word on a setting.
    pub(super) fn last(&self, path: &[&str]) -> Option<(&Layer, &Item)> {
        self.0.iter().rev().find_map(|layer| layer.root.get(path).map(|item| (layer, item)))
    }

    pub(super) fn flag(&self, path: &[&str]) -> Option<bool> {
        self.last(path).and_then(|(_, item)| item.flag())
    }

    /// What every file says on a setting.
    pub(super) fn all<'a>(&'a self, path: &'a [&str]) -> impl Iterator<Item = (&'a Layer, &'a Item)> + 'a {
        self.0.iter().filter_map(move |layer| layer.root.get(path).map(|item| (layer, item)))
    }

    /// The texts of the strongest list.
    fn list(&self, path: &[&str]) -> Option<Vec<(&Layer, &Item, &str)>> {
        let (layer, item) = self.last(path)?;
        Some(item.list()?.iter().filter_map(|one| one.text().map(|text| (layer, one, text))).collect())
    }

    /// The texts of every list.
    fn joined<'a>(&'a self, path: &'a [&str]) -> Vec<(&'a Layer, &'a Item, &'a str)> {
        let lists = self.all(path).filter_map(|(layer, item)| item.list().map(|list| (layer, list)));
        lists
            .flat_map(|(layer, list)| list.iter().filter_map(move |one| one.text().map(|text| (layer, one, text))))
            .collect()
    }

    /// The file that says most on a server: it takes the place of what others say of it.
    fn server(&self, name: &str) -> Option<(&Layer, &Item)> {
        self.last(&["mcpServers", name])
    }

    fn servers(&self) -> BTreeMap<&str, (&Layer, &Item)> {
        let mut found = BTreeMap::new();
        for (layer, servers) in self.all(&["mcpServers"]) {
            for (name, item) in servers.table().into_iter().flatten() {
                found.insert(name.as_str(), (layer, item));
            }
        }
        found
    }
}

/// A tool or a server that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) level: Level,
    pub(super) sure: bool,
}

/// What settings come to in a folder that is trusted, or in one that is not.
#[derive(Clone, Debug, Default)]
pub(super) struct Laid {
    pub(super) layers: Layers,
    /// The highest first.
    pub(super) rules: Vec<Rule>,
    /// Tools that are taken away.
    pub(super) gone: Vec<Gone>,
    /// Whether what was always allowed at a prompt counts.
    pub(super) always: bool,
    pub(super) hooks: Vec<Hook>,
    pub(super) ignored: Option<Ignored>,
    /// Folders beside the starting one that its own tools reach.
    pub(super) folders: Vec<String>,
    /// Whether it is known that the system keeps no command from the network.
    pub(super) unboxed: bool,
}

/// What settings come to, with the rules of policy files.
pub(super) fn laid(layers: Layers, policies: &[Rule], checkers: &[Hook], ignored: Option<&Ignored>) -> Laid {
    let mut rules = policies.to_vec();
    rules.extend(of_settings(&layers));
    rules.extend(super::built_in::rules());
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
    let gone = layers.joined(&["tools", "exclude"]).into_iter().map(|(layer, item, name)| Gone {
        name: name.to_owned(),
        place: layer.place(item),
        level: layer.level,
        sure: !expands(name),
    });
    let gone = gone.collect();
    let respects = layers.flag(&["context", "fileFiltering", "respectGeminiIgnore"]) != Some(false);
    let more = layers.joined(&["context", "fileFiltering", "customIgnoreFilePaths"]);
    let ignored = ignored.filter(|_| respects && more.is_empty()).cloned();
    let folders = layers.joined(&["context", "includeDirectories"]).into_iter().map(|(_, _, path)| path.to_owned());
    let folders = folders.collect();
    let mut hooks = hooks(&layers);
    hooks.extend(checkers.iter().cloned());
    if let Some((layer, item)) =
        layers.last(&["security", "enableConseca"]).filter(|(_, item)| item.flag() == Some(true))
    {
        hooks.push(Hook {
            matcher: None,
            place: layer.place(item),
            level: layer.level,
            what: "model that checks calls",
        });
    }
    let always = layers.flag(&["security", "disableAlwaysAllow"]) != Some(true);
    let unboxed = unboxed(&layers);
    Laid { rules, gone, always, hooks, ignored, folders, unboxed, layers }
}

/// Whether a text holds a variable, which the agent puts in.
fn expands(text: &str) -> bool {
    text.contains('$')
}

/// Whether a setting may count as one that is switched on. What it is switched on by is not checked.
fn truthy(item: &Item) -> bool {
    !matches!(&item.value, Value::Flag(false) | Value::Number(0)) && item.text() != Some("")
}

const BUT_PLANNING: [Mode; 3] = [Mode::Default, Mode::AutoEdit, Mode::Yolo];

/// A rule that a setting becomes.
fn made(at: (&Layer, &Item), tool: &str, effect: Effect, priority: u32, modes: &[Mode]) -> Rule {
    let (layer, item) = at;
    Rule {
        tool: if tool == "ShellTool" { "run_shell_command".to_owned() } else { tool.to_owned() },
        server: None,
        args: if expands(tool) { Args::Unclear } else { Args::Any },
        effect,
        priority,
        modes: modes.to_vec(),
        interactive: None,
        redirects: false,
        sure: !expands(tool),
        text: shown(tool),
        place: Some(layer.place(item)),
        level: layer.level,
    }
}

fn of_settings(layers: &Layers) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (layer, item, server) in layers.list(&["mcp", "excluded"]).unwrap_or_default() {
        rules.push(of_server((layer, item), server, Effect::Deny, 4900, &[]));
    }
    for (layer, item, tool) in layers.joined(&["tools", "exclude"]) {
        // Names of classes and entries with brackets are no names of tools, and are taken as they stand.
        rules.push(Rule { tool: tool.to_owned(), ..made((layer, item), tool, Effect::Deny, 4400, &[]) });
    }
    if let Some(list) = layers.list(&["tools", "allowed"]) {
        mapped(&list, 4300, &[], true, &mut rules);
    }
    for (layer, item, tool) in layers.list(&["tools", "confirmationRequired"]).unwrap_or_default() {
        rules.push(made((layer, item), tool, Effect::Ask, 4350, &[]));
    }
    if let Some(list) = layers.list(&["tools", "core"]) {
        mapped(&list, 4250, &BUT_PLANNING, false, &mut rules);
        if let Some(at) = layers.last(&["tools", "core"]) {
            let rest = Rule { text: "tools.core".to_owned(), ..made(at, "*", Effect::Deny, 4240, &BUT_PLANNING) };
            rules.push(rest);
        }
    }
    for (name, (layer, server)) in layers.servers() {
        if let Some(trust) = server.get(&["trust"]).filter(|trust| truthy(trust)) {
            let rule = of_server((layer, trust), name, Effect::Allow, 4200, &BUT_PLANNING);
            let sure = rule.sure && trust.flag() == Some(true);
            rules.push(Rule { text: format!("{}: trust", shown(name)), sure, ..rule });
        }
        if layers.flag(&["mcp", "autoAllowInHeadless"]) == Some(true) {
            let rule = of_server((layer, server), name, Effect::Allow, 4100, &BUT_PLANNING);
            rules.push(Rule { interactive: Some(false), ..rule });
        }
    }
    for (layer, item, server) in layers.list(&["mcp", "allowed"]).unwrap_or_default() {
        rules.push(of_server((layer, item), server, Effect::Allow, 4100, &BUT_PLANNING));
    }
    rules
}

fn of_server(at: (&Layer, &Item), server: &str, effect: Effect, priority: u32, modes: &[Mode]) -> Rule {
    let tool = if server == "*" { "mcp_*".to_owned() } else { format!("mcp_{server}_*") };
    Rule { server: Some(server.to_owned()), text: shown(server), ..made(at, &tool, effect, priority, modes) }
}

/// Entries of `tools.allowed` and `tools.core`: a tool, or the shell with how its commands begin.
fn mapped(list: &[(&Layer, &Item, &str)], priority: u32, modes: &[Mode], narrows: bool, rules: &mut Vec<Rule>) {
    let mut narrowed = None;
    for (layer, item, entry) in list {
        let at = (*layer, *item);
        let Some((tool, args)) = bracketed(entry) else {
            rules.push(made(at, entry, Effect::Allow, priority, modes));
            continue;
        };
        let rule = made(at, tool, Effect::Allow, priority, modes);
        if rule.tool != "run_shell_command" {
            rules.push(rule);
            continue;
        }
        narrowed = narrowed.or(Some(at));
        // Nothing in the brackets allows nothing.
        if args.is_empty() {
            continue;
        }
        let sure = !expands(args);
        let args_of = if sure { Args::Prefix(args.to_owned()) } else { Args::Unclear };
        let shown = text("run_shell_command", args);
        rules.push(Rule { args: args_of, sure, text: shown, ..rule });
    }
    // Naming some commands refuses the others.
    if let Some(at) = narrowed.filter(|_| narrows) {
        let rule = made(at, "run_shell_command", Effect::Deny, priority - 10, modes);
        rules.push(Rule { text: "commands that `tools.allowed` does not name".to_owned(), ..rule });
    }
}

fn bracketed(entry: &str) -> Option<(&str, &str)> {
    let (tool, rest) = entry.split_once('(')?;
    let plain = !tool.is_empty() && tool.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    rest.strip_suffix(')').filter(|args| plain && !args.contains('\n')).map(|args| (tool, args))
}

/// Hooks on calls of tools. They count in folders that are trusted alone, which the caller sees to.
fn hooks(layers: &Layers) -> Vec<Hook> {
    if layers.flag(&["hooksConfig", "enabled"]) == Some(false) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (layer, item) in layers.all(&["hooks", "BeforeTool"]) {
        for one in item.list().into_iter().flatten() {
            let matcher = one.get(&["matcher"]).and_then(Item::text).map(str::to_owned);
            found.push(Hook { matcher, place: layer.place(one), level: layer.level, what: "`BeforeTool` hook" });
        }
    }
    found
}

/// Whether it is known that no command is kept from the network: containers have it unless they are told otherwise
/// (`packages/cli/src/config/sandboxConfig.ts`), and tools in sandboxes of their own have none until it is granted.
fn unboxed(layers: &Layers) -> bool {
    let own = layers.flag(&["security", "toolSandboxing"]) == Some(true);
    let cut = layers
        .last(&["tools", "sandbox"])
        .is_some_and(|(_, item)| item.get(&["networkAccess"]).is_some_and(|network| network.flag() != Some(true)));
    !own && !cut
}

impl Laid {
    /// Where a server is said to be trusted.
    pub(super) fn trusts(&self, server: &str) -> Option<Place> {
        let (layer, item) = self.layers.server(server)?;
        item.get(&["trust"]).filter(|trust| truthy(trust)).map(|trust| layer.place(trust))
    }

    /// Why a server is not started, or a tool of it not offered.
    pub(super) fn without(&self, server: &str, tool: &str) -> Option<(String, Place, Level)> {
        let told = |layer: &Layer, item: &Item, because: String| Some((because, layer.place(item), layer.level));
        let typed = self
            .layers
            .0
            .iter()
            .any(|layer| layer.rank == Rank::Typed && layer.root.get(&["mcp", "allowed"]).is_some());
        let excluded = self.layers.joined(&["mcp", "excluded"]);
        if let Some((layer, item, _)) = excluded.into_iter().find(|(_, _, name)| *name == server && !typed) {
            return told(layer, item, format!("the server `{}` is switched off", shown(server)));
        }
        if let Some((layer, item)) = self.unlisted(server) {
            return told(layer, item, format!("the server `{}` is not among those that are started", shown(server)));
        }
        let (layer, item) = self.layers.server(server)?;
        if let Some(list) =
            item.get(&["excludeTools"]).filter(|list| list.texts().is_some_and(|all| all.contains(&tool)))
        {
            return told(layer, list, "the tool is taken from its server".to_owned());
        }
        let offered = item.get(&["includeTools"])?;
        let names = offered.texts()?;
        let named = names.iter().any(|name| {
            *name == tool || expands(name) || name.strip_prefix(tool).is_some_and(|rest| rest.starts_with('('))
        });
        if named { None } else { told(layer, offered, "the tool is not among those that its server offers".to_owned()) }
    }

    /// The list that leaves a server out. Lists of several files are cut down to what all of them name; where that is
    /// nothing, nothing is left out.
    fn unlisted(&self, server: &str) -> Option<(&Layer, &Item)> {
        let lists: Vec<(&Layer, &Item)> = self.layers.all(&["mcp", "allowed"]).collect();
        let typed: Vec<(&Layer, &Item)> =
            lists.iter().copied().filter(|(layer, _)| layer.rank == Rank::Typed).collect();
        let lists = if typed.is_empty() { lists } else { typed };
        let texts: Vec<Vec<&str>> = lists.iter().map(|(_, item)| item.texts()).collect::<Option<_>>()?;
        let first = texts.first()?;
        let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
        let common = |name: &&&str| texts.iter().all(|list| list.iter().any(|other| same(name, other)));
        let left: Vec<&&str> = first.iter().filter(common).collect();
        // A name with a variable in it may be any.
        let open = left.is_empty() || left.iter().any(|name| **name == server || expands(name));
        if open { None } else { lists.last().copied() }
    }
}

/// What in settings does not do what it seems to.
pub(super) fn notes(layers: &Layers) -> Vec<Note> {
    let mut notes = Vec::new();
    for (layer, item, entry) in layers.joined(&["tools", "exclude"]) {
        if entry.contains('(') {
            let text = "an entry of `tools.exclude` with brackets takes nothing away: only whole tools are".to_owned();
            notes.push(Note { place: layer.place(item), text });
        }
    }
    for (layer, item, _) in layers.list(&["mcp", "allowed"]).unwrap_or_default() {
        let text = "`mcp.allowed` also lets the tools of its servers run unasked".to_owned();
        notes.push(Note { place: layer.place(item), text });
    }
    notes
}
