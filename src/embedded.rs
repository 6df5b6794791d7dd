//! What the binary carries: the report's templates the built-in worlds and the built-in checks.

use deadstop_core::render::Templates;

/// The report's templates.
pub const TEMPLATES: Templates = Templates { files: include!(concat!(env!("OUT_DIR"), "/templates.rs")) };

/// Built-in worlds: file name and text.
pub const WORLDS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/worlds.rs"));

/// Built-in checks: path below `checks/` and text.
pub const CHECKS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/checks.rs"));
