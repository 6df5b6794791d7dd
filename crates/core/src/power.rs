//! What a session can come to do: least fixpoints over positive rules (floor 2).
//!
//! A rule says: who has all of these may come to have that. It may change something, and it may be uncertain. Four
//! fixpoints come of it: *free* power uses only rules that change nothing, *full* power uses all; each with every
//! uncertain rule holding (worst) and with none holding (best). The closure is linear in the size of the rules.

pub mod ground;

use std::collections::{BTreeSet, VecDeque};
use std::hash::Hash;

use indexmap::IndexSet;

use crate::fact::Gap;
use crate::id::SourceId;

/// The number of an atom: one thing that a session may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AtomNo(u32);

/// One rule. It applies once all of `needs` are had.
#[derive(Clone, Debug)]
pub struct Rule {
    head: AtomNo,
    needs: Vec<AtomNo>,
    gap: Option<u32>,
    changes: bool,
    why: Option<u32>,
}

/// What a rule does, to stand after "it may", and where that is known from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Why {
    /// In words.
    pub text: String,
    /// The sources.
    pub sources: Vec<SourceId>,
}

/// Whether a rule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// It does.
    Holds,
    /// It may; the gap says why that is not known.
    Maybe(Gap),
}

/// Rules over atoms of type `K`.
#[derive(Clone, Debug)]
pub struct Rules<K> {
    /// Atoms by number: nothing depends on an order among them but that in which they were met.
    keys: IndexSet<K>,
    rules: Vec<Rule>,
    gaps: IndexSet<Gap>,
    whys: IndexSet<Why>,
}

impl<K: Hash + Eq> Default for Rules<K> {
    fn default() -> Self {
        Self::new()
    }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl<K: Hash + Eq> Rules<K> {
    /// No rules.
    #[must_use]
    pub fn new() -> Self {
        Self { keys: IndexSet::new(), rules: Vec::new(), gaps: IndexSet::new(), whys: IndexSet::new() }
    }

    /// The number of an atom, which it is given if it has none yet.
    pub fn atom(&mut self, key: K) -> AtomNo {
        AtomNo(number(self.keys.insert_full(key).0))
    }

    /// The number of an atom that some rule speaks of.
    #[must_use]
    pub fn find(&self, key: &K) -> Option<AtomNo> {
        self.keys.get_index_of(key).map(|at| AtomNo(number(at)))
    }

    /// The atom behind a number.
    #[must_use]
    pub fn key(&self, atom: AtomNo) -> Option<&K> {
        self.keys.get_index(index(atom.0))
    }

    /// Adds a rule that changes nothing.
    pub fn add(&mut self, head: AtomNo, needs: Vec<AtomNo>, when: When) {
        self.push(head, needs, when, false, None);
    }

    /// Adds a rule that changes something, and what that is.
    pub fn add_change(&mut self, head: AtomNo, needs: Vec<AtomNo>, when: When, why: Why) {
        self.push(head, needs, when, true, Some(why));
    }

    /// Adds a rule that changes nothing and is worth telling.
    pub fn add_told(&mut self, head: AtomNo, needs: Vec<AtomNo>, when: When, why: Why) {
        self.push(head, needs, when, false, Some(why));
    }

    fn push(&mut self, head: AtomNo, mut needs: Vec<AtomNo>, when: When, changes: bool, why: Option<Why>) {
        needs.sort_unstable();
        needs.dedup();
        let gap = match when {
            When::Holds => None,
            When::Maybe(gap) => Some(number(self.gaps.insert_full(gap).0)),
        };
        let why = why.map(|why| number(self.whys.insert_full(why).0));
        self.rules.push(Rule { head, needs, gap, changes, why });
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Readies the rules for closing from many starts.
    #[must_use]
    pub fn ready(self) -> Ready<K> {
        let mut watchers: Vec<Vec<u32>> = vec![Vec::new(); self.keys.len()];
        for (at, rule) in self.rules.iter().enumerate() {
            for need in &rule.needs {
                if let Some(list) = watchers.get_mut(index(need.0)) {
                    list.push(number(at));
                }
            }
        }
        Ready { rules: self, watchers }
    }
}

/// Rules with the lists that the closure walks.
#[derive(Clone, Debug)]
pub struct Ready<K> {
    /// The rules.
    pub rules: Rules<K>,
    watchers: Vec<Vec<u32>>,
}

/// How an atom came to be in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Absent,
    Start,
    By(u32),
}

/// One closed set of atoms, with the rule by which each first came in.
#[derive(Clone, Debug)]
struct Closed(Vec<Origin>);

impl Closed {
    fn origin(&self, atom: AtomNo) -> Origin {
        self.0.get(index(atom.0)).copied().unwrap_or(Origin::Absent)
    }

    fn holds(&self, atom: AtomNo) -> bool {
        self.origin(atom) != Origin::Absent
    }
}

/// Which reading of the gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Every uncertain rule holds.
    Worst,
    /// None does.
    Best,
}

/// What stands between a session and a set of atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// Free power has them all.
    Free,
    /// Full power does.
    Full,
    /// Neither does.
    Never,
}

/// The four powers of one session.
#[derive(Clone, Debug)]
pub struct Power<'r, K> {
    ready: &'r Ready<K>,
    free_best: Closed,
    free_worst: Closed,
    full_best: Closed,
    full_worst: Closed,
}

