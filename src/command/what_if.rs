//! `deadstop what-if`: one very call in, what would stop it out. Nothing is run, and nothing is asked of anybody.

mod bundle;
mod shown;
mod text;

use anyhow::Context as _;
use deadstop_core::assess::call::{self, CallAnswer, Gate, HARMLESS, Question};
use deadstop_core::bundle::Bundle;
use deadstop_core::gate::Call;
use deadstop_core::meaning::{self, Around, LONGEST, Meaning, Target};
use deadstop_core::quote;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use crate::cli::{Common, ListFormat, WhatIfArgs};
use crate::session::started::Started;
use crate::{config, output};

/// The most lines of a file of calls.
const MOST_CALLS: usize = 10_000;

/// What to do where the facts say nothing of what is at stake.
const NEXT: &str = "`deadstop collect --live -o facts.json`, then the same with --facts facts.json";

/// One call that is asked about.
pub(super) struct Asking {
    /// As it was given.
    text: String,
    /// As a gate sees it.
    call: Call,
    /// What it amounts to.
    meaning: Meaning,
    /// Why more may be in it than that.
    doubt: Option<&'static str>,
}

/// What is printed of one call.
#[derive(Serialize)]
struct Answered<'a> {
    command: String,
    gates: &'a [Gate],
    actions: Vec<&'a str>,
    /// The operations in full, those that are not sure among them.
    amounts: Vec<Amounted<'a>>,
    #[serde(flatten)]
    answer: &'a CallAnswer,
}

#[derive(Serialize)]
struct Amounted<'a> {
    provider: &'a str,
    action: &'a str,
    sure: bool,
    /// Whether the call names what it is called on.
    named: bool,
    source: &'a str,
}

pub(super) fn run(args: &WhatIfArgs, common: &Common) -> anyhow::Result<u8> {
    let config = config::load(common.config.as_deref())?;
    let started = match &args.started_as {
        Some(line) => Started::parse(line).map_err(|why| anyhow::anyhow!("--started-as: {why}"))?,
        None => Started::default(),
    };
    let place = bundle::Place::of(args)?;
    let around = place.around();
    let asking = asking(args, &around)?;
    let facts = args.facts.as_deref().map(super::read_bundle).transpose()?;
    let mut code = 0;
    let mut table = Vec::new();
    let machine = place.machine(args, &started, facts.as_ref(), asking.first().map(|asking| &asking.call))?;
    for asked in &asking {
        let (gates, answer) = one(asked, &machine, facts.as_ref(), &config.policy);
        if answer.answer == "unknown" {
            code = 3;
        }
        match (args.format, &args.corpus) {
            (ListFormat::Json, _) => {
                let json = serde_json::to_string(&printed(asked, &gates, &answer))?;
                output::stdout(&format!("{json}\n"))?;
            }
            (ListFormat::Table, Some(_)) => table.push((shown::command(&asked.text), gates, answer)),
            (ListFormat::Table, None) => {
                let printed = printed(asked, &gates, &answer);
                output::stdout(&text::one(&printed.command, &gates, &asked.meaning, &answer))?;
                if answer.answer == "unknown" && facts.is_none() && !common.quiet {
                    output::stdout(&format!("Next: {NEXT}.\n"))?;
                }
            }
        }
    }
    if !table.is_empty() {
        output::stdout(&text::table(&table))?;
    }
    Ok(code)
}

/// The gates and the answer for one call.
fn one(
    asked: &Asking,
    machine: &bundle::Machine,
    facts: Option<&Bundle>,
    policy: &deadstop_core::policy::Policy,
) -> (Vec<Gate>, CallAnswer) {
    let bundle::Joined { bundle, gates, sessions, mut doubts } = machine.joined(asked, facts);
    doubts.extend(asked.doubt.map(str::to_owned));
    if facts.is_none() && !(asked.meaning.harmless() && asked.doubt.is_none()) {
        doubts.push("no facts say what is at stake".to_owned());
    }
    let question = Question { meaning: &asked.meaning, sessions, doubts };
    let answer = call::call(&bundle, policy, &question);
    (gates, answer)
}

fn printed<'a>(asked: &'a Asking, gates: &'a [Gate], answer: &'a CallAnswer) -> Answered<'a> {
    let amounts = &asked.meaning.amounts;
    let mut actions: Vec<&str> = amounts.iter().filter(|one| one.sure).map(|one| one.action.as_str()).collect();
    actions.sort_unstable();
    actions.dedup();
    let amount = |one: &'a meaning::Amount| Amounted {
        provider: &one.provider,
        action: &one.action,
        sure: one.sure,
        named: matches!(one.target, Target::Named(_)),
        source: &one.source,
    };
    Answered {
        command: shown::command(&asked.text),
        gates,
        actions,
        amounts: amounts.iter().map(amount).collect(),
        answer,
    }
}

