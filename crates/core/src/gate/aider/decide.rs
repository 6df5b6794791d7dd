//! One call, one decision (floor 2).

use super::{AiderPolicy, Said};
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, ruling, unread};
use crate::gate::desk::accepted;
use crate::gate::shell::words;
use crate::gate::shown::shown;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Cited, Doubt, Effect, GateDecision, Ruling};
use crate::model::{Decision, Override};

/// What stands for the hooks of git, which may lie anywhere; those that run behind a commit no option passes over.
const HOOKS: &str = ".git/hooks/pre-commit";
const BEHIND: &str = ".git/hooks/post-commit";

/// Its own linter.
const LINTER: &str = "python -m flake8";

/// What the gate does with a call.
fn decide(policy: &AiderPolicy, call: &Call) -> GateDecision {
    let mut bounds = policy.answer(call);
    let mut doubt = None;
    if let Some((unknown, why)) = unread(&policy.unread) {
        (bounds, doubt) = (unknown, Some(why));
    }
    let Bounds { worst, best } = bounds;
    let doubt = (worst.decision != best.decision).then(|| {
        doubt.unwrap_or_else(|| Doubt {
            id: "chat".to_owned(),
            reason: GapReason::NotAsked,
            question: "whether somebody is there, and which files are in the chat".to_owned(),
            settle: "`--started-as \"aider FILE\"`, with a person at the terminal".to_owned(),
            place: worst.place.clone(),
        })
    });
    let overridable_by = if best.decision > Decision::Ask {
        Vec::new()
    } else {
        let mut levers = policy.own_files();
        levers.push("starting it with other options".to_owned());
        levers
    };
    GateDecision { contained: Some(false), worst, best, doubt, overridable_by }
}

fn by<T>(decision: Decision, said: &Said<T>, why: &str) -> Ruling {
    ruling(decision, Basis::Mode(Some(said.level)), Some(&said.place), format!("{why} ({})", said.place))
}

/// A switch, as it usually is where nothing is said of it.
fn on(said: &Option<Said<bool>>, usual: bool) -> bool {
    said.as_ref().map_or(usual, |said| said.value)
}

