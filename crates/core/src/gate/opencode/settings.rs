//! Reads the files, and lays the rules of each agent one behind the other (floor 2).

use super::hidden::{Hidden, hidden, speaks, within};
use super::rules::{Agent, Rule};
use super::{Odd, Off, OpenCodePolicy};
use crate::fact::{Fact, GapReason};
use crate::gate::tree::{self, Item, Value};
use crate::gate::{Effect, FileText, Ground, Level, MOST_RULES, Note, Place};

/// The variable that holds permissions alone.
const VARIABLE: &str = "OPENCODE_PERMISSION";

/// Where files are looked for, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// The user's, for every project.
    Global,
    /// `opencode.json` of a project.
    Project,
    /// `.opencode/opencode.json`.
    Folder,
    /// The same in the home, and in a folder that a variable names: they come last of these.
    Beyond,
    /// What a variable holds.
    Content,
    /// An administrator's.
    Managed,
    /// The variable for permissions alone, and what was typed.
    Permission,
}

/// An answer, with where it stands.
#[derive(Clone, Debug)]
struct Told {
    effect: Effect,
    place: Place,
    level: Level,
    sure: bool,
}

/// What stands behind one permission.
#[derive(Clone, Debug)]
enum Said {
    Word(Told),
    Table(Vec<(String, Told)>),
}

/// Permissions in their order.
type Permissions = Vec<(String, Said)>;

/// Lays permissions over others: a key keeps its place, and two tables become one.
fn over(under: &mut Permissions, more: Permissions) {
    for (key, said) in more {
        match (under.iter_mut().find(|(own, _)| *own == key), said) {
            (Some((_, Said::Table(old))), Said::Table(new)) => {
                for (pattern, told) in new {
                    match old.iter_mut().find(|(own, _)| *own == pattern) {
                        Some((_, slot)) => *slot = told,
                        None => old.push((pattern, told)),
                    }
                }
            }
            (Some((_, slot)), said) => *slot = said,
            (None, said) => under.push((key, said)),
        }
    }
}

fn rules(permissions: &Permissions, home: Option<&str>) -> Vec<Rule> {
    let mut all = Vec::new();
    for (permission, said) in permissions {
        let mut add = |pattern: &str, told: &Told| {
            all.push(Rule {
                permission: permission.clone(),
                pattern: expand(pattern, home),
                effect: told.effect,
                place: Some(told.place.clone()),
                level: told.level,
                sure: told.sure,
            });
        };
        match said {
            Said::Word(told) => add("*", told),
            Said::Table(table) => table.iter().for_each(|(pattern, told)| add(pattern, told)),
        }
    }
    all
}

fn expand(pattern: &str, home: Option<&str>) -> String {
    let home = home.unwrap_or("~");
    let rest = if pattern == "~" { Some("") } else { pattern.strip_prefix('~').filter(|rest| rest.starts_with('/')) };
    match rest.or_else(|| pattern.strip_prefix("$HOME")) {
        Some(rest) => format!("{home}{rest}"),
        None => pattern.to_owned(),
    }
}

/// One of its agents, as settings name it.
#[derive(Clone, Debug, Default)]
struct Named {
    name: String,
    permissions: Permissions,
    off: Option<bool>,
    /// `primary`, `subagent` or `all`.
    mode: Option<String>,
}

impl Named {
    fn off(&self) -> bool {
        self.off == Some(true)
    }

    fn is(&self, mode: &str) -> bool {
        self.mode.as_deref() == Some(mode)
    }

    /// Lays what is said of one agent over what was.
    fn over(all: &mut Vec<Self>, more: Self) {
        let Some(agent) = all.iter_mut().find(|agent| agent.name == more.name) else { return all.push(more) };
        over(&mut agent.permissions, more.permissions);
        agent.off = more.off.or(agent.off);
        agent.mode = more.mode.or(agent.mode.take());
    }
}

