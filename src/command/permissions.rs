//! `deadstop permissions`: the calls that `--live` may make, as a policy to grant.

use clap::ValueEnum as _;
use deadstop_core::quote;
use serde_json::json;

use crate::cli::{Asked, Common, PermissionsArgs};
use crate::config::{self, Config};
use crate::output;
use crate::provider::{self, aws, databases, kubernetes as clusters, railway};

pub(super) fn run(args: &PermissionsArgs, common: &Common) -> anyhow::Result<u8> {
    let named = |name: &String| {
        Asked::from_str(name, true).map_err(|_| {
            let known: Vec<&str> = provider::names().collect();
            anyhow::anyhow!("--provider: this version does not ask {}; it asks {}", quote::word(name), known.join(", "))
        })
    };
    let mut asked = match args.asked {
        Some(asked) => vec![asked],
        None => common.provider.iter().map(named).collect::<anyhow::Result<_>>()?,
    };
    if asked.is_empty() {
        asked.push(Asked::Aws);
    }
    let texts = asked.into_iter().map(|asked| told(asked, common)).collect::<anyhow::Result<Vec<_>>>()?;
    output::stdout(&texts.join("\n"))?;
    Ok(0)
}

fn told(asked: Asked, common: &Common) -> anyhow::Result<String> {
    Ok(match asked {
        Asked::Aws => aws_policy(&config::load(common.config.as_deref())?)?,
        Asked::DigitalOcean => paths("digitalocean", DIGITALOCEAN),
        Asked::Fly => paths("fly", FLY),
        Asked::GitHub => paths("github", GITHUB),
        Asked::Google => paths("google", GOOGLE),
        Asked::Render => paths("render", RENDER),
        Asked::Heroku => paths("heroku", HEROKU),
        Asked::Terraform => paths("terraform", TERRAFORM),
        Asked::Turso => paths("turso", TURSO),
        Asked::Upstash => paths("upstash", UPSTASH),
        Asked::Vercel => paths("vercel", VERCEL),
        Asked::Cloudflare => paths("cloudflare", CLOUDFLARE),
        Asked::Aiven => paths("aiven", AIVEN),
        Asked::Kubernetes => kubernetes(),
        Asked::MongodbAtlas => paths("mongodb_atlas", MONGODB_ATLAS),
        Asked::Mongodb => statements("mongodb", MONGODB),
        Asked::Mysql => statements("mysql", MYSQL),
        Asked::Redis => statements("redis", REDIS),
        Asked::Neon => paths("neon", NEON),
        Asked::Planetscale => paths("planetscale", PLANETSCALE),
        Asked::Postgres => statements("postgres", POSTGRES),
        Asked::Railway => railway_queries(),
        Asked::Supabase => paths("supabase", SUPABASE),
    })
}

const DIGITALOCEAN: &str = "\
# Give a token these custom scopes and no more: account:read, project:read, database:read, droplet:read, image:read,
# block_storage:read, snapshot:read, kubernetes:read, spaces:read. Without database:view_credentials it is shown no password.
# These are the paths that are read; nothing else passes.
";

const FLY: &str = "\
# Make a token of an organization that only reads: fly tokens create readonly
# What a token allows stands in its caveats, which are not read. These are the questions that are asked; nothing else passes.
";

const GITHUB: &str = "\
# Give a classic token the scopes repo and read:org: GitHub tells its scopes, and with these it may push wherever its user may.
# A fine-grained token reads the same with Metadata: read, and is not told what it was granted.
# These are the paths that are read; nothing else passes.
";

const GOOGLE: &str = "\
# Grant a custom role of these permissions, and no more, in each project, or above them:
#   backupdr.dataSourceReferences.list, bigquery.datasets.get, bigquery.tables.list, cloudsql.backupRuns.list,
#   cloudsql.instances.list, compute.disks.list, compute.images.list, compute.instances.list, compute.machineImages.list,
#   compute.snapshots.list, container.clusters.list, datastore.backups.list, datastore.databases.list,
#   iam.serviceAccounts.list, resourcemanager.projects.get, secretmanager.secrets.list, spanner.backups.list,
#   spanner.databases.list, spanner.instances.list, storage.buckets.list
# What an identity may do it asks itself (testIamPermissions), which takes no permission. A key of a service account is not sent: a
# statement that it signs is shown for a token of an hour. These are the methods that are called, by the names of Google's own
# discovery documents; nothing else passes.
";

