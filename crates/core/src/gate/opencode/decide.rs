//! One call, one decision: every agent that may issue it, every rule that may have the last word (floor 2).

use super::OpenCodePolicy;
use super::rules::{Agent, Rule, fits_text};
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, Odd, any, ruling, unread};
use crate::gate::nodes::{self, Node};
use crate::gate::{Basis, Call, Cited, Doubt, Effect, GateDecision, Place, Ruling};
use crate::model::Decision;

/// Commands that are not asked about as commands.
const MOVES: [&str; 5] = ["cd", "chdir", "popd", "pushd", "push-location"];

/// Commands whose words are taken for paths, which may lead out of the project.
const ON_FILES: [&str; 12] =
    ["cd", "popd", "pushd", "rm", "cp", "mv", "mkdir", "touch", "chmod", "chown", "cat", "chdir"];

/// What the gate does with a call.
pub(super) fn decide(policy: &OpenCodePolicy, call: &Call) -> GateDecision {
    let mut judged = policy.agents.iter().map(|agent| Court { policy, agent }.answer(call));
    let first = judged.next().unwrap_or_else(|| any(std::iter::empty()));
    let best = first.best.clone();
    // Work may be handed to another agent, which is as free as it is unless what the first may not holds for it as well.
    let mut bounds = Bounds { best, ..judged.fold(first, Bounds::freer) };
    let odd = Odd::first(&policy.odd, &mut bounds);
    let settle = "trying the call with it in place, or naming its permissions in opencode.json";
    let mut doubt = odd.map(|odd| odd.doubt("plugin", settle));
    if let Some((unknown, why)) = unread(&policy.unread) {
        (bounds, doubt) = (unknown, Some(why));
    }
    let Bounds { worst, best } = bounds;
    let doubt = (worst.decision != best.decision).then(|| doubt.unwrap_or_else(|| open(&worst)));
    let overridable_by = levers(&best);
    GateDecision { contained: Some(false), worst, best, doubt, overridable_by }
}

/// What the session may change to get another answer: nothing that a file says is out of its reach, as the variables it
/// is started with stand behind every file.
fn levers(best: &Ruling) -> Vec<String> {
    if best.decision > Decision::Ask {
        return Vec::new();
    }
    let mut levers = vec!["opencode.json".to_owned(), "~/.config/opencode/opencode.json".to_owned()];
    levers.extend(best.place.as_ref().map(|place| place.path.clone()).filter(|path| !levers.contains(path)));
    levers.push("starting it with `--auto`".to_owned());
    levers
}

/// Judges for one agent.
struct Court<'a> {
    policy: &'a OpenCodePolicy,
    agent: &'a Agent,
}

