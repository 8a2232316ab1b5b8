//! `run --as-of`: the day of which a script's world is meant, given or the script's own.

use crate::arguments::{RunOptions, Verb};
use anyhow::{Context, Result, bail};
use omnipkg_resolver::Timestamp;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

/// Makes `--as-of` what it stands for: nothing that indexes had later is taken.
///
/// # Errors
/// If the script cannot be found.
pub fn settle(verb: &mut Verb) -> Result<()> {
    if let Verb::Run(options) = verb
        && let Some(said) = &options.as_of
    {
        options.index.exclude_newer = Some(match said.as_str() {
            "script" => of_script(options)?,
            date => {
                Timestamp::limit(date).with_context(|| format!("--as-of {date:?}"))?;
                date.to_owned()
            }
        });
    }
    Ok(())
}

fn of_script(options: &RunOptions) -> Result<String> {
    let script = options.command.first().map(Path::new).filter(|script| !options.module && script.is_file());
    let Some(script) = script else { bail!("--as-of script: only a script in a file has a day of its own") };
    let written = || -> Result<i64> {
        let modified = fs::metadata(script)?.modified()?.duration_since(UNIX_EPOCH)?;
        Ok(i64::try_from(modified.as_secs())?)
    };
    let seconds = committed(script).map_or_else(written, Ok);
    let seconds = seconds.with_context(|| format!("cannot tell of what day {} is", script.display()))?;
    Ok(Timestamp::from_seconds(seconds).to_string())
}

/// When the script was last committed, in seconds since 1970; none if it is in no repository.
fn committed(script: &Path) -> Option<i64> {
    let script = script.canonicalize().ok()?;
    let mut command = Command::new("git");
    command.arg("-C").arg(script.parent()?).args(["log", "-1", "--format=%ct", "--"]).arg(&script);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