const RENDER: &str = "\
# Give a scoped key Read for every resource of the workspace. A classic key may do all that its user may, and no call tells
# the two apart. These are the paths that are read; nothing else passes.
";

const HEROKU: &str = "\
# Make an authorization of the scope read and no more: heroku authorizations:create --scope read
# These are the paths that are read; nothing else passes.
";

const TERRAFORM: &str = "\
# Make a token of a team that may read every workspace and project, and nothing more: each of them then says what a token may
# do to it. These are the paths that are read; nothing else passes.
";

const TURSO: &str = "\
# Make a token of an organization, or of a group with the scope read-only. No call tells a token what it was granted.
# These are the paths that are read; nothing else passes.
";

const UPSTASH: &str = "\
# Make a key that only reads. No call tells it from one that does not. Lists of indexes come with their tokens, which are not
# kept, and with which their data can be deleted. These are the paths that are read; nothing else passes.
";

const VERCEL: &str = "\
# Vercel has no token for reading alone: make one of the scope of a team, as a user who only views it. A token tells its scopes.
# Lists of projects come with their variables, which are not kept. These are the paths that are read; nothing else passes.
";

const CLOUDFLARE: &str = "\
# Give a token these permissions and no more: API Tokens Read, Account Settings Read, Workers R2 Storage Read, D1 Read, Workers
# KV Storage Read. With the first it reads its own policies. These are the paths that are read; nothing else passes.
";

const AIVEN: &str = "\
# Give the user of a token the role read_only in each project, and no more: a token may do all that its user may. Lists of
# services come with their passwords, which are not kept. These are the paths that are read; nothing else passes.
";

const MONGODB: &str = "\
// A login is asked about itself, which takes no role. To have it list every database:
//   db.createRole({role: 'lister', privileges: [{resource: {cluster: true}, actions: ['listDatabases']}], roles: []})
// and to have it weigh collections, the role read of a database. Each command goes with maxTimeMS and a read preference.
// These are the commands, with a collection's name for {}; before a login, hello and listDatabases are asked, too.
";

const MONGODB_ATLAS: &str = "\
# Give a key the role Project Read Only in each project, and no more. Whether a backup compliance policy keeps snapshots takes
# Project Owner to read, and stays unknown without. A key is proven, and not sent (HTTP Digest).
# These are the paths that are read; nothing else passes.
";

const NEON: &str = "\
# Neon has no key for reading alone, so there is nothing to grant: a key may delete what it may read, but that a key of one
# project cannot delete the project. These are the paths that are read; nothing else passes.
";

const PLANETSCALE: &str = "\
# Give a service token these accesses and no more. With read_service_tokens it is told what each token may do.
#   organization: read_organization, read_databases, read_service_tokens
#   each database: read_database, read_branch, read_backups
# These are the paths that are read; nothing else passes.
";

const SUPABASE: &str = "\
# Give a scoped token these permissions and no more: organizations_read, members_read, projects_read,
# branching_production_read, branching_development_read, backups_read, storage_read. A classic access token may do all that
# its user may. These are the paths that are read; nothing else passes.
";

const POSTGRES: &str = "\
-- Every login may read the catalogue, so that nothing is to be granted: a login is asked about itself. It is connected to
-- with these settings, and each question is asked in a transaction of its own that is read only and rolled back:
--   default_transaction_read_only=on, statement_timeout=5s, lock_timeout=1s, search_path=pg_catalog, pg_temp
-- Where rights were taken away from a table of the catalogue that is asked below, these give them back:
--   GRANT CONNECT ON DATABASE … TO login;
--   GRANT SELECT ON pg_catalog.… TO PUBLIC;  -- never on pg_authid or pg_shadow, which hold passwords and are not asked
-- These are the statements, to the letter; nothing else passes.
";

