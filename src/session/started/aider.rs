//! The options of Aider.

use deadstop_core::gate::Level;
use serde_json::json;

use super::words::Words;
use super::{Started, file};

impl Started {
    /// Aider-AI/aider `aider/args.py`
    pub(super) fn aider(&mut self, rest: &[&str]) {
        self.agent = Some("aider".to_owned());
        let mut settings = serde_json::Map::new();
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            let plain = name.trim_start_matches('-');
            let (key, on) = plain.strip_prefix("no-").map_or((plain, true), |key| (key, false));
            match name {
                "--yes-always"
                | "--suggest-shell-commands"
                | "--no-suggest-shell-commands"
                | "--auto-test"
                | "--no-auto-test"
                | "--auto-lint"
                | "--no-auto-lint" => {
                    settings.insert(key.to_owned(), json!(on));
                }
                // What runs has blanks in it, and those are not read.
                "--test-cmd" | "--lint-cmd" => self.unknown(name),
                "-m" | "--message" | "--msg" | "-f" | "--message-file" => {
                    words.value();
                    settings.insert("message".to_owned(), json!("x"));
                }
                "--model" | "--file" | "--read" | "--edit-format" | "--weak-model" | "--editor-model" => {
                    words.value();
                }
                "--architect" | "--no-auto-commits" | "--auto-commits" | "--no-git" | "-v" | "--verbose"
                | "--sonnet" | "--opus" => {}
                _ if name.starts_with('-') => self.unknown(name),
                // Files for the chat.
                _ => {}
            }
        }
        self.files.push(file(Level::Local, serde_json::Value::Object(settings).to_string()));
    }
}
