//! What a call is to the agent: which tool, by which name, and what is in it (floor 2).

use super::Hook;
use crate::gate::{Call, pattern};

/// What a shell is given to run (google-gemini/gemini-cli `stripShellWrapper`): exactly `sh -c`, `bash -c` or `zsh -c`,
/// with or without a folder in front. Says whether that is sure to the letter.
pub(super) fn unwrapped(text: &str) -> Option<(String, bool)> {
    let (program, rest) = text.trim_start().split_once(char::is_whitespace)?;
    let base = program.rsplit('/').next().unwrap_or(program).to_lowercase();
    if !matches!(base.as_str(), "sh" | "bash" | "zsh") {
        return None;
    }
    let (option, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    if !option.eq_ignore_ascii_case("-c") {
        return None;
    }
    let rest = rest.trim();
    let quoted = |quote: char| rest.strip_prefix(quote).and_then(|inner| inner.strip_suffix(quote));
    if let Some(inner) = quoted('\'') {
        return Some((inner.to_owned(), !inner.contains('\'')));
    }
    match quoted('"') {
        Some(inner) => Some((inner.to_owned(), !inner.contains(['"', '\\', '$', '`']))),
        None => Some((rest.to_owned(), true)),
    }
}

/// The name of a server's tool: what does not belong into one is `_`, and what is too long is cut in its middle.
pub(super) fn named(server: &str, tool: &str) -> String {
    let joined = format!("{server}_{tool}");
    let full = if joined.starts_with("mcp_") { joined } else { format!("mcp_{joined}") };
    let plain: String = full
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':') { c } else { '_' })
        .collect();
    match (plain.len() > 63).then(|| (plain.get(..30), plain.get(plain.len() - 30..))) {
        Some((Some(first), Some(last))) => format!("{first}...{last}"),
        Some(_) | None => plain,
    }
}

/// Whether a hook sees a call.
pub(super) fn sees(hook: &Hook, call: &Call) -> bool {
    let Some(matcher) = hook.matcher.as_deref().map(str::trim) else { return true };
    let names: Vec<String> = match call {
        Call::Shell { .. } => vec!["run_shell_command".to_owned()],
        Call::Read { .. } => vec!["read_file".to_owned(), "grep_search".to_owned()],
        Call::Edit { .. } => vec!["write_file".to_owned(), "replace".to_owned()],
        Call::Fetch { .. } => vec!["web_fetch".to_owned()],
        Call::Mcp { server, tool } => vec![named(server, tool)],
    };
    // It is an expression, looked for in the name. What is not plainly another name may be one that fits.
    let plain = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let parts: Vec<&str> = matcher.split('|').collect();
    matcher.is_empty()
        || !parts.iter().all(|part| plain(part))
        || parts.iter().any(|part| names.iter().any(|name| pattern::matches(&format!("*{part}*"), name)))
}
