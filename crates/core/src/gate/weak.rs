//! Rules that do not do what they seem to (floor 2): which of a session's rules let a call of the corpus run, which of those that
//! refuse or ask are gone around by writing the same call otherwise, and which hooks decide. Only decisions are looked at, so that
//! this holds for every agent alike.

use std::collections::BTreeMap;

use super::call::{Basis, Call, Effect, GateDecision, Ruling};
use super::shell::word;
use crate::corpus::DestructiveCall;
use crate::model::{Decision, RuleKind, TallyRule, WayClass};

/// The most calls of one rule that are written otherwise.
const TRIED: usize = 3;

/// The most decisions that are asked for in all: fewer than there are calls in the corpus, as this is done in every run.
const ASKED: usize = 300;

/// The most rules of a kind that are told. The weak ones come first, so that no more are needed for a verdict.
const MOST: usize = 40;

/// Options for a client as a whole, which may stand before the word that a rule names: `aws` (docs.aws.amazon.com/cli, global
/// options), `kubectl` and `helm` (kubernetes.io/docs/reference/kubectl, helm.sh/docs/helm), `terraform`
/// (developer.hashicorp.com/terraform/cli/commands), `git` (git-scm.com/docs/git), `gcloud` (cloud.google.com/sdk/gcloud/reference).
const GLOBAL: [(&str, &str); 8] = [
    ("aws", "--profile prod"),
    ("kubectl", "--namespace prod"),
    ("oc", "--namespace prod"),
    ("helm", "--namespace prod"),
    ("terraform", "-chdir=infra"),
    ("tofu", "-chdir=infra"),
    ("git", "-C ."),
    ("gcloud", "--project prod"),
];

type Met<'a> = [(&'a DestructiveCall, GateDecision)];

/// What is known of one rule.
#[derive(Default)]
struct Seen<'a> {
    /// The calls that it decides on, each with whether that is known.
    calls: Vec<(&'a DestructiveCall, &'a GateDecision, bool)>,
    /// Whether it is for every call of its tool.
    whole: bool,
}

/// The rules that decide on the corpus. None where part of the settings was not read: there may be others.
pub(super) fn rules(
    met: &Met<'_>,
    again: &dyn Fn(&Call) -> Option<GateDecision>,
    fails_open: Option<bool>,
) -> Option<Vec<TallyRule>> {
    let unread = |met: &GateDecision| [&met.worst, &met.best].iter().any(|one| one.basis == Basis::Unread);
    if met.iter().any(|(_, met)| unread(met)) {
        return None;
    }
    let mut left = ASKED;
    let (mut allowing, mut refusing, mut hooks) = (Vec::new(), Vec::new(), Vec::new());
    for (key, seen) in seen(met) {
        match key.0 {
            RuleKind::Allow => allowing.push(allows(key, &seen)),
            RuleKind::Refuse => refusing.push(refuses(key, &seen, met, again, &mut left)),
            RuleKind::Hook => hooks.push(TallyRule { weak: fails_open, ..told(key, &seen) }),
        }
    }
    let all = [allowing, refusing, hooks].into_iter().flat_map(|mut rules| {
        // Those that are weak first, then those of which it is not known.
        rules.sort_by_key(|rule: &TallyRule| (rule.weak != Some(true), rule.weak.is_some()));
        rules.truncate(MOST);
        rules
    });
    Some(all.collect())
}

/// What a rule is told apart by: its kind, its text and its place.
type Key = (RuleKind, String, Option<String>);

