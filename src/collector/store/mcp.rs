//! MCP servers and the credentials they are started with (floor 5). None is started.

use serde_json::{Map, Value};

use crate::collector::collect::from_raw;
use crate::collector::document::{json as parse_json, text_at, toml as parse_toml, yaml as parse_yaml};
use crate::collector::find::{Finds, Server, Spot};
use crate::collector::store::Context;
use crate::secret::Secret;

/// The most servers of one list that are looked at. A file with more was made to keep us busy, and is not understood.
const MOST: usize = 500;

/// Where the JSON files of agents and editors list servers: `context_servers` is Zed's, `amp.mcpServers` that of Amp.
const LISTS: [&str; 5] = ["mcpServers", "servers", "mcp", "context_servers", "amp.mcpServers"];

/// The JSON files of the agents and editors.
pub(super) fn json(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(value) = parse_json(text) else { return false };
    let long = |list: &str| value.get(list).and_then(Value::as_object).is_some_and(|all| all.len() > MOST);
    if LISTS.into_iter().chain(["projects"]).any(long) {
        return false;
    }
    for list in LISTS {
        servers(context, text, list, value.get(list), out);
    }
    servers(context, text, "mcp.servers", value.get("mcp").and_then(|mcp| mcp.get("servers")), out);
    // Continue, before its files were YAML.
    let older = value.get("experimental").and_then(|all| all.get("modelContextProtocolServers"));
    servers(context, text, "modelContextProtocolServers", older, out);
    for project in value.get("projects").and_then(Value::as_object).into_iter().flat_map(|all| all.values()) {
        servers(context, text, "mcpServers", project.get("mcpServers"), out);
    }
    true
}

/// Codex.
pub(super) fn toml(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(value) = parse_toml(text) else { return false };
    servers(context, text, "mcp_servers", value.get("mcp_servers"), out);
    true
}

/// Goose (`extensions`) and Continue (`mcpServers`).
pub(super) fn yaml(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(documents) = parse_yaml(text) else { return false };
    for list in ["extensions", "mcpServers"] {
        documents.iter().for_each(|value| servers(context, text, list, value.get(list), out));
    }
    true
}

fn servers(context: &Context<'_>, text: &str, list: &str, value: Option<&Value>, out: &mut Finds) {
    let named: Vec<(&str, &Value)> = match value {
        Some(Value::Object(all)) => all.iter().map(|(name, entry)| (name.as_str(), entry)).collect(),
        // Continue numbers them, and each says its name.
        Some(Value::Array(all)) => all.iter().map(|one| (text_at(one, &["name"]).unwrap_or("server"), one)).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => Vec::new(),
    };
    for (name, entry) in named.into_iter().take(MOST) {
        let entry = plain(entry);
        let is_server = ["command", "url", "serverUrl", "httpUrl"].iter().any(|key| entry.get(*key).is_some());
        if is_server {
            server(context, text, &format!("{list}.{name}"), name, &entry, out);
        }
    }
}

/// An entry with its keys as most agents call them. Zed may say its command in an object of its own, Goose and the older
/// Continue say all in one; Continue has headers among `requestOptions`.
fn plain(entry: &Value) -> Value {
    const OTHERWISE: [(&str, &str); 4] = [("cmd", "command"), ("path", "command"), ("uri", "url"), ("envs", "env")];
    let mut out = Map::new();
    let nested = ["config", "transport", "command", "requestOptions"].iter().filter_map(|key| entry.get(*key));
    for part in [entry].into_iter().chain(nested).filter_map(Value::as_object) {
        for (key, value) in part {
            let as_said = OTHERWISE.iter().find(|(other, _)| other == key).map_or(key.as_str(), |(_, known)| *known);
            if !(as_said == "command" && value.is_object()) {
                out.entry(as_said).or_insert_with(|| value.clone());
            }
        }
    }
    Value::Object(out)
}

