//! What the binary carries: the report's templates and the built-in worlds.

use deadstop_core::render::Templates;

/// The report's templates.
pub const TEMPLATES: Templates = Templates { files: include!(concat!(env!("OUT_DIR"), "/templates.rs")) };

/// Built-in worlds: file name and text.
pub const WORLDS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/worlds.rs"));
