//! Standard input across the runs of one program.
//!
//! A healed program is run again, and must not find less input than it was given. A file is read again from where it
//! was. What was read from a pipe or socket is gone: then the program is not run again. Whether it was read the kernel
//! tells: inotify reports each read that got bytes, whoever made it, and reading is not disturbed.

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::unistd::{Whence, lseek};

/// What standard input was before the program started.
pub enum StandardInput {
    /// A file, at this offset.
    File(i64),
    /// A pipe or socket, and the watch on it; without one (a limit was reached) the program's own word counts.
    Stream(Option<Inotify>),
    /// A terminal, a device, nothing: reading again is all one can do.
    Other,
}

impl StandardInput {
    /// Looks at standard input; reads nothing of it.
    pub fn observe() -> Self {
        use nix::sys::stat::{SFlag, fstat};
        let stdin = std::io::stdin();
        let Ok(status) = fstat(&stdin) else { return Self::Other };
        let kind = SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT;
        if kind == SFlag::S_IFREG {
            return lseek(&stdin, 0, Whence::SeekCur).map_or(Self::Other, Self::File);
        }
        if kind == SFlag::S_IFIFO || kind == SFlag::S_IFSOCK {
            return Self::Stream(watch().ok());
        }
        Self::Other
    }

    /// Puts a file back to where the first run found it.
    pub fn rewind(&self) {
        if let Self::File(offset) = self {
            // A file that was seekable a moment ago is so still.
            let _ = lseek(std::io::stdin(), *offset, Whence::SeekSet);
        }
    }

    /// True if bytes were read that cannot be read again; `seen` is what the program's Python says of itself.
    pub fn is_gone(&self, seen: bool) -> bool {
        match self {
            Self::Stream(Some(watch)) => watch.read_events().is_ok_and(|events| !events.is_empty()),
            Self::Stream(None) => seen,
            Self::File(_) | Self::Other => false,
        }
    }
}

fn watch() -> nix::Result<Inotify> {
    let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    watch.add_watch("/proc/self/fd/0", AddWatchFlags::IN_ACCESS)?;
    Ok(watch)
}
