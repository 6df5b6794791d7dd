//! The options of the Amazon Q Developer CLI.

use deadstop_core::gate::Level;
use serde_json::json;

use super::words::Words;
use super::{Started, file};

impl Started {
    /// aws/amazon-q-developer-cli `crates/chat-cli/src/cli/chat/mod.rs`
    pub(super) fn amazonq(&mut self, rest: &[&str]) {
        self.agent = Some("amazon-q".to_owned());
        let (mut all, mut agent) = (false, None);
        let mut trust: Vec<String> = Vec::new();
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "chat" if words.read == 1 => {}
                "-a" | "--trust-all-tools" => all = true,
                "--trust-tools" => {
                    trust.extend(words.value().unwrap_or_default().split(',').map(str::to_owned));
                }
                "--agent" | "--profile" => agent = words.value().map(str::to_owned),
                "--no-interactive" | "--non-interactive" => self.headless = Some(true),
                "--model" | "-w" | "--wrap" => {
                    words.value();
                }
                "-r" | "--resume" | "-v" | "--verbose" => {}
                _ if name.starts_with('-') => self.unknown(name),
                // Without the word `chat` in front it is another command.
                _ if rest.first() != Some(&"chat") => self.unknown(name),
                _ => {}
            }
        }
        let text = match agent {
            Some(agent) => json!({ "agent": agent, "all": all, "trust": trust }),
            None => json!({ "all": all, "trust": trust }),
        };
        self.files.push(file(Level::User, text.to_string()));
    }
}
