//! An extension module that was built for something else than what it meets at run time: another NumPy or Protocol
//! Buffers, which say so themselves, in words that their sources fix and no language changes; another Python, as its file
//! name says; another C library, or other versions of what it links with, as the dynamic loader says.

use super::{Diagnosis, Kind};
use crate::remedy::{Remedy, versioned};
use crate::report::{Exception, Report, line};
use pep440_rs::{Version, VersionSpecifiers};
use std::str::FromStr;

/// NumPy's C API by the NumPy that began it (numpy/_core/code_generators/cversions.txt and numpyconfig.h).
const NUMPY_API: &[(u32, &str)] = &[
    (0xa, "1.11"),
    (0xb, "1.13"),
    (0xc, "1.14"),
    (0xd, "1.16"),
    (0xe, "1.20"),
    (0xf, "1.22"),
    (0x10, "1.23"),
    (0x11, "1.25"),
    (0x12, "2.0"),
    (0x13, "2.1"),
    (0x14, "2.3"),
];

pub(super) fn diagnose(report: &Report) -> Option<Diagnosis> {
    report.exceptions().find_map(|exception| {
        numpy(report, exception).or_else(|| protobuf(report, exception)).or_else(|| loader(report, exception))
    })
}

/// An extension module that is there for other Pythons only.
pub(super) fn wrong_python(report: &Report) -> Option<Diagnosis> {
    let missing = report.missing.as_ref()?;
    let python = missing.built_for.iter().filter_map(|text| Version::from_str(text).ok()).max()?;
    let evidence = format!(
        "{} imports {}, which is built for Python {python}, not {}",
        report.site(),
        line(&missing.module),
        line(&report.python)
    );
    let mut diagnosis = Diagnosis::new(Kind::Binary, evidence);
    diagnosis.remedies = vec![Remedy::Python(VersionSpecifiers::from_str(&format!("=={python}.*")).ok()?)];
    Some(diagnosis)
}

/// What the dynamic loader says in any language: the symbol or the version that it did not find.
fn loader(report: &Report, exception: &Exception) -> Option<Diagnosis> {
    if !exception.bases.iter().any(|base| base == "ImportError") {
        return None;
    }
    let name = exception.distribution.as_deref()?;
    let version = report.distributions.get(name).map(|version| format!(" {}", line(version))).unwrap_or_default();
    let who = format!("{}{version} (from {})", line(name), report.site());
    let quoted = exception.message.split(['`', '\'']).nth(1).unwrap_or_default();
    let is_library = ["GLIBC_", "GLIBCXX_", "CXXABI_"].iter().any(|start| quoted.starts_with(start));
    let (evidence, hint) = if is_library {
        let evidence = format!("{who} was built for a newer C library: this system's does not have {}", line(quoted));
        (evidence, format!("an older version may have been built for this system: --with '{}<…'", line(name)))
    } else {
        let symbol = exception.message.rsplit_once("undefined symbol: ")?.1.split([' ', ',']).next()?;
        let evidence = format!("{who} was built for other versions of what it uses: none has {}", line(symbol));
        (evidence, format!("to find a version that works: omnipkg bisect SCRIPT {}", line(name)))
    };
    let mut diagnosis = Diagnosis::new(Kind::Binary, evidence);
    diagnosis.hint = Some(hint);
    Some(diagnosis)
}

