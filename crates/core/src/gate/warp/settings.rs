//! Reads the files (floor 2).

use regex::RegexBuilder;

use super::{Asks, Listed, Profile, Program, SETTINGS, Said, WarpPolicy};
use crate::fact::{Fact, GapReason};
use crate::gate::tree::{self, Item};
use crate::gate::{FileText, Ground, Level, MOST_RULES, Note, Place};

/// How large an expression may become, and how long it may be.
const LARGEST: usize = 1 << 20;
const LONGEST: usize = 512;

/// The most that the expressions of one list hold together, in bytes: each is held against every command.
const LONGEST_LIST: usize = 8 << 10;

/// Reads all files. What cannot be understood may say anything.
pub(super) fn parse(files: &[FileText], ground: &Ground) -> WarpPolicy {
    let mut policy = WarpPolicy {
        ground: ground.clone(),
        profiles: Vec::new(),
        programs: vec![Program::Terminal],
        all: None,
        named: None,
        own: vec![SETTINGS.to_owned()],
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    let mut started = None;
    for file in files {
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => {
                policy.unread.push((file.path.clone(), gap.reason));
                continue;
            }
        };
        policy.files.push(file.path.clone());
        let read = if file.level == Level::Local {
            tree::json(text, true).and_then(|root| policy.typed(&root, file)).map(|program| started = Some(program))
        } else {
            let program = if of_cli(&file.path) { Program::Cli } else { Program::Terminal };
            if !policy.programs.contains(&program) {
                policy.programs.push(program);
            }
            if !policy.own.contains(&file.path) {
                policy.own.push(file.path.clone());
            }
            tree::toml(text).and_then(|root| policy.file(&root, file, program))
        };
        if read.is_none() {
            policy.unread.push((file.path.clone(), GapReason::Malformed));
            let place = Place { path: file.path.clone(), line: None };
            policy.notes.push(Note { place, text: "it is not understood, so it may say anything".to_owned() });
        }
    }
    policy.programs = started.map_or(policy.programs, |program| vec![program]);
    policy
}

/// Whether a file is that of the command line: it has a folder of its own.
fn of_cli(path: &str) -> bool {
    path.ends_with("/cli/settings.toml") || path.contains("_cli/")
}

fn asks(word: &str) -> Option<Asks> {
    Some(match word {
        "always_ask" => Asks::Always,
        "agent_decides" => Asks::AgentDecides,
        "always_allow" => Asks::Never,
        _ => return None,
    })
}

impl WarpPolicy {
    /// What was typed: which program it is, and what that was told.
    fn typed(&mut self, root: &Item, file: &FileText) -> Option<Program> {
        let place = Place { path: file.path.clone(), line: None };
        let is = |name: &str| root.get(&[name]).and_then(Item::flag) == Some(true);
        self.all = is("all").then(|| place.clone());
        self.named = is("named").then_some(place);
        Some(match root.get(&["program"])?.text()? {
            "cli" => Program::Cli,
            "oz" => Program::Oz,
            _ => Program::Terminal,
        })
    }

    fn file(&mut self, root: &Item, file: &FileText, program: Program) -> Option<()> {
        let Some(all) = root.get(&["agents", "execution_profiles"]) else { return Some(()) };
        for item in all.table()?.values() {
            let profile = profile(item, file, program)?;
            self.profiles.push(profile);
        }
        let lists = |profile: &Profile| profile.allowed.len() + profile.denied.as_ref().map_or(0, Vec::len);
        (self.profiles.iter().map(lists).sum::<usize>() <= MOST_RULES).then_some(())
    }
}

fn profile(item: &Item, file: &FileText, program: Program) -> Option<Profile> {
    let at = |item: &Item| Place { path: file.path.clone(), line: Some(item.line) };
    let set = |name: &str, default: Asks| -> Option<Said<Asks>> {
        let Some(found) = item.get(&[name]) else { return Some(Said { value: default, place: at(item) }) };
        Some(Said { value: asks(found.text()?)?, place: at(found) })
    };
    let list = |name: &str| -> Option<Option<Vec<Listed>>> {
        let Some(found) = item.get(&[name]) else { return Some(None) };
        let one = |item: &Item| {
            let text = item.text().filter(|text| text.len() <= LONGEST)?;
            // It is held against a whole command, and anchored in just this way.
            let expression = RegexBuilder::new(&format!("^{text}$")).size_limit(LARGEST).build().ok()?;
            Some(Listed { text: text.to_owned(), expression, place: at(item) })
        };
        let all = found.list()?;
        let whole: usize = all.iter().filter_map(Item::text).map(str::len).sum();
        if whole > LONGEST_LIST {
            return None;
        }
        Some(Some(all.iter().map(one).collect::<Option<Vec<Listed>>>()?))
    };
    let names =
        |name: &str| -> Option<bool> { item.get(&[name]).map_or(Some(false), |all| Some(!all.list()?.is_empty())) };
    item.table()?;
    // What a profile leaves out is asked about; on the command line the agent decides (`agents/cli/permissions-and-profiles`).
    let unset = if program == Program::Cli { Asks::AgentDecides } else { Asks::Always };
    Some(Profile {
        program,
        commands: set("execute_commands", unset)?,
        edits: set("apply_code_diffs", Asks::AgentDecides)?,
        reads: set("read_files", Asks::AgentDecides)?,
        servers: set("mcp_permissions", Asks::AgentDecides)?,
        allowed: list("command_allowlist")?.unwrap_or_default(),
        denied: list("command_denylist")?,
        folders: names("directory_allowlist")?,
        servers_let: names("mcp_allowlist")?,
        servers_asked: names("mcp_denylist")?,
    })
}
