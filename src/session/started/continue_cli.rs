//! The options of the Continue CLI.

use deadstop_core::gate::Level;
use serde_json::json;

use super::words::Words;
use super::{Started, file};

impl Started {
    /// continuedev/continue `extensions/cli/src/shared-options.ts`, `extensions/cli/src/index.ts`
    pub(super) fn continue_cli(&mut self, rest: &[&str]) {
        self.agent = Some("continue-cli".to_owned());
        let mut mode = "normal";
        let mut modes = 0;
        let mut lists: [(&str, Vec<String>); 3] = ["exclude", "ask", "allow"].map(|name| (name, Vec::new()));
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "--auto" | "--readonly" => {
                    mode = if name == "--auto" { "auto" } else { "plan" };
                    modes += 1;
                }
                "--allow" | "--ask" | "--exclude" => {
                    let value = words.value().map(str::to_owned);
                    let list = lists.iter_mut().find(|(list, _)| name.trim_start_matches('-') == *list);
                    list.into_iter().for_each(|(_, list)| list.extend(value.clone()));
                }
                "-p" | "--print" => self.headless = Some(true),
                "--config" | "--org" | "--rule" | "--mcp" | "--model" | "--prompt" | "--format" | "--fork" => {
                    words.value();
                }
                "--verbose" | "--beta-status-tool" | "--silent" | "--resume" => {}
                _ if name.starts_with('-') => self.unknown(name),
                "serve" | "review" | "remote" | "checks" | "login" | "logout" | "ls" => {
                    self.unknown(name);
                }
                // What it is asked to do.
                _ => {}
            }
        }
        if modes > 1 {
            self.doubt = Some("two modes on one command line".to_owned());
        }
        let mut settings = serde_json::Map::new();
        settings.insert("mode".to_owned(), json!(mode));
        settings.insert("headless".to_owned(), json!(self.headless == Some(true)));
        settings.extend(lists.into_iter().map(|(name, list)| (name.to_owned(), json!(list))));
        self.files.push(file(Level::User, serde_json::Value::Object(settings).to_string()));
    }
}
