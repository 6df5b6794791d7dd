//! What a terminal shows of a call.

use deadstop_core::assess::call::{CallAnswer, Gate};
use deadstop_core::meaning::{LOCAL, Meaning};
use std::fmt::Write as _;

use super::harmless;
use crate::output::safe;

/// One call: its gates, what it amounts to, its layers and the answer.
pub(super) fn one(command: &str, gates: &[Gate], meaning: &Meaning, answer: &CallAnswer) -> String {
    let mut out = String::new();
    let mut say = |line: &str| {
        let _ = writeln!(out, "{}", line.trim_end());
    };
    say(&safe(&command.replace('\n', " ⏎ ")));
    say("");
    say("Gates");
    for gate in gates {
        let held = if gate.contained == Some(true) { ", in a sandbox without network" } else { "" };
        say(&format!("  {:<14} {}{held}: {}", safe(&gate.agent), gate.decision, safe(&gate.because)));
        let rule = gate.rule.as_ref().map(|rule| format!("rule {}", safe(rule)));
        let place = gate.source.as_ref().map(|place| safe(place).to_string());
        let by: Vec<String> = [rule, place].into_iter().flatten().collect();
        if !by.is_empty() {
            say(&format!("  {:<14} {}", "", by.join(" · ")));
        }
        if !gate.overridable_by.is_empty() {
            say(&format!("  {:<14} the session may change that by: {}", "", safe(&gate.overridable_by.join(", "))));
        }
    }
    if gates.is_empty() {
        say("  no session is known");
    }
    say("");
    say("Amounts to");
    let mut told: Vec<String> = Vec::new();
    for amount in meaning.amounts.iter().filter(|amount| amount.sure) {
        let what = LOCAL
            .iter()
            .find(|(name, _)| *name == amount.action)
            .map_or(String::new(), |(_, what)| format!("  {what}"));
        told.push(format!("  {} {}{what}", amount.provider, amount.action));
    }
    let may: Vec<&str> =
        meaning.amounts.iter().filter(|amount| !amount.sure).map(|amount| amount.action.as_str()).collect();
    if !may.is_empty() {
        told.push(format!("  it may be any of: {}", may.join(", ")));
    }
    told.dedup();
    if harmless(answer) {
        told.push("  nothing that destroys data".to_owned());
    }
    told.iter().for_each(|line| say(line));
    for why in &meaning.doubts {
        say(&format!("  not known: {}", safe(why)));
    }
    for hit in &answer.assets {
        let environment = hit.environment.as_ref().map_or(String::new(), |name| format!(", {name}"));
        let sure = if hit.sure { "" } else { ", perhaps" };
        say(&format!("  on {} ({} {}{environment}{sure}): {}", safe(&hit.name), hit.provider, hit.kind, hit.answer));
    }
    if let Some(path) = answer.paths.first() {
        say("");
        let name = answer.assets.iter().find(|hit| hit.id == path.asset).map_or("", |hit| hit.name.as_str());
        say(&format!("Layers, for {} on {}", path.action, safe(name)));
        for layer in &path.layers {
            let state = deadstop_core::assess::call::word(&layer.state);
            say(&format!(
                "  {:<8} {:<8} {}",
                deadstop_core::assess::call::word(&layer.layer),
                state,
                safe(&layer.because)
            ));
            if let Some(bypass) = &layer.bypass {
                say(&format!("  {:<8} {:<8} it may {}", "", "", safe(bypass)));
            }
        }
    }
    say("");
    say(&safe(&answer.sentence));
    out
}

/// Many calls: a line for each.
pub(super) fn table(rows: &[(String, Vec<Gate>, CallAnswer)]) -> String {
    let mut out = String::new();
    for (command, gates, answer) in rows {
        let decisions: Vec<String> = gates.iter().map(|gate| format!("{} {}", gate.agent, gate.decision)).collect();
        let short: String = safe(&command.replace('\n', " ⏎ ")).chars().take(100).collect();
        let _ = writeln!(out, "{:<8} {:<28} {short}", answer.answer, safe(&decisions.join(", ")));
    }
    out
}
