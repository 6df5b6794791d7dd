//! One call, one decision: every way in which the settings may come together (floor 2).

use super::VsCodePolicy;
use super::laid::{Said, Set, Start, Writes};
use super::rules::Rule;
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, Odd, any, ruling, unread};
use crate::gate::expression::Fit;
use crate::gate::nodes::{self, Node, Nodes};
use crate::gate::{Basis, Call, Doubt, GateDecision, Level, Ruling, shell};
use crate::model::Decision;

/// What the terminal's tool is called where settings name it.
const TERMINAL: [&str; 3] = ["runInTerminal", "runCommands/runInTerminal", "execute/runInTerminal"];

/// What the tool that fetches pages is called there.
const FETCH: [&str; 2] = ["fetch", "web/fetch"];

/// Hosts of which the program trusts some by itself (microsoft/vscode `product.json`).
const TRUSTED: [&str; 6] =
    ["visualstudio.com", "microsoft.com", "github.com", "aka.ms", "github.dev", "vscode-unpkg.net"];

/// What the gate does with a call.
pub(super) fn decide(policy: &VsCodePolicy, call: &Call) -> GateDecision {
    let nodes = if let Call::Shell { command } = call { nodes::read(command.trim_start()) } else { Nodes::default() };
    let courts = policy.ways.iter().map(|set| Court { policy, set });
    let mut bounds = any(courts.clone().map(|court| court.answer(call, &nodes)));
    let odd = Odd::first(&policy.odd, &mut bounds);
    let mut doubt = odd.map(|odd| odd.doubt("hook", "trying the call with it in place, or taking its file away"));
    if let Some((unknown, why)) = unread(&policy.unread) {
        (bounds, doubt) = (unknown, Some(why));
    }
    let Bounds { worst, best } = bounds;
    let doubt = (worst.decision != best.decision).then(|| doubt.unwrap_or_else(|| policy.open(call, &worst)));
    let overridable_by = policy.levers(&best);
    let contained = if matches!(call, Call::Shell { .. }) && courts.clone().all(|court| court.bounded()) {
        // Only what is asked about leaves the sandbox, but it is not known whether there is one.
        None
    } else {
        Some(false)
    };
    GateDecision { contained, worst, best, doubt, overridable_by }
}

/// Judges by one set of settings.
#[derive(Clone, Copy)]
struct Court<'a> {
    policy: &'a VsCodePolicy,
    set: &'a Set,
}

