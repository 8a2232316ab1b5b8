//! What a failed build lacks of the system, told from its log, with the Debian package that has it where that is certain.

/// What a log says when something is missing, what that is, and where it is. The first that fits is told.
const MISSING: &[(&str, &str, &str)] = &[
    ("Python.h: No such file", "the header Python.h", "python3-dev (or the -dev package of that Python)"),
    ("ffi.h: No such file", "the header ffi.h", "libffi-dev"),
    ("openssl/", "OpenSSL's headers", "libssl-dev"),
    ("libxml/", "libxml2's headers", "libxml2-dev and libxslt1-dev"),
    ("libpq-fe.h: No such file", "the header libpq-fe.h", "libpq-dev"),
    ("pg_config executable not found", "pg_config", "libpq-dev"),
    ("mysql_config", "mysql_config", "default-libmysqlclient-dev"),
    ("zlib.h: No such file", "the header zlib.h", "zlib1g-dev"),
    ("jpeglib.h: No such file", "the header jpeglib.h", "libjpeg-dev"),
    ("sqlite3.h: No such file", "the header sqlite3.h", "libsqlite3-dev"),
    ("lber.h: No such file", "the header lber.h", "libldap-dev and libsasl2-dev"),
    ("sasl.h: No such file", "the header sasl.h", "libsasl2-dev"),
    ("curl/curl.h: No such file", "the header curl/curl.h", "libcurl4-openssl-dev"),
    ("yaml.h: No such file", "the header yaml.h", "libyaml-dev"),
    ("gmp.h: No such file", "the header gmp.h", "libgmp-dev"),
    ("portaudio.h: No such file", "the header portaudio.h", "portaudio19-dev"),
    ("hdf5.h: No such file", "the header hdf5.h", "libhdf5-dev"),
    ("cairo.h: No such file", "the header cairo.h", "libcairo2-dev"),
    ("can't find Rust compiler", "a Rust compiler", "rustc and cargo (or rustup)"),
    ("Cargo, the Rust package manager, is not installed", "cargo", "cargo (or rustup)"),
    ("gfortran", "a Fortran compiler", "gfortran"),
    ("Unknown compiler(s): [['cc']", "a C compiler", "gcc and libc6-dev"),
    ("Unknown compiler(s)", "a compiler", "gcc, g++ and libc6-dev"),
    ("command 'g++' failed: No such file", "a C++ compiler", "g++"),
    ("command 'c++' failed: No such file", "a C++ compiler", "g++"),
    ("command 'gcc' failed: No such file", "a C compiler", "gcc and libc6-dev"),
    ("command 'cc' failed: No such file", "a C compiler", "gcc and libc6-dev"),
    ("-linux-gnu-gcc' failed: No such file", "a C compiler", "gcc and libc6-dev"),
    ("CMAKE_C_COMPILER not set", "a C compiler", "gcc and libc6-dev"),
    ("CMAKE_CXX_COMPILER not set", "a C++ compiler", "g++"),
    ("'cmake': No such file", "cmake", "cmake"),
    ("pkg-config: not found", "pkg-config", "pkg-config"),
    ("'pkg-config': No such file", "pkg-config", "pkg-config"),
    ("swig: not found", "swig", "swig"),
    ("command 'swig' failed: No such file", "swig", "swig"),
];

/// What may help where nothing certain is known.
pub(super) const GENERAL: &str =
    "take another version of it, another Python, or only versions that have wheels (--only-binary NAME)";

/// What would help, in a line.
pub(super) fn of(log: &str) -> Option<String> {
    let failing: Vec<&str> = log.lines().filter(|line| tells_of_failure(line)).collect();
    let fits = |words: &str| failing.iter().any(|line| line.contains(words));
    if let Some((_, what, package)) = MISSING.iter().find(|(words, ..)| fits(words)) {
        return Some(format!("the build needs {what}; on Debian and Ubuntu: apt-get install {package}"));
    }
    if let Some(header) = failing.iter().find_map(|line| header(line)) {
        return Some(format!("the build needs the header {header}, which no package here is known for"));
    }
    let module = failing.iter().rev().find_map(|line| {
        let (_, name) = line.split_once("No module named ")?;
        Some(name.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').to_owned())
    })?;
    Some(format!(
        "its build imports {module}, which it does not declare and this Python does not have: take another version, or another Python"
    ))
}

fn tells_of_failure(line: &str) -> bool {
    let signs = ["rror", "not found", "No such file", "can't find", "not installed", "needed", "not set"];
    signs.iter().any(|sign| line.contains(sign))
}

/// `x.c:1:10: fatal error: foo/bar.h: No such file or directory`.
fn header(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("fatal error: ")?;
    rest.split_once(": No such file").map(|(header, _)| header)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        for (log, expected) in [
            ("a.c:1:10: fatal error: Python.h: No such file or directory\n", "python3-dev"),
            ("error: command 'gcc' failed: No such file or directory", "apt-get install gcc"),
            ("Error: pg_config executable not found.", "libpq-dev"),
            ("x.c:1:10: fatal error: foo/bar.h: No such file or directory", "the header foo/bar.h"),
            ("ModuleNotFoundError: No module named 'numpy.core'", "imports numpy.core,"),
        ] {
            let hint = of(log).unwrap();
            assert!(hint.contains(expected), "{hint}");
        }
        assert_eq!(of("checking for gfortran\nerror: too bad"), None);
        assert_eq!(of(""), None);
    }
}