/// What is asked about, from what was typed.
fn asking(args: &WhatIfArgs, around: &Around) -> anyhow::Result<Vec<Asking>> {
    if let Some(tool) = &args.tool {
        return Ok(vec![tool_call(tool, args.args.as_deref(), around)?]);
    }
    if let Some(path) = &args.read {
        let (text, call) = (format!("read {path}"), Call::Read { path: path.clone() });
        return Ok(vec![Asking { text, call, meaning: meaning::of_read(), doubt: None }]);
    }
    if let Some(path) = &args.write {
        let (text, call) = (format!("write {path}"), Call::Edit { path: path.clone() });
        return Ok(vec![Asking { text, call, meaning: meaning::of_write(path), doubt: None }]);
    }
    if let Some(file) = &args.corpus {
        let text = super::read(file)?;
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        anyhow::ensure!(!lines.is_empty(), "`{}` holds no call: one command a line", file.display());
        anyhow::ensure!(lines.len() <= MOST_CALLS, "`{}` holds more than {MOST_CALLS} calls", file.display());
        return Ok(lines.into_iter().map(|line| shell(line.to_owned(), around)).collect());
    }
    match args.command.as_slice() {
        [] => anyhow::bail!("it takes a command after `--`, or --tool, --read, --write or --corpus"),
        [one] if one == "-" => Ok(vec![shell(stdin()?, around)]),
        [one] => {
            anyhow::ensure!(!one.trim().is_empty(), "the command is empty");
            Ok(vec![shell(one.clone(), around)])
        }
        several => {
            let text = several.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
            let meaning = meaning::of_words(several, around);
            let doubt = meaning::uncertain(&text, &meaning);
            Ok(vec![Asking { call: Call::shell(&text), text, meaning, doubt }])
        }
    }
}

fn shell(text: String, around: &Around) -> Asking {
    let meaning = meaning::of_command(&text, around);
    let doubt = meaning::uncertain(&text, &meaning);
    Asking { call: Call::shell(&text), text, meaning, doubt }
}

/// Standard input, as far as it is looked into.
fn stdin() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let limit = LONGEST as u64 + 1;
    std::io::stdin().lock().take(limit).read_to_end(&mut bytes).context("cannot read standard input")?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    anyhow::ensure!(!text.trim().is_empty(), "standard input holds no command");
    Ok(text)
}

fn tool_call(named: &str, arguments: Option<&str>, around: &Around) -> anyhow::Result<Asking> {
    let rest = named.strip_prefix("mcp__").and_then(|rest| rest.split_once("__"));
    let (server, tool) = rest
        .filter(|(server, tool)| !server.is_empty() && !tool.is_empty())
        .with_context(|| format!("--tool: {} is not of the form mcp__SERVER__TOOL", quote::word(named)))?;
    let arguments = match arguments {
        Some(text) => {
            anyhow::ensure!(text.len() <= LONGEST, "--args is longer than 64 KiB");
            let value = serde_json::from_str::<serde_json::Value>(text).map_err(|error| {
                anyhow::anyhow!("--args is no JSON: line {}, column {}", error.line(), error.column())
            })?;
            anyhow::ensure!(value.is_object(), "--args is no JSON object");
            Some(value)
        }
        None => None,
    };
    let meaning = meaning::of_tool(server, tool, arguments.as_ref(), around);
    let call = Call::Mcp { server: server.to_owned(), tool: tool.to_owned() };
    let doubt = Some("what else a tool does with its arguments is its server's own");
    Ok(Asking { text: named.to_owned(), call, meaning, doubt })
}

/// A word as a shell would have to be given it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// What lies in a folder and says what a command runs: a `Makefile` and the scripts of a `package.json`.
fn around(root: &Path) -> Around {
    let text = |name: &str| {
        let path = root.join(name);
        let meta = path.symlink_metadata().ok()?;
        let small = meta.is_file() && meta.len() <= LONGEST as u64;
        small.then(|| std::fs::read_to_string(path).ok()).flatten()
    };
    let makefile = if text("GNUmakefile").is_some() { None } else { text("makefile").or_else(|| text("Makefile")) };
    let package: Option<serde_json::Value> = text("package.json").and_then(|text| serde_json::from_str(&text).ok());
    let scripts = package.as_ref().and_then(|package| package.get("scripts")?.as_object());
    let scripts: BTreeMap<String, String> = scripts
        .into_iter()
        .flatten()
        .filter_map(|(name, script)| Some((name.clone(), script.as_str()?.to_owned())))
        .collect();
    Around { makefile, scripts }
}

/// Whether an answer is that nothing is destroyed.
fn harmless(answer: &CallAnswer) -> bool {
    answer.answer == HARMLESS
}