impl Court<'_> {
    fn answer(&self, call: &Call) -> Bounds {
        match call {
            Call::Shell { command } => self.tool("bash", || self.command(command)),
            Call::Read { path } => {
                let read = self.tool("read", || self.file("read", path));
                // It shows the lines of files that it finds.
                let search = self.tool("grep", || self.asked("grep", |rule| (rule.pattern == "*").then_some(true)));
                read.freer(search)
            }
            Call::Edit { path } => self.tool("edit", || self.file("edit", path)),
            Call::Fetch { domain } => self.tool("webfetch", || {
                let begins = format!("https://{domain}/");
                self.asked("webfetch", |rule| {
                    if rule.pattern == "*" || fits_text(&rule.pattern, &format!("{begins}*")) {
                        Some(true)
                    } else {
                        None
                    }
                })
            }),
            Call::Mcp { server, tool } => self.server(server, tool),
        }
    }

    fn tool(&self, permission: &str, judge: impl Fn() -> Bounds) -> Bounds {
        match self.agent.without(permission) {
            Some(rule) => Bounds::one(self.by(Some(rule))),
            None => judge(),
        }
    }

    /// A request of one permission, by whether each rule surely, perhaps or never matches what it is for.
    fn asked(&self, permission: &str, fits: impl Fn(&Rule) -> Option<bool>) -> Bounds {
        any(self.agent.last(permission, fits).into_iter().map(|rule| Bounds::one(self.by(rule))))
    }

    fn plainly(&self, permission: &str, text: &str) -> Bounds {
        self.asked(permission, |rule| Some(fits_text(&rule.pattern, text)))
    }

    fn by(&self, rule: Option<&Rule>) -> Ruling {
        let Some(rule) = rule else {
            return ruling(Decision::Ask, Basis::BuiltIn, None, "no rule names it, so a person is asked".to_owned());
        };
        let (decision, verb) = match rule.effect {
            Effect::Deny => (Decision::Deny, "refuses it"),
            Effect::Ask => (Decision::Ask, "asks a person"),
            Effect::Allow => (Decision::Allow, "lets it run unasked"),
        };
        let whose = &self.agent.name;
        match &rule.place {
            Some(place) => {
                let text = rule.text();
                let whole = rule.pattern == "*";
                let because = format!("`{text}` {verb} ({place}, agent `{whose}`)");
                let cited = Cited { effect: rule.effect, text, level: rule.level, whole };
                ruling(decision, Basis::Rule(cited), Some(place), because)
            }
            None if rule.permission == "*" && rule.pattern == "*" && rule.effect == Effect::Allow => ruling(
                decision,
                Basis::Mode(None),
                None,
                format!("no rule of yours names it, and the agent `{whose}` {verb}"),
            ),
            None => ruling(decision, Basis::BuiltIn, None, format!("the agent `{whose}` {verb} of itself")),
        }
    }

    fn server(&self, server: &str, tool: &str) -> Bounds {
        if let Some(off) = self.policy.off.iter().find(|off| off.server == server) {
            let because = format!("the server is switched off ({})", off.place);
            return Bounds::one(ruling(Decision::Deny, Basis::Mode(Some(off.level)), Some(&off.place), because));
        }
        let plain = |text: &str| -> String {
            text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
        };
        let key = format!("{}_{}", plain(server), plain(tool));
        self.tool(&key, || self.plainly(&key, "*"))
    }

    /// A file: by its path from the top of the repository, which may lie above the session's folder.
    fn file(&self, permission: &str, path: &str) -> Bounds {
        let ground = &self.policy.ground;
        let (full, root) = (ground.absolute(path), ground.absolute(&ground.root));
        let mut folders: Vec<&str> = vec![root.as_str()];
        while let Some((above, _)) = folders.last().and_then(|folder| folder.rsplit_once('/')) {
            folders.push(above);
        }
        let below =
            |folder: &&str| full.strip_prefix(folder.trim_end_matches('/'))?.strip_prefix('/').map(str::to_owned);
        let inside = below(&root.as_str());
        let mut names: Vec<String> = folders.iter().filter_map(below).collect();
        let outside = inside.is_none();
        if outside {
            let depth = root.split('/').filter(|part| !part.is_empty()).count();
            names.push(format!("{}{}", "../".repeat(depth), full.trim_start_matches('/')));
        }
        let own = any(names.iter().map(|name| self.plainly(permission, name)));
        if !outside {
            return own;
        }
        let folder = full.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.beyond(own, &[format!("{folder}/*")], &full)
    }

    /// What leads out of the project is asked about for its folder as well.
    fn beyond(&self, own: Bounds, folders: &[String], full: &str) -> Bounds {
        let met = any(folders.iter().map(|folder| self.plainly("external_directory", folder)));
        let root = self.policy.ground.absolute(&self.policy.ground.root);
        let top = |path: &str| path.split('/').nth(1).map(str::to_owned);
        // The project may begin above the session's folder.
        if top(full) != top(&root) {
            return own.and(met);
        }
        own.clone().or(own.and(met))
    }

    fn command(&self, line: &str) -> Bounds {
        let nodes = nodes::read(line);
        let nothing =
            || Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, "there is nothing to ask about".to_owned()));
        if nodes.sure {
            let asked = nodes.commands.iter().filter(|node| !node.declares);
            return asked.map(|node| self.node(node)).reduce(Bounds::and).unwrap_or_else(nothing);
        }
        // Which commands are found in it, or whether any is, is not known: each may meet any rule behind the last one for
        // every command.
        let mut bounds = any(self
            .agent
            .last("bash", |rule| (rule.pattern == "*").then_some(true))
            .into_iter()
            .map(|rule| Bounds::one(self.by(rule))));
        bounds = bounds.or(nothing());
        let asks = self.agent.last("external_directory", |rule| (rule.pattern == "*").then_some(true));
        let out = any(asks.into_iter().map(|rule| Bounds::one(self.by(rule))));
        bounds.clone().or(bounds.and(out))
    }

    fn node(&self, node: &Node) -> Bounds {
        let name = node.words.first().map_or("", String::as_str);
        let free = Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, "a folder is changed".to_owned()));
        let own = if MOVES.contains(&name) {
            free
        } else if node.text == node.full {
            self.plainly("bash", &node.text)
        } else {
            // Redirects are part of what is matched, unless they belong to a list around it.
            self.plainly("bash", &node.text).or(self.plainly("bash", &node.full))
        };
        if !ON_FILES.contains(&name) {
            return own;
        }
        let words = node.words.iter().skip(1).filter(|word| !word.starts_with('-'));
        words.fold(own, |bounds, word| self.path(bounds, word))
    }

    /// A word that is taken for a path.
    fn path(&self, bounds: Bounds, word: &str) -> Bounds {
        let quote = |c| word.strip_prefix(c).and_then(|rest: &str| rest.strip_suffix(c));
        let word = quote('"').or_else(|| quote('\'')).unwrap_or(word);
        let fixed = word.split(['?', '*', '[']).next().unwrap_or(word);
        if fixed.is_empty() || fixed.contains(['$', '`', '(']) {
            return bounds;
        }
        let ground = &self.policy.ground;
        let (full, root) = (ground.absolute(fixed), ground.absolute(&ground.root));
        if full == root || full.starts_with(&format!("{}/", root.trim_end_matches('/'))) {
            return bounds;
        }
        let above = full.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        self.beyond(bounds, &[format!("{full}/*"), format!("{above}/*")], &full)
    }
}

fn open(worst: &Ruling) -> Doubt {
    Doubt {
        id: "rules-in-force".to_owned(),
        reason: GapReason::Unsupported,
        question: "which rule has the last word".to_owned(),
        settle: "a rule for every command behind the others, and a command line that is plain".to_owned(),
        place: worst.place.clone(),
    }
}

/// Where a rule stands, for what is written of it.
pub(super) fn at(place: Option<&Place>) -> String {
    place.map(ToString::to_string).unwrap_or_default()
}
