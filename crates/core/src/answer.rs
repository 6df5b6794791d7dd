//! From paths to one answer per asset: which assets count, under which bounds (floor 2).

use std::rc::Rc;

use crate::beside;
use crate::fact::Fact;
use crate::id::{NodeId, SessionId};
use crate::model::Asset;
use crate::path::case::{Case, Registry, Rights};
use crate::path::{AbleBy, Outcome, Path, Paths, Walker};
use crate::pattern;
use crate::policy::Policy;
use crate::power::ground::Ground;
use crate::verdict::{Answer, Prevention, Rank, Recovery};
use crate::world::World;

/// What an asset counts as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its environment, if known.
    pub environment: Option<String>,
    /// Whether it is taken for production only because its environment is not known.
    pub assumed: bool,
    /// Whether the headline counts it.
    pub in_headline: bool,
    /// What the configuration said and was not believed.
    pub ignored: Option<String>,
}

/// The paths of one session to an asset.
#[derive(Clone, Debug)]
pub struct FromSession {
    /// The session.
    pub session: SessionId,
    /// Whether the headline counts it.
    pub counted: bool,
    /// The paths.
    pub paths: Paths,
}

/// An asset with its bounds.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The asset.
    pub asset: NodeId,
    /// What it counts as.
    pub standing: Standing,
    /// Paths by session, counted sessions first, worst first.
    pub from: Vec<FromSession>,
    /// The worst it may be.
    pub worst: Outcome,
    /// The best it may be.
    pub best: Outcome,
    /// Whether something of prevention is known to be open on some path.
    pub open: bool,
    /// The bounds for any other program, where agents were found.
    pub plain: Option<(Outcome, Outcome)>,
}

/// The outcome of an asset that no session has a path to.
pub const NO_PATH: Outcome = Outcome { prevention: Prevention::Stopped, recovery: Recovery::None, outside: false };

impl Judged {
    /// The answer: that of both bounds if they agree by rank.
    #[must_use]
    pub fn answer(&self) -> Answer {
        if self.worst.order() == self.best.order() { self.worst.rank().answer() } else { Answer::Unknown }
    }

    /// The path that sets the lower bound, with its session.
    #[must_use]
    pub fn worst_path(&self) -> Option<(&SessionId, &Path)> {
        let counted = self.from.iter().filter(|from| from.counted);
        let firsts = counted.filter_map(|from| from.paths.shown.first().map(|path| (&from.session, path)));
        firsts.min_by(|a, b| (a.1.order(), a.0).cmp(&(b.1.order(), b.0)))
    }

    /// Whether nothing that was read slows or stops it, though its best is not known.
    #[must_use]
    pub fn nothing_read_stops(&self) -> bool {
        self.worst.rated() == Rank::Nothing
            && self.worst_path().is_some_and(|(_, path)| {
                let states = path.states();
                let before = states.iter().take(4);
                before.clone().all(|state| {
                    matches!(state, crate::verdict::LayerState::Open | crate::verdict::LayerState::Unknown)
                })
            })
    }
}

/// Judges every asset for every session. `only_bounds` leaves out what the headline does not need.
#[must_use]
pub fn judge(ground: &Ground<'_>, policy: &Policy, only_headline: bool) -> Vec<Judged> {
    let world = ground.world;
    let walkers: Vec<Walker<'_, '_>> = world
        .sessions
        .values()
        .filter(|session| !only_headline || world.counts(session))
        .map(|session| Walker::new(ground, policy, session))
        .collect();
    // Where no other program was assessed there is nothing to say of it: not having looked is no stop.
    let plain = world.sessions.values().any(|session| !world.counts(session));
    // A container that nothing is known to destroy as such counts through its contents alone.
    let has_deeds = |asset: &&Asset| ground.deeds.get(&asset.id).is_some_and(|deeds| !deeds.is_empty());
    let assets = world.assets.values().filter(has_deeds).map(|asset| (asset, standing(world, policy, asset)));
    let wanted = assets.filter(|(_, standing)| !only_headline || standing.in_headline);
    let wanted: Vec<(&Asset, Standing)> = wanted.collect();
    beside::split(&wanted, |part| {
        let registry = Registry::new(ground);
        let mut able: Vec<AbleBy> = walkers.iter().map(|_| AbleBy::default()).collect();
        let judged = part.iter().map(|(asset, standing)| {
            let deeds = ground.deeds.get(&asset.id).into_iter().flatten();
            let cases: Vec<_> = deeds.map(|deed| (Case::new(ground, &asset.id, deed), registry.rights(deed))).collect();
            judge_one((&walkers, &mut able), asset, &cases, standing.clone(), plain && !only_headline)
        });
        judged.collect()
    })
}

