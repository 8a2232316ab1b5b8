//! What the healer says: one line a remedy step, and the reason when it stops. No colour, no prefix of a level here.

use crate::diagnosis::{Diagnosis, Kind};

/// Something to tell the user on stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Talk {
    /// The script is run again: exactly one line for each remedy step.
    Healing(String),
    /// The script stays failed; its own traceback is already printed. Why, in one line.
    Unhealed(String),
    /// What the user can do about it; stands on its own line after [`Talk::Unhealed`].
    Hint(String),
}

impl Talk {
    /// The text, whatever it is.
    pub fn text(&self) -> &str {
        match self {
            Self::Healing(text) | Self::Unhealed(text) | Self::Hint(text) => text,
        }
    }
}

/// "s.py:4 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2". `chosen` are the remedies' projects with the
/// versions that the new view has, where that is known.
pub fn healing(diagnosis: &Diagnosis, chosen: &[String]) -> String {
    format!("{}: running with {}", diagnosis.need, join(chosen))
}

/// "… (found 13.7.1): not run again, since …". The view is there for the next start.
pub fn later(diagnosis: &Diagnosis, chosen: &[String]) -> String {
    format!(
        "{}: not run again, since what it read from standard input is gone; the next start runs with {}",
        diagnosis.need,
        join(chosen)
    )
}

/// The lines for a diagnosis that has no remedy.
pub fn unhealed(diagnosis: &Diagnosis) -> Vec<Talk> {
    let mut lines = vec![Talk::Unhealed(diagnosis.evidence.clone())];
    if !diagnosis.considered.is_empty() {
        let considered: Vec<String> =
            diagnosis.considered.iter().map(|one| format!("{} ({})", one.project, one.reason)).collect();
        lines.push(Talk::Unhealed(format!("considered {}", considered.join("; "))));
    }
    lines.extend(diagnosis.hint.iter().cloned().map(Talk::Hint));
    if diagnosis.kind == Kind::MissingModule {
        let names: Vec<&str> =
            diagnosis.considered.iter().filter(|one| one.installable).map(|one| one.project.as_str()).collect();
        if let Some(first) = names.first() {
            lines.push(Talk::Hint(format!("to allow it: --with {first}, or --heal=any to take names as they are")));
        } else if diagnosis.guessable {
            lines.push(Talk::Hint("to add a project that you trust: --with NAME".to_owned()));
        }
    }
    lines
}

/// "a", "a and b", "a, b and c".
pub fn join(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        assert_eq!(join(&names[..0]), "");
        assert_eq!(join(&names[..1]), "a");
        assert_eq!(join(&names), "a, b and c");
    }
}
