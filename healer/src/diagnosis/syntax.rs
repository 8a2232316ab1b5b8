//! A file that this Python cannot read, and another one can: a script of Python 2, one that uses later syntax, a
//! distribution that calls something `async`.
//!
//! The interpreters themselves are asked ([`crate::knowledge::Pythons`]): they read a file without running any of it. A
//! file that none of them can read has an error of its own, unless its line is one of Python 2's and there is none here.

use super::{Context, Diagnosis, Kind};
use crate::remedy::Remedy;
use crate::report::{Report, Unparsed, line, site};
use pep440_rs::{Version, VersionSpecifiers};
use std::str::FromStr;

pub(super) fn diagnose(report: &Report, context: Context<'_>) -> Option<Diagnosis> {
    let unparsed = report.syntax.as_ref()?;
    let python = line(&report.python);
    let who = match &unparsed.distribution {
        Some(distribution) => {
            let version = report.distributions.get(distribution).map(|version| format!(" {}", line(version)));
            format!("{}{} ({})", line(distribution), version.unwrap_or_default(), site(&unparsed.file, unparsed.line))
        }
        None => site(&unparsed.file, unparsed.line),
    };
    // All that the script has got as far as must be read.
    let own = report.frames.iter().filter(|frame| frame.place == "script").map(|frame| frame.file.as_str());
    let mut files: Vec<&str> = own.chain([unparsed.file.as_str()]).collect();
    files.sort_unstable();
    files.dedup();
    let mut readers = context.pythons.that_read(&unparsed.file);
    for file in files.into_iter().filter(|file| *file != unparsed.file) {
        let others = context.pythons.that_read(file);
        readers.retain(|reader| others.contains(reader));
    }
    // Much that is a slip in Python 3 means something in Python 2: only its own statements are evidence.
    let has_a_statement = report.exception.class != "TabError" && is_python_2(unparsed);
    let may_be_python_2 = !report.is_python_3 && (has_a_statement || report.is_python_2);
    readers.retain(|reader| !is_second(reader) || may_be_python_2);
    match best(&readers) {
        Some(version) => {
            let [major, minor, ..] = version.release() else { return None };
            let evidence = match major {
                2 => format!("{who} is written for Python 2, not {python}"),
                _ => format!("{who} cannot be read by Python {python}, but by {major}.{minor}"),
            };
            let mut diagnosis = Diagnosis::new(Kind::Syntax, evidence);
            let wanted = VersionSpecifiers::from_str(&format!("=={major}.{minor}.*")).ok()?;
            diagnosis.remedies = vec![Remedy::Python(wanted)];
            Some(diagnosis)
        }
        None if may_be_python_2 && !context.pythons.known().iter().any(is_second) => {
            let evidence = format!("{who} is written for Python 2, and there is none on this machine");
            Some(Diagnosis::new(Kind::Syntax, evidence))
        }
        None => None,
    }
}

fn is_second(version: &Version) -> bool {
    version.release().first() == Some(&2)
}

/// The newest; Python 2 only if nothing else reads the file.
fn best(readers: &[Version]) -> Option<&Version> {
    readers.iter().filter(|version| !is_second(version)).max().or_else(|| readers.iter().max())
}

/// Statements that only Python 2 has, by their first word or by what stands in them.
fn is_python_2(unparsed: &Unparsed) -> bool {
    let text = unparsed.text.trim();
    let statement = |word: &str| {
        text.strip_prefix(word)
            .is_some_and(|rest| rest.starts_with([' ', '"', '\'']) && !rest.trim_start().starts_with(['=', '(', '.']))
    };
    let raises = text.strip_prefix("raise ").is_some_and(|rest| !rest.contains('(') && rest.contains(", "));
    let catches = text.strip_prefix("except ").is_some_and(|rest| !rest.starts_with('(') && rest.contains(", "));
    statement("print") || statement("exec") || raises || catches || text.contains(" <> ") || text.contains('`')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose as all;
    use crate::diagnosis::testing;
    use crate::knowledge::{Knowledge, Nothing, Pythons};
    use crate::policy::Heal;

    struct Machine(Vec<&'static str>, Vec<&'static str>);

    impl Pythons for Machine {
        fn that_read(&self, _file: &str) -> Vec<Version> {
            self.0.iter().map(|text| text.parse().unwrap()).collect()
        }

        fn known(&self) -> Vec<Version> {
            self.1.iter().map(|text| text.parse().unwrap()).collect()
        }
    }

    fn found(text: &str, readers: &[&'static str], known: &[&'static str]) -> Option<(String, Vec<String>)> {
        let mut report = testing::report("3.11.7", &[]);
        let (text, place) = (text.into(), "script".into());
        report.syntax = Some(Unparsed { file: "/w/s.py".into(), line: 2, text, place, distribution: None });
        let knowledge = Knowledge::embedded().unwrap();
        let pythons = Machine(readers.to_vec(), known.to_vec());
        let context = Context { knowledge: &knowledge, provides: &Nothing, pythons: &pythons, heal: Heal::Known };
        let diagnosis = all(&report, context)?;
        Some((diagnosis.evidence, diagnosis.remedies.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn the_newest_python_that_reads_it() {
        let expected =
            ("s.py:2 cannot be read by Python 3.11.7, but by 3.6".to_owned(), vec!["Python ==3.6.*".to_owned()]);
        assert_eq!(found("def f(async): pass", &["2.7.18", "3.6.15", "3.5.1"], &[]), Some(expected));
        let expected = ("s.py:2 is written for Python 2, not 3.11.7".to_owned(), vec!["Python ==2.7.*".to_owned()]);
        assert_eq!(found("print 'x'", &["2.7.18"], &[]), Some(expected));
    }

    #[test]
    fn where_there_is_no_python_2_it_is_said() {
        for text in ["print 'x'", "print x", "exec code", "raise E, 'x'", "except E, e:", "if a <> b:"] {
            let (evidence, remedies) = found(text, &[], &["3.11.7"]).unwrap();
            assert_eq!(evidence, "s.py:2 is written for Python 2, and there is none on this machine", "{text}");
            assert!(remedies.is_empty());
        }
    }

    #[test]
    fn what_nobody_reads_is_the_scripts_own() {
        for text in ["print(1", "x = = 1", "printer x", "except (A, B):", "print = 1 1"] {
            assert_eq!(found(text, &[], &["3.11.7"]), None, "{text}");
        }
        assert_eq!(found("print 'x' x", &[], &["2.7.18", "3.11.7"]), None, "Python 2 was asked");
    }
}
