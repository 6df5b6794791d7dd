//! What the gates of a session decide on destructive calls, counted (floor 2).

use std::collections::BTreeSet;

use super::call::{Basis, Call, GateDecision, Ruling, freest};
use super::{GatePolicy, Level, weak};
use crate::corpus::{self, DestructiveCall, Issued};
use crate::model::{Decision, Tally, TallyExample, TallyRow, WayClass};

/// The examples that a row gives.
const EXAMPLES: usize = 3;

impl From<&Issued> for Call {
    fn from(issued: &Issued) -> Self {
        match issued {
            Issued::Run(command) => Self::Shell { command: command.clone() },
            Issued::Tool { server, tool } => Self::Mcp { server: server.clone(), tool: tool.clone() },
            Issued::Write(path) => Self::Edit { path: path.clone() },
            Issued::Fetch(domain) => Self::Fetch { domain: domain.clone() },
        }
    }
}

/// What a session decides on a call that may start in any of several folders, each with a policy: at its freest.
#[must_use]
pub fn decide_in(policies: &[&dyn GatePolicy], call: &Call) -> Option<GateDecision> {
    let mut met: Vec<GateDecision> = Vec::new();
    for policy in policies {
        met.push(policy.decide(call));
        // Nothing is freer than this, so no other folder changes it.
        if met.last().is_some_and(|one| one.best.decision == Decision::Allow && one.contained == Some(false)) {
            break;
        }
    }
    let loose = met.iter().map(|one| one.contained).min_by_key(|one| match one {
        Some(false) => 0,
        None => 1,
        Some(true) => 2,
    });
    let mut joined = freest(met)?;
    joined.contained = loose.flatten();
    Some(joined)
}

/// The decisions of a session on the built-in corpus; none where it has no policy.
#[must_use]
pub fn tally(policies: &[&dyn GatePolicy]) -> Option<Tally> {
    let fails_open = policies.first()?.hooks_fail_open();
    let alike = policies.iter().all(|policy| policy.hooks_fail_open() == fails_open);
    Some(count(&|call| decide_in(policies, call), fails_open.filter(|_| alike)))
}

/// The decisions on the built-in corpus where there is no gate: every call runs.
#[must_use]
pub fn ungated() -> Tally {
    let runs = || Ruling {
        decision: Decision::Allow,
        basis: Basis::Mode(None::<Level>),
        place: None,
        because: "a program of this user runs with nothing in between".to_owned(),
    };
    let met = |_: &Call| {
        let (worst, best) = (runs(), runs());
        Some(GateDecision { worst, best, doubt: None, contained: Some(false), overridable_by: Vec::new() })
    };
    count(&met, None)
}

fn count(decide: &dyn Fn(&Call) -> Option<GateDecision>, fails_open: Option<bool>) -> Tally {
    let met = corpus::calls().iter().filter_map(|call| decide(&Call::from(&call.issued)).map(|met| (call, met)));
    let met: Vec<(&DestructiveCall, GateDecision)> = met.collect();
    let ways: BTreeSet<WayClass> = met.iter().map(|(call, _)| call.way).collect();
    let rows = ways.into_iter().map(|way| row(way, met.iter().filter(|(call, _)| call.way == way)));
    let rules = weak::rules(&met, decide, fails_open);
    Tally { corpus: corpus::digest().to_owned(), rows: rows.collect(), rules }
}

fn row<'a>(way: WayClass, met: impl Iterator<Item = &'a (&'a DestructiveCall, GateDecision)>) -> TallyRow {
    let mut row =
        TallyRow { way, allow: 0, reviewed: 0, ask: 0, deny: 0, unknown: 0, contained: 0, examples: Vec::new() };
    let mut all: Vec<&(&DestructiveCall, GateDecision)> = met.collect();
    for (_, met) in &all {
        let counted = match met.known() {
            Some(Decision::Allow) => &mut row.allow,
            Some(Decision::Reviewed) => &mut row.reviewed,
            Some(Decision::Ask) => &mut row.ask,
            Some(Decision::Deny) => &mut row.deny,
            None => &mut row.unknown,
        };
        *counted += 1;
        row.contained += u32::from(met.contained == Some(true));
    }
    // The freest first, what no sandbox is sure to hold before what one holds; of these what a provider would do, told
    // in few words.
    all.sort_by_key(|(call, met)| {
        let freedom = (met.worst.decision, met.best.decision, met.contained != Some(true), call.operation.is_some());
        (std::cmp::Reverse(freedom), call.text().len())
    });
    let mut reasons = BTreeSet::new();
    let told = all.into_iter().filter(|(_, met)| reasons.insert((met.because(), met.contained)));
    row.examples = told.take(EXAMPLES).map(|(call, met)| example(call, met)).collect();
    row
}

fn example(call: &DestructiveCall, met: &GateDecision) -> TallyExample {
    let place = met.worst.place.as_ref().or(met.best.place.as_ref());
    TallyExample {
        id: call.id.clone(),
        call: call.text(),
        worst: met.worst.decision,
        best: met.best.decision,
        contained: met.contained,
        rule: met.rule().map(str::to_owned),
        place: place.map(ToString::to_string),
        because: met.because(),
    }
}
