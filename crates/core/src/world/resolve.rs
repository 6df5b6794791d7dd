//! From every reading to one: later before earlier, worse before better, known before unknown (floor 2).

use std::collections::BTreeMap;

use super::World;
use super::groups::Groups;
use crate::bundle::Bundle;
use crate::fact::{Fact, Gap, GapReason, Listed};
use crate::id::{NodeId, PrincipalId, SourceId, StepId};
use crate::model::reach::Approval;
use crate::model::{Asset, Copy, Credential, Decision, End, Grant, Principal, Protection, Source, Status, Step, Way};
use crate::policy::Policy;
use crate::time::{Span, Time};

/// When and in which run an item was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Read {
    at: Time,
    run: Time,
}

struct Clock<'a> {
    sources: &'a BTreeMap<SourceId, Source>,
    newest: Time,
    oldest_allowed: Time,
}

impl Clock<'_> {
    fn read(&self, sources: &[SourceId]) -> Read {
        let never = Time::from_unix(0);
        let known = sources.iter().filter_map(|id| self.sources.get(id));
        known.fold(Read { at: never, run: never }, |read, source| Read {
            at: read.at.max(source.at),
            run: read.run.max(source.run.unwrap_or(never)),
        })
    }

    /// The gap of an item that is too old to count; items that name no source have no age.
    fn stale(&self, sources: &[SourceId]) -> Option<Gap> {
        let read = self.read(sources);
        let id = sources.iter().find(|id| self.sources.get(id).is_some_and(|source| source.at == read.at))?;
        (read.at < self.oldest_allowed && read.at < self.newest)
            .then(|| Gap { source: id.clone(), reason: GapReason::Stale })
    }
}

/// All items of a bundle, one reading of each.
pub(super) fn readings(bundle: &Bundle, policy: &Policy) -> World {
    let sources: BTreeMap<SourceId, Source> =
        bundle.sources.iter().map(|source| (source.id.clone(), source.clone())).collect();
    let newest = sources.values().map(|source| source.at).max().unwrap_or(bundle.collected_at);
    let oldest_allowed = Time::from_unix(newest.unix() - i64::try_from(policy.fact_max_age.0).unwrap_or(i64::MAX));
    let clock = Clock { sources: &sources, newest, oldest_allowed };
    let assets = present_assets(one_each(&bundle.assets.items, |a| &a.id, |r| asset(r, &clock)), bundle, &clock);
    let principals: BTreeMap<PrincipalId, Principal> =
        one_each(&bundle.principals.items, |p| &p.id, |r| principal(r, &clock));
    let grants = grants(bundle, &clock);
    let copies =
        present_copies(one_each(&bundle.recovery_points.items, |c| &c.id, |r| copy(r, &clock)), bundle, &clock);
    let protections = one_each(&bundle.protections.items, |p| &p.id, |r| protection(r, &clock)).into_values().collect();
    World {
        newest: bundle.collected_at.max(newest),
        sessions: one_each(
            &bundle.sessions.items,
            |s| &s.id,
            |r| {
                let mut session = latest(r, |s| clock.read(&s.sources)).clone();
                age(&mut session.reach, clock.stale(&session.sources));
                age(&mut session.ways, clock.stale(&session.sources));
                session
            },
        ),
        any_session: false,
        ways: one_each(
            &bundle.ways.items,
            |w| &w.id,
            |r| {
                let mut way = freest(r, &clock);
                age(&mut way.decision, clock.stale(&way.sources));
                age(&mut way.contained, clock.stale(&way.sources));
                way
            },
        ),
        credentials: one_each(&bundle.credentials.items, |c| &c.id, |r| credential(r, &clock)),
        principals,
        grants,
        groups: Groups::new(&bundle.groups),
        steps: steps(&bundle.steps.items, &clock),
        assets,
        protections,
        copies,
        drills: bundle.drills.items.clone(),
        actions: bundle.actions.clone(),
        unlisted_steps: None,
        missing: None,
        any_delete: None,
        sources,
    }
}

fn one_each<T, K: Ord + Clone>(items: &[T], id: impl Fn(&T) -> &K, resolve: impl Fn(&[&T]) -> T) -> BTreeMap<K, T> {
    let mut groups: BTreeMap<&K, Vec<&T>> = BTreeMap::new();
    for item in items {
        groups.entry(id(item)).or_default().push(item);
    }
    groups.into_iter().map(|(key, readings)| (key.clone(), resolve(&readings))).collect()
}

