//! Facts of an interpreter that is not on this machine: another version of one that is, or one on another Linux.
//!
//! What is resolved for it follows from its markers and tags alone; nothing can be run with such facts.

use super::Facts;

/// The glibc that is supposed where a platform names none: as uv does, the one of manylinux_2_28.
const GLIBC: (u16, u16) = (2, 28);

/// The musl that is supposed where a platform names none.
const MUSL: (u16, u16) = (1, 2);

/// Machines of Linux that wheels are built for, and the bits of their pointers.
const MACHINES: [(&str, u8); 8] = [
    ("x86_64", 64),
    ("aarch64", 64),
    ("i686", 32),
    ("armv7l", 32),
    ("ppc64le", 64),
    ("s390x", 64),
    ("riscv64", 64),
    ("loongarch64", 64),
];

impl Facts {
    /// The same kind of interpreter in another version, `3.9` (that is 3.9.0) or `3.9.7`; `None` if that is none.
    #[must_use]
    pub fn of_version(&self, version: &str) -> Option<Self> {
        let mut numbers = version.split('.').map(|number| number.parse::<u16>().ok());
        let (major, minor) = (numbers.next()??, numbers.next()??);
        let patch = numbers.next().unwrap_or(Some(0))?;
        let version = (u8::try_from(major).ok()?, u8::try_from(minor).ok()?, patch);
        if numbers.next().is_some() {
            return None;
        }
        let mut facts = Self { version, ..self.clone() };
        let full = format!("{major}.{minor}.{patch}");
        let mut set = |name: &str, value: &str| facts.markers.insert(name.to_owned(), value.to_owned());
        set("python_version", &format!("{major}.{minor}"));
        set("python_full_version", &full);
        if self.implementation == "cpython" {
            set("implementation_version", &full);
        }
        facts.cache_tag = self.cache_tag.replace(&self.joined(), &facts.joined());
        facts.soabi = self.soabi.replace(&self.joined(), &facts.joined());
        facts.magic = 0;
        Some(facts)
    }

    /// The same interpreter on another Linux: `linux`, `aarch64-unknown-linux-gnu`, `x86_64-manylinux_2_17`,
    /// `x86_64-manylinux2014`, `x86_64-unknown-linux-musl`, `aarch64-musllinux_1_2`; `None` for what is none of these.
    #[must_use]
    pub fn of_platform(&self, platform: &str) -> Option<Self> {
        let platform = if platform == "linux" { "x86_64-unknown-linux-gnu" } else { platform };
        let (machine, system) = platform.split_once('-')?;
        let (machine, bits) = MACHINES.into_iter().find(|(name, _)| *name == machine)?;
        let libc = c_library(system)?;
        let mut facts = Self {
            platform: format!("linux-{machine}"),
            pointer_bits: bits,
            libc: Some(libc),
            soabi: self.soabi.replace(&self.platform_of_abi(), machine),
            ..self.clone()
        };
        for (name, value) in [
            ("os_name", "posix"),
            ("sys_platform", "linux"),
            ("platform_system", "Linux"),
            ("platform_machine", machine),
            ("platform_release", ""),
            ("platform_version", ""),
        ] {
            facts.markers.insert(name.to_owned(), value.to_owned());
        }
        Some(facts)
    }

    /// `311`.
    fn joined(&self) -> String {
        format!("{}{}", self.version.0, self.version.1)
    }

    fn platform_of_abi(&self) -> String {
        self.platform.strip_prefix("linux-").unwrap_or(&self.platform).to_owned()
    }
}

fn c_library(system: &str) -> Option<(String, u16, u16)> {
    let numbers = |text: &str| {
        let (major, minor) = text.split_once('_')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    let (kind, (major, minor)) = match system {
        "unknown-linux-gnu" => ("glibc", GLIBC),
        "unknown-linux-musl" => ("musl", MUSL),
        "manylinux1" => ("glibc", (2, 5)),
        "manylinux2010" => ("glibc", (2, 12)),
        "manylinux2014" => ("glibc", (2, 17)),
        other => match other.strip_prefix("manylinux_") {
            Some(version) => ("glibc", numbers(version)?),
            None => ("musl", numbers(other.strip_prefix("musllinux_")?)?),
        },
    };
    Some((kind.to_owned(), major, minor))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::facts;

    #[test]
    fn another_version_has_its_own_markers_and_tags() {
        let own = facts("cpython", (3, 11, 7));
        let other = own.of_version("3.9").unwrap();
        assert_eq!((other.version, other.full_version().as_str()), ((3, 9, 0), "3.9.0"));
        assert_eq!(other.markers["python_version"], "3.9");
        assert!(other.tags().iter().any(|tag| tag.to_string().starts_with("cp39-cp39-")));
        assert!(!other.tags().iter().any(|tag| tag.to_string().contains("311")));
        assert_eq!(own.of_version("3.12.4").unwrap().version, (3, 12, 4));
        for text in ["3", "3.x", "3.9.1.2", "", "300.1", "3.9rc1"] {
            assert!(own.of_version(text).is_none(), "{text}");
        }
    }

    #[test]
    fn another_platform_has_its_own_markers_and_tags() {
        let own = facts("cpython", (3, 11, 7));
        let first = |name: &str| own.of_platform(name).unwrap().tags().iter().next().unwrap().to_string();
        assert_eq!(first("linux"), "cp311-cp311-manylinux_2_28_x86_64");
        assert_eq!(first("aarch64-unknown-linux-gnu"), "cp311-cp311-manylinux_2_28_aarch64");
        assert_eq!(first("x86_64-manylinux2014"), "cp311-cp311-manylinux_2_17_x86_64");
        assert_eq!(first("aarch64-manylinux_2_31"), "cp311-cp311-manylinux_2_31_aarch64");
        assert_eq!(first("x86_64-unknown-linux-musl"), "cp311-cp311-musllinux_1_2_x86_64");
        assert_eq!(own.of_platform("aarch64-manylinux_2_31").unwrap().markers["platform_machine"], "aarch64");
        for name in
            ["windows", "macos", "x86_64", "sparc-unknown-linux-gnu", "x86_64-manylinux_2", "x86_64-unknown-linux"]
        {
            assert!(own.of_platform(name).is_none(), "{name}");
        }
    }
}
