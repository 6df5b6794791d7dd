//! The verdicts of checks as an assessment lists them (floor 3).

use cel::Context;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::rows::{GapUses, Numbers};
use crate::answer::Judged;
use crate::assessment::{Finding, LocationRow};
use crate::beside;
use crate::check::facts::{self, Given};
use crate::check::subject::Subject;
use crate::check::{Check, CheckSet, Ruling, context, functions};
use crate::fact::Gap;
use crate::id::NodeId;
use crate::policy::{Policy, Waiver};
use crate::time::Time;
use crate::verdict::Verdict;
use crate::world::World;

/// How many gaps a finding names.
const GAPS_NAMED: usize = 2;

/// Why each asset's answer is not known.
pub(super) fn deciding(uses: &GapUses, judged: &[Judged]) -> BTreeMap<NodeId, BTreeSet<Gap>> {
    let mut deciding: BTreeMap<NodeId, BTreeSet<Gap>> = BTreeMap::new();
    for (gap, assets) in &uses.decides {
        let numbers = assets.iter().filter_map(|id| id.strip_prefix('A')?.parse::<usize>().ok()?.checked_sub(1));
        for asset in numbers.filter_map(|at| judged.get(at)) {
            deciding.entry(asset.asset.clone()).or_default().insert(gap.clone());
        }
    }
    deciding
}

/// Every check's verdict on every subject of its kind, and one more for what of that kind was not listed.
pub(super) fn findings(checks: &CheckSet, given: &Given<'_, '_>, numbers: &mut Numbers<'_>, now: Time) -> Vec<Finding> {
    let (world, policy) = (numbers.world(), given.policy);
    // The lists of what is many are made at once: a list that grows is moved, and its memory cleared, several times.
    let room = |subject: Subject| match subject {
        Subject::Path => given.paths.len(),
        Subject::Asset => given.judged.len(),
        Subject::Credential => world.credentials.len(),
        Subject::Session | Subject::Principal | Subject::Environment | Subject::RecoveryPoint => 0,
    };
    let mut asked: Vec<Asked<'_>> = checks.iter().map(|check| Asked::new(check, policy, room(check.subject))).collect();
    let writer = Writer { world, now };
    let functions = functions();
    let subjects: Vec<Subject> = asked.iter().map(|asked| asked.check.subject).collect();
    let make = |facts: facts::Facts| {
        let context = subjects.contains(&facts.subject).then(|| context(&functions, facts.subject, &facts.values))?;
        Some((facts, context))
    };
    let take = |(facts, context): (facts::Facts, Context<'_, '_>)| {
        let about = About {
            key: SmolStr::new(&facts.key),
            name: SmolStr::new(&facts.name),
            evidence: numbers.evidence(&facts.sources).into(),
            location: facts.location.clone().map(Arc::new),
        };
        for asked in asked.iter_mut().filter(|asked| asked.check.subject == facts.subject) {
            let ruling = asked.check.rule(&facts, &context);
            asked.add(&writer, &about, ruling);
        }
    };
    beside::piped(|to| facts::each(given, &mut |facts| make(facts).into_iter().for_each(&mut *to)), take);
    let unlisted_of = facts::unlisted(given);
    for asked in &mut asked {
        if let Some(gaps) = unlisted_of.get(&asked.check.subject) {
            asked.add_unlisted(&writer, gaps);
        }
        asked.findings.sort_by(|a, b| (&a.subject, &a.message).cmp(&(&b.subject, &b.message)));
    }
    let mut all = Vec::with_capacity(asked.iter().map(|asked| asked.findings.len()).sum());
    asked.into_iter().for_each(|mut asked| all.append(&mut asked.findings));
    all
}

/// One check, and what it found.
struct Asked<'a> {
    check: &'a Check,
    /// The waivers of this check.
    waivers: Vec<&'a Waiver>,
    id: SmolStr,
    item: SmolStr,
    kind: SmolStr,
    severity: SmolStr,
    findings: Vec<Finding>,
}

/// Whom findings are about.
struct About {
    key: SmolStr,
    name: SmolStr,
    evidence: Arc<[String]>,
    location: Option<Arc<LocationRow>>,
}

/// What every finding is written with.
struct Writer<'a> {
    world: &'a World,
    now: Time,
}

impl<'a> Asked<'a> {
    fn new(check: &'a Check, policy: &'a Policy, room: usize) -> Self {
        Self {
            check,
            waivers: policy.waivers.iter().filter(|waiver| waiver.check == check.id).collect(),
            id: SmolStr::new(&check.id),
            item: SmolStr::new(&check.item),
            kind: SmolStr::new_static(check.subject.word()),
            severity: SmolStr::new_static(check.severity.word()),
            findings: Vec::with_capacity(room),
        }
    }

    /// The verdict on what may be there beside what was listed.
    fn add_unlisted(&mut self, writer: &Writer<'_>, gaps: &BTreeSet<Gap>) {
        let name = match self.check.subject {
            Subject::Asset => "assets that were not listed",
            Subject::Credential => "credentials that were not read",
            Subject::Session => "sessions that were not assessed",
            Subject::Principal => "identities that were not listed",
            Subject::Environment => "environments that were not listed",
            Subject::RecoveryPoint => "copies that were not listed",
            Subject::Path => "paths that were not seen",
        };
        let message = format!("{name}: not known whether so: {}", self.check.title);
        let about = About {
            key: SmolStr::new_static("?"),
            name: SmolStr::new_static(name),
            evidence: Arc::default(),
            location: None,
        };
        self.add(writer, &about, Ruling { verdict: Verdict::Unknown, message, gaps: gaps.clone() });
    }

    fn add(&mut self, writer: &Writer<'_>, about: &About, ruling: Ruling) {
        let Ruling { mut verdict, mut message, gaps } = ruling;
        for gap in gaps.iter().take(GAPS_NAMED) {
            let source = writer.world.sources.get(&gap.source);
            let asked = source.map_or(gap.source.as_str(), |source| source.operation.as_str());
            message.push_str(&format!("; {asked}: {}", gap.reason.words()));
        }
        if gaps.len() > GAPS_NAMED {
            message.push_str(&format!("; and {} more gaps", gaps.len() - GAPS_NAMED));
        }
        let mine = self.waivers.iter().filter(|waiver| waiver.subject == about.key);
        let waiver = mine.max_by_key(|waiver| waiver.expires);
        let mut accepted = None;
        if let Some(waiver) = waiver.filter(|_| matches!(verdict, Verdict::Fail | Verdict::Unknown)) {
            let until = waiver.expires.day();
            if waiver.expires > writer.now {
                accepted = Some(format!("accepted by {} until {until}: {}", waiver.approved_by, waiver.reason));
            } else {
                verdict = Verdict::Fail;
                message.push_str(&format!("; the waiver of {} expired on {until}", waiver.approved_by));
            }
        }
        self.findings.push(Finding {
            check: self.id.clone(),
            item: self.item.clone(),
            subject: about.key.clone(),
            subject_kind: self.kind.clone(),
            subject_name: about.name.clone(),
            verdict: SmolStr::new_static(verdict.word()),
            severity: self.severity.clone(),
            message,
            waiver: accepted,
            evidence: Arc::clone(&about.evidence),
            location: about.location.clone(),
        });
    }
}
