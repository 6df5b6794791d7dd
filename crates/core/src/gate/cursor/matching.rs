//! Which calls an entry names (floor 2). How chains, wrappers and wildcards are matched is not documented in full, so
//! each question is answered twice: [`may`] whether an entry may name a call, [`surely`] whether it is sure to.

use super::{CursorPolicy, Entry, Surface, Tool};
use crate::gate::shell::{self, word};
use crate::gate::{Call, Effect, pattern};

/// Words in front of a command that an entry may be looked for behind.
const WRAPPERS: [&str; 11] =
    ["sudo", "env", "timeout", "nice", "nohup", "time", "command", "xargs", "stdbuf", "exec", "builtin"];

/// Whether an entry may name a call.
pub(super) fn may(policy: &CursorPolicy, entry: &Entry, call: &Call) -> bool {
    match (entry.tool, call) {
        (Tool::Shell, Call::Shell { command }) => {
            forms(command).iter().any(|form| shell_may(policy.surface, entry, form))
        }
        (Tool::Read, Call::Read { path }) | (Tool::Write, Call::Edit { path }) => {
            anchors(policy, &entry.spec).iter().any(|spec| pattern::covers(spec, &policy.ground.absolute(path)))
        }
        (Tool::Fetch, Call::Fetch { domain }) => {
            let (spec, domain) = (entry.spec.to_lowercase(), domain.to_lowercase());
            let bare = spec.trim_start_matches("*.");
            pattern::matches(&spec, &domain) || domain == bare || domain.ends_with(&format!(".{bare}"))
        }
        (Tool::Mcp, Call::Mcp { server, tool }) => {
            let (by_server, by_tool) = entry.spec.split_once(':').unwrap_or((&entry.spec, "*"));
            pattern::matches(by_server, server) && pattern::matches(by_tool, tool)
        }
        (Tool::Shell | Tool::Read | Tool::Write | Tool::Fetch | Tool::Mcp, _) => false,
    }
}

/// Whether an entry is sure to name the whole of a call.
pub(super) fn surely(policy: &CursorPolicy, entry: &Entry, call: &Call) -> bool {
    match (entry.tool, call) {
        (Tool::Shell, Call::Shell { command }) => {
            // A star names every command, however it is cut.
            if policy.surface == Surface::Terminal && matches!(entry.spec.as_str(), "*" | "**") {
                return true;
            }
            let Ok(parts) = shell::split(command) else { return false };
            // A chain may be judged whole or by its parts, so nothing but a single command is sure.
            matches!(parts.as_slice(), [part] if part.inner.is_empty()
                && part.writes.is_empty()
                && shell_surely(policy.surface, &entry.spec, &part.text))
        }
        (Tool::Read, Call::Read { path }) | (Tool::Write, Call::Edit { path }) => {
            let full = policy.ground.absolute(path);
            // Whether a plain name reaches into folders is not documented: only the anchored reading is sure.
            anchors(policy, &entry.spec).first().is_some_and(|spec| exactly(spec, &full))
        }
        (Tool::Fetch, Call::Fetch { domain }) => matches!(entry.spec.as_str(), "*") || entry.spec == *domain,
        (Tool::Mcp, Call::Mcp { server, tool }) => entry.spec.split_once(':').is_some_and(|(by_server, by_tool)| {
            (by_server == "*" || by_server == server) && (by_tool == "*" || by_tool == tool)
        }),
        (Tool::Shell | Tool::Read | Tool::Write | Tool::Fetch | Tool::Mcp, _) => false,
    }
}

/// The ways in which a command line may be looked at: whole, by its parts, and behind assignments and wrappers.
fn forms(command: &str) -> Vec<String> {
    let mut found = vec![command.trim().to_owned()];
    let Ok(parts) = shell::split(command) else {
        // What cannot be cut may be cut anywhere.
        let words: Vec<&str> = command
            .split(|c: char| c.is_whitespace() || "()`'\";&|{}$".contains(c))
            .filter(|w| !w.is_empty())
            .collect();
        found.extend((0..words.len().min(256)).filter_map(|at| words.get(at..).map(|rest| rest.join(" "))));
        return found;
    };
    for part in &parts {
        found.push(part.text.clone());
        let first = word(&part.text).0;
        if first.contains('=') || WRAPPERS.contains(&first) {
            let mut rest = part.text.as_str();
            for _ in 0..64 {
                rest = word(rest).1;
                if rest.is_empty() {
                    break;
                }
                found.push(rest.to_owned());
            }
        }
        found.extend(part.inner.iter().take(8).filter(|inner| inner.len() < command.len()).flat_map(|i| forms(i)));
    }
    found
}

fn shell_may(surface: Surface, entry: &Entry, text: &str) -> bool {
    let spec = entry.spec.trim();
    let (first, rest) = word(text);
    let name = first.trim_matches(['"', '\'', '\\']);
    let base = name.rsplit('/').next().unwrap_or(name);
    let whole = spec.strip_suffix(":*").or_else(|| spec.strip_suffix(" *")).unwrap_or(spec);
    let prefix = text == whole || text.strip_prefix(whole).is_some_and(|rest| rest.starts_with(char::is_whitespace));
    if prefix || pattern::matches(spec, text) || pattern::matches(spec, name) || pattern::matches(spec, base) {
        return true;
    }
    let Some((program, args)) = spec.split_once(':') else {
        // In the editor a prefix is enough; that it ends at a word is not said everywhere.
        return surface == Surface::Editor && entry.effect == Effect::Allow && text.starts_with(spec);
    };
    let named = pattern::matches(program, name) || pattern::matches(program, base);
    named && (pattern::matches(args, rest) || rest.starts_with(args.trim_end_matches('*')) || args.is_empty())
}

fn shell_surely(surface: Surface, spec: &str, text: &str) -> bool {
    let (first, _) = word(text);
    match surface {
        Surface::Editor => {
            let plain = !spec.contains(['*', ':', '?']) && !spec.is_empty();
            let rest = text.strip_prefix(spec);
            plain && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        }
        Surface::Terminal => {
            let program = spec.strip_suffix(":*").unwrap_or(spec);
            let plain = !program.contains(['*', ':', '?', ' ']) && !program.is_empty();
            matches!(spec, "*" | "**") || (plain && first == program)
        }
    }
}

/// What a path pattern may stand for, as absolute patterns, the plainest first.
fn anchors(policy: &CursorPolicy, spec: &str) -> Vec<String> {
    let ground = &policy.ground;
    if spec.starts_with('/') {
        return vec![spec.to_owned()];
    }
    if let (Some(rest), Some(home)) = (spec.strip_prefix("~/"), &ground.home) {
        return vec![format!("{home}/{rest}")];
    }
    let bare = spec.trim_start_matches("./");
    vec![format!("{}/{bare}", ground.root), format!("{}/**/{bare}", ground.root), format!("/{bare}")]
}

/// Whether a pattern names a file itself and not a folder above it.
fn exactly(spec: &str, path: &str) -> bool {
    let (parts, steps): (Vec<&str>, Vec<&str>) = (spec.split('/').collect(), path.split('/').collect());
    let (Some(last), Some(name)) = (parts.last(), steps.last()) else { return false };
    let deep = parts.contains(&"**");
    pattern::covers(spec, path)
        && (*last == "**" || (pattern::matches(last, name) && (deep || parts.len() == steps.len())))
}
