//! The answer for one very call: the same paths and the same rules, for the gates of that call and what it amounts to
//! (floor 3).

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Serialize;

use super::rows::{self, Numbers};
use super::sentences;
use crate::answer::{self, FromSession, Judged, NO_PATH};
use crate::assessment::{Evidence, PathAnswer};
use crate::bundle::Bundle;
use crate::catalogue;
use crate::id::{NodeId, SessionId, WayId};
use crate::meaning::{Amount, MACHINE, Meaning, Target};
use crate::model::Asset;
use crate::path::case::{Case, Registry, Rights};
use crate::path::explain::story;
use crate::path::{AbleBy, Outcome, Walker};
use crate::policy::Policy;
use crate::power::ground::{Deed, Ground};
use crate::verdict::{Answer, Rank};
use crate::world::{ANY_DELETE, REST, World};

/// How many paths are written out.
const PATHS_SHOWN: usize = 20;

/// The word for a call that is known to destroy nothing.
pub const HARMLESS: &str = "harmless";

/// A call, and by which way each session would make it; nothing, where only the ways of the facts are known.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// What the call amounts to.
    pub meaning: &'a Meaning,
    /// The sessions that are asked about.
    pub sessions: BTreeMap<SessionId, Option<WayId>>,
    /// Why more than the meaning is not known.
    pub doubts: Vec<String>,
}

/// An asset that the call may hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// Its number among the paths.
    pub id: String,
    /// The provider's own id.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// Its provider.
    pub provider: String,
    /// Its kind.
    pub kind: String,
    /// Its environment, if known.
    pub environment: Option<String>,
    /// The answer for it alone.
    pub answer: String,
    /// Whether the call is sure to be called on it, or may be.
    pub sure: bool,
}

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub struct CallAnswer {
    /// `nothing`, `recoverable`, `slowed`, `stopped`, `unknown`; or `harmless`.
    pub answer: String,
    /// The same in a sentence.
    pub sentence: String,
    /// Why it is not known, each in a sentence.
    pub unknown: Vec<String>,
    /// The assets, the worst first.
    pub assets: Vec<Hit>,
    /// Their paths, the worst first.
    pub paths: Vec<PathAnswer>,
    /// What those rest on.
    pub evidence: Vec<Evidence>,
}

/// Answers for one call. Pure, as [`super::assess`] is.
#[must_use]
pub fn call(bundle: &Bundle, policy: &Policy, question: &Question<'_>) -> CallAnswer {
    let meaning = question.meaning;
    if meaning.harmless() && question.doubts.is_empty() {
        return CallAnswer {
            answer: HARMLESS.to_owned(),
            sentence: "It destroys nothing: every part of it is of a form that is known to change no data.".to_owned(),
            unknown: Vec::new(),
            assets: Vec::new(),
            paths: Vec::new(),
            evidence: Vec::new(),
        };
    }
    let world = World::new(bundle, policy, &catalogue::actions());
    let ground = Ground::new(&world);
    let walkers: Vec<Walker<'_, '_>> = question
        .sessions
        .iter()
        .filter_map(|(id, way)| {
            let walker = Walker::new(&ground, policy, world.sessions.get(id)?);
            Some(match way {
                Some(way) => walker.through(way.clone()),
                None => walker,
            })
        })
        .collect();
    let mut unknown: Vec<String> = meaning.doubts.iter().chain(&question.doubts).cloned().collect();
    let hits = hits(&ground, meaning, &mut unknown);
    if walkers.is_empty() {
        unknown.push("no session that would make the call is known".to_owned());
    }
    let judged = judge(&ground, policy, &walkers, &hits);
    answered(&ground, &walkers, &judged, unknown)
}

/// The deeds by which the call may destroy each asset, and whether they are sure to be done.
type Hits = BTreeMap<NodeId, Vec<(Deed, bool)>>;

