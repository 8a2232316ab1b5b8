//! Makes output stable for snapshots: what differs from run to run becomes a word in brackets.

/// Replaces durations by `[TIME]` and view ids by `[VIEW]`.
pub fn stable(text: &str) -> String {
    let mut stable = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(first) = rest.chars().next() {
        let boundary = !before.is_some_and(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '='));
        let found = boundary.then(|| duration(rest).map(|n| ("[TIME]", n)).or(view_id(rest).map(|n| ("[VIEW]", n))));
        let (replacement, length) = match found.flatten() {
            Some((word, length)) => (word, length),
            None => (&rest[..first.len_utf8()], first.len_utf8()),
        };
        stable.push_str(replacement);
        before = rest[..length].chars().next_back();
        rest = &rest[length..];
    }
    stable
}

/// The length of a duration such as `12 ms`, `1.5s`, `340µs` at the start of `text`.
fn duration(text: &str) -> Option<usize> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    if digits == 0 || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let space = usize::from(text[digits..].starts_with(' '));
    let unit = &text[digits + space..];
    let unit_length = unit.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(unit.len());
    let known = ["ns", "µs", "μs", "us", "ms", "s", "min"].contains(&&unit[..unit_length]);
    known.then_some(digits + space + unit_length)
}

/// The length of a view id, exactly forty lower-case hex digits, at the start of `text`.
fn view_id(text: &str) -> Option<usize> {
    let word = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let hex = text[..word].bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (word == 40 && hex).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_view_ids_become_words() {
        let view = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(stable(&format!("made mnt/{view}/bin in 1.25 ms (2s)")), "made mnt/[VIEW]/bin in [TIME] ([TIME])");
        assert_eq!(stable("340µs, 12 min."), "[TIME], [TIME].");
    }

    #[test]
    fn versions_counts_and_longer_hex_stay() {
        for text in ["rich 13.4.2 (found 13.7.1)", "3 scripts", "rich==1.0", "a1s", "py3.11s"] {
            assert_eq!(stable(text), text);
        }
        let digest = "0".repeat(64);
        assert_eq!(stable(&digest), digest);
    }
}
