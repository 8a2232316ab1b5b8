//! Where a serving thread runs: beside the program that asks.
//!
//! An import asks for one name after the other and waits each time. Where the scheduler leaves the two on different
//! processors of which one sleeps in between, waking it up takes several times as long as the answer (on a virtual
//! machine 50 µs instead of 8). So a thread that answers a burst of questions moves to the processor of who asks, and
//! may be moved away again like any other: nothing is pinned.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::cell::Cell;
use std::fs::File;
use std::io::Read;
use std::time::{Duration, Instant};

/// Questions further apart than this are no burst.
const BURST: Duration = Duration::from_millis(1);

/// A burst is one from this many questions on, and is looked at again after each `AGAIN` more.
const FIRST: u32 = 8;
const AGAIN: u32 = 64;

thread_local! {
    static LAST: Cell<Option<Instant>> = const { Cell::new(None) };
    static STREAK: Cell<u32> = const { Cell::new(0) };
}

/// Notes a question of a thread, and moves to its processor if it asks many.
pub(crate) fn follow(asking: u32) {
    let now = Instant::now();
    let in_burst = LAST.replace(Some(now)).is_some_and(|last| now.duration_since(last) < BURST);
    let streak = if in_burst { STREAK.get().saturating_add(1) } else { 0 };
    STREAK.set(streak);
    if streak >= FIRST && (streak - FIRST).is_multiple_of(AGAIN) {
        // Advice to the scheduler: whatever keeps it from being taken changes no answer.
        let _ = move_to(asking);
    }
}

fn move_to(asking: u32) -> Option<()> {
    let processor = processor_of(asking)?;
    let own = Pid::from_raw(0);
    let allowed = sched_getaffinity(own).ok()?;
    if !allowed.is_set(processor).ok()? || processor_of_stat(&read_stat("/proc/thread-self/stat")?)? == processor {
        return None;
    }
    let mut only = CpuSet::new();
    only.set(processor).ok()?;
    sched_setaffinity(own, &only).ok()?;
    sched_setaffinity(own, &allowed).ok()
}

/// The processor that a thread ran on last.
fn processor_of(thread: u32) -> Option<usize> {
    if thread == 0 {
        return None;
    }
    processor_of_stat(&read_stat(&format!("/proc/{thread}/stat"))?)
}

fn read_stat(path: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 1024];
    let length = File::open(path).ok()?.read(&mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// Field 39 of `proc(5)` stat; the second is a name in brackets that may hold anything.
fn processor_of_stat(stat: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(stat.get(stat.iter().rposition(|byte| *byte == b')')? + 1..)?).ok()?;
    text.split_whitespace().nth(36)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_read_past_any_name() {
        let fields: Vec<String> =
            (3..=52).map(|field| if field == 3 { "S".to_owned() } else { field.to_string() }).collect();
        let stat = format!("7 (a) b) {}", fields.join(" "));
        assert_eq!(processor_of_stat(stat.as_bytes()), Some(39));
        assert_eq!(processor_of_stat(b"7 (cut off"), None);
        assert_eq!(processor_of_stat(b"7 (short) S 1"), None);
    }

    #[test]
    fn a_thread_of_this_process_runs_somewhere_allowed() {
        let own = processor_of(std::process::id()).unwrap();
        assert!(sched_getaffinity(Pid::from_raw(0)).unwrap().is_set(own).unwrap());
        assert_eq!(processor_of(0), None);
    }

    #[test]
    fn moving_leaves_the_thread_as_free_as_it_was() {
        let before = sched_getaffinity(Pid::from_raw(0)).unwrap();
        (0..200).for_each(|_| follow(std::process::id()));
        assert_eq!(sched_getaffinity(Pid::from_raw(0)).unwrap(), before);
    }
}
