//! What is pasted to make a change: a policy, a setting, a command (floor 3).

use std::collections::BTreeSet;

use crate::fact::Fact;
use crate::model::{Agent, Credential};
use crate::world::World;

/// How a credential is switched off.
pub(super) fn revoke(world: &World, credential: &Credential) -> Option<String> {
    let id = credential.public_id.as_deref()?;
    if credential.provider != "aws" || credential.kind != "access_key" {
        return None;
    }
    let Fact::Known(identity) = &credential.identity else { return None };
    let arn = world.principals.get(identity).map_or(identity.as_str(), |principal| principal.id.as_str());
    // A user's ARN may have a path before the name (docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
    let user = arn.split_once(":user/").map(|(_, path)| quoted(path.rsplit('/').next().unwrap_or(path)))?;
    let id = quoted(id);
    Some(format!(
        "aws iam update-access-key --user-name {user} --access-key-id {id} --status Inactive\n\
         aws iam delete-access-key --user-name {user} --access-key-id {id}   # once nothing has missed it"
    ))
}

/// A policy that takes the right to destroy away.
pub(super) fn deny(world: &World, provider: &str, name: &str, denied: &BTreeSet<String>) -> Option<String> {
    match provider {
        "aws" => {
            let service = |action: &str| action.split_once(':').map(|(service, _)| service.to_owned());
            let elsewhere = world.actions.iter().filter(|action| action.provider != "aws");
            let elsewhere: BTreeSet<String> = elsewhere.filter_map(|action| service(&action.action)).collect();
            let own = denied.iter().filter(|action| service(action).is_some_and(|own| !elsewhere.contains(&own)));
            let actions: Vec<&String> = own.collect();
            if actions.is_empty() {
                return None;
            }
            let statement = serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [{ "Sid": "NoDestruction", "Effect": "Deny", "Action": actions, "Resource": "*" }],
            });
            serde_json::to_string_pretty(&statement).ok()
        }
        "postgres" if !denied.is_empty() => Some(format!(
            "-- as the owner, for the login {name}:\nALTER ROLE \"{}\" NOSUPERUSER NOCREATEROLE NOCREATEDB;\nREVOKE DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public FROM \"{0}\";\n-- and make another role the owner of the tables, schemas and database: owners may always drop them",
            login(name)
        )),
        _ => None,
    }
}

fn login(name: &str) -> String {
    name.split('@').next().unwrap_or(name).replace('"', "\"\"")
}

/// How a provider's protection is switched on.
pub(super) fn protect(provider: &str, kind: &str, name: &str) -> Option<String> {
    let name = quoted(name);
    match (provider, kind) {
        ("aws", "db_instance") => Some(format!(
            "aws rds modify-db-instance --db-instance-identifier {name} --deletion-protection --apply-immediately"
        )),
        ("aws", "db_cluster") => Some(format!(
            "aws rds modify-db-cluster --db-cluster-identifier {name} --deletion-protection --apply-immediately"
        )),
        ("aws", "table") => {
            Some(format!("aws dynamodb update-table --table-name {name} --deletion-protection-enabled"))
        }
        _ => None,
    }
}