fn numpy(report: &Report, exception: &Exception) -> Option<Diagnosis> {
    let installed = report.distributions.get("numpy")?;
    let version = Version::from_str(installed).ok()?;
    let is_second = version >= Version::new([2]);
    let text = exception.message.as_str();
    let is_tensorflow = || {
        report
            .frames
            .iter()
            .filter_map(|frame| frame.distribution.as_deref())
            .any(|name| name.starts_with("tensorflow"))
    };
    // TensorFlow of before asks NumPy for a type of its own, and has no word for what it gets.
    let is_unknown_type =
        text.starts_with("Unable to convert function return value to a Python type!") && is_tensorflow();
    let wanted = if is_second && (was_built_for_the_first(text) || is_unknown_type) {
        "<2".to_owned()
    } else if let Some(api) = number_after(text, "compiled against API version 0x") {
        let (_, first) = NUMPY_API.iter().find(|(number, _)| *number == api)?;
        if version >= Version::from_str(first).ok()? {
            return None;
        }
        format!(">={first}")
    } else if text.contains("numpy.ndarray size changed") && version < Version::new([1, 20]) {
        // The struct grew in 1.20, and only what was built for that asks for more than there is.
        if text.contains("Expected 96 from C header") { ">=1.22".to_owned() } else { ">=1.20".to_owned() }
    } else if text.contains("numpy.ndarray size changed") && text.contains("Expected 96 from C header") {
        if version >= Version::new([1, 22]) {
            return None;
        }
        // And once more in 1.22.
        ">=1.22".to_owned()
    } else {
        return None;
    };
    let who = owner(report, exception, "numpy");
    let evidence = format!("{who} was built for NumPy {wanted}, and {} is there", line(installed));
    found(evidence, "numpy", &wanted)
}

/// What NumPy 2 and modules that were built before it say of each other.
fn was_built_for_the_first(text: &str) -> bool {
    text.contains("A module that was compiled using NumPy 1.x cannot be run in")
        || text.contains("numpy.core.multiarray failed to import")
        || text.contains("numpy.core.umath failed to import")
        || text.contains("_ARRAY_API not found")
        || text.contains("numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header")
        || number_after(text, "compiled against ABI version 0x").is_some_and(|abi| abi < 0x200_0000)
        || number_after(text, "compiled against API version 0x").is_some_and(|api| api < 0x12)
}

fn protobuf(report: &Report, exception: &Exception) -> Option<Diagnosis> {
    let installed = report.distributions.get("protobuf")?;
    let is_told = ["Descriptors cannot be created directly.", "Descriptors cannot not be created directly."]
        .iter()
        .any(|text| exception.message.starts_with(text));
    if !is_told || Version::from_str(installed).ok()? < Version::new([3, 21]) {
        return None;
    }
    let who = owner(report, exception, "protobuf");
    // The remedy that the message itself gives, and the documentation of the change.
    let evidence = format!("{who} has descriptors of protobuf <3.21, and {} is there", line(installed));
    found(evidence, "protobuf", "<3.21")
}

fn found(evidence: String, project: &str, wanted: &str) -> Option<Diagnosis> {
    let specifiers = VersionSpecifiers::from_str(wanted).ok()?;
    let mut diagnosis = Diagnosis::new(Kind::Binary, evidence);
    diagnosis.remedies = vec![Remedy::Require(versioned(project.parse().ok()?, specifiers))];
    Some(diagnosis)
}

/// The number that stands in hexadecimal digits behind a text.
fn number_after(text: &str, before: &str) -> Option<u32> {
    let rest = text.split(before).nth(1)?;
    let end = rest.find(|digit: char| !digit.is_ascii_hexdigit()).unwrap_or(rest.len());
    u32::from_str_radix(rest.get(..end)?, 16).ok()
}

