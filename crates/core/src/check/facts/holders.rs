//! Facts of credentials, sessions and identities (floor 2).

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use super::rights::{Held, Rights, in_reach};
use super::{Facts, Given, Maybe, any, count, has, known, rules, unread};
use crate::assessment::LocationRow;
use crate::check::subject::Subject;
use crate::fact::{Fact, Gap};
use crate::id::{NodeId, PrincipalId};
use crate::model::reach::Approval;
use crate::model::{Agent, Atom, Credential, Decision, Grant, Principal, Session, Status, Step, Way, WayKind};
use crate::path::Walker;
use crate::policy::Intended;
use crate::power::Hold;
use crate::power::ground::Key;
use crate::verdict::Prevention;
use crate::world::World;

/// The word that JSON writes for a closed value.
pub(super) fn word<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

pub(super) fn credentials(given: &Given<'_, '_>, rights: &Rights) -> impl Iterator<Item = Facts> {
    given.ground.world.credentials.values().map(|credential| of_credential(given, rights, credential))
}

fn of_credential(given: &Given<'_, '_>, rights: &Rights, credential: &Credential) -> Facts {
    let name = match &credential.public_id {
        Some(id) => format!("{} {} {id}", credential.provider, credential.kind),
        None => credential.key.clone(),
    };
    let mut facts = Facts::new(Subject::Credential, &credential.key, &name);
    facts.sources.extend(credential.sources.iter().cloned());
    let first = credential.locations.iter().min_by_key(|location| (location.kind != "file", *location));
    facts.location = first.map(|location| LocationRow {
        kind: location.kind.clone(),
        path: location.path.clone(),
        line: location.line,
        key: location.key.clone(),
    });
    facts.put("key", credential.key.as_str());
    facts.put("provider", credential.provider.as_str());
    facts.put("kind", credential.kind.as_str());
    match &credential.status {
        Fact::Known(Status::Live) => facts.put("status", "live"),
        Fact::Known(Status::Revoked) => facts.put("status", "revoked"),
        Fact::Unknown(gap) => facts.leave("status", [gap.clone()]),
    }
    if let Some(environment) = &credential.environment {
        facts.put("environment", environment.as_str());
    }
    let held = held_by(given, credential, has);
    facts.tell("in_reach", any(unread(given).into_iter().chain([held])));
    let free = held_by(given, credential, freely);
    facts.tell("reached_freely", any(unread(given).into_iter().chain([free])));
    let alone = [Atom::Credential(credential.id.clone())];
    let steps = given.ground.world.steps.iter().filter(|step| step.needs == alone);
    let opening = steps.filter(|step| step.gains.iter().any(|gain| matches!(gain, Atom::Credential(_))));
    let unlisted = given.ground.world.unlisted_steps.iter().map(|gap| Err(BTreeSet::from([gap.clone()])));
    // Of a login whose server is not told nothing was compared.
    let nameless = credential.identity.gap().map(|gap| Err(BTreeSet::from([gap.clone()])));
    facts.tell("opens_others", any(opening.map(|step| known(&step.possible)).chain(unlisted).chain(nameless)));
    facts.tell("named_elsewhere", named_elsewhere(given, credential));
    let kinds: BTreeSet<&str> = credential.locations.iter().map(|location| location.kind.as_str()).collect();
    let places: BTreeSet<_> = credential.locations.iter().map(|l| (&l.kind, &l.path, l.line, &l.key)).collect();
    facts.put("places", count(places.len()));
    facts.put("place_kinds", kinds.into_iter().collect::<Vec<_>>());
    match &credential.identity {
        Fact::Known(identity) => {
            let world = given.ground.world;
            facts.put("identity", world.principals.get(identity).map_or(identity.as_str(), |p| p.name.as_str()));
            destroys(&mut facts, rights.of(identity));
        }
        Fact::Unknown(gap) => {
            for field in
                ["identity", "destroys", "destroys_production", "crosses_environments", "assets", "environments"]
            {
                facts.leave(field, [gap.clone()]);
            }
        }
    }
    facts
}

