//! How rules match one shell command (floor 2).

use super::Rule;
use super::table::{DENY_WRAPPERS, EDITORS, GIT_READERS, NEVER_BY_PREFIX, READERS, SAFE_VARIABLES, WRAPPERS};
use crate::gate::shell::{GRAMMAR, word, words};
use crate::gate::{Effect, pattern};

/// The most wrappers that are looked past.
const DEPTH: usize = 8;

/// Whether a rule covers every command.
pub(super) fn whole(rule: &Rule) -> bool {
    tool(rule) && rule.spec.as_deref().is_none_or(|spec| matches!(spec, "*" | ":*"))
}

/// Whether a rule is about shell commands.
pub(super) fn tool(rule: &Rule) -> bool {
    rule.tool == "Bash" || (rule.spec.is_none() && pattern::matches(&rule.tool, "Bash"))
}

/// Whether a rule that allows names a program that stands anywhere in a command line that is not cut.
pub(super) fn mentions(rule: &Rule, command: &str) -> bool {
    let Some(spec) = rule.spec.as_deref().filter(|_| tool(rule)) else { return tool(rule) };
    let program = word(spec).0.trim_end_matches([':', '*']);
    let mut words = command.split(|c: char| c.is_whitespace() || "()`'\";&|{}$<>".contains(c));
    program.is_empty() || (!GRAMMAR.contains(&program) && words.any(|word| word.ends_with(program)))
}

/// Whether a rule covers one command of a command line. What is not documented of wrappers counts unless it must be
/// sure.
pub(super) fn fits(rule: &Rule, command: &str, sure: bool) -> bool {
    if !tool(rule) {
        return false;
    }
    let Some(spec) = &rule.spec else { return true };
    // Every form of a command is a part of it, so whatever a rule says without a wildcard has to stand in it.
    if !spec.trim().trim_end_matches(":*").split('*').all(|piece| command.contains(piece.trim())) {
        return false;
    }
    let wild = spec.contains('*');
    match rule.effect {
        Effect::Deny | Effect::Ask => forms(command, true, sure).iter().any(|form| spec_fits(spec, form)),
        Effect::Allow => forms(command, false, sure).iter().any(|form| {
            let never = NEVER_BY_PREFIX.contains(&word(form).0) || runs_from_find(form);
            spec_fits(spec, form) && !(wild && never)
        }),
    }
}

fn runs_from_find(command: &str) -> bool {
    let words = words(command);
    words.first() == Some(&"find")
        && words.iter().any(|w| w.starts_with("-exec") || w.starts_with("-ok") || *w == "-delete")
}

fn spec_fits(spec: &str, command: &str) -> bool {
    let spec = spec.trim();
    let bounded = spec.strip_suffix(":*").or_else(|| spec.strip_suffix(" *"));
    match bounded {
        Some(prefix) => pattern::matches(prefix, command) || pattern::matches(&format!("{prefix} *"), command),
        None if spec.contains('*') => pattern::matches(spec, command),
        None => spec == command,
    }
}

/// The command as it is and as it looks without what a rule looks past.
///
/// That a wrapper with options of its own is looked past is not documented: it is not where that must be sure.
fn forms(command: &str, deny: bool, sure: bool) -> Vec<String> {
    let mut found = vec![command.trim().to_owned()];
    for _ in 0..DEPTH {
        let Some(last) = found.last() else { break };
        let Some(next) = without_variable(last, deny).or_else(|| without_wrapper(last, deny, sure)) else { break };
        found.push(next.to_owned());
    }
    found
}

fn without_variable(command: &str, deny: bool) -> Option<&str> {
    let (first, rest) = word(command);
    let (name, _) = first.split_once('=')?;
    let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (named && !rest.is_empty() && (deny || SAFE_VARIABLES.contains(&name))).then_some(rest)
}

