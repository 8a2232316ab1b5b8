//! Archives that unpack, and archives that try to get out.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::os::unix::fs::PermissionsExt;

/// What a test's archive has: a name, a kind, and content or a link's target.
type Row<'a> = (&'a str, EntryType, &'a str);

const FILE: EntryType = EntryType::Regular;

fn tarball(rows: &[Row<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, kind, content) in rows {
        let mut header = tar::Header::new_gnu();
        // Set as bytes: the library itself refuses names that lead out.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(if name.ends_with(".sh") { 0o777 } else { 0o600 });
        let is_file = *kind == FILE;
        if !is_file {
            header.as_mut_bytes()[157..157 + content.len()].copy_from_slice(content.as_bytes());
        }
        let data = if is_file { content.as_bytes() } else { b"" };
        header.set_size(data.len() as u64);
        header.set_cksum();
        builder.append(&header, data).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn unpack_rows(rows: &[Row<'_>]) -> (tempfile::TempDir, Result<PathBuf>) {
    let scratch = tempfile::tempdir().unwrap();
    let archive = scratch.path().join("archive");
    std::fs::write(&archive, tarball(rows)).unwrap();
    let into = scratch.path().join("deep/into");
    std::fs::create_dir_all(&into).unwrap();
    let unpacked = unpack(&archive, "a-1.tar.gz", &into);
    (scratch, unpacked)
}

#[test]
fn a_tree_comes_out_as_it_went_in() {
    let (_scratch, unpacked) = unpack_rows(&[
        ("a-1/", EntryType::Directory, ""),
        ("a-1/setup.py", FILE, "old"),
        ("./a-1/setup.py", FILE, "print()"),
        ("a-1/run.sh", FILE, "#!"),
        ("a-1/link", EntryType::Symlink, "sub/../setup.py"),
        ("a-1/sub/copy.py", EntryType::Link, "a-1/setup.py"),
    ]);
    let root = unpacked.unwrap();
    assert_eq!(root.file_name().unwrap(), "a-1");
    for file in ["setup.py", "link", "sub/copy.py"] {
        assert_eq!(std::fs::read(root.join(file)).unwrap(), b"print()", "{file}");
    }
    let mode = |file: &str| std::fs::metadata(root.join(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("setup.py"), mode("run.sh")), (0o644, 0o755));
}

#[test]
fn without_one_folder_the_directory_is_the_project() {
    let (scratch, unpacked) = unpack_rows(&[("setup.py", FILE, ""), ("a/b.py", FILE, "")]);
    assert_eq!(unpacked.unwrap(), scratch.path().join("deep/into"));
}

#[test]
fn what_leads_out_is_refused() {
    let hostile: [&[Row<'_>]; 13] = [
        &[("../x", FILE, "")],
        &[("a/../../x", FILE, "")],
        &[("/x", FILE, "")],
        &[("a/x\u{7}", FILE, "")],
        &[("a/l", EntryType::Symlink, "/etc/passwd")],
        &[("a/l", EntryType::Symlink, "../../x")],
        &[("a/l", EntryType::Symlink, "m/../.."), ("a/m", EntryType::Symlink, "..")],
        &[("a/l", EntryType::Symlink, "b"), ("a/l/x", FILE, "")],
        &[("a/l", EntryType::Symlink, "l")],
        &[("a/h", EntryType::Link, "../../deep")],
        &[("a/h", EntryType::Link, "a/none")],
        &[("a/d", EntryType::Char, "")],
        &[("a/f", FILE, ""), ("a/f/g", FILE, "")],
    ];
    for rows in hostile {
        let (scratch, unpacked) = unpack_rows(rows);
        let Err(error) = unpacked else { panic!("{rows:?}") };
        assert!(matches!(error, Error::Source(_)), "{rows:?}: {error}");
        let mut beside: Vec<_> =
            std::fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        beside.sort();
        assert_eq!(beside, ["archive", "deep"], "{rows:?}");
        assert_eq!(std::fs::read_dir(scratch.path().join("deep")).unwrap().count(), 1, "{rows:?}");
    }
}

#[test]
fn damage_is_told() {
    let scratch = tempfile::tempdir().unwrap();
    let archive = scratch.path().join("archive");
    let mut bytes = tarball(&[("a/f", FILE, &"x".repeat(5000))]);
    bytes.truncate(bytes.len() - 6);
    std::fs::write(&archive, bytes).unwrap();
    let error = unpack(&archive, "a-1.tar.gz", scratch.path()).unwrap_err().to_string();
    assert!(error.starts_with("cannot unpack a-1.tar.gz") && error.contains("damaged"), "{error}");
    let error = unpack(&archive, "a-1.tar.bz2", scratch.path()).unwrap_err().to_string();
    assert!(error.contains("only .tar.gz and .zip"), "{error}");
}
