//! `install --check`: what is new in a view is imported there, before the view becomes an environment's.

use crate::change;
use crate::workshop::Composed;
use anyhow::{Context as _, Result, bail};
use omnipkg_store::Store;
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::wheel::WheelManifest;
use std::process::{Command, Stdio};

/// Imports each name in a process of its own Python, in turn: the first that fails is what is told.
const IMPORT: &str = "
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        text = '%s: %s' % (type(error).__name__, error)
        sys.exit('importing %s failed: %s' % (name, text))
";

/// Imports what distributions provide that a view has and the one before had not, or not in this version.
pub fn import_what_is_new(store: &Store, before: &ViewDescription, composed: &Composed) -> Result<()> {
    for (project, _, to) in change::differences(before, &composed.description) {
        let Some(wheel) = composed.description.wheel(&project).filter(|_| to.is_some()) else { continue };
        let manifest = WheelManifest::read(store, &wheel.sha256)?;
        // Names with an underscore are the distribution's own business.
        let names: Vec<&String> = manifest.import_names.iter().filter(|name| !name.starts_with('_')).collect();
        if names.is_empty() {
            continue;
        }
        let output = Command::new(composed.path.join("bin/python"))
            .args(["-c", IMPORT])
            .args(&names)
            .env_remove("PYTHONHOME")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start the Python of {}", composed.path.display()))?;
        if !output.status.success() {
            let talk = String::from_utf8_lossy(&output.stderr);
            let last = talk.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message");
            bail!("{project} {} is not usable here: {last} ({}); nothing was changed", wheel.version, output.status);
        }
    }
    Ok(())
}
