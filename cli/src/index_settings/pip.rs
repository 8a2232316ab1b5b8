//! pip's configuration files, as pip reads them.

use crate::settings::non_empty;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// `[global]` and `[install]` of the files, later files winning.
#[derive(Default)]
pub struct PipConfiguration {
    /// Key, value, file.
    values: Vec<(String, String, PathBuf)>,
}

impl PipConfiguration {
    /// Reads all files that there are.
    pub fn read() -> Self {
        let mut this = Self::default();
        if non_empty("PIP_CONFIG_FILE").is_some_and(|file| file == "/dev/null") {
            return this;
        }
        for path in files() {
            if let Ok(text) = fs::read_to_string(&path) {
                this.add(&text, &path);
            }
        }
        this
    }

    fn add(&mut self, text: &str, path: &Path) {
        let mut relevant = false;
        let mut values: Vec<(String, String, PathBuf)> = Vec::new();
        for line in text.lines() {
            let content = line.trim();
            if content.is_empty() || content.starts_with(['#', ';']) {
                continue;
            }
            if let Some(section) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                relevant = matches!(section, "global" | "install");
            } else if relevant && line.starts_with([' ', '\t']) {
                if let Some((_, value, _)) = values.last_mut() {
                    value.push('\n');
                    value.push_str(content);
                }
            } else if relevant && let Some((key, value)) = content.split_once(['=', ':']) {
                let key = key.trim().replace('_', "-").to_ascii_lowercase();
                values.push((key, value.trim().to_owned(), path.to_owned()));
            }
        }
        self.values.extend(values);
    }

    /// The value that counts, and the file that has it.
    pub fn get(&self, key: &str) -> Option<(&str, &Path)> {
        let found = self.values.iter().rev().find(|(name, value, _)| name == key && !value.is_empty());
        found.map(|(_, value, path)| (value.as_str(), path.as_path()))
    }
}

fn files() -> Vec<PathBuf> {
    let home = non_empty("HOME").map(PathBuf::from);
    let mut files: Vec<PathBuf> = match env::var_os("XDG_CONFIG_DIRS").filter(|dirs| !dirs.is_empty()) {
        Some(dirs) => env::split_paths(&dirs).map(|dir| dir.join("pip/pip.conf")).collect(),
        None => vec![PathBuf::from("/etc/xdg/pip/pip.conf")],
    };
    files.push(PathBuf::from("/etc/pip.conf"));
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
        let first = "[list]\nindex-url = http://127.0.0.1/no\n[global]\nindex_url = http://127.0.0.1/a\n# c\n\
                     extra-index-url =\n    http://127.0.0.1/b\n    http://127.0.0.1/c\n";
        configuration.add(first, Path::new("/one"));
        configuration.add("[install]\nindex-url: http://127.0.0.1/d\n", Path::new("/two"));
        assert_eq!(configuration.get("index-url"), Some(("http://127.0.0.1/d", Path::new("/two"))));
        let extra = configuration.get("extra-index-url").map(|(urls, _)| urls.split_whitespace().count());
        assert_eq!(extra, Some(2));
    }
}