fn without_wrapper(command: &str, deny: bool, sure: bool) -> Option<&str> {
    let (first, mut rest) = word(command);
    if first == "xargs" {
        return (!rest.starts_with('-') && !rest.is_empty()).then_some(rest);
    }
    let passed = WRAPPERS.contains(&first) || (deny && DENY_WRAPPERS.contains(&first));
    if !passed || (sure && rest.starts_with('-')) {
        return None;
    }
    loop {
        let (option, after) = word(rest);
        if !option.starts_with('-') {
            break;
        }
        rest = after;
        if matches!(option, "-n" | "-k" | "-s" | "-u" | "-c" | "-g" | "-i" | "-o" | "-e") {
            rest = word(rest).1;
        }
    }
    if first == "timeout" {
        rest = word(rest).1;
    }
    (!rest.is_empty()).then_some(rest)
}

/// Whether a command only reads, as far as the agent is concerned.
pub(super) fn reads(command: &str) -> bool {
    let words = words(command);
    match words.first().copied() {
        Some("cd") => true,
        Some("git") => words.get(1).is_some_and(|sub| GIT_READERS.contains(sub)),
        Some(first) => READERS.contains(&first) && !runs_from_find(command),
        None => true,
    }
}

/// Whether `acceptEdits` may run a command unasked. That it stays inside the working folders is taken for granted.
pub(super) fn edits(command: &str) -> bool {
    forms(command, false, false).iter().any(|form| EDITORS.contains(&word(form).0))
}

/// Whether a command removes a folder that the agent always asks about.
pub(super) fn critical(command: &str, sure: bool) -> bool {
    forms(command, true, sure).iter().any(|form| {
        let (first, rest) = word(form);
        matches!(first, "rm" | "rmdir") && words(rest).iter().any(|target| root_like(target))
    })
}

fn root_like(target: &str) -> bool {
    let bare = target.trim_matches(['"', '\'']);
    if bare.starts_with('-') {
        return false;
    }
    let trimmed = bare.trim_end_matches("/*").trim_end_matches('/');
    let top = trimmed.strip_prefix('/').is_some_and(|rest| !rest.contains('/'));
    let variable = bare.starts_with('$') && bare.ends_with("/*");
    top || variable || matches!(trimmed, "" | "~" | "$HOME" | "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Level, Place};

    fn rule(effect: Effect, spec: &str) -> Rule {
        let place = Place { path: "s".to_owned(), line: None };
        let (tool, text) = ("Bash".to_owned(), format!("Bash({spec})"));
        Rule { effect, tool, spec: Some(spec.to_owned()), text, place, level: Level::User, certain: true }
    }

    #[test]
    fn a_space_before_the_star_is_a_word_boundary() {
        let bounded = rule(Effect::Allow, "ls *");
        assert!(fits(&bounded, "ls", false) && fits(&bounded, "ls -la", false) && !fits(&bounded, "lsof", false));
        assert!(fits(&rule(Effect::Allow, "ls*"), "lsof", false));
        assert!(fits(&rule(Effect::Allow, "npm run test:*"), "npm run test --watch", false));
        assert!(!fits(&rule(Effect::Allow, "git:* push"), "git push", false));
    }

    #[test]
    fn deny_looks_past_more_than_allow() {
        let deny = rule(Effect::Deny, "aws *");
        for command in ["AWS_PROFILE=p aws s3 rb x", "sudo -u root aws s3 rb x", "env A=1 timeout -k 5 10 aws s3 rb x"]
        {
            assert!(fits(&deny, command, false), "{command}");
        }
        let allow = rule(Effect::Allow, "aws *");
        assert!(fits(&allow, "NODE_ENV=x timeout 5 aws s3 ls", false));
        assert!(!fits(&allow, "AWS_PROFILE=p aws s3 ls", false) && !fits(&allow, "sudo aws s3 ls", false));
    }

    #[test]
    fn some_programs_are_never_let_by_a_prefix() {
        assert!(!fits(&rule(Effect::Allow, "find *"), "find . -exec rm {} +", false));
        assert!(!fits(&rule(Effect::Allow, "watch *"), "watch ls", false));
        assert!(fits(&rule(Effect::Allow, "watch ls"), "watch ls", false));
    }

    #[test]
    fn roots_are_critical() {
        for command in ["rm -rf /", "rm -rf ~/", "rm -rf /etc", "rm -rf $X/*", "sudo rm -rf \"$HOME\"", "rm -rf ../"] {
            assert!(critical(command, false), "{command}");
        }
        assert!(!critical("rm -rf ./data", false) && !critical("rm -rf /w/data", false));
    }
}
