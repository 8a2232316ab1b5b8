//! Takes what workers made and publishes it in groups: one barrier for many files.
//!
//! Objects come first, by [`Batch`]; names follow when they are durable. Killed at any moment, some of what was made
//! is lost, and nothing is half-made.

use super::{Key, REFUSED};
use crate::digest::Digest;
use crate::error::Result;
use crate::layout::Store;
use crate::objects::Batch;
use crate::publish;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// A group waits this many times as long as its predecessor's barrier took, so that a slow disk is not all barriers.
const REST: u32 = 3;

/// What is to be published for a source: its bytecode, or that there will never be any.
pub(super) type Made = (Digest, Option<Vec<u8>>);

/// When a group is complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    /// With this many sources.
    pub(super) sources: usize,
    /// This long after the first of them.
    pub(super) age: Duration,
}

/// Publishes until the workers are gone; errors are told, and what they concern is lost.
pub(super) fn run(
    store: &Store,
    key: &Key,
    group: Group,
    made: &Receiver<Made>,
    mut on_error: impl FnMut(crate::Error),
) {
    let mut age = group.age;
    while let Ok(first) = made.recv() {
        let begun = Instant::now();
        let mut group_made = vec![first];
        while group_made.len() < group.sources {
            match made.recv_timeout(age.saturating_sub(begun.elapsed())) {
                Ok(next) => group_made.push(next),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        let begun = Instant::now();
        if let Err(error) = publish(store, key, &group_made) {
            on_error(error);
        }
        age = group.age.max(begun.elapsed() * REST);
    }
}

fn publish(store: &Store, key: &Key, made: &[Made]) -> Result<()> {
    let mut batch = Batch::new(store);
    let mut names = Vec::with_capacity(made.len());
    for (source, pyc) in made {
        let name = match pyc {
            Some(pyc) => batch.add_bytes(pyc)?.digest.to_hex(),
            None => REFUSED.to_owned(),
        };
        names.push((source, name));
    }
    batch.commit()?;
    for (source, name) in names {
        publish::volatile_file(store, &store.layout().pyc(key.folder(), source), name.as_bytes())?;
    }
    Ok(())
}