/// Whether a login has the name of one at another server, of another environment.
fn named_elsewhere(given: &Given<'_, '_>, credential: &Credential) -> Maybe {
    let world = given.ground.world;
    let login = |one: &'_ Credential| {
        let name = world.principals.get(one.identity.known()?)?.name.clone();
        Some((one.within.clone()?, name))
    };
    // Of one that is not told it is not known whose name it has.
    let untold = |one: &Credential| Err(one.identity.gap().cloned().into_iter().collect());
    let Some((server, name)) = login(credential) else { return untold(credential) };
    let others = || world.credentials.values().filter(|one| one.provider == credential.provider);
    let doubts: Vec<Maybe> = others().filter(|one| login(one).is_none()).map(untold).collect();
    let alike = others().filter_map(login).filter(|(other, called)| *other != server && *called == name);
    let servers: BTreeSet<NodeId> = alike.map(|(other, _)| other).collect();
    let places = |server: &NodeId| {
        let (mut known, mut gaps, mut placed) = (BTreeSet::new(), BTreeSet::new(), None);
        for judged in given.judged {
            let Some(asset) = world.assets.get(&judged.asset) else { continue };
            if judged.asset == *server || asset.parent.as_ref() == Some(server) {
                let environment = judged.standing.environment.clone().filter(|name| !name.is_empty());
                placed = Some(placed.unwrap_or(true) && environment.is_some());
                known.extend(environment);
                gaps.extend(asset.environment.gap().filter(|_| judged.standing.environment.is_none()).cloned());
            }
        }
        (known, gaps, placed == Some(true))
    };
    let (own, unplaced, here) = places(&server);
    let apart = servers.iter().map(|other| {
        let (known, mut gaps, there) = places(other);
        gaps.extend(unplaced.iter().cloned());
        let differ = own.iter().any(|one| known.iter().any(|another| one != another));
        if differ || here && there && gaps.is_empty() { Ok(differ) } else { Err(gaps) }
    });
    any(apart.chain(doubts))
}

/// Whether some session gets hold of a credential. Power does not speak of one that is known to be revoked; that lies
/// where it lies all the same, so it is looked up by its places.
fn held_by(given: &Given<'_, '_>, credential: &Credential, by: fn(&Walker<'_, '_>, &Key) -> Maybe) -> Maybe {
    if credential.status != Fact::Known(Status::Revoked) {
        let hold = Key::Hold(credential.id.clone());
        return any(given.walkers.values().map(|walker| by(walker, &hold)));
    }
    let world = given.ground.world;
    let gained = Atom::Credential(credential.id.clone());
    let steps = world.steps.iter().filter(|step| step.gains.contains(&gained)).map(|_| Err(BTreeSet::new()));
    let places = credential.locations.iter().flat_map(|location| {
        let sessions = location.sessions.iter().filter_map(|session| given.walkers.get(session));
        sessions.flat_map(move |walker| {
            let ways = world.ways.values().filter(|way| way.session.as_ref() == Some(&walker.session.id));
            ways.map(move |way| {
                let refused = location.refused.iter().any(|refusal| refusal.way == way.id);
                match (refused || location.kind == "network", way.reads) {
                    (true, _) => Err(BTreeSet::new()),
                    (false, true) => by(walker, &Key::Way(way.id.clone())),
                    (false, false) => Ok(false),
                }
            })
        })
    });
    any(steps.chain(places))
}

/// One that was revoked is in nobody's reach, so that of one whose status is not known is not sure.
fn unless_revoked(credential: &Credential, reached: Maybe) -> Maybe {
    match (&credential.status, reached) {
        (Fact::Unknown(gap), Ok(true)) => Err(BTreeSet::from([gap.clone()])),
        (Fact::Unknown(_) | Fact::Known(_), reached) => reached,
    }
}

fn freely(walker: &Walker<'_, '_>, key: &Key) -> Maybe {
    let both = walker.both_of(key);
    match (both.worst, both.best) {
        (Hold::Free, Hold::Free) => Ok(true),
        (Hold::Full | Hold::Never, _) => Ok(false),
        (Hold::Free, Hold::Full | Hold::Never) => {
            Err(walker.ground.find(key).map(|atom| walker.power.gaps(&[atom])).unwrap_or_default())
        }
    }
}

fn destroys(facts: &mut Facts, held: &Held) {
    facts.tell("destroys", held.destroys());
    facts.tell("destroys_production", held.production());
    facts.tell("crosses_environments", held.crosses());
    match held.listed() {
        Ok(()) => {
            facts.put("assets", count(held.assets));
            if let Some(environments) = held.in_environments() {
                facts.put("environments", environments.iter().cloned().collect::<Vec<_>>());
            }
        }
        Err(gaps) => {
            facts.leave("assets", gaps.iter().cloned());
            facts.leave("environments", gaps);
        }
    }
}

