//! The plan of least total effort (floor 2).
//!
//! Changes only help, so a set of changes that fails keeps failing when any of them is left out. Each failed plan is
//! grown to a largest set that still fails; every plan that works must take something from outside it. The cheapest
//! plan that takes something from outside each such set is tried next, until one works: it is then of least effort.

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolutionStatus, SolveOptions};
use std::collections::BTreeSet;

use super::Candidate;
use super::candidates::{candidates, plannable};
use crate::answer::{self, Judged};
use crate::beside;
use crate::bundle::Bundle;
use crate::catalogue;
use crate::id::NodeId;
use crate::model::Action;
use crate::policy::Policy;
use crate::power::ground::Ground;
use crate::verdict::{LayerName, Rank};
use crate::world::World;

/// Up to how many candidates a plan is exact.
const EXACT: usize = 100;

/// How many times the facts may be assessed anew, counted in rules; a limit on work, not on time, so that the same
/// facts give the same plan anywhere.
const WORK: usize = 2_000_000;

/// Nodes that the integer program may visit.
const NODES: u64 = 20_000;

/// What a plan takes, and whether it does what it should.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Candidates, each with the headline assets that it brings to the target by itself.
    pub candidates: Vec<(Candidate, Vec<NodeId>)>,
    /// Keys of the candidates that the plan takes, the one that most assets depend on first.
    pub chosen: Vec<String>,
    /// Whether it was shown to bring every headline asset to the target.
    pub reached: bool,
    /// Whether none of less effort does.
    pub optimal: bool,
    /// No plan takes less effort than this.
    pub at_least: u32,
    /// Why it falls short, if it does.
    pub short_of: Option<String>,
}

/// Plans for the assets that the headline counts.
#[must_use]
pub fn plan(bundle: &Bundle, ground: &Ground<'_>, policy: &Policy, judged: &[Judged]) -> Plan {
    let actions = catalogue::actions();
    let world = ground.world;
    let found = if plannable(world) { candidates(ground, policy, judged) } else { Vec::new() };
    let cost = ground.ready.rules.len().max(1_000) + world.assets.len() * world.sessions.len() * 20;
    let wanted: BTreeSet<NodeId> = judged
        .iter()
        .filter(|j| j.standing.in_headline && j.worst.rated() < policy.target)
        .map(|j| j.asset.clone())
        .collect();
    let mut trial = Trial { bundle, policy, actions: &actions, found: &found, left: WORK / cost };
    let all: BTreeSet<usize> = (0..found.len()).collect();
    let never = if policy.plans { trial.below(&all, &wanted) } else { None };
    let Some(never) = never else {
        let why = "there are too many facts to plan for in the work allowed";
        let short = Some(if policy.plans { why } else { "none was looked for, as `--no-fixes` was given" }.to_owned());
        return Plan {
            candidates: found.into_iter().map(|c| (c, Vec::new())).collect(),
            short_of: short,
            ..Plan::default()
        };
    };
    let reachable: BTreeSet<NodeId> = wanted.difference(&never).cloned().collect();
    let (chosen, optimal, at_least) = trial.least(&reachable);
    let ordered = trial.by_weight(&chosen, &reachable);
    let closes = trial.closes(&wanted);
    let keys = ordered.iter().filter_map(|at| found.get(*at)).map(|candidate| candidate.key.clone()).collect();
    let names: Vec<String> =
        never.iter().filter_map(|id| world.assets.get(id)).map(|asset| asset.name.clone()).collect();
    let short_of = (!never.is_empty()).then(|| {
        format!(
            "no change known here brings {} to {}: what was not read stands in the way",
            crate::headline::listed(&names, 3),
            policy.target.word()
        )
    });
    Plan {
        candidates: found.clone().into_iter().zip(closes).collect(),
        chosen: keys,
        reached: never.is_empty(),
        optimal,
        at_least,
        short_of,
    }
}

