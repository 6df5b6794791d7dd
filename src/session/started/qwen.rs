//! The options of Qwen Code.

use deadstop_core::gate::Level;
use serde_json::json;

use super::words::Words;
use super::{Started, file};

impl Started {
    /// QwenLM/qwen-code `packages/cli/src/config/config.ts`
    pub(super) fn qwen(&mut self, rest: &[&str]) {
        self.agent = Some("qwen-code".to_owned());
        let (mut mode, mut modes) = (None, 0);
        let mut tools = serde_json::Map::new();
        let mut settings = serde_json::Map::new();
        let mut prompted = false;
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            let key = match name {
                "--allowed-tools" => "allowed",
                "--exclude-tools" => "exclude",
                "--core-tools" => "core",
                _ => "",
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
                _ if !key.is_empty() => {
                    let all = words.values().join(" ");
                    let listed = super::rules(&all).into_iter().map(serde_json::Value::from);
                    tools.insert(key.to_owned(), listed.collect());
                }
                "-p" | "--prompt" => {
                    words.value();
                    self.headless = Some(true);
                }
                "-i" | "--prompt-interactive" => {
                    words.value();
                    prompted = true;
                }
                "-s" | "--sandbox" => {
                    tools.insert("sandbox".to_owned(), json!(true));
                }
                "-m" | "--model" | "-r" | "--resume" | "--output-format" | "-o" | "--session-id" => {
                    words.value();
                }
                "-d" | "--debug" | "-c" | "--continue" => {}
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
        if let Some(mode) = mode {
            tools.insert("approvalMode".to_owned(), json!(mode));
        }
        settings.insert("tools".to_owned(), serde_json::Value::Object(tools));
        if self.headless == Some(true) {
            settings.insert("headless".to_owned(), json!(true));
        }
        self.files.push(file(Level::User, serde_json::Value::Object(settings).to_string()));
    }
}
