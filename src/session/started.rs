//! How an agent was started: what its command line says, as the settings that it stands for.

use deadstop_core::fact::Fact;
use deadstop_core::gate::{FileText, Level};
use serde_json::json;

/// What a command line says of the agent that it starts.
#[derive(Clone, Debug, Default)]
pub struct Started {
    /// The id of the agent's gate.
    pub agent: Option<String>,
    /// Settings, the stronger first within a level.
    files: Vec<FileText>,
    /// Settings that count where no other says anything.
    last: Vec<FileText>,
    /// Whether nobody is there to be asked; nothing, where that is not known.
    pub headless: Option<bool>,
    /// Whether what would be asked about runs.
    pub runs: bool,
    /// Why what it does is not known.
    pub doubt: Option<String>,
    /// Whether the folder is trusted.
    trusted: Option<bool>,
}

/// Where such settings are said to stand.
const PLACE: &str = "--started-as";

fn file(level: Level, text: String) -> FileText {
    FileText { level, path: PLACE.to_owned(), text: Fact::Known(text), writable: true }
}

impl Started {
    /// Reads a command line such as `claude --dangerously-skip-permissions`.
    ///
    /// # Errors
    /// If it starts no agent whose gate is read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let Some((program, rest)) = words.split_first() else { return Err("it names no program".to_owned()) };
        let mut started = Self { headless: Some(false), ..Self::default() };
        match program.rsplit('/').next().unwrap_or(program) {
            "claude" => started.claude(rest),
            "codex" => started.codex(rest),
            "cursor-agent" | "agent" => started.cursor(rest),
            _ => return Err("it starts no agent that is known: `claude`, `codex` and `cursor-agent` are".to_owned()),
        }
        Ok(started)
    }

    /// The same in a folder that is trusted, or is not.
    #[must_use]
    pub const fn trusted(mut self, trusted: bool) -> Self {
        self.trusted = Some(trusted);
        self
    }

    /// The settings of one agent in a folder, with those that it was started with.
    pub(super) fn over(&self, gate: &str, root: &str, read: Vec<FileText>) -> Vec<FileText> {
        let mut files = Vec::new();
        if let Some(trusted) = self.trusted {
            let level = if trusted { "trusted" } else { "untrusted" };
            match gate {
                "claude-code" => {
                    let text = json!({ "projects": { root: { "hasTrustDialogAccepted": trusted } } }).to_string();
                    files.push(FileText { path: "--trusted".to_owned(), ..file(Level::State, text) });
                }
                "codex" => {
                    let text = format!("[projects.{}]\ntrust_level = \"{level}\"\n", json!(root));
                    files.push(FileText { path: "--trusted".to_owned(), ..file(Level::User, text) });
                }
                _ => {}
            }
        }
        if self.agent.as_deref() == Some(gate) {
            files.extend(self.files.iter().cloned());
            files.extend(read);
            files.extend(self.last.iter().cloned());
        } else {
            files.extend(read);
        }
        files
    }

    fn unknown(&mut self, flag: &str) {
        let name = flag.split('=').next().unwrap_or(flag);
        self.doubt = Some(format!("what {} does is not known", deadstop_core::quote::word(name)));
    }

    /// code.claude.com/docs/en/cli-reference
    fn claude(&mut self, rest: &[&str]) {
        self.agent = Some("claude-code".to_owned());
        let (mut mode, mut allow, mut deny) = (None, Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(word) = rest.get(at) {
            at += 1;
            let (name, held) = word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value)));
            let mut next = || {
                held.or_else(|| {
                    at += 1;
                    rest.get(at - 1).copied()
                })
            };
            match name {
                "--dangerously-skip-permissions" => mode = Some("bypassPermissions".to_owned()),
                "--permission-mode" => mode = next().map(str::to_owned),
                "--allowedTools" | "--allowed-tools" => allow.extend(next().map(rules).unwrap_or_default()),
                "--disallowedTools" | "--disallowed-tools" => deny.extend(next().map(rules).unwrap_or_default()),
                "-p" | "--print" => self.headless = Some(true),
                "--model"
                | "-r"
                | "--resume"
                | "--output-format"
                | "--input-format"
                | "--add-dir"
                | "--max-turns"
                | "--append-system-prompt"
                | "--system-prompt"
                | "--fallback-model"
                | "--session-id"
                | "--mcp-config" => {
                    next();
                }
                "-c" | "--continue" | "--verbose" | "--ide" | "--debug" | "--fork-session" => {}
                _ if name.starts_with('-') => self.unknown(name),
                // What it is asked to do.
                _ => {}
            }
        }
        let level = if mode.as_deref() == Some("auto") { Level::User } else { Level::Local };
        if let Some(mode) = mode {
            self.files.push(file(level, json!({ "permissions": { "defaultMode": mode } }).to_string()));
        } else if self.headless == Some(true) {
            // The built-in mode of `claude -p` is `default`.
            self.last.push(file(Level::User, json!({ "permissions": { "defaultMode": "default" } }).to_string()));
        }
        if !allow.is_empty() || !deny.is_empty() {
            self.files.push(file(Level::User, json!({ "permissions": { "allow": allow, "deny": deny } }).to_string()));
        }
    }

    /// developers.openai.com/codex/cli/reference
    fn codex(&mut self, rest: &[&str]) {
        self.agent = Some("codex".to_owned());
        let mut lines: Vec<String> = Vec::new();
        let mut set = |key: &str, value: &str| lines.push(format!("{key} = {}", json!(value)));
        let mut at = 0;
        let mut unknown = None;
        while let Some(word) = rest.get(at) {
            at += 1;
            let (name, held) = word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value)));
            let mut next = || {
                held.or_else(|| {
                    at += 1;
                    rest.get(at - 1).copied()
                })
            };
            match name {
                "-a" | "--ask-for-approval" => next().into_iter().for_each(|value| set("approval_policy", value)),
                "-s" | "--sandbox" => next().into_iter().for_each(|value| set("sandbox_mode", value)),
                "--full-auto" => {
                    set("approval_policy", "on-request");
                    set("sandbox_mode", "workspace-write");
                }
                "--dangerously-bypass-approvals-and-sandbox" | "--yolo" => {
                    set("approval_policy", "never");
                    set("sandbox_mode", "danger-full-access");
                }
                "exec" | "e" if self.headless != Some(true) => {
                    self.headless = Some(true);
                    set("approval_policy", "never");
                }
                "-m" | "--model" | "-C" | "--cd" | "-i" | "--image" | "--color" | "--output-schema" | "-o" => {
                    next();
                }
                "--search" | "--json" | "--oss" | "--skip-git-repo-check" | "resume" => {}
                _ if name.starts_with('-') => unknown = Some(name),
                _ => {}
            }
        }
        if let Some(name) = unknown {
            self.unknown(name);
        }
        if !lines.is_empty() {
            // A later word has the say over an earlier one.
            lines.reverse();
            let mut seen: Vec<String> = Vec::new();
            lines.retain(|line| {
                let key = line.split(' ').next().unwrap_or_default().to_owned();
                let fresh = !seen.contains(&key);
                seen.push(key);
                fresh
            });
            self.files.push(file(Level::Project, lines.join("\n")));
            // Where the folder is not trusted the project's files are not read; what was typed is.
            self.files.push(file(Level::User, lines.join("\n")));
        }
    }

    /// cursor.com/docs/cli/reference/parameters
    fn cursor(&mut self, rest: &[&str]) {
        self.agent = Some("cursor-cli".to_owned());
        for word in rest {
            match *word {
                "-f" | "--force" | "--yolo" => self.runs = true,
                "-p" | "--print" => self.headless = None,
                _ if word.starts_with('-') => self.unknown(word),
                _ => {}
            }
        }
    }
}

