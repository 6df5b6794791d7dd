//! Every agent's gate, held to what the agent's documentation or source says it does.
//!
//! `tests/gates/<agent>/cases.yaml` is a list of cases. A case gives settings files by the names that the gate has for
//! them (or by path), a call (`bash`, `read`, `edit`, `fetch`, `mcp: server/tool`) or one of the session's ways
//! (`way`), and the `decision`: one, or `[worst, best]` where the documentation leaves it open. It may also name the
//! `source` of the decision and whether the call is `contained` (`unknown` if that is not known). The project is
//! `/repo`, the home `/home/u`. `every` at the head of the list holds files for all cases.

#![expect(clippy::disallowed_methods, reason = "the harness hands the files of tests/gates to the core")]
#![expect(clippy::unwrap_used, reason = "a test ends where its case cannot be read")]

use deadstop_core::corpus::{self, DestructiveCall, Issued};
use deadstop_core::fact::Fact;
use deadstop_core::gate::{
    AgentGate, Basis, Call, FileText, GATES, GateDecision, GatePolicy, Ground, Level, McpServer, Note, Place, Ruling,
    reliable,
};
use deadstop_core::id::SessionId;
use deadstop_core::model::{Decision, Refusal, Source, Way, WayKind};
use deadstop_core::pattern;
use deadstop_core::time::Time;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[path = "gates/rules.rs"]
mod rules;

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

    fn policy(&self, gate: &dyn AgentGate, every: &BTreeMap<String, String>) -> Box<dyn GatePolicy> {
        let kept = every.iter().filter(|(name, _)| !self.files.contains_key(*name));
        let files: Vec<FileText> = kept.chain(&self.files).map(|(name, text)| file(gate, name, text)).collect();
        gate.parse(&files, &Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() })
    }

    fn check(&self, gate: &dyn AgentGate, every: &BTreeMap<String, String>) -> Result<(), String> {
        let policy = self.policy(gate, every);
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

/// Every set of files that the cases of a gate name, with the policy that it makes.
fn policies(gate: &dyn AgentGate) -> Vec<(String, Box<dyn GatePolicy>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/gates").join(gate.id()).join("cases.yaml");
    let entries: Vec<Entry> = serde_yaml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let mut every = BTreeMap::new();
    let mut found = Vec::new();
    for entry in entries {
        let case = match entry {
            Entry::Every { every: given } => {
                every = given.files;
                continue;
            }
            Entry::Case(case) => case,
        };
        found.push((case.name.clone(), case.policy(gate, &every)));
    }
    found
}

/// A call of the corpus, as a gate sees it.
fn call(of: &DestructiveCall) -> Call {
    Call::from(&of.issued)
}

/// The servers that the corpus calls, as a gate's own file would name them.
fn servers(gate: &dyn AgentGate) -> Vec<McpServer> {
    let file = gate.files().first().map(|file| file.path.to_owned()).unwrap_or_default();
    let mut names: Vec<String> = corpus::calls()
        .iter()
        .filter_map(|one| if let Issued::Tool { server, .. } = &one.issued { Some(server.clone()) } else { None })
        .collect();
    names.sort();
    names.dedup();
    let server = |name| McpServer { name, tools: None, credentials: Vec::new(), file: file.clone(), line: None };
    names.into_iter().map(server).collect()
}

/// Why a policy is at odds with itself: a call of the corpus that a provider would carry out is freer than every way
/// that the session could issue it by. A way that is not known says nothing of what it could be better than.
fn odds(gate: &dyn AgentGate, policy: &dyn GatePolicy, only: Option<&str>) -> Vec<String> {
    let session = SessionId::from(gate.id());
    let (ways, _) = policy.ways(&session, &servers(gate), Time::from_unix(1_795_500_000));
    let mut wrong = Vec::new();
    for one in corpus::calls().iter().filter(|one| only.is_none_or(|id| one.id == id)) {
        let Some(operation) = &one.operation else { continue };
        let carried = format!("{}/{operation}", one.provider);
        let issued_by = |way: &&Way| match (&one.issued, way.kind) {
            (Issued::Tool { server, .. }, WayKind::Mcp) => way.name == format!("MCP server {server}"),
            (Issued::Run(_), WayKind::Shell | WayKind::Cli | WayKind::Iac | WayKind::Sql) => {
                pattern::any(&way.carries, &carried)
            }
            (Issued::Write(_), WayKind::FileWrite) | (Issued::Fetch(_), WayKind::Fetch) => true,
            (_, _) => false,
        };
        let issuing: Vec<&Way> = ways.iter().filter(issued_by).collect();
        let freest = issuing.iter().map(|way| way.decision.known().copied().unwrap_or(Decision::Allow)).max();
        let met = policy.decide(&call(one)).worst.decision;
        if freest.is_none_or(|freest| met > freest) {
            wrong.push(format!("{}: `{}` is {met:?} at worst, and the freest way is {freest:?}", one.id, one.text()));
        }
    }
    wrong
}

#[test]
fn no_call_of_the_corpus_is_freer_than_every_way() {
    let mut wrong = Vec::new();
    for gate in GATES {
        for (name, policy) in policies(gate) {
            wrong.extend(
                odds(gate, policy.as_ref(), None).into_iter().map(|why| format!("{}: {name}: {why}", gate.id())),
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The program that a call of the corpus runs first, behind assignments.
fn program(command: &str) -> &str {
    let mut words = command.split_whitespace().skip_while(|word| word.contains('=') && !word.starts_with(['-', '\'']));
    words.next().unwrap_or_default()
}

/// A gate, the file that allows a program, and what it then says.
type Allowing = (&'static str, &'static str, fn(&str) -> String);

/// Whoever lets a program run unasked lets every call of the corpus run that begins with it; the ways say so too.
#[test]
fn an_allowed_program_opens_a_way_for_every_call_that_begins_with_it() {
    let ground = Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() };
    let rules: [Allowing; 11] = [
        ("amazon-q", "user", |p| {
            let allowed = serde_json::json!({"execute_bash": {"allowedCommands": [format!("{p} .*")]}});
            serde_json::json!({"name": "ops", "toolsSettings": allowed}).to_string()
        }),
        ("continue-cli", "permissions", |p| format!("allow:\n  - 'Bash({p}*)'\n")),
        ("zed", "user", |p| {
            let rules = serde_json::json!({"terminal": {"always_allow": [{"pattern": format!("^{p}\\b")}]}});
            serde_json::json!({"agent": {"tool_permissions": {"tools": rules}}}).to_string()
        }),
        ("vscode", "user", |p| serde_json::json!({"chat.tools.terminal.autoApprove": {p: true}}).to_string()),
        ("copilot-cli", "started", |p| serde_json::json!({"allow-tool": [format!("shell({p}:*)")]}).to_string()),
        ("claude-code", "user", |p| {
            format!(r#"{{"permissions":{{"defaultMode":"default","allow":["Bash({p}:*)"]}}}}"#)
        }),
        ("claude-code", "user", |p| {
            format!(r#"{{"permissions":{{"defaultMode":"default","allow":["Bash({p} *)"]}}}}"#)
        }),
        ("claude-code", "user", |p| format!(r#"{{"permissions":{{"defaultMode":"default","allow":["Bash({p}*)"]}}}}"#)),
        ("cursor", "permissions", |p| format!(r#"{{"terminalAllowlist":["{p}"]}}"#)),
        ("cursor-cli", "config", |p| {
            format!(
                r#"{{"approvalMode":"allowlist","sandbox":{{"mode":"disabled"}},"permissions":{{"allow":["Shell({p})"],"deny":[]}}}}"#
            )
        }),
        ("cursor-cli", "config", |p| {
            format!(
                r#"{{"approvalMode":"allowlist","sandbox":{{"mode":"disabled"}},"permissions":{{"allow":["Shell({p}:*)"],"deny":[]}}}}"#
            )
        }),
    ];
    let mut wrong = Vec::new();
    for one in corpus::calls() {
        let Issued::Run(command) = &one.issued else { continue };
        for (id, name, settings) in rules {
            let gate = deadstop_core::gate::gate(id).unwrap();
            let policy = gate.parse(&[file(gate, name, &settings(program(command)))], &ground);
            let at_odds = odds(gate, policy.as_ref(), Some(&one.id));
            wrong.extend(at_odds.into_iter().map(|why| format!("{id}: {}: {why}", program(command))));
        }
        let codex = deadstop_core::gate::gate("codex").unwrap();
        let rule = format!("prefix_rule(pattern=[{}])\n", serde_json::Value::from(program(command)));
        let files = [file(codex, "config", "approval_policy = \"untrusted\"\n"), file(codex, "rules", &rule)];
        let at_odds = odds(codex, codex.parse(&files, &ground).as_ref(), Some(&one.id));
        wrong.extend(at_odds.into_iter().map(|why| format!("codex: {}: {why}", program(command))));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A command in a form that does the same, whatever reads it.
fn neutral(command: &str) -> Vec<String> {
    let quoted = command.replace('\'', "'\\''");
    vec![
        format!("X=1 {command}"),
        format!("sh -c '{quoted}'"),
        format!("( {command} )"),
        format!("{{ {command}; }}"),
        format!("true && {command}"),
        format!("env {command}"),
        format!("nohup {command}"),
        format!("/bin/sh -c '{quoted}'"),
        format!("  {command}  "),
    ]
}

/// Where the mode, or a rule for every command, lets a call run, it runs in whatever form it is written: only a rule or a
/// behaviour that the agent documents makes another form stricter.
#[test]
fn no_form_of_a_call_is_safer_unless_a_rule_says_so() {
    let mut wrong = Vec::new();
    for gate in GATES {
        for (at, (name, policy)) in policies(gate).into_iter().enumerate() {
            // A mode that lets commands of some names run lets no others.
            let any = policy.decide(&Call::shell("tool-7f3a --go")).worst.decision;
            // Every sixth call for each set of files, another one each time.
            for one in corpus::calls().iter().skip(at % 6).step_by(6) {
                let Issued::Run(command) = &one.issued else { continue };
                let plain = policy.decide(&Call::shell(command)).worst;
                let whole = match &plain.basis {
                    Basis::Mode(_) | Basis::Unread => true,
                    Basis::Rule(rule) => rule.whole,
                    Basis::Hook(_) | Basis::BuiltIn => false,
                };
                if !whole || any < plain.decision || command.contains('\n') {
                    continue;
                }
                for form in neutral(command) {
                    let met = policy.decide(&Call::shell(&form)).worst;
                    let told = matches!(met.basis, Basis::Rule(_) | Basis::BuiltIn);
                    if met.decision < plain.decision && !told {
                        wrong.push(format!(
                            "{}: {name}: `{form}` is {:?}, {:?} as it is",
                            gate.id(),
                            met.decision,
                            plain.decision
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} \n{}", wrong.len(), wrong.iter().take(30).cloned().collect::<Vec<_>>().join("\n"));
}

/// What a policy is expected to do with calls of the corpus, by their ids.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorpusCase {
    name: String,
    files: BTreeMap<String, String>,
    expect: BTreeMap<String, Expected>,
    because: String,
    page: String,
}

/// Whatever settings say, a gate that was not held against its agent stops no call, has no way that does, and keeps no file.
#[test]
fn a_gate_that_is_not_settled_stops_nothing() {
    let unsettled: Vec<&dyn AgentGate> = GATES.into_iter().filter(|gate| !gate.is_settled()).collect();
    let ids: Vec<&str> = unsettled.iter().map(|gate| gate.id()).collect();
    assert_eq!(ids, ["amazon-q", "goose", "zed", "aider", "kiro", "factory-droid", "amp", "windsurf", "warp", "junie"]);
    let mut doubted = 0;
    for gate in unsettled {
        let session = SessionId::from(gate.id());
        for (name, strict) in policies(gate) {
            let policy = reliable(gate, strict);
            for one in corpus::calls() {
                let met = policy.decide(&call(one));
                assert_eq!(met.worst.decision, Decision::Allow, "{}: {name}: {}", gate.id(), one.id);
                assert!(met.best.decision == Decision::Allow || met.doubt.is_some(), "{}: {name}", gate.id());
                doubted += usize::from(met.best.decision < Decision::Allow);
            }
            let (ways, sources) = policy.ways(&session, &[], Time::from_unix(1_795_500_000));
            for way in &ways {
                let open = match &way.decision {
                    Fact::Known(known) => *known == Decision::Allow,
                    Fact::Unknown(gap) => sources.iter().any(|source| source.id == gap.source),
                };
                assert!(open, "{}: {name}: {}", gate.id(), way.id);
            }
            assert_eq!(policy.refusals(&session, &[], "/repo/.env"), []);
        }
    }
    assert!(doubted > 1_000, "there is something to doubt: {doubted}");
}

#[test]
fn corpus_cases_hold_and_are_tallied() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/gates");
    let mut wrong = Vec::new();
    for gate in GATES {
        let text = std::fs::read_to_string(folder.join(gate.id()).join("corpus.yaml")).unwrap();
        let cases: Vec<CorpusCase> = serde_yaml::from_str(&text).unwrap();
        for case in cases {
            assert!(!case.because.is_empty() && !case.page.is_empty(), "{} has no source", case.name);
            let files: Vec<FileText> = case.files.iter().map(|(name, text)| file(gate, name, text)).collect();
            let ground = Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() };
            let policy = gate.parse(&files, &ground);
            for (id, expected) in &case.expect {
                let one = corpus::calls().iter().find(|one| one.id == *id).unwrap_or_else(|| panic!("no call `{id}`"));
                let met = policy.decide(&call(one));
                let bounds = [word(met.worst.decision).to_owned(), word(met.best.decision).to_owned()];
                let wanted = match expected {
                    Expected::One(word) => [word.clone(), word.clone()],
                    Expected::Both(both) => both.clone(),
                };
                if bounds != wanted {
                    wrong.push(format!("{}: {}: {id} is {bounds:?} and should be {wanted:?}", gate.id(), case.name));
                }
            }
            let tally = deadstop_core::gate::tally(&[policy.as_ref()]).unwrap();
            let rows = tally.rows.iter().map(|row| row.allow + row.reviewed + row.ask + row.deny + row.unknown);
            assert_eq!(rows.sum::<u32>() as usize, corpus::calls().len());
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A policy that decides alike on every call.
#[derive(Debug)]
struct Always(Decision, Decision, Option<bool>);

impl GatePolicy for Always {
    fn decide(&self, _: &Call) -> GateDecision {
        let ruling = |decision: Decision| Ruling {
            decision,
            basis: Basis::BuiltIn,
            place: Some(Place { path: format!("{decision:?}.json"), line: Some(7) }),
            because: format!("it is {decision:?}"),
        };
        let (worst, best) = (ruling(self.0), ruling(self.1));
        GateDecision { worst, best, doubt: None, contained: self.2, overridable_by: Vec::new() }
    }

    fn ways(&self, _: &SessionId, _: &[McpServer], _: Time) -> (Vec<Way>, Vec<Source>) {
        (Vec::new(), Vec::new())
    }

    fn way(&self, _: &SessionId, _: &[McpServer], _: &Call, _: &GateDecision, _: Time) -> (Way, Vec<Source>) {
        unreachable!("no test asks it for one call")
    }

    fn refusals(&self, _: &SessionId, _: &[McpServer], _: &str) -> Vec<Refusal> {
        Vec::new()
    }

    fn notes(&self) -> &[Note] {
        &[]
    }
}

/// A session that may start in any of several folders is as free as the freest, as its ways are.
#[test]
fn several_folders_count_at_worst() {
    use Decision::{Allow, Ask, Deny, Reviewed};
    let decisions = [Deny, Ask, Reviewed, Allow];
    let pairs = || decisions.into_iter().flat_map(|worst| decisions.into_iter().map(move |best| (worst, best)));
    let contained = [Some(true), None, Some(false)];
    for (one, other) in pairs().flat_map(|one| pairs().map(move |other| (one, other))) {
        if one.1 > one.0 || other.1 > other.0 {
            continue;
        }
        for (first, second) in contained.into_iter().flat_map(|a| contained.map(|b| (a, b))) {
            let (a, b) = (Always(one.0, one.1, first), Always(other.0, other.1, second));
            let met = deadstop_core::gate::decide_in(&[&a, &b], &Call::shell("x")).unwrap();
            assert_eq!((met.worst.decision, met.best.decision), (one.0.max(other.0), one.1.max(other.1)));
            let looser = if first == Some(false) || second == Some(false) {
                Some(false)
            } else if first.is_none() || second.is_none() {
                None
            } else {
                Some(true)
            };
            assert_eq!(met.contained, looser);
        }
    }
    assert!(deadstop_core::gate::tally(&[]).is_none());
}

#[test]
fn examples_are_the_freest_and_name_the_line() {
    let open = Always(Decision::Allow, Decision::Ask, Some(true));
    let tally = deadstop_core::gate::tally(&[&open]).unwrap();
    for row in &tally.rows {
        assert_eq!((row.allow, row.ask, row.deny, row.contained), (0, 0, 0, row.unknown));
        assert_eq!(row.examples.len(), 1, "one reason is told once");
        assert_eq!(row.examples[0].place.as_deref(), Some("Allow.json:7"));
        assert_eq!((row.examples[0].worst, row.examples[0].best), (Decision::Allow, Decision::Ask));
    }
    let free = deadstop_core::gate::ungated();
    assert!(free.rows.iter().all(|row| row.allow > 0 && row.ask + row.deny + row.reviewed + row.unknown == 0));
}
