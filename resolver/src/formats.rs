//! Which kinds of archives may be taken of which project: wheels, source distributions, both.
//!
//! As in pip, what is said of a project by its name goes before what is said of all.

use pep508_rs::PackageName;
use std::collections::BTreeSet;
use std::str::FromStr;

/// Projects: some, or all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// All of them.
    pub all: bool,
    /// These.
    pub names: BTreeSet<PackageName>,
}

impl Names {
    /// Every project.
    pub fn all() -> Self {
        Self { all: true, names: BTreeSet::new() }
    }

    /// Adds what a user wrote: names parted by commas, `:all:`, or `:none:`, which empties it.
    ///
    /// # Errors
    /// The part that is no project's name.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part {
                ":all:" => self.all = true,
                ":none:" => *self = Self::default(),
                name => {
                    self.names.insert(PackageName::from_str(name).map_err(|_| part.to_owned())?);
                }
            }
        }
        Ok(())
    }
}

/// Which kinds of archives may be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Formats {
    /// Projects of which nothing is built: only wheels are taken.
    pub only_binary: Names,
    /// Projects of which no wheel is taken: they are built.
    pub no_binary: Names,
}

/// What may be taken of one project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Wheels.
    pub wheels: bool,
    /// What wheels are built of.
    pub sources: bool,
}

impl Formats {
    /// Wheels only, of every project.
    pub fn wheels_only() -> Self {
        Self { only_binary: Names::all(), no_binary: Names::default() }
    }

    /// What may be taken of a project.
    #[must_use]
    pub fn of(&self, name: &PackageName) -> Allowed {
        let both = Allowed { wheels: true, sources: true };
        let (only_binary, no_binary) = (&self.only_binary, &self.no_binary);
        match (only_binary.names.contains(name), no_binary.names.contains(name)) {
            (true, true) => Allowed { wheels: false, sources: false },
            (true, false) => Allowed { sources: false, ..both },
            (false, true) => Allowed { wheels: false, ..both },
            (false, false) => Allowed { wheels: !no_binary.all, sources: !only_binary.all },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_before_all() {
        let mut formats = Formats::default();
        formats.only_binary.add(":all:").unwrap();
        formats.no_binary.add("A.b, c").unwrap();
        let of = |name: &str| formats.of(&name.parse().unwrap());
        assert_eq!(of("a-b"), Allowed { wheels: false, sources: true });
        assert_eq!(of("d"), Allowed { wheels: true, sources: false });
        let mut names = formats.only_binary.clone();
        names.add(":none:,x").unwrap();
        assert_eq!((names.all, names.names.len()), (false, 1));
        assert_eq!(names.add("a,b c").unwrap_err(), "b c");
    }
}
