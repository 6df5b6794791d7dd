//! MCP servers and the rules that name them (floor 2).

use super::Rule;
use crate::gate::pattern;
use crate::id::CredentialId;

/// A server that the session may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpServer {
    /// Its name in the settings.
    pub name: String,
    /// Its tools, if known.
    pub tools: Option<Vec<String>>,
    /// The credentials that it uses on the session's word.
    pub credentials: Vec<CredentialId>,
    /// The file that names it.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u64>,
}

/// The name of a tool as rules and hooks see it.
pub(super) fn name(server: &str, tool: &str) -> String {
    format!("mcp__{}__{tool}", plain(server))
}

/// A server's name as rules write it.
pub(super) fn plain(server: &str) -> String {
    server.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// Whether a rule covers a tool of a server.
pub(super) fn fits(rule: &Rule, server: &str, tool: &str) -> bool {
    let whole = format!("mcp__{}", plain(server));
    rule.spec.is_none() && (rule.tool == whole || pattern::matches(&rule.tool, &name(server, tool)))
}