/// The latest reading; of several at once the last in their order, so that the result does not depend on input order.
fn latest<'a, T: Ord, R: Ord>(readings: &[&'a T], read: impl Fn(&T) -> R) -> &'a T {
    let mut best: Option<(&'a T, R)> = None;
    for item in readings {
        let key = read(item);
        if best.as_ref().is_none_or(|(held, held_key)| (&key, *item) > (held_key, *held)) {
            best = Some((*item, key));
        }
    }
    match best {
        Some((item, _)) => item,
        None => unreachable!("a group has at least one reading"),
    }
}

/// One reading of a fact: known before unknown, then later, then worse; and the sources of that very reading.
fn pick<'a, T: Ord + Clone + 'a>(
    readings: impl Iterator<Item = (Read, &'a Fact<T>, &'a [SourceId])>,
    badness: impl Fn(&T) -> i64,
) -> Option<(Fact<T>, &'a [SourceId])> {
    let key = |(read, fact, _): &(Read, &'a Fact<T>, &'a [SourceId])| {
        let known = fact.known();
        (known.is_some(), read.at, known.map(&badness), (*fact).clone())
    };
    readings.max_by_key(key).map(|(_, fact, sources)| (fact.clone(), sources))
}

fn age<T>(fact: &mut Fact<T>, stale: Option<Gap>) {
    if let Some(gap) = stale
        && fact.known().is_some()
    {
        *fact = Fact::Unknown(gap);
    }
}

/// The latest reading of a way; of several at once what is freest in each.
fn freest(readings: &[&Way], clock: &Clock<'_>) -> Way {
    let mut way = latest(readings, |w| clock.read(&w.sources)).clone();
    let at = clock.read(&way.sources);
    for other in readings.iter().filter(|r| clock.read(&r.sources) == at) {
        let free = |fact: &Fact<Decision>| match fact {
            Fact::Known(decision) if *decision >= Decision::Reviewed => 2,
            Fact::Unknown(_) => 1,
            Fact::Known(_) => 0,
        };
        let loose = |fact: &Fact<bool>| match fact {
            Fact::Known(false) => 2,
            Fact::Unknown(_) => 1,
            Fact::Known(true) => 0,
        };
        if free(&other.decision) > free(&way.decision) {
            way.decision.clone_from(&other.decision);
        }
        if loose(&other.contained) > loose(&way.contained) {
            way.contained.clone_from(&other.contained);
        }
        way.reads |= other.reads;
        if way.approval != other.approval {
            way.approval = way.approval.unwrap_or(Approval::Open).min(other.approval.unwrap_or(Approval::Open)).into();
        }
        way.managed &= other.managed;
        way.needs.retain(|need| other.needs.contains(need));
        union(&mut way.carries, &other.carries);
        union(&mut way.overrides, &other.overrides);
        union(&mut way.escapes, &other.escapes);
        union(&mut way.holds, &other.holds);
        union(&mut way.acts_as, &other.acts_as);
    }
    way
}

fn union<T: Ord + Clone>(list: &mut Vec<T>, more: &[T]) {
    list.extend(more.iter().cloned());
    list.sort();
    list.dedup();
}

macro_rules! picked {
    ($item:ident, $readings:ident, $clock:ident, $field:ident, $badness:expr) => {
        let all = $readings.iter().map(|r| ($clock.read(&r.sources), &r.$field, r.sources.as_slice()));
        if let Some((fact, sources)) = pick(all, $badness) {
            $item.$field = fact;
            age(&mut $item.$field, $clock.stale(sources));
        }
    };
}

fn asset(readings: &[&Asset], clock: &Clock<'_>) -> Asset {
    let mut item = latest(readings, |a| clock.read(&a.sources)).clone();
    item.environment = environment(readings, clock);
    picked!(item, readings, clock, protections, |_| 0);
    picked!(item, readings, clock, copies, |_| 0);
    let contents = readings
        .iter()
        .filter_map(|r| r.contents.as_ref().map(|fact| (clock.read(&r.sources), fact, r.sources.as_slice())));
    item.contents = pick(contents, |_| 0).map(|(mut fact, sources)| {
        age(&mut fact, clock.stale(sources));
        fact
    });
    let behind = readings.iter().flat_map(|r| r.behind.iter().cloned());
    item.behind = behind.collect::<std::collections::BTreeSet<NodeId>>().into_iter().collect();
    item
}

