//! One call, one decision (floor 2).

use super::rules::{Rule, Tool};
use super::{Mode, QwenPolicy};
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, Odd, ruling, unread};
use crate::gate::desk::accepted;
use crate::gate::expression::Fit;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Doubt, Effect, GateDecision, Level, Ruling};
use crate::model::{Decision, Override};

/// Programs that may only read, by what is given to them (`packages/core/src/utils/shellAstParser.ts`).
const READERS: [&str; 35] = [
    "awk", "basename", "cat", "cd", "column", "cut", "df", "dirname", "du", "echo", "find", "git", "grep", "head",
    "less", "ls", "more", "printenv", "printf", "ps", "pwd", "rg", "ripgrep", "sed", "sort", "stat", "tail", "tree",
    "uniq", "wc", "which", "where", "whoami", "time", "[",
];

/// Those of them that do with whatever plain words are given to them.
const SURE: [&str; 11] = ["basename", "cat", "cd", "dirname", "echo", "head", "ls", "pwd", "tail", "wc", "whoami"];

/// What the rules make of a call, before the mode.
#[derive(Clone)]
enum Met<'a> {
    Denied(&'a Rule),
    Asked(&'a Rule),
    /// By a rule, or because it only reads.
    Free(Option<&'a Rule>),
    Open,
}

/// What the gate does with a call.
fn decide(policy: &QwenPolicy, call: &Call) -> GateDecision {
    let mut bounds = policy.answer(call);
    if let Some(place) = &policy.core {
        let because = format!("only listed tools are there ({place}), and whether this one is was not looked at");
        bounds.best = ruling(Decision::Deny, Basis::BuiltIn, Some(place), because);
    }
    let odd = Odd::first(&policy.odd, &mut bounds);
    let mut doubt = odd.map(|odd| odd.doubt("hook", "trying the call with it in place, or taking it away"));
    if let Some((unknown, why)) = unread(&policy.unread) {
        (bounds, doubt) = (unknown, Some(why));
    }
    let Bounds { worst, best } = bounds;
    let doubt = (worst.decision != best.decision).then(|| {
        doubt.unwrap_or_else(|| Doubt {
            id: "rules-in-force".to_owned(),
            reason: GapReason::Unsupported,
            question: "which of its rules the call meets".to_owned(),
            settle: "a command line that is plain, and rules that name its program".to_owned(),
            place: worst.place.clone(),
        })
    });
    let overridable_by = policy.levers(&best);
    let contained = if policy.sandboxed && matches!(call, Call::Shell { .. }) { None } else { Some(false) };
    GateDecision { contained, worst, best, doubt, overridable_by }
}

/// The commands of a line that is plain, as rules are held against them, each with whether a variable is set in front of
/// it or its name is quoted; none if it is not.
fn plain(line: &str) -> Option<Vec<(String, bool)>> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_./:=,@%+~- ;&|\n'\"".contains(c);
    if !line.chars().all(fine) || line.len() > 10_000 {
        return None;
    }
    let (mut commands, mut current) = (Vec::new(), String::new());
    let (mut quote, mut quoted) = (None, false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => {
                // An empty pair makes a word of nothing.
                if chars.peek() == Some(&c) {
                    return None;
                }
                quoted |= !current.trim_start().contains(' ');
                quote = Some(c);
            }
            (Some(open), _) if c == open => quote = None,
            (None, ';' | '&' | '|' | '\n') => {
                if matches!(chars.peek(), Some('&' | '|' | ';')) {
                    chars.next();
                }
                commands.push((std::mem::take(&mut current), std::mem::take(&mut quoted)));
            }
            (_, c) => current.push(c),
        }
    }
    if quote.is_some() {
        return None;
    }
    commands.push((current, quoted));
    let spare = |(command, quoted): (String, bool)| {
        let words: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).collect();
        let assigned = words.iter().take_while(|word| assigns(word)).count();
        (words.get(assigned..).unwrap_or_default().join(" "), quoted || assigned > 0)
    };
    Some(commands.into_iter().map(spare).filter(|(command, odd)| *odd || !command.is_empty()).collect())
}