fn judge_one<'w>(
    (walkers, able): (&[Walker<'_, 'w>], &mut [AbleBy]),
    asset: &Asset,
    cases: &[(Case<'_, 'w>, Rc<Rights>)],
    standing: Standing,
    with_plain: bool,
) -> Judged {
    let mut from = Vec::new();
    for (walker, able) in walkers.iter().zip(able) {
        if let Some(paths) = walker.paths(cases, able) {
            let counted = walker.ground.world.counts(walker.session);
            from.push(FromSession { session: walker.session.id.clone(), counted, paths });
        }
    }
    from.sort_by(|a, b| {
        let key = |f: &FromSession| (!f.counted, f.paths.worst.order(), f.paths.best.order(), f.session.clone());
        key(a).cmp(&key(b))
    });
    let bounds = |counted: bool| {
        let chosen = from.iter().filter(|f| f.counted == counted).map(|f| (f.paths.worst, f.paths.best));
        chosen.reduce(|a, b| {
            let worse = |x: Outcome, y: Outcome| if y.order() < x.order() { y } else { x };
            (worse(a.0, b.0), worse(a.1, b.1))
        })
    };
    let (worst, best) = bounds(true).unwrap_or((NO_PATH, NO_PATH));
    let plain = with_plain.then(|| bounds(false).unwrap_or((NO_PATH, NO_PATH)));
    let open = from.iter().any(|f| f.counted && f.paths.open);
    Judged { asset: asset.id.clone(), standing, from, worst, best, open, plain }
}

/// Names of environments that are known not to be production.
const NOT_PRODUCTION: [&str; 16] = [
    "staging",
    "stage",
    "stg",
    "dev",
    "development",
    "test",
    "testing",
    "qa",
    "uat",
    "sandbox",
    "preview",
    "demo",
    "ci",
    "local",
    "review",
    "nonprod",
];

/// Names of production.
const PRODUCTION: [&str; 4] = ["production", "prod", "prd", "live"];

/// What an asset counts as: an exact id in the configuration first, then what the provider or its tags say, then a
/// name. A source that could not be read leaves it unknown, whatever a weaker one says.
#[must_use]
pub fn standing(world: &World, policy: &Policy, asset: &Asset) -> Standing {
    let chain = world.chain(&asset.id);
    let mapped = policy
        .environments
        .iter()
        .find(|env| chain.iter().any(|id| env.ids.iter().any(|wanted| is_called(world, id, wanted))));
    let told = environment_of(world, policy, asset);
    let (environment, ignored) = match mapped {
        Some(env) if policy.trusted || is_production(policy, &env.name) == Some(true) => (Some(env.name.clone()), None),
        Some(env) => {
            let note = format!(
                "{} counts as production: the configuration that puts it into {} was not given by --config",
                asset.name, env.name
            );
            let counts = told.as_deref().and_then(|name| is_production(policy, name)) != Some(false);
            (told, counts.then_some(note))
        }
        None => (told, None),
    };
    let production = environment.as_deref().and_then(|name| is_production(policy, name));
    let in_headline = production != Some(false) && !asset.class.is_container() && !counts_through_others(world, asset);
    Standing { environment, assumed: production.is_none(), in_headline, ignored }
}

