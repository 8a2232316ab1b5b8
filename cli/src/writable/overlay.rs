//! The kernel's overlay over a view: for one program in mounts of its own, or for everybody where root asks for it.
//!
//! A program's overlay lies over the view's own path, so that `sys.prefix` is what it always is. The process that makes
//! it becomes the program: it has one thread, which a user namespace asks for, and omnipkg itself, which heals and
//! composes, stays outside. The overlay goes with the last process that has it.

use crate::arguments::WithinOptions;
use crate::launch;
use crate::namespace;
use crate::server;
use anyhow::{Context, Result, anyhow, bail};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, execvp};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// What is written goes to `upper`; `work` is the kernel's.
pub const UPPER: &str = "upper";
const WORK: &str = "work";

/// Makes the directories of an overlay.
pub fn make_directories(layer: &Path) -> Result<()> {
    for name in [UPPER, WORK] {
        let path = layer.join(name);
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
    }
    Ok(())
}

/// The words in front of a program that make it see a view with a layer over it.
pub fn wrapper(view: &Path, layer: &Path) -> Vec<OsString> {
    let program = server::program().into_os_string();
    vec![program, "within".into(), "--view".into(), view.into(), "--layer".into(), layer.into(), "--".into()]
}

/// Tries the very mount, in a process that ends at once; an error says why it cannot be had.
pub fn attempt(view: &Path, layer: &Path) -> Result<()> {
    let line = wrapper(view, layer);
    let (program, arguments) = line.split_first().context("nothing to start")?;
    let mut command = Command::new(program);
    command.args(&arguments[..arguments.len() - 1]).stdin(Stdio::null()).env_remove("OMNIPKG_REPORT");
    let output = command.output().context("cannot try an overlay")?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().strip_prefix("omnipkg: error: ").unwrap_or(said.trim());
    bail!("{}", said.lines().next().unwrap_or("an overlay cannot be mounted"))
}

/// `omnipkg within`: mounts, and becomes the program; without one it only mounts, and the mount goes with it.
pub fn within(options: &WithinOptions) -> Result<u8> {
    if omnipkg_fusefs::may_mount() {
        unshare(CloneFlags::CLONE_NEWNS).context("cannot make mounts of this run's own")?;
        namespace::receive_only()?;
    } else {
        namespace::create()?;
    }
    mount_over(&options.view, &options.layer, &options.view)?;
    // A working directory in the view is the one beneath the overlay until it is looked up again.
    if let Ok(directory) = std::env::current_dir() {
        let _ = chdir(&directory);
    }
    let Some((program, arguments)) = options.command.split_first() else { return Ok(0) };
    // Looked up now: the layer may have it. By its path, as Python finds its view.
    let found = launch::find_command(&options.view, program);
    let line = std::iter::once(&found).chain(arguments).cloned().map(launch::c_string).collect::<Result<Vec<_>>>()?;
    namespace::restore_pipe_signal();
    let Err(error) = execvp(&line[0], &line);
    Err(anyhow!(std::io::Error::from(error)).context(format!("cannot start {}", program.display())))
}

/// Mounts a layer over a view at `target`.
pub fn mount_over(view: &Path, layer: &Path, target: &Path) -> Result<()> {
    let mut options = OsString::new();
    for (name, path) in [("lowerdir=", view), (",upperdir=", &layer.join(UPPER)), (",workdir=", &layer.join(WORK))] {
        options.push(name);
        options.push(escape(path));
    }
    // Elsewhere than among the machine's own users the overlay's marks are kept in attributes that any user may write.
    if !has_all_users() {
        options.push(",userxattr");
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("overlay"), target, Some("overlay"), flags, Some(options.as_os_str()))
        .with_context(|| format!("cannot mount an overlay at {}", target.display()))
}

/// Takes an overlay out of sight; who has files of it open keeps them.
pub fn unmount(target: &Path) -> Result<()> {
    umount2(target, MntFlags::MNT_DETACH).with_context(|| format!("cannot unmount {}", target.display()))
}

fn has_all_users() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// Commas end an option and colons a lower directory.
fn escape(path: &Path) -> OsString {
    let mut escaped = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        if matches!(byte, b',' | b':' | b'\\') {
            escaped.push(b'\\');
        }
        escaped.push(*byte);
    }
    OsStr::from_bytes(&escaped).to_owned()
}
