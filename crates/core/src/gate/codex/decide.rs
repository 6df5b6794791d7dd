//! One call, one decision: rules, the approval policy and the sandbox, for every way in which a session may start
//! (floor 2).

use super::rules::Rule;
use super::script::{Script, cut};
use super::start::{Approval, Kind, Start};
use super::{CodexPolicy, commands, mcp};
use crate::fact::GapReason;
use crate::gate::call::View;
use crate::gate::{Basis, Call, Cited, Doubt, Effect, GateDecision, Level, Place, Ruling};
use crate::model::Decision;

/// What one call meets in one start.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) ruling: Ruling,
    /// Whether the operating system keeps it from the network, if known.
    pub(super) contained: Option<bool>,
}

impl Answer {
    /// How free it is: what reaches the network unasked is freer than what is kept from it.
    pub(super) fn rank(&self) -> (bool, Decision) {
        (self.contained != Some(true) && self.ruling.decision > Decision::Ask, self.ruling.decision)
    }
}

/// What the gate does with a call.
pub(super) fn decide(policy: &CodexPolicy, call: &Call) -> GateDecision {
    let script = if let Call::Shell { command } = call { Some((cut(command), command.as_str())) } else { None };
    let answers = policy.starts.iter().map(|start| {
        let by = |view| answer(policy, start, call, script.as_ref(), view);
        (by(View::Worst), by(View::Best))
    });
    combine(policy, answers.collect(), Kinds::of(call))
}

/// What kind of call it is, for what is said of a doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinds {
    Shell,
    Edit,
    Mcp,
    Other,
}

impl Kinds {
    const fn of(call: &Call) -> Self {
        match call {
            Call::Shell { .. } => Self::Shell,
            Call::Edit { .. } => Self::Edit,
            Call::Mcp { .. } => Self::Mcp,
            Call::Read { .. } | Call::Fetch { .. } => Self::Other,
        }
    }
}

/// Puts the starts together, and what hooks and files that were not read may say.
pub(super) fn combine(policy: &CodexPolicy, answers: Vec<(Answer, Answer)>, kind: Kinds) -> GateDecision {
    let differ = answers.iter().any(|one| {
        let first = answers.first();
        first.is_some_and(|first| (first.0.rank(), first.1.rank()) != (one.0.rank(), one.1.rank()))
    });
    let mut contained = shared(answers.iter().flat_map(|(worst, best)| [worst.contained, best.contained]));
    let (worst, best): (Vec<Answer>, Vec<Answer>) = answers.into_iter().unzip();
    // Of several that are as free the first counts, which is the one that the files tell of most plainly.
    let mut worst = worst.into_iter().reduce(|free, next| if next.rank() > free.rank() { next } else { free });
    let mut best = best.into_iter().reduce(|strict, next| if next.rank() < strict.rank() { next } else { strict });
    let mut doubt = None;
    if let Some(hook) = policy.hooks.iter().find(|hook| hook.answers).or_else(|| policy.hooks.first()) {
        let says = format!("a hook sees the call ({}), and it is not run to learn its answer", hook.place);
        let by_hook = |decision| Answer {
            ruling: ruling(decision, Basis::Hook(hook.level), Some(&hook.place), says.clone()),
            contained: Some(false),
        };
        if hook.answers {
            if worst.as_ref().is_some_and(|worst| worst.ruling.decision == Decision::Ask) {
                worst = Some(by_hook(Decision::Allow));
            }
            // It may answer the prompt by which a command leaves the sandbox.
            contained = contained.filter(|contained| !contained);
        }
        best = Some(by_hook(Decision::Deny));
        doubt = Some(Doubt {
            id: "hook".to_owned(),
            reason: GapReason::NotAsked,
            question: "ask the hook".to_owned(),
            settle: "trying the call with the hook in place; no setting of Codex shows its answer".to_owned(),
            place: Some(hook.place.clone()),
        });
    }
    if let Some(file) = policy.unread.first() {
        let because = format!("`{}` could not be read, because {}", file.path, file.reason.words());
        let unread = |decision| ruling(decision, Basis::Unread, None, because.clone());
        worst = Some(Answer { ruling: unread(Decision::Allow), contained: Some(false) });
        best = Some(Answer { ruling: unread(Decision::Deny), contained: Some(false) });
        contained = None;
        doubt = Some(Doubt {
            id: format!("unread/{}", file.path),
            reason: file.reason,
            question: format!("read {}", file.path),
            settle: format!("settings that are plain: reading {}", file.path),
            place: None,
        });
    }
    let nothing = || ruling(Decision::Allow, Basis::Unread, None, "nothing is known of the session".to_owned());
    let worst = worst.map_or_else(nothing, |answer| answer.ruling);
    let best = best.map_or_else(nothing, |answer| answer.ruling);
    let doubt = (worst.decision != best.decision).then(|| doubt.unwrap_or_else(|| open(differ, kind, &worst)));
    let overridable_by = levers(policy, &best);
    GateDecision { worst, best, doubt, contained, overridable_by }
}

