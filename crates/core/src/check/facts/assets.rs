//! Facts of assets, their environments, their copies and the paths to them (floor 2).

use serde_json::{Map, Value};
use std::collections::BTreeSet;

use super::holders::{reaches, word};
use super::rights::{Rights, in_reach};
use super::{Facts, Given, Maybe, UNASSESSED, any, between, count, same, unread};
use crate::answer::{self, Judged};
use crate::assessment::PathAnswer;
use crate::check::subject::Subject;
use crate::fact::{Fact, Gap};
use crate::id::{NodeId, SessionId};
use crate::model::{Asset, Copy, CopyKind, Drill, End, Protection, Side};
use crate::path::recovery::NOTICE_ASSUMED;
use crate::path::{Outcome, Path, state_of};
use crate::pattern;
use crate::power::Hold;
use crate::power::ground::Key;
use crate::time::{Span, Time};
use crate::verdict::{Answer, LayerName, LayerState, Prevention, Rank, Recovery};

pub(super) fn assets(given: &Given<'_, '_>) -> impl Iterator<Item = Facts> {
    given.judged.iter().map(|judged| of_asset(given, judged))
}

fn of_asset(given: &Given<'_, '_>, judged: &Judged) -> Facts {
    let asset = given.ground.world.assets.get(&judged.asset);
    let name = asset.map_or(judged.asset.as_str(), |asset| asset.name.as_str());
    let mut facts = Facts::new(Subject::Asset, judged.asset.as_str(), name);
    facts.put("key", judged.asset.as_str());
    facts.put("name", name);
    facts.put("in_headline", judged.standing.in_headline);
    if let Some(environment) = &judged.standing.environment {
        facts.put("environment", environment.as_str());
    }
    let declared = given.policy.assets.get(judged.asset.as_str()).cloned().unwrap_or_default();
    facts.put("criticality", declared.criticality.as_deref().unwrap_or("none"));
    facts.put("has_owner", declared.owner.is_some());
    facts.put("has_rpo", declared.rpo.is_some());
    facts.put("has_rto", declared.rto.is_some());
    for (field, span) in [("rpo_hours", declared.rpo), ("rto_hours", declared.rto)] {
        if let Some(span) = span {
            facts.put(field, hours_down(span));
        }
    }
    if let Some(asset) = asset {
        described(given, &mut facts, asset);
    }
    let gaps = given.deciding.get(&judged.asset).cloned().unwrap_or_default();
    answered(&mut facts, judged.worst, judged.best, &gaps);
    let answer = judged.answer();
    if answer != Answer::Unknown {
        facts.put("answer", answer.word());
    }
    layers(given, &mut facts, judged, &gaps);
    facts
}

fn described(given: &Given<'_, '_>, facts: &mut Facts, asset: &Asset) {
    facts.sources.extend(asset.sources.iter().cloned());
    facts.put("provider", asset.provider.as_str());
    facts.put("kind", asset.kind.as_str());
    facts.put("class", word(&asset.class));
    facts.put("holds", asset.holds.clone().unwrap_or_default());
    if !facts.values.get("environment").is_some_and(Value::is_string) {
        let above = given.ground.world.chain(&asset.id);
        let of = above.into_iter().filter_map(|id| given.ground.world.assets.get(id));
        facts.leave("environment", of.filter_map(|asset| asset.environment.gap().cloned()));
    }
    match asset.protections.gap() {
        Some(gap) => facts.leave("protections", [gap.clone()]),
        None => {
            let on = given.ground.protections_on.get(&asset.id).into_iter().flatten();
            let all: Vec<Value> = on.copied().map(of_protection).collect();
            facts.put("protections", all);
        }
    }
    recovery(given, facts, asset);
}

fn of_protection(protection: &Protection) -> Value {
    let mut map = Map::new();
    map.insert("kind".to_owned(), protection.kind.as_str().into());
    let side = match protection.side {
        Side::Confirm => "confirm",
        Side::Protect => "protect",
    };
    map.insert("side".to_owned(), side.into());
    for (field, fact) in [("enabled", &protection.enabled), ("whole", &protection.whole)] {
        if let Fact::Known(value) = fact {
            map.insert(field.to_owned(), (*value).into());
        }
    }
    if let Fact::Known(lifts) = &protection.lifts {
        map.insert("locked".to_owned(), lifts.is_empty().into());
    }
    map.insert("client_only".to_owned(), (!protection.only_ways.is_empty()).into());
    map.into()
}

