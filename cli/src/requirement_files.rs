//! Files of requirements and constraints, as pip reads them.
//!
//! Comments, lines that go on, `-r` and `-c` relative to their file, `-e`, environment variables (`${NAME}`). Paths of
//! projects are relative to the working directory, as in pip. What a line asks for and what is not understood here is an
//! error that names the file and the line: nothing is passed over in silence.

mod options;
mod text;

pub use options::{FileOptions, is_pinned};

use crate::arguments::FileArguments;
use crate::inputs::Inputs;
use crate::project_files::{self, Needs};
use anyhow::{Context, Result, bail};
use pep508_rs::Requirement;
use std::path::{Path, PathBuf};

/// Files that name each other; deeper than this is a mistake.
const DEPTH: usize = 32;

/// What files say.
#[derive(Debug, Default)]
pub struct RequirementFiles {
    /// What is required.
    pub requirements: Vec<Requirement>,
    /// What must hold for a project if it is there.
    pub constraints: Vec<Requirement>,
    /// What is required of a project whatever anybody requires of it.
    pub overrides: Vec<Requirement>,
    /// What their options say.
    pub options: FileOptions,
    /// What projects and scripts among them say; their requirements are among the others.
    projects: Vec<(PathBuf, Needs)>,
}

/// What a file's own lines are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    Requirements,
    Constraints,
    Overrides,
}

/// Reads one requirement; true for a directory that is to be imported from itself.
type Parse<'a> = &'a dyn Fn(&str, bool) -> Result<Requirement>;

/// Where a line is.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a Path,
    kind: Lines,
    parse: Parse<'a>,
}

impl RequirementFiles {
    /// Reads all files that a command line names.
    pub fn of(arguments: &FileArguments, inputs: &Inputs<'_>) -> Result<Self> {
        let parse =
            |text: &str, editable: bool| if editable { inputs.editable(text) } else { inputs.requirement(text) };
        let is_project = |path: &&PathBuf| project_files::is_one(path);
        let (projects, files): (Vec<&PathBuf>, Vec<&PathBuf>) = arguments.files.iter().partition(is_project);
        let files: Vec<PathBuf> = files.into_iter().cloned().collect();
        let mut this = Self::read(&files, &arguments.constraints, &arguments.overrides, &parse)?;
        let is_toml = |path: &&&PathBuf| path.extension().is_some_and(|ending| ending == "toml");
        let tomls: Vec<&&PathBuf> = projects.iter().filter(is_toml).collect();
        if tomls.is_empty() && (arguments.all_extras || !arguments.extras.is_empty()) {
            bail!("extras are those of a project: name its pyproject.toml with -r");
        }
        let extras = project_files::Extras { named: arguments.extras.clone(), all: arguments.all_extras };
        for path in &projects {
            this.projects.push(((*path).clone(), project_files::read(path, &extras)?));
        }
        // Without a file of its own a group is one of the project that is read, else of the one here.
        let usual = if let [only] = tomls[..] { (*only).clone() } else { PathBuf::from("pyproject.toml") };
        for group in &arguments.groups {
            this.projects.push((usual.clone(), project_files::read_group(group, &usual)?));
        }
        let needed = this.projects.iter().flat_map(|(_, needs)| needs.requirements.iter().cloned());
        this.requirements.extend(needed);
        Ok(this)
    }

    /// Fails if a project or a script among the files is not for this version of Python.
    pub fn check_python(&self, python: &str) -> Result<()> {
        self.projects.iter().try_for_each(|(path, needs)| {
            needs.check_python(python).with_context(|| format!("cannot use {}", path.display()))
        })
    }

    /// Reads files of requirements, of constraints and of overrides, and what they include.
    pub fn read(
        requirements: &[PathBuf],
        constraints: &[PathBuf],
        overrides: &[PathBuf],
        parse: Parse<'_>,
    ) -> Result<Self> {
        let mut this = Self::default();
        let files =
            [(Lines::Requirements, requirements), (Lines::Constraints, constraints), (Lines::Overrides, overrides)];
        for (kind, paths) in files {
            paths.iter().try_for_each(|path| this.add(Place { path, kind, parse }, &mut Vec::new()))?;
        }
        Ok(this)
    }

    fn add(&mut self, place: Place<'_>, including: &mut Vec<PathBuf>) -> Result<()> {
        let path = place.path;
        let text = text::read(path)?;
        if including.iter().any(|other| other == path) || including.len() == DEPTH {
            bail!("{} includes itself", path.display());
        }
        including.push(path.to_owned());
        for (number, line) in logical_lines(&text) {
            self.line(&line, place, including)
                .with_context(|| format!("cannot use {}, line {number}", path.display()))?;
        }
        including.pop();
        Ok(())
    }

    fn line(&mut self, line: &str, place: Place<'_>, including: &mut Vec<PathBuf>) -> Result<()> {
        let kind = place.kind;
        if let Some(option) = line.strip_prefix('-') {
            let (name, value) = option.split_once([' ', '=']).unwrap_or((option, ""));
            let value = value.trim();
            if self.options.line(name, value, &place.path.with_file_name(""))? {
                return Ok(());
            }
            if matches!(name, "e" | "-editable") {
                return self.requirement((place.parse)(value, true)?, kind);
            }
            let kind = match name {
                // A file that a file of overrides includes has overrides too.
                "r" | "-requirement" if kind == Lines::Overrides => kind,
                "r" | "-requirement" => Lines::Requirements,
                "c" | "-constraint" => Lines::Constraints,
                _ => {
                    bail!("the option -{name} is not understood in a file: give it on the command line if there is one")
                }
            };
            if value.is_empty() {
                bail!("-{name} names no file");
            }
            let path = place.path.with_file_name("").join(value);
            return self.add(Place { path: &path, kind, ..place }, including);
        }
        let (line, hashes) = FileOptions::take_hashes(line)?;
        let requirement = (place.parse)(line, false)?;
        self.options.add_hashes(&requirement, hashes);
        self.requirement(requirement, kind)
    }