pub(super) fn principals(given: &Given<'_, '_>, rights: &Rights) -> impl Iterator<Item = Facts> {
    let world = given.ground.world;
    let mut credentials_of: BTreeMap<&PrincipalId, Vec<&Credential>> = BTreeMap::new();
    let mut unidentified: BTreeMap<&str, BTreeSet<Gap>> = BTreeMap::new();
    for credential in world.credentials.values() {
        match &credential.identity {
            Fact::Known(id) => credentials_of.entry(id).or_default().push(credential),
            Fact::Unknown(gap) => drop(unidentified.entry(&credential.provider).or_default().insert(gap.clone())),
        }
    }
    let mut grants_of: BTreeMap<&PrincipalId, Vec<&Grant>> = BTreeMap::new();
    world.grants.iter().for_each(|grant| grants_of.entry(&grant.principal).or_default().push(grant));
    let mut steps_of: BTreeMap<&PrincipalId, Vec<&Step>> = BTreeMap::new();
    for step in &world.steps {
        let needed: BTreeSet<&PrincipalId> = step.needs.iter().filter_map(principal_of).collect();
        needed.into_iter().for_each(|id| steps_of.entry(id).or_default().push(step));
    }
    let one = move |principal: &Principal| {
        let grants = grants_of.get(&principal.id).map(Vec::as_slice).unwrap_or_default();
        let steps = steps_of.get(&principal.id).map(Vec::as_slice).unwrap_or_default();
        let mut facts = Facts::new(Subject::Principal, principal.id.as_str(), &principal.name);
        facts.sources.extend(principal.sources.iter().cloned());
        facts.put("id", principal.id.as_str());
        facts.put("name", principal.name.as_str());
        facts.put("provider", principal.provider.as_str());
        if let Some(environment) = &principal.environment {
            facts.put("environment", environment.as_str());
        }
        let deputies = given.ground.deputies_of.get(&principal.id).into_iter().flatten();
        let ready = deputies.map(|way| in_reach(given.walkers.values(), &Key::WayReady(way.id.clone())));
        let mut own = in_reach(given.walkers.values(), &Key::Held(principal.id.clone()));
        for credential in credentials_of.get(&principal.id).into_iter().flatten() {
            own = unless_revoked(credential, own);
        }
        // A credential that is not identified may be its own.
        let own_provider = principal.provider.as_str();
        let may_be = |provider: &str| own_provider == "unknown" || [own_provider, "unknown"].contains(&provider);
        let unidentified = unidentified.iter().filter(|(provider, _)| may_be(provider));
        let unidentified = unidentified.map(|(_, gaps)| Err(gaps.clone()));
        facts.tell("in_reach", any(ready.chain([own]).chain(unidentified).chain(unread(given))));
        destroys(&mut facts, rights.of(&principal.id));
        facts.tell("escalates", escalates(world, principal, steps));
        facts.tell("unrestricted", unrestricted(principal, grants));
        facts
    };
    world.principals.values().map(one)
}

const fn principal_of(atom: &Atom) -> Option<&PrincipalId> {
    match atom {
        Atom::Principal(id) => Some(id),
        Atom::Credential(_)
        | Atom::Way(_)
        | Atom::Lifted(_)
        | Atom::Can { .. }
        | Atom::Right { .. }
        | Atom::Destroyed(_) => None,
    }
}

/// Whether an identity alone can become another one, gain a right or lift a protection: `steps` are those that need it.
fn escalates(world: &World, principal: &Principal, steps: &[&Step]) -> Maybe {
    let gains = |atom: &Atom| match atom {
        Atom::Principal(id) => *id != principal.id,
        Atom::Right { .. } | Atom::Lifted(_) | Atom::Credential(_) => true,
        Atom::Way(_) | Atom::Can { .. } | Atom::Destroyed(_) => false,
    };
    let steps = steps.iter().filter(|step| step.gains.iter().any(gains));
    let steps = steps.map(|step| match (&step.possible, step.needs.len() == 1) {
        (Fact::Known(false), _) => Ok(false),
        (Fact::Known(true), true) => Ok(true),
        (Fact::Known(true), false) => Err(BTreeSet::new()),
        (Fact::Unknown(gap), _) => Err(BTreeSet::from([gap.clone()])),
    });
    let unlisted = world.unlisted_steps.iter().map(|gap| Err(BTreeSet::from([gap.clone()])));
    any(steps.chain(unlisted))
}