/// What answers in the bounds have in common.
fn answered(facts: &mut Facts, worst: Outcome, best: Outcome, gaps: &BTreeSet<Gap>) {
    facts.put("bounds.worst", worst.rank().word());
    facts.put("bounds.best", best.rank().word());
    let doubt = || gaps.iter().cloned();
    facts.leave("answer", doubt());
    match same(between(worst, best).map(|outcome| outcome.prevention)) {
        Some(prevention) => facts.put("prevention", word(&prevention)),
        None => facts.leave("prevention", doubt()),
    }
    // What stands after a delete that stops is not asked, so it may be anything.
    let after =
        || between(worst, best).map(|o| (o.prevention != Prevention::Stopped).then_some((o.recovery, o.outside)));
    match same(after().map(|after| after.map(|(recovery, _)| recovery))).flatten() {
        Some(recovery) => facts.put("recovery_answer", word::<Recovery>(&recovery)),
        None => facts.leave("recovery_answer", doubt()),
    }
    match same(after().map(|after| after.map(|(_, outside)| outside))).flatten() {
        Some(outside) => facts.put("outside_rpo_rto", outside),
        None => facts.leave("outside_rpo_rto", doubt()),
    }
}

/// The weakest state of each layer over every call that gets past reach and permit: those that surely do bound it from
/// above, those that may from below.
fn layers(given: &Given<'_, '_>, facts: &mut Facts, judged: &Judged, gaps: &BTreeSet<Gap>) {
    let paths: Vec<&Path> = judged.from.iter().filter(|from| from.counted).flat_map(|from| &from.paths.shown).collect();
    let gets_past =
        |layers: &[Hold; 6]| [layers.first(), layers.get(2)].into_iter().flatten().all(|hold| *hold != Hold::Never);
    for (at, name) in LayerName::ALL.into_iter().enumerate() {
        let path = format!("layers.{}", name.word());
        let of = |layers: &[Hold; 6]| layers.get(at).copied().unwrap_or(Hold::Free);
        // A path stands for others of the same states, of which an unknown one may be anything.
        let low = |path: &&Path| {
            let unknown = path.states().get(at) == Some(&LayerState::Unknown);
            if unknown { Hold::Free } else { of(&path.worst.layers) }
        };
        let worst = paths.iter().filter(|path| gets_past(&path.worst.layers)).map(low).min().unwrap_or(Hold::Never);
        let sure = paths.iter().filter(|path| gets_past(&path.best.layers));
        let best = sure.map(|path| of(&path.best.layers)).min().unwrap_or(Hold::Never);
        match state_of(worst, best) {
            LayerState::Unknown => {
                let more = given.ground.world.assets.get(&judged.asset).and_then(|asset| match name {
                    LayerName::Confirm | LayerName::Protect => asset.protections.gap(),
                    LayerName::Survive | LayerName::Restore => asset.copies.gap(),
                    LayerName::Reach | LayerName::Permit => None,
                });
                facts.leave(&path, gaps.iter().cloned().chain(more.cloned()));
            }
            state @ (LayerState::Open | LayerState::Slows | LayerState::Stops) => facts.put(&path, state.word()),
        }
    }
}

