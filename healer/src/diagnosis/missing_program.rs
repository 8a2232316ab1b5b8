//! A program that the script starts and that is not on this system: told with the Debian package that has it, where that is
//! known, and not installed. Of a name that is in no table nothing is said: it may be the script's own.

use super::{Diagnosis, Kind};
use crate::knowledge::package_of_program;
use crate::report::{Report, line};

pub(super) fn diagnose(report: &Report) -> Option<Diagnosis> {
    let program = report.exceptions().find_map(|exception| exception.program.as_deref())?;
    let package = package_of_program(program)?;
    let evidence = format!("{} starts {}, which is not on this system", report.site(), line(program));
    let mut diagnosis = Diagnosis::new(Kind::MissingProgram, evidence);
    diagnosis.hint = Some(format!("it is in Debian's package {package}: apt-get install {package}"));
    Some(diagnosis)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use crate::diagnosis::testing::{exception, found, report};
    use crate::talk;

    #[test]
    fn a_program_is_named_with_its_package() {
        let mut report = report("3.11.7", &[]);
        report.exception = exception("FileNotFoundError", "[Errno 2] No such file or directory: 'dot'");
        report.exception.program = Some("dot".into());
        let diagnosis = found(&report).unwrap();
        assert!(diagnosis.remedies.is_empty());
        let lines: Vec<String> = talk::unhealed(&diagnosis).iter().map(|talk| talk.text().to_owned()).collect();
        assert_eq!(
            lines,
            [
                "s.py:4 starts dot, which is not on this system",
                "it is in Debian's package graphviz: apt-get install graphviz"
            ]
        );
        report.exception.program = Some("no-such-program".into());
        assert_eq!(found(&report), None);
        report.exception.program = None;
        assert_eq!(found(&report), None, "a file that is missing is no program");
    }
}
