//! The manifest's text is pinned, and every damaged form of it is refused without a panic.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::tags::WheelFilename;

fn file(path: &str, executable: bool) -> WheelFile {
    WheelFile { digest: Digest::of(path.as_bytes()), size: path.len() as u64, executable, path: path.to_owned() }
}

fn sample() -> WheelManifest {
    let filename = "Foo_Bar-1.0-py2.py3-none-any.whl";
    let parsed = WheelFilename::parse(filename).unwrap();
    WheelManifest {
        filename: filename.to_owned(),
        name: parsed.name,
        display_name: "Foo.Bar".to_owned(),
        version: parsed.version,
        tags: parsed.tags,
        requires_python: Some(">=3.8".to_owned()),
        requires_dist: vec!["a>=1".to_owned(), "b; extra == 'x'".to_owned()],
        provides_extra: vec!["x".to_owned()],
        entry_points: vec![
            EntryPoint {
                kind: EntryPointKind::Console,
                name: "foo bar".to_owned(),
                module: "foo.cli".to_owned(),
                attribute: "main".to_owned(),
                extras: vec!["x".to_owned(), "y".to_owned()],
            },
            EntryPoint {
                kind: EntryPointKind::Gui,
                name: "foow".to_owned(),
                module: "foo".to_owned(),
                attribute: "App.run".to_owned(),
                extras: Vec::new(),
            },
        ],
        import_names: vec!["foo".to_owned()],
        warnings: vec!["something odd".to_owned()],
        files: vec![file("bin/foo bar", true), file("include/Foo.Bar/foo.h", false), file("site/foo.py", false)],
    }
}

/// A text with a checksum that fits, so that only its content can be refused.
fn sealed(content: &str) -> Vec<u8> {
    format!("{content}checksum {}\n", Digest::of(content.as_bytes())).into_bytes()
}

fn content() -> String {
    let text = String::from_utf8(sample().to_bytes()).unwrap();
    let end = text.rfind("checksum ").unwrap();
    text[..end].to_owned()
}

#[test]
fn the_text_is_what_the_module_says() {
    let head = "omnipkg-wheel 1\nfilename Foo_Bar-1.0-py2.py3-none-any.whl\ndisplay-name Foo.Bar\nrequires-python >=3.8\nrequires-dist a>=1\nrequires-dist b; extra == 'x'\nprovides-extra x\nconsole-script foo.cli:main[x,y] foo bar\ngui-script foo:App.run[] foow\nimport foo\nwarning something odd\nfiles 3\n";
    let files = sample().files;
    let line = |index: usize, flag: &str| {
        format!("{} {} {flag} {}\n", files[index].digest, files[index].size, files[index].path)
    };
    assert_eq!(content(), format!("{head}{}{}{}", line(0, "x"), line(1, "-"), line(2, "-")));
}

#[test]
fn it_is_read_as_it_was_written() {
    let manifest = sample();
    let bytes = manifest.to_bytes();
    let again = WheelManifest::parse(&bytes).unwrap();
    assert_eq!(again, manifest);
    assert_eq!(again.to_bytes(), bytes);
    assert_eq!(again.file("site/foo.py").unwrap().size, 11);
    assert!(again.file("site/foo").is_none());
}

#[test]
fn every_cut_and_every_changed_byte_is_refused() {
    let bytes = sample().to_bytes();
    for length in 0..bytes.len() {
        assert!(WheelManifest::parse(&bytes[..length]).is_err(), "cut to {length}");
    }
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1 << (index % 8);
        assert!(WheelManifest::parse(&changed).is_err(), "byte {index}");
    }
}

/// With a checksum that fits: what is still accepted is written back byte for byte, so it was canonical.
#[test]
fn a_sealed_change_is_refused_or_canonical() {
    let content = content();
    for index in 0..content.len() {
        for replacement in ["", "\n", " ", "/", "0", "-", "\0", ".", "é"] {
            let changed = sealed(&format!("{}{replacement}{}", &content[..index], &content[index + 1..]));
            if let Ok(manifest) = WheelManifest::parse(&changed) {
                assert_eq!(String::from_utf8_lossy(&manifest.to_bytes()), String::from_utf8_lossy(&changed));
            }
        }
    }
}

#[test]
fn lines_out_of_order_or_unsafe_are_refused() {
    let content = content();
    assert!(WheelManifest::parse(&sealed(&content)).is_ok());
    for (from, to) in [
        ("omnipkg-wheel 1", "omnipkg-wheel 2"),
        ("site/foo.py", "site/../foo.py"),
        ("site/foo.py", "/site/foo.py"),
        ("site/foo.py", "lib/foo.py"),
        ("site/foo.py", "a/foo.py"),
        ("site/foo.py", "include/Foo.Bar/foo.h/x"),
        ("site/foo.py", "include/Foo.Bar/foo.h"),
        ("files 3", "files 4"),
        ("files 3", "files 18446744073709551615"),
        (" 11 - ", " 011 - "),
        (" 11 - ", " -1 - "),
        ("display-name Foo.Bar\n", ""),
        ("import foo\nwarning something odd\n", "warning something odd\nimport foo\n"),
        ("foo:App.run[]", "foo:App.run;x[]"),
        ("[] foow", "[] ../foow"),
    ] {
        assert!(content.contains(from), "{from}");
        assert!(WheelManifest::parse(&sealed(&content.replacen(from, to, 1))).is_err(), "{from} -> {to}");
    }
}

#[test]
fn line_breaks_in_values_cannot_add_lines() {
    let mut manifest = sample();
    manifest.warnings = vec!["a\nfiles 9".to_owned()];
    let again = WheelManifest::parse(&manifest.to_bytes()).unwrap();
    assert_eq!(again.warnings, ["a files 9"]);
}
