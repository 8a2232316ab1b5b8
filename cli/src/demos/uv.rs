//! The same work with uv, if it is on PATH: process start to process exit on both sides.
//!
//! What a uv user does: an environment with one version; the script fails in it; its message is read, and it is run
//! again with the other version. The user's reading time is not counted. uv's cache is its own and begins empty, as
//! the demo's store does; the second time it is offline, which is when it is quickest.

use super::stage::{DemoStore, timed};
use crate::index_settings;
use anyhow::{Context, Result, ensure};
use omnipkg_store::Store;
use omnipkg_store::interpreter::{Interpreter, discover};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

struct Uv<'a> {
    program: PathBuf,
    demo: &'a DemoStore,
    python: &'a Path,
    index: String,
}

/// Times of the same work, both sides from process start to process exit.
pub struct Comparison {
    /// uv: the environment made, downloads included.
    pub environment: Duration,
    /// uv: the failing run, then the first run with the right version, downloads included.
    pub first: Duration,
    /// A later start with omnipkg, and with uv offline: medians.
    pub later: [Duration; 2],
}

/// uv's times for `script`, in whose environment rich is `active` and which wants `wanted`; `None` without uv.
pub fn compare(
    demo: &DemoStore,
    interpreter: &Interpreter,
    script: &Path,
    [active, wanted]: [&str; 2],
) -> Result<Option<Comparison>> {
    let Some(program) = discover::on_path("uv").into_iter().next() else {
        println!("\n6. uv is not on PATH, so there is nothing to compare with");
        return Ok(None);
    };
    let store = Store::open(&demo.settings().home)?;
    let index = index_settings::indexes(demo.settings(), &store, interpreter)?.index_url.to_string();
    let uv = Uv { program, demo, python: interpreter.path(), index };
    println!("\n6. The same with uv: process start to process exit on both sides");
    let venv = demo.work().join("venv");
    let (_, environment) = timed(|| uv.environment(&venv, active))?;
    let (passed, failing) = timed(|| uv.script(&venv, script))?;
    ensure!(!passed, "uv's environment should not satisfy the script");
    let (_, first) = timed(|| uv.run_with(script, wanted, false))?;
    uv.run_with(script, wanted, true)?;

    // Interleaved, so that the machine's noise falls on both.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        ours.push(timed(|| demo.omnipkg(&["run".as_ref(), script.as_os_str()]))?.1);
        theirs.push(timed(|| uv.run_with(script, wanted, true))?.1);
    }
    let later = [median(ours), median(theirs)];
    println!("   a later start takes uv {:.1} times as long", later[1].as_secs_f64() / later[0].as_secs_f64());
    Ok(Some(Comparison { environment, first: failing + first, later }))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

impl Uv<'_> {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("UV_CACHE_DIR", self.demo.work().join("uv-cache"))
            .env("UV_DEFAULT_INDEX", &self.index)
            .env_remove("VIRTUAL_ENV")
            .env_remove("PYTHONDONTWRITEBYTECODE")
            .current_dir(self.demo.work());
        command
    }

    fn environment(&self, venv: &Path, version: &str) -> Result<()> {
        let mut make = self.command();
        make.args(["venv", "--quiet", "--python"]).arg(self.python).arg(venv);
        super::stage::output_of(&mut make)?;
        let mut install = self.command();
        install.args(["pip", "install", "--quiet", "--python"]).arg(venv.join("bin/python"));
        install.arg(format!("rich=={version}"));
        super::stage::output_of(&mut install).map(drop)
    }

    /// True if the script passes in the environment.
    fn script(&self, venv: &Path, script: &Path) -> Result<bool> {
        let mut command = Command::new(venv.join("bin/python"));
        command.arg(script).env_remove("PYTHONDONTWRITEBYTECODE").stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.status().context("cannot start the environment's Python")?.success())
    }

    fn run_with(&self, script: &Path, version: &str, offline: bool) -> Result<()> {
        let mut command = self.command();
        command.args(["run", "--quiet", "--no-project", "--python"]).arg(self.python);
        if offline {
            command.arg("--offline");
        }
        command.arg("--with").arg(format!("rich=={version}")).arg(script);
        super::stage::output_of(&mut command).map(drop)
    }
}
