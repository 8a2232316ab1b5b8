//! The holder: a process that does nothing but own the mount's descriptor and see to it that somebody serves it.
//!
//! It starts the server, a child with the same descriptor; when that dies or does not get on, another takes over, and the
//! programs that use a view see a pause. It never touches a view itself, so that it cannot hang with one. What must stay
//! true: one thread, nothing that waits for the mount; every descriptor that a child is not meant to have is
//! closed by exec. If the holder dies, its server becomes the holder (see `serve`).

use super::HOLDER_NAME;
use super::descriptors::{Handed, with_open};
use super::record;
use super::watch::{Verdict, Watch};
use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_name;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{AccessFlags, Pid, access};
use omnipkg_fusefs::{Connection, Counters, Demand, Error};
use omnipkg_store::{Layout, Store};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often the holder looks whether the server gets on: while it works, and while nobody asks anything.
const LOOK_WHILE_BUSY: Duration = Duration::from_secs(1);
const LOOK_WHILE_IDLE: Duration = Duration::from_secs(2);

/// So many servers that died within so long: the next one has to wait a little.
const MANY_DEATHS: usize = 20;
const SHORT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// So many servers that ended before the first was ready: it cannot be done here.
const FAILED_STARTS: usize = 3;

/// How long a killed server may take to end before its place is taken.
const DYING: Duration = Duration::from_millis(500);

/// How long the end of a mount that nobody uses may take.
const LAST_USERS: Duration = Duration::from_millis(500);

/// Asks the holder to become another program; see [`hand_over_request`].
pub const HAND_OVER: Signal = Signal::SIGUSR1;

const STOP: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];

/// The file that names the program which the holder is to become; it is gone when that was done, or could not be.
pub fn hand_over_request(layout: &Layout) -> PathBuf {
    layout.run().join("program")
}

/// Mounts, and serves until told to stop; `ready` hears `ready` or why it could not be done.
pub fn begin(layout: &Layout, ready: Option<OwnedFd>) -> Result<()> {
    let mut ready = ready.map(File::from);
    let result = Holder::begin(layout, ready.is_some()).and_then(|holder| holder.run(&mut ready));
    if let (Err(error), Some(ready)) = (&result, &mut ready) {
        let _ = writeln!(ready, "{error:#}");
    }
    result
}

/// Goes on with what another process held.
pub fn go_on(layout: &Layout, handed: &Handed) -> Result<()> {
    Holder::adopt(layout, handed)?.run(&mut None)
}

struct Holder<'a> {
    layout: &'a Layout,
    connection: Connection,
    counters: Counters,
    lock: File,
    signals: SignalFd,
    server: Option<Server>,
    watch: Watch,
    /// Killed servers that have not ended yet: they hang in the kernel.
    dying: Vec<Pid>,
    /// When servers ended, the last ones.
    deaths: VecDeque<Instant>,
    /// The kernel hands out again what a dead server had taken (Linux 6.9).
    resends: bool,
}

struct Server {
    process: Pid,
    /// Its end tells the server that the holder is gone; until it is ready, it says so here.
    control: UnixStream,
    ready: bool,
}

/// What goes on after an event.
enum Next {
    Continue,
    End,
}

impl<'a> Holder<'a> {
    fn begin(layout: &'a Layout, own_session: bool) -> Result<Self> {
        // Opened for the check of its layout only: the holder lives long, and a store that it kept open would keep what
        // killed commands leave in tmp/.
        drop(Store::open(layout.root())?);
        let lock = record::take(layout)?;
        let signals = block_signals()?;
        if own_session {
            // What happens to the terminal is not meant for it. It fails for the leader of a group, which is in no
            // terminal's way either.
            let _ = nix::unistd::setsid();
        }
        let connection = Connection::mount(layout)?;
        let counters = Counters::create().context("cannot make the server's counters")?;
        // Nothing was handed out yet: the answer says whether the kernel knows the question.
        let resends = connection.resend().is_ok();
        Ok(Self { resends, ..Self::new(layout, connection, counters, lock, signals) })
    }

    fn adopt(layout: &'a Layout, handed: &Handed) -> Result<Self> {
        let connection = Connection::adopt(handed.take_device()?, layout.mnt());
        let counters = Counters::adopt(handed.take_counters()?).context("cannot map the server's counters")?;
        let lock = File::from(handed.take_lock()?);
        if !counters.is_down() && !record::is_ours(&lock) {
            // The mount was taken down, and the lock is the next one's.
            counters.take_down();
        }
        let holder = Self::new(layout, connection, counters, lock, block_signals()?);
        holder.resend()?;
        Ok(holder)
    }

    fn new(layout: &'a Layout, connection: Connection, counters: Counters, lock: File, signals: SignalFd) -> Self {
        Self {
            layout,
            connection,
            counters,
            lock,
            signals,
            server: None,
            watch: Watch::default(),
            dying: Vec::new(),
            deaths: VecDeque::new(),
            resends: true,
        }
    }

