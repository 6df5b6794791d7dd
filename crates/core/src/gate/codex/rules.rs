//! Rules of `rules/*.rules`: which command may run, by its first words (floor 2).
//!
//! The files are Starlark, and the agent runs them. Nothing is run here: a file is read if it is a list of calls with
//! literal arguments, which is what the agent itself writes and its documentation shows (developers.openai.com/codex/rules,
//! openai/codex `codex-rs/execpolicy`). A file that holds anything else is not understood, and may say anything.

use std::collections::BTreeMap;

use super::literal::{Call, Literal, calls};
use crate::gate::call::View;
use crate::gate::shown::shown;
use crate::gate::{Effect, Level, Place};

/// The most rules that are looked at.
const MOST: usize = 1_000;

/// One rule: the words that a command begins with, each of them one of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) words: Vec<Vec<String>>,
    pub(super) effect: Effect,
    /// As it is shown.
    pub(super) text: String,
    pub(super) place: Place,
    pub(super) level: Level,
    /// Whether it counts in a trusted folder only.
    pub(super) project: bool,
}

impl Rule {
    fn names(&self, command: &[String]) -> bool {
        let rest = self.words.iter().zip(command).skip(1).all(|(words, word)| words.contains(word));
        command.len() >= self.words.len() && rest
    }

    /// A command that the rule names, with an argument that it leaves open.
    pub(super) fn sample(&self) -> Option<Vec<String>> {
        let words: Option<Vec<String>> = self.words.iter().map(|words| words.first().cloned()).collect();
        words.map(|mut words| {
            words.push("x".to_owned());
            words
        })
    }
}

/// All rules, by the program that they are about.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) list: Vec<Rule>,
    by_program: BTreeMap<String, Vec<usize>>,
    /// Programs for which only some paths count.
    hosts: Vec<String>,
}

/// Whose a file of rules is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    pub(super) path: &'a str,
    pub(super) level: Level,
    pub(super) project: bool,
}

impl Rules {
    /// Adds what a file says. None if it holds anything that is not understood.
    pub(super) fn read(&mut self, text: &str, owner: Owner<'_>) -> Option<()> {
        for call in calls(text)? {
            match call.name {
                "prefix_rule" => self.add(rule(&call, owner)?),
                // Hosts that the network proxy lets through: the proxy is taken to let anything through.
                "network_rule" => Some(()),
                "host_executable" => {
                    self.hosts.push(call.get("name")?.text()?.to_owned());
                    Some(())
                }
                _ => None,
            }?;
        }
        Some(())
    }

    pub(super) fn add(&mut self, rule: Rule) -> Option<()> {
        if self.list.len() >= MOST {
            return None;
        }
        for program in rule.words.first()? {
            self.by_program.entry(program.clone()).or_default().push(self.list.len());
        }
        self.list.push(rule);
        Some(())
    }

    /// The rules that name a command. Where a path stands for a program, those for its name count if none is for the
    /// path; for which paths they do may be restricted, and is then not taken to be known.
    pub(super) fn matching(&self, command: &[String], project: bool, view: View) -> Vec<&Rule> {
        let Some(program) = command.first() else { return Vec::new() };
        let found = self.for_program(program, command, project);
        if !found.is_empty() || !program.starts_with('/') {
            return found;
        }
        let name = program.rsplit('/').next().unwrap_or(program);
        let mut found = self.for_program(name, command, project);
        if self.hosts.iter().any(|host| host == name) {
            found.retain(|rule| (rule.effect == Effect::Allow) == (view == View::Worst));
        }
        found
    }

    fn for_program(&self, program: &str, command: &[String], project: bool) -> Vec<&Rule> {
        let listed = self.by_program.get(program).into_iter().flatten();
        let rules = listed.filter_map(|at| self.list.get(*at)).filter(|rule| project || !rule.project);
        rules.filter(|rule| rule.names(command)).collect()
    }

