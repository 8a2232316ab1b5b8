//! What lock files mean, without a store or an index.

use super::*;
use omnipkg_resolver::{Formats, Lock, LockedWheel, Origin};
use omnipkg_store::Sha256;
use omnipkg_store::interpreter::Facts;
use pep508_rs::Requirement;
use std::path::PathBuf;

fn facts() -> Facts {
    let markers = [
        ("implementation_name", "cpython"),
        ("implementation_version", "3.11.7"),
        ("os_name", "posix"),
        ("platform_machine", "x86_64"),
        ("platform_python_implementation", "CPython"),
        ("platform_release", "6"),
        ("platform_system", "Linux"),
        ("platform_version", "1"),
        ("python_full_version", "3.11.7"),
        ("python_version", "3.11"),
        ("sys_platform", "linux"),
    ];
    Facts {
        executable: PathBuf::from("/usr/bin/python3.11"),
        implementation: "cpython".to_owned(),
        version: (3, 11, 7),
        cache_tag: "cpython-311".to_owned(),
        magic: 0,
        site_packages: "lib/python3.11/site-packages".to_owned(),
        stdlib: PathBuf::from("/usr/lib/python3.11"),
        soabi: "cpython-311-x86_64-linux-gnu".to_owned(),
        abi_flags: String::new(),
        unicode_wide: false,
        free_threaded: false,
        debug: false,
        pypy_version: Vec::new(),
        platform: "linux-x86_64".to_owned(),
        pointer_bits: 64,
        libc: Some(("glibc".to_owned(), 2, 31)),
        markers: markers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

/// A wheel of an entry.
fn file(filename: &str) -> String {
    format!(
        "{{ url = \"http://127.0.0.1/f/{filename}\", upload-time = 2024-01-31T12:00:00Z, size = 7, \
         hashes = {{ sha256 = \"{}\" }} }}",
        Sha256::of(filename.as_bytes())
    )
}

fn entry(name: &str, version: &str, more: &str, wheels: &[&str]) -> String {
    let wheels: Vec<String> = wheels.iter().map(|wheel| file(wheel)).collect();
    format!("[[packages]]\nname = \"{name}\"\nversion = \"{version}\"\n{more}\nwheels = [{}]\n", wheels.join(", "))
}

fn chosen_with(head: &str, entries: &[String], extras: &[&str], groups: &[&str]) -> Result<String, String> {
    let text = format!("lock-version = \"1.0\"\ncreated-by = \"test\"\n{head}\n{}", entries.join("\n"));
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
    let wanted = Wanted { extras: names(extras), groups: names(groups) };
    let lock = Document::parse(&text, PathBuf::from("/lock/"))
        .and_then(|document| document.choose(&facts(), &wanted, &Formats::default()));
    let lock = lock.map_err(|error| format!("{error:#}"))?;
    Ok(lock.wheels.iter().map(|wheel| wheel.filename.clone()).collect::<Vec<_>>().join(" "))
}

fn chosen(head: &str, entries: &[String]) -> Result<String, String> {
    chosen_with(head, entries, &[], &[])
}

#[test]
fn the_wheel_of_the_best_tag_and_then_of_the_highest_build_is_chosen() {
    let wheels = [
        "a-1-py3-none-any.whl",
        "a-1-cp311-cp311-manylinux_2_17_x86_64.whl",
        "a-1-2-cp311-cp311-manylinux_2_17_x86_64.whl",
        "a-1-cp312-cp312-manylinux_2_17_x86_64.whl",
        "a-1-cp311-cp311-manylinux_2_35_x86_64.whl",
    ];
    let there = chosen("", &[entry("a", "1", "", &wheels)]).unwrap();
    assert_eq!(there, "a-1-2-cp311-cp311-manylinux_2_17_x86_64.whl");
    let refused = chosen("", &[entry("a", "1", "", &wheels[3..])]).unwrap_err();
    assert!(
        refused.contains("its entry for a: it has no wheel for this Python and platform: there are cp312"),
        "{refused}"
    );
    let sdist = format!("sdist = {}", file("a-1.tar.gz"));
    assert_eq!(chosen("", &[entry("a", "1", &sdist, &wheels[3..])]).unwrap(), "a-1.tar.gz");
    assert_eq!(chosen("", &[entry("a", "1", &sdist, &wheels[..1])]).unwrap(), wheels[0]);
}

#[test]
fn markers_choose_and_two_entries_that_hold_are_refused() {
    let one = |marker: &str| entry("a", "1", &format!("marker = \"{marker}\""), &["a-1-py3-none-any.whl"]);
    let two = |marker: &str| entry("a", "2", &format!("marker = \"{marker}\""), &["a-2-py3-none-any.whl"]);
    let split = [one("python_full_version < '3.10'"), two("python_full_version >= '3.10'")];
    assert_eq!(chosen("", &split).unwrap(), "a-2-py3-none-any.whl");
    assert_eq!(chosen("", &[one("sys_platform == 'win32'")]).unwrap(), "");
    let refused = chosen("", &[one("os_name == 'posix'"), two("python_version > '3'")]).unwrap_err();
    assert!(refused.contains("two of its entries for a hold at once"), "{refused}");
    let refused = chosen("", &[one("no_such_name == 'x'")]).unwrap_err();
    assert!(refused.contains("is not a marker"), "{refused}");
}

#[test]
fn extras_and_groups_are_those_that_are_asked_for_and_default_ones() {
    let entry_for = |name: &str, marker: &str| {
        entry(name, "1", &format!("marker = \"{marker}\""), &[&format!("{name}-1-py3-none-any.whl")])
    };
    let entries = [
        entry_for("a", "'web' in extras"),
        entry_for("b", "'dev' in dependency_groups and sys_platform == 'linux'"),
        entry_for("c", "'docs' in dependency_groups or ('Web' not in extras and os_name == 'in extras')"),
        entry_for("d", "'web' not in extras"),
    ];
    let head = "extras = [\"web\"]\ndependency-groups = [\"dev\", \"docs\"]\ndefault-groups = [\"dev\"]";
    let names = |extras: &[&str], groups: &[&str]| {
        let filenames = chosen_with(head, &entries, extras, groups).unwrap();
        filenames.split(' ').map(|name| name[..1].to_owned()).collect::<String>()
    };
    assert_eq!(names(&[], &[]), "bd");
    assert_eq!(names(&["web"], &[]), "ab");
    assert_eq!(names(&[], &["docs"]), "bcd");
    let refused = chosen_with(head, &entries, &["gui"], &[]).unwrap_err();
    assert_eq!(refused, "it has no extra gui: it has web");
}

#[test]
fn what_is_not_for_this_interpreter_or_not_understood_is_refused() {
    let a = || entry("a", "1", "", &["a-1-py3-none-any.whl"]);
    let one = |more: &str| [entry("a", "1", more, &["a-1-py3-none-any.whl"])];
    assert!(
        chosen("requires-python = \">=3.11\"\nenvironments = [\"os_name == 'nt'\", \"os_name == 'posix'\"]", &[a()])
            .is_ok()
    );
    for (head, entries, expected) in [
        ("requires-python = \">=3.12\"", vec![a()], "it requires Python >=3.12, and this is 3.11.7"),
        ("environments = [\"sys_platform == 'win32'\"]", vec![a()], "it is not for Python 3.11.7 on linux-x86_64"),
        ("", one("requires-python = \"<3\"").to_vec(), "its entry for a: it requires Python <3"),
        (
            "",
            one("vcs = { type = \"git\", url = \"http://127.0.0.1/x\", commit-id = \"1\" }").to_vec(),
            "several sources",
        ),
        ("", vec!["[[packages]]\nname = \"a\"\n".to_owned()], "no file or directory to install from"),
        ("", vec![entry("a", "2", "", &["a-1-py3-none-any.whl"])], "a-1-py3-none-any.whl is no wheel of a 2"),
        ("", vec![entry("b", "1", "", &["a-1-py3-none-any.whl"])], "a-1-py3-none-any.whl is no wheel of b 1"),
        ("", vec![a().replace("sha256", "md5")], "it has no sha256, which is what files are checked by (it has md5)"),
        ("", vec![a().replace("http:", "ftp:")], "scheme \"ftp\""),
        ("", vec!["[[packages]]\nversion = \"1\"".to_owned()], "not valid TOML in its line"),
    ] {
        let refused = chosen(head, &entries).unwrap_err();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
    let newer = Document::parse("lock-version = \"2.0\"\npackages = []", PathBuf::new()).unwrap_err();
    assert!(newer.to_string().contains("its lock-version is \"2.0\""), "{newer}");
}

#[test]
fn paths_begin_where_the_file_lies_and_names_come_from_where_files_are() {
    let hash = Sha256::of(b"x");
    let text = format!(
        "lock-version = \"1.0\"\npackages = [\n\
         {{ name = \"a\", wheels = [{{ path = \"wheels/a-1-py3-none-any.whl\", hashes = {{ sha256 = \"{hash}\" }} }}] }},\n\
         {{ name = \"b\", archive = {{ url = \"http://127.0.0.1/b-1%2Bx-py3-none-any.whl\", hashes = {{ sha256 = \"{hash}\" }} }} }},\n]"
    );
    let document = Document::parse(&text, PathBuf::from("/lock/")).unwrap();
    let lock = document.choose(&facts(), &Wanted::default(), &Formats::default()).unwrap();
    assert_eq!(lock.get("a").unwrap().url.as_str(), "file:///lock/wheels/a-1-py3-none-any.whl");
    assert_eq!(lock.get("b").unwrap().version.to_string(), "1+x");
}

#[test]
fn what_is_written_has_one_form_without_secrets_and_is_read_again() {
    let wheel = |name: &str, url: &str, requires: &[&str]| LockedWheel {
        name: name.to_owned(),
        version: "1.0+cpu".parse().unwrap(),
        filename: format!("{name}-1.0+cpu-py3-none-any.whl"),
        url: url.parse().unwrap(),
        index: Some("http://me:secret@127.0.0.1/simple/".parse().unwrap()),
        sha256: Some(Sha256::of(name.as_bytes())),
        size: Some(7),
        built: None,
        assumed: None,
        origin: Origin::Index,
        requires: requires.iter().map(|name| (*name).to_owned()).collect(),
    };
    let a = wheel("a", "http://me:secret@127.0.0.1/f/a-1.0%2Bcpu-py3-none-any.whl#sha256=00", &["b"]);
    let b = LockedWheel { index: None, size: None, ..wheel("b", "file:///wheels/b-1.0+cpu-py3-none-any.whl", &[]) };
    let lock = Lock { wheels: vec![a, b] };
    let asked: Vec<Requirement> = ["b", "a>=1 ; os_name == 'posix'", "c @ http://me:secret@127.0.0.1/c.whl"]
        .map(|text| text.parse().unwrap())
        .to_vec();
    let text = pylock(&lock, &asked, &facts()).unwrap();
    let (a, b) = (Sha256::of(b"a"), Sha256::of(b"b"));
    let expected = format!(
        r#"lock-version = "1.0"
environments = ["implementation_name == 'cpython' and platform_machine == 'x86_64' and python_version == '3.11' and sys_platform == 'linux'"]
requires-python = ">=3.11"
created-by = "omnipkg"

[[packages]]
name = "a"
version = "1.0+cpu"
index = "http://127.0.0.1/simple/"
dependencies = [{{ name = "b" }}]
wheels = [{{ name = "a-1.0+cpu-py3-none-any.whl", url = "http://127.0.0.1/f/a-1.0%2Bcpu-py3-none-any.whl", size = 7, hashes = {{ sha256 = "{a}" }} }}]

[[packages]]
name = "b"
version = "1.0+cpu"
wheels = [{{ name = "b-1.0+cpu-py3-none-any.whl", path = "/wheels/b-1.0+cpu-py3-none-any.whl", hashes = {{ sha256 = "{b}" }} }}]

[tool.omnipkg]
requirements = ["a>=1 ; os_name == 'posix'", "b"]
"#
    );
    assert_eq!(text, expected);
    let read = Document::parse(&text, PathBuf::new())
        .unwrap()
        .choose(&facts(), &Wanted::default(), &Formats::default())
        .unwrap();
    let hashes = |lock: &Lock| lock.wheels.iter().map(|wheel| wheel.sha256).collect::<Vec<_>>();
    assert_eq!(hashes(&read), hashes(&lock));
    let empty = pylock(&Lock::default(), &[], &facts()).unwrap();
    assert!(
        Document::parse(&empty, PathBuf::new())
            .unwrap()
            .choose(&facts(), &Wanted::default(), &Formats::default())
            .unwrap()
            .wheels
            .is_empty()
    );
}

#[test]
fn sources_go_out_and_come_in() {
    let entry = |name: &str, url: &str, origin: Origin| LockedWheel {
        name: name.to_owned(),
        version: "1.0".parse().unwrap(),
        filename: format!("{name}-1.0.tar.gz"),
        url: url.parse().unwrap(),
        index: None,
        sha256: matches!(origin, Origin::Index | Origin::Archive { .. }).then(|| Sha256::of(name.as_bytes())),
        size: None,
        built: None,
        assumed: None,
        origin,
        requires: Vec::new(),
    };
    let folder = || Some("python".to_owned());
    let git = Origin::Git { commit: "0123abcd".repeat(5), subdirectory: folder() };
    let lock = Lock {
        wheels: vec![
            entry("a", "http://me:secret@127.0.0.1/a-1.0.tar.gz", Origin::Index),
            entry("b", "http://127.0.0.1/b-1.0.tar.gz", Origin::Archive { subdirectory: folder() }),
            entry("c", "file:///projects/c#editable", Origin::Directory { editable: true }),
            entry("d", "git+ssh://git:pw@127.0.0.1/d.git@v1#subdirectory=python", git),
        ],
    };
    let text = pylock(&lock, &[], &facts()).unwrap();
    let commit = "0123abcd".repeat(5);
    let hash = |name: &str| Sha256::of(name.as_bytes());
    for expected in [
        format!(
            "sdist = {{ name = \"a-1.0.tar.gz\", url = \"http://127.0.0.1/a-1.0.tar.gz\", hashes = {{ sha256 = \"{}\" }} }}",
            hash("a")
        ),
        format!(
            "archive = {{ url = \"http://127.0.0.1/b-1.0.tar.gz\", hashes = {{ sha256 = \"{}\" }}, subdirectory = \"python\" }}",
            hash("b")
        ),
        "directory = { path = \"/projects/c\", editable = true }".to_owned(),
        format!(
            "vcs = {{ type = \"git\", url = \"ssh://127.0.0.1/d.git\", requested-revision = \"v1\", commit-id = \"{commit}\", subdirectory = \"python\" }}"
        ),
    ] {
        assert!(text.contains(&expected), "{expected} in {text}");
    }
    let read = Document::parse(&text, PathBuf::new()).unwrap();
    let read = read.choose(&facts(), &Wanted::default(), &Formats::default()).unwrap();
    let origins = |lock: &Lock| lock.wheels.iter().map(|entry| entry.origin.clone()).collect::<Vec<_>>();
    assert_eq!(origins(&read), origins(&lock));
    let requirements: Vec<String> = read.wheels.iter().map(|entry| requirement_of(entry).unwrap()).collect();
    let expected = [
        "a==1.0".to_owned(),
        format!("b @ http://127.0.0.1/b-1.0.tar.gz#sha256={}&subdirectory=python", hash("b")),
        "c @ file:///projects/c#editable".to_owned(),
        format!("d @ git+ssh://127.0.0.1/d.git@{commit}#subdirectory=python"),
    ];
    assert_eq!(requirements, expected);
    assert!(super::requirements(&lock).unwrap_err().to_string().contains("c comes from a directory"));
    let none = Formats::wheels_only();
    let document = Document::parse(&text, PathBuf::new()).unwrap();
    let refused = document.choose(&facts(), &Wanted::default(), &none).unwrap_err();
    assert!(
        format!("{refused:#}").contains("its entry for a: it has no file of a kind that may be taken"),
        "{refused:#}"
    );
}

#[test]
fn names_of_lock_files() {
    for (name, expected) in [
        ("pylock.toml", true),
        ("a/pylock.dev.toml", true),
        ("pylock.a.b.toml", false),
        ("pylock..toml", false),
        ("uv.lock", false),
        ("requirements.txt", false),
    ] {
        assert_eq!(is_name(Path::new(name)), expected, "{name}");
    }
}
