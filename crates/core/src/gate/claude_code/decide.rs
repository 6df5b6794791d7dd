//! One call, one decision: hooks, then deny, ask and allow, then the mode (floor 2).

use super::{ClaudePolicy, Event, Hook, Mode, Rule, Start, bash, hook, mcp, sandbox};
use crate::fact::GapReason;
use crate::gate::call::View;
use crate::gate::{Basis, Call, Cited, Doubt, Effect, GateDecision, Level, Ruling, pattern, shell};
use crate::model::Decision;

/// Everything that one answer is given under.
#[derive(Clone, Copy)]
pub(super) struct Court<'a> {
    pub(super) policy: &'a ClaudePolicy,
    pub(super) start: &'a Start,
    pub(super) view: View,
}

/// What the gate does with a call.
pub(super) fn decide(policy: &ClaudePolicy, call: &Call) -> GateDecision {
    let rulings = |view| policy.starts.iter().map(move |start| Court { policy, start, view }.judge(call, 0));
    let unset = || Ruling {
        decision: Decision::Ask,
        basis: Basis::Mode(None),
        place: None,
        because: "the agent asks unless told otherwise".to_owned(),
    };
    let worst = rulings(View::Worst).max_by_key(|ruling| ruling.decision).unwrap_or_else(unset);
    let best = rulings(View::Best).min_by_key(|ruling| ruling.decision).unwrap_or_else(unset);
    let (worst, best, cause) = with_hook(policy, call, worst, best);
    let (worst, best, cause) = with_unread(policy, worst, best, cause);
    let doubt = (worst.decision != best.decision).then(|| cause.unwrap_or_else(|| doubt(policy, &best)));
    let contained = match call {
        Call::Shell { .. } => sandbox::contained(policy),
        Call::Read { .. } | Call::Edit { .. } | Call::Fetch { .. } | Call::Mcp { .. } => Some(false),
    };
    let overridable_by = super::step::levers(policy, &best, matches!(call, Call::Shell { .. }));
    GateDecision { worst, best, doubt, contained, overridable_by }
}

/// A hook may refuse anything, may let run what only the mode would ask about, and may answer a prompt for a person.
fn with_hook(policy: &ClaudePolicy, call: &Call, worst: Ruling, best: Ruling) -> (Ruling, Ruling, Option<Doubt>) {
    let (mut worst, mut best, mut cause) = (worst, best, None);
    let by_rule = |ruling: &Ruling| matches!(ruling.basis, Basis::Rule(_));
    if let Some(found) = hook::seeing(policy, call, Event::Definition)
        && worst.decision < Decision::Allow
        && !by_rule(&worst)
    {
        worst = by_hook(found, Decision::Allow);
        cause = Some(hook_doubt(found));
    }
    if let Some(found) = hook::seeing(policy, call, Event::BeforeUse) {
        if worst.decision < Decision::Allow && !by_rule(&worst) {
            worst = by_hook(found, Decision::Allow);
        }
        // Where a rule asks, a person is asked or a hook refuses: that much is in no doubt.
        let asked = worst.decision == Decision::Ask && by_rule(&worst);
        best = match best.decision {
            Decision::Deny => best,
            Decision::Ask | Decision::Reviewed | Decision::Allow if asked => worst.clone(),
            Decision::Ask | Decision::Reviewed | Decision::Allow => by_hook(found, Decision::Deny),
        };
        cause = (worst.decision != best.decision).then(|| hook_doubt(found)).or(cause);
    }
    if let Some(found) = hook::seeing(policy, call, Event::OnPrompt) {
        if best.decision == Decision::Ask {
            best = by_hook(found, Decision::Deny);
            cause = Some(hook_doubt(found));
        }
        if worst.decision == Decision::Ask {
            worst = by_hook(found, Decision::Allow);
            cause = Some(hook_doubt(found));
        }
    }
    (worst, best, cause)
}

