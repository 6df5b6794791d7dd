//! `deadstop collect`: this machine in, a facts bundle out.

use std::sync::atomic::AtomicBool;

use crate::cli::{CollectArgs, Common};

pub(super) fn run(_args: &CollectArgs, _common: &Common, _stop: &AtomicBool) -> anyhow::Result<u8> {
    anyhow::bail!("x")
}