#[derive(Default)]
struct Read {
    layers: Vec<(Rank, Level, String, Item)>,
    odd: Vec<Odd>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
    plugin: Option<Place>,
    /// Whether folders outside are referred to.
    refers: bool,
}

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> OpenCodePolicy {
    let mut read = Read::default();
    for file in files {
        read.file(file);
    }
    read.layers.sort_by_key(|(rank, ..)| *rank);
    let (mut permissions, mut tools): (Permissions, Permissions) = (Vec::new(), Vec::new());
    let (mut named, mut modes): (Vec<Named>, Vec<Named>) = (Vec::new(), Vec::new());
    let (mut off, mut served): (Vec<Off>, bool) = (Vec::new(), false);
    let mut default = "build".to_owned();
    let layers = std::mem::take(&mut read.layers);
    for (_, level, path, root) in &layers {
        let from = From { path, level: *level };
        let set = if path == VARIABLE { Some(root) } else { root.get(&["permission"]) };
        if path == VARIABLE {
            // Nothing but permissions stands in it, whatever they are called.
            match set.and_then(|item| from.permissions(item)) {
                Some(more) => over(&mut permissions, more),
                None => read.malformed(path),
            }
            continue;
        }
        let mut understood =
            set.is_none_or(|item| from.permissions(item).map(|more| over(&mut permissions, more)).is_some());
        understood &=
            root.get(&["tools"]).is_none_or(|item| from.tools(item).map(|more| over(&mut tools, more)).is_some());
        for (key, all) in [("agent", &mut named), ("mode", &mut modes)] {
            for (name, item) in root.get(&[key]).map(Item::written).unwrap_or_default() {
                understood &= from.agent(name, item).map(|agent| Named::over(all, agent)).is_some();
            }
        }
        // What newer versions call it is a list in which nothing that matches is asked about.
        let newer = |item: &Item| item.get(&["permissions"]).is_some();
        understood &= !newer(root)
            && root.get(&["agents"]).is_none()
            && !root.get(&["agent"]).and_then(Item::table).is_some_and(|agents| agents.values().any(newer));
        if !understood {
            read.malformed(path);
        }
        // Folders that are referred to are open, wherever they lie.
        let refers = ["references", "reference", "skills"].iter().any(|key| root.get(&[*key]).is_some());
        read.refers |= refers;
        if let Some(name) = root.get(&["default_agent"]).and_then(Item::text) {
            name.clone_into(&mut default);
        }
        // Newer versions have servers a step deeper, and say of them that they are not switched off.
        // A name with a variable in it may be that of any.
        served |= root.get(&["mcp", "servers"]).is_some_and(|servers| servers.get(&["type"]).is_none())
            || root.get(&["mcp"]).is_some_and(within);
        for (server, item) in root.get(&["mcp"]).and_then(Item::table).into_iter().flatten() {
            off.retain(|one| one.server != *server);
            if let Some(enabled) = item.get(&["enabled"]).filter(|enabled| enabled.flag() == Some(false)) {
                off.push(Off { server: server.clone(), place: from.place(enabled), level: *level });
            }
        }
        if let Some(plugins) = root.get(&["plugin"]).filter(|item| item.list().is_none_or(|list| !list.is_empty())) {
            read.plugin(from.place(plugins), *level);
        }
    }
    // What older versions called agents is laid over them when all files have been read, and tools count by the
    // permissions that they are.
    for mode in modes {
        Named::over(&mut named, Named { mode: Some("primary".to_owned()), ..mode });
    }
    if served {
        off.clear();
    }
    let mut all = of_tools(tools);
    over(&mut all, permissions);
    let home = ground.home.as_deref();
    let mut agents = agents(&default, named, &rules(&all, home), home);
    if read.refers {
        agents.iter_mut().for_each(|agent| agent.rules.insert(2, own_folder("*")));
    }
    OpenCodePolicy {
        ground: ground.clone(),
        agents,
        odd: read.odd,
        off,
        unread: read.unread,
        files: read.files,
        notes: read.notes,
        plugin: read.plugin,
    }
}

/// A folder that may be one of its own, to which nobody is asked to go.
fn own_folder(pattern: &str) -> Rule {
    Rule { sure: false, ..Rule::built_in("external_directory", pattern, Effect::Allow) }
}

