//! One call, one decision (floor 2).

use super::command::{Named, Reads};
use super::{CopilotPolicy, Mode, Rule, SERVER};
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, Odd, ruling, unread};
use crate::gate::nodes::{self, Node, Nodes};
use crate::gate::{Basis, Call, Cited, Doubt, Effect, GateDecision, Level, Ruling};
use crate::model::Decision;

/// What the gate does with a call.
pub(super) fn decide(policy: &CopilotPolicy, call: &Call) -> GateDecision {
    let nodes = if let Call::Shell { command } = call { nodes::read(command) } else { Nodes::default() };
    let own = policy.own(call, &nodes);
    let mut bounds = match policy.managed.over(policy, call, &nodes, &own) {
        // The program takes no notice of rules that others than the administrator may write, but for a user who is one.
        Some(met) if policy.managed.loose => met.or(own),
        Some(met) => met,
        None => own,
    };
    if let Some(place) = &policy.planning {
        let because = "it starts with a plan, and may do nothing else".to_owned();
        bounds.best = ruling(Decision::Deny, Basis::BuiltIn, Some(place), because);
    }
    let bounded = match call {
        Call::Fetch { .. } => policy.managed.bounds_pages,
        Call::Mcp { .. } => policy.managed.bounds_servers,
        Call::Shell { .. } | Call::Read { .. } | Call::Edit { .. } => false,
    };
    if bounded {
        let because = "an administrator bounds which there may be".to_owned();
        bounds.best = ruling(Decision::Deny, Basis::Mode(Some(Level::Managed)), None, because);
    }
    let odd = Odd::first(&policy.odd, &mut bounds);
    let mut doubt = odd.map(|odd| odd.doubt("hook", "trying the call with it in place, or switching it off"));
    if let Some((unknown, why)) = unread(&policy.unread) {
        (bounds, doubt) = (unknown, Some(why));
    }
    if let Some(reason) = policy.server.filter(|_| bounds.worst.decision < Decision::Allow) {
        let because = format!("{SERVER} may let it run, and was not read");
        bounds.worst = ruling(Decision::Allow, Basis::Unread, None, because);
        doubt.get_or_insert(Doubt {
            id: "server-policy".to_owned(),
            reason,
            question: format!("read {SERVER}"),
            settle: "asking who administers the organisation at GitHub, as nothing on the machine shows it".to_owned(),
            place: None,
        });
    }
    let Bounds { worst, best } = bounds;
    let doubt = (worst.decision != best.decision).then(|| doubt.unwrap_or_else(|| policy.open(call, &worst)));
    let overridable_by = policy.levers(&best);
    // What the sandbox lets through is set for each path and host, and what it leaves open by itself is the network.
    let contained = if policy.sandboxed && matches!(call, Call::Shell { .. }) { None } else { Some(false) };
    GateDecision { contained, worst, best, doubt, overridable_by }
}

impl CopilotPolicy {
    /// Where everything was let run, unless that may not be.
    fn all(&self) -> Option<Ruling> {
        let mode = self.mode.as_ref().filter(|mode| mode.value == Mode::AllowAll && !self.headless);
        let place = self.tools.as_ref().or_else(|| mode.map(|mode| &mode.place)).filter(|_| self.bypass.is_none())?;
        let level = mode.map_or(Level::User, |mode| mode.level);
        let because = format!("all tools run unasked ({place})");
        Some(ruling(Decision::Allow, Basis::Mode(Some(level)), Some(place), because))
    }

    /// Whether the mode opens everything, and not tools alone.
    fn opens(&self) -> bool {
        self.all().is_some() && self.tools.is_none()
    }

