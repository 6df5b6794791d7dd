//! Terraform state: what it says exists, and the secrets in it (floor 5). It is a past reading: what it says of
//! protections is not taken for what they are now.

use deadstop_core::model::Class;
use serde_json::Value;

use crate::collector::collect::from_raw;
use crate::collector::document::{json, text_at};
use crate::collector::find::{Finds, Node};
use crate::collector::store::Context;

/// Terraform's type, and provider, kind and class as the catalogue of actions names them.
const TYPES: [(&str, &str, &str, Class); 27] = [
    ("aws_db_instance", "aws", "db_instance", Class::Database),
    ("aws_rds_cluster", "aws", "db_cluster", Class::Database),
    ("aws_docdb_cluster", "aws", "db_cluster", Class::Database),
    ("aws_neptune_cluster", "aws", "db_cluster", Class::Database),
    ("aws_redshift_cluster", "aws", "redshift_cluster", Class::Database),
    ("aws_dynamodb_table", "aws", "table", Class::Store),
    ("aws_elasticache_replication_group", "aws", "cache", Class::Store),
    ("aws_s3_bucket", "aws", "bucket", Class::Bucket),
    ("aws_ebs_volume", "aws", "volume", Class::Volume),
    ("aws_efs_file_system", "aws", "file_system", Class::Volume),
    ("aws_kms_key", "aws", "key", Class::Key),
    ("aws_secretsmanager_secret", "aws", "secret", Class::Key),
    ("aws_backup_vault", "aws", "vault", Class::Vault),
    ("aws_eks_cluster", "aws", "cluster", Class::Cluster),
    ("aws_opensearch_domain", "aws", "search_domain", Class::Index),
    ("google_sql_database_instance", "google", "db_instance", Class::Database),
    ("google_storage_bucket", "google", "bucket", Class::Bucket),
    ("google_bigquery_dataset", "google", "dataset", Class::Database),
    ("google_compute_disk", "google", "disk", Class::Volume),
    ("google_container_cluster", "google", "cluster", Class::Cluster),
    ("google_spanner_database", "google", "spanner_database", Class::Database),
    ("azurerm_postgresql_flexible_server", "azure", "postgres_server", Class::Database),
    ("azurerm_mysql_flexible_server", "azure", "mysql_server", Class::Database),
    ("azurerm_mssql_database", "azure", "sql_database", Class::Database),
    ("azurerm_storage_account", "azure", "storage_account", Class::Bucket),
    ("azurerm_managed_disk", "azure", "disk", Class::Volume),
    ("azurerm_key_vault", "azure", "key_vault", Class::Key),
];

/// Attributes that hold a password whatever it looks like.
const PASSWORDS: [&str; 6] = [
    "password",
    "master_password",
    "root_password",
    "admin_password",
    "administrator_password",
    "administrator_login_password",
];

/// Every managed resource.
pub(super) fn state(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(value) = json(text) else { return false };
    let Some(resources) = value.get("resources").and_then(Value::as_array) else {
        // `.terraform/terraform.tfstate` holds the backend alone.
        return value.get("version").is_some() || value.get("backend").is_some();
    };
    for resource in resources.iter().filter(|resource| text_at(resource, &["mode"]) != Some("data")) {
        let (Some(kind), Some(name)) = (text_at(resource, &["type"]), text_at(resource, &["name"])) else { continue };
        for instance in resource.get("instances").and_then(Value::as_array).into_iter().flatten() {
            let Some(attributes) = instance.get("attributes") else { continue };
            asset(context, text, (kind, name), attributes, out);
            secrets(context, text, (kind, name), attributes, out);
        }
    }
    true
}

fn asset(context: &Context<'_>, text: &str, (kind, name): (&str, &str), attributes: &Value, out: &mut Finds) {
    let Some((_, provider, asset_kind, class)) = TYPES.iter().find(|(known, ..)| *known == kind) else { return };
    let id = text_at(attributes, &["arn"]).or_else(|| text_at(attributes, &["id"]));
    let Some(id) = id else { return };
    let node = if id.contains(':') || id.starts_with('/') { id.to_owned() } else { format!("terraform:{kind}/{id}") };
    let shown =
        ["identifier", "cluster_identifier", "bucket", "name"].iter().find_map(|key| text_at(attributes, &[key]));
    let spot = context.spot(
        context.line_of(text, if id.starts_with("arn:") { "\"arn\"" } else { "\"id\"" }, id),
        &format!("{kind}.{name}"),
    );
    let (account, account_kind) = match *provider {
        "aws" => (id.split(':').nth(4).filter(|account| !account.is_empty()), "account"),
        "google" => (text_at(attributes, &["project"]), "project"),
        _ => (id.strip_prefix("/subscriptions/").and_then(|rest| rest.split('/').next()), "subscription"),
    };
    let parent = account.map(|account| format!("{provider}:{account_kind}/{account}"));
    if let (Some(parent), Some(account)) = (&parent, account) {
        out.nodes.push(Node {
            id: parent.clone(),
            provider: (*provider).to_owned(),
            kind: account_kind.to_owned(),
            class: Class::Container,
            name: account.to_owned(),
            parent: None,
            spot: spot.clone(),
        });
    }
    out.nodes.push(Node {
        id: node,
        provider: (*provider).to_owned(),
        kind: (*asset_kind).to_owned(),
        class: *class,
        name: shown.unwrap_or(name).to_owned(),
        parent,
        spot,
    });
}

fn secrets(context: &Context<'_>, text: &str, (kind, name): (&str, &str), attributes: &Value, out: &mut Finds) {
    if kind == "aws_iam_access_key"
        && let (Some(id), Some(secret)) = (text_at(attributes, &["id"]), text_at(attributes, &["secret"]))
    {
        let key = format!("{kind}.{name}");
        let mut find = context.find("aws", "access_key", secret, context.line_of(text, "\"id\"", id), &key);
        find.public_id = Some(id.to_owned());
        out.finds.push(find);
    }
    for (attribute, value) in attributes.as_object().into_iter().flatten() {
        let Some(value) = value.as_str().filter(|value| !value.is_empty()) else { continue };
        let key = format!("{kind}.{name}.{attribute}");
        // Looked for only once there is something to place: a state may hold very many attributes.
        let line = || context.line_of(text, &format!("\"{attribute}\""), value);
        if PASSWORDS.contains(&attribute.as_str()) {
            let engine = text_at(attributes, &["engine"]).unwrap_or_default();
            let provider = ["postgres", "mysql"].into_iter().find(|known| engine.contains(known)).unwrap_or("unknown");
            out.finds.push(context.find(provider, "password", value, line(), &key));
            continue;
        }
        for raw in context.scanner.pair(attribute, value) {
            if let Some(mut find) = from_raw(raw, context.spot(line(), &key), out) {
                find.parsed = true;
                out.finds.push(find);
            }
        }
    }
}