impl Court<'_> {
    /// Whether commands run in a sandbox without a network.
    fn bounded(self) -> bool {
        self.set.sandbox.as_ref().is_some_and(|said| said.value) && !self.set.network
    }

    fn answer(self, call: &Call, nodes: &Nodes) -> Bounds {
        if let (Call::Mcp { .. }, Some(said)) = (call, self.set.servers.as_ref().filter(|said| said.value == "none")) {
            let because = format!("servers are switched off ({})", said.place);
            let off = Bounds::one(by_mode(Decision::Deny, said, because));
            // Whether a workspace may say so is not documented.
            return if said.level == Level::Project { off.or(self.open(call, nodes)) } else { off };
        }
        let mut met = self.open(call, nodes);
        if let (Call::Fetch { .. }, Some(said)) = (call, self.set.filter.as_ref().filter(|said| said.value)) {
            let because = format!("pages are open by a list alone ({})", said.place);
            met.best = by_mode(Decision::Deny, said, because);
        }
        match &self.set.host {
            Some(said) if self.set.barred.is_none() => met.or(Bounds::one(started(said))),
            Some(_) | None => met,
        }
    }

    fn open(self, call: &Call, nodes: &Nodes) -> Bounds {
        let level = self.set.start.as_ref().filter(|said| said.value != Start::Ask && self.set.barred.is_none());
        if let Some(said) = level {
            return Bounds::one(started(said));
        }
        match call {
            Call::Shell { command } => self.eligible(&TERMINAL, || self.sandboxed(command.trim_start(), nodes)),
            Call::Read { path } => self.kept(self.read(path)),
            Call::Edit { path } => self.global(|| self.kept(self.edit(path))),
            Call::Fetch { domain } => self.eligible(&FETCH, || self.fetch(domain)),
            Call::Mcp { .. } => self.global(|| {
                let free = "a tool that says of itself that it only reads runs unasked, and what it says is not known";
                asked("tools of servers are asked about").or(Bounds::one(ruling(
                    Decision::Allow,
                    Basis::BuiltIn,
                    None,
                    free.to_owned(),
                )))
            }),
        }
    }

    /// Where all tools run.
    fn global(self, judge: impl Fn() -> Bounds) -> Bounds {
        match self.set.all.as_ref().filter(|said| said.value) {
            Some(said) => {
                Bounds::one(by_mode(Decision::Allow, said, format!("all tools run unasked ({})", said.place)))
            }
            None => judge(),
        }
    }

    /// Whether a tool may run unasked at all, by any of its names.
    fn eligible(self, names: &[&str], judge: impl Fn() -> Bounds) -> Bounds {
        let said: Vec<&Said<bool>> = names.iter().filter_map(|name| self.set.eligible.get(*name)).collect();
        let free = || self.global(|| self.kept(judge()));
        let Some(not) = said.iter().find(|said| !said.value) else { return free() };
        let because = format!("the tool is not to run unasked ({})", not.place);
        let asked = Bounds::one(by_mode(Decision::Ask, not, because));
        if said.iter().any(|said| said.value) { asked.or(free()) } else { asked }
    }

    /// What was approved once and for all is kept where it is not read.
    fn kept(self, met: Bounds) -> Bounds {
        let Some(state) = &self.policy.state else { return met };
        if met.worst.decision != Decision::Ask {
            return met;
        }
        let because = format!("what was approved for good is kept in {state}, which is not read");
        Bounds { worst: ruling(Decision::Allow, Basis::Unread, None, because), best: met.best }
    }

    fn sandboxed(self, line: &str, nodes: &Nodes) -> Bounds {
        let off = self.set.terminal.as_ref().filter(|said| !said.value);
        let met = match off {
            Some(said) => {
                Bounds::one(by_mode(Decision::Ask, said, format!("no command runs unasked ({})", said.place)))
            }
            None => self.shell(line, nodes),
        };
        match self.set.sandbox.as_ref().filter(|said| said.value && off.is_none()) {
            Some(said) => {
                let because = format!("what runs in the sandbox runs unasked ({})", said.place);
                met.or(Bounds::one(by_mode(Decision::Allow, said, because)))
            }
            None => met,
        }
    }

    fn shell(self, line: &str, nodes: &Nodes) -> Bounds {
        if line.is_empty() {
            return Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, "there is nothing to run".to_owned()));
        }
        let met = self.listed(line, nodes);
        if met.worst.decision < Decision::Allow {
            return met;
        }
        let mut met = met;
        if nodes.assigns || nodes.commands.iter().any(|node| node.declares) {
            let because = "a variable is set for itself, of which earlier versions took no notice";
            return met.or(asked(because));
        }
        let writes =
            nodes.redirects || nodes.commands.iter().any(|node| node.words.first().is_some_and(|w| w == "sed"));
        if writes && self.set.writes != Writes::Free {
            met = self.writes(line, met);
        }
        met
    }

    /// What of the rules the line meets.
    fn listed(self, line: &str, nodes: &Nodes) -> Bounds {
        let whole = self.set.rules.iter().filter(|rule| rule.line);
        let each = if nodes.sure {
            let commands: Vec<Bounds> =
                nodes.commands.iter().filter(|node| !node.declares).map(|node| self.node(node)).collect();
            if commands.is_empty() {
                // Versions differ in what they do where there is none.
                let because = "no command is found in it".to_owned();
                return asked(&because).or(Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because)));
            }
            let denied =
                commands.iter().any(|met| met.best.decision == Decision::Ask && met.worst.decision == Decision::Ask);
            let joined = commands.into_iter().reduce(Bounds::and);
            let joined = joined.unwrap_or_else(|| asked("no command is found in it"));
            if denied && self.denied(nodes) {
                return joined;
            }
            joined
        } else {
            // Which commands are found in it is not known: each may be one that a rule is for.
            let any_rule = self.set.rules.iter().find(|rule| rule.approve && !rule.line);
            let free = any_rule.map(|rule| Bounds::one(by_rule(rule)));
            let ask = asked("what is no plain command line is asked about, or is not");
            free.map_or_else(|| ask.clone(), |free| free.or(ask.clone()))
        };
        let mut met = each;
        for rule in whole.clone().filter(|rule| rule.approve) {
            match rule.test.fits(line) {
                Fit::Sure if nodes.sure => met = met.freer(Bounds::one(by_rule(rule))),
                Fit::Sure | Fit::May => met = met.clone().or(Bounds::one(by_rule(rule))),
                Fit::No => {}
            }
        }
        for rule in whole.filter(|rule| !rule.approve) {
            match rule.test.fits(line) {
                Fit::Sure => met = met.and(Bounds::one(by_rule(rule))),
                Fit::May => met = met.clone().or(Bounds::one(by_rule(rule))),
                Fit::No => {}
            }
        }
        met
    }

    /// Whether a rule surely asks about one of the commands, which no rule for the whole line lifts.
    fn denied(self, nodes: &Nodes) -> bool {
        nodes.commands.iter().any(|node| {
            shell_assigns(&node.text)
                || self
                    .set
                    .rules
                    .iter()
                    .any(|rule| !rule.approve && !rule.line && rule.test.fits(&node.text) == Fit::Sure)
        })
    }

    /// One command of a line.
    fn node(self, node: &Node) -> Bounds {
        let text = node.text.as_str();
        if shell_assigns(text) {
            return asked("a variable is set in front of it");
        }
        let rules = || self.set.rules.iter().filter(|rule| !rule.line);
        if let Some(rule) = rules().find(|rule| !rule.approve && rule.test.fits(text) == Fit::Sure) {
            return Bounds::one(by_rule(rule));
        }
        let sure = rules().find(|rule| rule.approve && rule.test.fits(text) == Fit::Sure);
        let mut met = match sure {
            Some(rule) => Bounds::one(by_rule(rule)),
            None => {
                let ask = asked("what no rule lists is asked about");
                let perhaps = rules().find(|rule| rule.approve && rule.test.fits(text) == Fit::May);
                let ask = perhaps.map_or_else(|| ask.clone(), |rule| ask.clone().or(Bounds::one(by_rule(rule))));
                if self.set.scripts && script(&node.words) { ask.or(of_package()) } else { ask }
            }
        };
        for rule in rules().filter(|rule| !rule.approve && rule.test.fits(text) == Fit::May) {
            met = met.or(Bounds::one(by_rule(rule)));
        }
        met
    }

    /// What writing files makes of a line that runs unasked.
    fn writes(self, line: &str, met: Bounds) -> Bounds {
        let ask = asked("a file is written that lies outside the workspace, or may");
        if self.set.writes == Writes::Asked {
            return ask;
        }
        let sed = line.contains("sed");
        let Ok(parts) = shell::split(line) else { return met.or(ask) };
        if sed || line.contains("/dev/") {
            return met.or(ask);
        }
        let strange = |path: &str| path.contains(['$', '(', ')', '{', '}', '`', '~', '%']);
        let paths: Vec<&String> = parts.iter().flat_map(|part| &part.writes).collect();
        let inner = parts.iter().any(|part| !part.inner.is_empty());
        if paths.iter().any(|path| strange(path) || !self.inside(path)) {
            return ask;
        }
        if inner { met.or(ask) } else { met }
    }

    fn inside(self, path: &str) -> bool {
        let ground = &self.policy.ground;
        let (full, root) = (ground.absolute(path), ground.absolute(&ground.root));
        full == root || full.starts_with(&format!("{}/", root.trim_end_matches('/')))
    }

    fn read(self, path: &str) -> Bounds {
        if self.inside(path) {
            return Bounds::one(ruling(
                Decision::Allow,
                Basis::BuiltIn,
                None,
                "files of the workspace are open".to_owned(),
            ));
        }
        let ask = asked("files outside the workspace are asked about");
        match &self.set.reads {
            Some(place) => {
                let because = format!("some folders outside the workspace are open ({place})");
                ask.or(Bounds::one(ruling(Decision::Allow, Basis::Mode(None), Some(place), because)))
            }
            None => ask,
        }
    }

    fn edit(self, path: &str) -> Bounds {
        let ground = &self.policy.ground;
        let (full, root) = (ground.absolute(path), ground.absolute(&ground.root));
        let Some(inner) = full.strip_prefix(root.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/')) else {
            return asked("files outside the workspace are asked about");
        };
        // Folders of the home that begin with a dot are asked about, but where the workspace lies in one.
        let home = ground.home.as_deref().unwrap_or("/");
        let below =
            |path: &str| path.strip_prefix(home.trim_end_matches('/')).is_some_and(|rest| rest.starts_with("/."));
        if below(&full) && !below(&root) {
            return asked("hidden files of the home are asked about");
        }
        let (mut free, mut perhaps, mut place) = (true, false, None);
        for (glob, own, at) in &self.set.edits {
            if *own == free {
                continue;
            }
            match glob.fits(inner) {
                Fit::Sure => (free, place) = (*own, at.as_ref()),
                Fit::May => perhaps = true,
                Fit::No => {}
            }
        }
        let open = Bounds::one(ruling(
            Decision::Allow,
            Basis::BuiltIn,
            place,
            "files of the workspace are written unasked".to_owned(),
        ));
        let ask =
            Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, place, "files of its kind are asked about".to_owned()));
        let named = self.set.eligible.iter().any(|(name, said)| {
            let name = name.to_lowercase();
            !said.value && ["edit", "create", "patch", "replace"].iter().any(|word| name.contains(word))
        });
        // The tool that makes a task and runs it writes there unasked where there is one of that name.
        let tasks = inner == ".vscode/tasks.json";
        match (free, perhaps || named || tasks) {
            (true, false) => open,
            (false, false) => ask,
            (_, true) => open.or(ask),
        }
    }

    fn fetch(self, domain: &str) -> Bounds {
        let ask = asked("pages are asked about");
        let mut met = ask.clone();
        for (pattern, free, place, level) in &self.set.urls {
            let Some(sure) = of_host(pattern, domain) else { continue };
            let because = format!("the page is listed ({place})");
            let open = Bounds::one(ruling(Decision::Allow, Basis::Mode(Some(*level)), Some(place), because));
            met = match free {
                Some(true) if sure && met.best.decision == Decision::Ask && met.worst.decision == Decision::Ask => open,
                Some(true) | None => met.or(open),
                Some(false) => met.or(ask.clone()),
            };
        }
        if self.set.urls.iter().any(|(pattern, free, _, _)| *free != Some(true) && of_host(pattern, domain).is_some()) {
            met = met.or(ask.clone());
        }
        if TRUSTED.iter().any(|host| domain == *host || domain.ends_with(&format!(".{host}"))) {
            let because = "the program trusts some hosts by itself".to_owned();
            met = met.or(Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because)));
        }
        met
    }
}

