//! Kubeconfig files: who may log in to which cluster (floor 5). Plugins are shown, never run.

use deadstop_core::model::Class;
use serde_json::Value;

use crate::collector::document::{line_of, text_at, yaml};
use crate::collector::find::{Finds, Node};
use crate::collector::store::Context;

/// The entry called `name` in a list of named entries.
fn named<'a>(document: &'a Value, list: &str, name: &str, inner: &str) -> Option<&'a Value> {
    let entries = document.get(list)?.as_array()?;
    entries.iter().find(|entry| text_at(entry, &["name"]) == Some(name))?.get(inner)
}

/// Every context: its cluster is a container, its user a credential for it.
pub(super) fn config(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(documents) = yaml(text) else { return false };
    for document in &documents {
        let Some(contexts) = document.get("contexts").and_then(Value::as_array) else { continue };
        for entry in contexts {
            let (Some(cluster), Some(user)) =
                (text_at(entry, &["context", "cluster"]), text_at(entry, &["context", "user"]))
            else {
                continue;
            };
            let Some(server) = named(document, "clusters", cluster, "cluster").and_then(|c| text_at(c, &["server"]))
            else {
                continue;
            };
            let Some(login) = named(document, "users", user, "user") else { continue };
            let Some(server) = address(server) else { continue };
            let server = server.as_str();
            let id = format!("kubernetes:{server}");
            out.nodes.push(Node {
                id: id.clone(),
                provider: "kubernetes".to_owned(),
                kind: "cluster".to_owned(),
                class: Class::Container,
                name: cluster.to_owned(),
                parent: None,
                spot: context.spot(line_of(text, "server", ""), cluster),
            });
            one(context, text, (user, login), (server, &id), out);
        }
    }
    true
}

/// A server's address without what may be secret in it: no login, no query.
fn address(server: &str) -> Option<String> {
    let url = url::Url::parse(server).ok()?;
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}://{}{port}{}", url.scheme(), url.host_str()?, url.path().trim_end_matches('/')))
}

/// Whether a text is a program's name or path, and nothing more.
fn program(name: &str) -> bool {
    name.len() <= 60 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'-' | b'_' | b'~'))
}

fn one(context: &Context<'_>, text: &str, (user, login): (&str, &Value), (server, id): (&str, &str), out: &mut Finds) {
    let forms = [
        ("token", "token"),
        ("client-key-data", "client_certificate"),
        ("client-key", "client_certificate"),
        ("tokenFile", "token_file"),
        ("password", "password"),
    ];
    for (field, kind) in forms {
        let Some(value) = text_at(login, &[field]) else { continue };
        let mut find = context.find("kubernetes", kind, value, line_of(text, field, value), user);
        if field == "client-key" || field == "tokenFile" {
            find.secret = None;
            find.scope = Some(format!("by the file that `{field}` names"));
        }
        find.public_id = Some(format!("{server}/{user}"));
        find.identity = Some((format!("kubernetes:{server}/{user}"), user.to_owned()));
        find.within = Some(id.to_owned());
        out.finds.push(find);
    }
    for plugin in ["exec", "auth-provider"] {
        let Some(inner) = login.get(plugin) else { continue };
        let command = text_at(inner, &["command"]).or_else(|| text_at(inner, &["name"])).filter(|name| program(name));
        let command = command.unwrap_or("a plugin");
        let line = line_of(text, "command", command).or_else(|| line_of(text, plugin, ""));
        let mut find = context.find("kubernetes", "exec_plugin", "", line, user);
        find.secret = None;
        find.public_id = Some(format!("{server}/{user}"));
        find.within = Some(id.to_owned());
        find.scope = Some(format!("whoever {command} says; it was not run"));
        out.finds.push(find);
    }
}
