//! What every reading of a tar stream checks: how much comes out of it, and where its links lead.

use std::io::{self, Read};

/// Links that a link may lead through.
const LINKS: usize = 40;

/// A reader that fails where more comes than may.
pub(crate) struct Bounded<R> {
    reader: R,
    left: u64,
    most: u64,
}

impl<R> Bounded<R> {
    /// At most `most` bytes of a reader.
    pub(crate) fn new(reader: R, most: u64) -> Self {
        Self { reader, left: most, most }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(format!("it unpacks to more than {} bytes", self.most))),
        }
        Ok(count)
    }
}

/// Follows a link through every other link (`target` gives where the one at a path leads); true if none leaves the tree.
/// What does not exist is taken for directories.
pub(crate) fn stays_inside<'a>(link: &str, target: impl Fn(&str) -> Option<&'a str>) -> bool {
    let mut done: Vec<String> = Vec::new();
    let mut open: Vec<String> = link.split('/').rev().map(str::to_owned).collect();
    let mut followed = 0;
    while let Some(name) = open.pop() {
        match name.as_str() {
            "" | "." => continue,
            ".." => {
                if done.pop().is_none() {
                    return false;
                }
                continue;
            }
            _ => done.push(name),
        }
        if let Some(target) = target(&done.join("/")) {
            followed += 1;
            if target.starts_with('/') || followed > LINKS {
                return false;
            }
            done.pop();
            open.extend(target.split('/').rev().map(str::to_owned));
        }
    }
    true
}
