//! Which indexes to ask: a flag, then omnipkg's, uv's and pip's variables, then pip's configuration files, and
//! last the default that the interpreter's own pip carries, read from it once and remembered.

use crate::settings::{Settings, non_empty};
use anyhow::{Context, Result, anyhow, bail};
use omnipkg_resolver::Indexes;
use omnipkg_store::interpreter::Interpreter;
use omnipkg_store::{Store, publish};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use url::Url;

/// Prints the default index of the pip that the interpreter has, or of the one bundled with ensurepip.
const ASK_PIP: &str = r"
import sys
sys.path = [path for path in sys.path if path]
import glob, os, sysconfig
bundled = os.path.join(sysconfig.get_path('stdlib'), 'ensurepip', '_bundled', 'pip-*.whl')
sys.path.extend(sorted(glob.glob(bundled)))
for name in ('pip._internal.models.index', 'pip.models.index'):
    try:
        print(__import__(name, fromlist=['PyPI']).PyPI.simple_url)
        break
    except ImportError:
        pass
";

/// The indexes to ask, in the order that `Indexes` gives them.
pub fn indexes(settings: &Settings, store: &Store, interpreter: &Interpreter) -> Result<Indexes> {
    let configuration = PipConfiguration::read();
    let index_url = match configured(settings, &configuration) {
        Some((url, origin)) => parse(&url, &origin)?,
        None => parse(&default_index(store, interpreter)?, "the default of the interpreter's pip")?,
    };
    let extra =
        extra(settings, &configuration).iter().map(|(url, origin)| parse(url, origin)).collect::<Result<_>>()?;
    Ok(Indexes { index_url, extra })
}

/// The indexes as a remembered answer names them: in their order, and without credentials, which are no part of an answer.
///
/// Nothing is started for it: the default of the interpreter's pip is the empty name. What is no URL stands as it is.
pub fn names(settings: &Settings) -> Vec<String> {
    let configuration = PipConfiguration::read();
    let index_url = configured(settings, &configuration).unwrap_or_default();
    let all = std::iter::once(index_url).chain(extra(settings, &configuration));
    all.map(|(url, origin)| parse(&url, &origin).map_or(url, |url| without_login(url).into())).collect()
}

/// A URL without user name and password.
pub fn without_login(mut url: Url) -> Url {
    // Only a URL without a host can refuse, and that has no credentials.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url
}

/// The indexes that are asked beside the first one, and where each comes from.
fn extra(settings: &Settings, configuration: &PipConfiguration) -> Vec<(String, String)> {
    let names = ["OMNIPKG_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL"];
    let variables = names.into_iter().filter_map(|name| Some((env::var(name).ok()?, name)));
    let files = configuration.get("extra-index-url").map(|urls| (urls.to_owned(), "pip.conf"));
    let flag = "--extra-index-url";
    let mut extra: Vec<_> = settings.extra_index_url.iter().map(|url| (url.clone(), flag.to_owned())).collect();
    for (urls, origin) in variables.chain(files) {
        extra.extend(urls.split_whitespace().map(|url| (url.to_owned(), origin.to_owned())));
    }
    extra
}

fn configured(settings: &Settings, configuration: &PipConfiguration) -> Option<(String, String)> {
    if let Some(url) = &settings.index_url {
        return Some((url.clone(), "--index-url".to_owned()));
    }
    for name in ["OMNIPKG_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"] {
        if let Some(url) = non_empty(name).and_then(|value| value.into_string().ok()) {
            return Some((url, name.to_owned()));
        }
    }
    configuration.get("index-url").map(|url| (url.to_owned(), "pip.conf".to_owned()))
}

fn parse(url: &str, origin: &str) -> Result<Url> {
    // uv allows `name=url`.
    let url = url.split_once('=').filter(|(name, _)| !name.contains([':', '/'])).map_or(url, |(_, url)| url);
    let parsed = Url::parse(url).map_err(|error| anyhow!("the index URL from {origin} is not valid: {error}"))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        bail!("the index URL from {origin} has the scheme {:?}; http and https are understood", parsed.scheme());
    }
    Ok(parsed)
}

