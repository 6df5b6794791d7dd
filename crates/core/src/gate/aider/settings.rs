//! Reads the files (floor 2).

use super::{AiderPolicy, Linted, Said};
use crate::fact::{Fact, GapReason};
use crate::gate::tree::{self, Item, Value};
use crate::gate::{FileText, Ground, Level, MOST_RULES, Note, Place};

/// Settings that are read by another name, lead to files that are not read, or start it as something else. What is run by
/// `load` may be any command. Of `gui` even `false` switches it on: its second name is `browser`, and the reader takes that for
/// the one that says no (bw2/ConfigArgParse `configargparse.py`, `option_strings[1]`).
const STRANGE: [&str; 6] = ["load", "config", "env-file", "gui", "browser", "yes"];

/// Settings that give it all that it is to do.
const MESSAGES: [&str; 5] = ["message", "msg", "message-file", "apply", "apply-clipboard-edits"];

/// Settings with a word of their own that changes what runs. The reader takes the beginning of one for it, and leaves out dashes
/// at either end (bw2/ConfigArgParse `configargparse.py`, `get_command_line_key_for_unknown_config_file_setting`).
const WORDED: [&str; 10] = [
    "test-cmd",
    "lint-cmd",
    "notifications-command",
    "load",
    "message",
    "msg",
    "message-file",
    "apply",
    "config",
    "env-file",
];

/// Settings that change nothing of what runs (`aider/args.py`, `aider/deprecated.py`).
const OTHERS: [&str; 109] = [
    "35-turbo",
    "35turbo",
    "4",
    "4-turbo",
    "4o",
    "add-gitignore-files",
    "aiderignore",
    "alias",
    "analytics",
    "analytics-disable",
    "analytics-log",
    "analytics-posthog-host",
    "analytics-posthog-project-api-key",
    "anthropic-api-key",
    "api-key",
    "architect",
    "assistant-output-color",
    "attribute-author",
    "attribute-co-authored-by",
    "attribute-commit-message-author",
    "attribute-commit-message-committer",
    "attribute-committer",
    "auto-accept-architect",
    "auto-commits",
    "cache-keepalive-pings",
    "cache-prompts",
    "chat-history-file",
    "chat-language",
    "chat-mode",
    "check-model-accepts-settings",
    "check-update",
    "code-theme",
    "commit",
    "commit-language",
    "commit-prompt",
    "completion-menu-bg-color",
    "completion-menu-color",
    "completion-menu-current-bg-color",
    "completion-menu-current-color",
    "copy-paste",
    "dark-mode",
    "deepseek",
    "detect-urls",
    "dirty-commits",
    "disable-playwright",
    "dry-run",
    "edit-format",
    "editor-edit-format",
    "editor-model",
    "encoding",
    "exit",
    "fancy-input",
    "file",
    "gitignore",
    "haiku",
    "input-history-file",
    "just-check-update",
    "light-mode",
    "line-endings",
    "list-models",
    "llm-history-file",
    "map-multiplier-no-files",
    "map-refresh",
    "map-tokens",
    "max-chat-history-tokens",
    "mini",
    "model",
    "model-metadata-file",
    "model-settings-file",
    "models",
    "multiline",
    "o1-mini",
    "o1-preview",
    "openai-api-base",
    "openai-api-deployment-id",
    "openai-api-key",
    "openai-api-type",
    "openai-api-version",
    "openai-organization-id",
    "opus",
    "pretty",
    "read",
    "reasoning-effort",
    "restore-chat-history",
    "shell-completions",
    "show-diffs",
    "show-model-warnings",
    "show-prompts",
    "show-release-notes",
    "show-repo-map",
    "skip-sanity-check-repo",
    "sonnet",
    "stream",
    "subtree-only",
    "thinking-tokens",
    "timeout",
    "tool-error-color",
    "tool-output-color",
    "tool-warning-color",
    "user-input-color",
    "verbose",
    "verify-ssl",
    "version",
    "vim",
    "voice-format",
    "voice-input-device",
    "voice-language",
    "watch-files",
    "weak-model",
];

/// Whether files that a setting names lie in the repository, as far as their paths tell.
fn inside(item: &Item) -> bool {
    let own = |text: &str| {
        !text.starts_with(['/', '~', '\\']) && !text.split('/').any(|part| part == "..") && !text.contains('$')
    };
    let one = item.text().map(|text| vec![text]);
    one.or_else(|| item.texts()).is_some_and(|all| all.into_iter().all(own))
}