impl VsCodePolicy {
    /// What the session may change to get another answer.
    fn levers(&self, best: &Ruling) -> Vec<String> {
        if best.decision > Decision::Ask || self.fixed_by(best) {
            return Vec::new();
        }
        let mut levers = self.own_files();
        levers.extend(best.place.as_ref().map(|place| place.path.clone()).filter(|path| !levers.contains(path)));
        levers.push("choosing another level of permissions".to_owned());
        levers
    }

    /// Whether an answer is an administrator's, which the session's own settings do not change.
    pub(super) fn fixed_by(&self, best: &Ruling) -> bool {
        let managed = matches!(&best.basis, Basis::Mode(Some(Level::Managed)));
        // A level at which everything runs stands above what may not run unasked, but where that is barred as well.
        let barred = self.ways.iter().all(|set| set.barred.is_some());
        managed && !self.loose && (barred || best.decision == Decision::Deny)
    }

    pub(super) fn own_files(&self) -> Vec<String> {
        let user = self.files.iter().find(|path| path.ends_with("/User/settings.json"));
        let user = user.cloned().unwrap_or_else(|| "~/.config/Code/User/settings.json".to_owned());
        vec![".vscode/settings.json".to_owned(), user]
    }

    fn open(&self, call: &Call, worst: &Ruling) -> Doubt {
        let (id, question, settle) = match (call, &self.state) {
            (_, Some(state)) if worst.basis == Basis::Unread => (
                "approvals",
                format!("read {state}"),
                "`chat.tools.eligibleForAutoApproval` with `false` for the tool, in the user's settings",
            ),
            (Call::Mcp { .. }, _) => (
                "read-only-tools",
                "which tools say of themselves that they only read".to_owned(),
                "switching the server off, or `chat.tools.eligibleForAutoApproval`",
            ),
            (_, _) => (
                "rules-in-force",
                "which of the settings and rules the call meets".to_owned(),
                "a command line that is plain, rules that are no expressions, and a folder that is trusted or is not",
            ),
        };
        let reason = if id == "approvals" { GapReason::NotAsked } else { GapReason::Unsupported };
        Doubt { id: id.to_owned(), reason, question, settle: settle.to_owned(), place: worst.place.clone() }
    }
}

