//! One call, one decision: every way in which the session may start, every rule that may be the first to match
//! (floor 2).

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::known;
use super::laid::Laid;
use super::rule::{Named, Rule};
use super::tool::{named, sees, unwrapped};
use super::{GeminiPolicy, Hook, Mode, Start};
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, any, ruling, unread};
use crate::gate::expression::Fit;
use crate::gate::nodes::{self, Nodes};
use crate::gate::{Basis, Call, Cited, Doubt, Effect, GateDecision, Level, Place, Ruling};
use crate::model::Decision;

/// The deepest that a wrapper in a wrapper is followed.
const DEEPEST: usize = 6;

const SHELL: &[&str] = &["run_shell_command"];
const READ: &[&str] = &["read_file"];
/// It shows lines of files, of ignored ones too if it is told to (`no_ignore`).
const SEARCH: &[&str] = &["grep_search", "search_file_content"];
const WRITE: &[&str] = &["write_file"];
const REPLACE: &[&str] = &["replace"];
const FETCH: &[&str] = &["web_fetch"];

/// What the gate does with a call.
pub(super) fn decide(policy: &GeminiPolicy, call: &Call) -> GateDecision {
    let mut all: Option<Bounds> = None;
    for start in &policy.starts {
        let bounds = Court::of(policy, start).answer(call);
        // That nobody may be there makes no answer stricter than it is with somebody there.
        let bounds = if start.headless && policy.starts.iter().any(|other| !other.headless) {
            Bounds { best: all.as_ref().map_or_else(|| bounds.best.clone(), |all| all.best.clone()), ..bounds }
        } else {
            bounds
        };
        all = Some(match all {
            None => bounds,
            Some(before) => before.or(bounds),
        });
    }
    let Bounds { mut worst, mut best } = all.unwrap_or_else(|| Bounds::unknown("no way to start it is known"));
    let mut doubt = None;
    let hook = policy.starts.iter().flat_map(|start| &start.laid.hooks).find(|hook| sees(hook, call));
    if let Some(hook) = hook.filter(|_| worst.decision > Decision::Deny) {
        // A hook may refuse and ask. It lets nothing run that rules do not let run.
        let because =
            format!("the {} sees the call ({}), and it is not run to learn its answer", hook.what, hook.place);
        best = ruling(Decision::Deny, Basis::Hook(hook.level), Some(&hook.place), because);
        doubt = Some(hook_doubt(hook));
    }
    if let Some((unknown, why)) = unread(&policy.unread) {
        (worst, best, doubt) = (unknown.worst, unknown.best, Some(why));
    }
    let doubt = (worst.decision != best.decision).then(|| doubt.unwrap_or_else(|| open(policy, &worst)));
    let unboxed = policy.unread.is_empty() && policy.starts.iter().all(|start| start.laid.unboxed);
    let shell = matches!(call, Call::Shell { .. });
    let contained = (!shell || unboxed).then_some(false);
    let overridable_by = levers(policy, call, &best);
    GateDecision { contained, worst, best, doubt, overridable_by }
}

/// What the session may change to get another answer. It is empty where an administrator's policy decides whatever the
/// mode.
fn levers(policy: &GeminiPolicy, call: &Call, best: &Ruling) -> Vec<String> {
    if best.decision > Decision::Ask || fixed(policy, call, best) {
        return Vec::new();
    }
    let mut levers = vec!["~/.gemini/settings.json".to_owned(), "~/.gemini/policies".to_owned()];
    let place = best.place.as_ref().map(|place| place.path.clone());
    levers.extend(place.filter(|path| !path.starts_with("~/.gemini/policies") && *path != "~/.gemini/settings.json"));
    if !policy.no_yolo {
        levers.push("starting it with `--yolo`".to_owned());
    }
    levers
}