fn by_hook(hook: &Hook, decision: Decision) -> Ruling {
    let because = match hook.event {
        Event::BeforeUse => format!("a hook sees the call ({}), and it is not run to learn its answer", hook.place),
        Event::OnPrompt => format!("a hook answers prompts for the person ({}), and it is not run", hook.place),
        Event::Definition => format!("what `{}` brings may let it run unasked while it is in use", hook.place),
    };
    Ruling { decision, basis: Basis::Hook(hook.level), place: Some(hook.place.clone()), because }
}

fn hook_doubt(hook: &Hook) -> Doubt {
    let (id, reason, question, settle) = match hook.event {
        Event::BeforeUse => {
            ("hook", GapReason::NotAsked, "ask the hook", "a `deny` or `ask` rule, which does not depend on a hook")
        }
        Event::OnPrompt => (
            "prompt-hook",
            GapReason::NotAsked,
            "ask the hook that answers prompts",
            "a `deny` rule, or taking the `PermissionRequest` hook away",
        ),
        Event::Definition => (
            "definition",
            GapReason::Unsupported,
            "which subagents, skills and plugins are in use",
            "a `deny` or `ask` rule, which binds them all",
        ),
    };
    let (id, question, settle) = (id.to_owned(), question.to_owned(), settle.to_owned());
    Doubt { id, reason, question, settle, place: Some(hook.place.clone()) }
}

/// Settings that were not read may say anything; what a rule refuses, they can only undo if they are managed.
fn with_unread(
    policy: &ClaudePolicy,
    worst: Ruling,
    best: Ruling,
    cause: Option<Doubt>,
) -> (Ruling, Ruling, Option<Doubt>) {
    let Some(file) = policy.unread.iter().max_by_key(|file| file.level) else { return (worst, best, cause) };
    let refused = worst.decision == Decision::Deny && matches!(worst.basis, Basis::Rule(_));
    if file.level == Level::State || (refused && file.level != Level::Managed) {
        return (worst, best, cause);
    }
    let by_file = |decision| Ruling {
        decision,
        basis: Basis::Unread,
        place: None,
        because: format!("`{}` could not be read, because {}", file.path, file.reason.words()),
    };
    let doubt = Doubt {
        id: format!("unread/{}", file.path),
        reason: file.reason,
        question: format!("read {}", file.path),
        settle: format!("reading {}", file.path),
        place: None,
    };
    (by_file(Decision::Allow), by_file(Decision::Deny), Some(doubt))
}

/// Why two answers under the same settings differ.
fn doubt(policy: &ClaudePolicy, best: &Ruling) -> Doubt {
    let place = best.place.clone().or_else(|| policy.rules.iter().find(|r| !r.certain).map(|r| r.place.clone()));
    if policy.starts.len() > 1 || policy.starts.iter().any(|start| start.mode == Mode::Plan) {
        return Doubt {
            id: "start-mode".to_owned(),
            reason: GapReason::Unsupported,
            question: "the mode the agent starts in".to_owned(),
            settle: "`permissions.defaultMode` in a settings file".to_owned(),
            place: policy.starts.iter().find_map(|start| start.place.clone()),
        };
    }
    Doubt {
        id: "rules-in-force".to_owned(),
        reason: GapReason::Unsupported,
        question: "which rules are in force".to_owned(),
        settle: "a rule without a wildcard inside it, in strict JSON, in a folder that is trusted".to_owned(),
        place,
    }
}

impl<'a> Court<'a> {
    fn judge(&self, call: &Call, depth: usize) -> Ruling {
        match call {
            Call::Shell { command } => self.command_line(command, depth),
            Call::Read { path } => self.read(path),
            Call::Edit { path } => self.edit(path),
            Call::Fetch { domain } => self.by_rule_or_mode(|rule| fetch_fits(rule, domain)),
            Call::Mcp { server, tool } => self.server(server, tool),
        }
    }

