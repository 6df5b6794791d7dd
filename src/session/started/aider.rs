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
                // Of a text its first word tells whether it is a command.
                "-m" | "--message" | "--msg" => {
                    settings.insert("message".to_owned(), json!(words.value().unwrap_or("x")));
                }
                "-f" | "--message-file" => {
                    words.value();
                    settings.insert("message-file".to_owned(), json!("x"));
                }
                "--file" | "--read" => match words.value() {
                    Some(path) if inside(path) => {}
                    Some(_) | None => self.unknown(name),
                },
                "--model" | "--edit-format" | "--weak-model" | "--editor-model" => {
                    words.value();
                }
                "--architect" | "--no-auto-commits" | "--auto-commits" | "--no-git" | "-v" | "--verbose"
                | "--sonnet" | "--opus" => {}
                _ if name.starts_with('-') => self.unknown(name),
                // Files for the chat: one of another repository has it start again with the settings of that one.
                _ if inside(name) => {}
                _ => self.unknown(name),
            }
        }
        self.files.push(file(Level::Local, serde_json::Value::Object(settings).to_string()));
    }
}

/// Whether a file lies in the folder that it is started in, as far as its path tells.
fn inside(path: &str) -> bool {
    !path.starts_with(['/', '~']) && !path.split('/').any(|part| part == "..")
}
