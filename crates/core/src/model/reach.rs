//! What a session is, what it can read and by which ways it can call (floor 0).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rights::Atom;
use super::tally::Tally;
use crate::fact::{Fact, GapReason, Listed};
use crate::id::{CredentialId, NodeId, PrincipalId, SessionId, SourceId, WayId};
use crate::time::Time;

/// A question asked of the world, and what came back: where every fact and every gap comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Unique in the bundle.
    pub id: SourceId,
    /// The provider asked, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The call made or the file read: `rds:DescribeDBInstances`, `read ~/.aws/credentials`.
    pub operation: String,
    /// What it was asked of: an account and region, a folder, a project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Whether it answered.
    pub outcome: Outcome,
    /// When it was asked.
    pub at: Time,
    /// The run of the collector that asked, by the moment it ended; filled in from the bundle when it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Time>,
    /// A redacted excerpt of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// The place of the fact in what was read, as `path:line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The least that would answer the question: a permission to grant, a flag to give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle: Option<String>,
}

impl Source {
    /// A question that was not answered, with the least that would answer it.
    #[must_use]
    pub fn unanswered(id: SourceId, operation: &str, reason: GapReason, settle: &str, at: Time) -> Self {
        Self {
            id,
            provider: None,
            operation: operation.to_owned(),
            scope: None,
            outcome: Outcome::Not(reason),
            at,
            run: None,
            excerpt: None,
            place: None,
            settle: Some(settle.to_owned()),
        }
    }
}

/// Whether a source answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Outcome {
    /// It answered in full.
    Answered(Answered),
    /// It did not; this is why.
    Not(GapReason),
}

/// The one value of an outcome that is no gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// It answered in full.
    Answered,
}

/// The agents that are told apart. `plain` stands for any other program of this user: it has no gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Agent {
    /// Any program of this user.
    Plain,
    /// Claude Code.
    ClaudeCode,
    /// OpenAI Codex.
    Codex,
    /// Cursor.
    Cursor,
    /// Gemini CLI.
    GeminiCli,
    /// OpenCode.
    #[serde(rename = "opencode")]
    OpenCode,
    /// GitHub Copilot CLI.
    CopilotCli,
    /// Agent mode in Visual Studio Code.
    #[serde(rename = "vscode")]
    VsCode,
    /// Cline.
    Cline,
    /// Roo Code.
    RooCode,
    /// Crush.
    Crush,
    /// Qwen Code.
    QwenCode,
    /// Amazon Q Developer CLI.
    AmazonQ,
    /// Continue.
    Continue,
    /// goose, of Block.
    Goose,
    /// Zed's own agent.
    Zed,
    /// Aider.
    Aider,
    /// Kiro, its editor and its command-line agent.
    Kiro,
    /// Factory's Droid.
    FactoryDroid,
    /// Amp.
    Amp,
    /// Windsurf, whose agent is called Cascade.
    Windsurf,
    /// Warp, its terminal and its command-line agent.
    Warp,
    /// Junie, in JetBrains' editors and on the command line.
    Junie,
    /// A pipeline that acts without a person.
    Ci,
    /// A program in a repository that calls a model with tools.
    Program,
    /// Another agent, known by its session's name.
    Other,
}

/// One actor that can act without a person at the keyboard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Unique on its machine; behind the machine's name once bundles were merged.
    pub id: SessionId,
    /// Stable between runs: the agent and the configured name, never a host's.
    pub key: String,
    /// What it is called in the report.
    pub name: String,
    /// Which agent it is.
    pub agent: Agent,
    /// The machine it belongs to; filled in from the bundle when it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// The environment it is meant to touch, if someone declared one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folders it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<String>,
    /// Whether everything that it can read was read.
    pub reach: Fact<Listed>,
    /// Whether all its ways are listed.
    pub ways: Fact<Listed>,
    /// What its gate decides on the built-in corpus of destructive calls, if that was asked. No answer rests on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tally: Option<Tally>,
    /// Where this comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceId>,
}