fn assigns(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

impl QwenPolicy {
    fn mode(&self) -> Mode {
        self.mode.as_ref().map_or(Mode::Auto, |said| said.value)
    }

    /// The modes that the session may be in: in a folder that is not trusted none of those that let more run.
    fn modes(&self) -> Vec<Mode> {
        if self.trust { vec![self.mode(), Mode::Ask] } else { vec![self.mode()] }
    }

    /// What the mode makes of an answer of the rules.
    fn by_mode(&self, met: &Met<'_>, call: &Call) -> Bounds {
        let all = self.modes().into_iter().map(|mode| self.in_mode(mode, met, call));
        all.reduce(Bounds::or).unwrap_or_else(|| Bounds::unknown("nothing decides"))
    }

    fn in_mode(&self, mode: Mode, met: &Met<'_>, call: &Call) -> Bounds {
        let place = self.mode.as_ref().map(|said| &said.place);
        let level = self.mode.as_ref().map(|said| said.level);
        let says = |decision, because: &str| {
            let because = place.map_or_else(|| because.to_owned(), |place| format!("{because} ({place})"));
            Bounds::one(ruling(decision, Basis::Mode(level), place, because))
        };
        let refused =
            |ask: Bounds| if self.headless { says(Decision::Deny, "nobody is there to be asked") } else { ask };
        match (mode, met) {
            (_, Met::Denied(rule)) => Bounds::one(by(rule)),
            (Mode::Yolo, _) => says(Decision::Allow, "everything runs unasked"),
            (Mode::Auto, Met::Free(Some(rule))) => {
                let judged = says(Decision::Reviewed, "a model judges what may not be taken back");
                Bounds::one(by(rule)).or(judged)
            }
            (Mode::Auto, Met::Free(None)) => {
                let free = Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, "it only reads".to_owned()));
                free.or(says(Decision::Reviewed, "a model judges commands"))
            }
            (Mode::Auto, Met::Open) => says(Decision::Reviewed, "a model judges it"),
            (_, Met::Free(Some(rule))) => Bounds::one(by(rule)),
            (_, Met::Free(None)) => {
                Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, "it only reads".to_owned()))
            }
            (Mode::Edits, Met::Open) if matches!(call, Call::Edit { .. } | Call::Fetch { .. }) => {
                says(Decision::Allow, "edits and pages run unasked")
            }
            (Mode::Plan, _) => refused(says(Decision::Ask, "a plan is made first"))
                .or(says(Decision::Deny, "a plan is made first, and nothing else")),
            (_, Met::Asked(rule)) => refused(Bounds::one(by(rule))),
            (_, Met::Open) => refused(says(Decision::Ask, "what no rule names is asked about")),
        }
    }

    fn rules(&self, tool: Tool) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.tool == tool)
    }

    /// Whether a rule that lets something run counts in every mode that the session may be in.
    fn counts(&self, rule: &Rule) -> bool {
        rule.effect != Effect::Allow || !rule.suspended() || !self.modes().contains(&Mode::Auto)
    }

    /// What rules that fit make of a call, the strictest first; those that may fit leave it open.
    fn weighed<'a>(&self, all: Vec<(&'a Rule, Fit)>, otherwise: &[Met<'a>], call: &Call) -> Bounds {
        let first = |effect: Effect| {
            all.iter()
                .find(|(rule, fit)| rule.effect == effect && *fit == Fit::Sure && self.counts(rule))
                .map(|(rule, _)| *rule)
        };
        let sure = first(Effect::Deny).map(Met::Denied);
        let sure = sure.or_else(|| first(Effect::Ask).map(Met::Asked));
        let sure = sure.or_else(|| first(Effect::Allow).map(|rule| Met::Free(Some(rule))));
        let mut met = match &sure {
            Some(sure) => self.by_mode(sure, call),
            None => {
                let each = otherwise.iter().map(|one| self.by_mode(one, call));
                each.reduce(Bounds::or).unwrap_or_else(|| self.by_mode(&Met::Open, call))
            }
        };
        if matches!(sure, Some(Met::Denied(_))) {
            return met;
        }
        for (rule, _) in all.iter().filter(|(rule, fit)| *fit == Fit::May || !self.counts(rule)) {
            let one = match rule.effect {
                Effect::Deny => Met::Denied(rule),
                Effect::Ask => Met::Asked(rule),
                // A rule that counts for nothing leaves nothing open.
                Effect::Allow if !self.counts(rule) && !self.trust => continue,
                Effect::Allow => Met::Free(Some(rule)),
            };
            met = met.or(self.by_mode(&one, call));
        }
        met
    }

    fn answer(&self, call: &Call) -> Bounds {
        match call {
            Call::Shell { command } => self.shell(command, call),
            Call::Read { path } => {
                let full = self.ground.absolute(path);
                let fits = self.rules(Tool::Read).map(|rule| (rule, rule.names_file(&full, &self.ground))).collect();
                let open = if self.inside(&full) { vec![Met::Free(None)] } else { vec![Met::Open, Met::Free(None)] };
                let mut met = self.weighed(fits, &open, call);
                // Its search shows the lines of files unasked, and rules that name files do not bind it.
                if met.worst.decision < Decision::Allow && matches!(&met.worst.basis, Basis::Rule(rule) if !rule.whole)
                {
                    met = met.or(self.by_mode(&Met::Free(None), call));
                }
                if let Some(place) = self.ignored.hides(&full) {
                    let because = format!("the file is hidden from its tools ({place})");
                    met.best = ruling(Decision::Deny, Basis::Mode(Some(Level::Project)), Some(place), because);
                }
                met
            }
            Call::Edit { path } => {
                let full = self.ground.absolute(path);
                let fits = self.rules(Tool::Edit).map(|rule| (rule, rule.names_file(&full, &self.ground))).collect();
                let met = self.weighed(fits, &[Met::Open], call);
                // Where a model judges, files of the workspace are written without it.
                if self.modes().contains(&Mode::Auto) && met.worst.decision == Decision::Reviewed && self.inside(&full)
                {
                    let because = "files of the workspace are written unasked where a model judges".to_owned();
                    return met.or(Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because)));
                }
                met
            }
            Call::Fetch { domain } => {
                let sure = |rule: &Rule| if rule.names_host(domain) { Fit::Sure } else { Fit::No };
                let fits = self.rules(Tool::Fetch).map(|rule| (rule, sure(rule))).collect();
                self.weighed(fits, &[Met::Open], call)
            }
            Call::Mcp { server, tool } => self.server(server, tool, call),
        }
    }

    fn server(&self, server: &str, tool: &str, call: &Call) -> Bounds {
        let off = |said: &super::Said<String>, why: &str| {
            let because = format!("{why} ({})", said.place);
            Bounds::one(ruling(Decision::Deny, Basis::Mode(Some(said.level)), Some(&said.place), because))
        };
        if let Some(said) = self.shut.iter().find(|said| said.value == server) {
            return off(said, "the server is shut out");
        }
        if let Some(said) = self.only.as_ref().filter(|said| !said.value.iter().any(|name| name == server)) {
            let said = super::Said { value: String::new(), place: said.place.clone(), level: said.level };
            // How the list counts with those of other files is not looked at.
            return off(&said, "the server is not listed").or(self.tool(server, tool, call));
        }
        self.tool(server, tool, call)
    }

    fn tool(&self, server: &str, tool: &str, call: &Call) -> Bounds {
        let fit = |rule: &Rule| {
            if rule.names_tool(server, tool) {
                Fit::Sure
            } else if rule.nears_server(server) {
                Fit::May
            } else {
                Fit::No
            }
        };
        let fits = self.rules(Tool::Other).map(|rule| (rule, fit(rule))).collect();
        // A server may be trusted, and a tool may say of itself that it only reads.
        self.weighed(fits, &[Met::Open, Met::Free(None)], call)
    }

    fn inside(&self, full: &str) -> bool {
        let root = self.ground.absolute(&self.ground.root);
        full == root || full.starts_with(&format!("{}/", root.trim_end_matches('/')))
    }

    fn shell(&self, line: &str, call: &Call) -> Bounds {
        let Some(commands) = plain(line) else { return self.anything(call) };
        let each = commands.iter().map(|(command, odd)| {
            let fit = |rule: &Rule| if rule.names_command(command) { Fit::Sure } else { Fit::No };
            let fits = self.rules(Tool::Shell).map(|rule| (rule, fit(rule))).collect();
            let first = command.split(' ').next().unwrap_or_default();
            let otherwise = if *odd {
                vec![Met::Open, Met::Free(None)]
            } else if SURE.contains(&first) && !command.contains('=') {
                vec![Met::Free(None)]
            } else if READERS.contains(&first) && !is_push(command) {
                vec![Met::Free(None), Met::Open]
            } else {
                vec![Met::Open]
            };
            self.weighed(fits, &otherwise, call)
        });
        let nothing = || self.by_mode(&Met::Free(None), call).or(self.by_mode(&Met::Open, call));
        let mut met = each.reduce(Bounds::and).unwrap_or_else(nothing);
        // What a command reads, writes or fetches is held against the rules for files and pages.
        for rule in self.rules.iter().filter(|rule| rule.tool != Tool::Shell && rule.effect != Effect::Allow) {
            let one = if rule.effect == Effect::Deny { Met::Denied(rule) } else { Met::Asked(rule) };
            met = met.clone().or(met.and(self.by_mode(&one, call)));
        }
        met
    }

    /// A line of which it is not sure which rules it meets.
    fn anything(&self, call: &Call) -> Bounds {
        let mut met = self.by_mode(&Met::Open, call).or(self.by_mode(&Met::Free(None), call));
        for rule in &self.rules {
            // A rule for every command names each of them.
            let every = rule.tool == Tool::Shell && rule.specifier.as_deref().is_none_or(|specifier| specifier == "*");
            if rule.effect == Effect::Deny && every {
                return Bounds::one(by(rule));
            }
            let one = match rule.effect {
                Effect::Deny => Met::Denied(rule),
                Effect::Ask => Met::Asked(rule),
                Effect::Allow if rule.tool == Tool::Shell && (self.counts(rule) || self.trust) => Met::Free(Some(rule)),
                Effect::Allow => continue,
            };
            met = met.or(self.by_mode(&one, call));
        }
        met
    }

    fn levers(&self, best: &Ruling) -> Vec<String> {
        if best.decision > Decision::Ask || self.fixed_by(best) {
            return Vec::new();
        }
        let mut levers = self.own_files();
        levers.extend(best.place.as_ref().map(|place| place.path.clone()).filter(|path| !levers.contains(path)));
        levers.push("starting it with `--approval-mode yolo`".to_owned());
        levers
    }

    /// Whether an answer is an administrator's refusal, which holds in every mode.
    fn fixed_by(&self, best: &Ruling) -> bool {
        let managed = matches!(&best.basis, Basis::Rule(rule) if rule.level == Level::Managed);
        managed && best.decision == Decision::Deny && !self.loose
    }

    fn own_files(&self) -> Vec<String> {
        vec![".qwen/settings.json".to_owned(), "~/.qwen/settings.json".to_owned()]
    }
}