/// The agent that a session starts with, and those that it may hand work to.
fn agents(default: &str, named: Vec<Named>, user: &[Rule], home: Option<&str>) -> Vec<Agent> {
    let (allow, ask, deny) = (Effect::Allow, Effect::Ask, Effect::Deny);
    let base = [
        Rule::built_in("*", "*", allow),
        Rule::built_in("external_directory", "*", ask),
        // Folders of its own are open: for what is passing, for what was cut off, and for skills.
        own_folder("*opencode*"),
        own_folder("*skill*"),
        own_folder("/tmp/*"),
        own_folder("/var/folders/*"),
        Rule::built_in("read", "*", allow),
        Rule::built_in("read", "*.env", ask),
        Rule::built_in("read", "*.env.*", ask),
        Rule::built_in("read", "*.env.example", allow),
    ];
    let own = |name: &str| match name {
        "plan" => vec![Rule::built_in("edit", "*", deny)],
        "explore" => {
            let mut rules = vec![Rule::built_in("*", "*", deny)];
            rules.extend(["grep", "bash", "webfetch", "read"].map(|tool| Rule::built_in(tool, "*", allow)));
            rules.push(Rule::built_in("external_directory", "*", ask));
            rules.extend(["*opencode*", "*skill*", "/tmp/*", "/var/folders/*"].map(own_folder));
            rules
        }
        _ => Vec::new(),
    };
    let mut found: Vec<Agent> = Vec::new();
    let mut add = |name: &str, more: &[Rule]| {
        let rules = [&base[..], &own(name), user, more, &[own_folder("*opencode*")]].concat();
        found.push(Agent { name: name.to_owned(), rules });
    };
    let of = |name: &str| named.iter().find(|agent| agent.name == name);
    let rules_of = |agent: Option<&Named>| agent.map(|agent| rules(&agent.permissions, home)).unwrap_or_default();
    add(default, &rules_of(of(default)));
    let built_in = ["general", "explore"];
    for name in built_in.into_iter().filter(|name| *name != default && of(name).is_none_or(|agent| !agent.off())) {
        add(name, &rules_of(of(name)));
    }
    // One that is not there, or that work is only handed to, does not start a session: another one does.
    let starts = match of(default) {
        Some(agent) => !agent.off() && !agent.is("subagent") && (agent.mode.is_some() || !built_in.contains(&default)),
        None => matches!(default, "build" | "plan"),
    };
    for name in ["build", "plan"].into_iter().filter(|name| !starts && *name != default) {
        if of(name).is_none_or(|agent| !agent.off()) {
            add(name, &rules_of(of(name)));
        }
    }
    for agent in &named {
        let known = built_in.contains(&agent.name.as_str()) || matches!(agent.name.as_str(), "build" | "plan");
        // One that only starts sessions is handed no work.
        let apart = agent.off() || (starts && agent.is("primary"));
        if agent.name != default && !known && !apart {
            add(&agent.name, &rules(&agent.permissions, home));
        }
    }
    found
}

struct From<'p> {
    path: &'p str,
    level: Level,
}

impl From<'_> {
    fn place(&self, item: &Item) -> Place {
        Place { path: self.path.to_owned(), line: Some(item.line) }
    }

    fn told(&self, item: &Item, text: &str) -> Option<Told> {
        let effect = match item.text()? {
            "allow" => Effect::Allow,
            "ask" => Effect::Ask,
            "deny" => Effect::Deny,
            _ => return None,
        };
        // Variables and files are put in before the text is read.
        Some(Told {
            effect,
            place: self.place(item),
            level: self.level,
            sure: !text.contains("{env:") && !text.contains("{file:"),
        })
    }

    fn permissions(&self, item: &Item) -> Option<Permissions> {
        if item.text().is_some() {
            return Some(vec![("*".to_owned(), Said::Word(self.told(item, "")?))]);
        }
        let mut found = Vec::new();
        let mut count = 0;
        item.table()?;
        for (key, item) in item.written() {
            let said = match &item.value {
                Value::Text(_) => Said::Word(self.told(item, key)?),
                Value::Table(_) => {
                    let all = item.written().into_iter();
                    let all: Option<Vec<(String, Told)>> =
                        all.map(|(pattern, item)| Some((pattern.to_owned(), self.told(item, pattern)?))).collect();
                    Said::Table(all?)
                }
                Value::Flag(_) | Value::Number(_) | Value::List(_) | Value::Other => return None,
            };
            count += if let Said::Table(table) = &said { table.len() } else { 1 };
            // Keys that are numbers are moved to the front.
            if key.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            found.push((key.to_owned(), said));
        }
        (count <= MOST_RULES).then_some(found)
    }

    /// What came before `permission`: tools that are on or off, by their names.
    fn tools(&self, item: &Item) -> Option<Permissions> {
        item.table()?;
        let mut found: Permissions = Vec::new();
        for (tool, item) in item.written() {
            let effect = if item.flag()? { Effect::Allow } else { Effect::Deny };
            let told = Told { effect, place: self.place(item), level: self.level, sure: true };
            found.push((tool.to_owned(), Said::Word(told)));
        }
        Some(found)
    }

    fn agent(&self, name: &str, item: &Item) -> Option<Named> {
        let permissions = of_tools(item.get(&["tools"]).map_or(Some(Vec::new()), |tools| self.tools(tools))?);
        let more = item.get(&["permission"]).map_or(Some(Vec::new()), |item| self.permissions(item))?;
        let mode = item.get(&["mode"]).and_then(Item::text).map(str::to_owned);
        let off = item.get(&["disable"]).and_then(Item::flag);
        let mut agent = Named { name: name.to_owned(), permissions, off, mode };
        // Within one file a permission takes the place of a tool.
        for (key, said) in more {
            match agent.permissions.iter_mut().find(|(own, _)| *own == key) {
                Some((_, slot)) => *slot = said,
                None => agent.permissions.push((key, said)),
            }
        }
        Some(agent)
    }
}