/// Rules in a list: by commas or spaces, but for those in brackets.
fn rules(text: &str) -> Vec<String> {
    let (mut all, mut current, mut depth) = (Vec::new(), String::new(), 0_usize);
    for c in text.trim_matches(['"', '\'']).chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' | ' ' if depth == 0 => {
                all.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        current.push(c);
    }
    all.push(current);
    all.retain(|rule| !rule.is_empty());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_stands_for_settings() {
        let text = |line: &str| {
            let started = Started::parse(line).unwrap();
            started.files.iter().filter_map(|file| file.text.known().cloned()).collect::<Vec<_>>().join("\n")
        };
        assert!(text("claude --dangerously-skip-permissions").contains("bypassPermissions"));
        assert!(text("claude --permission-mode=dontAsk").contains("dontAsk"));
        assert!(text("claude --allowedTools Bash(ls:*),Read").contains(r#"["Bash(ls:*)","Read"]"#));
        assert!(text("codex --yolo").contains("danger-full-access"));
        assert!(text("codex -a never -s read-only").contains("read-only"));
        assert_eq!(Started::parse("codex exec fix").unwrap().headless, Some(true));
        assert_eq!(Started::parse("claude -p hello").unwrap().headless, Some(true));
        assert!(Started::parse("cursor-agent --force").unwrap().runs);
        assert!(Started::parse("claude --brand-new-flag").unwrap().doubt.is_some());
        assert!(Started::parse("nano").is_err());
    }
}