/// Whether an identity may do anything, or something to everything, by its own grants.
fn unrestricted(principal: &Principal, own: &[&Grant]) -> Maybe {
    let wide = |grant: &&&Grant| grant.target.as_str() == "*" || grant.actions.iter().any(|action| action == "*");
    let grants = own.iter().filter(wide).map(|grant| super::known(&grant.allowed));
    let unlisted = principal.grants.gap().into_iter().map(|gap| Err(BTreeSet::from([gap.clone()])));
    any(grants.chain(unlisted))
}

pub(super) fn sessions(given: &Given<'_, '_>) -> impl Iterator<Item = Facts> {
    given.walkers.values().map(|walker| of_session(given, walker))
}

fn of_session(given: &Given<'_, '_>, walker: &Walker<'_, '_>) -> Facts {
    let (world, session) = (given.ground.world, walker.session);
    let mut facts = Facts::new(Subject::Session, &session.key, &session.name);
    facts.sources.extend(session.sources.iter().cloned());
    facts.put("key", session.key.as_str());
    facts.put("name", session.name.as_str());
    facts.put("agent", word(&session.agent));
    facts.put("counted", world.counts(session));
    match session.reach.gap() {
        None => facts.put("reach_read", true),
        Some(gap) => facts.leave("reach_read", [gap.clone()]),
    }
    facts.put("has_environment", session.environment.is_some());
    facts.put("environment", session.environment.clone().unwrap_or_default());
    let held: Vec<Maybe> = world.credentials.keys().map(|id| has(walker, &Key::Hold(id.clone()))).collect();
    let unread: BTreeSet<Gap> = session.reach.gap().cloned().into_iter().collect();
    exact(&mut facts, "credentials", &held, &unread);
    let reached = |judged: &crate::answer::Judged| reaches(given, judged, session);
    let headline = || given.judged.iter().filter(|judged| judged.standing.in_headline);
    facts.tell("destroys_production", any(headline().map(reached)));
    exact(&mut facts, "production_assets", &headline().map(reached).collect::<Vec<_>>(), &BTreeSet::new());
    if let Some(own) = &session.environment {
        let outside = given.judged.iter().map(|judged| match &judged.standing.environment {
            Some(environment) if environment == own => Ok(false),
            Some(_) => reached(judged),
            None => reached(judged).and_then(|is| if is { Err(BTreeSet::new()) } else { Ok(false) }),
        });
        facts.tell("destroys_outside", any(outside));
    }
    let intended = given.policy.intended.get(&session.key);
    facts.put("has_intended", intended.is_some());
    if let Some(intended) = intended {
        facts.tell(
            "destroys_unintended",
            any(given.judged.iter().map(|judged| unintended(given, judged, session, intended))),
        );
    }
    let tools = || world.ways.values().filter(|way| way.session.as_ref() == Some(&session.id));
    // What else the code does is not known: no tool that runs unasked is known to destroy nothing.
    let rest: BTreeSet<Gap> = tools().filter_map(|way| way.decision.gap().cloned()).collect();
    let of_tool = |way: &Way| match way.approval {
        Some(Approval::None | Approval::Void) if !way.carries.is_empty() => Ok(true),
        Some(Approval::Asks) => Ok(false),
        Some(Approval::None | Approval::Void | Approval::Open) | None => Err(rest.clone()),
    };
    if session.agent == Agent::Program {
        let all: Vec<Maybe> = tools().filter(|way| way.approval.is_some()).map(of_tool).collect();
        // Where no tool was found there may be some all the same.
        let unread = (session.ways.gap().is_some() || all.is_empty())
            .then(|| Err(session.ways.gap().into_iter().chain(&rest).cloned().collect()));
        facts.tell("tool_runs_unasked", any(all.into_iter().chain(unread)));
    }
    match session.ways.gap() {
        None => facts.put("ways", ways(&mut BTreeSet::new(), world, session)),
        Some(gap) => facts.leave("ways", [gap.clone()]),
    }
    let mut gaps = BTreeSet::new();
    ways(&mut gaps, world, session);
    rules::told(&mut facts, session, &gaps);
    rules::runs(&mut facts, session, &gaps);
    facts.leave("ways.decision", gaps);
    // A tool that runs unasked is where to begin.
    let unasked = tools().any(|way| of_tool(way) == Ok(true));
    let place = tools().filter(|way| !unasked || of_tool(way) == Ok(true)).flat_map(|way| &way.sources);
    facts.location = place.filter_map(|id| world.sources.get(id)?.place.as_deref()).min().map(located);
    facts
}