struct Trial<'a> {
    bundle: &'a Bundle,
    policy: &'a Policy,
    actions: &'a [Action],
    found: &'a [Candidate],
    left: usize,
}

/// Changes that do not do, and which assets stay below the target with them.
struct Failing {
    chosen: BTreeSet<usize>,
    low: BTreeSet<NodeId>,
}

impl Trial<'_> {
    /// Which of `wanted` stay below the target with these changes made; `None` once the work allowed is done.
    fn below(&mut self, chosen: &BTreeSet<usize>, wanted: &BTreeSet<NodeId>) -> Option<BTreeSet<NodeId>> {
        self.left = self.left.checked_sub(1)?;
        Some(self.stay_below(chosen, wanted))
    }

    fn stay_below(&self, chosen: &BTreeSet<usize>, wanted: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let mut bundle = self.bundle.clone();
        for candidate in chosen.iter().filter_map(|at| self.found.get(*at)) {
            candidate.apply_to(&mut bundle);
        }
        let world = World::new(&bundle, self.policy, self.actions);
        let ground = Ground::new(&world);
        let judged = answer::judge(&ground, self.policy, true);
        let low = judged.into_iter().filter(|j| wanted.contains(&j.asset) && j.worst.rated() < self.policy.target);
        low.map(|j| j.asset).collect()
    }

    /// The headline assets that each change brings to the target by itself; none for those for which no work is left.
    fn closes(&self, wanted: &BTreeSet<NodeId>) -> Vec<Vec<NodeId>> {
        let all: Vec<usize> = (0..self.found.len()).collect();
        let one = |at: &usize| {
            let low = (*at < self.left).then(|| self.stay_below(&BTreeSet::from([*at]), wanted));
            low.map_or_else(Vec::new, |low| wanted.difference(&low).cloned().collect())
        };
        // Each part has the whole bundle once more.
        beside::split_into(2, &all, |part| part.iter().map(one).collect())
    }

    /// The plan of least effort for `wanted`, whether it is exact, and a lower bound on the effort.
    fn least(&mut self, wanted: &BTreeSet<NodeId>) -> (BTreeSet<usize>, bool, u32) {
        let all: BTreeSet<usize> = (0..self.found.len()).filter(|at| self.can_help(*at)).collect();
        let mut cuts: Vec<BTreeSet<usize>> = Vec::new();
        let mut bound = 0;
        // Half of the work is kept for a plan that is only known to work.
        let reserve = self.left / 2;
        while all.len() <= EXACT && self.left > reserve {
            let Some((chosen, proved)) = hitting_set(self.found, &cuts) else { break };
            if proved {
                bound = bound.max(self.effort(&chosen));
            }
            let Some(low) = self.below(&chosen, wanted) else { break };
            if low.is_empty() {
                return (chosen, proved, bound);
            }
            let mut open = low.clone();
            while let Some(asset) = open.pop_first() {
                let mut failing = Failing { chosen: chosen.clone(), low: low.clone() };
                let rest: Vec<usize> = all.difference(&chosen).copied().collect();
                if self.left <= reserve || !self.grow(&mut failing, &rest, &asset, wanted) {
                    break;
                }
                // What fails for others, too, says of them what it says of this one.
                open.retain(|other| !failing.low.contains(other));
                cuts.push(all.difference(&failing.chosen).copied().collect());
            }
        }
        let mut chosen = all.clone();
        let mut order: Vec<usize> = all.into_iter().collect();
        order.sort_by_key(|at| std::cmp::Reverse(self.found.get(*at).map_or(0, |candidate| candidate.effort)));
        self.shrink(&mut chosen, &order, wanted);
        (chosen, false, bound)
    }

    /// Whether a change may bring an asset nearer to the target at all: a copy stops no call.
    fn can_help(&self, at: usize) -> bool {
        let before = [LayerName::Reach, LayerName::Confirm, LayerName::Permit, LayerName::Protect];
        let prevents = self.found.get(at).is_some_and(|candidate| before.contains(&candidate.layer));
        prevents || self.policy.target != Rank::Stopped
    }

    /// Adds as much of `rest` to a set as leaves it failing for an asset; false once the work allowed is done.
    fn grow(&mut self, failing: &mut Failing, rest: &[usize], asset: &NodeId, wanted: &BTreeSet<NodeId>) -> bool {
        if rest.is_empty() {
            return true;
        }
        let mut more = failing.chosen.clone();
        more.extend(rest);
        match self.below(&more, wanted) {
            None => false,
            Some(low) if low.contains(asset) => {
                *failing = Failing { chosen: more, low };
                true
            }
            Some(_) if rest.len() == 1 => true,
            Some(_) => {
                let (first, second) = rest.split_at(rest.len() / 2);
                self.grow(failing, first, asset, wanted) && self.grow(failing, second, asset, wanted)
            }
        }
    }

    /// Leaves out of a plan that works as much of `order` as it works without; false once the work allowed is done.
    fn shrink(&mut self, chosen: &mut BTreeSet<usize>, order: &[usize], wanted: &BTreeSet<NodeId>) -> bool {
        if order.is_empty() {
            return true;
        }
        let less: BTreeSet<usize> = chosen.iter().copied().filter(|at| !order.contains(at)).collect();
        match self.below(&less, wanted) {
            None => false,
            Some(low) if low.is_empty() => {
                *chosen = less;
                true
            }
            Some(_) if order.len() == 1 => true,
            Some(_) => {
                let (first, second) = order.split_at(order.len() / 2);
                self.shrink(chosen, first, wanted) && self.shrink(chosen, second, wanted)
            }
        }
    }

    /// The changes of a plan, the one that most assets fall back without first.
    fn by_weight(&mut self, chosen: &BTreeSet<usize>, wanted: &BTreeSet<NodeId>) -> Vec<usize> {
        let mut weighed: Vec<(usize, u32, usize)> = Vec::new();
        for at in chosen {
            let mut without = chosen.clone();
            without.remove(at);
            let lost = self.below(&without, wanted).map_or(0, |low| low.len());
            let effort = self.found.get(*at).map_or(0, |candidate| candidate.effort);
            weighed.push((usize::MAX - lost, effort, *at));
        }
        weighed.sort_unstable();
        weighed.into_iter().map(|(_, _, at)| at).collect()
    }

    fn effort(&self, chosen: &BTreeSet<usize>) -> u32 {
        chosen.iter().filter_map(|at| self.found.get(*at)).map(|candidate| candidate.effort).sum()
    }
}

