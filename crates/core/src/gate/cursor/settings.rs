//! Reads settings files and merges them (floor 2).

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{CursorPolicy, Entry, Hook, Mode, Surface, Tool};
use crate::fact::{Fact, GapReason};
use crate::gate::ignore::Ignored;
use crate::gate::shown::shown;
use crate::gate::{Effect, FileText, Ground, Level, MOST_RULES, Note, Place};
use crate::model::Decision;

/// The deepest nesting that the lenient parser is led into.
const DEEPEST: usize = 300;

/// Hook events that may refuse a call (cursor.com/docs/agent/hooks).
pub(super) const EVENTS: [&str; 4] = ["preToolUse", "beforeShellExecution", "beforeMCPExecution", "beforeReadFile"];

/// One file of JSON that could be understood.
struct Settings {
    level: Level,
    path: String,
    text: String,
    value: Value,
    /// Whether the agent is sure to read it as we do.
    certain: bool,
}

impl Settings {
    fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.value, |value, key| value.get(key))
    }

    fn word(&self, path: &str) -> Option<&str> {
        self.get(path).and_then(Value::as_str)
    }

    fn list(&self, path: &str) -> Vec<&str> {
        self.get(path).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn named(&self, name: &str) -> bool {
        self.path.rsplit('/').next() == Some(name)
    }

    /// Where `what` stands, after `key` if that is there.
    fn place(&self, key: &str, what: &str) -> Place {
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let after = self.text.find(&quoted(key)).unwrap_or(0);
        let found = self.text.get(after..).and_then(|rest| rest.find(&quoted(what))).map(|at| at + after);
        let line = found.and_then(|at| self.text.get(..at)).map(|before| before.matches('\n').count() as u64 + 1);
        Place { path: self.path.clone(), line }
    }
}

/// Merges what the settings files say. What cannot be understood says nothing, and a note tells so.
pub(super) fn parse(surface: Surface, files: &[FileText], ground: &Ground) -> CursorPolicy {
    let open = || Mode { worst: Decision::Allow, best: Decision::Ask, place: None };
    let mut policy = CursorPolicy {
        surface,
        ground: ground.clone(),
        entries: Vec::new(),
        shell: open(),
        others: open(),
        unboxed: false,
        hooks: Vec::new(),
        ignored: Ignored::default(),
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    let read: Vec<Settings> = files.iter().filter_map(|file| understand(file, &mut policy)).collect();
    match surface {
        Surface::Editor => editor(&read, &mut policy),
        Surface::Terminal => terminal(&read, &mut policy),
    }
    for file in read.iter().filter(|file| file.named("hooks.json")) {
        hooks(file, &mut policy);
    }
    policy
}

fn deep(text: &str) -> bool {
    text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count() > DEEPEST
}

fn understand(file: &FileText, policy: &mut CursorPolicy) -> Option<Settings> {
    let ignore = file.path.rsplit('/').next() == Some(".cursorignore");
    let text = match &file.text {
        Fact::Known(text) => text.trim_start_matches('\u{feff}'),
        Fact::Unknown(gap) => {
            // An ignore file that was not read hides nothing; any other may say anything.
            if !ignore {
                policy.unread.push((file.path.clone(), gap.reason));
            }
            return None;
        }
    };
    policy.files.push(file.path.clone());
    if ignore {
        policy.ignored = Ignored::parse(&file.path, text, &policy.ground);
        return None;
    }
    let mut note = |text: &str| {
        policy.notes.push(Note { place: Place { path: file.path.clone(), line: None }, text: text.to_owned() });
    };
    // `permissions.json` may hold comments; the command-line agent's own file is plain JSON, and one that is not is put
    // aside and written anew (cursor.com/docs/reference/permissions, cursor.com/docs/cli/reference/configuration).
    let comments = file.path.ends_with("/permissions.json");
    let (value, strict) = match serde_json::from_str::<Value>(text) {
        Ok(value) => (Some(value), true),
        // JSON that the agent may read and that cannot be held here, or is nested deeper than it has reason to be.
        Err(_) if serde_json::from_str::<IgnoredAny>(text).is_ok() || deep(text) => {
            note("it is nested too deep or holds what is not understood here, so it may say anything");
            policy.unread.push((file.path.clone(), GapReason::Malformed));
            return None;
        }
        Err(_) => {
            let value = jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default());
            (value.ok().flatten(), false)
        }
    };
    let Some(value) = value.filter(Value::is_object) else {
        note("it is not JSON, so nothing in it counts");
        return None;
    };
    let lists = ["terminalAllowlist", "mcpAllowlist"].map(|key| value.get(key));
    let rules = ["allow", "deny"].map(|key| value.get("permissions").and_then(|rules| rules.get(key)));
    let listed = lists.into_iter().chain(rules).flatten().filter_map(Value::as_array);
    if listed.map(Vec::len).sum::<usize>() > MOST_RULES {
        note("it holds more rules than are weighed, so it may say anything");
        policy.unread.push((file.path.clone(), GapReason::TooLarge));
        return None;
    }
    if !strict && !comments {
        note(
            "it is not strict JSON (comments or trailing commas), so the agent may put it aside with every rule in it",
        );
    }
    // A managed file that the user may write is the user's.
    let level = if file.level == Level::Managed && file.writable { Level::User } else { file.level };
    Some(Settings { level, path: file.path.clone(), text: text.to_owned(), value, certain: strict || comments })
}

