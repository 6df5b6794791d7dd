//! The ways of a session, as the gate leaves them, and the files that it is not shown (floor 2).
//!
//! As with every agent the shell is as free as the freest command that can carry anything. A command in the sandbox
//! that is kept from the network carries nothing to a provider: one that reaches it unasked counts as freer.

use std::collections::BTreeMap;

use super::CodexPolicy;
use super::decide::{Answer, Judge, Kinds, combine, decide, fixed, hides, offered, ruling, writes};
use super::rules::Rule;
use super::script::{Script, cut};
use super::start::{Kind, Start};
use crate::fact::{Fact, GapReason};
use crate::gate::call::{View, freest};
use crate::gate::desk::{Desk, Names, accepted};
use crate::gate::programs::{ANYTHING, CARRIERS, CLIENTS, RUNNERS, carried, client_reads, only_shows};
use crate::gate::{Basis, Call, Effect, GateDecision, McpServer};
use crate::id::{SessionId, WayId};
use crate::model::{Atom, Decision, Override, Refusal, Source, Way, WayKind};
use crate::time::Time;

/// Turns a policy into the ways of a session, with a source for every reason.
pub(super) fn ways(
    policy: &CodexPolicy,
    session: &SessionId,
    servers: &[McpServer],
    at: Time,
) -> (Vec<Way>, Vec<Source>) {
    let names = Names::new(session, servers);
    let shell = general(policy);
    let desk = Desk::new(session, policy.files.clone(), at);
    let mut writer = Writer { policy, kept: kept(policy, &shell), names, desk };
    let mut ways = vec![writer.shell(&shell)];
    ways.extend(writer.outside());
    ways.extend(writer.files());
    let met = decide(policy, &Call::Fetch { domain: "example.com".to_owned() });
    let id = writer.names.fetch.clone();
    ways.push(writer.way(id, WayKind::Fetch, "Web search", &[], &met));
    ways.extend(writer.clients(&shell));
    ways.extend(servers.iter().map(|server| writer.server(server)));
    (ways, writer.desk.sources())
}

/// The way of one very call.
pub(super) fn this_call(
    policy: &CodexPolicy,
    session: &SessionId,
    servers: &[McpServer],
    call: &Call,
    met: &GateDecision,
    at: Time,
) -> (Way, Vec<Source>) {
    let names = Names::new(session, servers);
    let kept = kept(policy, &general(policy));
    let mut writer = Writer { policy, kept, names, desk: Desk::new(session, policy.files.clone(), at) };
    let mut way = writer.desk.this_call(&writer.names, servers, call, met);
    let (like, _, _) = writer.names.like(call);
    let mut steps = writer.overrides(met, &like);
    if !steps.is_empty() {
        let this = writer.names.this_call();
        steps.extend(writer.edits(&this));
    }
    steps.sort();
    steps.dedup();
    way.overrides = steps;
    if matches!(call, Call::Shell { .. }) && met.contained != Some(false) {
        way.escapes = writer.escapes();
    }
    (way, writer.desk.sources())
}

/// What a command meets that carries anything at all.
fn general(policy: &CodexPolicy) -> GateDecision {
    let listed = ANYTHING.iter().map(|line| (cut(line), (*line).to_owned()));
    let named = allowed(policy).filter_map(Rule::sample);
    // What a program runs behind some words (`railway run …`), and what the program itself runs.
    let behind = named.clone().flat_map(|words| {
        let fixed = words.split_last().map_or_else(String::new, |(_, fixed)| fixed.join(" "));
        carried(&format!("{fixed} *"))
    });
    let behind = behind.map(|line| (cut(&line), line));
    let whole = named.filter(|words| {
        let program = words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
        CARRIERS.contains(&program)
            || RUNNERS.contains(&program)
            || words.first().is_some_and(|word| word.contains('/'))
    });
    let whole = whole.map(|words| (Script::Plain(vec![words.clone()]), words.join(" ")));
    let scripts: Vec<(Script, String)> = listed.chain(whole).chain(behind).collect();
    let answers = policy.starts.iter().map(|start| {
        let by = |view| {
            let judge = Judge { policy, start, view };
            let all = scripts.iter().map(|(script, line)| judge.script(script, line));
            all.reduce(|free, next| if next.rank() > free.rank() { next } else { free })
        };
        let nothing =
            || Answer { ruling: ruling(Decision::Allow, Basis::Unread, None, String::new()), contained: None };
        (by(View::Worst).unwrap_or_else(nothing), by(View::Best).unwrap_or_else(nothing))
    });
    combine(policy, answers.collect(), Kinds::Shell)
}

