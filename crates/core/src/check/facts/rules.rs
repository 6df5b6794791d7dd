//! Facts of the rules of a session's gate (floor 2): what its tally says of them.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

use super::Facts;
use super::holders::word;
use crate::fact::Gap;
use crate::model::{Agent, Decision, RuleKind, Session, TallyRule};

/// The most rules that a message names.
const NAMED: usize = 3;

/// The lists that messages show, each with the kind that it is of.
const LISTS: [(&str, RuleKind); 3] =
    [("open_rules", RuleKind::Allow), ("evaded_rules", RuleKind::Refuse), ("failing_hooks", RuleKind::Hook)];

/// Writes them where the gate was asked and all settings were read; else there may be others. `doubts` are why decisions of its
/// ways are not known.
pub(super) fn told(facts: &mut Facts, session: &Session, doubts: &BTreeSet<Gap>) {
    // An agent program has no rules.
    let none = Vec::new();
    let read = || session.tally.as_ref().filter(|_| session.ways.gap().is_none())?.rules.as_ref();
    let Some(rules) = (if session.agent == Agent::Program { Some(&none) } else { read() }) else {
        let gaps: BTreeSet<Gap> = session.ways.gap().into_iter().chain(doubts).cloned().collect();
        for field in ["rules"].into_iter().chain(LISTS.map(|(field, _)| field)) {
            facts.leave(field, gaps.clone());
        }
        return;
    };
    facts.put("rules", rules.iter().map(of_rule).collect::<Vec<Value>>());
    if rules.iter().any(|rule| rule.weak.is_none()) {
        facts.leave("rules.weak", doubts.clone());
    }
    for (field, kind) in LISTS {
        facts.put(field, named(rules, kind));
    }
}

/// Whether a call of the corpus runs with nobody asked and no sandbox around it; left out where one may.
pub(super) fn runs(facts: &mut Facts, session: &Session, doubts: &BTreeSet<Gap>) {
    let Some(tally) = session.tally.as_ref().filter(|_| session.ways.gap().is_none()) else {
        facts.leave("calls_run", session.ways.gap().into_iter().chain(doubts).cloned().collect::<BTreeSet<Gap>>());
        return;
    };
    let all = |count: fn(&crate::model::TallyRow) -> u32| tally.rows.iter().map(count).sum::<u32>();
    let free = all(|row| (row.allow + row.reviewed).saturating_sub(row.contained));
    match (free, all(|row| row.unknown)) {
        (1.., _) => facts.put("calls_run", true),
        (0, 0) => facts.put("calls_run", false),
        (0, 1..) => facts.leave("calls_run", doubts.clone()),
    }
}

fn of_rule(rule: &TallyRule) -> Value {
    let mut map = Map::new();
    map.insert("kind".to_owned(), word(&rule.kind));
    map.insert("rule".to_owned(), rule.rule.as_str().into());
    map.insert("place".to_owned(), rule.place.clone().unwrap_or_default().into());
    map.insert("calls".to_owned(), i64::from(rule.calls).into());
    if let Some(weak) = rule.weak {
        map.insert("weak".to_owned(), weak.into());
    }
    map.into()
}

/// The weak ones of a kind, in words.
fn named(rules: &[TallyRule], kind: RuleKind) -> Vec<String> {
    let weak: Vec<&TallyRule> = rules.iter().filter(|rule| rule.kind == kind && rule.weak == Some(true)).collect();
    let more = weak.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("and {more} more"));
    weak.into_iter().take(NAMED).map(in_words).chain(more).collect()
}

fn in_words(rule: &TallyRule) -> String {
    let place = rule.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    let own = match rule.kind {
        RuleKind::Hook => format!("the {}{place}", rule.rule),
        RuleKind::Allow | RuleKind::Refuse => format!("`{}`{place}", rule.rule),
    };
    let Some(call) = &rule.call else { return own };
    match (rule.kind, rule.decision) {
        (RuleKind::Allow | RuleKind::Hook, _) => format!("{own} lets `{call}` run"),
        (RuleKind::Refuse, Some(Decision::Allow)) => format!("{own} is for what also runs unasked as `{call}`"),
        (RuleKind::Refuse, Some(Decision::Ask)) => format!("{own} refuses what is only asked about as `{call}`"),
        (RuleKind::Refuse, Some(Decision::Reviewed)) => format!("{own} is for what a model decides on as `{call}`"),
        (RuleKind::Refuse, Some(Decision::Deny) | None) => format!("{own} is for what is decided freer as `{call}`"),
    }
}
