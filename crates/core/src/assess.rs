//! Bundle in, assessment out: the one place where the evaluators meet (floor 3).

pub mod call;
mod findings;
mod kept;
mod rows;
mod sentences;
mod tally;

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{self, Judged};
use crate::assessment::{Assessment, CredentialRow, FixPlan, PathAnswer, SCHEMA, Subject, Tool};
use crate::beside;
use crate::bundle::{self, Bundle};
use crate::catalogue;
use crate::check::{CheckSet, facts};
use crate::fact::Gap;
use crate::fixes::{self, Candidate};
use crate::headline;
use crate::id::SessionId;
use crate::path::explain::{Story, story};
use crate::path::{Path, Walker};
use crate::policy::Policy;
use crate::power::ground::Ground;
use crate::world::World;
use rows::Numbers;

/// How many paths of an asset are written out.
pub const PATHS_SHOWN: usize = 20;

/// Answers the question for every asset, and asks no check. Pure: the same bundle and policy give the same assessment.
#[must_use]
pub fn assess(bundle: &Bundle, policy: &Policy) -> Assessment {
    assess_with(bundle, policy, &CheckSet::default())
}

/// Answers the question for every asset, and runs checks over what is known. Pure, as [`assess`] is.
#[must_use]
pub fn assess_with(bundle: &Bundle, policy: &Policy, checks: &CheckSet) -> Assessment {
    let world = World::new(bundle, policy, &catalogue::actions());
    let ground = Ground::new(&world);
    let mut judged = answer::judge(&ground, policy, false);
    judged.sort_by(|a, b| order(a, &world).cmp(&order(b, &world)));
    let plan = fixes::plan(bundle, &ground, policy, &judged);
    write(bundle, policy, &ground, &judged, plan, checks)
}

/// The credentials of a bundle and who reaches them: the first stage alone.
#[must_use]
pub fn credentials(bundle: &Bundle, policy: &Policy) -> Vec<CredentialRow> {
    let world = World::new(bundle, policy, &catalogue::actions());
    let ground = Ground::new(&world);
    let walkers: Walkers<'_, '_> =
        world.sessions.values().map(|s| (s.id.clone(), Walker::new(&ground, policy, s))).collect();
    let writer = Writer { ground: &ground, policy, walkers: &walkers, numbers: Numbers::new(&world) };
    writer.credential_rows(&[])
}

/// A bundle as it would be read with fixes applied, and what was done, in sentences.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The bundle.
    pub bundle: Bundle,
    /// The titles of the fixes.
    pub done: Vec<String>,
}

/// Applies fixes of a bundle's assessment, each named by its key or its id there.
///
/// # Errors
/// The first name that no fix has.
pub fn with_fixes(bundle: &Bundle, policy: &Policy, names: &[String]) -> Result<Fixed, String> {
    let assessment = assess(bundle, policy);
    let world = World::new(bundle, policy, &catalogue::actions());
    let ground = Ground::new(&world);
    let judged = answer::judge(&ground, policy, false);
    let candidates = fixes::candidates(&ground, policy, &judged);
    let mut fixed = Fixed { bundle: bundle.clone(), done: Vec::new() };
    for name in names {
        let row =
            assessment.fixes.all.iter().find(|fix| fix.key == *name || fix.id == *name).ok_or_else(|| name.clone())?;
        let candidate = candidates.iter().find(|candidate| candidate.key == row.key).ok_or_else(|| name.clone())?;
        fixed.bundle = candidate.apply(&fixed.bundle);
        fixed.done.push(row.title.clone());
    }
    Ok(fixed)
}

/// Headline assets first, worst first; then by name.
fn order<'a>(judged: &'a Judged, world: &'a World) -> impl Ord + 'a {
    let name = world.assets.get(&judged.asset).map(|asset| asset.name.as_str());
    (!judged.standing.in_headline, judged.worst.order(), judged.best.order(), name, &judged.asset)
}

type Walkers<'a, 'w> = BTreeMap<SessionId, Walker<'a, 'w>>;

struct Writer<'a, 'w> {
    ground: &'a Ground<'w>,
    policy: &'a Policy,
    walkers: &'a Walkers<'a, 'w>,
    numbers: Numbers<'w>,
}

