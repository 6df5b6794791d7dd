//! `~/.railway/config.json`: the login, and which folder is which project (floor 5).

use deadstop_core::model::Class;
use serde_json::Value;

use crate::collector::document::{json, text_at};
use crate::collector::find::{Finds, Node};
use crate::collector::store::{Context, fields};

/// The login and the linked projects.
pub(super) fn config(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(value) = json(text) else { return false };
    let refresh = text_at(&value, &["user", "refreshToken"]);
    let fields = [("token", "session_token"), ("accessToken", "oauth_token"), ("refreshToken", "refresh_token")];
    for (field, kind) in fields {
        let Some(token) = text_at(&value, &["user", field]) else { continue };
        let key = format!("user.{field}");
        let mut find = context.find("railway", kind, token, context.line_of(text, field, token), &key);
        find.renewable = field == "refreshToken" || (field == "accessToken" && refresh.is_some());
        let ends = value.get("user").and_then(|user| user.get("tokenExpiresAt"));
        find.expires = ends.filter(|_| field == "accessToken").and_then(fields::moment);
        out.finds.push(find);
    }
    for link in value.get("projects").and_then(Value::as_object).into_iter().flat_map(|links| links.values()) {
        let Some(project) = text_at(link, &["project"]) else { continue };
        let spot = |id: &str, key: &str| context.spot(context.line_of(text, key, id), key);
        let project_id = format!("railway:{project}");
        out.nodes.push(Node {
            id: project_id.clone(),
            provider: "railway".to_owned(),
            kind: "project".to_owned(),
            class: Class::Container,
            name: text_at(link, &["name"]).unwrap_or(project).to_owned(),
            parent: None,
            spot: spot(project, "project"),
        });
        if let Some(environment) = text_at(link, &["environment"]) {
            out.nodes.push(Node {
                id: format!("{project_id}/{environment}"),
                provider: "railway".to_owned(),
                kind: "environment".to_owned(),
                class: Class::Container,
                name: text_at(link, &["environmentName"]).unwrap_or(environment).to_owned(),
                parent: Some(project_id),
                spot: spot(environment, "environment"),
            });
        }
    }
    true
}