impl<K: Hash + Eq> Ready<K> {
    /// The four powers of whoever starts with these atoms.
    #[must_use]
    pub fn power(&self, start: &[AtomNo]) -> Power<'_, K> {
        let mut seed = Closed(vec![Origin::Absent; self.rules.keys.len()]);
        for atom in start {
            if let Some(slot) = seed.0.get_mut(index(atom.0)) {
                *slot = Origin::Start;
            }
        }
        let free_best = self.close(seed, false, Sight::Best);
        let free_worst = self.close(free_best.clone(), false, Sight::Worst);
        let full_best = self.close(free_best.clone(), true, Sight::Best);
        let mut both = free_worst.clone();
        for (slot, origin) in both.0.iter_mut().zip(&full_best.0) {
            if *slot == Origin::Absent {
                *slot = *origin;
            }
        }
        let full_worst = self.close(both, true, Sight::Worst);
        Power { ready: self, free_best, free_worst, full_best, full_worst }
    }

    /// Applies rules until none adds anything. Each rule is looked at once for each of its needs.
    fn close(&self, mut set: Closed, changes: bool, sight: Sight) -> Closed {
        let applies = |rule: &Rule| (changes || !rule.changes) && (sight == Sight::Worst || rule.gap.is_none());
        let mut missing: Vec<u32> = self.rules.rules.iter().map(|rule| number(rule.needs.len())).collect();
        let mut queue: VecDeque<AtomNo> = VecDeque::new();
        for (at, origin) in set.0.iter().enumerate() {
            if *origin != Origin::Absent {
                queue.push_back(AtomNo(number(at)));
            }
        }
        for (at, rule) in self.rules.rules.iter().enumerate() {
            if rule.needs.is_empty() && applies(rule) {
                insert(&mut set, &mut queue, rule.head, at);
            }
        }
        while let Some(atom) = queue.pop_front() {
            for at in self.watchers.get(index(atom.0)).into_iter().flatten() {
                let (Some(count), Some(rule)) = (missing.get_mut(index(*at)), self.rules.rules.get(index(*at))) else {
                    continue;
                };
                *count = count.saturating_sub(1);
                if *count == 0 && applies(rule) {
                    insert(&mut set, &mut queue, rule.head, index(*at));
                }
            }
        }
        set
    }
}

fn insert(set: &mut Closed, queue: &mut VecDeque<AtomNo>, head: AtomNo, rule: usize) {
    if let Some(slot) = set.0.get_mut(index(head.0))
        && *slot == Origin::Absent
    {
        *slot = Origin::By(number(rule));
        queue.push_back(head);
    }
}

impl<K: Hash + Eq> Power<'_, K> {
    /// The atom behind a number.
    #[must_use]
    pub fn key(&self, atom: AtomNo) -> Option<&K> {
        self.ready.rules.key(atom)
    }

    /// What stands between the session and all of `atoms`.
    #[must_use]
    pub fn hold(&self, sight: Sight, atoms: &[AtomNo]) -> Hold {
        let (free, full) = match sight {
            Sight::Worst => (&self.free_worst, &self.full_worst),
            Sight::Best => (&self.free_best, &self.full_best),
        };
        if atoms.iter().all(|atom| free.holds(*atom)) {
            Hold::Free
        } else if atoms.iter().all(|atom| full.holds(*atom)) {
            Hold::Full
        } else {
            Hold::Never
        }
    }

    /// The gaps behind all of `atoms` at their worst: what would have to be known for the best reading to differ.
    #[must_use]
    pub fn gaps(&self, atoms: &[AtomNo]) -> BTreeSet<Gap> {
        let mut gaps = BTreeSet::new();
        for atom in atoms {
            let set = if self.free_worst.holds(*atom) { &self.free_worst } else { &self.full_worst };
            self.walk(set, *atom, &mut |rule| {
                gaps.extend(rule.gap.and_then(|gap| self.ready.rules.gaps.get_index(index(gap))).cloned());
            });
        }
        gaps
    }

    /// The steps that change something and lead to `atoms`, the last one first. Empty if free power has them.
    #[must_use]
    pub fn changes(&self, sight: Sight, atoms: &[AtomNo]) -> Vec<(AtomNo, &Why)> {
        let (free, full) = match sight {
            Sight::Worst => (&self.free_worst, &self.full_worst),
            Sight::Best => (&self.free_best, &self.full_best),
        };
        let mut found = Vec::new();
        for atom in atoms.iter().filter(|atom| !free.holds(**atom)) {
            self.walk(full, *atom, &mut |rule| {
                if rule.changes
                    && let Some(why) = rule.why.and_then(|why| self.ready.rules.whys.get_index(index(why)))
                    && !found.iter().any(|(_, held)| *held == why)
                {
                    found.push((rule.head, why));
                }
            });
        }
        found
    }

    /// The atoms that the derivation of `atom` passes through, itself first, at the worst reading.
    #[must_use]
    pub fn witness(&self, atom: AtomNo) -> Vec<(AtomNo, Option<&Why>)> {
        let set = [&self.free_best, &self.free_worst, &self.full_best].into_iter().find(|set| set.holds(atom));
        let mut found = Vec::new();
        self.walk(set.unwrap_or(&self.full_worst), atom, &mut |rule| {
            let why = rule.why.and_then(|why| self.ready.rules.whys.get_index(index(why)));
            found.push((rule.head, why));
        });
        found
    }

    /// Visits the rules by which an atom came into a set, depth first, each once.
    fn walk(&self, set: &Closed, atom: AtomNo, visit: &mut impl FnMut(&Rule)) {
        let mut seen = BTreeSet::new();
        let mut stack = vec![atom];
        while let Some(at) = stack.pop() {
            if !seen.insert(at) {
                continue;
            }
            let Origin::By(number) = set.origin(at) else { continue };
            if let Some(rule) = self.ready.rules.rules.get(index(number)) {
                visit(rule);
                stack.extend(rule.needs.iter().rev());
            }
        }
    }
}

#[cfg(test)]
mod tests;
