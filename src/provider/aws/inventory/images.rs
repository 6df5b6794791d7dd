//! Repositories of images (ECR API reference: `DescribeRepositories`, `GetRepositoryPolicy`, `GetRegistryPolicy`,
//! `DescribeRegistry`, `DeleteRepository`). Replication puts images into other registries, and does not take them away there.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::model::Class;
use serde_json::{Value, json};

use super::parts::{Listing, arn, own_policy, tags, text};
use super::{Desk, Seen};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::rights::{Opens, ResourcePolicy};

const LIST: &str = "ecr:DescribeRepositories";
/// A rule may expire all but the newest images, or those that have lost their tag to another (ECR User Guide,
/// `LifecyclePolicies`).
const PUSH: &str = "ecr:PutImage";
const REPOSITORIES: Listing = Listing {
    service: "ecr",
    target: "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
    items: "repositories",
    next: ("nextToken", "nextToken"),
};

#[derive(Debug, PartialEq, Eq)]
struct Repository {
    arn: String,
    name: String,
    key: Option<String>,
}

fn repository(value: &Value) -> Option<Repository> {
    Some(Repository {
        arn: arn(value, "repositoryArn")?,
        name: text(value, "repositoryName")?,
        key: value.get("encryptionConfiguration").and_then(|of| text(of, "kmsKey")),
    })
}

fn call(client: &Client<'_>, operation: &str, body: &Value) -> Result<Value, Fault> {
    client.target("ecr", &format!("AmazonEC2ContainerRegistry_V20150921.{operation}"), "1.1", body)
}

/// What is told of the registry as a whole.
struct Registry {
    /// Whether it has a policy of its own, which speaks of every repository.
    ruled: Result<bool, Gap>,
    replicates: Result<bool, Gap>,
}

/// Lists the repositories of the desk's Region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    let body = json!({ "maxResults": 1000 });
    let repositories = match desk.ask(LIST, None, |client| REPOSITORIES.read(client, &body, repository)) {
        Ok(repositories) => repositories,
        Err(gap) => return desk.unlisted.push(gap),
    };
    if repositories.is_empty() {
        return;
    }
    let registry = Registry {
        ruled: desk.ask("ecr:GetRegistryPolicy", None, |client| match call(client, "GetRegistryPolicy", &json!({})) {
            Err(fault) if fault.says(&["RegistryPolicyNotFoundException"]) => Ok(false),
            other => text(&other?, "policyText").ok_or_else(Fault::malformed).map(|_| true),
        }),
        replicates: desk.ask("ecr:DescribeRegistry", None, |client| {
            let answer = call(client, "DescribeRegistry", &json!({}))?;
            let rules = answer.pointer("/replicationConfiguration/rules").and_then(Value::as_array);
            rules.map(|rules| !rules.is_empty()).ok_or_else(Fault::malformed)
        }),
    };
    for repository in &repositories {
        one(desk, repository, &registry);
    }
}

fn one(desk: &mut Desk<'_>, repository: &Repository, registry: &Registry) {
    let by_name = json!({ "repositoryName": repository.name });
    let policy = desk.ask("ecr:GetRepositoryPolicy", Some(&repository.name), |client| {
        match call(client, "GetRepositoryPolicy", &by_name) {
            Err(fault) if fault.says(&["RepositoryPolicyNotFoundException"]) => Ok(None),
            other => text(&other?, "policyText").ok_or_else(Fault::malformed).map(Some),
        }
    });
    let policy = match registry.ruled {
        Ok(false) => own_policy(&policy, "repository's policy"),
        Ok(true) | Err(_) => ResourcePolicy::NotKnown("registry's policy"),
    };
    let copies = match &registry.replicates {
        Ok(false) => Fact::Known(Listed::Complete),
        Ok(true) => desk.unread("what replication has put elsewhere was not compared"),
        Err(gap) => Fact::Unknown(gap.clone()),
    };
    let tags = marks(desk, repository);
    let id = desk.asset(Seen {
        arn: &repository.arn,
        kind: "image_repository",
        class: Class::Repository,
        name: &repository.name,
        tags: &tags,
        protections: Fact::Known(Listed::Complete),
        copies,
        holds: None,
        operation: LIST,
        key: repository.key.as_deref(),
        policy,
    });
    let pushed = "what a new image lets expire or takes the tag from was not worked out";
    desk.also(&id, PUSH, id.as_str());
    desk.perhaps(&id, PUSH, "push images until the others expire", pushed);
    desk.policy_calls(
        &id,
        &[
            ("ecr:SetRepositoryPolicy", Opens::Gives),
            ("ecr:DeleteRepositoryPolicy", Opens::Frees),
            ("ecr:PutRegistryPolicy", Opens::Gives),
            ("ecr:DeleteRegistryPolicy", Opens::Frees),
        ],
    );
}

fn marks(desk: &mut Desk<'_>, repository: &Repository) -> BTreeMap<String, String> {
    let body = json!({ "resourceArn": repository.arn });
    let name = Some(repository.name.as_str());
    let answer = desk.ask("ecr:ListTagsForResource", name, |client| call(client, "ListTagsForResource", &body));
    answer.map(|answer| tags(answer.get("tags"), "Key", "Value")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories() {
        let body = json!({ "repositoryArn": "arn:aws:ecr:eu-west-1:111122223333:repository/app", "repositoryName": "app",
                           "encryptionConfiguration": { "encryptionType": "KMS", "kmsKey": "k" } });
        assert_eq!(repository(&body).unwrap().key.as_deref(), Some("k"));
        assert_eq!(repository(&json!({ "repositoryName": "app" })), None);
    }
}