    /// What a question amounts to: a model may answer it in a person's place where the settings do not say that a person
    /// does, as an organisation may have chosen that for its people.
    pub(super) fn judged(&self, asked: Bounds) -> Bounds {
        if asked.worst.decision != Decision::Ask {
            return asked;
        }
        let mut met = asked;
        if let Some(place) = &self.assisted {
            let because = format!("a model answers what it holds for safe ({place})");
            met = met.or(Bounds::one(ruling(Decision::Reviewed, Basis::Mode(None), Some(place), because)));
        }
        if self.headless {
            return met;
        }
        if let Some(place) = &self.autopilot {
            let because = format!("it starts in autopilot ({place}), where it may have been let do everything");
            met = met.or(Bounds::one(ruling(Decision::Allow, Basis::Mode(None), Some(place), because)));
        }
        match &self.mode {
            Some(mode) if mode.value == Mode::Assisted => {
                let because = format!("a model answers what it holds for safe ({})", mode.place);
                let by = ruling(Decision::Reviewed, Basis::Mode(Some(mode.level)), Some(&mode.place), because);
                met.or(Bounds::one(by))
            }
            Some(_) => met,
            None => {
                let because = "an organisation may have chosen that a model answers, and `defaultPermissionMode` does not \
                               say otherwise";
                met.or(Bounds::one(ruling(Decision::Reviewed, Basis::Mode(None), None, because.to_owned())))
            }
        }
    }