fn asked(because: &str) -> Bounds {
    Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, None, because.to_owned()))
}

fn started(said: &Said<Start>) -> Ruling {
    let (decision, how) = match said.value {
        Start::All => (Decision::Allow, "sessions start so that everything runs"),
        Start::Judged => (Decision::Reviewed, "a model holds back what it holds for dangerous, and the rest runs"),
        Start::Ask => (Decision::Ask, "sessions start so that a person is asked"),
    };
    by_mode(decision, said, format!("{how} ({})", said.place))
}

fn by_mode<T>(decision: Decision, said: &Said<T>, because: String) -> Ruling {
    ruling(decision, Basis::Mode(Some(said.level)), Some(&said.place), because)
}

fn by_rule(rule: &Rule) -> Ruling {
    let (decision, verb) =
        if rule.approve { (Decision::Allow, "lets it run unasked") } else { (Decision::Ask, "asks a person") };
    let because = format!("`{}` {verb} ({})", rule.text(), rule.at());
    ruling(decision, Basis::Rule(rule.cited()), rule.place.as_ref(), because)
}

fn of_package() -> Bounds {
    let because = "scripts of `package.json` run unasked, and whether this is one was not read".to_owned();
    Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because))
}

/// Whether a command begins with a variable that is set for it.
fn shell_assigns(text: &str) -> bool {
    let name: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && text.get(name.len()..).is_some_and(|rest| rest.starts_with('='))
}

/// Whether a command may run a script of `package.json`.
fn script(words: &[String]) -> bool {
    let word = |at: usize| words.get(at).map(|word| word.to_ascii_lowercase());
    match (word(0).as_deref(), word(1).as_deref()) {
        (Some("npm"), Some(sub)) => {
            ["run", "run-script"].contains(&sub)
                || ["test", "start", "stop", "restart"].iter().any(|own| sub.starts_with(own))
        }
        (Some("yarn" | "pnpm"), Some(_)) => true,
        _ => false,
    }
}

/// Whether a pattern for pages is for a host: surely all of it, or perhaps; nothing if it is not.
fn of_host(pattern: &str, domain: &str) -> Option<bool> {
    let bare = pattern.split_once("://").map_or(pattern, |(_, rest)| rest);
    let (host, path) = bare.split_once('/').map_or((bare, ""), |(host, path)| (host, path));
    let whole = matches!(path, "" | "*" | "**");
    if host.eq_ignore_ascii_case(domain) {
        return Some(whole && !pattern.starts_with("http://"));
    }
    let near =
        host.contains(['*', '?', '{', '[']) || domain.to_lowercase().ends_with(&format!(".{}", host.to_lowercase()));
    near.then_some(false)
}
