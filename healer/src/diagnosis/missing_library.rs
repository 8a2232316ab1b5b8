//! An extension module, or a library that is loaded by its name, whose system library is not there. Where a variant of its distribution does without, that is the
//! remedy; else the Debian package of the library is told, where that is known.
//!
//! The library's name is what the dynamic loader puts before the first colon of its message; the rest of that message is
//! in the system's language and is not read.

use super::{Context, Diagnosis, Kind};
use crate::knowledge::package_of_library;
use crate::remedy::Remedy;
use crate::report::{Exception, Report};

pub(super) fn diagnose(report: &Report, context: Context<'_>) -> Option<Diagnosis> {
    report
        .exceptions()
        .filter(|exception| exception.bases.iter().any(|base| base == "ImportError" || base == "OSError"))
        .find_map(|exception| {
            let library = library_name(&exception.message)?;
            let variants = context.knowledge.variants(library);
            let variant = variants.iter().find(|(from, _)| is_loaded(report, exception, from));
            let package = package_of_library(library);
            let evidence = format!("{} needs {library}, which this system does not have", report.site());
            let mut diagnosis = Diagnosis::new(Kind::MissingLibrary, evidence);
            match variant {
                Some((from, to)) => {
                    diagnosis.remedies = vec![Remedy::Replace { from: from.parse().ok()?, to: to.parse().ok()? }];
                }
                None => {
                    let package = package?;
                    diagnosis.hint = Some(format!("it is in Debian's package {package}: apt-get install {package}"));
                }
            }
            Some(diagnosis)
        })
}

/// "libGL.so.1" of "libGL.so.1: cannot open shared object file: …".
fn library_name(message: &str) -> Option<&str> {
    let (name, _) = message.split_once(':')?;
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c));
    (plain && name.starts_with("lib") && name.contains(".so")).then_some(name)
}

fn is_loaded(report: &Report, exception: &Exception, distribution: &str) -> bool {
    exception.distribution.as_deref() == Some(distribution)
        || report.frames.iter().rev().any(|frame| frame.distribution.as_deref() == Some(distribution))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose as all;
    use crate::knowledge::{Knowledge, NoPythons, Nothing};
    use crate::policy::Heal;
    use crate::report::Frame;

    fn report(message: &str, distribution: &str) -> Report {
        Report {
            exception: Exception {
                class: "ImportError".into(),
                bases: vec!["ImportError".into(), "Exception".into()],
                message: message.into(),
                ..Exception::default()
            },
            frames: vec![
                Frame { file: "/w/s.py".into(), line: 1, place: "script".into(), ..Frame::default() },
                Frame {
                    file: "/v/cv2/__init__.py".into(),
                    distribution: Some(distribution.into()),
                    ..Frame::default()
                },
            ],
            ..Report::default()
        }
    }

    #[test]
    fn opencv_without_a_screen() {
        let knowledge = Knowledge::embedded().unwrap();
        let context = Context { knowledge: &knowledge, provides: &Nothing, pythons: &NoPythons, heal: Heal::Known };
        let found = all(&report("libGL.so.1: kann Datei nicht öffnen", "opencv-python"), context).unwrap();
        assert_eq!(found.kind, Kind::MissingLibrary);
        assert_eq!(found.evidence, "s.py:1 needs libGL.so.1, which this system does not have");
        assert_eq!(found.remedies[0].to_string(), "opencv-python-headless in place of opencv-python");
        let found = all(&report("libGL.so.1: x", "other"), context).unwrap();
        assert!(found.remedies.is_empty());
        assert_eq!(found.hint.as_deref(), Some("it is in Debian's package libgl1: apt-get install libgl1"));
        assert_eq!(all(&report("libnothing.so.1: x", "other"), context), None);
        assert_eq!(all(&report("cannot import name 'x': libGL.so.1", "opencv-python"), context), None);
    }
}