/// Whether it is `git push`, which is none of the commands of git that it takes for reading.
fn is_push(command: &str) -> bool {
    let mut words = command.split_whitespace();
    words.next() == Some("git") && words.next() == Some("push")
}

fn by(rule: &Rule) -> Ruling {
    let (decision, verb) = match rule.effect {
        Effect::Deny => (Decision::Deny, "refuses it"),
        Effect::Ask => (Decision::Ask, "asks a person"),
        Effect::Allow => (Decision::Allow, "lets it run unasked"),
    };
    let because = format!("`{}` {verb} ({})", rule.text(), rule.place);
    ruling(decision, Basis::Rule(rule.cited()), Some(&rule.place), because)
}

impl Gated for QwenPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: self.brings.as_ref(), root: &self.ground.root, files: &self.files }
    }

    fn odd(&self) -> &'static [&'static str] {
        // It may take a line that is not plain for one that only reads.
        &["\"$run\""]
    }

    fn lets(&self) -> Vec<Lets> {
        let allowing = self.rules(Tool::Shell).filter(|rule| rule.effect == Effect::Allow);
        let spec = |rule: &Rule| match rule.specifier.as_deref() {
            None => "*".to_owned(),
            Some(specifier) if specifier.contains('*') => specifier.to_owned(),
            Some(specifier) => format!("{specifier} *"),
        };
        let shown = |rule: &Rule| format!("`{}`, which is allowed ({})", rule.text(), rule.place);
        allowing.map(|rule| Lets { spec: spec(rule), shown: shown(rule) }).collect()
    }

    fn own(&self) -> Vec<String> {
        self.own_files()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = Vec::new();
        if !matches!(&met.best.basis, Basis::Rule(rule) if rule.effect == Effect::Deny) {
            steps.push(accepted("switch to the mode `yolo`"));
        }
        if met.best.decision == Decision::Ask {
            steps.push(accepted("approve it for the project, which the prompt offers"));
        }
        steps
    }

    fn fixed(&self, _: &Call, met: &GateDecision) -> bool {
        self.fixed_by(&met.best)
    }

    fn tools(&self, server: &str) -> Vec<String> {
        let prefix = format!("mcp__{server}__");
        let named = self.rules(Tool::Other).filter(|rule| rule.effect == Effect::Allow);
        named.filter_map(|rule| rule.text().strip_prefix(&prefix).map(|tool| tool.replace('*', "x"))).collect()
    }

    fn hides(&self, met: &GateDecision) -> String {
        met.worst.place.as_ref().map_or_else(|| ".qwen/settings.json".to_owned(), |place| place.path.clone())
    }
}