/// Whether a ruling is out of the session's power to change: it is an administrator's rule, and one decides in every
/// mode that the session may be started in, however a command is written.
pub(super) fn fixed(policy: &GeminiPolicy, call: &Call, best: &Ruling) -> bool {
    let managed = |ruling: &Ruling| matches!(&ruling.basis, Basis::Rule(rule) if rule.level == Level::Managed);
    let modes = [Mode::Plan, Mode::Default, Mode::AutoEdit, Mode::Yolo];
    let uncut = match call {
        Call::Shell { command } => Some(Call::Shell { command: format!("case x in x) {command};; esac") }),
        Call::Read { .. } | Call::Edit { .. } | Call::Fetch { .. } | Call::Mcp { .. } => None,
    };
    let kept = |start: &Start, mode| {
        let start = Start { mode, ..start.clone() };
        let court = Court::of(policy, &start);
        let worst = court.answer(call).worst;
        // Who is asked about a tool of a server may say in settings of his own that he trusts it.
        let trusts = matches!(call, Call::Mcp { .. }) && worst.decision == Decision::Ask;
        let kept = managed(&worst) && worst.decision <= best.decision.max(Decision::Ask);
        kept && !trusts && uncut.as_ref().is_none_or(|uncut| court.answer(uncut).worst.decision <= Decision::Ask)
    };
    managed(best)
        && policy.unread.is_empty()
        && policy.starts.iter().all(|start| modes.into_iter().all(|mode| kept(start, mode)))
}

/// Judges under one way to start.
struct Court<'a> {
    policy: &'a GeminiPolicy,
    start: &'a Start,
    /// What commands within a line have met: the same one may stand in many others.
    met: RefCell<BTreeMap<String, Bounds>>,
}

impl<'a> Court<'a> {
    const fn of(policy: &'a GeminiPolicy, start: &'a Start) -> Self {
        Self { policy, start, met: RefCell::new(BTreeMap::new()) }
    }