    /// The rules of one effect that are in force in this view.
    fn rules(&self, effect: Effect) -> impl Iterator<Item = &'a Rule> {
        let freer = effect == Effect::Allow;
        let view = self.view;
        self.policy.rules.iter().filter(move |r| r.effect == effect && (r.certain || freer == (view == View::Worst)))
    }

    pub(super) fn by(&self, rule: &Rule) -> Ruling {
        let decision = match rule.effect {
            Effect::Deny => Decision::Deny,
            Effect::Ask if self.start.mode == Mode::DontAsk => Decision::Deny,
            Effect::Ask => Decision::Ask,
            Effect::Allow => Decision::Allow,
        };
        let verb = match rule.effect {
            Effect::Deny => "refuses",
            Effect::Ask => "asks",
            Effect::Allow => "allows",
        };
        let because = format!("`{}` {verb} ({})", rule.text, rule.place);
        let cited = Cited { effect: rule.effect, text: rule.text.clone(), level: rule.level, whole: bash::whole(rule) };
        Ruling { decision, basis: Basis::Rule(cited), place: Some(rule.place.clone()), because }
    }

    fn by_mode(&self) -> Ruling {
        let decision = match (self.start.mode, self.view) {
            (Mode::Default | Mode::AcceptEdits, _) | (Mode::Plan, View::Best) => Decision::Ask,
            (Mode::Plan, View::Worst) if !self.policy.no_bypass => Decision::Allow,
            (Mode::Plan, View::Worst) if self.policy.no_auto => Decision::Ask,
            (Mode::Auto | Mode::Plan, _) => Decision::Reviewed,
            (Mode::DontAsk, _) => Decision::Deny,
            (Mode::Bypass, _) => Decision::Allow,
        };
        self.mode_says(decision)
    }

    fn mode_says(&self, decision: Decision) -> Ruling {
        let mode = match self.start.mode {
            Mode::Default => "`default`",
            Mode::AcceptEdits => "`acceptEdits`",
            Mode::Plan => "`plan`",
            Mode::Auto => "`auto`",
            Mode::DontAsk => "`dontAsk`",
            Mode::Bypass => "`bypassPermissions`",
        };
        let does = match decision {
            Decision::Deny => "refuses it",
            Decision::Ask => "asks a person",
            Decision::Reviewed => "lets a model decide",
            Decision::Allow => "lets it run",
        };
        let because = match &self.start.place {
            Some(place) => format!("no rule decides, and the mode {mode} ({place}) {does}"),
            None => format!("no rule decides, and {mode}, which may be the built-in mode, {does}"),
        };
        Ruling { decision, basis: Basis::Mode(self.start.level), place: self.start.place.clone(), because }
    }

    fn built_in(&self, decision: Decision, because: &str) -> Ruling {
        let decision =
            if decision == Decision::Ask && self.start.mode == Mode::DontAsk { Decision::Deny } else { decision };
        Ruling { decision, basis: Basis::BuiltIn, place: None, because: because.to_owned() }
    }

    fn by_rule(&self, fits: impl Fn(&Rule) -> bool) -> Option<Ruling> {
        [Effect::Deny, Effect::Ask, Effect::Allow]
            .into_iter()
            .find_map(|effect| self.rules(effect).find(|rule| fits(rule)))
            .map(|rule| self.by(rule))
    }

    fn by_rule_or_mode(&self, fits: impl Fn(&Rule) -> bool) -> Ruling {
        self.by_rule(fits).unwrap_or_else(|| self.by_mode())
    }

    fn server(&self, server: &str, tool: &str) -> Ruling {
        // The list is about servers of the project's `.mcp.json`; one of that name in another file still runs.
        let mut off = self.policy.disabled_servers.iter().filter(|_| self.view == View::Best);
        if let Some((name, place, level)) = off.find(|(name, _, _)| name == server) {
            return Ruling {
                decision: Decision::Deny,
                basis: Basis::Mode(Some(*level)),
                place: Some(place.clone()),
                because: format!("the server `{name}` is switched off ({place})"),
            };
        }
        self.by_rule_or_mode(|rule| mcp::fits(rule, server, tool))
    }

    fn command_line(&self, command: &str, depth: usize) -> Ruling {
        if let Some(rule) = self.rules(Effect::Deny).find(|rule| bash::whole(rule)) {
            return self.by(rule);
        }
        let boxed = self.auto_allowed();
        if !boxed && let Some(rule) = self.rules(Effect::Ask).find(|rule| bash::whole(rule)) {
            return self.by(rule);
        }
        match shell::split(command) {
            Ok(parts) if depth <= 4 => parts
                .iter()
                .map(|part| self.part(part, depth, boxed))
                .min_by_key(|ruling| ruling.decision)
                .unwrap_or_else(|| self.built_in(Decision::Allow, "there is nothing to run")),
            Ok(_) | Err(shell::Opaque) => self.opaque(command, boxed),
        }
    }

    /// Whether commands run unasked because a sandbox holds them.
    fn auto_allowed(&self) -> bool {
        let sandbox = &self.policy.sandbox;
        sandbox.on.is_some() && sandbox.auto_allow && (sandbox.sure || self.view == View::Worst)
    }

    /// What cannot be cut here is asked about if the agent cannot cut it either; a rule on part of it may or may not
    /// see it.
    fn opaque(&self, command: &str, boxed: bool) -> Ruling {
        let refused = self.rules(Effect::Deny).find(|rule| bash::tool(rule));
        let fallback = self.by_mode();
        let asked = self.built_in(Decision::Ask, "the command line cannot be taken apart, so a person is asked");
        if self.view == View::Best {
            return refused.map_or(asked, |rule| self.by(rule));
        }
        if boxed {
            return self.built_in(Decision::Allow, "it runs unasked inside the sandbox");
        }
        let narrowed = self.start.mode == Mode::Auto;
        let allowed = self
            .rules(Effect::Allow)
            .find(|rule| bash::mentions(rule, command) && !(narrowed && bash::whole(rule)))
            .map(|rule| self.by(rule));
        allowed.unwrap_or(if fallback.decision > asked.decision { fallback } else { asked })
    }

    fn part(&self, part: &shell::Part, depth: usize, boxed: bool) -> Ruling {
        let own = self.simple(&part.text, part.inner.is_empty(), boxed);
        let writes = part.writes.iter().map(|path| self.edit(path));
        // Whether rules see what a substitution runs is not documented: they do at best only.
        let inner = part.inner.iter().filter(|_| self.view == View::Best);
        let inner = inner.map(|line| self.command_line(line, depth + 1));
        writes.chain(inner).fold(own, |least, next| if next.decision < least.decision { next } else { least })
    }

    fn simple(&self, command: &str, plain: bool, boxed: bool) -> Ruling {
        let sure = self.view == View::Worst;
        let fits = |rule: &Rule| bash::fits(rule, command, sure);
        let found = |effect| self.rules(effect).find(|rule| fits(rule) && !(boxed && bash::whole(rule)));
        if let Some(rule) = found(Effect::Deny).or_else(|| found(Effect::Ask)) {
            return self.by(rule);
        }
        if bash::critical(command, sure) {
            return self.built_in(Decision::Ask, "the agent always asks before it removes such a folder");
        }
        if boxed {
            return self.built_in(Decision::Allow, "it runs unasked inside the sandbox");
        }
        let allowed = self
            .rules(Effect::Allow)
            .find(|rule| bash::fits(rule, command, !sure) && !(self.start.mode == Mode::Auto && bash::whole(rule)));
        if let Some(rule) = allowed {
            return self.by(rule);
        }
        if plain && bash::reads(command) {
            return self.built_in(Decision::Allow, "the agent takes the command for one that only reads");
        }
        if self.start.mode == Mode::AcceptEdits && bash::edits(command) {
            return self.mode_says(Decision::Allow);
        }
        self.by_mode()
    }

    fn read(&self, path: &str) -> Ruling {
        let path = self.policy.ground.absolute(path);
        let named = |rule: &Rule| rule.tool == "Read" || (rule.spec.is_none() && pattern::matches(&rule.tool, "Read"));
        if let Some(ruling) = self.by_rule(|rule| named(rule) && path_fits(self.policy, rule, &path)) {
            return ruling;
        }
        if self.inside(&path) {
            return self.built_in(Decision::Allow, "files in the session's folders are read without asking");
        }
        self.by_mode()
    }

    fn edit(&self, path: &str) -> Ruling {
        let path = self.policy.ground.absolute(path);
        let named = |rule: &Rule| rule.tool == "Edit" || (rule.spec.is_none() && pattern::matches(&rule.tool, "Edit"));
        let fits = |rule: &Rule| named(rule) && path_fits(self.policy, rule, &path);
        let hidden = |rule: &&Rule| rule.tool == "Read" && path_fits(self.policy, rule, &path);
        let refused = self.rules(Effect::Deny).find(|rule| fits(rule) || hidden(rule));
        if let Some(rule) = refused.or_else(|| self.rules(Effect::Ask).find(|rule| fits(rule))) {
            return self.by(rule);
        }
        if protected(&path) {
            return self.by_mode();
        }
        if let Some(rule) = self.rules(Effect::Allow).find(|rule| fits(rule)) {
            return self.by(rule);
        }
        if matches!(self.start.mode, Mode::AcceptEdits | Mode::Auto) && self.inside(&path) {
            return self.mode_says(Decision::Allow);
        }
        self.by_mode()
    }

    fn inside(&self, path: &str) -> bool {
        let root = Some((&self.policy.ground.root, true));
        let folders = self.policy.folders.iter().filter(|(_, sure)| *sure || self.view == View::Worst);
        root.into_iter().chain(folders.map(|(folder, sure)| (folder, *sure))).any(|(folder, _)| {
            let folder = self.policy.ground.absolute(folder);
            let folder = folder.trim_end_matches('/');
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

fn fetch_fits(rule: &Rule, domain: &str) -> bool {
    let named = rule.tool == "WebFetch" || (rule.spec.is_none() && pattern::matches(&rule.tool, "WebFetch"));
    let host = rule.spec.as_deref().map(|spec| spec.strip_prefix("domain:").unwrap_or(spec));
    named && host.is_none_or(|host| pattern::matches(&host.to_lowercase(), &domain.to_lowercase()))
}

/// Whether a rule on paths covers an absolute path.
pub(super) fn path_fits(policy: &ClaudePolicy, rule: &Rule, path: &str) -> bool {
    let Some(spec) = &rule.spec else { return true };
    let ground = &policy.ground;
    let home = ground.home.as_deref().unwrap_or("/~");
    let anchored = if let Some(rest) = spec.strip_prefix("//") {
        format!("/{rest}")
    } else if let Some(rest) = spec.strip_prefix("~/") {
        format!("{home}/{rest}")
    } else if spec.starts_with('/') {
        match rule.level {
            Level::Project | Level::Local => format!("{}{spec}", ground.root),
            Level::User | Level::State => format!("{home}/.claude{spec}"),
            // What a managed rule starts from is not documented: nothing is covered.
            Level::Managed => return false,
        }
    } else {
        let bare = spec.trim_start_matches("./");
        let anywhere = !spec.trim_end_matches('/').contains('/');
        format!("{}/{}{bare}", ground.root, if anywhere { "**/" } else { "" })
    };
    pattern::covers(&anchored, path)
}

/// Whether a path is one that the agent does not write by an allow rule alone.
fn protected(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let claude = parts.iter().position(|part| *part == ".claude").and_then(|at| parts.get(at + 1));
    let loose = claude.is_some_and(|next| matches!(*next, "commands" | "agents" | "skills" | "worktrees"));
    let guarded = [".git", ".vscode", ".idea", ".husky", ".claude"];
    let dotfile = [".bashrc", ".zshrc", ".profile", ".bash_profile", ".gitconfig", ".mcp.json", ".claude.json"];
    !loose
        && (parts.iter().any(|part| guarded.contains(part)) || parts.last().is_some_and(|last| dotfile.contains(last)))
}