fn recovery(given: &Given<'_, '_>, facts: &mut Facts, asset: &Asset) {
    let copies = given.ground.copies_of.get(&asset.id).map_or(&[][..], Vec::as_slice);
    let unlisted: Vec<Maybe> = asset.copies.gap().map(|gap| Err(BTreeSet::from([gap.clone()]))).into_iter().collect();
    let and = |all: Vec<Maybe>| any(all.into_iter().chain(unlisted.clone()));
    facts.tell("recovery.pitr.enabled", and(copies.iter().map(|copy| Ok(copy.kind == CopyKind::Pitr)).collect()));
    let drilled = copies.iter().map(|copy| drilled(given, copy, |_| true));
    facts.tell("recovery.drilled", and(drilled.collect()));
    let counted = |all: Vec<Maybe>| {
        let gaps: BTreeSet<Gap> =
            all.iter().chain(&unlisted).filter_map(|one| one.as_ref().err()).flatten().cloned().collect();
        let whole = all.iter().all(Result::is_ok) && unlisted.is_empty();
        if whole { Ok(count(all.iter().filter(|one| **one == Ok(true)).count())) } else { Err(gaps) }
    };
    facts.tell("recovery.copies", counted(copies.iter().map(|_| Ok(true)).collect()));
    facts.tell(
        "recovery.independent",
        counted(copies.iter().map(|copy| goes_along(given, copy).map(|goes| !goes)).collect()),
    );
    facts.tell("recovery.tested", counted(copies.iter().map(|copy| drilled_in_time(given, copy)).collect()));
}

/// Whether a delete of the asset takes a copy along.
fn goes_along(given: &Given<'_, '_>, copy: &Copy) -> Maybe {
    match &copy.dies_with {
        Fact::Known(actions) => {
            let deeds = given.ground.deeds.get(&copy.of).into_iter().flatten();
            Ok(deeds.into_iter().any(|deed| pattern::any(actions, &deed.action)))
        }
        Fact::Unknown(gap) => Err(BTreeSet::from([gap.clone()])),
    }
}

fn now(given: &Given<'_, '_>) -> Time {
    given.policy.assessed_at.unwrap_or(given.ground.world.newest)
}

/// The restores of this very copy that worked.
fn worked<'w>(given: &Given<'_, 'w>, copy: &Copy) -> impl Iterator<Item = &'w Drill> {
    let drills = given.ground.drills_of.get(&copy.id).map_or(&[][..], Vec::as_slice).iter().copied();
    drills.filter(|drill| drill.asset == copy.of && drill.worked).collect::<Vec<_>>().into_iter()
}

fn drilled(given: &Given<'_, '_>, copy: &Copy, fits: impl Fn(Time) -> bool) -> Maybe {
    let unlisted = copy.drills.gap().map(|gap| Err(BTreeSet::from([gap.clone()])));
    any(worked(given, copy).map(|drill| Ok(fits(drill.tested_at))).chain(unlisted))
}

fn drilled_in_time(given: &Given<'_, '_>, copy: &Copy) -> Maybe {
    drilled(given, copy, |at| now(given).since(at) <= given.policy.drill_max_age)
}

pub(super) fn copies(given: &Given<'_, '_>) -> impl Iterator<Item = Facts> {
    let counted = given.judged.iter().filter(|judged| judged.standing.in_headline);
    let counted: BTreeSet<&NodeId> = counted.map(|judged| &judged.asset).collect();
    let copies = given.ground.world.copies.values();
    copies.map(move |copy| of_copy(given, copy, counted.contains(&copy.of)))
}

