//! What is told in the room, and what is asked: from the paths of an assessment, by templates alone (floor 3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::assessment::{Assessment, AssetAnswer, Layer, PathAnswer};
use crate::bundle::short_hash;
use crate::headline::capital;
use crate::render::Shown;
use crate::verdict::{Answer, LayerName, LayerState, Rank};

/// What an inject is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// Nothing stops the call.
    Succeeds,
    /// Something only slows it.
    Bypassed,
    /// No copy outlives it.
    CopiesGone,
    /// A copy does, which nobody restored.
    Untested,
    /// What comes back is too late or too old.
    OutsideObjectives,
    /// A setting that was not read turns out to be off.
    NotKnown,
    /// The same credential reaches more.
    NextAsset,
    /// A person has to say yes.
    Approval,
    /// Layers stop it: do people know which?
    Control,
}

/// One inject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inject {
    /// `I-01`.
    pub id: String,
    /// When in the story.
    pub at: &'static str,
    /// What it is about.
    pub trigger: Trigger,
    /// The key of its path; of its asset, where there is no path.
    pub path: String,
    /// A hash of the facts that it tells.
    pub facts_hash: String,
    /// A few words.
    pub title: String,
    /// What happens, in a few sentences.
    pub text: String,
    /// What the participants are told: no more than they would see.
    pub seen: String,
    /// What is asked.
    pub questions: Vec<&'static str>,
    /// What the facts say to that.
    pub expected: String,
}

/// The most injects for an hour and a half.
const MOST: usize = 8;
/// The most of one asset, so that there is time for another.
const MOST_OF_ONE: usize = 3;
/// When injects come, in the story.
const CLOCK: [&str; MOST] = ["T+0", "T+20", "T+60", "T+90", "T+2 h", "T+4 h", "T+8 h", "day 2"];

/// The injects of an assessment: the worst production asset first, three of each at most, eight in all.
#[must_use]
pub fn injects(assessment: &Assessment) -> Vec<Inject> {
    let paths: BTreeMap<&str, &PathAnswer> = assessment.paths.iter().map(|path| (path.id.as_str(), path)).collect();
    let mut all: Vec<Inject> = Vec::new();
    for asset in assessment.assets.iter().filter(|asset| asset.in_headline) {
        let path = asset.worst_path.as_deref().and_then(|id| paths.get(id).copied());
        let scene = Scene { assessment, asset, path };
        all.extend(scene.injects().into_iter().take(MOST_OF_ONE));
        if all.len() >= MOST {
            break;
        }
    }
    all.truncate(MOST);
    for ((number, inject), at) in all.iter_mut().enumerate().zip(CLOCK) {
        inject.id = format!("I-{:02}", number + 1);
        inject.at = at;
    }
    all
}

/// A reason as a sentence begins.
fn sentence(because: &str) -> String {
    capital(Shown::line(because).as_str())
}

struct Scene<'a> {
    assessment: &'a Assessment,
    asset: &'a AssetAnswer,
    path: Option<&'a PathAnswer>,
}