/// Where a model answers prompts, it may let any command out of the sandbox.
fn escalated(start: &Start, view: View) -> Option<Answer> {
    let reviewed = start.reviewed.unwrap_or(view == View::Worst);
    let leaves = reviewed && start.sandbox.kind != Kind::Open && start.approval.asks_to_leave();
    let at = start.get(&["approvals_reviewer"]).map(|(layer, item)| (layer.place(item), layer.level));
    let shown = at.as_ref().map_or_else(String::new, |(place, _)| format!(" ({place})"));
    let because = format!("a model decides whether a command leaves the sandbox{shown}");
    let basis = Basis::Mode(at.as_ref().map(|(_, level)| *level));
    let place = at.as_ref().map(|(place, _)| place);
    leaves.then(|| Answer { ruling: ruling(Decision::Reviewed, basis, place, because), contained: Some(false) })
}

fn allowed(policy: &CodexPolicy) -> impl Iterator<Item = &Rule> + Clone {
    let project = policy.starts.iter().any(|start| start.project);
    policy.rules.list.iter().filter(move |rule| rule.effect == Effect::Allow && (project || !rule.project))
}

struct Writer<'a> {
    policy: &'a CodexPolicy,
    /// Whether the sandbox keeps the shell from the session's own settings.
    kept: bool,
    names: Names,
    desk: Desk<'a>,
}

