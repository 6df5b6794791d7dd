//! One call, one decision (floor 2).

use super::{Group, JuniePolicy, LIST, List, Rule, Said, Wanted};
use crate::gate::bounds::{Bounds, Odd, Open, ruling};
use crate::gate::desk::accepted;
use crate::gate::expression::Fit;
use crate::gate::listed::{begins, listed};
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Effect, GateDecision, Level, pattern, shell};
use crate::model::{Decision, Override};

/// Programs that only read, of those that the documentation lets read unasked.
const READS: [&str; 8] = ["ls", "cat", "pwd", "head", "tail", "grep", "wc", "which"];

/// What is not known of it.
const OPEN: Open = Open {
    id: "rule",
    question: "whether brave mode is on, and how a rule is held against a command",
    settle: "trying the call in the agent",
};

/// What the gate does with a call.
fn decide(policy: &JuniePolicy, call: &Call) -> GateDecision {
    let mut met = policy.answer(call);
    let asked = policy.unread.is_empty() && !policy.hooks.is_empty();
    if asked {
        Odd::first(&policy.hooks, &mut met);
    }
    let mut met = met.decided(&policy.unread, &OPEN, || policy.levers());
    if let (Some(hook), true, Some(doubt)) = (policy.hooks.first(), asked, &mut met.doubt) {
        *doubt = hook.doubt("hook", "reading what the hook does");
    }
    met
}

fn by<T>(decision: Decision, said: &Said<T>, why: &str) -> Bounds {
    let because = format!("{why} ({})", said.place);
    Bounds::one(ruling(decision, Basis::Mode(Some(said.level)), Some(&said.place), because))
}

fn built_in(decision: Decision, why: &str) -> Bounds {
    Bounds::one(ruling(decision, Basis::BuiltIn, None, why.to_owned()))
}

impl JuniePolicy {
    fn answer(&self, call: &Call) -> Bounds {
        let on = |said: &Said<bool>| by(Decision::Allow, said, "brave mode asks about nothing");
        // What is typed stands above what files say.
        if let Some(said) = self.brave.iter().find(|said| said.level == Level::Local && said.value) {
            return on(said);
        }
        let met = self.listed(call);
        let met = match &self.headless {
            Some(place) => {
                let why = format!("what it does with nobody there is not said ({place})");
                met.or(built_in(Decision::Allow, &why)).or(built_in(Decision::Deny, &why))
            }
            None => met,
        };
        let Some(said) = self.brave.iter().find(|said| said.value) else { return met };
        // Only where nothing else says otherwise, and a project, which has to be trusted, is not the only one to say so.
        let sure = self.brave.iter().all(|said| said.value) && said.level == Level::User;
        if sure { on(said) } else { met.or(on(said)) }
    }

    /// What the lists say.
    fn listed(&self, call: &Call) -> Bounds {
        let mut met = built_in_for(call, &self.ground.root);
        for list in &self.lists {
            let one = list.answer(call, met.clone());
            met = if list.sure { one } else { met.or(one) };
        }
        met
    }

    fn levers(&self) -> Vec<String> {
        let mut levers = self.own.clone();
        levers.push("switching on brave mode".to_owned());
        levers
    }
}

/// Whether a line is one command and nothing else.
fn plain(command: &str) -> bool {
    shell::split(command)
        .is_ok_and(|parts| parts.len() == 1 && parts.iter().all(|part| part.inner.is_empty() && part.writes.is_empty()))
}

fn built_in_for(call: &Call, root: &str) -> Bounds {
    let asks = || built_in(Decision::Ask, "what no rule names is asked about");
    match call {
        Call::Shell { command } => {
            let reads = plain(command) && READS.contains(&shell::word(command).0);
            let some = || built_in(Decision::Allow, "commands that only read may run unasked");
            if reads { asks().or(some()) } else { asks() }
        }
        Call::Mcp { .. } => asks(),
        Call::Fetch { .. } => Bounds::unknown("whether pages are fetched unasked is not said"),
        Call::Read { path } if path.starts_with(root) => {
            built_in(Decision::Allow, "files of the project are read unasked")
        }
        Call::Edit { path } if path.starts_with(root) => {
            // Scripts of the build are asked about, by whatever name.
            asks().or(built_in(Decision::Allow, "files of the project are written unasked"))
        }
        Call::Read { .. } | Call::Edit { .. } => asks(),
    }
}

impl List {
    fn answer(&self, call: &Call, met: Bounds) -> Bounds {
        let (group, text, plain) = match call {
            Call::Shell { command } => {
                let one = plain(command);
                (&self.commands, command.trim().to_owned(), one)
            }
            Call::Edit { path } => (&self.edits, path.clone(), false),
            Call::Read { path } => (&self.reads, path.clone(), false),
            Call::Mcp { server, tool } => (&self.servers, format!("{server}:{tool}"), true),
            Call::Fetch { .. } => return met,
        };
        let met = self.default(group, call, met);
        let met = match (&self.reading, call) {
            (Some(said), Call::Shell { .. }) if said.value => {
                met.or(by(Decision::Allow, said, "commands that are taken to read alone run unasked"))
            }
            (Some(_) | None, _) => met,
        };
        // The first that fits counts; one that may fit leaves those behind it.
        let mut found: Option<Bounds> = None;
        for rule in &group.rules {
            let fit = rule.fits(&text);
            if fit == Fit::No {
                continue;
            }
            let one = rule.does();
            found = Some(found.map_or_else(|| one.clone(), |found| found.or(one.clone())));
            if fit == Fit::Sure && plain {
                return found.unwrap_or(one);
            }
        }
        found.map_or_else(|| met.clone(), |found| met.clone().or(found))
    }

