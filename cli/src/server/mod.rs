//! The server: one for a store, it holds the mount and makes bytecode in the background.
//!
//! It is two processes. The holder (`holder`) owns the mount's descriptor; its child (`serve`) answers the kernel and
//! is replaced when it dies or hangs. While programs begin to import, the child has one of its own that looks ahead of
//! them ([`ahead`]); nothing depends on it. They are alive as long as they hold the lock on `run/server.lock` ([`record`]); the
//! lock goes with the processes, so there is no stale state to clean but the mount itself. The first command that needs a
//! view starts them and goes on when they are ready; two commands that start at once are put in order by `run/start.lock`.

pub mod ahead;
mod compile;
mod descriptors;
pub mod gather;
mod holder;
mod record;
mod serve;
mod sys;
mod watch;

pub use descriptors::Handed;
pub use holder::{begin, go_on};
pub use serve::serve;

use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use omnipkg_fusefs::{Counters, Rung};
use omnipkg_store::Layout;
use record::Record;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What process listings show, so that the two are told apart: who ends the server does not mean the holder.
const HOLDER_NAME: &str = "omnipkg-holder";

/// How long a running server may take to become another program.
const HAND_OVER: Duration = Duration::from_secs(20);

/// How long one may take to end; those who use its mount are served after that.
const END: Duration = Duration::from_secs(30);

/// Between two looks at what another process does.
const PAUSE: Duration = Duration::from_millis(2);

/// What a running server says of itself.
pub struct Running {
    /// The process that owns the mount, and starts the server anew.
    pub holder: Pid,
    /// The process that answers the kernel.
    pub process: Option<Pid>,
    /// Requests by kind, and how many servers there have been.
    pub counters: Option<Counters>,
}

/// True if a server is there that knows what this omnipkg makes: one open, one flock, one read.
pub fn is_alive(layout: &Layout) -> bool {
    record::read(layout).is_some_and(|record| {
        wake(&record);
        !record.is_older()
    })
}

/// The holder sees to the server, and nobody to the holder but those who need it: one that was stopped goes on. To any
/// other the signal means nothing.
fn wake(record: &Record) {
    if record.holder.as_raw() > 0 {
        let _ = kill(record.holder, Signal::SIGCONT);
    }
}

/// The process that answers the kernel, if there is one.
pub fn process(layout: &Layout) -> Option<Pid> {
    running(layout)?.process
}

/// The process that owns the mount, if there is one that knows what this omnipkg makes.
pub fn holder(layout: &Layout) -> Option<Pid> {
    record::read(layout).filter(|record| !record.is_older()).map(|record| record.holder)
}

/// What is known of the server, if one is alive.
pub fn running(layout: &Layout) -> Option<Running> {
    let record = record::read(layout)?;
    let counters = counters(&record);
    let number = counters.as_ref().and_then(|counters| i32::try_from(counters.process()).ok());
    let process = match (number, record.version) {
        (Some(number), _) => Some(number).filter(|number| *number > 0).map(Pid::from_raw),
        // The first ones were one process.
        (None, None) => Some(record.holder),
        (None, Some(_)) => None,
    };
    Some(Running { holder: record.holder, process, counters })
}

/// The holder's counters, through its descriptor.
fn counters(record: &Record) -> Option<Counters> {
    let path = format!("/proc/{}/fd/{}", record.holder, record.counters?);
    Counters::adopt(File::options().read(true).write(true).open(path).ok()?.into()).ok()
}

/// Sees to it that the mount is served, starting the server if need be; returns when it is ready.
pub fn ensure(layout: &Layout, rung: Rung) -> Result<()> {
    let _lock = layout.hold("start")?;
    match record::read(layout).inspect(wake) {
        Some(record) if record.is_older() => hand_over_to_this(layout, rung, &record),
        // A mount in a namespace is not seen from here: its server is ready when it lives, for it was waited for.
        Some(_) if rung == Rung::Namespace || omnipkg_fusefs::is_mounted(&layout.mnt())? => Ok(()),
        // Somebody took its mount away: it lets go of the lock, and serves those who still use it.
        Some(record) => end(layout, &record).and_then(|()| start(layout, rung)),
        None => start(layout, rung),
    }
}

/// Makes a running server this very program; nobody who uses a view sees more than a pause. Starts one if there is none.
pub fn restart(layout: &Layout, rung: Rung) -> Result<()> {
    let _lock = layout.hold("start")?;
    match record::read(layout).inspect(wake) {
        Some(record) => hand_over_to_this(layout, rung, &record),
        None => start(layout, rung),
    }
}