const MYSQL: &str = "\
-- Every login may ask about itself, so that nothing is to be granted. The session is set to read only first, and is seen to be:
--   SET SESSION TRANSACTION READ ONLY; lock_wait_timeout = 1; max_statement_time = 5 (MariaDB), max_execution_time = 5000 (MySQL)
-- A login that is to see every database, whatever its rights to them:
--   GRANT SHOW DATABASES ON *.* TO login;
-- These are the statements, to the letter; nothing else passes.
";

const REDIS: &str = "\
# A login is asked about itself. Few may ask that; it changes nothing to let them:
#   ACL SETUSER login +acl|whoami +acl|getuser +info
# ACL GETUSER answers with hashes of the login's passwords, too, which are not kept.
# These are the commands, with the login's own name for {}; nothing else passes.
";

/// What a read asks for beside its own name: all stacks are described to whoever may list them, too (`DescribeStacks`).
const BESIDE: [&str; 1] = ["cloudformation:ListStacks"];

/// What is granted to ask a database, and the statements that it is asked.
fn statements(provider: &str, granted: &str) -> String {
    let engine = databases::ENGINES.iter().find(|engine| engine.name == provider);
    let each = engine.map(|engine| engine.questions.list).unwrap_or_default().iter();
    let (mark, before, end) = match provider {
        "redis" => ("#", "", ""),
        "mongodb" => ("//", "{", "}"),
        _ => ("--", "", ";"),
    };
    each.fold(granted.to_owned(), |text, one| format!("{text}\n{mark} {}\n{before}{}{end}\n", one.operation, one.text))
}

const KUBERNETES: &str = "\
# Every identity may ask about itself (the role system:basic-user), which stores nothing. To have one list what lies in a
# cluster, bind it to this role. It reads no secret, and nothing else passes.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: deadstop-reads
rules:
";

/// The lists that are read of a cluster as a role, and the reviews.
fn kubernetes() -> String {
    let mut text = KUBERNETES.to_owned();
    for (group, resources) in clusters::lists() {
        let resources = resources.into_iter().collect::<Vec<_>>().join(", ");
        text += &format!("  - {{apiGroups: [\"{group}\"], resources: [{resources}], verbs: [list]}}\n");
    }
    clusters::operations().filter(|one| one.starts_with("create")).fold(text, |text, one| text + "# " + one + "\n")
}

/// What is granted to read a provider, and the paths that are read.
fn paths(provider: &str, granted: &str) -> String {
    let plan = provider::plans().find(|plan| plan.provider == provider);
    let operations = plan.map(|plan| plan.operations).unwrap_or_default();
    operations.iter().fold(granted.to_owned(), |text, operation| text + operation + "\n")
}

/// The reads of AWS as an IAM policy; and, for the profile, to take on the roles that the configuration names.
fn aws_policy(config: &Config) -> anyhow::Result<String> {
    // Whoever may call at all may ask who it is: that takes no permission (AWS STS API reference).
    // What a sign-in lists is asked with its token, which no policy is asked about.
    let granted = |operation: &&str| *operation != "sts:GetCallerIdentity" && !operation.starts_with("sso:");
    let actions: Vec<&str> = aws::operations().filter(granted).chain(BESIDE).collect();
    let mut statements = vec![json!({ "Sid": "DeadstopReads", "Effect": "Allow", "Action": actions, "Resource": "*" })];
    let roles = config.providers.get("aws").map(|aws| &aws.roles).filter(|roles| !roles.is_empty());
    statements.extend(roles.map(
        |roles| json!({ "Sid": "DeadstopRoles", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles }),
    ));
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    Ok(format!("{}\n", serde_json::to_string_pretty(&policy)?))
}

/// The reads of Railway, which has no policy that a token could be granted.
fn railway_queries() -> String {
    let mut text = String::from(
        "# Railway has no token for reading alone, so there is nothing to grant: a token of a workspace or an account may\n\
         # delete what it may read. A project token of one environment reaches the least. These are the queries that are\n\
         # sent, to the letter; nothing else passes.\n",
    );
    for (_, document) in railway::operations() {
        text.push_str(document);
        text.push('\n');
    }
    text
}
