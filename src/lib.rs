//! The shell of Deadstop: everything that reads files or the environment, or asks a provider.

pub mod session;