/// The environment that the latest run read. A source that could not be read leaves it unknown, whatever another says,
/// and so do two that differ.
fn environment(readings: &[&Asset], clock: &Clock<'_>) -> Fact<String> {
    let last = readings.iter().map(|r| clock.read(&r.sources).run).max();
    let mut of_last: Vec<&&Asset> = readings.iter().filter(|r| Some(clock.read(&r.sources).run) == last).collect();
    of_last.sort();
    let unread = of_last.iter().find(|r| r.environment.gap().is_some());
    let first = unread.or(of_last.first());
    let Some(first) = first else { unreachable!("a group has at least one reading") };
    let differs = of_last.iter().find(|r| r.environment != first.environment);
    if let (None, Some(other)) = (unread, differs)
        && let Some(source) = first.sources.first().or(other.sources.first())
    {
        return Fact::Unknown(Gap { source: source.clone(), reason: GapReason::Conflicting });
    }
    let mut fact = first.environment.clone();
    age(&mut fact, clock.stale(&first.sources));
    fact
}

fn principal(readings: &[&Principal], clock: &Clock<'_>) -> Principal {
    let mut item = latest(readings, |p| clock.read(&p.sources)).clone();
    picked!(item, readings, clock, grants, |_| 0);
    item
}

fn protection(readings: &[&Protection], clock: &Clock<'_>) -> Protection {
    let mut item = latest(readings, |p| clock.read(&p.sources)).clone();
    picked!(item, readings, clock, enabled, |on| i64::from(!on));
    picked!(item, readings, clock, whole, |whole| i64::from(!whole));
    picked!(item, readings, clock, lifts, |lifts| length(lifts));
    item
}

fn copy(readings: &[&Copy], clock: &Clock<'_>) -> Copy {
    let mut item = latest(readings, |c| clock.read(&c.sources)).clone();
    picked!(item, readings, clock, lag, |lag: &Span| i64::try_from(lag.0).unwrap_or(i64::MAX));
    picked!(item, readings, clock, ends, soon);
    picked!(item, readings, clock, dies_with, |actions| length(actions));
    picked!(item, readings, clock, destroyed_by, |lifts| length(lifts));
    picked!(item, readings, clock, drills, |_| 0);
    item
}

fn soon(end: &End) -> i64 {
    match end {
        End::Never => i64::MIN,
        End::After(span) => -i64::try_from(span.0).unwrap_or(i64::MAX),
        End::At(time) => -time.unix(),
    }
}

fn length<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}

fn credential(readings: &[&Credential], clock: &Clock<'_>) -> Credential {
    let mut item = latest(readings, |c| clock.read(&c.sources)).clone();
    let live = |status: &Status| i64::from(*status == Status::Live);
    picked!(item, readings, clock, status, live);
    picked!(item, readings, clock, identity, |_| 0);
    let known = |r: &&&Credential| r.identity.known().is_some();
    let newest = readings.iter().filter(known).map(|r| clock.read(&r.sources).at).max();
    let at_newest = readings.iter().filter(known).filter(|r| Some(clock.read(&r.sources).at) == newest);
    let differs = at_newest.clone().any(|r| item.identity.known().is_some() && r.identity != item.identity);
    let source = readings.iter().find_map(|r| r.sources.first());
    if let (true, Some(source)) = (differs, source) {
        item.identity = Fact::Unknown(Gap { source: source.clone(), reason: GapReason::Conflicting });
    }
    if readings.iter().any(|r| r.within != item.within) {
        item.within = None;
    }
    item.locations = readings.iter().flat_map(|r| r.locations.iter().cloned()).collect();
    item.locations.sort();
    item.locations.dedup();
    item
}