    fn asks(&self, because: &str) -> Bounds {
        self.judged(Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, None, because.to_owned())))
    }

    /// What the gate does without an administrator's rules.
    fn own(&self, call: &Call, nodes: &Nodes) -> Bounds {
        match call {
            Call::Shell { command } => self.shell(command, nodes),
            Call::Read { path } => self.read(path),
            Call::Edit { path } => self.edit(path),
            Call::Fetch { domain } => self.fetch(domain),
            Call::Mcp { server, tool } => self.server(server, tool),
        }
    }

    /// Whether one of the tools of its own is there at all.
    fn without(&self, tools: &[&str]) -> Option<Ruling> {
        let there = match &self.available {
            Some(available) => tools.iter().any(|tool| available.iter().any(|own| own == tool)),
            None => tools.iter().any(|tool| !self.excluded.iter().any(|own| own == tool)),
        };
        let because = "it was started without that tool".to_owned();
        (!there).then(|| ruling(Decision::Deny, Basis::Mode(Some(Level::User)), None, because))
    }

    fn denies<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Rule> {
        self.deny.iter().filter(move |rule| rule.kind == kind)
    }

    fn allows<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Rule> {
        self.allow.iter().filter(move |rule| rule.kind == kind)
    }

    fn shell(&self, line: &str, nodes: &Nodes) -> Bounds {
        if let Some(gone) = self.without(&["bash"]) {
            return Bounds::one(gone);
        }
        if let Some(rule) = self.denies("shell").find(|rule| rule.argument.is_none()) {
            return Bounds::one(by(rule, Effect::Deny));
        }
        let mut met = if nodes.sure {
            let single = nodes.commands.len() == 1;
            let all = nodes.commands.iter().filter(|node| !node.declares);
            let each = all.map(|node| self.node(node, single && node.text == line.trim()));
            // Where nothing is found that could be named, the whole line is what is asked about.
            each.reduce(Bounds::and).unwrap_or_else(|| self.nameless(line))
        } else {
            // Which commands are found in it is not known: each may be one that runs.
            let free = ruling(Decision::Allow, Basis::BuiltIn, None, "nothing in it may be asked about".to_owned());
            let mut met = self.asks("what is not for reading is asked about").or(Bounds::one(free));
            if let Some(all) = self.all() {
                met = Bounds::one(all);
            }
            for rule in self.denies("shell") {
                met = met.or(Bounds::one(by(rule, Effect::Deny)));
            }
            met
        };
        // What a substitution in backticks and some expansions hold is not run, whatever was let run.
        if line.contains('`') || line.contains("${") {
            let because = "it holds an expansion that is refused whatever was let run".to_owned();
            met.best = ruling(Decision::Deny, Basis::BuiltIn, None, because);
        }
        self.around(met, line, nodes)
    }

    /// What is asked about beside the commands: files that are written, paths outside, pages.
    fn around(&self, met: Bounds, line: &str, nodes: &Nodes) -> Bounds {
        let whole = self.opens();
        let outside = !whole && !self.paths && words(line).any(|word| self.leads_out(word));
        let writes =
            self.all().is_none() && nodes.redirects && !self.allows("write").any(|rule| rule.argument.is_none());
        let fetches =
            nodes.commands.iter().any(|node| Named::of(node).fetches) || (!nodes.sure && line.contains("://"));
        let pages = fetches && self.all().is_none() && !self.pages;
        let mut met = met;
        if outside || writes || pages {
            let because = "a file, a folder or a page in it is asked about for itself".to_owned();
            let asked = ruling(Decision::Ask, Basis::BuiltIn, None, because);
            if met.best.decision > Decision::Ask {
                met.best = asked;
            }
        }
        if fetches && let Some(rule) = self.denies("url").next() {
            met.best = by(rule, Effect::Deny);
        }
        met
    }

    fn nameless(&self, line: &str) -> Bounds {
        if line.trim().is_empty() {
            return Bounds::one(ruling(
                Decision::Allow,
                Basis::BuiltIn,
                None,
                "there is nothing to ask about".to_owned(),
            ));
        }
        let text = line.trim();
        let allowed = || self.allows("shell").find(|rule| rule.fits(text)).map(|rule| by(rule, Effect::Allow));
        let met = match self.all().or_else(allowed) {
            Some(free) => Bounds::one(free),
            None => self.asks("what holds no command that it knows is asked about"),
        };
        let refused =
            self.denies("shell").filter(|rule| rule.fits(text)).map(|rule| Bounds::one(by(rule, Effect::Deny)));
        refused.fold(met, Bounds::or)
    }

    /// One command of a line; `alone` if it is all of the line.
    fn node(&self, node: &Node, alone: bool) -> Bounds {
        let named = Named::of(node);
        let mut perhaps = Vec::new();
        for rule in self.denies("shell") {
            let sure = named.name.as_deref().is_some_and(|name| rule.fits(name));
            // Refusals are held against the text as well; of a text in a line of others that is not sure.
            if sure || (alone && rule.fits(&node.text)) {
                return Bounds::one(by(rule, Effect::Deny));
            }
            if rule.fits(&node.text) || rule.fits(&node.full) || (named.name.is_none() && begins(rule, &named.program))
            {
                perhaps.push(rule);
            }
        }
        let mut met = self.unrefused(&named);
        for rule in perhaps {
            met = met.or(Bounds::one(by(rule, Effect::Deny)));
        }
        met
    }

    fn unrefused(&self, named: &Named) -> Bounds {
        if let Some(all) = self.all() {
            return Bounds::one(all);
        }
        let asked = self.asks("what is not for reading is asked about");
        let name = named.name.as_deref();
        let sure =
            self.allows("shell").find(|rule| rule.argument.is_none() || name.is_some_and(|name| rule.fits(name)));
        if let Some(rule) = sure {
            return Bounds::one(by(rule, Effect::Allow));
        }
        let because = "it is taken for a command that only reads".to_owned();
        let reads = || Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because.clone()));
        let met = match named.reads {
            Reads::Yes => return reads(),
            Reads::Perhaps => asked.or(reads()),
            Reads::No => asked,
        };
        match self.allows("shell").find(|rule| name.is_none() && begins(rule, &named.program)) {
            Some(rule) => met.or(Bounds::one(by(rule, Effect::Allow))),
            None => met,
        }
    }

    /// Whether a path is in the session's folder, in one that is open besides, or in that for what is passing.
    fn inside(&self, path: &str) -> bool {
        let full = self.ground.absolute(path);
        let root = self.ground.absolute(&self.ground.root);
        let below = |folder: &str| full == folder || full.starts_with(&format!("{}/", folder.trim_end_matches('/')));
        below(&root) || below("/tmp") || self.folders.iter().any(|folder| below(folder))
    }

    fn leads_out(&self, word: &str) -> bool {
        let word = word.trim_matches(['"', '\'']);
        let path =
            word.starts_with(['/', '~']) || word.starts_with("..") || word.contains("/../") || word.contains("$HOME");
        path && (word.contains('$') || !self.inside(word))
    }

    /// What the tool of a kind meets at a path: refused, let run, or asked about.
    fn at(&self, kind: &str, path: &str, free: bool) -> Bounds {
        if let Some(rule) = self.denies(kind).find(|rule| rule.argument.is_none()) {
            return Bounds::one(by(rule, Effect::Deny));
        }
        let full = self.ground.absolute(path);
        let names = |rule: &&Rule| {
            let argument = rule.argument.as_deref().unwrap_or_default();
            full == argument || full.ends_with(&format!("/{}", argument.trim_start_matches("./")))
        };
        let asked = self.asks("what it writes, and what lies outside its folder, is asked about");
        let granted = self.all().or_else(|| {
            let free_by = || ruling(Decision::Allow, Basis::BuiltIn, None, "files of its folder are open".to_owned());
            let rule = self.allows(kind).find(|rule| rule.argument.is_none() || names(rule));
            if free { Some(free_by()) } else { rule.map(|rule| by(rule, Effect::Allow)) }
        });
        let open = self.inside(path) || self.paths || self.opens();
        let mut met = match granted {
            Some(granted) if open => Bounds::one(granted),
            // Folders that the program keeps for a session are open, and tools of some kinds may be let in elsewhere.
            _ if full.contains("/.copilot/session-state/") => {
                let because = "the folder of the session is open".to_owned();
                asked.or(Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because)))
            }
            Some(_) | None => asked,
        };
        for rule in self.denies(kind).filter(|rule| names(rule)) {
            met = met.or(Bounds::one(by(rule, Effect::Deny)));
        }
        met
    }

    fn read(&self, path: &str) -> Bounds {
        let met = self.at("read", path, true);
        match self.without(&["view", "grep", "rg", "glob"]) {
            Some(gone) => Bounds::one(gone),
            None => met,
        }
    }

    fn edit(&self, path: &str) -> Bounds {
        let met = self.at("write", path, false);
        match self.without(&["edit", "create", "apply_patch"]) {
            Some(gone) => Bounds::one(gone),
            None => met,
        }
    }

    fn fetch(&self, domain: &str) -> Bounds {
        if let Some(gone) = self.without(&["web_fetch"]) {
            return Bounds::one(gone);
        }
        let deny = self.denies("url").find(|rule| url(rule, domain) == Some(true));
        if let Some(rule) = deny {
            return Bounds::one(by(rule, Effect::Deny));
        }
        let mut met = if let Some(all) = self.all() {
            Bounds::one(all)
        } else if self.pages {
            Bounds::one(ruling(Decision::Allow, Basis::Mode(None), None, "all pages are open".to_owned()))
        } else {
            let asked = self.asks("pages are asked about");
            match self.allows("url").find(|rule| url(rule, domain) != Some(false)) {
                Some(rule) if url(rule, domain) == Some(true) => Bounds::one(by(rule, Effect::Allow)),
                Some(rule) => asked.or(Bounds::one(by(rule, Effect::Allow))),
                None => asked,
            }
        };
        for rule in self.denies("url").filter(|rule| url(rule, domain).is_none()) {
            met = met.or(Bounds::one(by(rule, Effect::Deny)));
        }
        met
    }

    fn server(&self, server: &str, tool: &str) -> Bounds {
        if let Some(off) = self.off.iter().find(|off| off.value == server) {
            let because = format!("the server is switched off ({})", off.place);
            return Bounds::one(ruling(Decision::Deny, Basis::Mode(Some(off.level)), Some(&off.place), because));
        }
        let names = |rule: &&Rule| rule.kind == server && rule.argument.as_deref().is_none_or(|own| own == tool);
        if let Some(rule) = self.deny.iter().find(names) {
            return Bounds::one(by(rule, Effect::Deny));
        }
        if let Some(all) = self.all() {
            return Bounds::one(all);
        }
        if let Some(rule) = self.allow.iter().find(names) {
            return Bounds::one(by(rule, Effect::Allow));
        }
        let because =
            "a tool that says of itself that it only reads runs unasked, and what it says is not known".to_owned();
        self.asks("tools of servers are asked about").or(Bounds::one(ruling(
            Decision::Allow,
            Basis::BuiltIn,
            None,
            because,
        )))
    }

    /// What the session may change to get another answer.
    fn levers(&self, best: &Ruling) -> Vec<String> {
        if best.decision > Decision::Ask || self.fixed_by(best) {
            return Vec::new();
        }
        let mut levers = self.own_files();
        levers.extend(best.place.as_ref().map(|place| place.path.clone()).filter(|path| !levers.contains(path)));
        levers.push("starting it with `--allow-all`".to_owned());
        levers
    }

    /// Whether an answer is an administrator's, which the session's own settings do not change.
    pub(super) fn fixed_by(&self, best: &Ruling) -> bool {
        !self.managed.loose
            && match &best.basis {
                Basis::Rule(rule) => rule.level == Level::Managed,
                Basis::Mode(level) => *level == Some(Level::Managed),
                Basis::Hook(_) | Basis::BuiltIn | Basis::Unread => false,
            }
    }

    pub(super) fn own_files(&self) -> Vec<String> {
        vec!["~/.copilot/settings.json".to_owned(), "~/.copilot/permissions-config.json".to_owned()]
    }

    fn open(&self, call: &Call, worst: &Ruling) -> Doubt {
        let reviewed = worst.decision == Decision::Reviewed && self.mode.is_none();
        let (id, question, settle) = match call {
            _ if reviewed => (
                "permission-mode",
                "whether a person or a model is asked",
                "`\"defaultPermissionMode\": \"manual\"` in ~/.copilot/settings.json",
            ),
            Call::Mcp { .. } => (
                "read-only-tools",
                "which tools say of themselves that they only read",
                "a rule that names the server, such as `--deny-tool`",
            ),
            Call::Shell { .. } | Call::Read { .. } | Call::Edit { .. } | Call::Fetch { .. } => (
                "rules-in-force",
                "which of its rules the call meets",
                "a command line that is plain, and rules that name its program",
            ),
        };
        Doubt {
            id: id.to_owned(),
            reason: GapReason::Unsupported,
            question: question.to_owned(),
            settle: settle.to_owned(),
            place: worst.place.clone(),
        }
    }
}