    /// The rules of these effects that may name something in a text, wherever it is cut.
    pub(super) fn within(&self, text: &str, project: bool, effects: &[Effect]) -> Option<&Rule> {
        let named = |rule: &&Rule| rule.words.first().is_some_and(|words| words.iter().any(|word| text.contains(word)));
        let mut listed = self.list.iter().filter(|rule| (project || !rule.project) && effects.contains(&rule.effect));
        listed.find(named)
    }
}

/// `prefix_rule(pattern = […], decision = "…")` (codex-rs/execpolicy/src/parser.rs).
fn rule(call: &Call<'_>, owner: Owner<'_>) -> Option<Rule> {
    const KNOWN: [&str; 5] = ["pattern", "decision", "justification", "match", "not_match"];
    if call.args.iter().any(|(name, _)| !KNOWN.contains(name)) {
        return None;
    }
    let effect = match call.get("decision") {
        None | Some(Literal::None) => Effect::Allow,
        Some(decision) => effect(decision.text()?)?,
    };
    match call.get("justification") {
        None | Some(Literal::None) => {}
        Some(why) => {
            why.text().filter(|why| !why.trim().is_empty())?;
        }
    }
    let words = pattern(call.get("pattern")?)?;
    let place = Place { path: owner.path.to_owned(), line: Some(call.line) };
    let rule = made(words, effect, place, owner);
    // One example that does not hold turns every rule off.
    let holds = |name: &str, wanted: bool| match call.get(name) {
        None | Some(Literal::None) => Some(true),
        Some(examples) => {
            let named: Option<Vec<bool>> = examples.list()?.iter().map(|one| example(&rule, one)).collect();
            named.map(|named| named.iter().all(|is| *is == wanted))
        }
    };
    (holds("match", true)? && holds("not_match", false)?).then_some(rule)
}

/// A rule, with the text that it is shown by.
pub(super) fn made(words: Vec<Vec<String>>, effect: Effect, place: Place, owner: Owner<'_>) -> Rule {
    let plain: Vec<String> =
        words
            .iter()
            .map(|words| {
                if let [one] = words.as_slice() {
                    one.clone()
                } else {
                    words.first().cloned().unwrap_or_default() + "|"
                }
            })
            .collect();
    let text = shown(&format!("Bash({})", plain.join(" "))).replacen("Bash", "prefix_rule", 1);
    Rule { words, effect, text, place, level: owner.level, project: owner.project }
}

pub(super) fn effect(decision: &str) -> Option<Effect> {
    match decision {
        "allow" => Some(Effect::Allow),
        "prompt" => Some(Effect::Ask),
        "forbidden" => Some(Effect::Deny),
        _ => None,
    }
}

fn pattern(literal: &Literal) -> Option<Vec<Vec<String>>> {
    let words: Option<Vec<Vec<String>>> = literal.list()?.iter().map(alternatives).collect();
    words.filter(|words| !words.is_empty())
}

fn alternatives(literal: &Literal) -> Option<Vec<String>> {
    match literal {
        Literal::Text(word) => Some(vec![word.clone()]),
        Literal::List(_) => texts(literal).filter(|words| !words.is_empty()),
        Literal::None => None,
    }
}

fn texts(literal: &Literal) -> Option<Vec<String>> {
    literal.list()?.iter().map(|one| one.text().map(str::to_owned)).collect()
}

/// Whether a rule names the command of an example. None if the example is not understood.
fn example(rule: &Rule, literal: &Literal) -> Option<bool> {
    let command = match literal {
        Literal::Text(line) => {
            // Words in the way of a shell; only what needs no quoting is understood.
            if line.contains(['\'', '"', '\\', '#']) {
                return None;
            }
            line.split_whitespace().map(str::to_owned).collect()
        }
        Literal::List(_) => texts(literal)?,
        Literal::None => return None,
    };
    let program = command.first()?;
    let heads = rule.words.first()?;
    if program.starts_with('/') && !heads.contains(program) {
        return None;
    }
    Some(heads.contains(program) && rule.names(&command))
}