impl Writer<'_> {
    fn shell(&mut self, met: &GateDecision) -> Way {
        let id = self.names.bash.clone();
        let mut way = self.way(id, WayKind::Shell, "Shell", &["*"], met);
        way.reads = true;
        way.contained = match met.contained {
            Some(contained) => Fact::Known(contained),
            None => {
                Fact::Unknown(self.desk.gap("sandbox", GapReason::Unsupported, "what the sandbox lets through", None))
            }
        };
        if met.contained != Some(false) {
            way.escapes = self.escapes();
        }
        way
    }

    /// The shell outside the sandbox, where a model and no person says what leaves it.
    fn outside(&mut self) -> Option<Way> {
        let starts = &self.policy.starts;
        starts.iter().find(|start| escalated(start, View::Worst).is_some())?;
        let by = |start: &Start, view| {
            escalated(start, view).unwrap_or_else(|| {
                let asked = start.sandbox.kind == Kind::Open || start.approval.asks_to_leave();
                let (decision, because) = if asked {
                    (Decision::Ask, "a person is asked to let a command out of the sandbox")
                } else {
                    (Decision::Deny, "nobody may be asked to let a command out of the sandbox")
                };
                Answer { ruling: ruling(decision, Basis::BuiltIn, None, because.to_owned()), contained: Some(false) }
            })
        };
        let answers = starts.iter().map(|start| (by(start, View::Worst), by(start, View::Best)));
        let met = combine(self.policy, answers.collect(), Kinds::Shell);
        let id = self.names.outside.clone();
        let mut way = self.way(id, WayKind::Shell, "Shell, outside the sandbox", &["*"], &met);
        way.reads = true;
        Some(way)
    }

    fn files(&mut self) -> Vec<Way> {
        let policy = self.policy;
        let shown = decide(policy, &Call::Read { path: format!("{}/file", policy.ground.root) });
        let edit = decide(policy, &Call::Edit { path: format!("{}/file", policy.ground.root) });
        let own = [policy.own(), format!("{}/config.toml", policy.home), ".codex/config.toml".to_owned()];
        let own = own.into_iter().map(|path| decide(policy, &Call::Edit { path }));
        let own = freest(own).unwrap_or_else(|| edit.clone());
        let (shown_id, edit_id, own_id) =
            (self.names.shown.clone(), self.names.edit.clone(), self.names.settings.clone());
        let mut shown = self.way(shown_id, WayKind::FileRead, "Shell, commands that only read", &[], &shown);
        shown.reads = true;
        let edit = self.way(edit_id, WayKind::FileWrite, "Edit", &[], &edit);
        let own = self.way(own_id, WayKind::FileWrite, "Edit, its own settings", &[], &own);
        vec![shown, edit, own]
    }

    /// Clients that a rule lets run more freely than anything else: unasked and outside the sandbox.
    fn clients(&mut self, shell: &GateDecision) -> Vec<Way> {
        let mut found: BTreeMap<&str, GateDecision> = BTreeMap::new();
        for words in allowed(self.policy).filter_map(Rule::sample) {
            let Some(program) = words.first().map(|word| word.rsplit('/').next().unwrap_or(word)) else { continue };
            let Some((name, _, _)) = CLIENTS.iter().find(|(name, _, _)| *name == program) else { continue };
            let fixed = words.split_last().map_or_else(String::new, |(_, fixed)| fixed.join(" "));
            let met = decide(self.policy, &Call::Shell { command: words.join(" ") });
            let freer = met.worst.decision > shell.worst.decision
                || met.best.decision > shell.best.decision
                || (met.contained != Some(true) && shell.contained != Some(false));
            if freer && !only_shows(&fixed) {
                let joined = freest(found.remove(name).into_iter().chain([met]));
                found.extend(joined.map(|met| (*name, met)));
            }
        }
        let mut ways = Vec::new();
        for (name, carries, kind) in CLIENTS {
            let Some(met) = found.get(name) else { continue };
            let mut way = self.way(self.names.client(name), kind, name, carries, met);
            way.reads = client_reads(name, kind);
            ways.push(way);
        }
        ways
    }

    fn server(&mut self, server: &McpServer) -> Way {
        let policy = self.policy;
        let tools = server.tools.clone().unwrap_or_else(|| tools(policy, &server.name));
        let call = |tool| decide(policy, &Call::Mcp { server: server.name.clone(), tool });
        let met = freest(tools.into_iter().map(call)).unwrap_or_else(|| call("any_other_tool".to_owned()));
        let mut way = self.desk.server(&self.names, server, &met);
        way.overrides = self.overrides(&met, &way.id);
        way
    }

    fn way(&mut self, id: WayId, kind: WayKind, name: &str, carries: &[&str], met: &GateDecision) -> Way {
        let overrides = self.overrides(met, &id);
        let mut way = self.desk.way(id, kind, name, carries, met);
        way.overrides = overrides;
        way
    }

    /// The ways to edit the session's own settings.
    fn edits(&self, own: &WayId) -> Vec<Override> {
        let mut steps = self.names.edits(&self.policy.own(), Some(own));
        if self.kept {
            steps.retain(|step| step.needs != [Atom::Way(self.names.bash.clone())]);
        }
        steps
    }

    /// The ways out of the sandbox that change something.
    fn escapes(&self) -> Vec<Override> {
        let mut steps = Vec::new();
        if self.policy.starts.iter().any(|start| start.approval.asks_to_leave()) {
            steps.push(accepted("accept the prompt to run it outside the sandbox"));
        }
        if !self.policy.starts.iter().all(|start| start.shut) {
            steps.push(accepted("be started with another sandbox or with the network let in"));
        }
        steps.extend(self.launched());
        steps.extend(self.edits(&self.names.bash));
        steps.sort();
        steps.dedup();
        steps
    }

    /// What settings start and the session may write: no gate and no sandbox stands before it.
    fn launched(&self) -> Vec<Override> {
        let policy = self.policy;
        let written = policy.launched.iter().filter(|launched| {
            let file = launched.file(&policy.ground);
            let may = |file: &str| {
                let starts = policy.starts.iter().filter(|start| start.project || !launched.project);
                starts.clone().any(|start| writes(start, file) != Some(false))
            };
            file.is_some_and(|file| may(&file))
        });
        let step = |place: &crate::gate::Place| Override {
            needs: vec![Atom::Way(self.names.edit.clone())],
            because: format!("edit what the settings start outside the sandbox ({place})"),
            sources: Vec::new(),
        };
        let mut steps: Vec<Override> = written.map(|launched| step(&launched.place)).collect();
        steps.sort();
        steps.dedup();
        steps.truncate(16);
        steps
    }

    /// The steps that turn a deny or an ask into an allow.
    fn overrides(&self, met: &GateDecision, own: &WayId) -> Vec<Override> {
        let best = &met.best;
        if best.decision > Decision::Ask || fixed(best) {
            return Vec::new();
        }
        let mut steps = if *own == self.names.bash { self.launched() } else { Vec::new() };
        if offered(best) {
            steps.push(accepted("accept \"don't ask again\", which the prompt offers"));
        }
        steps.push(accepted("be started with `codex exec` or another approval policy, and so ask nobody"));
        steps.extend(self.edits(own));
        steps.sort();
        steps.dedup();
        steps
    }
}