/// Tools as the permissions that they are: of those that write, the last has the word.
fn of_tools(tools: Permissions) -> Permissions {
    let mut found = Vec::new();
    for (tool, said) in tools {
        let key = if matches!(tool.as_str(), "write" | "edit" | "patch") { "edit".to_owned() } else { tool };
        over(&mut found, vec![(key, said)]);
    }
    found
}

impl Read {
    fn note(&mut self, path: &str, text: &str) {
        self.notes.push(Note { place: Place { path: path.to_owned(), line: None }, text: text.to_owned() });
    }

    fn malformed(&mut self, path: &str) {
        self.unread.push((path.to_owned(), GapReason::Malformed));
        self.note(path, "what it says of permissions is not understood, so it may say anything");
    }

    fn plugin(&mut self, place: Place, level: Level) {
        self.plugin = self.plugin.take().or_else(|| Some(place.clone()));
        self.odd.push(Odd { what: "plugin", place, level, refuses: true });
    }

    fn file(&mut self, file: &FileText) {
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => return self.unread.push((file.path.clone(), gap.reason)),
        };
        self.files.push(file.path.clone());
        let place = Place { path: file.path.clone(), line: None };
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        if name.ends_with(".md") {
            // An agent may bring permissions of its own, and be freer than the one that hands it work.
            if speaks(text) {
                self.odd.push(Odd {
                    what: "agent with permissions of its own",
                    place,
                    level: file.level,
                    refuses: false,
                });
            }
            return;
        }
        if name.ends_with(".ts") || name.ends_with(".js") {
            return self.plugin(place, file.level);
        }
        let rank = match file.level {
            _ if file.path.starts_with("OPENCODE_CONFIG_CONTENT") => Rank::Content,
            _ if file.path == VARIABLE || file.path == "--started-as" => Rank::Permission,
            Level::Managed => Rank::Managed,
            _ if matches!(file.path.as_str(), "~/.opencode/opencode.json" | "~/.opencode/opencode.jsonc") => {
                Rank::Beyond
            }
            Level::State => Rank::Beyond,
            Level::Local => Rank::Folder,
            Level::Project => Rank::Project,
            Level::User => Rank::Global,
        };
        if file.path == VARIABLE {
            // What is no JSON to the letter is passed over, and so is a text.
            match serde_json::from_str::<serde_json::Value>(text) {
                Ok(serde_json::Value::Object(_)) => {}
                Ok(serde_json::Value::Array(_)) => return self.malformed(VARIABLE),
                Ok(_) | Err(_) => return self.note(VARIABLE, "it is no table in JSON, so the agent passes it over"),
            }
        }
        // The agent does not start with a file that it cannot read.
        match tree::json(text, true).filter(|root| root.table().is_some()) {
            // What agents and plugins of the user add stands behind what an administrator says.
            Some(root) => {
                let level = if file.level == Level::Managed { Level::User } else { file.level };
                match hidden(&root).filter(|_| file.path != VARIABLE) {
                    Some(Hidden::Setting) => self.malformed(&file.path),
                    Some(Hidden::Rule(line)) => {
                        let place = Place { line: Some(line), ..place };
                        self.odd.push(Odd { what: "variable in a rule", place, level, refuses: false });
                    }
                    None => {}
                }
                self.layers.push((rank, level, file.path.clone(), root));
            }
            None => {
                self.unread.push((file.path.clone(), GapReason::Malformed));
                self.note(&file.path, "the agent does not start with it, or reads it as is not known here");
            }
        }
    }
}
