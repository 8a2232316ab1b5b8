//! Mends the few well-known defects of published requirements that pip of their day accepted.
//!
//! Only called for text that the strict parsers refused; what it returns goes through them again.
//! `>=1.0<2` lacks a comma, `>=3.6.*` and `!=3.0*` misuse the star, `!=~3` has a stray tilde,
//! `>='2.7'` has quotes, `>=2.7,` ends in a comma, `>dev` and `>=2011k` were above a version below all others and say nothing.

/// Mends version specifiers.
pub(crate) fn specifiers(text: &str) -> String {
    let text = text.trim().trim_start_matches('(').trim_end_matches(')');
    clauses(text).into_iter().filter_map(clause).collect::<Vec<_>>().join(",")
}

/// Mends a requirement line: name, extras and marker are kept as they are.
pub(crate) fn requirement(line: &str) -> String {
    let (head, marker) = line.split_once(';').map_or((line, None), |(head, marker)| (head, Some(marker)));
    let extras_end = head.find(']').map_or(0, |index| index + 1);
    let start = head[extras_end..].find(is_operator).map_or(head.len(), |index| extras_end + index);
    let (name, versions) = head.split_at(start);
    let name = name.trim_end().trim_end_matches('(').trim_end();
    let mended = format!("{name}{}", specifiers(versions));
    match marker {
        Some(marker) => format!("{mended} ; {}", marker.trim()),
        None => mended,
    }
}

fn is_operator(character: char) -> bool {
    matches!(character, '<' | '>' | '=' | '!' | '~')
}

/// Cuts before every operator that follows something else.
fn clauses(text: &str) -> Vec<&str> {
    let mut cuts = Vec::new();
    let mut in_operator = false;
    for (index, character) in text.char_indices() {
        if is_operator(character) && !in_operator {
            cuts.push(index);
        }
        in_operator = is_operator(character);
    }
    let ends = cuts.iter().skip(1).copied().chain([text.len()]);
    cuts.iter().zip(ends).map(|(&start, end)| &text[start..end]).collect()
}

fn clause(text: &str) -> Option<String> {
    let split = text.find(|character| !is_operator(character))?;
    let (operator, version) = text.split_at(split);
    let operator = if operator == "!=~" { "!=" } else { operator };
    let version = version.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '\'' | '"'));
    let version = match (operator, version.strip_suffix('*')) {
        (_, None) => version.to_owned(),
        ("==" | "!=", Some(stem)) => format!("{}.*", stem.trim_end_matches('.')),
        (_, Some(stem)) => stem.trim_end_matches('.').to_owned(),
    };
    // Versions of before PEP 440 (`2011k`, `dev`) were below all others.
    let is_of_before = operator.starts_with('>') && version.parse::<pep440_rs::Version>().is_err();
    let says_nothing = version.is_empty() || is_of_before;
    (!says_nothing).then(|| format!("{operator}{version}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use pep440_rs::VersionSpecifiers;

    #[test]
    fn well_known_defects_are_mended() {
        for (broken, mended) in [
            (">=1.0<2", ">=1.0,<2"),
            (">=3.6.*", ">=3.6"),
            (">=2.7, !=3.0*, !=3.1*", ">=2.7,!=3.0.*,!=3.1.*"),
            ("!=~3.0,>=2", "!=3.0,>=2"),
            (">='2.7'", ">=2.7"),
            (">=2.7,", ">=2.7"),
            ("(>=1.0 <2.0)", ">=1.0,<2.0"),
            (">=3.6,", ">=3.6"),
        ] {
            assert_eq!(specifiers(broken), mended);
            assert!(mended.parse::<VersionSpecifiers>().is_ok());
        }
    }

    #[test]
    fn requirement_lines_keep_their_other_parts() {
        assert_eq!(
            requirement("django-x[a,b] (>=1.0<2) ; python_version > '3'"),
            "django-x[a,b]>=1.0,<2 ; python_version > '3'"
        );
        assert_eq!(requirement("numpy>=1.9.*"), "numpy>=1.9");
        assert_eq!(requirement("pytz (>dev)"), "pytz");
        assert_eq!(requirement("pytz (>=2011k)"), "pytz");
        assert_eq!(requirement("pytz (<=2011k)"), "pytz<=2011k", "what it means now is not certain");
        assert_eq!(requirement("pytz>=dev,<2030"), "pytz<2030");
        assert_eq!(requirement("plain"), "plain");
        assert_eq!(requirement("é>=ü"), "é");
    }
}