fn hand_over_to_this(layout: &Layout, rung: Rung, record: &Record) -> Result<()> {
    if record.version.is_none() {
        // The first ones cannot: their users keep what they have open.
        return end(layout, record).and_then(|()| start(layout, rung));
    }
    let request = holder::hand_over_request(layout);
    let written = request.with_extension("new");
    let program = program().into_os_string().into_encoded_bytes();
    fs::write(&written, program)
        .and_then(|()| fs::rename(&written, &request))
        .with_context(|| format!("cannot write {}", request.display()))?;
    ensure!(record.holder.as_raw() > 0, "a server is just beginning: try again");
    signal(record.holder, holder::HAND_OVER)?;
    let deadline = Instant::now() + HAND_OVER;
    while request.exists() && record::read(layout).is_some() && Instant::now() < deadline {
        std::thread::sleep(PAUSE);
    }
    match record::read(layout) {
        // Its kernel cannot hand a mount over, or it ended meanwhile.
        None => start(layout, rung),
        Some(record) if !request.exists() && !record.is_older() => Ok(()),
        Some(_) => bail!("the running server did not hand over; see {}", log_path(layout).display()),
    }
}

fn log_path(layout: &Layout) -> PathBuf {
    layout.run().join("server.log")
}

/// This very program: by its path, or, if its file was replaced since it was started, by what the kernel still has of it.
pub fn program() -> PathBuf {
    let path = std::env::current_exe().unwrap_or_default();
    // By its number, since another process may have to find it.
    if path.is_file() { path } else { PathBuf::from(format!("/proc/{}/exe", std::process::id())) }
}

/// Starts the server process and reads what it says of its readiness from a pipe.
fn start(layout: &Layout, rung: Rung) -> Result<()> {
    let log_path = log_path(layout);
    let log = File::create(&log_path).with_context(|| format!("cannot create {}", log_path.display()))?;
    let (mut ours, theirs) = std::io::pipe().context("cannot make a pipe")?;
    let executable = program();
    let mut command = Command::new(&executable);
    command
        .arg0(HOLDER_NAME)
        .args(["server", "start", "--foreground", "--ready-fd", "1", "--rung", rung.name()])
        .env("OMNIPKG_HOME", layout.root())
        .env_remove("OMNIPKG_REPORT")
        .envs(helper_of(rung))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(theirs)
        .stderr(log)
        // A group of its own: a key pressed in the user's terminal is not meant for it.
        .process_group(0);
    command.spawn().with_context(|| format!("cannot start {}", executable.display()))?;
    // The command owns our copy of the pipe's other end.
    drop(command);
    let mut answer = String::new();
    ours.read_to_string(&mut answer).context("cannot hear from the server")?;
    match answer.trim() {
        "ready" => Ok(()),
        "" => bail!("the server ended before it was ready; see {}", log_path.display()),
        reason => Err(anyhow!("{reason}")),
    }
}

/// Where a direct mount was asked for in so many words, the helper must not be taken instead, as fuser does.
fn helper_of(rung: Rung) -> Option<(&'static str, &'static str)> {
    let forced = rung == Rung::Direct && std::env::var_os("OMNIPKG_PROJECTION").is_some_and(|word| word == "direct");
    forced.then_some(("FUSERMOUNT_PATH", "/nonexistent/fusermount3"))
}

/// Stops the server, if one is alive, and waits for its end; true if there was one.
pub fn stop(layout: &Layout) -> Result<bool> {
    match record::read(layout) {
        Some(record) => end(layout, &record).map(|()| true),
        None => {
            omnipkg_fusefs::clear_stale(&layout.mnt())?;
            Ok(false)
        }
    }
}

/// Ends a server: the mount goes, and the lock is free when this returns.
fn end(layout: &Layout, record: &Record) -> Result<()> {
    let deadline = Instant::now() + END;
    let (mut told, mut next) = (None, Some(*record));
    while let Some(record) = next {
        // Its server may have taken a dead holder's place meanwhile.
        if told != Some(record.holder) && record.holder.as_raw() > 0 {
            signal(record.holder, Signal::SIGTERM)?;
            // One that was stopped hears nothing.
            signal(record.holder, Signal::SIGCONT)?;
            told = Some(record.holder);
        }
        ensure!(Instant::now() < deadline, "the server does not end; see {}", log_path(layout).display());
        std::thread::sleep(PAUSE);
        next = record::read(layout);
    }
    Ok(())
}

/// Signals a holder, unless it ended meanwhile and another process has its number.
fn signal(process: Pid, signal: Signal) -> Result<()> {
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    if !name.starts_with("omnipkg") && name.trim() != "exe" {
        return Ok(());
    }
    match kill(process, signal) {
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot signal the server (process {process})")),
    }
}