/// The words of a line, cut at blanks and at what joins commands.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c.is_whitespace() || ";|&()<>".contains(c)).filter(|word| !word.is_empty())
}

/// Whether a rule may be about a program.
fn begins(rule: &Rule, program: &str) -> bool {
    rule.argument.as_deref().is_none_or(|argument| {
        let first = argument.split_whitespace().next().unwrap_or_default();
        program.is_empty()
            || program.contains(['$', '`', '{', '*', '?', '['])
            || first.trim_end_matches(":*") == program
    })
}

/// Whether a rule for pages is about a host: surely, surely not, or perhaps.
fn url(rule: &Rule, domain: &str) -> Option<bool> {
    let Some(argument) = &rule.argument else { return Some(true) };
    let bare = argument.strip_prefix("https://").unwrap_or(argument);
    // Pages without encryption, a path or a port are a part of what a host serves.
    if bare.contains("://") || bare.contains(['/', ':', '?', '#', '@']) {
        let host =
            argument.split("://").last().unwrap_or(argument).split(['/', ':', '?', '#']).next().unwrap_or_default();
        let near = domain == host || domain.ends_with(&format!(".{}", host.trim_start_matches("*.")));
        return if near { None } else { Some(false) };
    }
    if bare.eq_ignore_ascii_case(domain) {
        return Some(true);
    }
    // Whether a host stands for those below it differs between rules.
    let below = domain.to_lowercase().ends_with(&format!(".{}", bare.trim_start_matches("*.").to_lowercase()));
    if below || bare.contains('*') { None } else { Some(false) }
}

fn by(rule: &Rule, effect: Effect) -> Ruling {
    let (decision, verb) = match effect {
        Effect::Deny => (Decision::Deny, "refuses it"),
        Effect::Ask => (Decision::Ask, "asks a person"),
        Effect::Allow => (Decision::Allow, "lets it run unasked"),
    };
    let text = rule.text();
    let because = format!("`{text}` {verb} ({})", rule.place);
    let cited = Cited { effect, text, level: rule.level, whole: rule.argument.is_none() };
    ruling(decision, Basis::Rule(cited), Some(&rule.place), because)
}