/// The cheapest set that meets every cut, and whether that is proved. Ties go to the earlier key.
fn hitting_set(found: &[Candidate], cuts: &[BTreeSet<usize>]) -> Option<(BTreeSet<usize>, bool)> {
    if cuts.is_empty() {
        return Some((BTreeSet::new(), true));
    }
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    let weight = |at: usize, effort: u32| f64::from(effort) + f64::from(u32::try_from(at).unwrap_or(u32::MAX)) * 1e-5;
    let variables: Vec<_> =
        found.iter().enumerate().map(|(at, candidate)| problem.add_binary_var(weight(at, candidate.effort))).collect();
    for cut in cuts {
        let terms: Vec<_> = cut.iter().filter_map(|at| variables.get(*at)).map(|variable| (*variable, 1.0)).collect();
        if terms.is_empty() {
            return None;
        }
        problem.add_constraint(&terms, ComparisonOp::Ge, 1.0);
    }
    let mut options = SolveOptions::default();
    options.node_limit = Some(NODES);
    let solution = problem.solve_with(options).ok()?.into_solution().ok()?;
    let taken = variables.iter().enumerate().filter(|(_, variable)| solution.var_value(**variable) > 0.5);
    Some((taken.map(|(at, _)| at).collect(), solution.status() == SolutionStatus::Optimal))
}
