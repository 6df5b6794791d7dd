//! Kubeconfig files: who may log in to which cluster (floor 5). Plugins are shown, never run.

use std::collections::BTreeMap;

use deadstop_core::model::Class;
use serde_json::Value;
use url::Url;

use crate::collector::document::{text_at, yaml};
use crate::collector::find::{Finds, Node};
use crate::collector::kubeconfig::{Entry, Proof, certificate};
use crate::collector::store::Context;
use crate::secret::Secret;

/// A list of named entries, by name. Of two of one name the first counts.
fn named<'a>(document: &'a Value, list: &str, inner: &str) -> BTreeMap<&'a str, &'a Value> {
    let mut all = BTreeMap::new();
    for entry in document.get(list).and_then(Value::as_array).into_iter().flatten() {
        if let (Some(name), Some(inner)) = (text_at(entry, &["name"]), entry.get(inner)) {
            all.entry(name).or_insert(inner);
        }
    }
    all
}

/// Every context: its cluster is a container, its user a credential for it.
pub(super) fn config(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(documents) = yaml(text) else { return false };
    for document in &documents {
        let Some(contexts) = document.get("contexts").and_then(Value::as_array) else { continue };
        let (clusters, users) = (named(document, "clusters", "cluster"), named(document, "users", "user"));
        for entry in contexts {
            let (Some(cluster), Some(user)) =
                (text_at(entry, &["context", "cluster"]), text_at(entry, &["context", "user"]))
            else {
                continue;
            };
            let Some(held) = clusters.get(cluster).copied() else { continue };
            let Some(url) = text_at(held, &["server"]).and_then(|server| Url::parse(server).ok()) else { continue };
            let Some(login) = users.get(user).copied() else { continue };
            let Some(server) = address(&url) else { continue };
            let server = server.as_str();
            let id = format!("kubernetes:{server}");
            out.nodes.push(Node {
                id: id.clone(),
                provider: "kubernetes".to_owned(),
                kind: "cluster".to_owned(),
                class: Class::Container,
                name: cluster.to_owned(),
                parent: None,
                spot: context.spot(context.line_of(text, "server", ""), cluster),
            });
            let none = Value::Null;
            let said = (held, entry.get("context").unwrap_or(&none));
            let entry = |proof: Proof| Url::parse(server).ok().map(|url| Box::new(Entry::of(url, said, proof)));
            one(context, text, (user, login), (server, &id), &entry, out);
        }
    }
    true
}

/// A server's address without what may be secret in it: no login, no query.
fn address(url: &Url) -> Option<String> {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}://{}{port}{}", url.scheme(), url.host_str()?, url.path().trim_end_matches('/')))
}

/// Whether a text is a program's name or path, and nothing more.
fn program(name: &str) -> bool {
    name.len() <= 60 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'-' | b'_' | b'~'))
}

fn one(
    context: &Context<'_>,
    text: &str,
    (user, login): (&str, &Value),
    (server, id): (&str, &str),
    entry: &dyn Fn(Proof) -> Option<Box<Entry>>,
    out: &mut Finds,
) {
    let forms = [
        ("token", "token"),
        ("client-key-data", "client_certificate"),
        ("client-key", "client_certificate"),
        ("tokenFile", "token_file"),
        ("password", "password"),
    ];
    for (field, kind) in forms {
        let Some(value) = text_at(login, &[field]) else { continue };
        let mut find = context.find("kubernetes", kind, value, context.line_of(text, field, value), user);
        if field == "client-key" || field == "tokenFile" {
            find.secret = None;
            find.scope = Some(format!("by the file that `{field}` names"));
        }
        find.public_id = Some(format!("{server}/{user}"));
        find.identity = Some((format!("kubernetes:{server}/{user}"), user.to_owned()));
        find.within = Some(id.to_owned());
        find.cluster = entry(match field {
            "token" => Proof::Token(Secret::new(value.as_bytes())),
            "tokenFile" => Proof::TokenFile(value.to_owned()),
            "password" => Proof::Password,
            _ => certificate(login),
        });
        out.finds.push(find);
    }
    for plugin in ["exec", "auth-provider"] {
        let Some(inner) = login.get(plugin) else { continue };
        let command = text_at(inner, &["command"]).or_else(|| text_at(inner, &["name"])).filter(|name| program(name));
        let command = command.unwrap_or("a plugin");
        let line = context.line_of(text, "command", command).or_else(|| context.line_of(text, plugin, ""));
        let mut find = context.find("kubernetes", "exec_plugin", "", line, user);
        find.secret = None;
        find.public_id = Some(format!("{server}/{user}"));
        find.within = Some(id.to_owned());
        find.scope = Some(format!("whoever {command} says; it was not run"));
        find.cluster = entry(Proof::Plugin(command.to_owned()));
        out.finds.push(find);
    }
}
