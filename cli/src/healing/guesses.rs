//! What is known of a project that is only guessed, in words: what a user needs to say yes or no.

use omnipkg_resolver::About;

/// "12 versions, the newest 2.1, since 2015-03-01; its wheel has 14 files and the module foo", and whether it has it.
pub fn in_words(about: &About, module: &str) -> (Option<String>, Option<bool>) {
    let Some(newest) = &about.newest else {
        return (Some("it has no version that could be used here".to_owned()), Some(false));
    };
    let plural = if about.versions == 1 { "version" } else { "versions" };
    let mut words = format!("{} {plural}, the newest {newest}", about.versions);
    if let Some((first, last)) = about.uploaded {
        let day = |moment: String| moment.get(..10).map(str::to_owned).unwrap_or(moment);
        words.push_str(&format!(", from {} to {}", day(first.to_string()), day(last.to_string())));
    }
    let has_module = about.names.as_ref().map(|names| names.iter().any(|name| is_module(name, module)));
    if let (Some(names), Some(has_module)) = (&about.names, has_module) {
        let word = if has_module { "the module" } else { "no module" };
        words.push_str(&format!("; its wheel has {} files and {word} {module}", names.len()));
    }
    (Some(words), has_module)
}

fn is_module(name: &str, module: &str) -> bool {
    let Some(rest) = name.strip_prefix(module) else { return false };
    rest == ".py" || rest.starts_with('/') || (rest.starts_with('.') && rest.ends_with(".so") && !rest.contains('/'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let names = vec!["foo/__init__.py".to_owned(), "foo-1.0.dist-info/METADATA".to_owned()];
        let about = About { versions: 2, newest: "1.0".parse().ok(), uploaded: None, names: Some(names) };
        let (words, has_module) = in_words(&about, "foo");
        assert_eq!(words.unwrap(), "2 versions, the newest 1.0; its wheel has 2 files and the module foo");
        assert_eq!(has_module, Some(true));
        assert_eq!(in_words(&about, "fo").1, Some(false));
        assert_eq!(in_words(&About::default(), "foo").1, Some(false));
    }
}