fn default_index(store: &Store, interpreter: &Interpreter) -> Result<String> {
    let memory = store.layout().cache().join("default-index");
    if let Ok(url) = fs::read_to_string(&memory) {
        return Ok(url);
    }
    let output = Command::new(interpreter.path())
        // Python 2 has no -I, so the script itself leaves the working directory out.
        .args(["-E", "-s", "-c", ASK_PIP])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", interpreter.path().display()))?;
    let url = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if url.is_empty() {
        bail!("no index is configured, and {} has no pip to ask for its default", interpreter.path().display());
    }
    publish::volatile_file(store, &memory, url.as_bytes())?;
    Ok(url)
}

/// pip's configuration: `[global]` and `[install]` of its files, later files winning, as pip reads them.
#[derive(Default)]
struct PipConfiguration {
    values: Vec<(String, String)>,
}

impl PipConfiguration {
    fn read() -> Self {
        let mut this = Self::default();
        if non_empty("PIP_CONFIG_FILE").is_some_and(|file| file == "/dev/null") {
            return this;
        }
        for path in configuration_files() {
            if let Ok(text) = fs::read_to_string(path) {
                this.add(&text);
            }
        }
        this
    }

    fn add(&mut self, text: &str) {
        let mut relevant = false;
        let mut values: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            let content = line.trim();
            if content.is_empty() || content.starts_with(['#', ';']) {
                continue;
            }
            if let Some(section) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                relevant = matches!(section, "global" | "install");
            } else if relevant && line.starts_with([' ', '\t']) {
                if let Some((_, value)) = values.last_mut() {
                    value.push('\n');
                    value.push_str(content);
                }
            } else if relevant && let Some((key, value)) = content.split_once(['=', ':']) {
                values.push((key.trim().replace('_', "-").to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        self.values.extend(values);
    }

    fn get(&self, key: &str) -> Option<&str> {
        let found = self.values.iter().rev().find(|(name, value)| name == key && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }
}

fn configuration_files() -> Vec<PathBuf> {
    let home = non_empty("HOME").map(PathBuf::from);
    let mut files = vec![PathBuf::from("/etc/xdg/pip/pip.conf"), PathBuf::from("/etc/pip.conf")];
    files.extend(home.iter().map(|home| home.join(".pip/pip.conf")));
    let config = non_empty("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| home.map(|home| home.join(".config")));
    files.extend(config.map(|config| config.join("pip/pip.conf")));
    files.extend(non_empty("VIRTUAL_ENV").map(|prefix| Path::new(&prefix).join("pip.conf")));
    files.extend(non_empty("PIP_CONFIG_FILE").map(PathBuf::from));
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_configuration_is_read_as_pip_does() {
        let mut configuration = PipConfiguration::default();
        configuration.add("[list]\nindex-url = http://127.0.0.1/no\n[global]\nindex_url = http://127.0.0.1/a\n# c\nextra-index-url =\n    http://127.0.0.1/b\n    http://127.0.0.1/c\n");
        configuration.add("[install]\nindex-url: http://127.0.0.1/d\n");
        assert_eq!(configuration.get("index-url"), Some("http://127.0.0.1/d"));
        let extra = configuration.get("extra-index-url").map(|urls| urls.split_whitespace().count());
        assert_eq!(extra, Some(2));
    }

    #[test]
    fn credentials_are_no_part_of_a_name() {
        let named = |url| parse(url, "PIP_INDEX_URL").map(without_login).ok();
        assert_eq!(named("own=http://user:secret@127.0.0.1/a"), named("http://127.0.0.1/a"));
        assert_ne!(named("http://127.0.0.1/a"), named("http://127.0.0.1/b"));
    }

    #[test]
    fn bad_urls_name_their_origin_and_not_their_secrets() {
        let error = parse("ftp://user:secret@127.0.0.1/", "PIP_INDEX_URL").map_err(|error| error.to_string());
        assert!(
            error.as_ref().is_err_and(|text| text.contains("PIP_INDEX_URL") && !text.contains("secret")),
            "{error:?}"
        );
    }
}