    /// What is done where no rule fits.
    fn default(&self, group: &Group, call: &Call, met: Bounds) -> Bounds {
        let said = group.default.as_ref().or(self.default.as_ref());
        match said {
            Some(said) if said.value => {
                let free = by(Decision::Allow, said, "what no rule names runs unasked");
                // Documented is only that it may ask.
                if matches!(call, Call::Shell { .. } | Call::Mcp { .. }) { free } else { met.or(free) }
            }
            Some(_) | None => met,
        }
    }
}

/// Whether a text begins with a prefix, where a word of it ends.
fn literally(prefix: &str, text: &str) -> bool {
    let whole = prefix.ends_with(|c: char| !c.is_ascii_alphanumeric());
    text.starts_with(prefix) && (whole || begins(prefix, text))
}

impl Rule {
    fn fits(&self, text: &str) -> Fit {
        match &self.wanted {
            Wanted::Prefix(prefix) if literally(prefix, text) => Fit::Sure,
            // A rule may be held against each part of a line, or against a path from the project's folder.
            Wanted::Prefix(prefix) if text.contains(prefix.as_str()) => Fit::May,
            Wanted::Prefix(_) => Fit::No,
            Wanted::Pattern(glob) if matches!(glob.as_str(), "**" | "*") => {
                if glob == "**" || !text.contains('/') {
                    Fit::Sure
                } else {
                    Fit::May
                }
            }
            Wanted::Pattern(glob) => {
                // `*` stops at a slash, and a list of characters is not read.
                let loose: String = glob
                    .split('[')
                    .map(|part| part.split_once(']').map_or(part, |(_, rest)| rest))
                    .collect::<Vec<_>>()
                    .join("*");
                let plain =
                    !glob.contains(['[', '?']) && (!text.contains('/') || !glob.replace("**", "").contains('*'));
                match (pattern::glob(&loose, text, true), plain) {
                    (true, true) => Fit::Sure,
                    (true, false) => Fit::May,
                    (false, _) if loose.split(['*', '?']).all(|part| text.contains(part)) => Fit::May,
                    (false, _) => Fit::No,
                }
            }
        }
    }

    fn does(&self) -> Bounds {
        let (Wanted::Prefix(text) | Wanted::Pattern(text)) = &self.wanted;
        let at = (&self.said.place, self.said.level);
        if self.allows { listed(text, at, Effect::Allow, "lets it run") } else { listed(text, at, Effect::Ask, "asks") }
    }
}

impl Gated for JuniePolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: None, root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let rules = self.lists.iter().flat_map(|list| &list.commands.rules).filter(|rule| rule.allows);
        let spec = |rule: &Rule| match &rule.wanted {
            Wanted::Prefix(prefix) => format!("{prefix} *"),
            Wanted::Pattern(glob) => glob.split(['[', '?']).next().unwrap_or_default().replace("**", "*") + "*",
        };
        rules.map(|rule| Lets { spec: spec(rule), shown: format!("what is let at {}", rule.said.place) }).collect()
    }

    fn more(&self) -> Vec<String> {
        // What stands behind the first command of a line may not be looked at.
        let rules = self.lists.iter().flat_map(|list| &list.commands.rules).filter(|rule| rule.allows);
        let text = |rule: &Rule| match &rule.wanted {
            Wanted::Prefix(text) | Wanted::Pattern(text) => text.replace(['*', '?', '[', ']'], "x"),
        };
        rules.map(|rule| format!("{} && ./run", text(rule))).collect()
    }

    fn own(&self) -> Vec<String> {
        self.own.clone()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = vec![accepted("switch on brave mode in the session")];
        if met.worst.decision == Decision::Ask {
            steps.push(accepted("let it run for good, which the prompt offers"));
        }
        steps
    }

    fn fixed(&self, _: &Call, _: &GateDecision) -> bool {
        false
    }

    fn tools(&self, server: &str) -> Vec<String> {
        let rules = self.lists.iter().flat_map(|list| &list.servers.rules);
        let text = |rule: &Rule| match &rule.wanted {
            Wanted::Prefix(text) | Wanted::Pattern(text) => text.clone(),
        };
        let prefix = format!("{server}:");
        rules
            .filter_map(|rule| Some(text(rule).strip_prefix(&prefix)?.replace('*', "x")))
            .filter(|tool| !tool.is_empty())
            .collect()
    }

    fn hides(&self, met: &GateDecision) -> String {
        met.worst.place.as_ref().map_or_else(|| LIST.to_owned(), |place| place.path.clone())
    }
}