/// The editor: lists of what runs unasked, and the sandbox. The run mode itself is in no file that is read.
fn editor(read: &[Settings], policy: &mut CursorPolicy) {
    for file in read.iter().filter(|file| file.named("permissions.json")) {
        for (key, tool) in [("terminalAllowlist", Tool::Shell), ("mcpAllowlist", Tool::Mcp)] {
            for spec in file.list(key) {
                policy.entries.push(Entry {
                    effect: Effect::Allow,
                    tool,
                    spec: spec.to_owned(),
                    text: entry_shown(tool, spec),
                    place: file.place(key, spec),
                    level: file.level,
                    // A file in the project counts in newer versions only.
                    sure: file.certain && file.level == Level::User,
                });
            }
        }
    }
    // The project's file has the word over the user's (cursor.com/docs/reference/sandbox).
    let kinds = |level| {
        let here = read.iter().find(|file| file.named("sandbox.json") && file.level == level);
        here.and_then(|file| file.word("type").map(str::to_owned))
    };
    let kind = kinds(Level::Project).or_else(|| kinds(Level::User));
    policy.unboxed = kind.as_deref() == Some("insecure_none") && policy.unread.is_empty();
}

/// The command-line agent: rules of both effects, and the mode.
fn terminal(read: &[Settings], policy: &mut CursorPolicy) {
    // Whether the project's rules are added to the user's or take their place is not documented.
    let project = read.iter().any(|file| file.named("cli.json") && file.get("permissions").is_some());
    for file in read.iter().filter(|file| file.named("cli-config.json") || file.named("cli.json")) {
        let sure = file.certain && file.named("cli-config.json") && !project;
        for (key, effect) in [("deny", Effect::Deny), ("allow", Effect::Allow)] {
            for text in file.list(&format!("permissions.{key}")) {
                let place = file.place(key, text);
                match entry(text) {
                    Some((tool, spec)) => policy.entries.push(Entry {
                        effect,
                        tool,
                        text: entry_shown(tool, &spec),
                        spec,
                        place,
                        level: file.level,
                        sure,
                    }),
                    None => policy.notes.push(Note { place, text: "a rule in it is of no known kind".to_owned() }),
                }
            }
        }
    }
    let Some(config) = read.iter().find(|file| file.named("cli-config.json") && file.certain) else { return };
    policy.unboxed = config.word("sandbox.mode") == Some("disabled");
    let Some(written) = config.word("approvalMode") else { return };
    let place = Some(config.place("approvalMode", written));
    let known = |decision| Mode { worst: decision, best: decision, place: place.clone() };
    match written {
        "unrestricted" => {
            policy.shell = known(Decision::Allow);
            policy.others = known(Decision::Allow);
        }
        "allowlist" => {
            policy.others = known(Decision::Ask);
            // In a sandbox commands run unasked.
            policy.shell =
                Mode { worst: if policy.unboxed { Decision::Ask } else { Decision::Allow }, ..known(Decision::Ask) };
        }
        _ => {
            policy.shell.place.clone_from(&place);
            policy.others.place = place;
        }
    }
}

/// `Tool(pattern)` (cursor.com/docs/cli/reference/permissions).
fn entry(text: &str) -> Option<(Tool, String)> {
    let (tool, rest) = text.trim().split_once('(')?;
    let spec = rest.strip_suffix(')')?;
    let tool = match tool {
        "Shell" => Tool::Shell,
        "Read" => Tool::Read,
        "Write" => Tool::Write,
        "WebFetch" => Tool::Fetch,
        "Mcp" => Tool::Mcp,
        _ => return None,
    };
    (!spec.is_empty()).then(|| (tool, spec.to_owned()))
}

fn entry_shown(tool: Tool, spec: &str) -> String {
    // The shell's rules are shown by the same care as those of any other agent, under the name that Cursor has for it.
    match tool {
        Tool::Shell => shown(&format!("Bash({spec})")).replacen("Bash", "Shell", 1),
        Tool::Read => shown(&format!("Read({spec})")),
        Tool::Write => shown(&format!("Write({spec})")),
        Tool::Fetch => shown(&format!("WebFetch({spec})")),
        Tool::Mcp => shown(&format!("Mcp({spec})")),
    }
}

fn hooks(file: &Settings, policy: &mut CursorPolicy) {
    for event in EVENTS {
        let entries = file.get("hooks").and_then(|hooks| hooks.get(event)).and_then(Value::as_array);
        let Some(entries) = entries.filter(|entries| !entries.is_empty()) else { continue };
        let place = file.place("hooks", event);
        let open = entries.iter().any(|entry| entry.get("failClosed").and_then(Value::as_bool) != Some(true));
        if open {
            let text = format!("the `{event}` hook lets calls through when it fails, unless it sets `failClosed`");
            policy.notes.push(Note { place: place.clone(), text });
        }
        policy.hooks.push(Hook { event: event.to_owned(), place, level: file.level, open });
    }
}
