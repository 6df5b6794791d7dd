//! The shell of Deadstop: what touches files, the environment and the terminal. Not a public interface; the binary and
//! the integration tests use it.
//!
//! - 6: `cli`, `command`: say what to do, print, give the exit code
//! - 5: `collector`, `session`, `provider`, `machine`: read the world
//! - 4: `secret`, `surroundings`, `walk`, `exit`, `manifest`, `signature`, `output`, `log`, `config`, `embedded`, `readonly`

pub mod cli;
pub mod collector;
pub mod command;
pub mod config;
pub mod embedded;
pub mod exit;
pub mod log;
pub mod machine;
pub mod manifest;
pub mod output;
pub mod provider;
pub mod readonly;
pub mod secret;
pub mod session;
pub mod signature;
pub mod surroundings;
pub mod walk;
