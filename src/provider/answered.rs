//! What a server answered: an object, a list, or why it is neither.

use deadstop_core::fact::GapReason;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroize as _;

use super::facts::Fault;
use super::token::Got;
use crate::readonly::Answer;

/// What GraphQL servers say when they refuse, Railway among them (its command-line client, `client.rs`).
pub(crate) const NOT_AUTHORIZED: &str = "Not Authorized";

/// What a GraphQL server answered. Errors come with status 200, too, and beside a part of the data; such a part is none.
pub(super) fn data(answer: &Answer) -> Result<Value, Fault> {
    let refused = [401, 403].contains(&answer.status);
    let Ok(Value::Object(mut all)) = serde_json::from_slice::<Value>(&answer.body) else {
        return Err(Fault::of(if refused { GapReason::Denied } else { GapReason::Malformed }));
    };
    match all.remove("errors") {
        None | Some(Value::Null) => {}
        Some(errors) => return Err(error(&errors, refused)),
    }
    match all.remove("data") {
        Some(data @ Value::Object(_)) if (200..300).contains(&answer.status) => Ok(data),
        _ => Err(Fault::of(if refused { GapReason::Denied } else { GapReason::Malformed })),
    }
}

/// What GraphQL errors amount to. Nothing of their text is kept but words that are known.
fn error(errors: &Value, refused: bool) -> Fault {
    let all = errors.as_array().map(Vec::as_slice).unwrap_or_default();
    let says = |error: &Value| error.get("message").and_then(Value::as_str) == Some(NOT_AUTHORIZED);
    // One refusal among other errors is no refusal of the question.
    if !all.is_empty() && all.iter().all(says) {
        return Fault { reason: GapReason::Denied, code: Some(NOT_AUTHORIZED.to_owned()) };
    }
    Fault::of(if refused { GapReason::Denied } else { GapReason::Malformed })
}

/// What Neon says where an organization is to be named (docs, `cli/api`).
pub(crate) const NAME_ONE: &str = "org_id is required";

fn said(answer: &Answer) -> Option<&'static str> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    (body.get("message")?.as_str()? == NAME_ONE).then_some(NAME_ONE)
}

/// What a REST server answered.
pub(super) fn rest(answer: &Answer) -> Result<Value, Fault> {
    match answer.status {
        200..300 => serde_json::from_slice(&answer.body).map_err(|_| Fault::of(GapReason::Malformed)),
        // What a token may not see is often said not to be there.
        401 | 403 | 404 => Err(Fault { reason: GapReason::Denied, code: Some(answer.status.to_string()) }),
        400 if said(answer) == Some(NAME_ONE) => {
            Err(Fault { reason: GapReason::Unsupported, code: Some(NAME_ONE.to_owned()) })
        }
        400 | 405..500 => Err(Fault { reason: GapReason::Unsupported, code: Some(answer.status.to_string()) }),
        _ => Err(Fault::of(GapReason::Malformed)),
    }
}

pub(super) fn listed_in<T: DeserializeOwned>(answer: &Value, key: &str) -> Got<T> {
    let list = match key {
        "" => Some(answer),
        _ if key.starts_with('/') => answer.pointer(key),
        _ => answer.get(key),
    };
    match list.and_then(Value::as_array) {
        Some(all) => each_read(all.clone()),
        None => Got { items: Vec::new(), fault: Some(Fault::of(GapReason::Malformed)) },
    }
}

pub(super) fn below(value: &Value, at: &[&str]) -> Result<Value, Fault> {
    let mut here = value;
    for key in at {
        here = here.get(key).ok_or_else(|| Fault::of(GapReason::Malformed))?;
    }
    Ok(here.clone())
}

pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(|_| Fault::of(GapReason::Malformed))
}

pub(super) fn each_read<T: DeserializeOwned>(all: Vec<Value>) -> Got<T> {
    let mut got = Got { items: Vec::new(), fault: None };
    for one in all {
        match read(one) {
            Ok(item) => got.items.push(item),
            Err(fault) => got.fault = Some(fault),
        }
    }
    got
}

/// Puts in the place of what stands under these keys, at any depth, whether there is anything. Answers of some platforms hold
/// passwords beside what is asked for.
pub(super) fn hide(value: &mut Value, keys: &[&str]) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| hide(one, keys)),
        Value::Object(all) => {
            for (key, one) in all {
                if keys.contains(&key.as_str()) {
                    let there = !(one.is_null() || one.as_str().is_some_and(str::is_empty));
                    wipe(one);
                    *one = Value::Bool(there);
                } else {
                    hide(one, keys);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(all) => all.iter_mut().for_each(wipe),
        Value::Object(all) => all.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn answered(status: u16, body: &str) -> Result<Value, Fault> {
        data(&Answer { status, body: body.as_bytes().to_vec(), told: BTreeMap::new() })
    }

    #[test]
    fn an_error_is_one_whatever_the_status_and_whatever_stands_beside_it() {
        let denied = r#"{"errors": [{"message": "Not Authorized"}], "data": null}"#;
        for status in [200, 400, 401, 403] {
            assert_eq!(answered(status, denied).unwrap_err().reason, GapReason::Denied, "{status}");
        }
        for body in [
            r#"{"errors": [{"message": "Problem processing request"}], "data": null}"#,
            r#"{"errors": [{"message": "Problem"}], "data": {"me": {"id": "1"}}}"#,
            r#"{"errors": [{"message": "Not Authorized"}, {"message": "Problem"}], "data": {"me": {"id": "1"}}}"#,
            r#"{"errors": []}"#,
            r#"{"errors": "Not Authorized"}"#,
            r#"{"data": null}"#,
            r#"{"data": []}"#,
            "{}",
            "[]",
            "",
            "<html>",
            r#"{"data": {"me"#,
        ] {
            assert_eq!(answered(200, body).unwrap_err().reason, GapReason::Malformed, "{body}");
        }
        assert!(answered(500, r#"{"data": {"me": {"id": "1"}}}"#).is_err());
        assert_eq!(answered(200, r#"{"data": {"me": {"id": "1"}}}"#).unwrap(), json!({"me": {"id": "1"}}));
    }

    #[test]
    fn a_path_that_is_not_answered_is_no_list() {
        let answer =
            |status: u16, body: &str| rest(&Answer { status, body: body.as_bytes().to_vec(), told: BTreeMap::new() });
        assert_eq!(answer(200, "[]").unwrap(), json!([]));
        for (status, reason) in [
            (401, GapReason::Denied),
            (403, GapReason::Denied),
            (404, GapReason::Denied),
            (400, GapReason::Unsupported),
            (422, GapReason::Unsupported),
            (302, GapReason::Malformed),
        ] {
            assert_eq!(answer(status, "[]").unwrap_err().reason, reason, "{status}");
        }
        for (body, key) in
            [("{}", ""), ("{}", "data"), (r#"{"data": null}"#, "data"), (r#"{"data": {}}"#, "data"), ("null", "")]
        {
            assert!(listed_in::<Value>(&serde_json::from_str(body).unwrap(), key).fault.is_some(), "{body}");
        }
        assert!(listed_in::<String>(&json!(["a", 1]), "").fault.is_some(), "one that is not understood");
    }

    #[test]
    fn of_a_secret_it_is_kept_whether_there_is_one() {
        let mut answer =
            json!({"list": [{"password": "x", "uri": {"a": ["x"]}, "host": "h"}, {"password": "", "uri": null}]});
        hide(&mut answer, &["password", "uri"]);
        assert_eq!(
            answer,
            json!({"list": [{"password": true, "uri": true, "host": "h"}, {"password": false, "uri": false}]})
        );
    }
}