/// Settings under which an agent asks a person about everything that may call out, and that its user cannot change. For
/// Claude Code they are managed settings (code.claude.com/docs/en/managed-settings): no other file may allow, no mode
/// and no hook may answer for a person. For Gemini CLI it is a policy of an administrator in
/// `/etc/gemini-cli/policies`, a folder of root's own (google-gemini/gemini-cli `docs/reference/policy-engine.md`): no
/// rule of the user stands above it. In yolo a line that the agent cannot take apart would run, so there it refuses. What
/// it asks about runs all the same where the tool itself needs no yes: edits and fetches in `auto_edit`, and tools of
/// servers that the user trusts. Those it refuses.
pub(super) fn gate(agent: Agent) -> Option<String> {
    match agent {
        Agent::ClaudeCode => {
            let settings = serde_json::json!({
                "allowManagedPermissionRulesOnly": true,
                "allowManagedHooksOnly": true,
                "disableAutoMode": "disable",
                "permissions": {
                    "defaultMode": "default",
                    "disableBypassPermissionsMode": "disable",
                    "ask": ["Bash", "WebFetch", "mcp__*"],
                },
            });
            serde_json::to_string_pretty(&settings).ok()
        }
        Agent::GeminiCli => {
            let rule = |what: &str, decision: &str| {
                format!(
                    "[[rule]]
{what}
{decision}
"
                )
            };
            let shell = "toolName = \"run_shell_command\"";
            let files = "toolName = [\"web_fetch\", \"write_file\", \"replace\"]";
            let servers = "toolName = \"*\"
mcpName = \"*\"";
            let refuse = |modes: &str| format!("decision = \"deny\"\n{modes}priority = 999");
            let ask = "decision = \"ask_user\"
priority = 998";
            let rules = [
                rule(shell, &refuse("modes = [\"yolo\"]\n")),
                rule(files, &refuse("modes = [\"yolo\", \"autoEdit\"]\n")),
                rule(servers, &refuse("")),
                rule(shell, ask),
                rule(files, ask),
            ];
            Some(rules.join("\n"))
        }
        Agent::Plain
        | Agent::Codex
        | Agent::Cursor
        | Agent::OpenCode
        | Agent::CopilotCli
        | Agent::VsCode
        | Agent::Cline
        | Agent::RooCode
        | Agent::Crush
        | Agent::QwenCode
        | Agent::AmazonQ
        | Agent::Continue
        | Agent::Goose
        | Agent::Zed
        | Agent::Aider
        | Agent::Kiro
        | Agent::FactoryDroid
        | Agent::Amp
        | Agent::Windsurf
        | Agent::Warp
        | Agent::Junie
        | Agent::Ci
        | Agent::Program
        | Agent::Other => None,
    }
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;
    use crate::gate::{Call, FileText, Ground, Level, gate as gate_of};
    use crate::model::Decision;

    #[test]
    fn what_a_gate_is_given_makes_it_ask_whatever_the_user_allows() {
        let file = |level, path: &str, text: &str| FileText {
            level,
            path: path.to_owned(),
            text: Fact::Known(text.to_owned()),
            writable: level != Level::Managed,
        };
        let own = r#"{"permissions":{"defaultMode":"bypassPermissions","allow":["Bash","mcp__pg","WebFetch"]}}"#;
        let files = [
            file(Level::Managed, "/etc/claude-code/managed-settings.json", &gate(Agent::ClaudeCode).unwrap()),
            file(Level::User, "~/.claude/settings.json", own),
        ];
        let ground = Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() };
        let policy = gate_of("claude-code").unwrap().parse(&files, &ground);
        for call in corpus::calls() {
            let met = policy.decide(&Call::from(&call.issued));
            assert!(met.worst.decision <= Decision::Ask, "{}: {}", call.text(), met.because());
        }
    }
    #[test]
    fn what_gemini_is_given_makes_it_ask_in_every_mode() {
        let file = |level, path: &str, text: &str| FileText {
            level,
            path: path.to_owned(),
            text: Fact::Known(text.to_owned()),
            writable: level != Level::Managed,
        };
        let own = r#"{"tools":{"allowed":["run_shell_command","write_file"]},"mcpServers":{"railway":{"trust":true}},
            "security":{"folderTrust":{"enabled":false}}}"#;
        let more = "[[rule]]\ntoolName = \"*\"\ndecision = \"allow\"\npriority = 999\n";
        let ground = Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() };
        for mode in ["default", "auto_edit", "plan", "yolo"] {
            let files = [
                file(Level::Managed, "/etc/gemini-cli/policies/deadstop.toml", &gate(Agent::GeminiCli).unwrap()),
                file(Level::User, "~/.gemini/settings.json", own),
                file(Level::User, "~/.gemini/policies/mine.toml", more),
                file(Level::User, "--started-as", &format!(r#"{{"general":{{"defaultApprovalMode":"{mode}"}}}}"#)),
            ];
            let policy = gate_of("gemini-cli").unwrap().parse(&files, &ground);
            for call in corpus::calls() {
                let met = policy.decide(&Call::from(&call.issued));
                assert!(met.worst.decision <= Decision::Ask, "{mode}: {}: {}", call.text(), met.because());
            }
        }
    }
}