fn hits(ground: &Ground<'_>, meaning: &Meaning, unknown: &mut Vec<String>) -> Hits {
    let world = ground.world;
    let mut hits = Hits::new();
    for amount in &meaning.amounts {
        let mut found = false;
        for (asset, deeds) in &ground.deeds {
            for deed in deeds {
                let Some(fits) = fits(world, amount, deed) else { continue };
                found |= fits;
                hits.entry(asset.clone()).or_default().push((deed.clone(), fits && amount.sure));
            }
        }
        if found || !amount.sure {
            continue;
        }
        let action = &amount.action;
        let local = amount.provider == MACHINE;
        unknown.push(match &amount.target {
            Target::Named(_) | Target::Any if local => {
                format!("`{action}` destroys what lies on this machine, and the facts hold nothing of that")
            }
            Target::Named(_) => format!("the facts hold nothing of that name that `{action}` can be called on"),
            Target::Any => format!("the facts hold nothing that `{action}` can be called on"),
        });
    }
    for deeds in hits.values_mut() {
        // What is sure by one operation is sure, whatever else may be.
        deeds.sort_by(|a, b| (&a.0, !a.1).cmp(&(&b.0, !b.1)));
        deeds.dedup_by(|next, kept| next.0 == kept.0);
    }
    hits
}

/// Whether a deed is what an amount is: yes, or only if the thing it is called on is one that nobody listed.
fn fits(world: &World, amount: &Amount, deed: &Deed) -> Option<bool> {
    let on = world.assets.get(&deed.on)?;
    if on.provider != amount.provider {
        return None;
    }
    if on.kind == REST || deed.action == ANY_DELETE {
        return Some(false);
    }
    (deed.action == amount.action && deed.entry.is_some() && is_target(&amount.target, on)).then_some(true)
}

/// Whether an asset has a name that a call gives: its id, its name, or the last part of its id.
fn is_target(target: &Target, asset: &Asset) -> bool {
    let Target::Named(names) = target else { return true };
    let id = asset.id.as_str();
    let last = id.rsplit(['/', ':']).next().unwrap_or(id);
    names.iter().any(|name| [id, last, asset.name.as_str()].contains(&name.as_str()))
}

/// An asset with whether the call is sure to hit it.
struct JudgedHit {
    judged: Judged,
    sure: bool,
}

fn judge<'g>(ground: &'g Ground<'_>, policy: &Policy, walkers: &[Walker<'g, '_>], hits: &Hits) -> Vec<JudgedHit> {
    let registry = Registry::new(ground);
    let mut all = Vec::new();
    for (id, deeds) in hits {
        let Some(asset) = ground.world.assets.get(id) else { continue };
        if asset.class.is_container() && ground.world.assets.values().any(|other| other.parent.as_ref() == Some(id)) {
            // It counts through what it holds.
            continue;
        }
        for sure in [true, false] {
            let mine: Vec<&Deed> = deeds.iter().filter(|(_, own)| *own == sure).map(|(deed, _)| deed).collect();
            if mine.is_empty() {
                continue;
            }
            let cases: Vec<(Case<'_, '_>, Rc<Rights>)> =
                mine.iter().map(|deed| (Case::new(ground, &asset.id, deed), registry.rights(deed))).collect();
            let judged = judge_one(ground, policy, walkers, asset, &cases);
            all.push(JudgedHit { judged, sure });
        }
    }
    let order =
        |hit: &JudgedHit| (!hit.sure, hit.judged.worst.order(), hit.judged.best.order(), hit.judged.asset.clone());
    all.sort_by_key(order);
    all
}

fn judge_one<'w>(
    ground: &Ground<'_>,
    policy: &Policy,
    walkers: &[Walker<'_, 'w>],
    asset: &Asset,
    cases: &[(Case<'_, 'w>, Rc<Rights>)],
) -> Judged {
    let mut from = Vec::new();
    for walker in walkers {
        if let Some(paths) = walker.paths(cases, &mut AbleBy::default()) {
            from.push(FromSession { session: walker.session.id.clone(), counted: true, paths });
        }
    }
    from.sort_by(|a, b| {
        let key = |f: &FromSession| (f.paths.worst.order(), f.paths.best.order(), f.session.clone());
        key(a).cmp(&key(b))
    });
    let worse = |x: Outcome, y: Outcome| if y.order() < x.order() { y } else { x };
    let bounds = from.iter().map(|f| (f.paths.worst, f.paths.best)).reduce(|a, b| (worse(a.0, b.0), worse(a.1, b.1)));
    let (worst, best) = bounds.unwrap_or((NO_PATH, NO_PATH));
    let open = from.iter().any(|f| f.paths.open);
    let standing = answer::standing(ground.world, policy, asset);
    Judged { asset: asset.id.clone(), standing, from, worst, best, open, plain: None }
}

