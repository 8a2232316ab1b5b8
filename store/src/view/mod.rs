//! Views: immutable virtual environments described by one flat manifest each.

pub mod builder;
pub mod description;
pub mod manifest;
mod python2;
