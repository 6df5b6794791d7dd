//! What may be typed about rights: what an auditor needs, and what policies decide.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Whose permissions.
#[derive(Args, Debug)]
pub struct PermissionsArgs {
    /// The provider; without it those of `--provider`, and without that AWS.
    // INVARIANT: not named as `--provider` is, which goes with every command.
    #[arg(value_enum, value_name = "PROVIDER")]
    pub asked: Option<Asked>,
}

/// Providers that are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Asked {
    /// Aiven: the role of a user, and the paths that are read.
    Aiven,
    /// AWS: an IAM policy.
    Aws,
    /// Cloudflare: the permissions of a token, and the paths that are read.
    Cloudflare,
    /// DigitalOcean: the scopes of a token, and the paths that are read.
    #[value(name = "digitalocean")]
    DigitalOcean,
    /// Fly.io: the kind of token, and what is asked.
    Fly,
    /// GitHub: the scopes of a token, and the paths that are read.
    #[value(name = "github")]
    GitHub,
    /// Google Cloud: the permissions of a role, and the calls that are made.
    #[value(alias = "gcp")]
    Google,
    /// Heroku: the scope of an authorization, and the paths that are read.
    Heroku,
    /// Kubernetes: a role that lists what is read, and the calls that are made.
    Kubernetes,
    /// MongoDB: the rights of a login, and the commands that are asked.
    Mongodb,
    /// MongoDB Atlas: the role of a key, and the paths that are read.
    #[value(name = "mongodb_atlas")]
    MongodbAtlas,
    /// MySQL and MariaDB: the rights of a login, and the statements that are asked.
    Mysql,
    /// Neon: the paths that are read. It has no key for reading alone.
    Neon,
    /// PlanetScale: the accesses of a service token, and the paths that are read.
    Planetscale,
    /// PostgreSQL: the rights of a login, and the statements that are asked.
    Postgres,
    /// Railway: the queries that are sent. It has no rights narrower than a workspace or an environment.
    Railway,
    /// Redis: the rights of a login, and the commands that are asked.
    Redis,
    /// Render: the permissions of a key, and the paths that are read.
    Render,
    /// Supabase: the scopes of a token, and the paths that are read.
    Supabase,
    /// HCP Terraform: the permissions of a team, and the paths that are read.
    Terraform,
    /// Turso: the scopes of a token, and the paths that are read.
    Turso,
    /// Upstash: the kind of key, and the paths that are read.
    Upstash,
    /// Vercel: the scope of a token, and the paths that are read.
    Vercel,
}

/// Arguments of `iam`.
#[derive(Args, Debug)]
pub struct IamArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: IamCommand,
}

/// What can be done with policies of AWS.
#[derive(Debug, Subcommand)]
pub enum IamCommand {
    /// Decide requests against policies, by AWS's documented evaluation logic: JSON in, JSON out.
    #[command(after_help = IAM_EXAMPLE)]
    Simulate(SimulateArgs),
}

const IAM_EXAMPLE: &str = r#"The input is one request, or a list of them:
  {"request": {"principal": "arn:aws:iam::111122223333:user/ci", "action": "s3:DeleteBucket",
               "resource": {"resource": "arn:aws:s3:::prod", "accountId": "111122223333"}, "context": {}},
   "identityPolicies": [{"name": "p", "policy": {"Version": "2012-10-17", "Statement": []}}],
   "permissionBoundaries": [], "sessionPolicy": null, "serviceControlPolicies": [],
   "resourceControlPolicies": [], "resourcePolicy": null}
Without `permissionBoundaries` there is none; an empty list allows nothing. A key that is not in the context is absent;
with "contextComplete": false it is not known, and the decision may be `Depends`.

Exit codes: 0 every request decided · 2 malformed input · 3 a decision depends on what is not known"#;

/// Arguments of `iam simulate`.
#[derive(Args, Debug)]
pub struct SimulateArgs {
    /// The requests; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    pub input: PathBuf,
}