/// What all say, if they say the same and know it.
pub(super) fn shared(mut all: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

fn open(differ: bool, kind: Kinds, worst: &Ruling) -> Doubt {
    let (id, question, settle) = match kind {
        _ if differ => (
            "start",
            "which settings a session starts with",
            "`trust_level` for this very folder under `[projects]` in config.toml, and no profile in it",
        ),
        Kinds::Mcp => (
            "tools",
            "what the tools of the server say of themselves",
            "`default_tools_approval_mode = \"prompt\"` for the server",
        ),
        Kinds::Shell => ("line", "how the command line is cut and judged", "a line of plain words"),
        Kinds::Edit => ("profile", "which files the sandbox lets be written", "`sandbox_mode` in config.toml"),
        Kinds::Other => ("settings", "settings that are not understood", "settings that the documentation lists"),
    };
    Doubt {
        id: id.to_owned(),
        reason: GapReason::Unsupported,
        question: question.to_owned(),
        settle: settle.to_owned(),
        place: worst.place.clone(),
    }
}

/// What the session may change to get another answer. It is empty where an administrator's rule or hook refuses.
fn levers(policy: &CodexPolicy, best: &Ruling) -> Vec<String> {
    if best.decision > Decision::Ask || fixed(best) {
        return Vec::new();
    }
    let own = policy.own();
    let mut levers = vec![own.clone()];
    levers.extend(best.place.as_ref().map(|place| place.path.clone()).filter(|path| *path != own));
    if offered(best) {
        levers.push("\"don't ask again\" in the prompt".to_owned());
    }
    levers
}

/// Whether a ruling is out of the session's power to change. The approval policy never is, as a rule that anyone may
/// add has the word over it.
pub(super) fn fixed(ruling: &Ruling) -> bool {
    match &ruling.basis {
        Basis::Rule(rule) => rule.level == Level::Managed,
        Basis::Hook(level) => *level == Level::Managed,
        Basis::Mode(_) | Basis::BuiltIn | Basis::Unread => false,
    }
}

/// Whether the prompt offers not to ask again. It does not where a rule asks.
pub(super) fn offered(ruling: &Ruling) -> bool {
    ruling.decision == Decision::Ask && !matches!(ruling.basis, Basis::Rule(_))
}

fn answer(policy: &CodexPolicy, start: &Start, call: &Call, script: Option<&(Script, &str)>, view: View) -> Answer {
    match call {
        Call::Shell { command } => match script {
            Some((script, line)) => Judge { policy, start, view }.script(script, line),
            None => Judge { policy, start, view }.script(&cut(command), command),
        },
        Call::Read { path } => read(policy, start, path, view),
        Call::Edit { path } => edit(policy, start, path, view),
        Call::Fetch { .. } => search(start),
        Call::Mcp { server, tool } => mcp::answer(start, server, tool, view),
    }
}

/// Judges command lines in one start, at its worst or at its best.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) policy: &'a CodexPolicy,
    pub(super) start: &'a Start,
    pub(super) view: View,
}

/// What one command of a line meets.
struct Part<'a> {
    effect: Effect,
    rule: Option<&'a Rule>,
}

