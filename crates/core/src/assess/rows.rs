//! Display numbers, and the rows of an assessment (floor 3).

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

use super::{Writer, gaps_of, kept, sentences, tally};
use crate::answer::Judged;
use crate::assessment::{
    AssetAnswer, CopyRow, Covers, CredentialRow, Evidence, GapRow, Layer, LocationRow, PathAnswer, SessionRow, WayRow,
};
use crate::bundle::{Bundle, short_hash};
use crate::fact::{Fact, Gap};
use crate::id::{CredentialId, NodeId, SessionId, SourceId};
use crate::model::{Agent, Basis, CopyKind, Decision, End, Status, WayKind};
use crate::path::case::Case;
use crate::path::explain::Story;
use crate::path::layers::Judge;
use crate::path::{Path, Walker, state_of};
use crate::power::ground::Key;
use crate::power::{Hold, Sight};
use crate::verdict::{Answer, LayerName, LayerState};
use crate::world::World;

/// Numbers for what is shown, given in the order of first use or of keys.
pub(super) struct Numbers<'w> {
    world: &'w World,
    sessions: BTreeMap<SessionId, String>,
    credentials: BTreeMap<CredentialId, String>,
    evidence: BTreeMap<SourceId, usize>,
    gaps: BTreeMap<Gap, usize>,
}

/// Which assets and layers a gap leaves in doubt.
#[derive(Default)]
pub(super) struct GapUses {
    pub(super) decides: BTreeMap<Gap, BTreeSet<String>>,
    layers: BTreeMap<Gap, BTreeSet<LayerName>>,
}

impl<'w> Numbers<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        let numbered = |prefix: &str, at: usize| format!("{prefix}{}", at + 1);
        let sessions = world.sessions.keys().enumerate().map(|(at, id)| (id.clone(), numbered("S", at)));
        let credentials = world.credentials.keys().enumerate().map(|(at, id)| (id.clone(), numbered("C", at)));
        Self {
            world,
            sessions: sessions.collect(),
            credentials: credentials.collect(),
            evidence: BTreeMap::new(),
            gaps: BTreeMap::new(),
        }
    }

    /// The facts that are numbered.
    pub(super) const fn world(&self) -> &'w World {
        self.world
    }

    fn session(&self, id: &SessionId) -> String {
        self.sessions.get(id).cloned().unwrap_or_default()
    }

    pub(super) fn evidence(&mut self, sources: &BTreeSet<SourceId>) -> Vec<String> {
        let known = sources.iter().filter(|id| self.world.sources.contains_key(id));
        let mut numbers = Vec::new();
        for id in known {
            let next = self.evidence.len() + 1;
            numbers.push(*self.evidence.entry(id.clone()).or_insert(next));
        }
        numbers.sort_unstable();
        numbers.into_iter().map(|number| format!("E{number}")).collect()
    }

    fn gap(&mut self, gap: &Gap) -> String {
        let next = self.gaps.len() + 1;
        format!("U{}", *self.gaps.entry(gap.clone()).or_insert(next))
    }

    fn layers(&mut self, story: &Story) -> Vec<Layer> {
        let mut layers = Vec::new();
        for (name, state, told) in &story.layers {
            layers.push(Layer {
                layer: *name,
                state: *state,
                basis: told.basis.unwrap_or(Basis::None),
                because: told.because.clone(),
                bypass: told.bypass.clone(),
                gaps: told.gaps.iter().map(|gap| self.gap(gap)).collect(),
                evidence: self.evidence(&told.sources),
            });
        }
        layers
    }

    /// Writes one path out.
    pub(super) fn path(
        &mut self,
        walker: &Walker<'_, '_>,
        path: &Path,
        story: &Story,
        asset: usize,
        at: usize,
    ) -> PathAnswer {
        let world = self.world;
        let session = walker.session;
        let entry = path.deed.entry.and_then(|entry| world.actions.get(entry));
        let (worst, best) = (path.worst.outcome, path.best.outcome);
        let hashed = format!("{}\n{}\n{}\n{}", session.key, path.principal, path.deed.action, path.asset);
        let node_name = |id: &NodeId| world.assets.get(id).map_or_else(|| id.0.clone(), |asset| asset.name.clone());
        PathAnswer {
            id: format!("P{}", at + 1),
            key: short_hash(&hashed),
            session: self.session(&session.id),
            credential: story.credential.as_ref().and_then(|id| self.credentials.get(id).cloned()),
            principals: story.principals.clone(),
            action: path.deed.action.clone(),
            chosen: entry.and_then(|entry| entry.chosen.clone()),
            action_because: entry.map_or_else(String::new, |entry| entry.because.clone()),
            on: (path.deed.on != path.asset).then(|| node_name(&path.deed.on)),
            way: story.way.as_ref().and_then(|id| world.ways.get(id)).map(|way| way.name.clone()),
            asset: format!("A{}", asset + 1),
            answer: if worst.order() == best.order() { worst.rank().answer() } else { Answer::Unknown },
            bounds: [worst.rank(), best.rank()],
            rests_on_agent: rests_on_agent(story),
            layers: self.layers(story),
            chain: story.chain.clone(),
            destroys_in: entry.and_then(|entry| entry.takes),
        }
    }

    pub(super) fn gap_rows(&mut self, bundle: &Bundle, uses: &GapUses) -> Vec<GapRow> {
        for gap in all_gaps(bundle) {
            self.gap(&gap);
        }
        let mut ordered: Vec<(&Gap, &usize)> = self.gaps.iter().collect();
        ordered.sort_by_key(|(_, number)| **number);
        let row = |(gap, number): (&Gap, &usize)| {
            let source = self.world.sources.get(&gap.source);
            GapRow {
                id: format!("U{number}"),
                reason: gap.reason,
                asked: source.map_or_else(|| gap.source.0.clone(), |source| source.operation.clone()),
                scope: source.and_then(|source| source.scope.clone().or_else(|| source.place.clone())),
                came_back: gap.reason.words().to_owned(),
                settle: source.and_then(|source| source.settle.clone()),
                decides: uses.decides.get(gap).into_iter().flatten().cloned().collect(),
                layers: uses.layers.get(gap).into_iter().flatten().copied().collect(),
            }
        };
        ordered.into_iter().map(row).collect()
    }

    pub(super) fn evidence_rows(&self) -> Vec<Evidence> {
        let mut ordered: Vec<(&SourceId, &usize)> = self.evidence.iter().collect();
        ordered.sort_by_key(|(_, number)| **number);
        let row = |(id, number): (&SourceId, &usize)| {
            self.world.sources.get(id).map(|source| Evidence {
                id: format!("E{number}"),
                provider: source.provider.clone(),
                operation: source.operation.clone(),
                scope: source.scope.clone(),
                at: source.at,
                excerpt: source.excerpt.clone(),
                place: source.place.clone(),
            })
        };
        ordered.into_iter().filter_map(row).collect()
    }
}

