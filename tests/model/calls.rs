//! The system calls that read, each with what it shows as text: times, numbers and owners of inodes are not compared.

use crate::tree::{Tree, paths};
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::{AccessFlags, access};
use omnipkg_tests::sys::{entries, read_mapped};
use proptest::prelude::*;
use proptest::sample::Index;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Where a call goes.
#[derive(Debug, Clone)]
pub enum Place {
    /// To something that is there, and a few steps on from it.
    Known(Index, &'static str),
    /// Anywhere.
    Guessed(String),
}

#[derive(Debug, Clone)]
pub enum Call {
    Stat(Place),
    StatThrough(Place),
    Access(Place, bool),
    List(Place),
    /// With room for few entries at a time, and once more from the end of one of them.
    ListInParts(Place, usize, Index),
    ReadLink(Place),
    Read(Place),
    ReadAt(Place, u64, usize),
    Map(Place),
    OpenAt(Place, String, OFlag),
    Create(Place),
}

fn places() -> impl Strategy<Value = Place> {
    const STEPS: &[&str] = &["/", "/.", "/..", "/../b.py", "/x", "//a", "/../a/../lib"];
    // Longer than a name can be, which is another answer than that it is not there.
    let long = (256..1100usize).prop_map(|length| "n".repeat(length));
    prop_oneof![
        6 => any::<Index>().prop_map(|index| Place::Known(index, "")),
        2 => (any::<Index>(), prop::sample::select(STEPS)).prop_map(|(index, step)| Place::Known(index, step)),
        4 => paths().prop_map(Place::Guessed),
        1 => Just(Place::Guessed(String::new())),
        1 => long.prop_map(Place::Guessed),
    ]
}

pub fn calls() -> impl Strategy<Value = Call> {
    let flags = vec![OFlag::empty(), OFlag::O_DIRECTORY, OFlag::O_NOFOLLOW, OFlag::O_PATH | OFlag::O_NOFOLLOW];
    let relative = (places(), prop_oneof![paths(), paths().prop_map(|path| format!("../{path}"))]);
    prop_oneof![
        places().prop_map(Call::Stat),
        places().prop_map(Call::StatThrough),
        (places(), any::<bool>()).prop_map(|(place, execute)| Call::Access(place, execute)),
        places().prop_map(Call::List),
        (places(), 280..1200usize, any::<Index>()).prop_map(|(place, room, back)| Call::ListInParts(place, room, back)),
        places().prop_map(Call::ReadLink),
        places().prop_map(Call::Read),
        (places(), 0..310_000u64, 1..6000usize).prop_map(|(place, offset, size)| Call::ReadAt(place, offset, size)),
        places().prop_map(Call::Map),
        (relative, prop::sample::select(flags))
            .prop_map(|((place, relative), flags)| Call::OpenAt(place, relative, flags)),
        places().prop_map(Call::Create),
    ]
}

impl Place {
    fn at(&self, root: &Path, tree: &Tree) -> PathBuf {
        match self {
            Self::Known(index, steps) if !tree.0.is_empty() => {
                let known: Vec<&String> = tree.0.keys().collect();
                PathBuf::from(format!("{}/{}{steps}", root.display(), known[index.index(known.len())]))
            }
            Self::Known(_, steps) => PathBuf::from(format!("{}{steps}", root.display())),
            Self::Guessed(path) => root.join(path),
        }
    }
}

impl Call {
    /// What the call shows on a tree that is at `root`.
    pub fn answer(&self, root: &Path, tree: &Tree) -> String {
        let at = |place: &Place| place.at(root, tree);
        match self {
            Self::Stat(place) => show(fs::symlink_metadata(at(place)), show_metadata),
            Self::StatThrough(place) => show(fs::metadata(at(place)), show_metadata),
            Self::Access(place, execute) => {
                let mode = if *execute { AccessFlags::X_OK } else { AccessFlags::R_OK };
                show(access(&at(place), mode).map_err(io::Error::from), |()| "allowed".to_owned())
            }
            Self::List(place) => show(list(&at(place)), |names| names.join(", ")),
            Self::ListInParts(place, room, back) => {
                show(list_in_parts(&at(place), *room, back), |names| names.join(", "))
            }
            Self::ReadLink(place) => show(fs::read_link(at(place)), |target| format!("{target:?}")),
            Self::Read(place) => show(fs::read(at(place)), |bytes| format!("{bytes:?}")),
            Self::ReadAt(place, offset, size) => {
                show(read_at(&at(place), *offset, *size), |bytes| format!("{bytes:?}"))
            }
            Self::Map(place) => match File::open(at(place)) {
                Ok(file) if file.metadata().is_ok_and(|metadata| metadata.is_dir()) => "directory".to_owned(),
                opened => show(opened.and_then(|file| read_mapped(&file)), |bytes| format!("{bytes:?}")),
            },
            Self::OpenAt(place, relative, flags) => {
                show(open_at(&at(place), relative, *flags), |(metadata, bytes)| format!("{metadata} {bytes:?}"))
            }
            Self::Create(place) => {
                let error = File::options().write(true).create_new(true).open(at(place));
                let error = error.expect_err("nothing can be created");
                // Only that it is refused is compared: the plain directory is not read-only.
                assert!(error.raw_os_error().is_some());
                String::new()
            }
        }
    }