fn server(context: &Context<'_>, text: &str, path: &str, name: &str, entry: &Value, out: &mut Finds) {
    let mut secrets = Vec::new();
    for block in ["env", "environment", "headers", "http_headers", "requestInit"] {
        for (variable, value) in entry.get(block).and_then(Value::as_object).into_iter().flatten() {
            let Some(value) = value.as_str() else { continue };
            let key = format!("{path}.{block}.{variable}");
            value_of(context, text, (&key, variable), value, &mut secrets, out);
        }
    }
    for variable in referenced(entry) {
        value_of(context, text, (path, variable), &format!("${variable}"), &mut secrets, out);
    }
    if let Some(token) = text_at(entry, &["bearer_token"]) {
        value_of(context, text, (&format!("{path}.bearer_token"), "bearer_token"), token, &mut secrets, out);
    }
    // One program, or a list of it and its arguments, of which nothing but the program is shown.
    let command = entry.get("command");
    let command = command.and_then(|command| command.as_str().or_else(|| command.get(0)?.as_str()));
    let args: Vec<&str> =
        entry.get("args").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut before = "";
    for (index, argument) in args.iter().enumerate() {
        let (flag, value) =
            argument.split_once('=').filter(|(flag, _)| flag.starts_with('-')).unwrap_or((before, argument));
        let flag = flag.trim_start_matches('-');
        let key = format!("{path}.args.{index}");
        value_of(context, text, (&key, flag), value, &mut secrets, out);
        before = if argument.starts_with('-') && !argument.contains('=') { argument } else { "" };
    }
    let url = ["url", "serverUrl", "httpUrl"].iter().find_map(|key| text_at(entry, &[key]));
    if let Some(url) = url {
        let key = format!("{path}.url");
        value_of(context, text, (&key, "url"), url, &mut secrets, out);
        for (parameter, value) in
            url.split_once('?').map_or("", |(_, query)| query).split('&').filter_map(|p| p.split_once('='))
        {
            value_of(context, text, (&key, parameter), value, &mut secrets, out);
        }
    }
    out.servers.push(Server {
        name: name.to_owned(),
        command: command.and_then(|command| command.split_whitespace().next().map(str::to_owned)),
        url: url.map(|url| url.split(['?', '#']).next().unwrap_or(url).to_owned()).map(|url| without_login(&url)),
        secrets,
        spot: Spot {
            key: None,
            ..context.spot(
                headed(path)
                    .and_then(|head| context.line_of(text, &head, ""))
                    .or_else(|| context.line_of(text, &format!("\"{name}\""), ""))
                    .or_else(|| context.line_of(text, name, "")),
                name,
            )
        },
    });
}

/// The head of a server's table, in TOML.
fn headed(path: &str) -> Option<String> {
    path.starts_with("mcp_servers.").then(|| format!("[{path}]"))
}

/// Variables of the session that Codex hands to a server by their names (openai/codex
/// `codex-rs/config/src/mcp_types.rs`).
fn referenced(entry: &Value) -> Vec<&str> {
    let mut found: Vec<&str> = text_at(entry, &["bearer_token_env_var"]).into_iter().collect();
    let headers = entry.get("env_http_headers").and_then(Value::as_object).into_iter().flatten();
    found.extend(headers.filter_map(|(_, variable)| variable.as_str()));
    let listed = entry.get("env_vars").and_then(Value::as_array).into_iter().flatten();
    found.extend(listed.filter_map(|variable| variable.as_str().or_else(|| variable.get("name")?.as_str())));
    found
}

fn without_login(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
        None => url.to_owned(),
    }
}

/// Judges one value; a reference to a variable of the session stands for that variable's value.
fn value_of(
    context: &Context<'_>,
    text: &str,
    (key, name): (&str, &str),
    value: &str,
    secrets: &mut Vec<Secret>,
    out: &mut Finds,
) {
    let reference = value.trim_start_matches("Bearer ").strip_prefix('$').map(|rest| rest.trim_matches(['{', '}']));
    if let Some(variable) = reference {
        let variable = variable.strip_prefix("env:").unwrap_or(variable);
        let variable = variable.split(":-").next().unwrap_or(variable);
        if let Some(held) = context.env.get(variable) {
            secrets.extend(context.scanner.pair(variable, held).into_iter().filter_map(|raw| raw.secret));
        }
        return;
    }
    for raw in context.scanner.pair(if name.is_empty() { "value" } else { name }, value) {
        let line = context.line_of(text, name, value);
        let spot = context.spot(line, key);
        if let Some(mut find) = from_raw(raw, spot, out) {
            find.parsed = true;
            secrets.extend(find.secret.clone());
            out.finds.push(find);
        }
    }
}