/// The latest reading of each step; of several at once that differ, each.
fn steps(items: &[Step], clock: &Clock<'_>) -> Vec<Step> {
    let mut last: BTreeMap<&StepId, Read> = BTreeMap::new();
    for item in items {
        let read = clock.read(&item.sources);
        last.entry(&item.id).and_modify(|held| *held = (*held).max(read)).or_insert(read);
    }
    let kept = items.iter().filter(|item| last.get(&item.id) == Some(&clock.read(&item.sources)));
    let mut kept: Vec<Step> = kept.cloned().collect();
    for step in &mut kept {
        age(&mut step.possible, clock.stale(&step.sources));
    }
    kept.sort();
    kept.dedup();
    kept
}

/// Grants, without those that a later complete listing of their principal no longer has.
fn grants(bundle: &Bundle, clock: &Clock<'_>) -> Vec<Grant> {
    let mut listed: BTreeMap<&PrincipalId, Time> = BTreeMap::new();
    for principal in &bundle.principals.items {
        if principal.grants == Fact::Known(Listed::Complete) {
            let run = clock.read(&principal.sources).run;
            listed.entry(&principal.id).and_modify(|held| *held = (*held).max(run)).or_insert(run);
        }
    }
    let mut latest_run: BTreeMap<(&PrincipalId, &NodeId, &[String]), (Read, &Grant)> = BTreeMap::new();
    for grant in &bundle.grants.items {
        let key = (&grant.principal, &grant.target, grant.actions.as_slice());
        let read = clock.read(&grant.sources);
        let rank = |read: Read, grant: &Grant| (grant.allowed.known().is_some(), read, grant.allowed.known().copied());
        let held = latest_run.entry(key).or_insert((read, grant));
        if (rank(read, grant), grant) > (rank(held.0, held.1), held.1) {
            *held = (read, grant);
        }
    }
    let gone = |read: Read, grant: &Grant| {
        read.run > Time::from_unix(0) && listed.get(&grant.principal).is_some_and(|run| read.run < *run)
    };
    let kept = latest_run.into_values().filter(|(read, grant)| !gone(*read, grant));
    kept.map(|(_, grant)| {
        let mut grant = grant.clone();
        age(&mut grant.allowed, clock.stale(&grant.sources));
        grant
    })
    .collect()
}

/// Assets, without those that a later complete listing of their container no longer has.
fn present_assets(mut assets: BTreeMap<NodeId, Asset>, bundle: &Bundle, clock: &Clock<'_>) -> BTreeMap<NodeId, Asset> {
    let mut listed: BTreeMap<&NodeId, Time> = BTreeMap::new();
    let mut seen: BTreeMap<&NodeId, Time> = BTreeMap::new();
    for asset in &bundle.assets.items {
        let run = clock.read(&asset.sources).run;
        seen.entry(&asset.id).and_modify(|held| *held = (*held).max(run)).or_insert(run);
        if asset.contents == Some(Fact::Known(Listed::Complete)) {
            listed.entry(&asset.id).and_modify(|held| *held = (*held).max(run)).or_insert(run);
        }
    }
    assets.retain(|id, asset| {
        let last = seen.get(id).copied().unwrap_or(Time::from_unix(0));
        let complete = asset.parent.as_ref().and_then(|parent| listed.get(parent));
        last == Time::from_unix(0) || complete.is_none_or(|run| last >= *run)
    });
    assets
}

/// Copies, without those that a later complete listing of their asset's copies no longer has.
fn present_copies(mut copies: BTreeMap<NodeId, Copy>, bundle: &Bundle, clock: &Clock<'_>) -> BTreeMap<NodeId, Copy> {
    let mut listed: BTreeMap<&NodeId, Time> = BTreeMap::new();
    for asset in &bundle.assets.items {
        if asset.copies == Fact::Known(Listed::Complete) {
            let run = clock.read(&asset.sources).run;
            listed.entry(&asset.id).and_modify(|held| *held = (*held).max(run)).or_insert(run);
        }
    }
    let mut seen: BTreeMap<&NodeId, Time> = BTreeMap::new();
    for copy in &bundle.recovery_points.items {
        let run = clock.read(&copy.sources).run;
        seen.entry(&copy.id).and_modify(|held| *held = (*held).max(run)).or_insert(run);
    }
    copies.retain(|id, copy| {
        let last = seen.get(id).copied().unwrap_or(Time::from_unix(0));
        last == Time::from_unix(0) || listed.get(&copy.of).is_none_or(|run| last >= *run)
    });
    copies
}