/// The distribution that fails, as far as it is known, but for the one that it uses.
fn owner(report: &Report, exception: &Exception, used: &str) -> String {
    let of_frames = report.frames.iter().rev().filter_map(|frame| frame.distribution.as_deref());
    let mut all = exception.distribution.as_deref().into_iter().chain(of_frames);
    match all.find(|name| *name != used) {
        Some(name) => {
            let version = report.distributions.get(name).map(|version| format!(" {}", line(version)));
            format!("{}{} (from {})", line(name), version.unwrap_or_default(), report.site())
        }
        None => format!("what {} imports", report.site()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use crate::diagnosis::testing::{exception, found, frame, report};

    fn remedy(numpy: &str, class: &str, text: &str) -> Option<String> {
        let mut report = report("3.11.7", &[("numpy", numpy), ("pandas", "2.0.3")]);
        report.exception = exception(class, text);
        report.frames.push(frame("/v/pandas/__init__.py", 22, "site", Some("pandas")));
        found(&report).map(|diagnosis| diagnosis.remedies[0].to_string())
    }

    #[test]
    fn modules_of_before_numpy_2() {
        let size = "numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 \
                    from PyObject";
        assert_eq!(remedy("2.1.0", "ValueError", size).as_deref(), Some("numpy <2"));
        assert_eq!(remedy("1.26.4", "ValueError", size), None);
        let import = "numpy.core.multiarray failed to import";
        assert_eq!(remedy("2.1.0", "ImportError", import).as_deref(), Some("numpy <2"));
        assert_eq!(remedy("1.26.4", "ImportError", import), None);
    }

    #[test]
    fn modules_of_a_newer_numpy() {
        let api = "module compiled against API version 0x10 but this version of numpy is 0xe";
        assert_eq!(remedy("1.21.6", "RuntimeError", api).as_deref(), Some("numpy >=1.23"));
        assert_eq!(remedy("1.24.0", "RuntimeError", api), None, "it does not fit: nothing is certain");
        assert_eq!(remedy("2.0.0", "RuntimeError", api).as_deref(), Some("numpy <2"));
        let size = "numpy.ndarray size changed, may indicate binary incompatibility. Expected 88 from C header, got 80 \
                    from PyObject";
        assert_eq!(remedy("1.19.5", "ValueError", size).as_deref(), Some("numpy >=1.20"));
    }

    #[test]
    fn what_the_loader_lacks_is_told() {
        let told = |message: &str| {
            let mut report = report("3.11.7", &[("lib", "1.0")]);
            report.exception = exception("ImportError", message);
            report.exception.bases = vec!["ImportError".into()];
            report.exception.distribution = Some("lib".into());
            found(&report).map(|diagnosis| (diagnosis.evidence, diagnosis.remedies.len()))
        };
        let libc = "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /v/lib/_c.so)";
        assert_eq!(
            told(libc).unwrap(),
            ("lib 1.0 (from s.py:4) was built for a newer C library: this system's does not have GLIBC_2.38".into(), 0)
        );
        let symbol = "/v/lib/_c.so: undefined symbol: _ZN3c10";
        assert!(told(symbol).unwrap().0.ends_with("none has _ZN3c10"));
        assert_eq!(told("cannot import name 'x' from 'lib'"), None);
    }

    #[test]
    fn an_extension_of_another_python() {
        let mut report = report("3.11.7", &[]);
        report.missing = Some(crate::report::MissingModule {
            module: "fast".into(),
            top_level: "fast".into(),
            built_for: vec!["3.8".into(), "3.10".into()],
            ..Default::default()
        });
        let diagnosis = found(&report).unwrap();
        assert_eq!(diagnosis.evidence, "s.py:4 imports fast, which is built for Python 3.10, not 3.11.7");
        assert_eq!(diagnosis.remedies[0].to_string(), "Python ==3.10.*");
    }

    #[test]
    fn descriptors_of_an_old_compiler() {
        let mut report = report("3.9.18", &[("protobuf", "4.21.0"), ("old-proto", "1.0")]);
        report.exception = exception("TypeError", "Descriptors cannot be created directly.\nIf this call came from …");
        report.frames.push(frame("/v/old_pb2.py", 3, "site", Some("old-proto")));
        let diagnosis = found(&report).unwrap();
        assert_eq!(
            diagnosis.evidence,
            "old-proto 1.0 (from s.py:4) has descriptors of protobuf <3.21, and 4.21.0 is there"
        );
        assert_eq!(diagnosis.remedies[0].to_string(), "protobuf <3.21");
    }
}