/// Whether a backup, vault or key counts through what it stands behind: all of that is there, and leads to data.
fn counts_through_others(world: &World, asset: &Asset) -> bool {
    asset.class.stands_behind() && leads_to_data(world, &asset.id, &mut Vec::new())
}

/// Whether a node is data that is there, a copy of some, or stands behind nothing else.
fn leads_to_data(world: &World, node: &NodeId, seen: &mut Vec<NodeId>) -> bool {
    if seen.contains(node) {
        return false;
    }
    seen.push(node.clone());
    let leads = match (world.assets.get(node), world.copies.get(node)) {
        (Some(held), _) if held.class.stands_behind() => {
            !held.behind.is_empty() && held.behind.iter().all(|id| leads_to_data(world, id, seen))
        }
        (Some(held), _) => !held.class.is_container(),
        (None, Some(copy)) => leads_to_data(world, &copy.of, seen),
        (None, None) => false,
    };
    seen.pop();
    leads
}

fn environment_of(world: &World, policy: &Policy, asset: &Asset) -> Option<String> {
    for id in world.chain(&asset.id) {
        let Some(held) = world.assets.get(id) else { continue };
        match &held.environment {
            Fact::Unknown(_) => return None,
            Fact::Known(name) if !name.is_empty() => return Some(name.clone()),
            Fact::Known(_) => {}
        }
    }
    let by_name = policy.environments.iter().find(|env| {
        pattern::any(&env.patterns, &asset.name) && (policy.trusted || is_production(policy, &env.name) == Some(true))
    });
    by_name.map(|env| env.name.clone())
}

/// Whether a node is what the configuration calls it: by its id; or, for a project of Railway or an environment of one, by
/// the names that Railway shows, as `railway:PROJECT` and `railway:PROJECT/ENVIRONMENT`. Every one of that name is meant.
pub(crate) fn is_called(world: &World, id: &NodeId, wanted: &str) -> bool {
    if id.as_str() == wanted {
        return true;
    }
    let Some(names) = wanted.strip_prefix("railway:") else { return false };
    let Some(asset) = world.assets.get(id).filter(|asset| asset.provider == "railway") else { return false };
    let is_project = |asset: &Asset, name: &str| {
        asset.kind == "project" && (asset.name == name || asset.name.strip_prefix("project ") == Some(name))
    };
    match names.split_once('/') {
        None => is_project(asset, names),
        Some((project, name)) => {
            let parent = asset.parent.as_ref().and_then(|parent| world.assets.get(parent));
            let within = parent.is_some_and(|parent| is_project(parent, project));
            let named = asset.name == name
                || asset.name.strip_prefix(project).and_then(|rest| rest.strip_prefix(", ")) == Some(name);
            asset.kind == "environment" && within && named
        }
    }
}

/// Whether a name is production; `None` if it says neither, or both.
pub(crate) fn is_production(policy: &Policy, name: &str) -> Option<bool> {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is = words.iter().any(|word| PRODUCTION.contains(word));
    let is_not = words.iter().any(|word| NOT_PRODUCTION.contains(word) || ["non", "not", "pre"].contains(word));
    match (is, is_not) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (true, true) => None,
        // An environment that the user's own configuration declares under another name is another one.
        (false, false) => (policy.trusted && policy.environments.iter().any(|env| env.name == name)).then_some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_says_both_says_neither() {
        let policy = Policy::default();
        for (name, expected) in [
            ("production", Some(true)),
            ("eu-prod-2", Some(true)),
            ("staging", Some(false)),
            ("qa/eu", Some(false)),
            ("dev-prod", None),
            ("non-prod", None),
            ("main", None),
            ("", None),
        ] {
            assert_eq!(is_production(&policy, name), expected, "{name}");
        }
    }
}
