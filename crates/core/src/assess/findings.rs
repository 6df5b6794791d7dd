//! The verdicts of checks as an assessment lists them (floor 3).

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{GapUses, Numbers};
use crate::answer::Judged;
use crate::assessment::Finding;
use crate::check::facts::{self, Facts, Given};
use crate::check::subject::Subject;
use crate::check::{Check, CheckSet, Ruling, context, functions};
use crate::fact::Gap;
use crate::id::NodeId;
use crate::policy::Policy;
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
    let mut by_check: BTreeMap<&str, Vec<Finding>> = BTreeMap::new();
    let functions = functions();
    facts::each(given, &mut |facts| {
        let mut mine = checks.iter().filter(|check| check.subject == facts.subject).peekable();
        if mine.peek().is_none() {
            return;
        }
        let context = context(&functions, facts.subject, &facts.values);
        let evidence = numbers.evidence(&facts.sources);
        for check in mine {
            let ruling = check.rule(&facts, &context);
            let finding = finding(world, check, &facts, ruling, policy, now);
            by_check.entry(&check.id).or_default().push(Finding { evidence: evidence.clone(), ..finding });
        }
    });
    let unlisted_of = facts::unlisted(given);
    for check in checks.iter() {
        let unlisted = unlisted_of.get(&check.subject).map(|gaps| unlisted(world, check, gaps, policy, now));
        by_check.entry(&check.id).or_default().extend(unlisted);
    }
    for found in by_check.values_mut() {
        found.sort_by(|a, b| (&a.subject, &a.message).cmp(&(&b.subject, &b.message)));
    }
    by_check.into_values().flatten().collect()
}

/// The verdict on what may be there beside what was listed.
fn unlisted(world: &World, check: &Check, gaps: &BTreeSet<Gap>, policy: &Policy, now: Time) -> Finding {
    let (key, name) = match check.subject {
        Subject::Asset => ("?", "assets that were not listed"),
        Subject::Credential => ("?", "credentials that were not read"),
        Subject::Session => ("?", "sessions that were not assessed"),
        Subject::Principal => ("?", "identities that were not listed"),
        Subject::Environment => ("?", "environments that were not listed"),
        Subject::RecoveryPoint => ("?", "copies that were not listed"),
        Subject::Path => ("?", "paths that were not seen"),
    };
    let facts =
        Facts { key: key.to_owned(), name: name.to_owned(), ..Facts::given(check.subject, serde_json::json!({})) };
    let message = format!("{name}: not known whether so: {}", check.title);
    let ruling = Ruling { verdict: Verdict::Unknown, message, gaps: gaps.clone() };
    finding(world, check, &facts, ruling, policy, now)
}

fn finding(world: &World, check: &Check, facts: &Facts, ruling: Ruling, policy: &Policy, now: Time) -> Finding {
    let Ruling { mut verdict, mut message, gaps } = ruling;
    for gap in gaps.iter().take(GAPS_NAMED) {
        let source = world.sources.get(&gap.source);
        let asked = source.map_or(gap.source.as_str(), |source| source.operation.as_str());
        message.push_str(&format!("; {asked}: {}", gap.reason.words()));
    }
    if gaps.len() > GAPS_NAMED {
        message.push_str(&format!("; and {} more gaps", gaps.len() - GAPS_NAMED));
    }
    let mine = policy.waivers.iter().filter(|waiver| waiver.check == check.id && waiver.subject == facts.key);
    let waiver = mine.max_by_key(|waiver| waiver.expires);
    let mut accepted = None;
    if let Some(waiver) = waiver.filter(|_| matches!(verdict, Verdict::Fail | Verdict::Unknown)) {
        let until = waiver.expires.day();
        if waiver.expires > now {
            accepted = Some(format!("accepted by {} until {until}: {}", waiver.approved_by, waiver.reason));
        } else {
            verdict = Verdict::Fail;
            message.push_str(&format!("; the waiver of {} expired on {until}", waiver.approved_by));
        }
    }
    Finding {
        check: check.id.clone(),
        item: check.item.clone(),
        subject: facts.key.clone(),
        subject_kind: facts.subject.word().to_owned(),
        subject_name: facts.name.clone(),
        verdict: verdict.word().to_owned(),
        severity: check.severity.word().to_owned(),
        message,
        waiver: accepted,
        evidence: Vec::new(),
        location: facts.location.clone(),
    }
}
