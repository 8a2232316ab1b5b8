//! Repositories: `git+https://…/project.git@reference`, by the user's own git.
//!
//! The history is fetched with the commit: backends make versions of it. git is never left to ask anybody anything, and
//! what it says is shown without a URL's user information.

use crate::client::shown;
use crate::error::{Error, Result};
use std::path::Path;
use std::process::{Command, Stdio};
use url::Url;

/// What git may be told to speak; `ext::` and the like run programs.
const SCHEMES: [&str; 5] = ["https", "http", "ssh", "git", "file"];

/// The repository and the reference of a `git+` URL.
pub(super) fn parse(url: &Url) -> Result<(Url, Option<String>)> {
    let refuse = |reason: &str| Error::Requirement { requirement: shown(url), reason: reason.to_owned() };
    let text = url.as_str().strip_prefix("git+").ok_or_else(|| refuse("it does not begin with git+"))?;
    let mut repository = Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
    if !SCHEMES.contains(&repository.scheme()) {
        return Err(refuse("git is asked by https, http, ssh, git or file"));
    }
    repository.set_fragment(None);
    let path = repository.path().to_owned();
    let Some((path, reference)) = path.rsplit_once('@') else { return Ok((repository, None)) };
    if reference.is_empty() || reference.starts_with('-') {
        return Err(refuse("there is no such reference"));
    }
    repository.set_path(path);
    Ok((repository, Some(crate::client::percent_decode(reference))))
}

/// Checks a reference out into an empty directory; returns the commit.
pub(super) fn check_out(repository: &Url, reference: Option<&str>, into: &Path) -> Result<String> {
    let git = Git { repository, into };
    git.run(&["clone", "--quiet", "--filter=blob:none", "--no-checkout", "--", repository.as_str(), "."])?;
    let commit = match reference {
        None => git.commit("HEAD"),
        Some(reference) => git.find(reference),
    }?;
    git.run(&["checkout", "--quiet", "--detach", &commit])?;
    git.run(&["submodule", "--quiet", "update", "--init", "--recursive"])?;
    Ok(commit)
}

/// The commit that a directory's repository is at, and all its names for commits: versions are made of them. Nothing where
/// there is no repository.
pub(super) fn names(directory: &Path) -> Vec<String> {
    let Some(found) = directory.ancestors().map(|above| above.join(".git")).find(|git| git.exists()) else {
        return Vec::new();
    };
    let said = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(found.parent().unwrap_or(directory)).stdin(Stdio::null());
        // A repository of another user's tells nothing, to a backend neither.
        let output = command.stderr(Stdio::null()).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    [said(&["rev-parse", "HEAD"]), said(&["show-ref", "--tags", "--dereference"])].into_iter().flatten().collect()
}

struct Git<'a> {
    repository: &'a Url,
    into: &'a Path,
}

impl Git<'_> {
    /// A branch before a tag before a commit; what a clone does not bring is fetched by its name.
    fn find(&self, reference: &str) -> Result<String> {
        for name in [format!("refs/remotes/origin/{reference}"), format!("refs/tags/{reference}"), reference.to_owned()]
        {
            if let Ok(commit) = self.commit(&name) {
                return Ok(commit);
            }
        }
        self.run(&["fetch", "--quiet", "origin", reference])?;
        self.commit("FETCH_HEAD")
    }

    fn commit(&self, name: &str) -> Result<String> {
        self.run(&["rev-parse", "--quiet", "--verify", "--end-of-options", &format!("{name}^{{commit}}")])
    }

    fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.into).stdin(Stdio::null());
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ALLOW_PROTOCOL", SCHEMES.join(":"));
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        let refuse = |reason: String| Error::Git { repository: shown(self.repository), reason };
        let output = command.output().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => refuse("there is no git on PATH: install it".to_owned()),
            _ => refuse(format!("git does not start: {error}")),
        })?;
        if !output.status.success() {
            let said =
                String::from_utf8_lossy(&output.stderr).replace(self.repository.as_str(), &shown(self.repository));
            let fatal = said.lines().find(|line| line.starts_with("fatal: ")).or_else(|| said.lines().next());
            return Err(refuse(fatal.unwrap_or("git failed").to_owned()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_repositories() {
        let parse = |text: &str| parse(&text.parse().unwrap());
        let (repository, reference) = parse("git+https://127.0.0.1/a/b.git@v1.0#subdirectory=x").unwrap();
        assert_eq!((repository.as_str(), reference.as_deref()), ("https://127.0.0.1/a/b.git", Some("v1.0")));
        let (repository, reference) = parse("git+ssh://git@127.0.0.1/a/b.git").unwrap();
        assert_eq!((repository.as_str(), reference), ("ssh://git@127.0.0.1/a/b.git", None));
        for bad in ["git+ext://sh/x", "https://127.0.0.1/a.git", "git+https://127.0.0.1/a@--upload-pack=x"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