impl Judge<'_> {
    pub(super) fn script(self, script: &Script, line: &str) -> Answer {
        if self.start.approval == Approval::Unknown {
            let decision = if self.view == View::Worst { Decision::Allow } else { Decision::Deny };
            let because = "the approval policy is not understood".to_owned();
            return Answer { ruling: self.by_policy(decision, because), contained: None };
        }
        let freer = |one: Answer, other: Answer| {
            if (other.rank() > one.rank()) == (self.view == View::Worst) { other } else { one }
        };
        match script {
            Script::Plain(commands) => self.commands(commands),
            Script::Whole => self.whole(line),
            Script::Either(commands) => {
                let whole = self.whole(line);
                let cut = if commands.is_empty() { whole.clone() } else { self.commands(commands) };
                let either = freer(whole, cut);
                let effects: &[Effect] =
                    if self.view == View::Worst { &[Effect::Allow] } else { &[Effect::Deny, Effect::Ask] };
                match self.policy.rules.within(line, self.start.project, effects) {
                    Some(rule) => freer(either, self.by_rule(rule)),
                    None => either,
                }
            }
        }
    }

    /// A line that is judged command by command: the strictest of what they meet counts.
    fn commands(self, commands: &[Vec<String>]) -> Answer {
        let parts: Vec<Part<'_>> = commands.iter().map(|command| self.part(command)).collect();
        let Some(strictest) = parts.iter().min_by_key(|part| part.effect) else { return self.whole("") };
        match (strictest.effect, strictest.rule) {
            // Only where a rule lets every command run does the line run outside the sandbox.
            (Effect::Allow, _) => match parts.iter().map(|part| part.rule).collect::<Option<Vec<&Rule>>>() {
                Some(rules) => rules.first().map_or_else(|| self.runs(), |rule| self.by_rule(rule)),
                None => self.runs(),
            },
            (_, Some(rule)) => self.by_rule(rule),
            (Effect::Ask, None) => {
                let destroys = commands.iter().any(|command| commands::may_destroy(command));
                let why = if destroys { "the agent takes it to destroy" } else { "no rule lets it run" };
                self.prompt(None, why)
            }
            (Effect::Deny, None) => self.runs(),
        }
    }

    fn part(&self, command: &[String]) -> Part<'_> {
        let found = self.policy.rules.matching(command, self.start.project, self.view);
        if let Some(rule) = found.into_iter().min_by_key(|rule| rule.effect) {
            return Part { effect: rule.effect, rule: Some(rule) };
        }
        Part { effect: self.unmatched(command), rule: None }
    }

    /// A command that no rule names (openai/codex `codex-rs/core/src/exec_policy.rs`).
    fn unmatched(self, command: &[String]) -> Effect {
        let worst = self.view == View::Worst;
        let reads = if worst { commands::may_read(command) } else { commands::reads(command) };
        let destroys = if worst { commands::destroys(command) } else { commands::may_destroy(command) };
        let untrusted = self.start.approval == Approval::Untrusted;
        match (untrusted, reads, destroys) {
            (true, true, _) => Effect::Allow,
            (true, false, _) | (false, _, true) => Effect::Ask,
            (false, _, false) => Effect::Allow,
        }
    }

    /// A line that rules see as one command of the shell. Which shell that is depends on the user.
    fn whole(self, line: &str) -> Answer {
        let shells = ["bash", "zsh", "sh"].iter().flat_map(|shell| {
            let words = [(*shell).to_owned(), "-lc".to_owned(), line.to_owned()];
            self.policy.rules.matching(&words, self.start.project, self.view)
        });
        let effects: &[Effect] = if self.view == View::Worst { &[Effect::Allow] } else { &[Effect::Deny, Effect::Ask] };
        let by_rule = shells.filter(|rule| effects.contains(&rule.effect)).min_by_key(|rule| rule.effect);
        if let Some(rule) = by_rule {
            return self.by_rule(rule);
        }
        let words: Vec<String> =
            line.split(|c: char| c.is_whitespace() || "()`;|&{}\"'".contains(c)).map(str::to_owned).collect();
        let destroys = self.view == View::Best && commands::may_destroy(&words);
        if self.start.approval == Approval::Untrusted || destroys {
            return self.prompt(None, "no rule lets it run");
        }
        self.runs()
    }

    fn by_rule(self, rule: &Rule) -> Answer {
        match rule.effect {
            Effect::Ask => self.prompt(Some(rule), "asks"),
            Effect::Deny => Answer { ruling: cited(rule, Decision::Deny, "refuses"), contained: self.contained() },
            Effect::Allow => {
                let says = "lets it run unasked and outside the sandbox";
                Answer { ruling: cited(rule, Decision::Allow, says), contained: Some(false) }
            }
        }
    }

    /// What is asked, if anyone may be asked. Whether what a person has allowed stays in the sandbox differs between
    /// versions.
    fn prompt(self, rule: Option<&Rule>, why: &str) -> Answer {
        let refused = match self.start.approval {
            Approval::Never => true,
            Approval::Granular { sandbox, rules, .. } => !(if rule.is_some() { rules } else { sandbox }),
            Approval::Untrusted | Approval::OnRequest | Approval::Unknown => false,
        };
        let reviewed = self.start.reviewed.unwrap_or(self.view == View::Worst);
        let decision = match (refused, reviewed) {
            (true, _) => Decision::Deny,
            (false, true) => Decision::Reviewed,
            (false, false) => Decision::Ask,
        };
        let does = match decision {
            Decision::Deny => "refuses, as nobody may be asked",
            Decision::Reviewed => "puts it to a model",
            Decision::Ask | Decision::Allow => "asks a person",
        };
        let contained = if refused { self.contained() } else { self.contained().filter(|contained| !contained) };
        let ruling = match rule {
            Some(rule) => cited(rule, decision, does),
            None => self.by_policy(decision, format!("{why}, and the approval policy {does}")),
        };
        Answer { ruling, contained }
    }

    /// It runs, in whatever sandbox there is.
    fn runs(self) -> Answer {
        let sandbox = &self.start.sandbox;
        let because = match sandbox.kind {
            Kind::Open => "no sandbox stands around commands, and they run unasked".to_owned(),
            Kind::Boxed if sandbox.network == Some(false) => {
                format!("commands run unasked in the sandbox ({}), which keeps them from the network", sandbox.shown)
            }
            Kind::Boxed if sandbox.network == Some(true) => {
                format!("commands run unasked in the sandbox ({}), which lets them into the network", sandbox.shown)
            }
            Kind::Boxed | Kind::Unknown => format!("commands run unasked in {}", sandbox.shown),
        };
        Answer { ruling: self.by_policy(Decision::Allow, because), contained: self.contained() }
    }

    /// Whether the sandbox keeps what runs in it from the network, if known.
    const fn contained(self) -> Option<bool> {
        match (self.start.sandbox.kind, self.start.sandbox.network) {
            (Kind::Open, _) => Some(false),
            (Kind::Boxed, Some(network)) => Some(!network),
            (Kind::Boxed, None) | (Kind::Unknown, _) => None,
        }
    }

    fn by_policy(self, decision: Decision, because: String) -> Ruling {
        by_policy(self.start, decision, &because)
    }
}

