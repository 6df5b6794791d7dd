//! The gates of Roo Code, in an editor and in a terminal (floor 2).
//!
//! They follow the source of RooCodeInc/Roo-Code at cb836567 (April 2026; extension 3.52.1): `src/core/auto-approval`,
//! `src/core/webview/ClineProvider.ts`, `src/core/ignore` and `apps/cli/src/agent/extension-host.ts`. In an editor its
//! switches and its own lists of commands are kept in a database that is not read, and settings add to those lists: where
//! there is one, what it does with a command is not known; nor is it where there is none, as a window in a browser keeps
//! them there. In a terminal everything runs unless it is started so that a person is asked. `.rooignore` binds the tools
//! for files; a shell command reads what it hides.

mod decide;

use crate::fact::{Fact, GapReason};
use crate::gate::ignore::Ignored;
use crate::gate::tree::{self, Item};
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Roo Code in an editor.
#[derive(Clone, Copy, Debug)]
pub struct Roo;

/// The gate of Roo Code in a terminal.
#[derive(Clone, Copy, Debug)]
pub struct RooCli;

impl AgentGate for Roo {
    fn id(&self) -> &'static str {
        "roo-code"
    }

    fn agent(&self) -> Agent {
        Agent::RooCode
    }

    fn name(&self) -> &'static str {
        "Roo Code"
    }

    fn files(&self) -> &'static [GateFile] {
        &EDITOR
    }

    fn serves(&self, file: &str) -> bool {
        serves(file)
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(parse(files, ground, Kind::Editor))
    }
}

impl AgentGate for RooCli {
    fn id(&self) -> &'static str {
        "roo-cli"
    }

    fn agent(&self) -> Agent {
        Agent::RooCode
    }

    fn name(&self) -> &'static str {
        "Roo Code CLI"
    }

    fn files(&self) -> &'static [GateFile] {
        &TERMINAL
    }

    fn serves(&self, file: &str) -> bool {
        serves(file)
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(parse(files, ground, Kind::Terminal))
    }
}

fn serves(file: &str) -> bool {
    file.ends_with(".roo/mcp.json") || file.ends_with("rooveterinaryinc.roo-cline/settings/mcp_settings.json")
}

const EDITOR: [GateFile; 4] = [
    GateFile { name: "user", level: Level::User, path: "~/.config/Code/User/settings.json" },
    GateFile { name: "folder", level: Level::Project, path: ".vscode/settings.json" },
    GateFile { name: "ignore", level: Level::Project, path: ".rooignore" },
    GateFile { name: "state", level: Level::State, path: "~/.config/Code/User/globalStorage/state.vscdb" },
];

const TERMINAL: [GateFile; 4] = [
    GateFile { name: "tools", level: Level::Project, path: ".roo/tools" },
    GateFile { name: "settings", level: Level::User, path: "~/.roo/cli-settings.json" },
    GateFile { name: "ignore", level: Level::Project, path: ".rooignore" },
    GateFile { name: "started", level: Level::User, path: "--started-as" },
];

/// In what it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Editor,
    Terminal,
}

/// A setting that counts once its switches are on, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    place: Place,
    level: Level,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct RooPolicy {
    kind: Kind,
    ground: Ground,
    /// Where commands are listed to be refused, and to run.
    denied: Option<Listed>,
    allowed: Option<Listed>,
    /// Where it is said that settings are brought in as it starts, which may switch anything on.
    imports: Option<Listed>,
    ignored: Ignored,
    /// Where its switches are kept, which is not read.
    state: Option<String>,
    /// Where it was said that a person is asked.
    asks: Option<Place>,
    /// A folder of tools, which run unasked.
    tools: Option<Place>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

/// Reads all files. What cannot be understood may say anything.
fn parse(files: &[FileText], ground: &Ground, kind: Kind) -> RooPolicy {
    let mut policy = RooPolicy {
        kind,
        ground: ground.clone(),
        denied: None,
        allowed: None,
        imports: None,
        ignored: Ignored::default(),
        state: None,
        asks: None,
        tools: None,
        unread: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    for file in files {
        if file.path.ends_with(".vscdb") {
            policy.state.get_or_insert_with(|| file.path.clone());
            continue;
        }
        if file.path.ends_with(".roo/tools") {
            policy.tools.get_or_insert_with(|| Place { path: file.path.clone(), line: None });
            continue;
        }
        let text = match &file.text {
            Fact::Known(text) => text,
            Fact::Unknown(gap) => {
                policy.unread.push((file.path.clone(), gap.reason));
                continue;
            }
        };
        policy.files.push(file.path.clone());
        if file.path.ends_with(".rooignore") {
            policy.ignored = Ignored::parse(&file.path, text, ground);
            continue;
        }
        let root = tree::json(text, true).filter(|root| root.table().is_some());
        let Some(root) = root.filter(|root| !nested(root)) else {
            if !text.trim().is_empty() {
                policy.unread.push((file.path.clone(), GapReason::Malformed));
                let place = Place { path: file.path.clone(), line: None };
                policy.notes.push(Note { place, text: "it is not understood, so it may say anything".to_owned() });
            }
            continue;
        };
        let listed =
            |item: &Item| Listed { place: Place { path: file.path.clone(), line: Some(item.line) }, level: file.level };
        let some = |item: &&Item| item.list().is_none_or(|list| !list.is_empty());
        let get = |key: &str| root.get(&[key]).filter(some).map(listed);
        policy.denied = policy.denied.or_else(|| get("roo-cline.deniedCommands"));
        policy.allowed = policy.allowed.or_else(|| get("roo-cline.allowedCommands"));
        policy.imports = policy.imports.or_else(|| get("roo-cline.autoImportSettingsPath"));
        if kind == Kind::Terminal {
            match asks(&root, file.path == "--started-as") {
                Some(true) => policy.asks = Some(listed(&root).place),
                Some(false) => {}
                None => policy.unread.push((file.path.clone(), GapReason::Malformed)),
            }
        }
    }
    policy
}

/// Whether a person is to be asked, by a name or by one that was there before; nothing if that is not understood.
fn asks(root: &Item, started: bool) -> Option<bool> {
    let flag = |key: &str| root.get(&[key]).map(|item| item.flag());
    match (flag("requireApproval"), flag("dangerouslySkipPermissions")) {
        (Some(asks), _) => asks,
        (None, Some(skips)) => skips.map(|skips| !skips),
        (None, None) if started => Some(root.get(&["require-approval"]).and_then(Item::flag) == Some(true)),
        (None, None) => Some(false),
    }
}

/// Whether settings stand within others, which may or may not count.
fn nested(root: &Item) -> bool {
    root.get(&["roo-cline"]).is_some_and(|item| item.table().is_some())
}

#[cfg(test)]
mod tests;
