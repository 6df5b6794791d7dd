//! How an agent was started: what its command line says, as the settings that it stands for.

mod aider;
mod amazonq;
mod closed;
mod continue_cli;
mod copilot;
mod goose;
mod more;
mod qwen;
mod words;

use deadstop_core::fact::Fact;
use deadstop_core::gate::{FileText, Level};
use serde_json::json;
use words::Words;

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
    /// An agent whose settings are not read is one whose gate is not known.
    ///
    /// # Errors
    /// If it names no program.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let Some((program, rest)) = words.split_first() else { return Err("it names no program".to_owned()) };
        let mut started = Self { headless: Some(false), ..Self::default() };
        match program.rsplit('/').next().unwrap_or(program) {
            "claude" => started.claude(rest),
            "codex" => started.codex(rest),
            "cursor-agent" | "agent" => started.cursor(rest),
            "gemini" => started.gemini(rest),
            "opencode" => started.opencode(rest),
            "copilot" => started.copilot(rest),
            "code" | "code-insiders" | "codium" => started.vscode(rest),
            "cline" => started.cline(rest),
            "roo" => started.roo(rest),
            "crush" => started.crush(rest),
            "qwen" => started.qwen(rest),
            "aider" => started.aider(rest),
            "q" => started.amazonq(rest),
            "cn" => started.continue_cli(rest),
            "goose" => started.goose(rest),
            "zed" | "zeditor" => started.zed(rest),
            "amp" => started.amp(rest),
            "droid" => started.droid(rest),
            "windsurf" => started.windsurf(rest),
            "warp" | "warp-terminal" | "oz" => started.warp(program, rest),
            "junie" => started.junie(rest),
            "kiro" | "kiro-cli" | "kiro-cli-chat" => started.kiro(rest),
            other => started.agent = Some(other.to_owned()),
        }
        // Words are cut at spaces alone: what a shell would make of these is not read.
        if text.contains(['"', '\'', '\\', '$', '`', '\n']) {
            started.doubt = Some("what stands in quotes in --started-as is not read".to_owned());
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
        // What is typed stands above what a variable says.
        if let Some(trusted) = self.trusted.filter(|_| matches!(gate, "gemini-cli" | "vscode")) {
            files.push(FileText { path: "--trusted".to_owned(), ..file(Level::State, trusted.to_string()) });
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
        let (mut mode, mut allow, mut deny): (Option<String>, Vec<String>, Vec<String>) =
            (None, Vec::new(), Vec::new());
        let mut modes = 0;
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                // These take every word up to the next option.
                "--allowedTools" | "--allowed-tools" => allow.extend(rules(&words.values().join(" "))),
                "--disallowedTools" | "--disallowed-tools" => deny.extend(rules(&words.values().join(" "))),
                "--dangerously-skip-permissions" => {
                    mode = Some("bypassPermissions".to_owned());
                    modes += 1;
                }
                "--permission-mode" => {
                    mode = words.value().map(str::to_owned);
                    modes += 1;
                }
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
                    words.value();
                }
                "-c" | "--continue" | "--verbose" | "--ide" | "--debug" | "--fork-session" => {}
                _ if name.starts_with('-') => self.unknown(name),
                // What it is asked to do.
                _ => {}
            }
        }
        if modes > 1 {
            self.doubt = Some("which of two modes on one command line counts is not documented".to_owned());
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
        let mut unknown = None;
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "-a" | "--ask-for-approval" => {
                    words.value().into_iter().for_each(|value| set("approval_policy", value))
                }
                "-s" | "--sandbox" => words.value().into_iter().for_each(|value| set("sandbox_mode", value)),
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
                    words.value();
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

    /// google-gemini/gemini-cli `packages/cli/src/config/config.ts`
    fn gemini(&mut self, rest: &[&str]) {
        self.agent = Some("gemini-cli".to_owned());
        let (mut mode, mut modes) = (None, 0);
        let (mut allowed, mut servers): (Option<Vec<String>>, Option<Vec<String>>) = (None, None);
        let mut prompted = false;
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            let listed = |text: Option<&str>| -> Vec<String> {
                text.into_iter().flat_map(|text| text.split(',')).map(|one| one.trim().to_owned()).collect()
            };
            match name {
                "-y" | "--yolo" => {
                    mode = Some("yolo".to_owned());
                    modes += 1;
                }
                "--approval-mode" => {
                    mode = words.value().map(str::to_owned);
                    modes += 1;
                }
                "--allowed-tools" => allowed.get_or_insert_default().extend(listed(words.value())),
                "--allowed-mcp-server-names" => servers.get_or_insert_default().extend(listed(words.value())),
                "-p" | "--prompt" => {
                    words.value();
                    self.headless = Some(true);
                }
                "-i" | "--prompt-interactive" => {
                    words.value();
                    prompted = true;
                }
                "--skip-trust" => self.trusted = Some(true),
                "-m" | "--model" | "-o" | "--output-format" | "-r" | "--resume" | "--session-id" => {
                    words.value();
                }
                "-d" | "--debug" | "--screen-reader" => {}
                _ if name.starts_with('-') => self.unknown(name),
                // A question behind the name is answered without anybody there, unless a terminal says otherwise.
                _ if self.headless == Some(false) => self.headless = None,
                _ => {}
            }
        }
        if prompted {
            self.headless = Some(false);
        }
        if modes > 1 {
            self.doubt = Some("two modes on one command line".to_owned());
        }
        let mut settings = serde_json::Map::new();
        if let Some(mode) = mode {
            settings.insert("general".to_owned(), json!({ "defaultApprovalMode": mode }));
        }
        if let Some(allowed) = allowed {
            settings.insert("tools".to_owned(), json!({ "allowed": allowed }));
        }
        if let Some(servers) = servers {
            settings.insert("mcp".to_owned(), json!({ "allowed": servers }));
        }
        if self.headless == Some(true) {
            settings.insert("headless".to_owned(), json!(true));
        }
        self.files.push(file(Level::User, serde_json::Value::Object(settings).to_string()));
    }

    /// opencode.ai/docs/cli. `run` answers every prompt with a no, unless `--auto` says yes to all.
    fn opencode(&mut self, rest: &[&str]) {
        self.agent = Some("opencode".to_owned());
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "run" if words.read == 1 => self.headless = Some(true),
                "--auto" | "--yolo" | "--dangerously-skip-permissions" => self.runs = true,
                "--agent" => {
                    let settings = words.value().map(|name| json!({ "default_agent": name }));
                    self.files.extend(settings.map(|settings| file(Level::User, settings.to_string())));
                }
                "-m" | "--model" | "-s" | "--session" | "--prompt" | "--format" | "--title" => {
                    words.value();
                }
                "-c" | "--continue" | "--fork" | "--share" => {}
                _ if name.starts_with('-') => self.unknown(name),
                _ => {}
            }
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
        assert!(
            Started::parse("claude --dangerously-skip-permissions --permission-mode default").unwrap().doubt.is_some()
        );
        assert!(Started::parse("claude --allowedTools \"Bash(aws s3:*)\"").unwrap().doubt.is_some());
        assert!(text("claude -p --allowedTools Read Bash").contains(r#"["Read","Bash"]"#));
        assert!(text("claude --disallowedTools Edit Bash --verbose").contains(r#""deny":["Edit","Bash"]"#));
        // The value of an option may be left out.
        for line in ["claude --resume --dangerously-skip-permissions", "claude -r --permission-mode bypassPermissions"]
        {
            assert!(text(line).contains("bypassPermissions"), "{line}");
        }
        assert!(text("codex -m --yolo").contains("danger-full-access"));
        assert!(text("gemini -p --yolo").contains("yolo") && text("gemini -r --yolo").contains("yolo"));
        assert!(Started::parse("opencode -s --auto").unwrap().runs);
        assert!(text("copilot -n --yolo").contains(r#""allow-all-tools":true"#));
        assert_eq!(Started::parse("gemini --yolo").unwrap().agent.as_deref(), Some("gemini-cli"));
        assert!(Started::parse("opencode --auto").unwrap().runs);
        assert!(text("copilot --yolo").contains(r#""allow-all-tools":true"#));
        let copilot =
            text("copilot -p hello --allow-tool=shell(git:*),write --deny-tool=shell(git push) --allow-tool pg x(y)");
        assert!(copilot.contains(r#""allow-tool":["shell(git:*)","write","pg","x(y)"]"#), "{copilot}");
        assert!(copilot.contains(r#""deny-tool":["shell(git push)"]"#) && copilot.contains(r#""headless":true"#));
        assert_eq!(Started::parse("copilot -i hello").unwrap().headless, Some(false));
        assert!(Started::parse("copilot --acp").unwrap().doubt.is_some());
        assert_eq!(Started::parse("opencode run --agent=ops deploy").unwrap().headless, Some(true));
        assert!(text("opencode run --agent=ops deploy").contains(r#""default_agent":"ops""#));
        assert!(text("gemini --yolo").contains("yolo") && text("gemini --approval-mode=plan").contains("plan"));
        let allowed = text("gemini --allowed-tools run_shell_command(git),write_file");
        assert!(allowed.contains(r#"["run_shell_command(git)","write_file"]"#), "{allowed}");
        assert!(text("gemini -p hello").contains(r#""headless":true"#));
        assert_eq!(Started::parse("gemini -i hello").unwrap().headless, Some(false));
        assert!(Started::parse("gemini --policy x.toml").unwrap().doubt.is_some());
        assert!(Started::parse("gemini --yolo --approval-mode default").unwrap().doubt.is_some());
        assert!(Started::parse(" ").is_err());
    }
}
