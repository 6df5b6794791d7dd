//! Reads settings files and merges them (floor 2).

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{ClaudePolicy, Event, Hook, Locks, Mode, Rule, Sandbox, Start, Unread, definition};
use crate::fact::{Fact, GapReason};
use crate::gate::shown::shown;
use crate::gate::{Effect, FileText, Ground, Level, MOST_RULES, Note, Place};

/// One settings file that could be understood.
pub(super) struct Settings {
    pub(super) level: Level,
    pub(super) path: String,
    pub(super) writable: bool,
    pub(super) text: String,
    pub(super) value: Value,
    /// Whether the agent is sure to read it as we do.
    pub(super) certain: bool,
}

impl Settings {
    /// The value at `a.b.c`.
    pub(super) fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.value, |value, key| value.get(key))
    }

    fn is(&self, path: &str, wanted: &Value) -> bool {
        self.certain && self.get(path) == Some(wanted)
    }

    /// The strings of the list at `path`.
    pub(super) fn list(&self, path: &str) -> Vec<&str> {
        self.get(path).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Where `what` stands, after `key` if that is there.
    pub(super) fn place(&self, key: &str, what: &str) -> Place {
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let after = self.text.find(&quoted(key)).unwrap_or(0);
        let found = self.text.get(after..).and_then(|rest| rest.find(&quoted(what))).map(|at| at + after);
        let at = found.or_else(|| self.text.find(&quoted(what)));
        let line = at.and_then(|at| self.text.get(..at)).map(|before| before.matches('\n').count() as u64 + 1);
        Place { path: self.path.clone(), line }
    }

    /// Whether an administrator's word, which the user cannot take back.
    pub(super) fn binds(&self) -> bool {
        self.level == Level::Managed && self.certain && !self.writable
    }
}

/// Merges what the settings files say. What cannot be understood says nothing, and a note tells so.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> ClaudePolicy {
    let mut policy = ClaudePolicy { ground: ground.clone(), ..ClaudePolicy::default() };
    let mut read: Vec<Settings> = files.iter().filter_map(|file| understand(file, &mut policy)).collect();
    read.sort_by_key(|file| std::cmp::Reverse(file.level));
    let trusted = trusted(&read, &ground.root);
    let settings: Vec<&Settings> = read.iter().filter(|file| file.level != Level::State).collect();
    let disabled = Value::from("disable");
    policy.no_bypass = settings.iter().any(|f| f.is("permissions.disableBypassPermissionsMode", &disabled));
    policy.no_auto =
        settings.iter().any(|f| f.is("disableAutoMode", &disabled) || f.is("permissions.disableAutoMode", &disabled));
    policy.starts = starts(&settings, policy.no_bypass, policy.no_auto);
    policy.locks = locks(&settings, &policy);
    for file in &settings {
        let only_managed = settings.iter().any(|f| sets(f, "allowManagedPermissionRulesOnly"));
        if only_managed && file.level != Level::Managed {
            continue;
        }
        rules(file, trusted, &mut policy);
        let waits = matches!(file.level, Level::Project | Level::Local) && trusted != Some(true);
        let folders = file.list("permissions.additionalDirectories").into_iter();
        policy.folders.extend(folders.map(|folder| (folder.to_owned(), file.certain && !waits)));
    }
    hooks(&settings, &mut policy);
    policy.plugin = settings.iter().find_map(|file| {
        let mut on = plugins(file);
        on.next().map(|name| file.place("enabledPlugins", name))
    });
    policy.sandbox = Sandbox::merge(&settings, &policy.unread);
    policy.notes.extend(policy.sandbox.note());
    for file in &settings {
        for server in file.list("disabledMcpjsonServers") {
            let place = file.place("disabledMcpjsonServers", server);
            policy.disabled_servers.push((server.to_owned(), place, effective(file)));
        }
    }
    policy
}

/// The level that a file's word really has: a managed file that the user may write is the user's.
fn effective(file: &Settings) -> Level {
    if file.level == Level::Managed && !file.writable { Level::Managed } else { file.level.min(Level::Local) }
}

fn sets(file: &Settings, key: &str) -> bool {
    file.level == Level::Managed && file.is(key, &Value::Bool(true))
}

