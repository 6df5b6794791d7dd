//! Domains of `OpenSearch` Service (API reference: `ListDomainNames`, `DescribeDomain`, `DeleteDomain`; Developer Guide: `ac`,
//! `fgac`, `managedomains-snapshots`). "You can't recover a domain after you delete it" (`DeleteDomain`): what is left are
//! snapshots in a bucket of one's own, which AWS does not list.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Listed};
use deadstop_core::model::{Basis, Class};
use serde_json::Value;

use super::parts::{Guard, arn, own_policy, tags, text};
use super::{Desk, Seen};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::rights::{Opens, ResourcePolicy};

const LIST: &str = "es:ListDomainNames";
const DESCRIBE: &str = "es:DescribeDomain";
const OVER_HTTP: [&str; 3] = ["es:ESHttpDelete", "es:ESHttpPost", "es:ESHttpPut"];
/// What may empty it by other names: rules by which indexes expire are set with `PATCH`, too.
const PERHAPS: [&str; 3] = ["es:ESHttpPatch", "es:DeleteIndex", "es:UpdateIndex"];

#[derive(Debug, PartialEq, Eq)]
struct Domain {
    arn: String,
    policy: Option<String>,
    key: Option<String>,
    /// Whether fine-grained access control decides beside policies.
    fine: Option<bool>,
}

fn domain(answer: &Value) -> Option<Domain> {
    let of = answer.get("DomainStatus")?;
    let encrypted = of.pointer("/EncryptionAtRestOptions/Enabled") != Some(&Value::Bool(false));
    Some(Domain {
        arn: arn(of, "ARN")?,
        policy: text(of, "AccessPolicies"),
        key: of.get("EncryptionAtRestOptions").filter(|_| encrypted).and_then(|options| text(options, "KmsKeyId")),
        fine: of.pointer("/AdvancedSecurityOptions/Enabled").and_then(Value::as_bool),
    })
}

fn names(client: &Client<'_>) -> Result<Vec<String>, Fault> {
    let answer = client.get("es", "/2021-01-01/domain")?;
    let names = answer.get("DomainNames").and_then(Value::as_array).ok_or_else(Fault::malformed)?;
    let plain =
        |name: &String| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    names.iter().map(|one| text(one, "DomainName").filter(plain).ok_or_else(Fault::malformed)).collect()
}

/// Lists the domains of the desk's Region, those of Elasticsearch among them.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    match desk.ask(LIST, None, names) {
        Ok(names) => names.iter().for_each(|name| one(desk, name)),
        Err(gap) => desk.unlisted.push(gap),
    }
}

fn one(desk: &mut Desk<'_>, name: &str) {
    let read = desk.ask(DESCRIBE, Some(name), |client| {
        domain(&client.get("es", &format!("/2021-01-01/opensearch/domain/{name}"))?).ok_or_else(Fault::malformed)
    });
    let domain = match read {
        Ok(domain) => domain,
        Err(gap) => return desk.unlisted.push(gap),
    };
    let tags = marks(desk, name, &domain.arn);
    let copies = desk.unread("snapshots that a domain keeps, or puts into a bucket, were not read");
    let policy = own_policy(&Ok(domain.policy), "domain's policy");
    let everyone = match &policy {
        ResourcePolicy::Read(policy) => policy.lets_in_everyone(),
        ResourcePolicy::None => false,
        ResourcePolicy::NotKnown(_) | ResourcePolicy::Abroad(..) | ResourcePolicy::OneOf(..) => true,
    };
    let id = desk.asset(Seen {
        arn: &domain.arn,
        kind: "search_domain",
        class: Class::Index,
        name,
        tags: &tags,
        protections: Fact::Known(Listed::Complete),
        copies,
        holds: None,
        operation: LIST,
        key: domain.key.as_deref(),
        policy,
    });
    desk.policy_calls(
        &id,
        &[("es:UpdateDomainConfig", Opens::Gives), ("es:UpdateElasticsearchDomainConfig", Opens::Gives)],
    );
    for action in OVER_HTTP {
        desk.also_below(&id, action, &format!("{id}/"));
    }
    for action in PERHAPS {
        desk.also_below(&id, action, id.as_str());
        desk.perhaps(&id, action, "let its indexes go", "what that call destroys was not worked out");
    }
    // Users of its own sign in with a password, and a policy that names everyone asks for no signature (Developer Guide,
    // `ac`, `fgac`).
    if everyone || domain.fine != Some(false) {
        desk.beside(&id, "call it without AWS's leave", "whether it can be reached, and whom it lets in, was not read");
    }
    // It decides by roles of its own, of which AWS tells nothing.
    let enabled: Fact<bool> = match domain.fine {
        Some(false) => Fact::Known(false),
        _ => desk.unread("what fine-grained access control of a domain refuses was not read"),
    };
    let said = if domain.fine == Some(false) { "it is off" } else { "whom it refuses was not read" };
    let guard = Guard {
        name: "fine-grained-access",
        kind: "fine-grained access control",
        covers: &OVER_HTTP,
        enabled,
        lifts: Vec::new(),
        basis: Basis::Observed,
        because: said.to_owned(),
        operation: LIST,
    };
    desk.guard(&id, guard);
}

fn marks(desk: &mut Desk<'_>, name: &str, arn: &str) -> BTreeMap<String, String> {
    let of: String = url::form_urlencoded::byte_serialize(arn.as_bytes()).collect();
    let answer = desk.ask("es:ListTags", Some(name), |client| client.get("es", &format!("/2021-01-01/tags/?arn={of}")));
    answer.map(|answer| tags(answer.get("TagList"), "Key", "Value")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn domains() {
        let body = json!({ "DomainStatus": { "ARN": "arn:aws:es:eu-west-1:111122223333:domain/logs", "AccessPolicies": "{}",
            "EncryptionAtRestOptions": { "Enabled": true, "KmsKeyId": "k" }, "AdvancedSecurityOptions": { "Enabled": true } } });
        let read = domain(&body).unwrap();
        assert_eq!((read.key.as_deref(), read.fine, read.policy.as_deref()), (Some("k"), Some(true), Some("{}")));
        let body =
            json!({ "DomainStatus": { "ARN": "arn:aws:es:eu-west-1:111122223333:domain/logs", "AccessPolicies": "" } });
        let read = domain(&body).unwrap();
        assert_eq!((read.key, read.fine, read.policy), (None, None, None));
        assert_eq!(domain(&json!({ "DomainStatus": {} })), None);
    }
}
