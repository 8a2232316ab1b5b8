//! A part of a distribution that asks, in the command that its message tells, for one of the distribution's own extras:
//! `pip install 'uvicorn[standard]'`. It is an ImportError. Of such a message only the command is read, and only for what is loaded already.

use super::{Diagnosis, Kind};
use crate::remedy::{Remedy, bare};
use crate::report::{Report, line};
use pep508_rs::Requirement;

pub(super) fn diagnose(report: &Report) -> Option<Diagnosis> {
    // What was dealt with on the way is not the failure.
    let import =
        Some(&report.exception).filter(|exception| exception.bases.iter().any(|base| base == "ImportError"))?;
    let asked = commands(&import.message).into_iter().find(|requirement| {
        !requirement.extras.is_empty() && report.distributions.contains_key(requirement.name.as_ref())
    })?;
    let extras: Vec<String> = asked.extras.iter().map(ToString::to_string).collect();
    let name = format!("{}[{}]", asked.name, extras.join(","));
    let evidence = format!("{} uses a part of {} that needs {}", report.site(), line(asked.name.as_ref()), line(&name));
    let mut diagnosis = Diagnosis::new(Kind::Extra, evidence);
    diagnosis.remedies = vec![Remedy::Require(Requirement { extras: asked.extras, ..bare(asked.name) })];
    Some(diagnosis)
}

/// The requirements of every `pip install …` in a text.
fn commands(text: &str) -> Vec<Requirement> {
    let after = text.split("pip install ").skip(1).take(8);
    after
        .filter_map(|rest| rest.split_whitespace().find(|word| !word.starts_with('-')))
        .filter_map(requirement)
        .collect()
}

fn requirement(word: &str) -> Option<Requirement> {
    let end = word.rfind(']').map(|end| end + 1)?;
    let start = word.find(|letter: char| letter.is_ascii_alphanumeric())?;
    word.get(start..end)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{exception, found, report};

    fn remedies(text: &str) -> Vec<String> {
        let mut report = report("3.11.7", &[("uvicorn", "0.30.0")]);
        report.exception = exception("ImportError", text);
        report.exception.bases = vec!["ImportError".into()];
        let diagnosis = found(&report);
        diagnosis
            .into_iter()
            .flat_map(|diagnosis| diagnosis.remedies)
            .map(|remedy| match remedy {
                Remedy::Require(requirement) => requirement.to_string(),
                other => other.to_string(),
            })
            .collect()
    }

    #[test]
    fn extras_of_what_is_there() {
        for text in [
            "not there: run `pip install 'uvicorn[standard]'`.",
            "please run pip install uvicorn[standard]",
            "run \"python -m pip install -U uvicorn[standard]\" first",
        ] {
            assert_eq!(remedies(text), ["uvicorn[standard]"], "{text}");
        }
    }

    #[test]
    fn anything_else_is_not_taken_at_its_word() {
        for text in
            ["pip install other[extra]", "pip install uvicorn", "pip install", "uvicorn[standard]", "pip install ]["]
        {
            assert!(remedies(text).is_empty(), "{text}");
        }
    }
}
