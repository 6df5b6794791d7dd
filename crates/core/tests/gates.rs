//! Every agent's gate, held to what the agent's documentation or source says it does.
//!
//! `tests/gates/<agent>/cases.yaml` is a list of cases. A case gives settings files by the names that the gate has for
//! them (or by path), a call (`bash`, `read`, `edit`, `fetch`, `mcp: server/tool`) or one of the session's ways
//! (`way`), and the `decision`: one, or `[worst, best]` where the documentation leaves it open. It may also name the
//! `source` of the decision and whether the call is `contained` (`unknown` if that is not known). The project is
//! `/repo`, the home `/home/u`. `every` at the head of the list holds files for all cases.

#![expect(clippy::disallowed_methods, reason = "the harness hands the files of tests/gates to the core")]

use deadstop_core::fact::Fact;
use deadstop_core::gate::{AgentGate, Call, FileText, GATES, GatePolicy, Ground, Level, McpServer};
use deadstop_core::id::SessionId;
use deadstop_core::model::Decision;
use deadstop_core::time::Time;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Every { every: Every },
    Case(Box<Case>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Every {
    files: BTreeMap<String, String>,
}

/// What is expected: a word, or the worst and the best.
#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    One(String),
    Both([String; 2]),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Contained {
    Known(bool),
    Unknown(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    files: BTreeMap<String, String>,
    bash: Option<String>,
    read: Option<String>,
    edit: Option<String>,
    fetch: Option<String>,
    mcp: Option<String>,
    way: Option<String>,
    alterable: Option<bool>,
    decision: Expected,
    contained: Option<Contained>,
    source: Option<String>,
    because: String,
    page: String,
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Deny => "deny",
        Decision::Ask => "ask",
        Decision::Reviewed => "reviewed",
        Decision::Allow => "allow",
    }
}

/// A file by the gate's name for it, or by its path: under `/etc` it is an administrator's, under `~` the user's.
fn file(gate: &dyn AgentGate, name: &str, text: &str) -> FileText {
    let named = gate.files().iter().find(|file| file.name == name).map(|file| (file.level, file.path));
    let (level, path) = named.unwrap_or_else(|| {
        assert!(name.contains('.'), "the gate of {} has no file `{name}`", gate.id());
        let level = match name.chars().next() {
            Some('/') => Level::Managed,
            Some('~') => Level::User,
            Some(_) | None => Level::Project,
        };
        (level, name)
    });
    let writable = level != Level::Managed;
    FileText { level, path: path.to_owned(), text: Fact::Known(text.to_owned()), writable }
}

fn same(what: &str, is: &str, wanted: &str) -> Result<(), String> {
    if is == wanted { Ok(()) } else { Err(format!("{what} is {is} and should be {wanted}")) }
}

impl Case {
    fn call(&self) -> Option<Call> {
        let mcp = self.mcp.as_ref().and_then(|named| named.split_once('/'));
        let mcp = mcp.map(|(server, tool)| Call::Mcp { server: server.to_owned(), tool: tool.to_owned() });
        let shell = self.bash.clone().map(|command| Call::Shell { command });
        let read = self.read.clone().map(|path| Call::Read { path });
        let edit = self.edit.clone().map(|path| Call::Edit { path });
        let fetch = self.fetch.clone().map(|domain| Call::Fetch { domain });
        shell.or(read).or(edit).or(fetch).or(mcp)
    }

    fn wanted(&self) -> String {
        match &self.decision {
            Expected::One(word) => word.clone(),
            Expected::Both(both) => both.join(", "),
        }
    }

    fn check(&self, gate: &dyn AgentGate, every: &BTreeMap<String, String>) -> Result<(), String> {
        let kept = every.iter().filter(|(name, _)| !self.files.contains_key(*name));
        let files: Vec<FileText> = kept.chain(&self.files).map(|(name, text)| file(gate, name, text)).collect();
        let policy = gate.parse(&files, &Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() });
        if let Some(way) = &self.way {
            return self.check_way(gate, policy.as_ref(), way);
        }
        let met = policy.decide(&self.call().ok_or("it makes no call")?);
        let is = match met.known() {
            Some(known) => word(known).to_owned(),
            None => format!("{}, {}", word(met.worst.decision), word(met.best.decision)),
        };
        same("the decision", &is, &self.wanted())?;
        if let Some(source) = &self.source {
            same("the source", &met.worst.place.map(|place| place.to_string()).unwrap_or_default(), source)?;
        }
        let wanted = match &self.contained {
            None => return Ok(()),
            Some(Contained::Known(wanted)) => Some(*wanted),
            Some(Contained::Unknown(word)) => {
                same("contained", word, "unknown")?;
                None
            }
        };
        same("contained", &format!("{:?}", met.contained), &format!("{wanted:?}"))
    }

    fn check_way(&self, gate: &dyn AgentGate, policy: &dyn GatePolicy, name: &str) -> Result<(), String> {
        let file = gate.files().first().map(|file| file.path.to_owned()).unwrap_or_default();
        let server = McpServer { name: "pg".to_owned(), tools: None, credentials: Vec::new(), file, line: Some(3) };
        let session = SessionId::from(gate.id());
        let (ways, _) = policy.ways(&session, &[server], Time::from_unix(1_795_500_000));
        let way = ways.iter().find(|way| way.id.as_str() == format!("{session}/{name}"));
        let is = way.map_or("absent", |way| way.decision.known().map_or("unknown", |known| word(*known)));
        same("the way", is, &self.wanted())?;
        let contained = match (&self.contained, way) {
            (Some(Contained::Known(wanted)), Some(way)) => {
                same("contained", &format!("{:?}", way.contained.known()), &format!("{:?}", Some(wanted)))
            }
            (Some(Contained::Unknown(_)), Some(way)) => {
                same("contained", &format!("{:?}", way.contained.known()), "None")
            }
            (Some(_) | None, _) => Ok(()),
        };
        contained?;
        let alterable = way.is_some_and(|way| !way.overrides.is_empty());
        self.alterable.map_or(Ok(()), |wanted| same("alterable", &alterable.to_string(), &wanted.to_string()))
    }
}

#[test]
fn gate_cases_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/gates");
    let mut wrong = Vec::new();
    for gate in GATES {
        let path = folder.join(gate.id()).join("cases.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let entries: Vec<Entry> = serde_yaml::from_str(&text).unwrap();
        let mut every = BTreeMap::new();
        let mut names = std::collections::BTreeSet::new();
        for entry in entries {
            let case = match entry {
                Entry::Every { every: given } => {
                    every = given.files;
                    continue;
                }
                Entry::Case(case) => case,
            };
            assert!(!case.because.is_empty() && !case.page.is_empty(), "{} has no source", case.name);
            if let Err(why) = case.check(gate, &every) {
                wrong.push(format!("{}: {}: {why}", gate.id(), case.name));
            }
            assert!(names.insert(case.name.clone()), "{} has two cases `{}`", gate.id(), case.name);
        }
        assert!(names.len() >= 25, "{} has {} cases", gate.id(), names.len());
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
