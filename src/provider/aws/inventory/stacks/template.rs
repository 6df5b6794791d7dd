//! What of a template says whether a resource goes with its stack (CloudFormation Template Reference,
//! `aws-attribute-deletionpolicy`). A template may hold passwords: nothing else of it is kept.

use std::collections::BTreeMap;

use roxmltree::Document;
use serde::Deserialize;

use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::reads::CLOUDFORMATION;
use crate::provider::aws::xml;

/// What becomes of a resource when its stack is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider::aws) enum Kept {
    /// It is deleted.
    Nothing,
    /// It is deleted once a snapshot was taken.
    Snapshot,
    /// It stays.
    Itself,
}

/// The parts of a template; `V` is any value of the format that it is written in.
#[derive(Deserialize)]
struct Template<V> {
    #[serde(rename = "Resources")]
    resources: BTreeMap<String, Resource<V>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource<V> {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default = "nothing")]
    deletion_policy: Option<V>,
    #[serde(default = "nothing")]
    properties: Option<Properties<V>>,
}

#[derive(Deserialize)]
struct Properties<V> {
    #[serde(rename = "DBClusterIdentifier", default = "nothing")]
    cluster: Option<V>,
}

const fn nothing<V>() -> Option<V> {
    None
}

/// What each resource of a stack is set to leave behind, by its name in the template. One that is not told is not there.
pub(super) fn read(client: &Client<'_>, stack: &str) -> Result<BTreeMap<String, Kept>, Fault> {
    let fields = [("StackName", stack), ("TemplateStage", "Processed")];
    let answer = client.form("cloudformation", "GetTemplate", CLOUDFORMATION, &fields)?;
    of_answer(&answer).ok_or_else(Fault::malformed)
}

fn of_answer(answer: &str) -> Option<BTreeMap<String, Kept>> {
    let document = Document::parse(answer).ok()?;
    let body = xml::text(xml::result(&document)?, "TemplateBody")?;
    if body.starts_with('{') {
        let template: Template<serde_json::Value> = serde_json::from_str(body).ok()?;
        Some(told(template, serde_json::Value::as_str))
    } else {
        let template: Template<serde_yaml::Value> = serde_yaml::from_str(body).ok()?;
        // What a function works out is a value with a tag, or a mapping, and no text.
        let plain = |value: &serde_yaml::Value| matches!(value, serde_yaml::Value::String(_));
        Some(told(template, |value| value.as_str().filter(|_| plain(value))))
    }
}

fn told<V>(template: Template<V>, text: impl Fn(&V) -> Option<&str>) -> BTreeMap<String, Kept> {
    let kept = |resource: &Resource<V>| match &resource.deletion_policy {
        Some(policy) => match text(policy)? {
            "Delete" => Some(Kept::Nothing),
            "Snapshot" => Some(Kept::Snapshot),
            // "RetainExceptOnCreate behaves like Retain", but for what fails as it is made.
            "Retain" | "RetainExceptOnCreate" => Some(Kept::Itself),
            _ => None,
        },
        // "The default policy is Snapshot for AWS::RDS::DBCluster resources and for AWS::RDS::DBInstance resources that
        // don't specify the DBClusterIdentifier property."
        None => Some(match resource.kind.as_str() {
            "AWS::RDS::DBCluster" => Kept::Snapshot,
            "AWS::RDS::DBInstance" if resource.properties.as_ref().is_none_or(|own| own.cluster.is_none()) => {
                Kept::Snapshot
            }
            _ => Kept::Nothing,
        }),
    };
    template.resources.into_iter().filter_map(|(name, resource)| Some((name, kept(&resource)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(body: &str) -> Option<BTreeMap<String, Kept>> {
        let body = body.replace('&', "&amp;").replace('<', "&lt;");
        of_answer(&format!(
            "<GetTemplateResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><GetTemplateResult>\
             <TemplateBody>{body}</TemplateBody><StagesAvailable><member>Original</member></StagesAvailable>\
             </GetTemplateResult></GetTemplateResponse>"
        ))
    }

    #[test]
    fn what_goes_with_its_stack() {
        let json = r#"{"Parameters": {"Password": {"Type": "String"}}, "Resources": {
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "t"}},
            "Kept": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "RetainExceptOnCreate"},
            "Db": {"Type": "AWS::RDS::DBInstance", "Properties": {"MasterUserPassword": {"Ref": "Password"}}},
            "Member": {"Type": "AWS::RDS::DBInstance", "Properties": {"DBClusterIdentifier": {"Ref": "Db"}}},
            "Gone": {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Delete"},
            "Perhaps": {"Type": "AWS::S3::Bucket", "DeletionPolicy": {"Ref": "Policy"}}}}"#;
        let all = read_of(json).unwrap();
        let expected = [
            ("Db", Kept::Snapshot),
            ("Gone", Kept::Nothing),
            ("Kept", Kept::Itself),
            ("Member", Kept::Nothing),
            ("Table", Kept::Nothing),
        ];
        assert_eq!(all, expected.map(|(name, kept)| (name.to_owned(), kept)).into());
    }

    /// The short forms of functions are tags of YAML (`intrinsic-function-reference`).
    #[test]
    fn in_yaml() {
        let yaml = "Resources:\n  Db:\n    Type: AWS::RDS::DBCluster\n    DeletionPolicy: Retain\n    Properties:\n      \
                    MasterUserPassword: !Sub '{{resolve:secretsmanager:${Secret}}}'\n      Subnets: !Split [',', !ImportValue x]\n  \
                    Bucket:\n    Type: AWS::S3::Bucket\n  Perhaps:\n    Type: AWS::S3::Bucket\n    DeletionPolicy: !If [A, Retain, Delete]\n";
        let all = read_of(yaml).unwrap();
        assert_eq!(all.get("Db"), Some(&Kept::Itself));
        assert_eq!(all.get("Bucket"), Some(&Kept::Nothing));
        assert_eq!(all.get("Perhaps"), None);
    }

    #[test]
    fn what_cannot_be_understood_is_no_template() {
        for body in ["", "{", "Resources: [", "{\"Resources\": {\"A\": {}}}", "hello"] {
            assert_eq!(read_of(body), None, "{body}");
        }
        assert_eq!(of_answer("<GetTemplateResponse><GetTemplateResult/></GetTemplateResponse>"), None);
    }
}