/// By what kind of tool a call is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WayKind {
    /// Any program of the user, with nothing in between.
    Program,
    /// A shell in which anything may run, scripts among it.
    Shell,
    /// One command-line client with rules of its own.
    Cli,
    /// An infrastructure-as-code client.
    Iac,
    /// The agent's own tool for reading files.
    FileRead,
    /// The agent's own tool for writing files.
    FileWrite,
    /// The agent's own tool for fetching pages.
    Fetch,
    /// A tool of an MCP server.
    Mcp,
    /// A pipeline that acts on the session's word.
    Pipeline,
    /// A database client.
    Sql,
}

/// What a gate does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Refused without asking.
    Deny,
    /// A person is asked.
    Ask,
    /// A model decides; at its worst the same as allow.
    Reviewed,
    /// It runs.
    Allow,
}

/// What the code of an agent program sets before one of its tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Nothing.
    None,
    /// Something that does not cover it.
    Void,
    /// Something of which it is not plain whether it asks.
    Open,
    /// Something that is documented to wait for an answer. Whose answer that is, is not in the code.
    Asks,
}

/// How a session would issue calls. Gates see ways, not actions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Way {
    /// Unique on its machine.
    pub id: WayId,
    /// The session that has it; left out: any session that gets what it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// What kind of tool it is.
    pub kind: WayKind,
    /// What it is called in the report: `Bash`, `MCP server postgres`.
    pub name: String,
    /// The calls it can carry, as `provider/action` with `*` for any run of characters; `*` carries all.
    pub carries: Vec<String>,
    /// Whether it can show the session a file's contents.
    pub reads: bool,
    /// What the gate decides.
    pub decision: Fact<Decision>,
    /// Steps that turn a deny or an ask into an allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// Whether an operating-system sandbox keeps calls made this way from the network.
    pub contained: Fact<bool>,
    /// Steps that lead out of the sandbox.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escapes: Vec<Override>,
    /// Credentials that the holder of this way uses on the session's word (a deputy). Such a way carries calls for
    /// these and for `acts_as` alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<CredentialId>,
    /// Identities that the holder of this way acts as on the session's word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts_as: Vec<PrincipalId>,
    /// What the session must have to use it: a right to push, say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Atom>,
    /// Whether the gate is set by someone other than the session's own user (managed policy).
    pub managed: bool,
    /// The deciding rule, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why the gate decides so, in a sentence.
    pub because: String,
    /// What an agent program sets before this tool of its; left out for other ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Where this comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceId>,
}

/// A step that changes something and so gets past a gate, a refusal or a sandbox.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// What it takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Atom>,
    /// What is done, to stand after "it may": `edit .claude/settings.json`.
    pub because: String,
    /// Where this comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceId>,
}

/// Whether a credential still works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The provider accepts it, or a login that renews it lies beside it.
    Live,
    /// The provider itself says that it is revoked.
    Revoked,
}

/// Something a provider accepts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Unique in the bundle.
    pub id: CredentialId,
    /// Stable between runs.
    pub key: String,
    /// The provider that accepts it.
    pub provider: String,
    /// One of the provider's kinds of credential.
    pub kind: String,
    /// The public id that the provider gives it: an access key id, a user and host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_id: Option<String>,
    /// A fingerprint of its secret under a key that the user holds, where there is no public id: the same on every machine
    /// that was read with that key. 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// When it ends, or ended, by its own account: what its file or the token itself says. That alone revokes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// Whether it still works.
    pub status: Fact<Status>,
    /// Who it authenticates as.
    pub identity: Fact<PrincipalId>,
    /// What it acts on, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The part of the provider's tree that it is known not to leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<NodeId>,
    /// The environment it belongs to, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Where it was found.
    pub locations: Vec<Location>,
    /// Where this comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceId>,
}

/// A place where a credential lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// `file`, `environment`, `process`, `network`, `deputy`, …
    pub kind: String,
    /// The file, with the home folder as `~`; the variable's owner; the host.
    pub path: String,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The name it has there: a variable, a key, a profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The sessions whose folders, home or environment hold this place.
    pub sessions: Vec<SessionId>,
    /// Ways by which the session is refused this place. A way of its session that reads and is not named here reads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
}

/// A way that does not show a place to the session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The way.
    pub way: WayId,
    /// The rule that refuses, and where it stands.
    pub because: String,
    /// Steps that lift the refusal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}