/// Whether a session can have an asset destroyed that is none of what it is meant to touch. What was not listed, and what
/// lies in something not described, may be either.
fn unintended(
    given: &Given<'_, '_>,
    judged: &crate::answer::Judged,
    session: &Session,
    intended: &[Intended],
) -> Maybe {
    let world = given.ground.world;
    let chain = world.chain(&judged.asset);
    let provider = world.provider_of(&judged.asset);
    let meant = intended.iter().any(|one| {
        one.provider.as_deref().is_none_or(|name| provider == Some(name))
            && one.id.as_deref().is_none_or(|id| chain.iter().any(|node| crate::answer::is_called(world, node, id)))
    });
    if meant {
        return Ok(false);
    }
    let whole = chain.last().is_some_and(|top| world.assets.get(*top).is_some_and(|asset| asset.parent.is_none()));
    let listed = !judged.asset.as_str().ends_with("/?") && !judged.asset.as_str().starts_with("?/");
    reaches(given, judged, session).and_then(|is| if is && !(whole && listed) { Err(BTreeSet::new()) } else { Ok(is) })
}

/// `path:line` as a place.
fn located(place: &str) -> LocationRow {
    let split = place.rsplit_once(':').and_then(|(path, line)| Some((path, line.parse().ok()?)));
    let (path, line) = split.map_or((place, None), |(path, line)| (path, Some(line)));
    LocationRow { kind: "file".to_owned(), path: path.to_owned(), line, key: None }
}

fn exact(facts: &mut Facts, field: &str, all: &[Maybe], unread: &BTreeSet<Gap>) {
    let doubts: Vec<&BTreeSet<Gap>> = all.iter().filter_map(|one| one.as_ref().err()).collect();
    if doubts.is_empty() && unread.is_empty() {
        facts.put(field, count(all.iter().filter(|one| **one == Ok(true)).count()));
    } else {
        facts.leave(field, doubts.into_iter().flatten().chain(unread).cloned());
    }
}

/// Whether a session can have an asset destroyed.
pub(super) fn reaches(given: &Given<'_, '_>, judged: &crate::answer::Judged, session: &Session) -> Maybe {
    let Some(from) = judged.from.iter().find(|from| from.session == session.id) else { return Ok(false) };
    match (from.paths.worst.prevention, from.paths.best.prevention) {
        (Prevention::Stopped, _) => Ok(false),
        (Prevention::Open | Prevention::Slowed, Prevention::Open | Prevention::Slowed) => Ok(true),
        (Prevention::Open | Prevention::Slowed, Prevention::Stopped) => {
            Err(given.deciding.get(&judged.asset).cloned().unwrap_or_default())
        }
    }
}

fn ways(gaps: &mut BTreeSet<Gap>, world: &World, session: &Session) -> Value {
    let own = world.ways.values().filter(|way| way.session.as_ref().is_none_or(|id| *id == session.id));
    own.map(|way| of_way(gaps, way)).collect()
}

fn of_way(gaps: &mut BTreeSet<Gap>, way: &Way) -> Value {
    let mut map = Map::new();
    map.insert("name".to_owned(), way.name.as_str().into());
    map.insert("kind".to_owned(), word::<WayKind>(&way.kind));
    match &way.decision {
        Fact::Known(decision) => {
            map.insert("decision".to_owned(), word::<Decision>(decision));
            map.insert("overridable".to_owned(), (!way.overrides.is_empty()).into());
        }
        Fact::Unknown(gap) => drop(gaps.insert(gap.clone())),
    }
    match &way.contained {
        Fact::Known(contained) => {
            map.insert("contained".to_owned(), (*contained).into());
            map.insert("escapable".to_owned(), (!way.escapes.is_empty()).into());
        }
        Fact::Unknown(gap) => drop(gaps.insert(gap.clone())),
    }
    map.insert("managed".to_owned(), way.managed.into());
    map.insert("calls_out".to_owned(), (!way.carries.is_empty()).into());
    map.into()
}
