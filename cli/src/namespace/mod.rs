//! The third rung: FUSE for a user who may neither mount nor has fusermount3, but may make user namespaces.
//!
//! The server makes itself a user and mount namespace and mounts there; `run` enters it before anything else, while it
//! has one thread, and all that it starts is inside. User and group are themselves in there, so files, the terminal,
//! signals and supplementary groups work as outside; what differs: set-uid programs (sudo, ping) gain nothing, and files
//! of other owners show as nobody's. What has to be seen from outside (environments, `mount`) is projected by links.

mod sys;

use sys::drop_mount_capability;
pub use sys::restore_pipe_signal;

use crate::server;
use crate::settings::{ProjectionChoice, Settings};
use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{Pid, chdir, fchdir, getegid, geteuid};
use omnipkg_fusefs::{Rung, Unavailable};
use omnipkg_store::Layout;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Set once this process is where the server's mount is seen, though nobody outside sees it.
static ENTERED: OnceLock<()> = OnceLock::new();

/// True within the server's namespaces.
pub fn entered() -> bool {
    ENTERED.get().is_some()
}

/// Makes this process user and mount namespaces of its own. It must have one thread.
pub fn create() -> Result<()> {
    let (user, group) = (geteuid(), getegid());
    match unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS) {
        Ok(()) => {}
        // How the kernel says that the limit is reached, which is nought where they are forbidden.
        Err(Errno::ENOSPC) => bail!("no more user namespaces are allowed (user.max_user_namespaces)"),
        Err(error) => return Err(io::Error::from(error)).context("cannot make a user namespace"),
    }
    // Without this no group may be mapped; groups that the process has beside its own keep their access.
    map("setgroups", "deny")?;
    map("uid_map", &format!("{user} {user} 1"))?;
    map("gid_map", &format!("{group} {group} 1"))?;
    receive_only()
}

fn map(name: &str, text: &str) -> Result<()> {
    fs::write(Path::new("/proc/self").join(name), text).with_context(|| format!("cannot write the namespace's {name}"))
}

/// Mounts that are made here are seen nowhere else; mounts that are made outside are still seen here.
pub fn receive_only() -> Result<()> {
    let flags = MsFlags::MS_REC | MsFlags::MS_SLAVE;
    mount(None::<&str>, "/", None::<&str>, flags, None::<&str>).context("cannot make mounts private in the namespace")
}

/// The working directory, to be found again in another tree of mounts.
struct Here {
    directory: File,
    /// `None` if it was removed: then it has no other place either.
    path: Option<PathBuf>,
}

impl Here {
    fn now() -> Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let directory = File::options().read(true).custom_flags(flags.bits()).open(".");
        let directory = directory.context("cannot open the working directory")?;
        Ok(Self { directory, path: std::env::current_dir().ok() })
    }

    fn is(&self, path: &Path) -> bool {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let (this, other) = (self.directory.metadata().map(identity), fs::metadata(path).map(identity));
        matches!((this, other), (Ok(this), Ok(other)) if this == other)
    }

    /// True if a process finds it by its path too.
    fn is_seen_by(&self, process: &str) -> bool {
        let below =
            |path: &PathBuf| Some(Path::new("/proc").join(process).join("root").join(path.strip_prefix("/").ok()?));
        self.path.as_ref().is_none_or(|path| below(path).is_some_and(|there| self.is(&there)))
    }

    /// Back from the root directory, which entering leads to. By its path: the open descriptor is of the mounts that were
    /// left, in which the directory has no path from here.
    fn go_back(&self) -> Result<()> {
        match &self.path {
            Some(path) => chdir(path).with_context(|| format!("cannot go back to {}", path.display()))?,
            None => fchdir(&self.directory).context("cannot go back to the working directory")?,
        }
        ensure!(self.is(Path::new(".")), "the working directory is another one in the server's mount namespace");
        Ok(())
    }
}

/// Enters the namespaces of a process, unless it is there, and returns where it was outside. It must have one thread.
fn enter(process: Pid) -> Result<Option<Here>> {
    let of = |process: &str, name| PathBuf::from("/proc").join(process).join("ns").join(name);
    let number = process.to_string();
    if fs::read_link(of(&number, "mnt"))? == fs::read_link(of("self", "mnt"))? {
        return Ok(None);
    }
    let open =
        |name| File::open(of(&number, name)).with_context(|| format!("cannot open the server's {name} namespace"));
    let (user, mounts) = (open("user")?, open("mnt")?);
    let here = Here::now()?;
    // What was mounted since the server started may not be seen there, and there is no way back.
    ensure!(here.is_seen_by(&number), "the working directory is not seen in the server's mount namespace");
    setns(user, CloneFlags::CLONE_NEWUSER).context("cannot enter the server's user namespace")?;
    setns(mounts, CloneFlags::CLONE_NEWNS).context("cannot enter the server's mount namespace")?;
    Ok(Some(here))
}

