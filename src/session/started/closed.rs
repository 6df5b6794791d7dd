//! The options of agents whose source is not open: Amp, Factory's Droid and Kiro.

use deadstop_core::gate::Level;
use serde_json::json;

use super::words::Words;
use super::{Started, file};

impl Started {
    /// ampcode.com/manual
    pub(super) fn amp(&mut self, rest: &[&str]) {
        self.agent = Some("amp".to_owned());
        let mut all = false;
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "--dangerously-allow-all" => all = true,
                "-x" | "--execute" => self.headless = Some(true),
                "-m" | "--mode" | "-l" | "--label" => {
                    words.value();
                }
                "--stream-json"
                | "--stream-json-input"
                | "--stream-json-thinking"
                | "--no-ide"
                | "--no-color"
                | "--jetbrains" => {}
                _ if name.starts_with('-') => self.unknown(name),
                // A thread that goes on, or what it is asked to do.
                _ => {}
            }
        }
        let text = if all { json!({ "amp.dangerouslyAllowAll": true }) } else { json!({}) };
        self.files.push(file(Level::Local, text.to_string()));
    }

    /// docs.factory.ai `droid-cli/cli-reference`
    pub(super) fn droid(&mut self, rest: &[&str]) {
        self.agent = Some("factory-droid".to_owned());
        let mut settings = serde_json::Map::new();
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "exec" if words.read == 1 => {
                    self.headless = Some(true);
                    // Without a level it only reads.
                    settings.insert("autonomyLevel".to_owned(), json!("off"));
                }
                "--auto" => match words.value() {
                    Some(level @ ("low" | "medium" | "high")) => {
                        settings.insert("autonomyLevel".to_owned(), json!(level));
                    }
                    _ => self.unknown(name),
                },
                "--skip-permissions-unsafe" => {
                    settings.insert("skip".to_owned(), json!(true));
                }
                "-m" | "--model" | "-r" | "--reasoning-effort" | "-o" | "--output-format" | "-f" | "--file" | "-s"
                | "--session-id" | "--cwd" | "--resume" => {
                    words.value();
                }
                _ if name.starts_with('-') => self.unknown(name),
                // What it is asked to do.
                _ => {}
            }
        }
        self.files.push(file(Level::Local, serde_json::Value::Object(settings).to_string()));
    }

    /// kiro.dev/docs `cli/reference/cli-commands`. The editor has no option that lets anything run.
    pub(super) fn kiro(&mut self, rest: &[&str]) {
        self.agent = Some("kiro".to_owned());
        let (mut all, mut agent) = (false, None);
        let mut trust: Vec<String> = Vec::new();
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "chat" if words.read == 1 => {}
                "-a" | "--trust-all-tools" => all = true,
                "--trust-tools" => {
                    let named = words.value().unwrap_or_default().split(',');
                    trust.extend(named.filter(|name| !name.is_empty()).map(str::to_owned));
                }
                "--agent" => agent = words.value().map(str::to_owned),
                "--no-interactive" => self.headless = Some(true),
                "--model" | "-w" | "--wrap" => {
                    words.value();
                }
                "-r" | "--resume" | "-v" | "--verbose" => {}
                _ if name.starts_with('-') => self.unknown(name),
                // What it is asked to do, or the folder that its editor opens.
                _ => {}
            }
        }
        let text = match agent {
            Some(agent) => json!({ "agent": agent, "all": all, "trust": trust }),
            None => json!({ "all": all, "trust": trust }),
        };
        self.files.push(file(Level::Local, text.to_string()));
    }
}
