//! Functions of Lambda, of which each acts in the name of a role. They are no assets; their policies may let somebody change
//! or call one whose own policies say nothing of it (Lambda API reference: `ListFunctions`, `GetPolicy`; Lambda Developer
//! Guide, `access-control-resource-based`).

use deadstop_core::id::NodeId;
use serde_json::Value;

use super::Desk;
use super::parts::{arn, own_policy, text};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::paged;
use crate::provider::aws::partition;
use crate::provider::aws::rights::ResourcePolicy;

const LIST: &str = "lambda:ListFunctions";
const POLICY: &str = "lambda:GetPolicy";
/// What a function's address answers to whomever is not looked at, as that of no other program is: these keys are in
/// statements for calls by it alone (Lambda Developer Guide, `urls-auth`).
const BY_ADDRESS: [&str; 2] = ["lambda:functionurlauthtype", "lambda:invokedviafunctionurl"];

/// The ARN and the name of one.
fn function(value: &Value) -> Option<(String, String)> {
    let (arn, name) = (arn(value, "FunctionArn")?, text(value, "FunctionName")?);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.bytes().all(plain).then_some((arn, name))
}

fn functions(client: &Client<'_>) -> Result<Vec<(String, String)>, Fault> {
    paged("Functions", "NextMarker", function, |token| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("MaxItems", "50");
        query.extend_pairs(token.map(|token| ("Marker", token)));
        client.get("lambda", &format!("/2015-03-31/functions/?{}", query.finish()))
    })
}

/// Reads the policies of the functions of the desk's Region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    match desk.ask(LIST, None, functions) {
        Ok(functions) => functions.into_iter().for_each(|(arn, name)| {
            let policy = desk.ask(POLICY, Some(&name), |client| {
                match client.get("lambda", &format!("/2015-03-31/functions/{name}/policy")) {
                    Err(fault) if fault.says(&["ResourceNotFoundException"]) => Ok(None),
                    other => text(&other?, "Policy").ok_or_else(Fault::malformed).map(Some),
                }
            });
            let policy = policy.map(|text| text.map(|text| but_by_address(&text).unwrap_or(text)));
            desk.holdings.policies.insert(NodeId(arn), own_policy(&policy, "function's policy"));
        }),
        Err(gap) => {
            // One of them may let somebody in.
            let some = format!("arn:{}:lambda:{}:{}:function:", partition(desk.region), desk.region, desk.account);
            desk.holdings.policies.insert(NodeId(some), ResourcePolicy::NotKnown("functions' policies"));
            desk.unlisted.push(gap);
        }
    }
}

/// A policy without the statements that speak of calls by a function's address.
fn but_by_address(policy: &str) -> Option<String> {
    let mut document: Value = serde_json::from_str(policy).ok()?;
    let statements = document.get_mut("Statement")?.as_array_mut()?;
    statements.retain(|statement| {
        let conditions = statement.get("Condition").and_then(Value::as_object);
        let mut keys = conditions.into_iter().flat_map(|all| all.values()).filter_map(Value::as_object);
        !keys.any(|of| of.keys().any(|key| BY_ADDRESS.contains(&key.to_lowercase().as_str())))
    });
    Some(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn functions() {
        let arn = "arn:aws:lambda:eu-west-1:111122223333:function:tidy";
        let body = json!({ "FunctionName": "tidy", "FunctionArn": arn, "Role": "arn:aws:iam::111122223333:role/tidy" });
        assert_eq!(function(&body), Some((arn.to_owned(), "tidy".to_owned())));
        assert_eq!(function(&json!({ "FunctionArn": arn, "FunctionName": "../tidy" })), None);
        assert_eq!(function(&json!({ "FunctionArn": arn })), None);
    }

    #[test]
    fn what_is_for_calls_by_the_address_alone_is_left_out() {
        let statement = |condition: Value| json!({ "Effect": "Allow", "Principal": "*", "Action": "lambda:*", "Resource": "*", "Condition": condition });
        let by_address = statement(json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "NONE" } }));
        let by_source = statement(json!({ "StringEquals": { "aws:SourceAccount": "111122223333" } }));
        let text = json!({ "Statement": [by_address, by_source] }).to_string();
        let kept: Value = serde_json::from_str(&but_by_address(&text).unwrap()).unwrap();
        assert_eq!(kept["Statement"], json!([by_source]));
        // What is of another shape stays what it is, and is not understood later on.
        assert_eq!(but_by_address("{}"), None);
    }
}
