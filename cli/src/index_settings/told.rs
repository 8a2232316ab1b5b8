//! What was told, by whom: flags, then omnipkg's, uv's and pip's variables, then pip's configuration files.

use super::pip::PipConfiguration;
use crate::arguments::{IndexOptions, KeyringProvider};
use crate::settings::non_empty;
use std::fmt;
use std::path::{Path, PathBuf};

/// What stands between the words of a variable or a file.
const WHITE: &[char] = &[' ', '\n', '\t'];

/// Who told a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable.
    Variable(String),
    /// A file.
    File(PathBuf),
    /// Nobody.
    Default,
}

impl Origin {
    /// True for what is told to pip and not to omnipkg: pip passes over what is not there.
    pub fn is_pips(&self) -> bool {
        match self {
            Self::Variable(name) => name.starts_with("PIP_"),
            Self::File(_) => true,
            Self::Flag(_) | Self::Default => false,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(text) => f.write_str(text),
            Self::Variable(text) => f.write_str(text),
            Self::File(path) => path.display().fmt(f),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and who told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// As it was told.
    pub value: String,
    /// By whom.
    pub origin: Origin,
}

impl Told {
    fn new(value: impl Into<String>, origin: Origin) -> Self {
        Self { value: value.into(), origin }
    }

    /// True for what pip takes for a yes.
    fn is_yes(&self) -> bool {
        matches!(self.value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on" | "y" | "t")
    }
}

/// Everything that was told of indexes.
#[derive(Debug, Default)]
pub struct IndexSettings {
    /// The main index.
    pub index_url: Option<Told>,
    /// Further ones, in the order in which they are asked.
    pub extra: Vec<Told>,
    /// `PROJECT=NAME|URL`.
    pub index_for: Vec<Told>,
    /// Directories and pages of files.
    pub find_links: Vec<Told>,
    /// That no index is to be asked.
    pub no_index: Option<Told>,
    /// The limit of time.
    pub exclude_newer: Option<Told>,
    /// Who is asked for logins.
    pub keyring: Option<Told>,
    /// Seconds of silence that a server is granted.
    pub timeout: Option<Told>,
    /// pip's own proxy.
    pub proxy: Option<Told>,
    /// pip's own file of authorities.
    pub certificates: Option<Told>,
}

impl IndexSettings {
    /// Collects it.
    pub fn read(flags: &IndexOptions) -> Self {
        let pip = PipConfiguration::read();
        let one = |flag: Option<Told>, variables: &[&str], key| {
            flag.or_else(|| variable(variables)).or_else(|| of_pip(&pip, key))
        };
        let extra_variables = ["OMNIPKG_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL"];
        let extra = [
            all_of(&flags.index, "--index"),
            words(&["OMNIPKG_INDEX"]),
            all_of(&flags.extra_index_url, "--extra-index-url"),
            words(&extra_variables),
            split(of_pip(&pip, "extra-index-url"), WHITE),
        ];
        let find_links = [
            all_of(&flags.find_links, "--find-links"),
            words(&["OMNIPKG_FIND_LINKS"]),
            // uv separates by commas.
            split(variable(&["UV_FIND_LINKS"]), &[',']),
            words(&["PIP_FIND_LINKS"]),
            split(of_pip(&pip, "find-links"), WHITE),
        ];
        let keyring = ["OMNIPKG_KEYRING_PROVIDER", "UV_KEYRING_PROVIDER", "PIP_KEYRING_PROVIDER"];
        let index_url = ["OMNIPKG_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"];
        let no_index = flags.no_index.then(|| Told::new("true", Origin::Flag("--no-index")));
        let timeout = ["OMNIPKG_HTTP_TIMEOUT", "UV_HTTP_TIMEOUT", "PIP_DEFAULT_TIMEOUT"];
        Self {
            index_url: one(of_flag(flags.index_url.as_ref(), "--index-url"), &index_url, "index-url"),
            extra: extra.concat(),
            index_for: [all_of(&flags.index_for, "--index-for"), words(&["OMNIPKG_INDEX_FOR"])].concat(),
            find_links: find_links.concat(),
            no_index: one(no_index, &["OMNIPKG_NO_INDEX", "PIP_NO_INDEX"], "no-index").filter(Told::is_yes),
            exclude_newer: exclude_newer(flags),
            keyring: one(provider(flags), &keyring, "keyring-provider"),
            timeout: one(None, &timeout, "timeout"),
            proxy: one(None, &["PIP_PROXY"], "proxy"),
            certificates: one(None, &["PIP_CERT"], "cert"),
        }
    }
}

fn provider(flags: &IndexOptions) -> Option<Told> {
    let name = match flags.keyring_provider? {
        KeyringProvider::Disabled => "disabled",
        KeyringProvider::Subprocess => "subprocess",
    };
    Some(Told::new(name, Origin::Flag("--keyring-provider")))
}

/// The limit of time that was told.
pub fn exclude_newer(flags: &IndexOptions) -> Option<Told> {
    of_flag(flags.exclude_newer.as_ref(), "--exclude-newer")
        .or_else(|| variable(&["OMNIPKG_EXCLUDE_NEWER", "UV_EXCLUDE_NEWER"]))
}

fn of_flag(value: Option<&String>, name: &'static str) -> Option<Told> {
    value.map(|value| Told::new(value, Origin::Flag(name)))
}

fn all_of(values: &[String], name: &'static str) -> Vec<Told> {
    values.iter().map(|value| Told::new(value, Origin::Flag(name))).collect()
}

/// The first of the variables that is set.
pub fn variable(names: &[&str]) -> Option<Told> {
    names.iter().find_map(|name| {
        let value = non_empty(name)?.into_string().ok()?;
        Some(Told::new(value, Origin::Variable((*name).to_owned())))
    })
}

/// The words of all the variables.
fn words(names: &[&str]) -> Vec<Told> {
    names.iter().flat_map(|name| split(variable(&[name]), WHITE)).collect()
}

fn of_pip(pip: &PipConfiguration, key: &str) -> Option<Told> {
    let file = |(value, path): (&str, &Path)| Told::new(value, Origin::File(path.to_owned()));
    pip.get(key).map(file)
}

fn split(told: Option<Told>, separators: &[char]) -> Vec<Told> {
    let Some(Told { value, origin }) = told else { return Vec::new() };
    let words = value.split(separators).map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| Told::new(word, origin.clone())).collect()
}