/// The tools of a server that settings name, and one that they do not.
fn tools(policy: &CodexPolicy, server: &str) -> Vec<String> {
    let mut found = vec!["any_other_tool".to_owned()];
    for layer in policy.starts.iter().flat_map(|start| &start.layers) {
        let named = |key| layer.root.get(&["mcp_servers", server, key]);
        let listed = named("enabled_tools").and_then(|item| item.texts()).unwrap_or_default();
        found.extend(listed.into_iter().map(str::to_owned));
        let modes = named("tools").and_then(|item| item.table()).into_iter().flatten();
        found.extend(modes.map(|(tool, _)| tool.clone()));
    }
    found.sort();
    found.dedup();
    found.truncate(500);
    found
}

/// Whether the sandbox keeps the shell from the session's own settings: they may not be written in it, and nothing
/// leaves it unasked.
fn kept(policy: &CodexPolicy, shell: &GateDecision) -> bool {
    let files = [policy.own(), format!("{}/config.toml", policy.home)].map(|path| policy.ground.absolute(&path));
    let kept = |start: &Start| files.iter().all(|file| writes(start, file) == Some(false));
    let leaves = policy.starts.iter().any(|start| escalated(start, View::Worst).is_some());
    policy.unread.is_empty() && policy.starts.iter().all(kept) && shell.contained == Some(true) && !leaves
}

/// The ways by which the session is refused a file, absolute or under `~`. MCP servers and whatever runs outside the
/// sandbox still read it.
pub(super) fn refusals(policy: &CodexPolicy, session: &SessionId, servers: &[McpServer], path: &str) -> Vec<Refusal> {
    let names = Names::new(session, servers);
    let full = policy.ground.absolute(path);
    let hidden: Option<Vec<_>> = policy.starts.iter().map(|start| hides(start, &full)).collect();
    let Some((hidden, place, _)) = hidden.as_ref().and_then(|hidden| hidden.first()) else { return Vec::new() };
    // Whatever leaves the sandbox unasked reads it there.
    let leaves = !policy.unread.is_empty()
        || policy.hooks.iter().any(|hook| hook.answers)
        || policy.starts.iter().any(|start| escalated(start, View::Worst).is_some())
        || allowed(policy).next().is_some();
    if leaves {
        return Vec::new();
    }
    let mut steps = Vec::new();
    if policy.starts.iter().any(|start| start.approval.asks_to_leave()) {
        steps.push(accepted("accept the prompt to run it outside the sandbox"));
    }
    steps.push(accepted("be started with another sandbox"));
    steps.extend(names.edits(&policy.own(), None));
    steps.sort();
    let because = format!("the sandbox hides `{hidden}` ({place}); an MCP server still reads it");
    let refused = [&names.bash, &names.shown].into_iter();
    refused.map(|way| Refusal { way: way.clone(), because: because.clone(), overrides: steps.clone() }).collect()
}