fn seen<'a>(met: &'a Met<'_>) -> BTreeMap<Key, Seen<'a>> {
    let mut found: BTreeMap<Key, Seen<'a>> = BTreeMap::new();
    for (call, met) in met {
        let known = met.known().is_some();
        let both = [Some(&met.worst), Some(&met.best).filter(|best| **best != met.worst)];
        for ruling in both.into_iter().flatten() {
            let place = || ruling.place.as_ref().map(ToString::to_string);
            let (key, whole) = match &ruling.basis {
                Basis::Rule(rule) => {
                    // What a gate that is not relied on would ask about is cited where it may run.
                    let kind = if rule.effect == Effect::Allow { RuleKind::Allow } else { RuleKind::Refuse };
                    ((kind, rule.text.clone(), place()), rule.whole)
                }
                // What a definition of an agent or a skill brings is no hook.
                Basis::Hook(_) if ruling.place.as_ref().is_some_and(|place| place.path.ends_with(".md")) => continue,
                Basis::Hook(_) => ((RuleKind::Hook, "hook".to_owned(), place()), false),
                Basis::Mode(_) | Basis::BuiltIn | Basis::Unread => continue,
            };
            let seen = found.entry(key).or_default();
            seen.whole |= whole;
            if seen.calls.last().is_none_or(|(last, ..)| last.id != call.id) {
                seen.calls.push((call, met, known));
            }
        }
    }
    found
}

fn told(key: Key, seen: &Seen<'_>) -> TallyRule {
    let (kind, rule, place) = key;
    let calls = u32::try_from(seen.calls.len()).unwrap_or(u32::MAX);
    TallyRule { kind, rule, place, weak: None, call: None, decision: None, calls }
}

/// A rule that lets calls run: weak where it lets one of the corpus run that no sandbox is sure to hold.
fn allows(key: Key, seen: &Seen<'_>) -> TallyRule {
    let runs = |met: &GateDecision| met.known() == Some(Decision::Allow) && met.contained != Some(true);
    let shown = seen.calls.iter().filter(|(_, met, _)| runs(met));
    // What a provider would do first, told in few words.
    let shown = shown.min_by_key(|(call, ..)| (call.operation.is_none(), call.text().len()));
    let held = seen.calls.iter().all(|(_, met, _)| met.contained == Some(true));
    TallyRule {
        weak: if shown.is_some() { Some(true) } else { held.then_some(false) },
        call: shown.map(|(call, ..)| call.text()),
        decision: shown.map(|_| Decision::Allow),
        ..told(key, seen)
    }
}

/// A rule that refuses or asks: weak where the same call, written otherwise, is surely decided freer.
fn refuses(
    key: Key,
    seen: &Seen<'_>,
    met: &Met<'_>,
    again: &dyn Fn(&Call) -> Option<GateDecision>,
    left: &mut usize,
) -> TallyRule {
    let known = seen.calls.iter().all(|(_, _, known)| *known);
    let stopped = |met: &GateDecision| met.known().filter(|decision| *decision <= Decision::Ask);
    let mut weak = known.then_some(false);
    let mut forms_tried = 0_usize;
    // All that a rule for a whole tool sees it sees, in whatever form.
    if seen.whole {
        return TallyRule { weak, ..told(key, seen) };
    }
    let tried = seen.calls.iter().filter_map(|(call, met, _)| Some((*call, stopped(met)?, command(call)?)));
    for (call, decision, line) in tried.take(TRIED) {
        let alike = alike(met, call).map(|(other, met)| (other.text(), Some(met.clone())));
        let forms = reworded(line).into_iter().map(|form| (form, None));
        for (form, met) in forms.chain(alike) {
            let met = match met {
                Some(met) => met,
                None if *left == 0 => {
                    weak = None;
                    continue;
                }
                None => {
                    *left -= 1;
                    let Some(met) = again(&Call::shell(&form)) else { continue };
                    met
                }
            };
            forms_tried += 1;
            let freer = |ruling: &Ruling| ruling.decision > decision;
            if freer(&met.best) && met.contained != Some(true) {
                let decision = met.known();
                return TallyRule { weak: Some(true), call: Some(form), decision, ..told(key, seen) };
            }
            if freer(&met.worst) {
                weak = None;
            }
        }
    }
    // What was not tried does not hold.
    let weak = if forms_tried == 0 { None } else { weak };
    TallyRule { weak, ..told(key, seen) }
}

