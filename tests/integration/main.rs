//! The program as its users meet it, and the rules that its sources keep.

#![expect(clippy::unwrap_used, clippy::panic, clippy::string_slice, reason = "a test that cannot go on fails")]

mod agent_programs;
mod canaries;
mod checks;
mod commands;
mod diff;
mod documents;
mod export;
mod failures;
mod fingerprints;
mod fix;
mod floors;
mod formats;
mod fuzz;
mod handout;
mod program;
mod setup;
mod signatures;
mod tabletop;
mod templates;
mod verify;
mod what_if;
mod wrong;