    fn run(mut self, ready: &mut Option<File>) -> Result<()> {
        let _ = set_name(c"omnipkg-holder");
        if !self.counters.is_down() {
            record::write(&self.lock, self.counters.file().as_raw_fd())?;
        }
        self.start_server()?;
        let mut patience = LOOK_WHILE_BUSY;
        loop {
            let (signalled, said) = self.wait(patience)?;
            if said {
                self.hear(ready)?;
            }
            if signalled && matches!(self.obey(ready.is_some())?, Next::End) {
                return Ok(());
            }
            match self.look()? {
                Some(next) => patience = next,
                None => return Ok(()),
            }
        }
    }

    /// Waits for a signal, for what a new server says, or for the time to look.
    fn wait(&self, patience: Duration) -> Result<(bool, bool)> {
        let mut descriptors = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        let control = self.server.as_ref().filter(|server| !server.ready).map(|server| server.control.as_fd());
        descriptors.extend(control.map(|control| PollFd::new(control, PollFlags::POLLIN)));
        let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
        match poll(&mut descriptors, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error).context("cannot wait for the server"),
        }
        let has_events = |descriptor: &PollFd<'_>| descriptor.revents().is_some_and(|events| !events.is_empty());
        Ok((has_events(&descriptors[0]), descriptors.get(1).is_some_and(has_events)))
    }

    /// What a new server says: that it is ready, or why not.
    fn hear(&mut self, ready: &mut Option<File>) -> Result<()> {
        let Some(server) = &mut self.server else { return Ok(()) };
        server.ready = true;
        let mut line = String::new();
        let _ = BufReader::new(&server.control).read_line(&mut line);
        match line.trim() {
            "ready" => {
                if let Some(mut ready) = ready.take() {
                    let _ = writeln!(ready, "ready");
                }
                let _ = fs::remove_file(hand_over_request(self.layout));
            }
            // It ended without a word: there will be a signal.
            "" => {}
            reason if ready.is_some() => {
                let _ = self.connection.unmounter().detach();
                bail!("{reason}");
            }
            reason => eprintln!("the server cannot serve: {reason}"),
        }
        Ok(())
    }

    fn obey(&mut self, starting: bool) -> Result<Next> {
        while let Ok(Some(information)) = self.signals.read_signal() {
            match Signal::try_from(information.ssi_signo as i32) {
                Ok(Signal::SIGCHLD) => {
                    if self.reap()? && matches!(self.replace("ended")?, Next::End) {
                        return Ok(Next::End);
                    }
                    if starting && self.deaths.len() >= FAILED_STARTS {
                        let _ = self.connection.unmounter().detach();
                        bail!("the server ended again and again before it was ready");
                    }
                }
                Ok(HAND_OVER) => self.hand_over()?,
                Ok(_) => self.take_down()?,
                Err(_) => {}
            }
        }
        Ok(Next::Continue)
    }

    /// True if the server has ended. What a former process of this number left is cleared too.
    fn reap(&mut self) -> Result<bool> {
        let (mut ended, mut late) = (false, false);
        while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            let Some(process) = status.pid() else { break };
            ended |= self.server.as_ref().is_some_and(|server| server.process == process);
            late |= self.dying.contains(&process);
            self.dying.retain(|dying| *dying != process);
        }
        if late {
            // Until its end it may have taken requests with it.
            self.resend()?;
        }
        Ok(ended)
    }

    /// Lets another server take over, unless there is nothing to serve any more.
    fn replace(&mut self, why: &str) -> Result<Next> {
        self.server = None;
        if self.connection.demand()? == Demand::Gone {
            return Ok(Next::End);
        }
        eprintln!("the server {why}: another takes over");
        self.deaths.push_back(Instant::now());
        if self.deaths.len() > MANY_DEATHS && self.deaths.pop_front().is_some_and(|first| first.elapsed() < SHORT) {
            std::thread::sleep(PAUSE);
        }
        self.resend()?;
        if let Err(error) = self.start_server() {
            // There is no room for a process just now: looking tries again.
            eprintln!("{error:#}");
        }
        Ok(Next::Continue)
    }

    fn resend(&self) -> Result<()> {
        let resent = self.connection.resend();
        match &resent {
            Ok(()) => Ok(()),
            // The last user let go just now; looking tells.
            Err(Error::Mount { source, .. }) if source.raw_os_error() == Some(Errno::ENODEV as i32) => Ok(()),
            Err(Error::Mount { source, .. }) if source.raw_os_error() == Some(Errno::EPERM as i32) => Ok(()),
            Err(_) => {
                // Before Linux 6.9: what the dead server had taken would wait for ever.
                self.abort();
                resent.context("this kernel cannot hand a mount over, so it was taken down")
            }
        }
    }

    /// Takes the mount away from everybody.
    fn abort(&self) {
        // What is mounted there once it was taken down is another's; closing the device does it.
        if !self.counters.is_down() {
            let _ = self.connection.unmounter().abort();
        }
    }

    fn start_server(&mut self) -> Result<()> {
        let (ours, theirs) = UnixStream::pair().context("cannot make a socket")?;
        let handed = [self.connection.device(), self.counters.file().as_fd(), self.lock.as_fd(), theirs.as_fd()];
        let arguments = Handed::arguments("serve", &handed);
        let mut command = Command::new("/proc/self/exe");
        command.arg0("omnipkg").args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
        let child = with_open(&handed, || command.spawn())?.context("cannot start the server")?;
        let process = Pid::from_raw(i32::try_from(child.id()).context("a process number")?);
        self.server = Some(Server { process, control: ours, ready: false });
        Ok(())
    }

    /// Kills the server. One that hangs in the kernel dies when it comes back; its place is taken before.
    fn kill_server(&mut self) {
        let Some(Server { process, .. }) = self.server.take() else { return };
        let _ = kill(process, Signal::SIGKILL);
        let deadline = Instant::now() + DYING;
        while let Ok(WaitStatus::StillAlive) = waitpid(process, Some(WaitPidFlag::WNOHANG)) {
            if Instant::now() > deadline {
                return self.dying.push(process);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Looks whether the server gets on; returns when to look next, or nothing if the mount is gone.
    fn look(&mut self) -> Result<Option<Duration>> {
        let demand = self.connection.demand()?;
        if demand == Demand::Gone {
            self.kill_server();
            return Ok(None);
        }
        if self.server.is_none()
            && let Err(error) = self.start_server()
        {
            eprintln!("{error:#}");
        }
        let (in_flight, answered) = (self.counters.in_flight(), self.counters.answered());
        // One that was stopped in the instant after it took a request has not counted it, and the kernel's queue is empty.
        let waiting =
            demand == Demand::Waiting || self.server.as_ref().is_some_and(|server| is_stopped(server.process));
        match self.watch.look(Instant::now(), waiting, in_flight, answered) {
            Verdict::Idle => return Ok(Some(LOOK_WHILE_IDLE)),
            Verdict::Working => {}
            Verdict::Replace => {
                self.kill_server();
                if matches!(self.replace("does not answer")?, Next::End) {
                    return Ok(None);
                }
            }
            Verdict::GiveUp => {
                self.kill_server();
                self.abort();
                bail!("no server could answer anything: the mount was taken down; the next command mounts anew");
            }
        }
        Ok(Some(LOOK_WHILE_BUSY))
    }

    /// Takes the mount away. Programs that still use it keep what they have: they are served until the last one lets go,
    /// and the lock is free for the next mount.
    fn take_down(&mut self) -> Result<()> {
        if self.counters.is_down() {
            // What is mounted there now is another's.
            return Ok(());
        }
        let unmounter = self.connection.unmounter();
        if unmounter.unmount().is_ok() {
            self.counters.take_down();
            let deadline = Instant::now() + LAST_USERS;
            while self.connection.demand()? != Demand::Gone {
                if Instant::now() > deadline {
                    // Nobody uses it here, but somebody has it in mounts of his own (a namespace that was made meanwhile).
                    record::release(&self.lock);
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            return Ok(());
        }
        if let Err(error) = unmounter.detach() {
            // Without its server it answers nobody, and the next mount clears it.
            self.kill_server();
            return Err(error.into());
        }
        // In this order: who goes on with it after a death between the two must not take the lock again.
        self.counters.take_down();
        record::release(&self.lock);
        Ok(())
    }

    /// Becomes the program that was asked for, with all that is held.
    fn hand_over(&mut self) -> Result<()> {
        let request = hand_over_request(self.layout);
        let Ok(program) = fs::read(&request) else { return Ok(()) };
        let program = PathBuf::from(OsString::from_vec(program));
        if !self.resends {
            // Its users would not survive it: they are served from here, and who asked mounts anew.
            self.take_down()?;
        } else if access(&program, AccessFlags::X_OK).is_ok() {
            self.kill_server();
            let handed = [self.connection.device(), self.counters.file().as_fd(), self.lock.as_fd()];
            let mut command = Command::new(&program);
            command.arg0(HOLDER_NAME).args(Handed::arguments("hold", &handed));
            let error = with_open(&handed, || command.exec())?;
            eprintln!("cannot become {}: {error}", program.display());
            self.replace("was to be another program's").map(drop)?;
        }
        let _ = fs::remove_file(&request);
        Ok(())
    }
}

fn block_signals() -> Result<SignalFd> {
    let mut set = SigSet::empty();
    STOP.into_iter().chain([HAND_OVER, Signal::SIGCHLD]).for_each(|signal| set.add(signal));
    set.thread_block().context("cannot block signals")?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    SignalFd::with_flags(&set, flags).context("cannot open a signal descriptor")
}

/// True if a signal stopped a process; one that a debugger holds is not meant.
fn is_stopped(process: Pid) -> bool {
    let state = fs::read_to_string(format!("/proc/{process}/stat"));
    // The name, which may hold anything, is in parentheses.
    state.is_ok_and(|text| text.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T')))
}
