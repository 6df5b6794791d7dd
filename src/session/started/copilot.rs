//! The options of GitHub Copilot CLI.

use deadstop_core::gate::Level;
use serde_json::json;

use super::words::Words;
use super::{Started, file};

impl Started {
    /// docs.github.com, Copilot CLI command reference. Options that take a list take every word up to the next option.
    pub(super) fn copilot(&mut self, rest: &[&str]) {
        self.agent = Some("copilot-cli".to_owned());
        let mut settings = serde_json::Map::new();
        let mut prompted = false;
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            let key = name.trim_start_matches('-').to_owned();
            match name {
                "--allow-all-tools"
                | "--allow-all-paths"
                | "--allow-all-urls"
                | "--sandbox"
                | "--assisted-approval" => {
                    settings.insert(key, json!(true));
                }
                "--allow-all" | "--yolo" => {
                    for key in ["allow-all-tools", "allow-all-paths", "allow-all-urls"] {
                        settings.insert(key.to_owned(), json!(true));
                    }
                }
                "--allow-tool" | "--deny-tool" | "--available-tools" | "--excluded-tools" | "--allow-url"
                | "--deny-url" => {
                    let held = words.held();
                    let mut text = held.map(str::to_owned).unwrap_or_default();
                    while held.is_none()
                        && let Some(more) = words.plain()
                    {
                        text = format!("{text}{}{more}", if open(&text) { " " } else { "," });
                    }
                    // An option that is given by `=` takes blanks in brackets, at which words are cut here.
                    while open(&text)
                        && let Some(more) = words.any()
                    {
                        text = format!("{text} {more}");
                    }
                    let list = settings.entry(key).or_insert_with(|| json!([]));
                    if let Some(list) = list.as_array_mut() {
                        list.extend(listed(&text).into_iter().map(serde_json::Value::from));
                    }
                }
                "--add-dir" | "--disable-mcp-server" | "--enable-mcp-server" => {
                    let list = settings.entry(key).or_insert_with(|| json!([]));
                    if let (Some(list), Some(value)) = (list.as_array_mut(), words.value()) {
                        list.push(json!(value));
                    }
                }
                "-p" | "--prompt" => {
                    words.value();
                    self.headless = Some(true);
                }
                "-i" | "--interactive" => {
                    words.value();
                    prompted = true;
                }
                "--mode" => {
                    settings.insert(key, json!(words.value()));
                }
                "--autopilot" | "--plan" => {
                    settings.insert("mode".to_owned(), json!(key));
                }
                "--model" | "--log-dir" | "--log-level" | "--output-format" | "--reasoning-effort" | "--effort"
                | "--context" | "--stream" | "-n" | "--name" => {
                    words.value();
                }
                "-s"
                | "--silent"
                | "--banner"
                | "--no-color"
                | "--no-ask-user"
                | "--no-auto-update"
                | "--screen-reader"
                | "--disallow-temp-dir"
                | "--no-custom-instructions"
                | "--disable-builtin-mcps"
                | "--plain-diff"
                | "--trust-folder" => {}
                _ if name.starts_with('-') => self.unknown(name),
                // Words of a prompt that were cut at their blanks.
                _ if self.headless == Some(true) || prompted => {}
                _ => self.unknown("a subcommand"),
            }
        }
        if prompted {
            self.headless = Some(false);
        }
        if self.headless == Some(true) {
            settings.insert("headless".to_owned(), json!(true));
        }
        self.files.push(file(Level::User, serde_json::Value::Object(settings).to_string()));
    }
}

/// Whether a bracket is open in a list of rules.
fn open(text: &str) -> bool {
    text.matches('(').count() > text.matches(')').count()
}

/// The rules of a list, cut at commas outside of brackets, without the quotes that a shell takes away.
fn listed(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for part in text.split(',') {
        match found.last_mut().filter(|last| open(last)) {
            Some(last) => *last = format!("{last},{part}"),
            None => found.push(part.to_owned()),
        }
    }
    let bare = |rule: String| rule.trim().trim_matches(['"', '\'']).to_owned();
    found.into_iter().map(bare).filter(|rule| !rule.is_empty()).collect()
}