fn of_copy(given: &Given<'_, '_>, copy: &Copy, in_headline: bool) -> Facts {
    let world = given.ground.world;
    let mut facts = Facts::new(Subject::RecoveryPoint, copy.id.as_str(), &copy.name);
    facts.sources.extend(copy.sources.iter().cloned());
    let asset = world.assets.get(&copy.of).map_or(copy.of.as_str(), |asset| asset.name.as_str());
    facts.put("key", copy.id.as_str());
    facts.put("name", copy.name.as_str());
    facts.put("kind", word(&copy.kind));
    facts.put("asset", asset);
    facts.put("asset_in_headline", in_headline);
    facts.tell("goes_along", goes_along(given, copy));
    // What takes it along when that is not known may be a call that nothing else speaks of.
    let along = copy.dies_with.gap().map(|gap| Err(BTreeSet::from([gap.clone()])));
    let destroyed = in_reach(given.walkers.values(), &Key::Destroyed(copy.id.clone()));
    facts.tell("destroyable", any([destroyed].into_iter().chain(along)));
    facts.put("placed_apart", copy.place.as_ref().is_some_and(|place| *place != copy.of));
    kept(given, &mut facts, copy);
    let declared = given.policy.assets.get(copy.of.as_str()).cloned().unwrap_or_default();
    facts.put("has_rpo", declared.rpo.is_some());
    facts.put("has_rto", declared.rto.is_some());
    match &copy.lag {
        Fact::Known(lag) => {
            facts.put("lag_hours", hours_up(*lag));
            if let Some(rpo) = declared.rpo {
                facts.put("within_rpo", *lag <= rpo);
            }
        }
        Fact::Unknown(gap) => {
            facts.leave("lag_hours", [gap.clone()]);
            facts.leave("within_rpo", [gap.clone()]);
        }
    }
    facts.tell("tested", drilled(given, copy, |_| true));
    facts.tell("tested_in_time", drilled_in_time(given, copy));
    match (copy.drills.gap(), worked(given, copy).max_by_key(|drill| drill.tested_at)) {
        (Some(gap), _) => {
            facts.leave("tested_days_ago", [gap.clone()]);
            facts.leave("restored_within_rto", [gap.clone()]);
        }
        (None, Some(drill)) => {
            facts.put("tested_days_ago", hours_up(now(given).since(drill.tested_at)) / 24);
            match (&drill.took, declared.rto) {
                (Fact::Known(took), Some(rto)) => facts.put("restored_within_rto", *took <= rto),
                (Fact::Unknown(gap), _) => facts.leave("restored_within_rto", [gap.clone()]),
                (Fact::Known(_), None) => {}
            }
        }
        (None, None) => {}
    }
    facts
}

fn kept(given: &Given<'_, '_>, facts: &mut Facts, copy: &Copy) {
    let notice = given.policy.time_to_notice.unwrap_or(NOTICE_ASSUMED);
    let ends = match &copy.ends {
        Fact::Known(End::Never) => None,
        Fact::Known(End::After(span)) => Some(*span),
        Fact::Known(End::At(at)) => Some(at.since(now(given))),
        Fact::Unknown(gap) => {
            for field in ["has_end", "kept_hours", "outlasts_notice"] {
                facts.leave(field, [gap.clone()]);
            }
            return;
        }
    };
    facts.put("has_end", ends.is_some());
    facts.put("outlasts_notice", ends.is_none_or(|span| span >= notice));
    if let Some(span) = ends {
        facts.put("kept_hours", hours_down(span));
    }
}

fn hours_down(span: Span) -> i64 {
    i64::try_from(span.0 / 3_600).unwrap_or(i64::MAX)
}

fn hours_up(span: Span) -> i64 {
    i64::try_from(span.0.div_ceil(3_600)).unwrap_or(i64::MAX)
}

pub(super) fn environments(given: &Given<'_, '_>, rights: &Rights) -> impl Iterator<Item = Facts> {
    let names: BTreeSet<&str> = given.judged.iter().filter_map(|j| j.standing.environment.as_deref()).collect();
    names.into_iter().filter(|name| !name.is_empty()).map(|name| of_environment(given, rights, name))
}

fn of_environment(given: &Given<'_, '_>, rights: &Rights, name: &str) -> Facts {
    let world = given.ground.world;
    let mut facts = Facts::new(Subject::Environment, name, name);
    facts.put("name", name);
    if let Some(production) = answer::is_production(given.policy, name) {
        facts.put("production", production);
    }
    let inside: Vec<&Judged> =
        given.judged.iter().filter(|judged| judged.standing.environment.as_deref() == Some(name)).collect();
    let unplaced = given.judged.iter().filter(|judged| judged.standing.environment.is_none());
    let unplaced: BTreeSet<Gap> =
        unplaced.filter_map(|judged| world.assets.get(&judged.asset)?.environment.gap().cloned()).collect();
    let whole = given.judged.iter().all(|judged| judged.standing.environment.is_some());
    facts.tell("assets", if whole { Ok(count(inside.len())) } else { Err(unplaced.clone()) });
    let maybe: Vec<Maybe> = if whole { Vec::new() } else { vec![Err(unplaced)] };
    let open = inside.iter().map(|judged| match same(between(judged.worst, judged.best).map(|o| o.prevention)) {
        Some(prevention) => Ok(prevention == Prevention::Open),
        None => Err(given.deciding.get(&judged.asset).cloned().unwrap_or_default()),
    });
    facts.tell("open", any(open.chain(maybe.clone())));
    let shares = world.credentials.values().map(|credential| match &credential.identity {
        Fact::Unknown(gap) => Err(BTreeSet::from([gap.clone()])),
        Fact::Known(identity) => rights.of(identity).shares(name),
    });
    facts.tell("shares_credentials", any(shares.chain(unread(given))));
    let elsewhere = given.walkers.values().map(|walker| walker.session);
    let elsewhere = elsewhere.filter(|session| session.environment.as_deref().is_some_and(|own| own != name));
    let entered = elsewhere.flat_map(|session| inside.iter().map(move |judged| reaches(given, judged, session)));
    // A session that was not assessed may be meant for anything.
    let other = world.sessions.get(&SessionId::from(UNASSESSED)).and_then(|session| session.reach.gap().cloned());
    let other = other.map(|gap| Err(BTreeSet::from([gap])));
    facts.tell("entered_from_elsewhere", any(entered.chain(maybe).chain(other)));
    facts.put("tabletop_recorded", given.tabletop);
    facts
}