/// Whether what stands before the call is an agent's own gate or sandbox, and nothing of the provider's.
fn rests_on_agent(story: &Story) -> bool {
    let before = story.layers.iter().take(4);
    let strongest = before.clone().map(|(_, state, _)| strength(*state)).max().unwrap_or(0);
    strongest > 0
        && before.clone().any(|(_, state, told)| strength(*state) == strongest && told.agents_own)
        && !before.clone().any(|(_, state, told)| strength(*state) == strongest && !told.agents_own)
}

const fn strength(state: LayerState) -> u8 {
    match state {
        LayerState::Open | LayerState::Unknown => 0,
        LayerState::Slows => 1,
        LayerState::Stops => 2,
    }
}

impl Writer<'_, '_> {
    pub(super) fn asset_row(
        &mut self,
        judged: &Judged,
        at: usize,
        paths: &[PathAnswer],
        uses: &mut GapUses,
    ) -> AssetAnswer {
        let world = self.ground.world;
        let worst = judged.worst_path();
        let told = worst.and_then(|(session, path)| {
            self.walkers.get(session).map(|walker| crate::path::explain::story(walker, path))
        });
        let layers = told.as_ref().map_or_else(no_path_layers, |story| self.numbers.layers(story));
        let gaps = told.as_ref().filter(|_| judged.answer() == Answer::Unknown).map(gaps_of).unwrap_or_default();
        let id = format!("A{}", at + 1);
        for gap in &gaps {
            uses.decides.entry(gap.clone()).or_default().insert(id.clone());
        }
        for (name, _, told) in told.iter().flat_map(|story| &story.layers) {
            for gap in &told.gaps {
                uses.layers.entry(gap.clone()).or_default().insert(*name);
            }
        }
        let settled_by = gaps.iter().map(|gap| self.numbers.gap(gap)).collect();
        let own = told.iter().flat_map(|story| &story.layers).filter(|(_, _, told)| told.agents_own);
        let own: Vec<LayerName> = own.map(|(name, _, _)| *name).collect();
        let (sentence, aside) = sentences::answer(judged, &layers, &own);
        let declared = self.policy.assets.get(judged.asset.as_str()).cloned().unwrap_or_default();
        let asset = world.assets.get(&judged.asset);
        let above = world.chain(&judged.asset).into_iter().skip(1);
        let mut place: Vec<String> =
            above.filter_map(|node| world.assets.get(node)).map(|node| node.name.clone()).collect();
        place.reverse();
        let text = |pick: fn(&crate::model::Asset) -> &str| asset.map(pick).unwrap_or_default().to_owned();
        AssetAnswer {
            id,
            key: judged.asset.0.clone(),
            provider: text(|asset| &asset.provider),
            kind: text(|asset| &asset.kind),
            class: asset.map_or_else(String::new, |asset| word(&asset.class)),
            name: text(|asset| &asset.name),
            place,
            holds: asset.and_then(|asset| asset.holds.clone()),
            environment: judged.standing.environment.clone(),
            assumed_environment: judged.standing.assumed,
            in_headline: judged.standing.in_headline,
            answer: judged.answer(),
            bounds: [judged.worst.rank(), judged.best.rank()],
            rated: judged.worst.rated(),
            prevention: judged.worst.prevention,
            recovery: judged.worst.recovery,
            outside_rpo_rto: judged.worst.outside,
            sentence,
            aside,
            worst_path: paths.first().map(|path| path.id.clone()),
            paths: paths.iter().map(|path| path.id.clone()).collect(),
            paths_total: judged.from.iter().map(|from| from.paths.total).sum(),
            layers,
            settled_by,
            plain_bounds: judged.plain.map(|(worst, best)| [worst.rank(), best.rank()]),
            criticality: declared.criticality,
            owner: declared.owner,
            rpo: declared.rpo,
            rto: declared.rto,
            recovery_points: worst
                .and_then(|(session, path)| self.walkers.get(session).map(|w| copy_rows(w, path)))
                .unwrap_or_default(),
        }
    }

