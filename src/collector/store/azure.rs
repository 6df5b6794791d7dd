//! `~/.azure`: the subscriptions that the command-line client knows (floor 5).

use deadstop_core::model::Class;
use serde_json::Value;

use crate::collector::document::{json, text_at};
use crate::collector::find::{Finds, Node};
use crate::collector::store::{Context, plain};

/// `azureProfile.json`, which begins with a byte order mark.
///
/// <https://github.com/Azure/azure-cli/blob/dev/src/azure-cli-core/azure/cli/core/_profile.py>
pub(super) fn profile(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(value) = json(text) else { return false };
    let Some(all) = value.get("subscriptions").and_then(Value::as_array) else { return false };
    for subscription in all.iter().take(1_000) {
        let Some(id) = text_at(subscription, &["id"]).and_then(plain) else { continue };
        let user = text_at(subscription, &["user", "name"]).and_then(plain);
        if let Some(user) = user {
            out.notes.insert(format!("the Azure client is signed in to subscription {id} as {user}"));
        }
        out.nodes.push(Node {
            id: format!("azure:subscription/{id}"),
            provider: "azure".to_owned(),
            kind: "subscription".to_owned(),
            class: Class::Container,
            name: text_at(subscription, &["name"]).unwrap_or(&id).to_owned(),
            parent: None,
            spot: context.spot(context.line_of(text, "\"id\"", &id), "subscriptions"),
        });
    }
    true
}
