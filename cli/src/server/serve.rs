//! The server: answers the kernel from a descriptor that the holder owns, and compiles bytecode beside.
//!
//! It holds nothing that cannot be found on disk again, so that it may die at any moment.

use super::HOLDER_NAME;
use super::descriptors::{Handed, with_open};
use super::{ahead, compile};
use anyhow::{Context, Result};
use omnipkg_fusefs::{Connection, Counters, Imported, Options};
use omnipkg_store::Layout;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{Arc, mpsc};

/// Serves until the mount is gone.
pub fn serve(layout: &Layout, handed: &Handed) -> Result<()> {
    // Otherwise it is called after the path that it was started by, which is `exe`.
    let _ = nix::sys::prctl::set_name(c"omnipkg-server");
    let mut control = UnixStream::from(handed.take_control()?);
    let result = begin(layout, handed, &control);
    if let Err(error) = &result {
        let _ = writeln!(control, "{error:#}");
    }
    result
}

fn begin(layout: &Layout, handed: &Handed, mut control: &UnixStream) -> Result<()> {
    let connection = Arc::new(Connection::adopt(handed.take_device()?, layout.mnt()));
    let counters = Arc::new(Counters::adopt(handed.take_counters()?).context("cannot map the counters")?);
    let lock = File::from(handed.take_lock()?);
    let (sender, receiver) = mpsc::channel();
    let (start, starts) = mpsc::channel();
    let imported = Arc::new(Imported::default());
    let options = Options { bytecode_misses: Some(sender), starts: Some(start), imported: Arc::clone(&imported) };
    let mounted = connection.serve(layout, options, Arc::clone(&counters))?;
    writeln!(control, "ready").context("cannot tell the holder")?;
    let root = layout.root().to_owned();
    std::thread::spawn(move || compile::run(&root, &receiver));
    let store = layout.root().to_owned();
    std::thread::spawn(move || ahead::run(&store, &starts, &imported));
    let holder = control.try_clone().context("cannot copy the holder's socket")?;
    std::thread::spawn(move || become_holder(holder, &connection, &counters, &lock));
    mounted.wait();
    Ok(())
}

/// When the holder is gone, this process takes its place, and starts a server in its own.
fn become_holder(mut holder: UnixStream, connection: &Connection, counters: &Counters, lock: &File) {
    // The holder never says anything.
    let _ended = holder.read(&mut [0]);
    eprintln!("the holder ended: process {} takes its place", std::process::id());
    let handed = [connection.device(), counters.file().as_fd(), lock.as_fd()];
    let mut command = Command::new("/proc/self/exe");
    command.arg0(HOLDER_NAME).args(Handed::arguments("hold", &handed));
    match with_open(&handed, || command.exec()) {
        Ok(error) => eprintln!("cannot take the holder's place, and serve on without one: {error}"),
        Err(error) => eprintln!("cannot take the holder's place, and serve on without one: {error:#}"),
    }
}
