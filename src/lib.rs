//! The shell of Deadstop: everything that reads files or the environment, or asks a provider.

pub mod collector;
pub mod secret;
pub mod session;
pub mod surroundings;
pub mod walk;