/// A ruling of the approval policy and the sandbox, with the line that sets what decides.
fn by_policy(start: &Start, decision: Decision, because: &str) -> Ruling {
    let free = decision == Decision::Allow;
    let (first, second) = (&start.sandbox_at, &start.approval_at);
    let at = if free { first.as_ref().or(second.as_ref()) } else { second.as_ref().or(first.as_ref()) };
    let word = start.approval.word();
    let shown = at.map_or_else(String::new, |(place, _)| format!(" ({place})"));
    let because = format!("{because}; approval policy {word}, {}{shown}", start.named);
    ruling(decision, Basis::Mode(at.map(|(_, level)| *level)), at.map(|(place, _)| place), because)
}

fn cited(rule: &Rule, decision: Decision, does: &str) -> Ruling {
    let cited = Cited { effect: rule.effect, text: rule.text.clone(), level: rule.level, whole: false };
    let because = format!("`{}` {does} ({})", rule.text, rule.place);
    ruling(decision, Basis::Rule(cited), Some(&rule.place), because)
}

/// Files are read by shell commands, which see the whole disk but for what a profile hides.
fn read(policy: &CodexPolicy, start: &Start, path: &str, view: View) -> Answer {
    let hidden = hides(start, &policy.ground.absolute(path));
    // A rule may let a command read it outside the sandbox.
    let outside = policy.rules.list.iter().any(|rule| rule.effect == Effect::Allow);
    let ruling = match hidden {
        Some((path, place, level)) if view == View::Best || !outside => {
            let because = format!("the sandbox hides `{path}` ({place})");
            ruling(Decision::Deny, Basis::Mode(Some(*level)), Some(place), because)
        }
        Some(_) | None => {
            let because = "commands that read see the whole disk unasked".to_owned();
            ruling(Decision::Allow, Basis::BuiltIn, None, because)
        }
    };
    Answer { ruling, contained: Some(false) }
}

