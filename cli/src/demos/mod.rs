//! The demos: what omnipkg is for, shown for real and timed.

mod eight;
mod eight_uv;
mod five;
mod five_uv;
pub mod lasting;
mod seven;
mod seven_uv;
mod stage;
mod table;
mod temporary;
mod uv;

use crate::settings::Settings;
use anyhow::{Result, bail};

/// What there is.
const LIST: &str = "\
5  a pipeline whose halves need different Pythons: numpy 1 on 3.9, then tensorflow on 3.11
7  a script that asserts another version is healed, and starts healed the second time
8  three Pythons with three versions of one project, at the same time";

/// Runs a demo, or lists them. `fresh` removes the store that demos 5 and 8 keep before anything else is done.
pub fn demo(settings: &Settings, number: Option<u32>, python: Option<&str>, fresh: bool) -> Result<u8> {
    if let Some(number @ (5 | 8)) = number
        && python.is_some()
    {
        bail!("demo {number} is about Pythons of its own: --python is for demo 7");
    }
    if fresh {
        lasting::remove(settings)?;
    }
    match number {
        None if fresh => Ok(0),
        None => {
            println!("{LIST}");
            Ok(0)
        }
        Some(5) => five::run(settings),
        Some(7) => seven::run(settings, python),
        Some(8) => eight::run(settings),
        Some(number) => bail!("there is no demo {number}; `omnipkg demo` lists them"),
    }
}
