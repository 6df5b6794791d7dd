//! What lies in reach (floor 5).

mod assignment;
mod find;
mod jwt;
mod locator;
mod rules;
mod scan;