    pub(super) fn credential_rows(&self, judged: &[Judged]) -> Vec<CredentialRow> {
        let world = self.ground.world;
        let mut destroys: BTreeMap<&crate::id::PrincipalId, BTreeSet<&NodeId>> = BTreeMap::new();
        for asset in judged.iter().filter(|j| j.standing.in_headline) {
            for path in asset.from.iter().filter(|from| from.counted).flat_map(|from| &from.paths.shown) {
                if path.worst.outcome.prevention != crate::verdict::Prevention::Stopped {
                    destroys.entry(&path.principal).or_default().insert(&asset.asset);
                }
            }
        }
        let rows = world.credentials.values().map(|credential| {
            let who = crate::power::ground::sessions::identity_or_stand_in(credential);
            let hold = self.ground.find(&Key::Hold(credential.id.clone()));
            let holds = |walker: &Walker<'_, '_>| {
                hold.is_some_and(|atom| walker.power.hold(Sight::Worst, &[atom]) != Hold::Never)
            };
            let sessions = self.walkers.iter().filter(|(_, walker)| holds(walker));
            CredentialRow {
                id: self.numbers.credentials.get(&credential.id).cloned().unwrap_or_default(),
                key: credential.key.clone(),
                provider: credential.provider.clone(),
                kind: credential.kind.clone(),
                public_id: credential.public_id.clone(),
                fingerprint: credential.fingerprint.clone(),
                expires: credential.expires,
                status: match credential.status {
                    Fact::Known(Status::Live) => "live",
                    Fact::Known(Status::Revoked) => "revoked",
                    Fact::Unknown(_) => "unverified",
                }
                .to_owned(),
                identity: credential
                    .identity
                    .known()
                    .map(|id| world.principals.get(id).map_or_else(|| id.0.clone(), |p| p.name.clone())),
                scope: credential.scope.clone(),
                environment: credential.environment.clone(),
                locations: location_rows(credential),
                sessions: sessions.map(|(id, _)| self.numbers.session(id)).collect(),
                destroys: destroys.get(&who).map_or(0, BTreeSet::len),
            }
        });
        rows.collect()
    }

    pub(super) fn session_rows(&self) -> Vec<SessionRow> {
        let world = self.ground.world;
        let row = |session: &crate::model::Session| SessionRow {
            id: self.numbers.session(&session.id),
            key: session.key.clone(),
            name: session.name.clone(),
            agent: agent_word(session.agent),
            environment: session.environment.clone(),
            roots: session.roots.clone(),
            counted: world.counts(session),
            ways: world
                .ways
                .values()
                .filter(|way| way.session.as_ref() == Some(&session.id))
                .map(|way| way_row(world, way))
                .collect(),
            kept: kept::rows(world, &session.id),
            tally: session.tally.as_ref().map(tally::rows),
        };
        world.sessions.values().map(row).collect()
    }
}

fn location_rows(credential: &crate::model::Credential) -> Vec<LocationRow> {
    let rows = credential.locations.iter().map(|location| LocationRow {
        kind: location.kind.clone(),
        path: location.path.clone(),
        line: location.line,
        key: location.key.clone(),
    });
    rows.collect::<BTreeSet<LocationRow>>().into_iter().collect()
}