fn understand(file: &FileText, policy: &mut ClaudePolicy) -> Option<Settings> {
    let text = match &file.text {
        Fact::Known(text) => text,
        Fact::Unknown(gap) => {
            policy.unread.push(Unread { path: file.path.clone(), level: file.level, reason: gap.reason });
            return None;
        }
    };
    if file.path.ends_with(".md") {
        policy.hooks.extend(definition::read(file, text));
        return None;
    }
    // Whether the agent takes a byte order mark is not documented; a JSON parser does not.
    let (text, marked) = (text.trim_start_matches('\u{feff}').to_owned(), text.starts_with('\u{feff}'));
    let place = Place { path: file.path.clone(), line: None };
    let note = |text: &str| Note { place: place.clone(), text: text.to_owned() };
    let (value, strict) = match serde_json::from_str::<Value>(&text) {
        Ok(value) => (Some(value), !marked),
        // JSON that the agent may read and that cannot be held here: nested too deep, a half of a character, a number
        // too large. The second parser goes as deep as it is led, so it is not led far.
        Err(_) if serde_json::from_str::<IgnoredAny>(&text).is_ok() || deep(&text) => {
            policy
                .notes
                .push(note("it is nested too deep or holds what is not understood here, so it may say anything"));
            let (path, reason) = (file.path.clone(), GapReason::Malformed);
            policy.unread.push(Unread { path, level: file.level, reason });
            return None;
        }
        Err(_) => {
            (jsonc_parser::parse_to_serde_value(&text, &jsonc_parser::ParseOptions::default()).ok().flatten(), false)
        }
    };
    let Some(value) = value.filter(Value::is_object) else {
        policy.notes.push(note("it is not JSON, so the agent skips it with every rule in it"));
        return None;
    };
    if ["allow", "ask", "deny"].iter().map(|key| rules_of(&value, key)).sum::<usize>() > MOST_RULES {
        policy.notes.push(note("it holds more rules than are weighed, so it may say anything"));
        let (path, reason) = (file.path.clone(), GapReason::TooLarge);
        policy.unread.push(Unread { path, level: file.level, reason });
        return None;
    }
    let shaped = shaped(&value);
    if !strict {
        policy
            .notes
            .push(note("it is not strict JSON (comments or trailing commas), so the agent may skip every rule in it"));
    } else if !shaped {
        policy.notes.push(note("a setting in it is not of the kind that it should be, so the agent may skip the file"));
    }
    policy.files.push((file.path.clone(), file.level));
    let certain = strict && shaped;
    Some(Settings { level: file.level, path: file.path.clone(), writable: file.writable, text, value, certain })
}

/// How many rules of one effect a file holds.
fn rules_of(value: &Value, effect: &str) -> usize {
    value.get("permissions").and_then(|rules| rules.get(effect)).and_then(Value::as_array).map_or(0, Vec::len)
}

/// Whether a text is nested deeper than a settings file has reason to be.
fn deep(text: &str) -> bool {
    text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count() > 300
}

/// Whether the settings that matter here are of the kind that they should be. That one that is not costs the agent only
/// that one is not documented.
fn shaped(value: &Value) -> bool {
    let of = |path: &str, fits: fn(&Value) -> bool| {
        path.split('.').try_fold(value, |value, key| value.get(key)).is_none_or(fits)
    };
    let strings = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
    let lists = ["permissions.allow", "permissions.ask", "permissions.deny", "permissions.additionalDirectories"];
    let objects = ["permissions", "hooks", "sandbox", "env", "enabledPlugins"];
    lists.iter().all(|path| of(path, strings))
        && objects.iter().all(|path| of(path, Value::is_object))
        && of("permissions.defaultMode", Value::is_string)
        && of("hooks", |hooks| hooks.as_object().is_none_or(|events| events.values().all(Value::is_array)))
}

/// Whether the user has said that the folder is trusted; none if that was not read.
fn trusted(read: &[Settings], root: &str) -> Option<bool> {
    let state = read.iter().find(|file| file.level == Level::State)?;
    let project = state.value.get("projects").and_then(|projects| projects.get(root));
    Some(project.and_then(|p| p.get("hasTrustDialogAccepted")).and_then(Value::as_bool).unwrap_or(false))
}

fn starts(settings: &[&Settings], no_bypass: bool, no_auto: bool) -> Vec<Start> {
    let mut starts = Vec::new();
    for file in settings {
        let Some(written) = file.get("permissions.defaultMode").and_then(Value::as_str) else { continue };
        let start =
            |mode| Start { mode, place: Some(file.place("defaultMode", written)), level: Some(effective(file)) };
        let mode = match written {
            "default" | "manual" => Mode::Default,
            "acceptEdits" => Mode::AcceptEdits,
            "plan" => Mode::Plan,
            "auto" if matches!(file.level, Level::Project | Level::Local) => continue,
            "auto" if no_auto => Mode::Default,
            "auto" => Mode::Auto,
            "dontAsk" => Mode::DontAsk,
            "bypassPermissions" if no_bypass => Mode::Default,
            "bypassPermissions" => Mode::Bypass,
            _ => {
                // A mode that this version does not know may be anything.
                if !no_bypass {
                    starts.push(start(Mode::Bypass));
                }
                continue;
            }
        };
        starts.push(start(mode));
        if file.certain {
            return starts;
        }
    }
    starts.push(Start { mode: Mode::Default, place: None, level: None });
    if !no_auto {
        starts.push(Start { mode: Mode::Auto, place: None, level: None });
    }
    starts
}

