//! Small files of single providers: logins and the links of a folder to a project (floor 5).

use deadstop_core::model::Class;
use serde_json::Value;

use crate::collector::document::{json, text_at, toml, yaml};
use crate::collector::find::{Finds, Node};
use crate::collector::hosts::kind_for;
use crate::collector::store::{Context, plain};

/// What a login is of which the path to it in a file names the host that it is for.
pub(super) fn kind_at<'a>(provider: &str, path: &[String], kind: &'a str) -> &'a str {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    match (provider, names.as_slice()) {
        // Composer keeps its logins below the kind they are of.
        ("github", ["github-oauth", host, ..] | [host, ..]) | ("terraform", ["credentials", host, ..]) => {
            kind_for(provider, kind, host)
        }
        _ => kind,
    }
}

/// `gh/hosts.yml`: the token, or the note that a keyring has it.
pub(super) fn github(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(documents) = yaml(text) else { return false };
    for (host, entry) in documents.iter().filter_map(Value::as_object).flatten() {
        let user = text_at(entry, &["user"]);
        let mut found = false;
        let users = entry.get("users").and_then(Value::as_object);
        let holders = std::iter::once((user, entry))
            .chain(users.into_iter().flatten().map(|(name, entry)| (Some(name.as_str()), entry)));
        for (name, holder) in holders {
            let Some(token) = text_at(holder, &["oauth_token"]) else { continue };
            found = true;
            let mut find = context.find(
                "github",
                kind_for("github", "oauth_token", host),
                token,
                context.line_of(text, "oauth_token", token),
                host,
            );
            find.scope = name.map(|name| format!("signed in to {host} as {name}"));
            out.finds.push(find);
        }
        if !found && let Some(user) = user {
            let mut find = context.find("github", "keyring_login", "", context.line_of(text, "user", user), host);
            find.secret = None;
            find.scope = Some(format!("{user} on {host}; the token is in a keyring, present and not readable here"));
            out.finds.push(find);
        }
    }
    true
}

/// `.terraformrc` and `terraform.rc`: `credentials "HOST" { token = "…" }`, and helpers.
///
/// <https://developer.hashicorp.com/terraform/cli/config/config-file>
pub(super) fn terraformrc(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let mut host: Option<&str> = None;
    for (number, line) in (1_u64..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with(['#', '/']) {
            continue;
        }
        let block = |kind: &str| line.strip_prefix(kind)?.trim_start().strip_prefix('"')?.split('"').next();
        if let Some(name) = block("credentials_helper").filter(|name| plain(name).is_some()) {
            let key = format!("credentials_helper.{name}");
            let mut find = context.find("terraform", "credential_helper", "", Some(number), &key);
            find.secret = None;
            find.scope = Some(format!("whatever the program terraform-credentials-{name} gives; it was not run"));
            out.finds.push(find);
        } else if let Some(name) = block("credentials ") {
            host = Some(name);
        }
        // `credentials "host" { token = "…" }` may stand on one line.
        let setting = line.split_once("token").and_then(|(_, rest)| rest.trim_start().strip_prefix('='));
        let token = setting.and_then(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
        if let (Some(name), Some(token)) = (host, token.filter(|token| !token.is_empty())) {
            let kind = kind_for("terraform", "token", name);
            let mut find = context.find("terraform", kind, token, Some(number), &format!("credentials.{name}.token"));
            find.scope = plain(name).map(|name| format!("sent to {name}"));
            out.finds.push(find);
        }
        if line.ends_with('}') {
            host = None;
        }
    }
    true
}

fn container(context: &Context<'_>, text: &str, provider: &str, kind: &str, id: &str, key: &str, out: &mut Finds) {
    out.nodes.push(Node {
        id: format!("{provider}:{id}"),
        provider: provider.to_owned(),
        kind: kind.to_owned(),
        class: Class::Container,
        name: id.to_owned(),
        parent: None,
        spot: context.spot(context.line_of(text, key, id), key),
    });
}

/// `.vercel/project.json`.
pub(super) fn vercel(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(value) = json(text) else { return false };
    if let Some(id) = text_at(&value, &["projectId"]) {
        container(context, text, "vercel", "project", id, "projectId", out);
    }
    true
}

/// `supabase/config.toml`: its `project_id` is a name on this machine unless it has the form of a reference.
pub(super) fn supabase(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(value) = toml(text) else { return false };
    if let Some(id) =
        text_at(&value, &["project_id"]).filter(|id| id.len() == 20 && id.bytes().all(|b| b.is_ascii_lowercase()))
    {
        container(context, text, "supabase", "project", id, "project_id", out);
    }
    true
}

/// `.neon`.
pub(super) fn neon(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(value) = json(text) else { return false };
    if let Some(id) = text_at(&value, &["projectId"]) {
        container(context, text, "neon", "project", id, "projectId", out);
    }
    true
}

/// `fly.toml`.
pub(super) fn fly(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(value) = toml(text) else { return false };
    if let Some(id) = text_at(&value, &["app"]) {
        container(context, text, "fly", "app", id, "app", out);
    }
    true
}
