//! `deadstop schema`: the JSON Schema of a file.

use deadstop_core::{assessment::Assessment, bundle::Bundle};
use schemars::schema_for;

use crate::cli::{SchemaArgs, SchemaName};
use crate::{config, manifest, output};

pub(super) fn run(args: &SchemaArgs) -> anyhow::Result<u8> {
    let schema = match args.name {
        SchemaName::Config => schema_for!(config::Raw),
        SchemaName::Facts => schema_for!(Bundle),
        SchemaName::Assessment => schema_for!(Assessment),
        SchemaName::Check => schemars::Schema::try_from(deadstop_core::check::load::json_schema())?,
        SchemaName::Diff => schema_for!(deadstop_core::diff::Diff),
        SchemaName::Tabletop => schema_for!(deadstop_core::tabletop::Record),
        SchemaName::Manifest => schema_for!(manifest::Manifest),
    };
    output::stdout(&format!("{}\n", serde_json::to_string_pretty(&schema)?))?;
    Ok(0)
}