fn way_row(world: &World, way: &crate::model::Way) -> WayRow {
    let decision = match &way.decision {
        Fact::Known(Decision::Deny) => "deny",
        Fact::Known(Decision::Ask) => "ask",
        Fact::Known(Decision::Reviewed) => "reviewed",
        Fact::Known(Decision::Allow) => "allow",
        Fact::Unknown(_) => "unknown",
    };
    let contained = match &way.contained {
        Fact::Known(true) => "yes",
        Fact::Known(false) => "no",
        Fact::Unknown(_) => "unknown",
    };
    let place = way.sources.iter().filter_map(|id| world.sources.get(id)).find_map(|source| source.place.clone());
    WayRow {
        name: way.name.clone(),
        kind: way_word(way.kind),
        decision: decision.to_owned(),
        contained: contained.to_owned(),
        managed: way.managed,
        rule: way.rule.clone(),
        source: place,
        because: way.because.clone(),
        overridable_by: way.overrides.iter().chain(&way.escapes).map(|item| item.because.clone()).collect(),
    }
}

fn copy_rows(walker: &Walker<'_, '_>, path: &Path) -> Vec<CopyRow> {
    let case = Case::new(walker.ground, &path.asset, &path.deed);
    let judge = Judge::new(walker, &case);
    let row = |fate: &crate::path::recovery::Fate<'_>| CopyRow {
        key: fate.copy.id.0.clone(),
        name: fate.copy.name.clone(),
        kind: copy_word(fate.copy.kind),
        survives: state_of(fate.worst.survive, fate.best.survive),
        restored: state_of(fate.worst.restore, fate.best.restore),
        because: fate.copy.because.clone(),
        ends: match &fate.copy.ends {
            Fact::Known(End::Never) => None,
            Fact::Known(End::After(span)) => Some(format!("{} after the delete", span.human())),
            Fact::Known(End::At(at)) => Some(format!("on {}", at.day())),
            Fact::Unknown(_) => Some("not known".to_owned()),
        },
    };
    judge.copies.fates.iter().map(row).collect()
}

/// The layers of an asset that nothing leads to: it stops at the first.
fn no_path_layers() -> Vec<Layer> {
    let layer = |name: LayerName| {
        let (state, because) = match name {
            LayerName::Reach => (LayerState::Stops, "nothing in reach leads to it"),
            LayerName::Confirm | LayerName::Permit | LayerName::Protect | LayerName::Survive | LayerName::Restore => {
                (LayerState::Open, "not counted, as no call gets here")
            }
        };
        Layer {
            layer: name,
            state,
            basis: Basis::Observed,
            because: because.to_owned(),
            bypass: None,
            gaps: Vec::new(),
            evidence: Vec::new(),
        }
    };
    LayerName::ALL.into_iter().map(layer).collect()
}

/// What each `stopped` covers.
pub(super) fn covers(world: &World, judged: &[Judged]) -> Covers {
    let tidy = |items: BTreeSet<String>| items.into_iter().collect();
    let assets = judged.iter().filter_map(|j| world.assets.get(&j.asset));
    let actions = judged.iter().flat_map(|j| &j.from).flat_map(|from| &from.paths.shown);
    Covers {
        sessions: tidy(world.sessions.values().map(|session| session.name.clone()).collect()),
        roots: tidy(world.sessions.values().flat_map(|session| session.roots.iter().cloned()).collect()),
        scopes: tidy(
            assets.clone().filter(|asset| asset.class.is_container()).map(|asset| asset.name.clone()).collect(),
        ),
        kinds: tidy(assets.map(|asset| format!("{} {}", asset.provider, asset.kind)).collect()),
        actions: tidy(actions.map(|path| path.deed.action.clone()).collect()),
    }
}

/// Every gap that the bundle names, whatever it stands in.
fn all_gaps(bundle: &Bundle) -> BTreeSet<Gap> {
    fn collect(value: &serde_json::Value, found: &mut BTreeSet<Gap>) {
        match value {
            serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            serde_json::Value::Object(map) => {
                if map.len() == 2
                    && map.contains_key("source")
                    && map.contains_key("reason")
                    && let Ok(gap) = serde_json::from_value(value.clone())
                {
                    found.insert(gap);
                }
                map.values().for_each(|item| collect(item, found));
            }
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_) => {}
        }
    }
    let mut found = BTreeSet::new();
    if let Ok(value) = serde_json::to_value(bundle) {
        collect(&value, &mut found);
    }
    found
}

/// SHA-256 in hex.
pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The word that JSON writes for a closed value.
pub(super) fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn agent_word(agent: Agent) -> String {
    word(&agent)
}

fn way_word(kind: WayKind) -> String {
    word(&kind)
}

fn copy_word(kind: CopyKind) -> String {
    word(&kind)
}