/// What the sandbox hides of a path.
pub(super) fn hides<'s>(start: &'s Start, full: &str) -> Option<&'s (String, Place, Level)> {
    let within = |(hidden, ..): &&(String, Place, Level)| {
        full == hidden || full.strip_prefix(hidden.as_str()).is_some_and(|rest| rest.starts_with('/'))
    };
    start.sandbox.hidden.iter().find(within)
}

/// Patches are applied unasked where the sandbox may be written (openai/codex `codex-rs/core/src/safety.rs`).
fn edit(policy: &CodexPolicy, start: &Start, path: &str, view: View) -> Answer {
    let full = policy.ground.absolute(path);
    let writes = writes(start, &full).unwrap_or(view == View::Worst);
    let free = writes && start.approval != Approval::Untrusted;
    let free = free || (start.approval == Approval::Unknown && view == View::Worst);
    let ruling = if free {
        by_policy(start, Decision::Allow, "files that the sandbox lets be written are edited unasked")
    } else {
        let asked = start.approval.asks_to_leave() && !(start.approval == Approval::Unknown && view == View::Best);
        let reviewed = start.reviewed.unwrap_or(view == View::Worst);
        let (decision, does) = match (asked, reviewed) {
            (false, _) => (Decision::Deny, "refused, as nobody may be asked"),
            (true, true) => (Decision::Reviewed, "put to a model"),
            (true, false) => (Decision::Ask, "asked about"),
        };
        by_policy(start, decision, &format!("editing it is {does}"))
    };
    Answer { ruling, contained: Some(false) }
}

/// Whether the sandbox lets a file be written, if known. In each folder that may be written `.git`, `.codex` and
/// `.agents` may not (developers.openai.com/codex/agent-approvals-security).
pub(super) fn writes(start: &Start, full: &str) -> Option<bool> {
    match start.sandbox.kind {
        Kind::Open => return Some(true),
        Kind::Unknown => return None,
        Kind::Boxed => {}
    }
    let roots = start.sandbox.writable.as_ref()?;
    let guarded = |rest: &str| {
        let first = rest.trim_start_matches('/').split('/').next();
        matches!(first, Some(".git" | ".codex" | ".agents"))
    };
    let inside = |root: &String| match full.strip_prefix(root.trim_end_matches('/')) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Some(rest),
        Some(_) | None => None,
    };
    let within: Vec<&str> = roots.iter().filter_map(inside).collect();
    Some(!within.is_empty() && !within.into_iter().any(guarded))
}

/// The search of the web is carried out by the vendor, and asks nobody (developers.openai.com/codex/config-reference).
fn search(start: &Start) -> Answer {
    let set = start.get(&["web_search"]);
    let off = set.filter(|(_, item)| item.text() == Some("disabled"));
    let ruling = match off {
        Some((layer, item)) => {
            let place = layer.place(item);
            let because = format!("the search of the web is switched off ({place})");
            ruling(Decision::Deny, Basis::Mode(Some(layer.level)), Some(&place), because)
        }
        None => {
            let because = "the search of the web runs unasked".to_owned();
            ruling(Decision::Allow, Basis::BuiltIn, None, because)
        }
    };
    Answer { ruling, contained: Some(false) }
}

pub(super) fn ruling(decision: Decision, basis: Basis, place: Option<&Place>, because: String) -> Ruling {
    Ruling { decision, basis, place: place.cloned(), because }
}