/// Settings that are no beginning of another, though they look like one.
const WHOLE: [&str; 3] = ["test", "lint", "notifications"];

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> AiderPolicy {
    let mut policy = AiderPolicy {
        ground: ground.clone(),
        yes: None,
        suggests: None,
        test: None,
        tests: None,
        tested: None,
        lint: Vec::new(),
        lints: None,
        linted: None,
        notify: None,
        notifies: None,
        verifies: None,
        git: None,
        message: None,
        started: false,
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    let mut files: Vec<&FileText> = files.iter().collect();
    // Those of a repository in the order in which they were found: its top, then the folder that it is started in.
    files.sort_by_key(|file| match file.level {
        Level::Managed | Level::State | Level::User => 0,
        Level::Project => 1,
        Level::Local => 2,
    });
    for file in files {
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => {
                policy.unread.push((file.path.clone(), gap.reason));
                continue;
            }
        };
        policy.files.push(file.path.clone());
        policy.started |= file.level == Level::Local;
        let root = tree::yaml(text).filter(|root| root.table().is_some());
        if root.and_then(|root| policy.settings(&root, file)).is_none() {
            policy.unread.push((file.path.clone(), GapReason::Malformed));
            let place = Place { path: file.path.clone(), line: None };
            policy.notes.push(Note { place, text: "it is not understood, so it may say anything".to_owned() });
        }
    }
    policy
}

/// What is said of a switch, in the words that stand for yes and no.
fn flag(item: &Item) -> Option<bool> {
    match &item.value {
        Value::Flag(flag) => Some(*flag),
        Value::Number(1) => Some(true),
        Value::Number(0) => Some(false),
        Value::Text(text) => match text.to_lowercase().as_str() {
            "yes" | "on" | "true" | "1" => Some(true),
            "no" | "off" | "false" | "0" => Some(false),
            _ => None,
        },
        Value::Number(_) | Value::List(_) | Value::Table(_) | Value::Other => None,
    }
}

/// The command of a setting for linting, and the language that stands in front of it (`aider/main.py`, `parse_lint_cmds`).
fn linted(text: &str) -> Option<(&str, &str)> {
    let named = text.split_once(':');
    let named = named.filter(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase()));
    let (language, command) = named.unwrap_or(("", text));
    Some((language, command.trim())).filter(|(_, command)| !command.is_empty())
}

impl AiderPolicy {
    /// The settings of a file over those of weaker ones. None where it is not sure what one says.
    fn settings(&mut self, root: &Item, file: &FileText) -> Option<()> {
        let mut lint = None;
        for (key, item) in root.written() {
            let name = key.strip_prefix("--").unwrap_or(key);
            // A name that says no is another name of the same switch, and the word behind it counts as it does for the first.
            let name = name.strip_prefix("no-").unwrap_or(name);
            let whole = WORDED.contains(&name) || WHOLE.contains(&name);
            let beginning = !whole && WORDED.iter().any(|word| word.starts_with(name.trim_matches('-')));
            if beginning || STRANGE.contains(&name) || key.contains('=') {
                return None;
            }
            let place = Place { path: file.path.clone(), line: Some(item.line) };
            if MESSAGES.contains(&name) {
                let text = item.text().filter(|_| matches!(name, "message" | "msg")).map(str::to_owned);
                self.message = Some(Said { value: text, place: place.clone(), level: file.level });
            }
            // A file of another repository has it start again there, with the settings of that one (`guessed_wrong_repo`).
            if matches!(name, "file" | "read") && !inside(item) {
                return None;
            }
            self.setting(name, item, place, file.level, &mut lint)?;
        }
        self.lint = lint.unwrap_or_else(|| std::mem::take(&mut self.lint));
        Some(())
    }

    fn setting(
        &mut self,
        name: &str,
        item: &Item,
        place: Place,
        level: Level,
        lint: &mut Option<Vec<Linted>>,
    ) -> Option<()> {
        let slot = match name {
            // Such a switch has no word for no, so that no stronger file takes back what a weaker one says.
            "yes-always" | "test" | "lint" => {
                let slot = match name {
                    "yes-always" => &mut self.yes,
                    "test" => &mut self.tested,
                    _ => &mut self.linted,
                };
                if flag(item)? {
                    *slot = Some(Said { value: true, place, level });
                }
                return Some(());
            }
            "suggest-shell-commands" => &mut self.suggests,
            "auto-test" => &mut self.tests,
            "auto-lint" => &mut self.lints,
            "notifications" => &mut self.notifies,
            "git-commit-verify" => &mut self.verifies,
            "git" => &mut self.git,
            "test-cmd" => {
                self.test = Some(Said { value: item.text()?.to_owned(), place, level });
                return Some(());
            }
            "notifications-command" => {
                self.notify = Some(Said { value: item.text()?.to_owned(), place, level });
                return Some(());
            }
            "lint-cmd" => {
                let one = item.text().map(|text| vec![text]);
                let all = lint.get_or_insert_default();
                for text in one.or_else(|| item.texts())? {
                    let (language, command) = linted(text)?;
                    all.retain(|(other, _)| other != language);
                    let said = Said { value: command.to_owned(), place: place.clone(), level };
                    all.push((language.to_owned(), said));
                }
                return (all.len() <= MOST_RULES).then_some(());
            }
            // What sets variables may set those that stand for options.
            "set-env" => {
                let one = item.text().map(|text| vec![text]);
                let all = one.or_else(|| item.texts())?;
                return (!all.iter().any(|text| text.contains("AIDER_"))).then_some(());
            }
            // Another version may have options that run something.
            _ => return (OTHERS.contains(&name) || MESSAGES.contains(&name)).then_some(()),
        };
        *slot = Some(Said { value: flag(item)?, place, level });
        Some(())
    }
}
