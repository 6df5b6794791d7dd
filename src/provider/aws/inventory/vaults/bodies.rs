//! The answers of AWS Backup (service model `backup/2018-11-15`).

use deadstop_core::time::Time;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vault {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) locked: Option<bool>,
    /// When its lock can no longer be undone; none: it always can.
    pub(super) date: Option<Time>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) arn: String,
    /// What it is a copy of, by ARN.
    pub(super) of: String,
    /// Whether it can be restored as it is.
    pub(super) whole: bool,
    pub(super) at: Option<Time>,
    pub(super) ends: Option<Time>,
    pub(super) key: Option<String>,
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// A time: seconds since 1970, with a part of one.
fn time(value: Option<&Value>) -> Option<Time> {
    let seconds = value.and_then(Value::as_f64)?;
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 fit, and parts of one do not matter")]
    Some(Time::from_unix(seconds as i64))
}

pub(super) fn vault(value: &Value) -> Option<Vault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let name = text(value, "BackupVaultName").filter(|name| !name.starts_with('.') && name.bytes().all(plain))?;
    let arn = text(value, "BackupVaultArn").filter(|arn| arn.starts_with("arn:"))?;
    let date = value.get("LockDate").filter(|date| !date.is_null());
    // A date that cannot be read is none that has passed.
    Some(Vault {
        arn,
        name,
        locked: value.get("Locked").and_then(Value::as_bool),
        date: date.and_then(|date| time(Some(date))),
    })
}

pub(super) fn point(value: &Value) -> Option<Point> {
    let whole = matches!(text(value, "Status").as_deref(), Some("COMPLETED" | "AVAILABLE"));
    Some(Point {
        arn: text(value, "RecoveryPointArn").filter(|arn| arn.starts_with("arn:"))?,
        of: text(value, "ResourceArn")?,
        whole,
        at: time(value.get("CreationDate")),
        ends: time(value.pointer("/CalculatedLifecycle/DeleteAt")),
        key: text(value, "EncryptionKeyArn"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn vaults_with_and_without_a_lock() {
        let body = |more: Value| {
            let mut body = json!({ "BackupVaultName": "v", "BackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:v" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            vault(&body)
        };
        assert_eq!(body(json!({ "Locked": false })).unwrap().locked, Some(false));
        let locked = body(json!({ "Locked": true, "LockDate": 1_516_925_490.087 })).unwrap();
        assert_eq!(locked.date.map(|date| date.to_string()).as_deref(), Some("2018-01-26T00:11:30Z"));
        assert_eq!(body(json!({ "Locked": true })).unwrap().date, None);
        assert_eq!(body(json!({})).unwrap().locked, None);
        assert_eq!(body(json!({ "BackupVaultName": "../x" })), None);
    }

    #[test]
    fn points_that_are_whole() {
        let body = |status: &str| {
            point(
                &json!({ "RecoveryPointArn": "arn:aws:ec2:eu-west-1::snapshot/snap-1", "Status": status, "CreationDate": 1.5e9,
                           "ResourceArn": "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1",
                           "CalculatedLifecycle": { "DeleteAt": 1.6e9 } }),
            )
        };
        assert!(body("COMPLETED").unwrap().whole && body("AVAILABLE").unwrap().whole);
        for status in ["PARTIAL", "DELETING", "EXPIRED", "STOPPED", "CREATING"] {
            assert!(!body(status).unwrap().whole, "{status}");
        }
        assert_eq!(body("COMPLETED").unwrap().ends, Some(Time::from_unix(1_600_000_000)));
        assert_eq!(point(&json!({ "Status": "COMPLETED" })), None);
    }
}