fn write(
    bundle: &Bundle,
    policy: &Policy,
    ground: &Ground<'_>,
    judged: &[Judged],
    plan: fixes::Plan,
    checks: &CheckSet,
) -> Assessment {
    let world = ground.world;
    let walkers: Walkers<'_, '_> =
        world.sessions.values().map(|s| (s.id.clone(), Walker::new(ground, policy, s))).collect();
    let mut writer = Writer { ground, policy, walkers: &walkers, numbers: Numbers::new(world) };
    // Grown one by one they would be moved, and their memory cleared, several times.
    let mut paths: Vec<PathAnswer> = Vec::with_capacity(judged.iter().map(paths_told).sum());
    let mut assets = Vec::with_capacity(judged.len());
    let mut rests = 0;
    let mut gap_uses = rows::GapUses::default();
    let tell = |at: usize| {
        let shown = judged.get(at).map(shown_paths).unwrap_or_default().into_iter();
        let told = shown.filter_map(|(session, path)| {
            let walker = walkers.get(session)?;
            Some((walker, path, story(walker, path)))
        });
        (at, told.collect::<Vec<_>>())
    };
    beside::piped(
        |to| (0..judged.len()).for_each(|at| to(tell(at))),
        |(at, told)| {
            let Some(asset) = judged.get(at) else { return };
            let first = paths.len();
            for (walker, path, told) in &told {
                let answer = writer.numbers.path(walker, path, told, at, paths.len());
                paths.push(answer);
            }
            let mine = paths.get(first..).unwrap_or_default();
            let row = writer.asset_row(asset, at, mine, &mut gap_uses);
            if asset.standing.in_headline && mine.first().is_some_and(|path| path.rests_on_agent) {
                rests += 1;
            }
            assets.push(row);
        },
    );
    let mut basis = BTreeMap::new();
    for layer in assets.iter().filter(|asset| asset.in_headline).flat_map(|asset| &asset.layers) {
        *basis.entry(layer.basis.word().to_owned()).or_insert(0) += 1;
    }
    let credentials = writer.credential_rows(judged);
    let sessions = writer.session_rows();
    let fixes = fix_plan(plan, &paths, &assets, policy);
    let covers = rows::covers(world, judged);
    let (assumed, notes) = sentences::assumed(world, policy, judged);
    let Writer { mut numbers, .. } = writer;
    let assessed_at = policy.assessed_at.unwrap_or(world.newest);
    let findings = if checks.is_empty() {
        Vec::new()
    } else {
        let deciding = findings::deciding(&gap_uses, judged);
        let given = facts::Given {
            ground,
            policy,
            judged,
            walkers: &walkers,
            paths: &paths,
            deciding: &deciding,
            tabletop: false,
        };
        findings::findings(checks, &given, &mut numbers, assessed_at)
    };
    let gaps = numbers.gap_rows(bundle, &gap_uses);
    Assessment {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "deadstop".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        assessed_at,
        subject: subject(bundle, policy),
        headline: headline::headline(world, judged, rests),
        assets,
        paths,
        credentials,
        sessions,
        findings,
        checks: checks.iter().map(crate::check::Check::row).collect(),
        fixes,
        gaps,
        evidence: numbers.evidence_rows(),
        assumed,
        notes,
        basis,
        covers,
        facts_sha256: rows::sha256(&bundle::to_json(bundle)),
        tabletop: None,
    }
}

/// The paths of an asset that are written out: counted sessions first, the worst of each vector of states.
fn shown_paths(judged: &Judged) -> Vec<(&SessionId, &Path)> {
    let mut all: Vec<(bool, &SessionId, &Path)> = judged
        .from
        .iter()
        .flat_map(|from| from.paths.shown.iter().map(move |path| (!from.counted, &from.session, path)))
        .collect();
    all.sort_by(|a, b| (a.0, a.2.order(), a.1).cmp(&(b.0, b.2.order(), b.1)));
    all.into_iter().take(PATHS_SHOWN).map(|(_, session, path)| (session, path)).collect()
}

/// How many those are.
fn paths_told(judged: &Judged) -> usize {
    judged.from.iter().map(|from| from.paths.shown.len()).sum::<usize>().min(PATHS_SHOWN)
}

fn subject(bundle: &Bundle, policy: &Policy) -> Subject {
    let story = bundle.story.as_ref();
    Subject {
        client: policy.engagement.client.clone().or_else(|| story.map(|story| story.client.clone())),
        assessor: policy.engagement.assessor.clone(),
        period: policy.engagement.period.clone(),
        handling: policy.engagement.handling.clone(),
        title: story.map(|story| story.title.clone()),
        story: story.map(|story| story.paragraphs.clone()).unwrap_or_default(),
        references: story.map(|story| story.references.clone()).unwrap_or_default(),
    }
}

/// Numbers the fixes, those of the plan first.
fn fix_plan(
    plan: fixes::Plan,
    paths: &[PathAnswer],
    assets: &[crate::assessment::AssetAnswer],
    policy: &Policy,
) -> FixPlan {
    let asset_ids: BTreeMap<&str, &crate::assessment::AssetAnswer> =
        assets.iter().map(|a| (a.key.as_str(), a)).collect();
    let mut all = Vec::new();
    let mut minimal = Vec::new();
    let chosen: BTreeMap<&str, usize> = plan.chosen.iter().enumerate().map(|(at, key)| (key.as_str(), at)).collect();
    let mut ordered: Vec<(Candidate, Vec<crate::id::NodeId>)> = plan.candidates;
    ordered.sort_by(|(a, a_closes), (b, b_closes)| {
        let key = |c: &Candidate, closes: usize| {
            let place = chosen.get(c.key.as_str()).copied().unwrap_or(usize::MAX);
            (place, usize::MAX - closes, c.effort, c.key.clone())
        };
        key(a, a_closes.len()).cmp(&key(b, b_closes.len()))
    });
    for (at, (candidate, closes)) in ordered.into_iter().enumerate() {
        let id = format!("F{}", at + 1);
        if chosen.contains_key(candidate.key.as_str()) {
            minimal.push(id.clone());
        }
        let closed: Vec<&crate::assessment::AssetAnswer> =
            closes.iter().filter_map(|key| asset_ids.get(key.as_str()).copied()).collect();
        let closes_assets = closed.iter().map(|asset| asset.id.clone()).collect();
        let shown: BTreeSet<&str> = closed.iter().flat_map(|asset| asset.paths.iter().map(String::as_str)).collect();
        let closes = paths.iter().filter(|path| shown.contains(path.id.as_str())).map(|path| path.id.clone()).collect();
        let assigned = policy.fixes.get(&candidate.key).cloned().unwrap_or_default();
        all.push(candidate.row(id, closes, closes_assets, assigned));
    }
    FixPlan {
        target: policy.target.word().to_owned(),
        reached: plan.reached,
        optimal: plan.optimal,
        at_least: plan.at_least,
        minimal,
        all,
        short_of: plan.short_of,
    }
}

/// Every gap that a story's unknown layers depend on.
fn gaps_of(story: &Story) -> BTreeSet<Gap> {
    story.layers.iter().flat_map(|(_, _, told)| told.gaps.iter().cloned()).collect()
}