fn answered(ground: &Ground<'_>, walkers: &[Walker<'_, '_>], judged: &[JudgedHit], unknown: Vec<String>) -> CallAnswer {
    let world = ground.world;
    let mut numbers = Numbers::new(world);
    let (mut assets, mut paths): (Vec<Hit>, Vec<PathAnswer>) = (Vec::new(), Vec::new());
    let mut first: Option<String> = None;
    for (at, hit) in judged.iter().enumerate() {
        let before = paths.len();
        for from in &hit.judged.from {
            let Some(walker) = walkers.iter().find(|walker| walker.session.id == from.session) else { continue };
            for path in from.paths.shown.iter().take(PATHS_SHOWN.saturating_sub(paths.len())) {
                let told = story(walker, path);
                let answer = numbers.path(walker, path, &told, at, paths.len());
                paths.push(answer);
            }
        }
        let layers = paths.get(before).map(|path| path.layers.clone()).unwrap_or_default();
        let (sentence, _) = sentences::answer(&hit.judged, &layers, &[]);
        let asset = world.assets.get(&hit.judged.asset);
        let name = asset.map_or_else(|| hit.judged.asset.0.clone(), |asset| asset.name.clone());
        first.get_or_insert_with(|| format!("{sentence} ({name})"));
        assets.push(Hit {
            id: format!("A{}", at + 1),
            key: hit.judged.asset.0.clone(),
            name,
            provider: asset.map(|asset| asset.provider.clone()).unwrap_or_default(),
            kind: asset.map(|asset| asset.kind.clone()).unwrap_or_default(),
            environment: hit.judged.standing.environment.clone(),
            answer: hit.judged.answer().word().to_owned(),
            sure: hit.sure,
        });
    }
    let (answer, unknown) = overall(judged, unknown);
    let sentence = match (answer, unknown.first(), first) {
        (Answer::Unknown, Some(why), _) => format!("Unknown: {why}."),
        (_, _, Some(sentence)) => sentence,
        (_, _, None) => "Unknown: nothing that it could be called on is known.".to_owned(),
    };
    CallAnswer { answer: answer.word().to_owned(), sentence, unknown, assets, paths, evidence: numbers.evidence_rows() }
}

/// The answer over all that the call hits. What it only may hit, and what is not known of it, may be worse: so it leaves
/// no other answer than the worst.
fn overall(judged: &[JudgedHit], mut unknown: Vec<String>) -> (Answer, Vec<String>) {
    let worse = |x: Outcome, y: Outcome| if y.order() < x.order() { y } else { x };
    let sure = judged.iter().filter(|hit| hit.sure).map(|hit| (hit.judged.worst, hit.judged.best));
    let Some((worst, best)) = sure.reduce(|a, b| (worse(a.0, b.0), worse(a.1, b.1))) else {
        if unknown.is_empty() {
            unknown.push("whether it hits anything that is known is not sure".to_owned());
        }
        return (Answer::Unknown, unknown);
    };
    if best.rated() == Rank::Nothing && worst.rated() == Rank::Nothing {
        return (Answer::Nothing, unknown);
    }
    let freer = judged.iter().any(|hit| !hit.sure && hit.judged.worst.order() < worst.order());
    if freer && unknown.is_empty() {
        unknown.push("what it may hit besides is less protected".to_owned());
    }
    if worst.order() != best.order() && unknown.is_empty() {
        unknown.push("its layers depend on what was not read".to_owned());
    }
    if unknown.is_empty() && worst.order() == best.order() {
        return (worst.rank().answer(), unknown);
    }
    (Answer::Unknown, unknown)
}

/// What a gate does with a call, as far as the ways in the facts say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// The session.
    pub session: String,
    /// Its agent.
    pub agent: String,
    /// `deny`, `ask`, `reviewed`, `allow` or `unknown`.
    pub decision: String,
    /// Whether a sandbox keeps the call from the network, if known.
    pub contained: Option<bool>,
    /// Whether nobody is there to be asked, if known.
    pub headless: Option<bool>,
    /// What the session may change to get another answer.
    pub overridable_by: Vec<String>,
    /// The deciding rule, as written.
    pub rule: Option<String>,
    /// Where it stands.
    pub source: Option<String>,
    /// Why, in a sentence.
    pub because: String,
}

/// The word that JSON writes for a closed value.
#[must_use]
pub fn word<T: Serialize>(value: &T) -> String {
    rows::word(value)
}
