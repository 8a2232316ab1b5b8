//! The command line of the bench, and where the `omnipkg` that it measures lies.

use crate::selection::Selection;
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What `--help` prints.
pub const HELP: &str = "\
Measures omnipkg beside plain Python, and beside uv if it is on PATH

Usage: cargo run --release -p omnipkg-bench -- [OPTIONS]

Options:
      --omnipkg PATH         The omnipkg to measure [default: the one beside this program]
      --python VERSION|PATH  The interpreter for every side [default: the one that omnipkg finds]
      --only ROW             Measure only rows whose names begin so, and prepare only for them (may be repeated)
      --rounds N             Measured rounds of each row [default: 21]
      --quick                5 rounds, without tensorflow unless it is named
      --json FILE            Write every sample as JSON
      --svg FILE             Write a bar plot
  -h, --help                 Print help

The table goes to stdout as Markdown. Stores, caches and environments are made in a directory of their own below
TMPDIR and taken away at the end; wheels come from the indexes that omnipkg, pip and uv find by themselves.
";

const ROUNDS: usize = 21;
const QUICK_ROUNDS: usize = 5;

/// What to measure and where to write it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The omnipkg to measure, if not the one beside the bench.
    pub omnipkg: Option<PathBuf>,
    /// The interpreter, as omnipkg's own `--python`.
    pub python: Option<String>,
    /// Which rows.
    pub only: Selection,
    /// Measured rounds of each row.
    pub rounds: usize,
    /// Where the samples go.
    pub json: Option<PathBuf>,
    /// Where the plot goes.
    pub svg: Option<PathBuf>,
    /// Only the help was asked for.
    pub help: bool,
}

impl Arguments {
    /// Reads the words after the program's name.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self> {
        let mut arguments = Self { rounds: ROUNDS, ..Self::default() };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let option = word.to_string_lossy().into_owned();
            let mut value = || words.next().with_context(|| format!("{option} needs a value"));
            match option.as_str() {
                "--omnipkg" => arguments.omnipkg = Some(value()?.into()),
                "--python" => arguments.python = Some(value()?.to_string_lossy().into_owned()),
                "--only" => arguments.only.add(&value()?.to_string_lossy())?,
                "--rounds" => arguments.rounds = rounds(&value()?.to_string_lossy())?,
                "--quick" => (arguments.rounds, arguments.only.light) = (QUICK_ROUNDS, true),
                "--json" => arguments.json = Some(value()?.into()),
                "--svg" => arguments.svg = Some(value()?.into()),
                "-h" | "--help" => arguments.help = true,
                _ => bail!("unknown option {option:?}; --help lists them"),
            }
        }
        Ok(arguments)
    }

    /// The omnipkg to measure: given, or beside this program.
    pub fn find_omnipkg(&self) -> Result<PathBuf> {
        if let Some(path) = &self.omnipkg {
            ensure!(path.is_file(), "there is no omnipkg at {}", path.display());
            return std::path::absolute(path).with_context(|| format!("cannot make {} absolute", path.display()));
        }
        let own = std::env::current_exe().context("cannot find the bench program itself")?;
        let path = own.parent().unwrap_or(Path::new("/")).join("omnipkg");
        ensure!(
            path.is_file(),
            "there is no omnipkg at {}\nhint: the bench builds nothing itself: run `cargo build --release` first, or \
             name one with --omnipkg",
            path.display()
        );
        Ok(path)
    }
}

fn rounds(text: &str) -> Result<usize> {
    match text.parse() {
        Ok(rounds) if rounds > 0 => Ok(rounds),
        _ => bail!("{text:?} is no number of rounds"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments> {
        Arguments::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_are_read() {
        let arguments = parse("--quick --python 3.9 --json out.json").unwrap();
        let mut expected = Arguments {
            python: Some("3.9".into()),
            rounds: QUICK_ROUNDS,
            json: Some("out.json".into()),
            ..Arguments::default()
        };
        expected.only.light = true;
        assert_eq!(arguments, expected);
        assert_eq!(parse("").unwrap().rounds, ROUNDS);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in ["--rounds 0", "--rounds many", "--json", "--unknown", "stray", "--only unknown"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_missing_omnipkg_is_named() {
        let error = parse("--omnipkg /nowhere/omnipkg").unwrap().find_omnipkg().unwrap_err();
        assert_eq!(error.to_string(), "there is no omnipkg at /nowhere/omnipkg");
    }
}
