//! The gate of agent mode in Visual Studio Code, which is GitHub Copilot Chat (floor 2).
//!
//! It follows the program of Visual Studio Code 1.139.1 (September 2026; the package `code-server` 4.139.1 holds it), its
//! parts `chatAgentTools` and `languageModelToolsService`, the extension `copilot` in it, and code.visualstudio.com/docs
//! (agents/approvals, enterprise/ai-settings). A rule with `false` makes it ask and never refuses; a command of which
//! every part is listed runs, and much is listed by itself. A level at which everything runs may be set by any file, that of
//! the repository too. What was approved once and for all, which folders are trusted and which profile is open is kept in
//! databases that are not read: where there is one, an ask is not sure. That a notice is accepted once before rules count
//! is taken for done. Sessions on the agent host, and what GitHub's server says for an organisation, are not seen.

mod built_in;
mod decide;
mod files;
mod gated;
mod laid;
mod rules;
mod settings;

use crate::fact::GapReason;
use crate::gate::bounds::Odd;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of agent mode in Visual Studio Code.
#[derive(Clone, Copy, Debug)]
pub struct VsCode;

impl AgentGate for VsCode {
    fn id(&self) -> &'static str {
        "vscode"
    }

    fn agent(&self) -> Agent {
        Agent::VsCode
    }

    fn name(&self) -> &'static str {
        "VS Code agent mode"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        let user = ["/User/mcp.json", "/User/settings.json", "/Machine/mcp.json"];
        file.ends_with(".vscode/mcp.json")
            || user
                .iter()
                .any(|name| file.ends_with(name) && !file.contains("/Cursor/") && !file.contains("/Windsurf/"))
            || file.ends_with(".code-workspace")
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

const FILES: [GateFile; 11] = [
    GateFile { name: "user", level: Level::User, path: "~/.config/Code/User/settings.json" },
    GateFile { name: "profile", level: Level::User, path: "~/.config/Code/User/profiles/x/settings.json" },
    GateFile { name: "machine", level: Level::User, path: "~/.vscode-server/data/Machine/settings.json" },
    GateFile { name: "workspace", level: Level::Project, path: "x.code-workspace" },
    GateFile { name: "folder", level: Level::Project, path: ".vscode/settings.json" },
    GateFile { name: "tasks", level: Level::Project, path: ".vscode/tasks.json" },
    GateFile { name: "devcontainer", level: Level::Project, path: ".devcontainer/devcontainer.json" },
    GateFile { name: "hook", level: Level::Project, path: ".github/hooks/x.json" },
    GateFile { name: "managed", level: Level::Managed, path: "/etc/vscode/policy.json" },
    GateFile { name: "state", level: Level::State, path: "~/.config/Code/User/globalStorage/state.vscdb" },
    GateFile { name: "trusted", level: Level::State, path: "--trusted" },
];

/// All settings of one session, in each way in which its files may come together.
#[derive(Clone, Debug)]
struct VsCodePolicy {
    ground: Ground,
    ways: Vec<laid::Set>,
    odd: Vec<Odd>,
    /// Where approvals are kept that are not read.
    state: Option<String>,
    /// Files that were not read, with the reason.
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
    /// The first thing that may bring servers of its own.
    brings: Option<Place>,
    /// Whether an administrator's settings may be written by the user.
    loose: bool,
}

#[cfg(test)]
mod tests;
