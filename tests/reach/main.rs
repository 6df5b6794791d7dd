//! What is in reach of a made-up home, and what a hostile tree does to the reading of it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot set up its world has failed"
)]

mod canary;
mod history;
mod hostile;
mod hosting;
mod planted;
mod reused;
mod sealed;
mod stores;
mod support;
mod written;
