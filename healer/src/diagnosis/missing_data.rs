//! Data that a distribution wants beside itself: NLTK's resources, spaCy's models, browsers of Playwright. It is said what
//! fetches it; nothing is fetched.
//!
//! Each library says by its own kind of exception what it lacks; of the message only the resource's name is read.

use super::{Diagnosis, Kind};
use crate::report::{Exception, Report, line};

pub(super) fn diagnose(report: &Report) -> Option<Diagnosis> {
    report.exceptions().find_map(|exception| {
        let (what, hint) = nltk(report, exception)
            .or_else(|| spacy(report, exception))
            .or_else(|| textblob(exception))
            .or_else(|| playwright(exception))?;
        let evidence = format!("{} needs {}, which is data that omnipkg does not fetch", report.site(), line(&what));
        let mut diagnosis = Diagnosis::new(Kind::MissingData, evidence);
        diagnosis.hint = Some(line(&hint));
        Some(diagnosis)
    })
}

fn nltk(report: &Report, exception: &Exception) -> Option<(String, String)> {
    if exception.class != "LookupError" || !report.distributions.contains_key("nltk") {
        return None;
    }
    let resource = between(&exception.message, "nltk.download('", "'")?;
    Some((format!("NLTK's {resource}"), format!("to fetch it: omnipkg run -m nltk.downloader {resource}")))
}

fn spacy(report: &Report, exception: &Exception) -> Option<(String, String)> {
    let is_spacy = exception.class == "OSError" && report.distributions.contains_key("spacy");
    if !is_spacy || !exception.message.starts_with("[E050]") {
        return None;
    }
    let model = between(&exception.message, " '", "'")?;
    let hint = "the project's documentation lists the models' wheels: omnipkg install URL";
    Some((format!("spaCy's model {model}"), hint.to_owned()))
}

fn textblob(exception: &Exception) -> Option<(String, String)> {
    (exception.qualified == "textblob.exceptions.MissingCorpusError").then(|| {
        ("TextBlob's corpora".to_owned(), "to fetch them: omnipkg run -m textblob.download_corpora".to_owned())
    })
}

fn playwright(exception: &Exception) -> Option<(String, String)> {
    let is_playwright = exception.qualified.starts_with("playwright.");
    (is_playwright && exception.message.contains("Executable doesn't exist at "))
        .then(|| ("a browser of Playwright's".to_owned(), "to fetch it: omnipkg run -m playwright install".to_owned()))
}

/// The name that stands between two marks, if it can be one.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let name = text.split_once(before)?.1.split_once(after)?.0;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (!name.is_empty() && name.len() <= 100 && name.chars().all(is_name)).then_some(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use crate::diagnosis::testing::{exception, found, report};

    fn of(class: &str, qualified: &str, message: &str) -> Option<(String, String)> {
        let mut report = report("3.11.7", &[("nltk", "3.8.1"), ("spacy", "3.7.0")]);
        report.exception = exception(class, message);
        report.exception.qualified = qualified.to_owned();
        let diagnosis = found(&report)?;
        assert!(diagnosis.remedies.is_empty());
        Some((diagnosis.evidence, diagnosis.hint.unwrap()))
    }

    #[test]
    fn what_is_wanted_is_named() {
        let message = "\n****\n  Resource punkt not found.\n  >>> import nltk\n  >>> nltk.download('punkt')\n";
        let (evidence, hint) = of("LookupError", "builtins.LookupError", message).unwrap();
        assert_eq!(evidence, "s.py:4 needs NLTK's punkt, which is data that omnipkg does not fetch");
        assert_eq!(hint, "to fetch it: omnipkg run -m nltk.downloader punkt");
        let message = "[E050] Can't find model 'en_core_web_sm'. It doesn't seem to be a Python package";
        assert!(of("OSError", "builtins.OSError", message).unwrap().0.contains("spaCy's model en_core_web_sm"));
        assert!(of("MissingCorpusError", "textblob.exceptions.MissingCorpusError", "x").is_some());
        assert!(of("Error", "playwright._impl._errors.Error", "Executable doesn't exist at /x").is_some());
    }

    #[test]
    fn other_failures_of_those_kinds_are_not() {
        assert_eq!(of("LookupError", "builtins.LookupError", "no such key"), None);
        assert_eq!(of("LookupError", "builtins.LookupError", "nltk.download('a b; rm')"), None);
        assert_eq!(of("OSError", "builtins.OSError", "[Errno 5] 'x'"), None);
    }
}