    fn laid(&self) -> &'a Laid {
        &self.start.laid
    }

    fn answer(&self, call: &Call) -> Bounds {
        let mut bounds = match call {
            Call::Shell { command } => self.tool(SHELL, &["ShellTool"], |court| court.command(command, true, 0)),
            Call::Read { path } => {
                let read = self.tool(READ, &["ReadFileTool"], |court| court.file(READ, path, true));
                let search = self.tool(SEARCH, &["GrepTool", "RipGrepTool"], |court| court.file(SEARCH, path, false));
                read.freer(search)
            }
            Call::Edit { path } => {
                let write = self.tool(WRITE, &["WriteFileTool"], |court| court.file(WRITE, path, false));
                write.freer(self.tool(REPLACE, &["EditTool"], |court| court.file(REPLACE, path, false)))
            }
            Call::Fetch { .. } => {
                self.tool(FETCH, &["WebFetchTool"], |court| court.plain(Named { names: FETCH, server: None }))
            }
            Call::Mcp { server, tool } => self.server(server, tool),
        };
        if let Some(because) = self.unasked(call).filter(|_| bounds.worst.decision == Decision::Ask) {
            let because = format!("{}, but {because}", bounds.worst.because);
            bounds.worst = Ruling { decision: Decision::Allow, because, ..bounds.worst };
        }
        if self.start.headless {
            for ruling in [&mut bounds.worst, &mut bounds.best] {
                if ruling.decision == Decision::Ask {
                    ruling.decision = Decision::Deny;
                    ruling.because = format!("{}; nobody is there to be asked", ruling.because);
                }
            }
        }
        bounds
    }

    /// Why what a rule asks about runs unasked: tools themselves may need no yes, which they say behind every rule
    /// (`shouldConfirmExecute` and `getConfirmationDetails` of `packages/core/src/tools`). Later versions ask about build
    /// files all the same.
    fn unasked(&self, call: &Call) -> Option<String> {
        match call {
            Call::Edit { .. } | Call::Fetch { .. } if self.start.mode == Mode::AutoEdit && !self.start.headless => {
                Some("the tool needs no yes in the mode `auto_edit`".to_owned())
            }
            Call::Mcp { server, .. } if self.start.trusted && !self.start.headless => {
                let place = self.laid().trusts(server)?;
                Some(format!("the server is trusted, so its tools need no yes ({place})"))
            }
            Call::Edit { .. } | Call::Fetch { .. } | Call::Mcp { .. } | Call::Read { .. } | Call::Shell { .. } => None,
        }
    }

    /// A tool of the agent's own, if it has not been taken away.
    fn tool(&self, names: &[&str], classes: &[&str], judge: impl Fn(&Self) -> Bounds) -> Bounds {
        let listed = |gone: &&super::laid::Gone| names.contains(&gone.name.as_str());
        if let Some(gone) = self.laid().gone.iter().filter(|gone| gone.sure).find(listed) {
            return Bounds::one(taken(&gone.place, gone.level));
        }
        let bounds = judge(self);
        // A class may be called otherwise in a version that is built otherwise.
        let class = |gone: &&super::laid::Gone| !gone.sure || classes.contains(&gone.name.as_str());
        match self.laid().gone.iter().find(class) {
            Some(gone) => Bounds { best: taken(&gone.place, gone.level), ..bounds },
            None => bounds,
        }
    }

    /// The rules that may be the first to match: each with what it decides.
    fn first(&self, tool: Named<'_>, fit: impl Fn(&Rule) -> Fit) -> Vec<Option<&'a Rule>> {
        let mut found: Vec<Option<&'a Rule>> = Vec::new();
        let mut sure: Option<&'a Rule> = None;
        for rule in &self.laid().rules {
            // Of two files of one kind either may be read first.
            let tied = sure.is_some_and(|sure| {
                let file = |rule: &Rule| rule.place.as_ref().map(|place| place.path.clone());
                sure.priority == rule.priority && file(sure) != file(rule) && sure.place.is_some()
            });
            if sure.is_some() && !tied {
                break;
            }
            if !self.counts(rule, tool) {
                continue;
            }
            match fit(rule) {
                Fit::No => {}
                Fit::May => found.push(Some(rule)),
                Fit::Sure => {
                    found.push(Some(rule));
                    sure = sure.or(Some(rule));
                }
            }
        }
        if sure.is_none() {
            found.push(None);
        }
        found
    }

    /// Whether a rule is about a tool at all. What was always allowed at a prompt has a priority of its own, and may be
    /// passed over.
    fn counts(&self, rule: &Rule, tool: Named<'_>) -> bool {
        (self.laid().always || rule.priority % 1000 != 950) && rule.about(tool, self.start.mode, self.start.headless)
    }

    /// What happens where no rule matches.
    fn default(&self) -> Ruling {
        let (decision, does) = match (self.start.mode, self.start.headless) {
            (Mode::Yolo, _) => (Decision::Allow, "lets it run"),
            (_, true) => (Decision::Deny, "refuses it, as nobody is there to be asked"),
            (_, false) => (Decision::Ask, "asks a person"),
        };
        self.by_mode(decision, does)
    }

    fn by_mode(&self, decision: Decision, does: &str) -> Ruling {
        let mode = self.start.mode.name();
        match &self.start.place {
            Some((place, level)) => {
                let because = format!("no rule of yours decides, and the mode `{mode}` ({place}) {does}");
                ruling(decision, Basis::Mode(Some(*level)), Some(place), because)
            }
            None => {
                let because = format!("no rule of yours decides, and the built-in mode `{mode}` {does}");
                ruling(decision, Basis::Mode(None), None, because)
            }
        }
    }

    fn by(&self, rule: Option<&Rule>) -> Ruling {
        let Some(rule) = rule else { return self.default() };
        let (decision, verb) = match rule.effect {
            Effect::Deny => (Decision::Deny, "refuses it"),
            Effect::Ask => (Decision::Ask, "asks a person"),
            Effect::Allow => (Decision::Allow, "lets it run unasked"),
        };
        let Some(place) = &rule.place else {
            return match (rule.effect, self.start.mode, rule.modes.is_empty()) {
                (Effect::Allow, mode, true) if mode != Mode::Yolo => {
                    ruling(decision, Basis::BuiltIn, None, "the agent reads files without asking".to_owned())
                }
                _ => self.by_mode(decision, verb),
            };
        };
        let whole = rule.whole();
        let cited = Cited { effect: rule.effect, text: rule.text.clone(), level: rule.level, whole };
        let because = format!("`{}` {verb} ({place})", rule.text);
        ruling(decision, Basis::Rule(cited), Some(place), because)
    }

    /// A call whose arguments are not known.
    fn plain(&self, tool: Named<'_>) -> Bounds {
        let first = self.first(tool, Rule::fits_any);
        any(first.into_iter().map(|rule| Bounds::one(self.by(rule))))
    }

    fn file(&self, names: &[&str], path: &str, ignores: bool) -> Bounds {
        let bounds = self.plain(Named { names, server: None });
        let full = self.policy.ground.absolute(path);
        if ignores && let Some(place) = self.laid().ignored.as_ref().and_then(|ignored| ignored.hides(&full)) {
            let because = format!("the ignore file keeps it from the tool that reads files ({place})");
            return Bounds::one(ruling(Decision::Deny, Basis::Mode(Some(Level::Project)), Some(place), because));
        }
        let folders = self.laid().folders.iter().map(|folder| self.policy.ground.absolute(folder));
        let mut folders = folders.chain([self.policy.ground.absolute(&self.policy.ground.root)]);
        let inside = folders.any(|folder| {
            let folder = folder.trim_end_matches('/');
            full.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if inside {
            return bounds;
        }
        // Which other folders an editor or a flag opens is in no file.
        let because = "the agent's own tools do not leave the folders of the session".to_owned();
        Bounds { best: ruling(Decision::Deny, Basis::BuiltIn, None, because), ..bounds }
    }

    fn server(&self, server: &str, tool: &str) -> Bounds {
        if !self.start.trusted {
            let because = "servers are not started in a folder that is not trusted".to_owned();
            return Bounds::one(ruling(Decision::Deny, Basis::BuiltIn, None, because));
        }
        if let Some((because, place, level)) = self.laid().without(server, tool) {
            let because = format!("{because} ({place})");
            return Bounds::one(ruling(Decision::Deny, Basis::Mode(Some(level)), Some(&place), because));
        }
        let full = named(server, tool);
        let own = [full.as_str(), tool];
        if let Some(gone) = self.laid().gone.iter().find(|gone| gone.sure && own.contains(&gone.name.as_str())) {
            return Bounds::one(taken(&gone.place, gone.level));
        }
        let names = [full.as_str()];
        let bounds = self.plain(Named { names: &names, server: Some(server) });
        match self.laid().gone.iter().find(|gone| !gone.sure) {
            Some(gone) => Bounds { best: taken(&gone.place, gone.level), ..bounds },
            None => bounds,
        }
    }

    /// A command line, which is taken apart.
    fn command(&self, line: &str, heuristics: bool, depth: usize) -> Bounds {
        let tool = Named { names: SHELL, server: None };
        let nodes = nodes::read(line);
        let inner = if nodes.sure && depth < DEEPEST { Some(self.inner(line, &nodes, depth)) } else { None };
        let judge = |rule: Option<&Rule>| {
            let own = self.known(line, rule, heuristics);
            match &inner {
                Some(inner) => self.apart(rule, own, &nodes, inner),
                None => self.uncut(rule, own, &nodes),
            }
        };
        let mut bounds = any(self.first(tool, |rule| rule.fits(line)).into_iter().map(judge));
        if depth > 0 {
            return bounds;
        }
        // What a command begins with is looked for in all arguments of the call, and the tool takes any that the session
        // adds. The commands in a line are held against the rules without them.
        for rule in self.first(tool, |rule| rule.padded(line)).into_iter().flatten() {
            let met = judge(Some(rule)).worst;
            if rule.fits(line) == Fit::No && met.decision > bounds.worst.decision {
                let because = format!("{}, as it is met by any argument that the call adds as well", met.because);
                bounds.worst = Ruling { because, ..met };
            }
        }
        bounds
    }

    /// What a rule for the whole tool says, as the agent bends it for commands that it knows.
    fn known(&self, line: &str, rule: Option<&Rule>, heuristics: bool) -> Bounds {
        let own = self.by(rule);
        if own.decision == Decision::Deny || !heuristics || rule.is_some_and(|rule| !rule.whole()) {
            return Bounds::one(own);
        }
        let bent = |decision, because: &str| ruling(decision, Basis::BuiltIn, None, because.to_owned());
        let asked = |because| Bounds::one(bent(Decision::Ask, because));
        let unbent = Bounds::one(own.clone());
        let untrusted = if self.start.trusted { Fit::No } else { known::git(line) };
        let danger = if self.start.mode == Mode::Yolo { Fit::No } else { known::dangerous(line) };
        let reads = match known::safe(line) {
            Fit::No if !self.laid().unboxed => Fit::May,
            fit if own.decision == Decision::Ask => fit,
            Fit::No | Fit::May | Fit::Sure => Fit::No,
        };
        let read = Bounds::one(bent(Decision::Allow, "the agent takes the command for one that only reads"));
        let read = match reads {
            Fit::No => unbent,
            Fit::May => unbent.or(read),
            Fit::Sure => read,
        };
        let dangerous = asked("the agent always asks about such a command");
        let dangerous = match danger {
            Fit::No => read,
            Fit::May => read.or(dangerous),
            Fit::Sure => dangerous,
        };
        let git = asked("the agent asks about git in a folder that is not trusted");
        match untrusted {
            Fit::No => dangerous,
            Fit::May => dangerous.or(git),
            Fit::Sure => git,
        }
    }

    /// What the commands in a line meet; nothing where the line is one command.
    fn inner(&self, line: &str, nodes: &Nodes, depth: usize) -> Vec<Bounds> {
        let mut met = Vec::new();
        for node in &nodes.commands {
            if let Some((wrapped, sure)) = unwrapped(&node.text) {
                let inner = self.within(&wrapped, depth + 1);
                // What quotes leave of it is not read to the letter, so it may be another command.
                let free = Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, String::new()));
                met.push(if sure { inner } else { inner.or(free) });
            }
            if node.text != line {
                met.push(self.within(&node.text, depth + 1));
            }
        }
        met
    }

    fn within(&self, text: &str, depth: usize) -> Bounds {
        if let Some(met) = self.met.borrow().get(text) {
            return met.clone();
        }
        let met = self.command(text, false, depth);
        self.met.borrow_mut().insert(text.to_owned(), met.clone());
        met
    }

    fn apart(&self, rule: Option<&Rule>, own: Bounds, nodes: &Nodes, inner: &[Bounds]) -> Bounds {
        if own.worst.decision == Decision::Deny {
            return own;
        }
        // A line without any command is one that cannot be taken apart, or one of redirects alone.
        if nodes.commands.is_empty() {
            return own.or(self.failed(rule));
        }
        let redirects = nodes.redirects && !rule.is_some_and(|rule| rule.redirects);
        let mut bounds = own;
        if redirects && matches!(self.start.mode, Mode::Plan | Mode::Default) {
            let because = "a command that redirects is asked about".to_owned();
            bounds = bounds.and(Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, None, because)));
        }
        inner.iter().fold(bounds, |bounds, next| bounds.and(next.clone()))
    }

    /// A line that the agent cannot take apart: everyone is asked, and in the mode that lets everything run it runs.
    fn failed(&self, rule: Option<&Rule>) -> Bounds {
        let because = "the agent cannot take the command line apart".to_owned();
        let decision = match (self.start.mode, self.start.headless) {
            (Mode::Yolo, _) if rule.is_some_and(|rule| !rule.whole()) => Decision::Deny,
            (Mode::Yolo, _) => Decision::Allow,
            (_, true) => Decision::Deny,
            (_, false) => Decision::Ask,
        };
        Bounds::one(ruling(decision, Basis::BuiltIn, None, because))
    }

    /// A line of which it is not known how the agent takes it apart: as the rule says, or as one that it cannot, or with
    /// a command in it that another rule asks about or refuses.
    fn uncut(&self, rule: Option<&Rule>, own: Bounds, nodes: &Nodes) -> Bounds {
        if own.worst.decision == Decision::Deny {
            return own;
        }
        let tool = Named { names: SHELL, server: None };
        let mut bounds = own.or(self.failed(rule));
        // The rules that may be the first to match some command: those above one that matches every command.
        for other in self.laid().rules.iter().filter(|other| self.counts(other, tool)) {
            let own = self.by(Some(other));
            if own.decision < bounds.best.decision {
                bounds.best = own;
            }
            if other.whole() && other.sure {
                break;
            }
        }
        let careful = matches!(self.start.mode, Mode::Plan | Mode::Default);
        if nodes.redirects && careful && bounds.best.decision > Decision::Ask {
            let because = "a command that redirects is asked about".to_owned();
            bounds.best = ruling(Decision::Ask, Basis::BuiltIn, None, because);
        }
        bounds
    }
}