fn command(call: &DestructiveCall) -> Option<&str> {
    match &call.issued {
        crate::corpus::Issued::Run(command) => Some(command),
        crate::corpus::Issued::Tool { .. } | crate::corpus::Issued::Write(_) | crate::corpus::Issued::Fetch(_) => None,
    }
}

/// Other calls of the corpus that are the same one, by the same client.
fn alike<'a>(
    met: &'a Met<'_>,
    call: &'a DestructiveCall,
) -> impl Iterator<Item = (&'a DestructiveCall, &'a GateDecision)> {
    let program = command(call).map(|line| program(line).1);
    let same = move |other: &DestructiveCall| {
        other.id != call.id
            && call.operation.is_some()
            && (&other.provider, &other.operation, other.way) == (&call.provider, &call.operation, call.way)
            && matches!(call.way, WayClass::Cli | WayClass::Iac)
            && command(other).map(program_of) == program.map(base)
    };
    met.iter().filter(move |(other, _)| same(other)).map(|(other, met)| (*other, met))
}

fn program_of(line: &str) -> &str {
    base(program(line).1)
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The assignments that a line begins with, its program, and the rest.
fn program(line: &str) -> (&str, &str, &str) {
    let line = line.trim();
    let mut rest = line;
    loop {
        let (first, behind) = word(rest);
        let named = first
            .split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        if !named || behind.is_empty() {
            let before = line.strip_suffix(rest).unwrap_or_default();
            return (before, first, behind);
        }
        rest = behind;
    }
}

/// The same call in other words, which a shell runs alike: with an option of the client before its subcommand, an assignment, the
/// client's full path, behind `env` and `sh -c`, with its output in a file, and behind another command.
fn reworded(line: &str) -> Vec<String> {
    if line.contains('\n') {
        return Vec::new();
    }
    let (before, first, rest) = program(line);
    let mut forms = Vec::new();
    if let Some((_, option)) = GLOBAL.iter().find(|(name, _)| *name == base(first)) {
        forms.push(format!("{before}{first} {option} {rest}").trim_end().to_owned());
    }
    forms.push(format!("X=1 {line}"));
    if !first.contains('/') && !first.is_empty() {
        forms.push(format!("{before}/usr/bin/{first} {rest}").trim_end().to_owned());
    }
    forms.push(format!("env {line}"));
    if !line.contains('\'') {
        forms.push(format!("sh -c '{line}'"));
    }
    forms.push(format!("{line} > out.log"));
    forms.push(format!("true && {line}"));
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_written_otherwise() {
        assert_eq!(
            reworded("AWS_PROFILE=x aws rds delete-db-instance"),
            [
                "AWS_PROFILE=x aws --profile prod rds delete-db-instance",
                "X=1 AWS_PROFILE=x aws rds delete-db-instance",
                "AWS_PROFILE=x /usr/bin/aws rds delete-db-instance",
                "env AWS_PROFILE=x aws rds delete-db-instance",
                "sh -c 'AWS_PROFILE=x aws rds delete-db-instance'",
                "AWS_PROFILE=x aws rds delete-db-instance > out.log",
                "true && AWS_PROFILE=x aws rds delete-db-instance",
            ]
        );
        assert!(reworded("psql -c 'DROP SCHEMA x'").iter().all(|form| !form.starts_with("sh -c")));
        assert!(reworded("a\nb").is_empty());
    }

    #[test]
    fn what_a_shell_runs_alike_amounts_to_the_same() {
        use crate::meaning::{Around, of_command};
        let mut alike = 0;
        for call in crate::corpus::calls() {
            let Some(line) = command(call) else { continue };
            let own = of_command(line, &Around::default()).amounts;
            for form in reworded(line) {
                let other = of_command(&form, &Around::default());
                let same = own.iter().all(|one| other.amounts.contains(one));
                // What a program on a path of its own prints is in doubt.
                assert!(same || !other.doubts.is_empty(), "{}: {form}", call.id);
                alike += usize::from(same && !own.is_empty());
            }
        }
        assert!(alike > 1_000, "{alike}");
    }
}
