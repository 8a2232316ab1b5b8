//! `omnipkg server`: the process that serves the views.

use crate::arguments::ServerVerb;
use crate::commands::writable;
use crate::demos;
use crate::namespace;
use crate::projection;
use crate::server;
use crate::settings::Settings;
use anyhow::{Context, Result};
use omnipkg_fusefs::Counters;
use omnipkg_store::{Layout, Store};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};

/// Starts, stops or looks at the server.
pub fn server(settings: &Settings, verb: ServerVerb) -> Result<u8> {
    if matches!(verb, ServerVerb::Start { foreground: true, ready_fd: Some(_), .. } | ServerVerb::Gather { .. }) {
        close_inherited();
    }
    if matches!(verb, ServerVerb::Serve(_) | ServerVerb::Ahead | ServerVerb::Gather { .. }) {
        // Those who start them block signals that these are to be ended by, as is what they start themselves.
        nix::sys::signal::SigSet::empty().thread_set_mask().context("cannot unblock signals")?;
    }
    match verb {
        ServerVerb::Hold(handed) => return server::go_on(&Layout::new(&settings.home), &handed).map(|()| 0),
        ServerVerb::Serve(handed) => return server::serve(&Layout::new(&settings.home), &handed).map(|()| 0),
        ServerVerb::TryNamespace => return namespace::try_here(&Layout::new(&settings.home)).map(|()| 0),
        ServerVerb::Ahead => {
            server::ahead::serve(&Layout::new(&settings.home), std::io::stdin().lock());
            return Ok(0);
        }
        _ => {}
    }
    let store = Store::open(&settings.home)?;
    let layout = store.layout();
    match verb {
        ServerVerb::Start { foreground: true, ready_fd, rung } => {
            // Readiness is told on standard output, which the starting command reads to its end.
            let ready = ready_fd.filter(|fd| *fd == 1).map(|_| take_stdout()).transpose()?;
            let prepared = match rung {
                Some(rung) => Ok(rung),
                None => projection::rung(settings, layout),
            };
            if let Err(error) = prepared.and_then(namespace::prepare_server) {
                ready.map(File::from).map(|mut ready| writeln!(ready, "{error:#}"));
                return Err(error);
            }
            // Not kept open while it serves: see `server::begin`.
            let layout = layout.clone();
            drop(store);
            server::begin(&layout, ready).map(|()| 0)
        }
        ServerVerb::Start { .. } => server::ensure(layout, projection::rung(settings, layout)?).map(|()| 0),
        ServerVerb::Stop => {
            writable::unmount_all(settings, &store);
            // Both are tried: one that cannot be stopped is no reason to leave the other.
            let demos = demos::lasting::stop_server(layout);
            let gathering = server::gather::stop(layout);
            server::stop(layout).and(demos).and(gathering).map(|()| 0)
        }
        ServerVerb::Restart => server::restart(layout, projection::rung(settings, layout)?).map(|()| 0),
        ServerVerb::Status => {
            status(settings, layout);
            Ok(0)
        }
        ServerVerb::Gather { view } => server::gather::gather(&store, &view).map(|()| 0),
        ServerVerb::Hold(_) | ServerVerb::Serve(_) | ServerVerb::TryNamespace | ServerVerb::Ahead => Ok(0),
    }
}

fn status(settings: &Settings, layout: &Layout) {
    let running = server::running(layout);
    let process = running.as_ref().and_then(|running| running.process).map(|process| process.as_raw());
    if !settings.json {
        match process {
            Some(process) => println!("running (process {process})"),
            None => println!("not running"),
        }
        return;
    }
    let holder = running.as_ref().map(|running| running.holder.as_raw());
    let counters = running.and_then(|running| running.counters);
    let requests: Option<BTreeMap<_, _>> = counters.as_ref().map(|counters| counters.snapshot().into_iter().collect());
    let servers = counters.as_ref().map(Counters::servers);
    let json = serde_json::json!({
        "schema": 1, "running": holder.is_some(), "process": process, "holder": holder, "servers": servers,
        "counters": requests,
    });
    println!("{json}");
}

/// Closes what the starting command was given beyond the three: the server outlives it, and would keep its caller's
/// pipes and locks open.
fn close_inherited() {
    let listed = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers: Vec<i32> = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // The listing's own is among them, and closed by now.
        let _ = nix::unistd::close(number);
    }
}

/// Moves standard output away, so that closing the copy closes the pipe.
fn take_stdout() -> Result<OwnedFd> {
    let ready = std::io::stdout().as_fd().try_clone_to_owned().context("cannot copy the readiness descriptor")?;
    let null = std::fs::File::options().write(true).open("/dev/null").context("cannot open /dev/null")?;
    nix::unistd::dup2_stdout(&null).context("cannot replace standard output")?;
    Ok(ready)
}