fn taken(place: &Place, level: Level) -> Ruling {
    ruling(Decision::Deny, Basis::Mode(Some(level)), Some(place), format!("the tool is taken away ({place})"))
}

fn hook_doubt(hook: &Hook) -> Doubt {
    Doubt {
        id: "hook".to_owned(),
        reason: GapReason::NotAsked,
        question: format!("ask the {}", hook.what),
        settle: "trying the call with it in place; no setting of Gemini CLI shows its answer".to_owned(),
        place: Some(hook.place.clone()),
    }
}

fn open(policy: &GeminiPolicy, worst: &Ruling) -> Doubt {
    let trusts = policy.starts.iter().any(|start| start.trusted) && policy.starts.iter().any(|start| !start.trusted);
    let (question, settle) = if trusts {
        (
            "whether the folder is trusted, and which rule is the first to match",
            "an entry for the folder in `~/.gemini/trustedFolders.json`, and rules for whole tools or refusals by `commandPrefix`",
        )
    } else {
        (
            "which rule is the first to match",
            "rules for whole tools, or refusals by `commandPrefix` above what is allowed, and a command line that is plain",
        )
    };
    Doubt {
        id: "rules-in-force".to_owned(),
        reason: GapReason::Unsupported,
        question: question.to_owned(),
        settle: settle.to_owned(),
        place: worst.place.clone(),
    }
}
