//! Functions of Lambda, of which each acts in the name of a role. They are no assets; their policies may let somebody change
//! or call one whose own policies say nothing of it (Lambda API reference: `ListFunctions`, `GetPolicy`; Lambda Developer
//! Guide, `access-control-resource-based`).

use deadstop_core::id::NodeId;
use serde_json::Value;

use super::parts::{arn, own_policy, text};
use super::{Desk, Holdings};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::paged;
use crate::provider::aws::partition;
use crate::provider::aws::rights::ResourcePolicy;

const LIST: &str = "lambda:ListFunctions";
const POLICY: &str = "lambda:GetPolicy";
/// Keys in statements for calls by the address of a function (Lambda Developer Guide, `urls-auth`).
const KIND: &str = "lambda:functionurlauthtype";
const BY_ADDRESS: &str = "lambda:invokedviafunctionurl";

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
            not_listed(desk.region, desk.region, desk.account, &mut desk.holdings);
            desk.unlisted.push(gap);
        }
    }
}

/// Functions of other Regions, where it was not told which there are. `home` is one of the same partition.
pub(super) fn elsewhere(home: &str, account: &str, holdings: &mut Holdings) {
    not_listed(home, "*", account, holdings);
}

/// One of them may let somebody in.
fn not_listed(home: &str, region: &str, account: &str, holdings: &mut Holdings) {
    let some = format!("arn:{}:lambda:{region}:{account}:function:", partition(home));
    holdings.policies.insert(NodeId(some), ResourcePolicy::NotKnown("functions' policies"));
}

/// A policy without the statements by which a function answers anybody at its address: what it makes of that is not looked
/// at, as of no other program that anybody may call.
fn but_by_address(policy: &str) -> Option<String> {
    let mut document: Value = serde_json::from_str(policy).ok()?;
    document.get_mut("Statement")?.as_array_mut()?.retain(|statement| !is_for_anybody(statement));
    Some(document.to_string())
}

/// Whether a statement lets anybody call by the address, and does nothing else.
fn is_for_anybody(statement: &Value) -> bool {
    let anybody =
        statement.get("Principal").is_some_and(|who| *who == "*" || who.get("AWS").is_some_and(|who| *who == "*"));
    let actions: &[&str] = &["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"];
    let calls = statement.get("Action").and_then(Value::as_str).is_some_and(|action| actions.contains(&action));
    // One operator with one key, so that nothing else can be meant.
    let only = |of: &Value| {
        of.as_object().filter(|of| of.len() == 1)?.iter().next().map(|(key, value)| (key.clone(), value.clone()))
    };
    let condition = statement.get("Condition").and_then(|all| {
        let (operator, of) = only(all)?;
        let (key, value) = only(&of)?;
        Some((operator, key.to_lowercase(), value))
    });
    let by_address = condition.is_some_and(|(operator, key, value)| match operator.as_str() {
        "StringEquals" => key == KIND && value == "NONE",
        "Bool" => key == BY_ADDRESS && (value == "true" || value == true),
        _ => false,
    });
    anybody && calls && by_address
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
    fn what_answers_anybody_at_the_address_is_left_out_and_nothing_else() {
        let statement = |principal: Value, action: &str, condition: Value| json!({ "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", "Condition": condition });
        let url = "lambda:InvokeFunctionUrl";
        let none = json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "NONE" } });
        let by_url = json!({ "Bool": { "lambda:InvokedViaFunctionUrl": "true" } });
        let out = [
            statement(json!("*"), url, none.clone()),
            statement(json!({ "AWS": "*" }), "lambda:InvokeFunction", by_url.clone()),
        ];
        let ci = json!({ "AWS": "arn:aws:iam::111122223333:user/ci" });
        let kept = [
            statement(ci.clone(), url, json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "AWS_IAM" } })),
            statement(ci, "lambda:InvokeFunction", by_url),
            statement(json!("*"), url, json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "AWS_IAM" } })),
            statement(json!("*"), "lambda:UpdateFunctionCode", none),
            statement(json!("*"), url, json!({ "StringNotEquals": { "lambda:FunctionUrlAuthType": "NONE" } })),
            statement(
                json!("*"),
                "lambda:InvokeFunction",
                json!({ "Bool": { "lambda:InvokedViaFunctionUrl": "false" } }),
            ),
            statement(
                json!("*"),
                url,
                json!({ "StringEquals": { "lambda:FunctionUrlAuthType": ["NONE", "AWS_IAM"] } }),
            ),
            statement(json!("*"), url, json!({ "StringEquals": { "aws:SourceAccount": "111122223333" } })),
        ];
        let all: Vec<Value> = out.iter().chain(&kept).cloned().collect();
        let text = json!({ "Statement": all }).to_string();
        let left: Value = serde_json::from_str(&but_by_address(&text).unwrap()).unwrap();
        assert_eq!(left["Statement"], json!(kept));
        // What is of another shape stays what it is, and is not understood later on.
        assert_eq!(but_by_address("{}"), None);
    }
}
