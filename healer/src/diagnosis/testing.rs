//! Reports for tests of diagnoses.
#![allow(clippy::unwrap_used)]

use super::{Context, Diagnosis, diagnose};
use crate::knowledge::{Knowledge, NoPythons, Nothing};
use crate::policy::Heal;
use crate::report::{Exception, Frame, Report};

/// A failure in the fourth line of a script.
pub fn report(python: &str, distributions: &[(&str, &str)]) -> Report {
    Report {
        python: python.to_owned(),
        distributions: distributions.iter().map(|(name, version)| ((*name).into(), (*version).into())).collect(),
        frames: vec![frame("/w/s.py", 4, "script", None)],
        ..Report::default()
    }
}

pub fn frame(file: &str, line: u32, place: &str, distribution: Option<&str>) -> Frame {
    let distribution = distribution.map(str::to_owned);
    Frame { file: file.into(), line, place: place.into(), distribution, ..Frame::default() }
}

pub fn exception(class: &str, message: &str) -> Exception {
    Exception {
        class: class.into(),
        qualified: format!("builtins.{class}"),
        bases: vec![class.into(), "Exception".into()],
        message: message.into(),
        ..Exception::default()
    }
}

/// The diagnosis by the embedded tables alone.
pub fn found(report: &Report) -> Option<Diagnosis> {
    let knowledge = Knowledge::embedded().unwrap();
    let context = Context { knowledge: &knowledge, provides: &Nothing, pythons: &NoPythons, heal: Heal::Known };
    diagnose(report, context)
}