    /// True for calls that a plain directory would carry out.
    pub fn changes(&self) -> bool {
        matches!(self, Self::Create(_))
    }
}

fn show<T>(result: io::Result<T>, show: impl FnOnce(T) -> String) -> String {
    result.map_or_else(|error| format!("errno {:?}", error.raw_os_error()), show)
}

fn show_metadata(metadata: fs::Metadata) -> String {
    let kind = metadata.file_type();
    assert!(!kind.is_char_device() && !kind.is_fifo());
    if kind.is_dir() { "directory".to_owned() } else { format!("{:o} {}", metadata.mode(), metadata.size()) }
}

fn list(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        names.push(format!("{:?} {:?}", entry.file_name(), entry.file_type()?));
    }
    names.sort();
    Ok(names)
}

fn list_in_parts(path: &Path, room: usize, back: &Index) -> io::Result<Vec<String>> {
    let mut directory = File::open(path)?;
    let rest = |directory: &File| -> io::Result<Vec<omnipkg_tests::sys::RawEntry>> {
        let mut all = Vec::new();
        loop {
            let part = entries(directory, room)?;
            if part.is_empty() {
                return Ok(all);
            }
            all.extend(part);
        }
    };
    let all = rest(&directory)?;
    let place = back.index(all.len());
    directory.seek(SeekFrom::Start(all[place].next as u64))?;
    assert_eq!(rest(&directory)?, all[place + 1..], "from the end of {:?}", all[place]);
    directory.rewind()?;
    assert_eq!(rest(&directory)?, all, "from the start");
    let mut names: Vec<String> = all.iter().map(|entry| format!("{:?}", entry.name)).collect();
    names.sort();
    Ok(names)
}

fn read_at(path: &Path, offset: u64, size: usize) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut buffer = vec![0; size];
    let count = file.read_at(&mut buffer, offset)?;
    buffer.truncate(count);
    Ok(buffer)
}

fn open_at(directory: &Path, relative: &str, flags: OFlag) -> io::Result<(String, Vec<u8>)> {
    let directory = File::open(directory)?;
    let mut file = File::from(openat(&directory, relative, flags | OFlag::O_CLOEXEC, Mode::empty())?);
    let (metadata, mut bytes) = (file.metadata()?, Vec::new());
    if metadata.is_file() && !flags.contains(OFlag::O_PATH) {
        file.read_to_end(&mut bytes)?;
    }
    Ok((show_metadata(metadata), bytes))
}
