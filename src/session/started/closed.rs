//! The options of agents that were not held against themselves: Amp, Factory's Droid, Kiro, Windsurf, Warp and Junie.

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

    /// docs.windsurf.com. Its editor has no option that lets anything run.
    pub(super) fn windsurf(&mut self, rest: &[&str]) {
        self.agent = Some("windsurf".to_owned());
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "-n" | "--new-window" | "-r" | "--reuse-window" | "-w" | "--wait" | "-a" | "--add" | "-g"
                | "--goto" => {}
                _ if name.starts_with('-') => self.unknown(name),
                // The folder that it opens.
                _ => {}
            }
        }
    }

    /// docs.warp.dev `agents/cli`, `agents/cli/oz-cli`. Without an option `warp` is the agent of the command line, and the
    /// terminal by its longer name.
    pub(super) fn warp(&mut self, program: &str, rest: &[&str]) {
        self.agent = Some("warp".to_owned());
        let older = program.ends_with("oz");
        let terminal = program.ends_with("warp-terminal");
        let (mut all, mut named) = (false, false);
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "--auto-approve" => all = true,
                "--profile" => {
                    named = true;
                    words.value();
                }
                "-p" | "--prompt" | "--model" | "--cwd" | "-C" | "--resume" | "--mcp" | "--name" => {
                    words.value();
                }
                _ if name.starts_with('-') => self.unknown(name),
                // What it is asked to do.
                _ => {}
            }
        }
        self.headless = Some(older);
        let program = if older {
            "oz"
        } else if terminal {
            "terminal"
        } else {
            "cli"
        };
        let text = json!({ "program": program, "all": all, "named": named });
        self.files.push(file(Level::Local, text.to_string()));
    }

    /// junie.jetbrains.com/docs `parameters`
    pub(super) fn junie(&mut self, rest: &[&str]) {
        self.agent = Some("junie".to_owned());
        let (mut brave, mut alone) = (false, false);
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "--brave" => match words.held() {
                    None | Some("true") => brave = true,
                    Some("false") => {}
                    Some(_) => self.unknown(name),
                },
                "--task" | "-t" => {
                    alone = true;
                    words.value();
                }
                "--auth" | "--model" | "--provider" | "--effort" | "--project" | "-p" | "--prompt"
                | "--output-format" | "--session-id" | "--cache-dir" => {
                    words.value();
                }
                "--resume" | "--plan" | "--skip-update-check" => {}
                _ if name.starts_with('-') => self.unknown(name),
                // A task as such is done with nobody there.
                _ => alone = true,
            }
        }
        self.headless = Some(alone);
        let text = if brave { json!({ "brave": true, "headless": alone }) } else { json!({ "headless": alone }) };
        self.files.push(file(Level::Local, text.to_string()));
    }
}