pub(super) fn paths(given: &Given<'_, '_>) -> impl Iterator<Item = Facts> {
    // Of paths that differ by their route alone the worst stands for all: it is listed first.
    let mut seen = BTreeSet::new();
    let first = given.paths.iter().filter(move |path| seen.insert(path.key.as_str()));
    first.map(|path| of_path(given, path))
}

fn of_path(given: &Given<'_, '_>, path: &PathAnswer) -> Facts {
    let judged = path.asset.strip_prefix('A').and_then(|number| number.parse::<usize>().ok());
    let judged = judged.and_then(|number| given.judged.get(number.checked_sub(1)?));
    let asset = judged.and_then(|judged| given.ground.world.assets.get(&judged.asset));
    let session = path.session.strip_prefix('S').and_then(|number| number.parse::<usize>().ok());
    let session = session.and_then(|number| given.walkers.values().nth(number.checked_sub(1)?));
    let (session, asset) = (session.map_or("", |w| w.session.name.as_str()), asset.map_or("", |a| a.name.as_str()));
    let identity = path.principals.last().map_or("", String::as_str);
    let name = format!("{session} → {} → {asset}", path.action);
    let mut facts = Facts::new(Subject::Path, &path.key, &name);
    facts.put("key", path.key.as_str());
    facts.put("session", session);
    facts.put("identity", identity);
    facts.put("action", path.action.as_str());
    facts.put("way", path.way.clone().unwrap_or_default());
    facts.put("asset", asset);
    facts.put("asset_in_headline", judged.is_some_and(|judged| judged.standing.in_headline));
    facts.put("called_above", path.on.is_some());
    if let Some(span) = path.destroys_in {
        facts.put("seconds", i64::try_from(span.0).unwrap_or(i64::MAX));
    }
    let gaps = judged.and_then(|judged| given.deciding.get(&judged.asset)).cloned().unwrap_or_default();
    let [worst, best] = path.bounds;
    facts.put("bounds.worst", worst.word());
    facts.put("bounds.best", best.word());
    match same(Rank::ALL.into_iter().filter(|rank| worst <= *rank && *rank <= best).map(Rank::prevention)) {
        Some(prevention) => facts.put("prevention", word(&prevention)),
        None => facts.leave("prevention", gaps.iter().cloned()),
    }
    for layer in &path.layers {
        let field = format!("layers.{}", layer.layer.word());
        match layer.state {
            LayerState::Unknown => facts.leave(&field, gaps.iter().cloned()),
            LayerState::Open | LayerState::Slows | LayerState::Stops => facts.put(&field, layer.state.word()),
        }
    }
    let before = || path.layers.iter().take(4);
    if before().any(|layer| layer.state == LayerState::Unknown) {
        facts.leave("stopping_layers", gaps.iter().cloned());
        facts.leave("rests_on_agent", gaps);
    } else {
        facts.put("stopping_layers", count(before().filter(|layer| layer.state == LayerState::Stops).count()));
        facts.put("rests_on_agent", path.rests_on_agent);
    }
    facts
}
