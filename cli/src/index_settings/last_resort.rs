//! The index of last resort: the one that the interpreter's own pip carries, read from it once and remembered.

use super::{Origin, Told};
use anyhow::{Context, Result, bail};
use omnipkg_store::interpreter::Interpreter;
use omnipkg_store::{Store, publish};
use std::fs;
use std::process::{Command, Stdio};

/// Prints the default index of the pip that the interpreter has, or of the one bundled with ensurepip.
const ASK_PIP: &str = r"
import sys
sys.path = [path for path in sys.path if path]
import glob, os, sysconfig
bundled = os.path.join(sysconfig.get_path('stdlib'), 'ensurepip', '_bundled', 'pip-*.whl')
sys.path.extend(sorted(glob.glob(bundled)))
for name in ('pip._internal.models.index', 'pip.models.index'):
    try:
        print(__import__(name, fromlist=['PyPI']).PyPI.simple_url)
        break
    except ImportError:
        pass
";

/// The index of last resort: what the interpreter's pip has.
pub fn default_index(store: &Store, interpreter: &Interpreter) -> Result<Told> {
    let origin = Origin::Variable("the interpreter's pip".to_owned());
    let memory = store.layout().cache().join("default-index");
    if let Ok(value) = fs::read_to_string(&memory) {
        return Ok(Told { value, origin });
    }
    let output = Command::new(interpreter.path())
        // Python 2 has no -I, so the script itself leaves the working directory out.
        .args(["-E", "-s", "-c", ASK_PIP])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", interpreter.path().display()))?;
    let value = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if value.is_empty() {
        bail!("no index is configured, and {} has no pip to ask for its default", interpreter.path().display());
    }
    publish::volatile_file(store, &memory, value.as_bytes())?;
    Ok(Told { value, origin })
}
