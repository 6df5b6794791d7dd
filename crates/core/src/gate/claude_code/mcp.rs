//! The names of MCP tools, and the rules that name them (floor 2).

use super::Rule;
use crate::gate::desk::plain;
use crate::gate::pattern;

/// The name of a tool as rules and hooks see it.
pub(super) fn name(server: &str, tool: &str) -> String {
    format!("mcp__{}__{tool}", plain(server))
}

/// Whether a rule covers a tool of a server.
pub(super) fn fits(rule: &Rule, server: &str, tool: &str) -> bool {
    let whole = format!("mcp__{}", plain(server));
    rule.spec.is_none() && (rule.tool == whole || pattern::matches(&rule.tool, &name(server, tool)))
}
