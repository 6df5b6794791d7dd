//! What is asked of Railway: GraphQL documents, each sent to the letter. `tests/railway` holds them against the published
//! schema (`src/gql/schema.json` of <https://github.com/railwayapp/cli>). None asks for a variable or a credential.

use crate::readonly::{Answer, Read, Reads, Shape};

/// The host of the public API (docs.railway.com, `integrations/api`).
pub(in crate::provider) const HOST: &str = "backboard.railway.com";

pub(super) const PROJECT_TOKEN: &str = "query projectToken";
pub(super) const API_TOKEN: &str = "query apiToken";
pub(super) const ME: &str = "query me";
pub(super) const ROLES: &str = "query me.workspaces";
pub(super) const EXTERNAL: &str = "query externalWorkspaces";
pub(super) const PROJECTS: &str = "query projects";
pub(super) const ENVIRONMENTS: &str = "query environments";
pub(super) const BUCKETS: &str = "query project.buckets";
pub(super) const VOLUMES: &str = "query environment.volumeInstances";
pub(super) const SERVICES: &str = "query environment.serviceInstances";
pub(super) const BACKUPS: &str = "query volumeInstanceBackupList";
pub(super) const SCHEDULES: &str = "query volumeInstanceBackupScheduleList";

const fn ask(operation: &'static str, text: &'static str) -> Read {
    Read { operation, shape: Shape::Document { path: "/graphql/v2", text } }
}

/// The only calls that are ever sent.
pub(in crate::provider) static READS: Reads = Reads {
    provider: "railway",
    own_host: |host| host == HOST,
    throttled: |answer: &Answer| answer.status == 429,
    list: &[
        ask(
            PROJECT_TOKEN,
            "query ProjectToken { projectToken { project { id name workspaceId } environment { id name isEphemeral } } }",
        ),
        ask(API_TOKEN, "query ApiToken { apiToken { workspaces { id name } } }"),
        ask(ME, "query Me { me { id } }"),
        ask(ROLES, "query Roles { me { workspaces { id name redactedDueTo2FAPending members { id role } } } }"),
        ask(EXTERNAL, "query External { externalWorkspaces { id name projects { id name } } }"),
        ask(
            PROJECTS,
            "query Projects($workspaceId: String!, $after: String) { \
             projects(workspaceId: $workspaceId, first: 100, after: $after) { \
             pageInfo { hasNextPage endCursor } edges { node { id name } } } }",
        ),
        ask(
            ENVIRONMENTS,
            "query Environments($projectId: String!, $after: String) { \
             environments(projectId: $projectId, first: 100, after: $after) { \
             pageInfo { hasNextPage endCursor } edges { node { id name isEphemeral canAccess } } } }",
        ),
        ask(
            BUCKETS,
            "query Buckets($projectId: String!, $after: String) { project(id: $projectId) { \
             buckets(first: 100, after: $after) { pageInfo { hasNextPage endCursor } edges { node { id name } } } } }",
        ),
        ask(
            VOLUMES,
            "query Volumes($environmentId: String!, $projectId: String!, $after: String) { \
             environment(id: $environmentId, projectId: $projectId) { volumeInstances(first: 100, after: $after) { \
             pageInfo { hasNextPage endCursor } edges { node { id volumeId serviceId mountPath currentSizeMB state \
             isPendingDeletion volume { name } } } } } }",
        ),
        ask(
            SERVICES,
            "query Services($environmentId: String!, $projectId: String!, $after: String) { \
             environment(id: $environmentId, projectId: $projectId) { serviceInstances(first: 100, after: $after) { \
             pageInfo { hasNextPage endCursor } edges { node { serviceId serviceName source { image repo } } } } } }",
        ),
        ask(
            BACKUPS,
            "query Backups($volumeInstanceId: String!) { volumeInstanceBackupList(volumeInstanceId: $volumeInstanceId) { \
             id name createdAt expiresAt scheduleId } }",
        ),
        ask(
            SCHEDULES,
            "query Schedules($volumeInstanceId: String!) { \
             volumeInstanceBackupScheduleList(volumeInstanceId: $volumeInstanceId) { id kind } }",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_one_query() {
        for read in READS.list {
            let Shape::Document { text, .. } = read.shape else { panic!("{}", read.operation) };
            assert!(text.starts_with("query ") && read.operation.starts_with("query "), "{text}");
            assert!(!text.contains("mutation") && !text.contains("subscription"), "{text}");
            // One operation: the braces close once, at the end.
            let mut depth = 0;
            for (at, c) in text.char_indices() {
                depth += i32::from(c == '{') - i32::from(c == '}');
                assert!(c != '}' || depth > 0 || at + 1 == text.len(), "{text}");
            }
            assert_eq!(depth, 0, "{text}");
            for secret in ["variables", "Credential", "displayToken", "config", "email"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}
