//! The demos: what omnipkg is for, shown for real and timed.

mod seven;
mod stage;
mod uv;

use crate::settings::Settings;
use anyhow::{Result, bail};

/// Runs a demo, or lists them.
pub fn demo(settings: &Settings, number: Option<u32>, python: Option<&str>) -> Result<u8> {
    match number {
        None => {
            println!("7  a script that asserts another version is healed, and starts healed the second time");
            Ok(0)
        }
        Some(7) => seven::run(settings, python),
        Some(number) => bail!("there is no demo {number}; `omnipkg demo` lists them"),
    }
}
