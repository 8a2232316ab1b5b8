//! What was told, by whom: flags, then omnipkg's, uv's and pip's variables, then pip's configuration files.

use super::pip::PipConfiguration;
use crate::arguments::{IndexOptions, KeyringProvider};
use crate::settings::non_empty;
use std::fmt;
use std::path::{Path, PathBuf};

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
        let flag = |values: &[String], name| -> Vec<Told> {
            values.iter().map(|value| Told::new(value, Origin::Flag(name))).collect()
        };
        let extra_variables = ["OMNIPKG_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL"];
        let extra = [
            flag(&flags.index, "--index"),
            words(&["OMNIPKG_INDEX"]),
            flag(&flags.extra_index_url, "--extra-index-url"),
        ];
        let find_links = flag(&flags.find_links, "--find-links");
        let provider = flags.keyring_provider.map(|provider| match provider {
            KeyringProvider::Disabled => "disabled".to_owned(),
            KeyringProvider::Subprocess => "subprocess".to_owned(),
        });
        let no_index = flags.no_index.then(|| Told::new("true", Origin::Flag("--no-index")));
        Self {
            index_url: one(flags.index_url.as_ref(), "--index-url")
                .or_else(|| variable(&["OMNIPKG_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"]))
                .or_else(|| of_pip(&pip, "index-url")),
            extra: [extra.concat(), words(&extra_variables), words_of_pip(&pip, "extra-index-url")].concat(),
            index_for: [flag(&flags.index_for, "--index-for"), words(&["OMNIPKG_INDEX_FOR"])].concat(),
            find_links: [
                find_links,
                words(&["OMNIPKG_FIND_LINKS"]),
                // uv separates by commas.
                split(variable(&["UV_FIND_LINKS"]), &[',']),
                words(&["PIP_FIND_LINKS"]),
                words_of_pip(&pip, "find-links"),
            ]
            .concat(),
            no_index: no_index.or_else(|| {
                variable(&["OMNIPKG_NO_INDEX", "PIP_NO_INDEX"]).or_else(|| of_pip(&pip, "no-index")).filter(|told| {
                    matches!(told.value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on" | "y" | "t")
                })
            }),
            exclude_newer: exclude_newer(flags),
            keyring: one(provider.as_ref(), "--keyring-provider")
                .or_else(|| variable(&["OMNIPKG_KEYRING_PROVIDER", "UV_KEYRING_PROVIDER", "PIP_KEYRING_PROVIDER"]))
                .or_else(|| of_pip(&pip, "keyring-provider")),
            timeout: variable(&["OMNIPKG_HTTP_TIMEOUT", "UV_HTTP_TIMEOUT", "PIP_DEFAULT_TIMEOUT"])
                .or_else(|| of_pip(&pip, "timeout")),
            proxy: variable(&["PIP_PROXY"]).or_else(|| of_pip(&pip, "proxy")),
            certificates: variable(&["PIP_CERT"]).or_else(|| of_pip(&pip, "cert")),
        }
    }
}

/// The limit of time that was told.
pub fn exclude_newer(flags: &IndexOptions) -> Option<Told> {
    one(flags.exclude_newer.as_ref(), "--exclude-newer")
        .or_else(|| variable(&["OMNIPKG_EXCLUDE_NEWER", "UV_EXCLUDE_NEWER"]))
}

fn one(value: Option<&String>, name: &'static str) -> Option<Told> {
    value.map(|value| Told::new(value, Origin::Flag(name)))
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
    names.iter().flat_map(|name| split(variable(&[name]), &[' ', '\n', '\t'])).collect()
}

fn of_pip(pip: &PipConfiguration, key: &str) -> Option<Told> {
    let file = |(value, path): (&str, &Path)| Told::new(value, Origin::File(path.to_owned()));
    pip.get(key).map(file)
}

fn words_of_pip(pip: &PipConfiguration, key: &str) -> Vec<Told> {
    split(of_pip(pip, key), &[' ', '\n', '\t'])
}

fn split(told: Option<Told>, separators: &[char]) -> Vec<Told> {
    let Some(Told { value, origin }) = told else { return Vec::new() };
    let words = value.split(separators).map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| Told::new(word, origin.clone())).collect()
}