impl AiderPolicy {
    fn answer(&self, call: &Call) -> Bounds {
        match call {
            Call::Shell { command } => self.shell(command),
            Call::Read { .. } => {
                let because = "lines of files are shown in its map of the repository";
                let shown = Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because.to_owned()));
                self.question("adding a file to the chat is asked about").or(shown)
            }
            Call::Edit { .. } => {
                let because = "files that were added to the chat are written unasked";
                let added = Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because.to_owned()));
                self.question("writing a file that is not in the chat is asked about").or(added)
            }
            Call::Fetch { .. } => self.question("fetching a page is asked about"),
            Call::Mcp { .. } => Bounds::unknown("it calls no servers, and programs derived from it do"),
        }
    }

    fn always(&self) -> Option<&Said<bool>> {
        self.yes.as_ref().filter(|said| said.value)
    }

    /// A question that a plain yes answers.
    fn question(&self, why: &str) -> Bounds {
        match self.always() {
            Some(said) => Bounds::one(by(Decision::Allow, said, "every question is answered with yes")),
            None => self.asked(why),
        }
    }

    /// A question, where a person may be there to answer it.
    fn asked(&self, why: &str) -> Bounds {
        let asks = Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, None, why.to_owned()));
        let why = "nobody may be there, and where its input has ended a question is answered with yes";
        match &self.message {
            Some(said) => asks.or(Bounds::one(by(Decision::Allow, said, why))),
            None if self.started => asks,
            None => asks.or(Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, why.to_owned()))),
        }
    }

    /// What it is given to do, where that may be a command: `/run` and `!` run what stands behind them, and other words may.
    fn given(&self, command: &str) -> Option<Bounds> {
        let said = self.message.as_ref()?;
        let runs = |why: &str| Bounds::one(by(Decision::Allow, said, why));
        let Some(text) = &said.value else {
            return Some(runs("what it is given to do may be a command, and is not read"));
        };
        let text = text.trim();
        let own = text.strip_prefix('!').or_else(|| text.strip_prefix("/run "));
        match own {
            Some(own) => (own.trim() == command).then(|| runs("it is given this command to run")),
            None => text.starts_with('/').then(|| runs("it is given a command of its own, which may run others")),
        }
    }

    fn shell(&self, command: &str) -> Bounds {
        let command = command.trim();
        let set = self.runs().into_iter().find(|said| said.value.trim() == command);
        if let Some(said) = set {
            return self.set(said);
        }
        // The file that was changed is named behind a command for linting.
        let named = |said: &&Said<String>| {
            let rest = command.strip_prefix(said.value.trim()).and_then(|rest| rest.strip_prefix(' '));
            rest.is_some_and(|rest| words(rest).len() == 1)
        };
        let others = self.suggested();
        let others = self.given(command).map_or_else(|| others.clone(), |given| others.clone().or(given));
        match self.linting().into_iter().find(named) {
            Some(said) => self.set(said).or(others),
            None => others,
        }
    }

    /// A command that is set to run by itself.
    fn set(&self, said: &Said<String>) -> Bounds {
        let text = self.shown(said);
        let because = format!("`{text}` is run by itself ({})", said.place);
        let cited = Cited { effect: Effect::Allow, text, level: said.level, whole: false };
        Bounds::one(ruling(Decision::Allow, Basis::Rule(cited), Some(&said.place), because))
    }

    /// A command that the model suggests.
    fn suggested(&self) -> Bounds {
        if let Some(said) = self.suggests.as_ref().filter(|said| !said.value) {
            return Bounds::one(by(Decision::Deny, said, "commands that are suggested are passed over"));
        }
        if let Some(said) = self.always() {
            let passed = Bounds::one(by(Decision::Deny, said, "a command takes a plain yes, and this is none"));
            // Its own linter for Python is looked for in the folder first (`python -m flake8`).
            let runs = on(&self.lints, true) || on(&self.linted, false) || !self.runs().is_empty();
            let why = "files are written unasked, and what runs after each change may be among them";
            return if runs { passed.or(Bounds::one(by(Decision::Allow, said, why))) } else { passed };
        }
        self.asked("a command that is suggested takes a plain yes")
    }

    /// The commands that run by themselves.
    fn runs(&self) -> Vec<&Said<String>> {
        let test = self.test.iter().filter(|_| on(&self.tests, false) || on(&self.tested, false));
        let notify = self.notify.iter().filter(|_| on(&self.notifies, false));
        test.chain(self.linting()).chain(notify).collect()
    }

    /// Those of them for linting.
    fn linting(&self) -> Vec<&Said<String>> {
        let lint = self.lint.iter().map(|(_, said)| said);
        lint.filter(|_| on(&self.lints, true) || on(&self.linted, false)).collect()
    }

    fn shown(&self, said: &Said<String>) -> String {
        let text = shown(&format!("Bash({})", said.value));
        text.strip_prefix("Bash(").and_then(|text| text.strip_suffix(')')).unwrap_or("…").to_owned()
    }

    fn own_files(&self) -> Vec<String> {
        vec!["~/.aider.conf.yml".to_owned(), ".aider.conf.yml".to_owned()]
    }
}

impl Gated for AiderPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: None, root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let run = self.runs().into_iter();
        let run = run
            .map(|said| Lets { spec: said.value.clone(), shown: format!("`{}` ({})", self.shown(said), said.place) });
        let hooks = self.verifies.iter().filter(|said| said.value);
        let hooks = hooks.map(|said| Lets {
            spec: HOOKS.to_owned(),
            shown: format!("the hooks of git, which are not passed over ({})", said.place),
        });
        let behind = on(&self.git, true)
            .then(|| Lets { spec: BEHIND.to_owned(), shown: "the hooks of git that run behind a commit".to_owned() });
        let linter = (on(&self.lints, true) || on(&self.linted, false)).then(|| Lets {
            spec: LINTER.to_owned(),
            shown: "its own linter, which is looked for in the folder".to_owned(),
        });
        run.chain(hooks).chain(behind).chain(linter).collect()
    }

    fn own(&self) -> Vec<String> {
        self.own_files()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = vec![accepted("be started with other options, or with other settings")];
        if met.worst.decision == Decision::Ask {
            steps.push(accepted("be started where its input has ended: a question is then answered with yes"));
        }
        steps
    }

    fn fixed(&self, _: &Call, _: &GateDecision) -> bool {
        false
    }

    fn tools(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn hides(&self, met: &GateDecision) -> String {
        met.worst.place.as_ref().map_or_else(|| ".aider.conf.yml".to_owned(), |place| place.path.clone())
    }
}
