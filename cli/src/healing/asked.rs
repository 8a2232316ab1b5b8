//! Pythons that omnipkg asks something of its own: in time or not at all, and unknown to a run around it.

use super::others::FAILURES;
use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a command prints, given this input; none if it does not end well, or in time.
pub fn output(mut command: Command, input: &[u8]) -> Option<Vec<u8>> {
    command.env_remove(FAILURES).env_remove("OMNIPKG_REPORT");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let (mut stdin, mut stdout) = (child.stdin.take()?, child.stdout.take()?);
    let input = input.to_vec();
    // What it does not read it does not need.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).map(|_| bytes)
    });
    let status = wait(&mut child, PATIENCE);
    let _ = writer.join();
    let bytes = reader.join().ok()?.ok()?;
    status.filter(ExitStatus::success).map(|_| bytes)
}

/// How a command ends, printing nothing; none if it does not end in time.
pub fn status(mut command: Command, patience: Duration) -> Option<ExitStatus> {
    command.env_remove(FAILURES).env_remove("OMNIPKG_REPORT");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    wait(&mut command.spawn().ok()?, patience)
}

fn wait(child: &mut std::process::Child, patience: Duration) -> Option<ExitStatus> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if began.elapsed() < patience => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(10));
            }
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}
