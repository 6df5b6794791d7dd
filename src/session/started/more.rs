//! The options of agents that have few: VS Code, Zed, Cline, Roo Code and Crush.

use deadstop_core::gate::Level;
use serde_json::json;

use super::words::Words;
use super::{Started, file};

impl Started {
    /// code.visualstudio.com/docs/configure/command-line. What an agent may do no option says, but where settings lie.
    pub(super) fn vscode(&mut self, rest: &[&str]) {
        self.agent = Some("vscode".to_owned());
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "--disable-workspace-trust" => self.trusted = Some(true),
                "-m" | "--mode" | "-g" | "--goto" | "--locale" | "--log" | "-a" | "--add" => {
                    words.value();
                }
                "-n" | "--new-window" | "-r" | "--reuse-window" | "-w" | "--wait" => {}
                _ if name.starts_with('-') => self.unknown(name),
                _ => {}
            }
        }
    }

    /// zed-industries/zed `crates/cli/src/main.rs`. What its agent may do no option says, but where settings lie.
    pub(super) fn zed(&mut self, rest: &[&str]) {
        self.agent = Some("zed".to_owned());
        for word in rest {
            match *word {
                "-w" | "--wait" | "-n" | "--new" | "-a" | "--add" | "--foreground" => {}
                _ if word.starts_with('-') => self.unknown(word),
                _ => {}
            }
        }
    }

    /// cline/cline `apps/cli/src/commands/program.ts`
    pub(super) fn cline(&mut self, rest: &[&str]) {
        self.agent = Some("cline-cli".to_owned());
        let mut settings = serde_json::Map::new();
        let mut shown = false;
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "--auto-approve" => match words.value() {
                    Some(value @ ("true" | "false")) => {
                        settings.insert("auto-approve".to_owned(), json!(value == "true"));
                    }
                    _ => self.unknown(name),
                },
                "-y" | "--yolo" => {
                    settings.insert("auto-approve".to_owned(), json!(true));
                }
                "--acp" => {
                    settings.insert("acp".to_owned(), json!(true));
                }
                "-i" | "--tui" => shown = true,
                "-z" | "--zen" => self.headless = Some(true),
                "-P" | "--provider" | "-k" | "--key" | "-m" | "--model" | "-s" | "--system" | "-t" | "--timeout"
                | "--id" | "--thinking" | "--compaction" | "--retries" => {
                    words.value();
                }
                "-a" | "--act" | "-v" | "--verbose" => {}
                "--json" => self.headless = Some(true),
                _ if name.starts_with('-') => self.unknown(name),
                // What it is asked to do; whether a terminal is there is not known.
                _ if self.headless == Some(false) => self.headless = None,
                _ => {}
            }
        }
        if shown {
            self.headless = Some(false);
        }
        if self.headless == Some(true) {
            settings.insert("headless".to_owned(), json!(true));
        }
        self.files.push(file(Level::User, serde_json::Value::Object(settings).to_string()));
    }

    /// RooCodeInc/Roo-Code `apps/cli/src/index.ts`
    pub(super) fn roo(&mut self, rest: &[&str]) {
        self.agent = Some("roo-cli".to_owned());
        let mut asks = false;
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "-a" | "--require-approval" => asks = true,
                "-p" | "--print" => self.headless = Some(true),
                "-k" | "--api-key" | "--provider" | "-m" | "--model" | "--mode" | "-r" | "--reasoning-effort"
                | "--session-id" | "--output-format" => {
                    words.value();
                }
                "-c" | "--continue" | "-d" | "--debug" | "--oneshot" | "--exit-on-error" => {}
                _ if name.starts_with('-') => self.unknown(name),
                _ => {}
            }
        }
        self.files.push(file(Level::User, json!({ "require-approval": asks }).to_string()));
    }

    /// charmbracelet/crush `internal/cmd`
    pub(super) fn crush(&mut self, rest: &[&str]) {
        self.agent = Some("crush".to_owned());
        let (mut yolo, mut run) = (false, false);
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "-y" | "--yolo" => match words.held() {
                    None | Some("true") => yolo = true,
                    Some("false") => yolo = false,
                    Some(_) => self.unknown(name),
                },
                "run" if words.read == 1 => {
                    self.headless = Some(true);
                    run = true;
                }
                "-s" | "--session" | "-m" | "--model" | "--small-model" => {
                    words.value();
                }
                "-C" | "--continue" | "-d" | "--debug" | "-q" | "--quiet" => {}
                _ if name.starts_with('-') => self.unknown(name),
                // A command may stand behind an option, and what it is for then is not known.
                "run" => self.unknown(name),
                _ => {}
            }
        }
        self.files.push(file(Level::User, json!({ "yolo": yolo, "run": run }).to_string()));
    }
}