fn locks(settings: &[&Settings], policy: &ClaudePolicy) -> Locks {
    let binding: Vec<&&Settings> = settings.iter().filter(|file| file.binds()).collect();
    let has = |key: &str, wanted: Value| binding.iter().any(|file| file.get(key) == Some(&wanted));
    let disabled = || Value::from("disable");
    let mode = policy.starts.iter().all(|start| start.level == Some(Level::Managed))
        && has("permissions.disableBypassPermissionsMode", disabled())
        && (has("disableAutoMode", disabled()) || has("permissions.disableAutoMode", disabled()));
    Locks {
        rules: has("allowManagedPermissionRulesOnly", true.into()),
        hooks: has("allowManagedHooksOnly", true.into()) || has("disableAllHooks", true.into()),
        mode,
        sandbox: has("sandbox.autoAllowBashIfSandboxed", false.into()) || has("sandbox.enabled", false.into()),
    }
}

fn rules(file: &Settings, trusted: Option<bool>, policy: &mut ClaudePolicy) {
    for (key, effect) in [("deny", Effect::Deny), ("ask", Effect::Ask), ("allow", Effect::Allow)] {
        for text in file.list(&format!("permissions.{key}")) {
            let place = file.place(key, text);
            let waits =
                effect == Effect::Allow && matches!(file.level, Level::Project | Level::Local) && trusted != Some(true);
            match split_rule(text) {
                Some((tool, spec)) if heard(&tool, spec.as_deref(), effect) => policy.rules.push(Rule {
                    effect,
                    tool,
                    spec,
                    text: shown(text),
                    place,
                    level: effective(file),
                    certain: file.certain && !waits,
                }),
                Some(_) | None => {
                    let text = format!("the rule `{}` is never consulted", shown(text));
                    policy.notes.push(Note { place, text });
                }
            }
        }
    }
}

/// `Tool` or `Tool(spec)`.
fn split_rule(text: &str) -> Option<(String, Option<String>)> {
    let text = text.trim();
    let Some((tool, rest)) = text.split_once('(') else {
        return (!text.is_empty() && !text.contains(')')).then(|| (text.to_owned(), None));
    };
    let spec = rest.strip_suffix(')')?;
    (!tool.is_empty()).then(|| (tool.to_owned(), (!matches!(spec, "" | "*")).then(|| spec.to_owned())))
}

/// Whether the agent looks at such a rule at all.
fn heard(tool: &str, spec: Option<&str>, effect: Effect) -> bool {
    let globbed = tool.contains('*');
    match (tool, spec) {
        ("Write" | "Glob" | "Grep" | "NotebookEdit" | "MultiEdit", Some(_)) => false,
        ("Bash", Some(spec)) => !spec.starts_with("command:"),
        // In `allow` a wildcard needs a literal server in front of it.
        _ if globbed && effect == Effect::Allow => tool
            .strip_prefix("mcp__")
            .and_then(|rest| rest.split_once("__"))
            .is_some_and(|(server, _)| !server.is_empty() && !server.contains('*')),
        _ => true,
    }
}

/// The plugins that a file switches on.
fn plugins(file: &Settings) -> impl Iterator<Item = &str> {
    let named = file.get("enabledPlugins").and_then(Value::as_object).into_iter().flatten();
    named.filter(|(_, on)| **on != Value::Bool(false)).map(|(name, _)| name.as_str())
}

fn hooks(settings: &[&Settings], policy: &mut ClaudePolicy) {
    let only_managed = settings.iter().any(|f| sets(f, "allowManagedHooksOnly"));
    let off = settings.iter().any(|f| f.is("disableAllHooks", &Value::Bool(true)));
    let all_off = settings.iter().any(|f| sets(f, "disableAllHooks"));
    for file in settings {
        if all_off || (file.level != Level::Managed && (only_managed || off)) {
            continue;
        }
        for (key, event) in [("PreToolUse", Event::BeforeUse), ("PermissionRequest", Event::OnPrompt)] {
            for entry in file.get(&format!("hooks.{key}")).and_then(Value::as_array).into_iter().flatten() {
                let matcher = entry.get("matcher").and_then(Value::as_str).map(str::to_owned);
                let empty = entry.get("hooks").and_then(Value::as_array).is_some_and(Vec::is_empty);
                if !empty {
                    let place = file.place(key, matcher.as_deref().unwrap_or(key));
                    let told = |hook: &Value| hook.get("onFailure").and_then(Value::as_str) == Some("block");
                    let all = entry.get("hooks").and_then(Value::as_array);
                    let holds = all.is_some_and(|hooks| hooks.iter().all(told));
                    policy.hooks.push(Hook { event, matcher, place, level: effective(file), holds });
                }
            }
        }
        // A plugin brings hooks, skills and subagents of its own, which are not read.
        for name in plugins(file) {
            for event in [Event::BeforeUse, Event::OnPrompt, Event::Definition] {
                let place = file.place("enabledPlugins", name);
                policy.hooks.push(Hook { event, matcher: None, place, level: effective(file), holds: false });
            }
        }
    }
    // What a file of the user or the project defines may bring hooks, unless these are off.
    if all_off || only_managed || off {
        let own = |hook: &Hook| hook.place.path.ends_with(".md") && hook.event != Event::Definition;
        policy.hooks.retain(|hook| !own(hook));
    }
}