    fn requirement(&mut self, requirement: Requirement, kind: Lines) -> Result<()> {
        match kind {
            Lines::Requirements => self.requirements.push(requirement),
            Lines::Constraints if !requirement.extras.is_empty() => bail!("a constraint cannot have extras"),
            Lines::Overrides if !requirement.extras.is_empty() => bail!("an override cannot have extras"),
            Lines::Overrides => self.overrides.push(requirement),
            Lines::Constraints => self.constraints.push(requirement),
        }
        Ok(())
    }
}

/// Lines without comments, joined where they go on, with variables filled in, and the number each begins at.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut joined: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let is_comment = line.trim_start().starts_with('#');
        let (start, mut whole) = joined.take().unwrap_or((number, String::new()));
        // As in pip: a comment line ends what goes on.
        match line.strip_suffix('\\') {
            Some(begun) if !is_comment => {
                whole.push_str(begun);
                joined = Some((start, whole));
                continue;
            }
            _ if is_comment => {}
            _ => whole.push_str(line),
        }
        lines.push((start, whole));
    }
    lines.extend(joined);
    let cleaned = lines.into_iter().map(|(number, line)| (number, fill_in(without_comment(&line).trim())));
    cleaned.filter(|(_, line)| !line.is_empty()).collect()
}

/// A `#` begins a comment at the line's start and after white space.
fn without_comment(line: &str) -> &str {
    let begins = |(place, _): &(usize, &str)| line[..*place].chars().next_back().is_none_or(char::is_whitespace);
    line.match_indices('#').find(begins).map_or(line, |(place, _)| &line[..place])
}

/// Fills in `${NAME}`, as pip does: capital letters, digits and underscores, and only variables that are set.
fn fill_in(line: &str) -> String {
    let mut filled = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let known = after.split_once('}').and_then(|(name, after)| {
            let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            let value = std::env::var(name).ok().filter(|_| !name.is_empty() && name.bytes().all(plain))?;
            Some((value, after))
        });
        match known {
            Some((value, after)) => {
                filled.push_str(&value);
                rest = after;
            }
            None => {
                filled.push_str("${");
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs;
    use std::str::FromStr;

    #[test]
    fn lines_are_those_of_pip() {
        let text = "# comment\n\na==1 # why\nb>=1, \\\n  <2\nc\\\n# comment ends it\n  d ; os_name == 'posix'\ne#f\n";
        let lines: Vec<String> = logical_lines(text).into_iter().map(|(n, line)| format!("{n}:{line}")).collect();
        assert_eq!(lines, ["3:a==1", "4:b>=1,   <2", "6:c", "8:d ; os_name == 'posix'", "9:e#f"]);
        assert_eq!(fill_in("x${NO_SUCH_VARIABLE_HERE}${lower}${"), "x${NO_SUCH_VARIABLE_HERE}${lower}${");
    }

    #[test]
    fn files_include_each_other_and_faults_name_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let parse = |text: &str, editable: bool| match (editable, Requirement::from_str(text)) {
            (false, Ok(requirement)) => Ok(requirement),
            (true, _) => Requirement::from_str(&format!("own @ file:///{text}#editable")).context("no directory"),
            (false, Err(error)) => Err(crate::commands::not_a_requirement(text, &error)),
        };
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        let first = write("r.txt", "a>=1\n-r below/more.txt\n-c limits.txt\n");
        write("below/more.txt", "b[x]; os_name == 'posix'\n--requirement=last.txt\n");
        write("below/last.txt", "c\n-e x\n");
        write("limits.txt", "a<2\n");
        let read = RequirementFiles::read(std::slice::from_ref(&first), &[], &[], &parse).unwrap();
        let texts = |all: &[Requirement]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
        assert_eq!(texts(&read.requirements), "a>=1 | b[x] ; os_name == 'posix' | c | own @ file:///x#editable");
        assert_eq!(texts(&read.constraints), "a<2");
        let last = write("overrides.txt", "d==1\n-r below/last.txt\n-c limits.txt\n");
        let read = RequirementFiles::read(&[], &[], std::slice::from_ref(&last), &parse).unwrap();
        assert_eq!([texts(&read.overrides), texts(&read.constraints)], ["d==1 | c | own @ file:///x#editable", "a<2"]);
        let extras = write("overrides.txt", "d[x]==1\n");
        let error = format!("{:#}", RequirementFiles::read(&[], &[], &[extras], &parse).unwrap_err());
        assert!(error.ends_with("line 1: an override cannot have extras"), "{error}");
        for (text, expected) in [
            ("a\n--no-such-thing x\n", "line 2: the option --no-such-thing is not understood"),
            ("\n\na b\n", "line 3: \"a b\" is not a requirement"),
            ("-r bad.txt\n", "bad.txt includes itself"),
            ("-r none.txt\n", "cannot read"),
            ("a==\n", "line 1: \"a==\" is not a requirement"),
        ] {
            let path = write("bad.txt", text);
            let error = format!("{:#}", RequirementFiles::read(&[path], &[], &[], &parse).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }
}
