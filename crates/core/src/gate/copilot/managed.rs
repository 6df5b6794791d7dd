//! Rules that an administrator has, which stand above everything (floor 2): `permissions` of the managed settings.
//!
//! A refusal is stronger than a question, and that than a permission; what none of them names is asked about, even where
//! everything was let run.

use super::{CopilotPolicy, Place};
use crate::gate::bounds::{Bounds, ruling};
use crate::gate::nodes::{Node, Nodes};
use crate::gate::shown::shown;
use crate::gate::{Basis, Call, Cited, Effect, Level};
use crate::model::Decision;

/// One rule: `Shell(git push *)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) effect: Effect,
    pub(super) family: String,
    pub(super) argument: String,
    pub(super) place: Place,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Managed {
    /// Where rules stand, if there are any, be they an empty list.
    pub(super) place: Option<Place>,
    pub(super) rules: Vec<Rule>,
    /// Whether there are bounds on pages or servers besides.
    pub(super) bounds_pages: bool,
    pub(super) bounds_servers: bool,
    /// Whether the session's own user may write them. The program then takes no notice of some.
    pub(super) loose: bool,
}

impl Rule {
    /// `None` if it is written in another way.
    pub(super) fn read(effect: Effect, text: &str, place: Place) -> Option<Self> {
        let (family, rest) = text.split_once('(')?;
        let argument = rest.strip_suffix(')')?.to_owned();
        let family = match family {
            "Bash" | "Shell" => "Shell",
            "PowerShell" | "Domain" | "Read" => family,
            "Edit" | "Write" => "Edit",
            _ => return None,
        };
        Some(Self { effect, family: family.to_owned(), argument, place })
    }

    pub(super) fn text(&self) -> String {
        let kind = if self.family == "Shell" { "Bash" } else { "Read" };
        shown(&format!("{kind}({})", self.argument)).replacen(kind, &self.family, 1)
    }

    /// Whether it names a command: a blank and a star at the end stand for whatever may follow.
    fn names(&self, command: &str) -> bool {
        match self.argument.strip_suffix(" *") {
            _ if self.argument == "*" => true,
            Some(stem) => command == stem || command.strip_prefix(stem).is_some_and(|rest| rest.starts_with(' ')),
            None => self.argument == command,
        }
    }

    fn ruling(&self) -> crate::gate::Ruling {
        let (decision, verb) = match self.effect {
            Effect::Deny => (Decision::Deny, "refuses it"),
            Effect::Ask => (Decision::Ask, "asks a person"),
            Effect::Allow => (Decision::Allow, "lets it run unasked"),
        };
        let text = self.text();
        let because = format!("`{text}` {verb} ({})", self.place);
        let cited = Cited { effect: self.effect, text, level: Level::Managed, whole: self.argument == "*" };
        ruling(decision, Basis::Rule(cited), Some(&self.place), because)
    }
}

impl Managed {
    fn of<'a>(&'a self, family: &'a str, effect: Effect) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(move |rule| rule.family == family && rule.effect == effect)
    }

    /// What the rules make of a call, given what it would meet without them; none where there are no rules.
    pub(super) fn over(&self, policy: &CopilotPolicy, call: &Call, nodes: &Nodes, own: &Bounds) -> Option<Bounds> {
        let place = self.place.as_ref()?;
        let because = format!("no rule of the administrator names it, so a person is asked ({place})");
        let asked = ruling(Decision::Ask, Basis::Mode(Some(Level::Managed)), Some(place), because);
        let asked = policy.judged(Bounds::one(asked));
        let met = match call {
            Call::Shell { command } => self.shell(policy, command, nodes, asked),
            Call::Read { .. } => self.may("Read", asked),
            Call::Edit { .. } => self.may("Edit", asked),
            Call::Fetch { .. } => self.may("Domain", asked),
            // Of servers these rules say nothing, and whether they are then asked about is not documented.
            Call::Mcp { .. } => asked.or(own.clone()),
        };
        // What is refused without them is refused with them, and no rule of theirs takes a hook's word back.
        let mut met = met;
        if own.worst.decision == Decision::Deny {
            met.worst = own.worst.clone();
        }
        if own.best.decision == Decision::Deny {
            met.best = own.best.clone();
        }
        Some(met)
    }

    /// Rules for paths and pages are not held against one here: any of them may be the one.
    fn may(&self, family: &str, asked: Bounds) -> Bounds {
        let mut met = asked;
        for rule in self.rules.iter().filter(|rule| rule.family == family) {
            met = met.or(Bounds::one(rule.ruling()));
        }
        met
    }

    fn shell(&self, policy: &CopilotPolicy, line: &str, nodes: &Nodes, asked: Bounds) -> Bounds {
        let line = line.trim();
        // One command, as it stands, with nothing in it that is read in another way.
        let simple = nodes.sure
            && nodes.commands.len() == 1
            && nodes.commands.iter().all(|node| node.text == line && node.full == line && !node.declares)
            && !line.starts_with("sed")
            && line.chars().all(|c| c.is_ascii_alphanumeric() || " -_./:@%+,".contains(c));
        if simple {
            let first = |effect| self.of("Shell", effect).find(|rule| rule.names(line));
            if let Some(rule) = first(Effect::Deny) {
                return Bounds::one(rule.ruling());
            }
            if let Some(rule) = first(Effect::Ask) {
                return policy.judged(Bounds::one(rule.ruling()));
            }
            return first(Effect::Allow).map_or(asked, |rule| Bounds::one(rule.ruling()));
        }
        // Whatever else it is, a rule for everything names it.
        let whole = |effect| self.of("Shell", effect).find(|rule| rule.argument == "*");
        if let Some(rule) = whole(Effect::Deny) {
            return Bounds::one(rule.ruling());
        }
        // A permission counts where every command is named by one, as it stands or behind its assignments.
        let named = |node: &Node| {
            let words = node.words.join(" ");
            let fits = |rule: &Rule| rule.names(&node.text) || rule.names(&node.full) || rule.names(&words);
            self.of("Shell", Effect::Allow).any(fits)
        };
        let allowed = !nodes.sure || (!nodes.commands.is_empty() && nodes.commands.iter().all(named));
        let mut met = asked;
        for rule in self.rules.iter().filter(|rule| matches!(rule.family.as_str(), "Shell" | "Edit")) {
            if rule.effect != Effect::Allow || (rule.family == "Shell" && allowed) {
                met = met.or(Bounds::one(rule.ruling()));
            }
        }
        met
    }
}