/// The first thing that a run does: if this store's mount is in a namespace, goes there, starting the server if need be.
///
/// Costs one failed open where it is not. What goes wrong is told by the caller's way of making views visible, which is
/// links then.
pub fn enter_for_run(settings: &Settings) -> Result<()> {
    let layout = Layout::new(&settings.home);
    match settings.projection {
        ProjectionChoice::Rung(Rung::Namespace) => {}
        ProjectionChoice::Probe => {
            let known = Known::read(&layout);
            let usable = match known {
                Some(known) => known.is_usable(),
                None => {
                    let may_help = !server::is_alive(&layout) && omnipkg_fusefs::probe() == Err(Unavailable::Mounter);
                    may_help && {
                        crate::commands::open_store(settings)?;
                        remembered_trial(&layout).is_none()
                    }
                }
            };
            if !usable {
                return Ok(());
            }
        }
        _ => return Ok(()),
    }
    let entered = match enter_or_start(settings, &layout) {
        // By links this time. Another run may be able to: only what a trial shows is remembered.
        Err(_) if settings.projection == ProjectionChoice::Probe => return Ok(()),
        entered => entered?,
    };
    // Once inside, a run that cannot be where it was started is none.
    entered.map_or(Ok(()), |here| here.go_back())
}

fn enter_or_start(settings: &Settings, layout: &Layout) -> Result<Option<Here>> {
    if server::holder(layout).is_none() {
        crate::commands::open_store(settings)?;
        if let Err(error) = server::ensure(layout, Rung::Namespace) {
            // Until the machine is started anew, or `omnipkg doctor` finds that it works.
            try_anew(layout);
            return Err(error);
        }
    }
    let process = server::holder(layout).context("the server ended at once")?;
    let here = match enter(process) {
        Ok(here) => here,
        // In a namespace within the server's (a writable run, a sandbox) the mount is seen and nothing is to be entered.
        Err(_) if omnipkg_fusefs::is_mounted(&layout.mnt()).unwrap_or(false) => None,
        Err(error) => return Err(error),
    };
    let _ = ENTERED.set(());
    Ok(here)
}

/// The way to a mount here: found by a few system calls; whether a namespace can be had is tried once and remembered.
pub fn rung(layout: &Layout) -> Result<Rung, Unavailable> {
    if in_use(layout) && server::is_alive(layout) {
        // What has become possible since is used when that server has ended.
        return Ok(Rung::Namespace);
    }
    match omnipkg_fusefs::probe() {
        Err(Unavailable::Mounter) => match remembered_trial(layout) {
            None => Ok(Rung::Namespace),
            Some(_) => Err(Unavailable::Mounter),
        },
        found => {
            let _ = fs::remove_file(Known::path(layout));
            found
        }
    }
}

/// Why no namespace can be had; `None` if one can.
pub fn remembered_trial(layout: &Layout) -> Option<String> {
    let known = Known::read(layout).unwrap_or_else(|| {
        let outcome = trial().err().map_or(Known::WORKS.to_owned(), |error| format!("{error:#}"));
        Known::write(layout, &outcome);
        Known(outcome)
    });
    (!known.is_usable()).then_some(known.0)
}

/// Tries again, whatever is remembered.
pub fn try_anew(layout: &Layout) -> Option<String> {
    let _ = fs::remove_file(Known::path(layout));
    remembered_trial(layout)
}

/// True if this store's mount is in a namespace, as far as is known.
pub fn in_use(layout: &Layout) -> bool {
    Known::read(layout).is_some_and(|known| known.is_usable())
}

/// What trying showed, for as long as the machine runs: `run/namespace`.
struct Known(String);

impl Known {
    const WORKS: &'static str = "works";

    fn path(layout: &Layout) -> PathBuf {
        layout.run().join("namespace")
    }

    fn boot() -> String {
        fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default()
    }

    fn read(layout: &Layout) -> Option<Self> {
        let text = fs::read_to_string(Self::path(layout)).ok()?;
        let outcome = text.strip_prefix(Self::boot().as_str())?;
        Some(Self(outcome.to_owned()))
    }

    /// Best effort: without it the trial is done again.
    fn write(layout: &Layout, outcome: &str) {
        let _ = fs::write(Self::path(layout), format!("{}{outcome}", Self::boot()));
    }

    fn is_usable(&self) -> bool {
        self.0 == Self::WORKS
    }
}

/// Whether a namespace can be had and mounted in, tried by a process of its own: there is no way back from one.
fn trial() -> Result<()> {
    let output = Command::new(server::program())
        .args(["server", "try-namespace"])
        .env("OMNIPKG_PROJECTION", "link")
        .stdin(Stdio::null())
        .output()
        .context("cannot try a user namespace")?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().strip_prefix("omnipkg: error: ").unwrap_or(said.trim());
    bail!("{}", said.lines().next().unwrap_or("a user namespace cannot be had"))
}

/// The trial's process. Where user namespaces are restricted (AppArmor) they can be made, but nothing mounted in them.
pub fn try_here(layout: &Layout) -> Result<()> {
    create()?;
    let target = Some(layout.run()).filter(|path| path.is_dir()).unwrap_or_else(std::env::temp_dir);
    mount(Some("tmpfs"), &target, Some("tmpfs"), MsFlags::empty(), None::<&str>)
        .context("cannot mount in a user namespace")
}

/// Prepares the server's process for its rung, before it has threads.
pub fn prepare_server(rung: Rung) -> Result<()> {
    match rung {
        Rung::Direct => Ok(()),
        // The helper, being set-uid or started by root, has it all the same; our own mount(2) fails, and so it is called.
        Rung::Fusermount => drop_mount_capability().map_err(|error| anyhow!(error).context("cannot drop a capability")),
        Rung::Namespace => create(),
    }
}