impl Scene<'_> {
    fn injects(&self) -> Vec<Inject> {
        let mut all = Vec::new();
        let state = |name: LayerName| self.layer(name).map(|layer| layer.state);
        let gets_past = self.asset.rated != Rank::Stopped;
        let open = self.asset.answer != Answer::Unknown && gets_past;
        let slowed = LayerName::ALL
            .iter()
            .take(4)
            .find_map(|name| self.layer(*name).filter(|layer| layer.state == LayerState::Slows));
        match slowed {
            Some(layer) if gets_past => all.push(self.bypassed(layer)),
            _ if open => all.push(self.succeeds()),
            _ => {}
        }
        if self.asset.answer == Answer::Unknown {
            all.extend(self.not_known());
        }
        if open {
            if self.asset.outside_rpo_rto {
                all.push(self.outside());
            }
            match (state(LayerName::Survive), state(LayerName::Restore)) {
                (Some(LayerState::Open | LayerState::Slows), _) => all.push(self.copies_gone()),
                (_, Some(LayerState::Slows)) => all.push(self.untested()),
                _ => {}
            }
            all.extend(self.next_asset());
        }
        if !gets_past {
            let asks = self.layer(LayerName::Confirm).filter(|layer| layer.state == LayerState::Stops);
            all.push(asks.map_or_else(|| self.control(), |layer| self.approval(layer)));
        }
        all
    }

    fn layer(&self, name: LayerName) -> Option<&Layer> {
        self.asset.layers.iter().find(|layer| layer.layer == name)
    }

    fn because(&self, name: LayerName) -> String {
        self.layer(name).map_or_else(String::new, |layer| sentence(&layer.because))
    }

    fn name(&self) -> String {
        Shown::name(&self.asset.name).to_string()
    }

    /// Who calls what, in words.
    fn call(&self) -> String {
        let Some(path) = self.path else { return "A session calls delete".to_owned() };
        let who = path.principals.last().map_or_else(|| "someone".to_owned(), |name| Shown::name(name).to_string());
        let on = path.on.as_ref().map(|on| format!(" on {}", Shown::name(on))).unwrap_or_default();
        format!("{who} calls {}{on}", Shown::name(&path.action))
    }

    fn inject(
        &self,
        trigger: Trigger,
        title: &str,
        text: String,
        seen: String,
        questions: &[&'static str],
        expected: String,
    ) -> Inject {
        let path = self.path.map_or(self.asset.key.as_str(), |path| path.key.as_str()).to_owned();
        let states = self.asset.layers.iter().map(|layer| layer.state.word()).collect::<Vec<_>>().join(" ");
        Inject {
            facts_hash: short_hash(&format!("{states}\n{}\n{text}\n{expected}", self.asset.answer.word())),
            id: String::new(),
            at: "",
            trigger,
            path,
            title: format!("{}: {title}", self.name()),
            text,
            seen,
            questions: questions.to_vec(),
            expected,
        }
    }

    fn succeeds(&self) -> Inject {
        let took = self.path.and_then(|path| path.destroys_in).map(|span| format!(" It takes {}.", span.human()));
        let text =
            format!("{}. No layer stops it, and {} is gone.{}", self.call(), self.name(), took.unwrap_or_default());
        let seen = format!("Something is wrong with {}: nothing that uses it works.", self.name());
        let expected = format!("{} {}", Shown::line(&self.asset.sentence), self.chain());
        self.inject(
            Trigger::Succeeds,
            "the delete call succeeds",
            text,
            seen,
            &[
                "Who learns of it first, and how?",
                "Can the credential be revoked in under five minutes, and what stops with it?",
                "What does one hour without it cost?",
            ],
            expected,
        )
    }

    fn bypassed(&self, layer: &Layer) -> Inject {
        let step = layer.bypass.as_deref().unwrap_or("take it away");
        let text = format!(
            "The first attempt is held up at {}: {}. The agent goes round it ({}), and deletes {}.",
            layer.layer.title(),
            Shown::line(&layer.because),
            Shown::line(step),
            self.name()
        );
        let seen = format!("A setting of {} was changed, and minutes later it was gone.", self.name());
        let expected = format!("The step is in the agent's own power: {}. {}", Shown::line(step), self.chain());
        self.inject(
            Trigger::Bypassed,
            "what slows it is taken away first",
            text,
            seen,
            &[
                "Who sees the step that takes the protection away?",
                "How long is it from that step to the delete, and does anyone get there in time?",
            ],
            expected,
        )
    }

    fn copies_gone(&self) -> Inject {
        let seen = format!("Someone asks which backup {} is restored from.", self.name());
        let text = format!("The copies are not where they are looked for. {}.", self.because(LayerName::Survive));
        let copies = self.asset.recovery_points.iter();
        let list: Vec<String> =
            copies.map(|copy| format!("{}: {}", Shown::name(&copy.name), Shown::line(&copy.because))).collect();
        let expected = if list.is_empty() { self.because(LayerName::Survive) } else { list.join("; ") };
        self.inject(
            Trigger::CopiesGone,
            "backups are not where you expect",
            text,
            seen,
            &["Which copy do you restore from?", "Who can reach that copy, and with which credential?"],
            expected,
        )
    }

    fn untested(&self) -> Inject {
        let seen = format!("There is a copy of {}. Someone has to bring it back.", self.name());
        let text =
            format!("A copy is there, and nobody is known to have restored it. {}.", self.because(LayerName::Restore));
        self.inject(
            Trigger::Untested,
            "the restore begins",
            text,
            seen,
            &[
                "Who has done this before, and where is it written down?",
                "How long will it take, and what makes you think so?",
            ],
            self.because(LayerName::Restore),
        )
    }

    fn outside(&self) -> Inject {
        let objective =
            |name: &str, span: Option<crate::time::Span>| span.map(|span| format!("{name} {}", span.human()));
        let wanted: Vec<String> =
            objective("RPO", self.asset.rpo).into_iter().chain(objective("RTO", self.asset.rto)).collect();
        let text = format!(
            "{} comes back later, or older, than was agreed ({}). {}.",
            self.name(),
            wanted.join(", "),
            self.because(LayerName::Restore)
        );
        let seen = format!("The restore of {} goes on, and the time that was agreed is over.", self.name());
        self.inject(
            Trigger::OutsideObjectives,
            "the objective is missed",
            text,
            seen,
            &["Who decides to run without it?", "Who tells customers, and when?"],
            Shown::line(&self.asset.sentence).to_string(),
        )
    }

    fn not_known(&self) -> Option<Inject> {
        let layer = self.asset.layers.iter().find(|layer| layer.state == LayerState::Unknown)?;
        let text = format!(
            "What nobody could read turns out at its worst: {} does not hold. {}.",
            layer.layer.title(),
            sentence(&layer.because)
        );
        let asked: Vec<String> = self
            .assessment
            .gaps
            .iter()
            .filter(|gap| layer.gaps.contains(&gap.id))
            .map(|gap| format!("{}: {}", Shown::line(&gap.asked), Shown::line(&gap.came_back)))
            .collect();
        let expected = if asked.is_empty() { "It is not known.".to_owned() } else { asked.join("; ") };
        Some(self.inject(
            Trigger::NotKnown,
            "the unknown setting is off",
            text,
            format!("{} is gone. Everyone thought that it could not be deleted.", self.name()),
            &["Who could have told us that before?", "Why could the audit not read it, and who can change that?"],
            expected,
        ))
    }

    fn next_asset(&self) -> Option<Inject> {
        let credential = self.path?.credential.as_deref()?;
        let reaches = |path: &&PathAnswer| {
            path.credential.as_deref() == Some(credential)
                && path.asset != self.asset.id
                && !matches!(path.answer, Answer::Stopped | Answer::Unknown)
        };
        let ids: Vec<&str> = self.assessment.paths.iter().filter(reaches).map(|path| path.asset.as_str()).collect();
        let mut others =
            self.assessment.assets.iter().filter(|asset| asset.in_headline && ids.contains(&asset.id.as_str()));
        let next = Shown::name(&others.next()?.name);
        let more = others.count();
        let and = if more == 0 { String::new() } else { format!(", and {more} more after it") };
        Some(self.inject(
            Trigger::NextAsset,
            "the agent is still running",
            format!("The same credential reaches {next}{and}. The agent works down its list."),
            "The agent that did it has not been stopped.".to_owned(),
            &["Who may switch the agent off, and do they know how?", "Are they reachable now?"],
            format!("{next} is next{and}, with the credential that was used."),
        ))
    }

    fn approval(&self, layer: &Layer) -> Inject {
        self.inject(
            Trigger::Approval,
            "one of forty requests is a delete",
            format!(
                "Forty requests of agents wait for a person, and one of them deletes {}. {}.",
                self.name(),
                sentence(&layer.because)
            ),
            "Forty requests of agents wait for your yes.".to_owned(),
            &["Would whoever approves notice it?", "What do they see of the call, and of what it destroys?"],
            Shown::line(&layer.because).to_string(),
        )
    }

    fn control(&self) -> Inject {
        let stops = self.asset.layers.iter().filter(|layer| layer.state == LayerState::Stops);
        let list: Vec<String> =
            stops.map(|layer| format!("{}: {}", layer.layer.title(), Shown::line(&layer.because))).collect();
        self.inject(
            Trigger::Control,
            "the call is refused",
            format!("{}, and it is refused.", self.call()),
            format!("An agent was refused the delete of {}.", self.name()),
            &["What refused it, and who could take that away?", "Who learns that it was tried?"],
            list.join("; "),
        )
    }

    fn chain(&self) -> String {
        let chain = self.path.map(|path| path.chain.iter().map(|hop| Shown::line(hop).to_string()).collect::<Vec<_>>());
        chain
            .filter(|chain| !chain.is_empty())
            .map(|chain| format!("The way: {}.", chain.join(" → ")))
            .unwrap_or_default()
    }
}
