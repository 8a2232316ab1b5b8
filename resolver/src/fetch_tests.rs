//! Downloads against a small index on 127.0.0.1.

use crate::error::Error;
use crate::fetch::FetchError;
use crate::lock::{Lock, LockedWheel};
use crate::testing::{Context, Fault, Server, Style, request, wheel};
use omnipkg_store::Sha256;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Mutex;

fn locked(context: &Context, server: &Server, texts: &[&str]) -> Lock {
    context.resolver(&[server], false).resolve(&request(texts)).unwrap()
}

fn hash_of(wheel: &LockedWheel, path: &Path) -> Result<(String, Sha256), Infallible> {
    Ok((wheel.name.clone(), Sha256::of(&std::fs::read(path).unwrap())))
}

#[test]
fn wheels_arrive_whole_and_in_order() {
    let wheels: Vec<_> = (0..20).map(|n| wheel(&format!("p{n:02}"), "1.0", &[]).padding(n * 10_000)).collect();
    let server = Server::start(Style::Json, &wheels);
    let context = Context::new();
    let names: Vec<String> = wheels.iter().map(|wheel| wheel.name.clone()).collect();
    let lock = locked(&context, &server, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let arrived = context.resolver(&[&server], false).fetch(&lock.wheels, hash_of).unwrap();
    let expected: Vec<_> = wheels.iter().map(|wheel| (wheel.name.clone(), Sha256::of(&wheel.archive()))).collect();
    assert_eq!(arrived, expected);
    assert!(context.left_over().is_empty());
}

#[test]
fn a_wrong_hash_is_named_and_leaves_nothing() {
    let (good, bad) = (wheel("good", "1.0", &[]), wheel("bad", "1.0", &[]));
    let server = Server::start(Style::Json, &[good, bad.clone()]);
    let context = Context::new();
    let lock = locked(&context, &server, &["bad"]);
    let mut other = bad.archive();
    other[40] ^= 1;
    server.tamper("bad-1.0-py3-none-any.whl", other.clone());
    let handed = Mutex::new(0);
    let ingest = |wheel: &LockedWheel, path: &Path| {
        *handed.lock().unwrap() += 1;
        hash_of(wheel, path)
    };
    let error = context.resolver(&[&server], false).fetch(&lock.wheels, ingest).unwrap_err();
    let FetchError::Fetch(Error::HashMismatch { filename, expected, got }) = error else { panic!("{error}") };
    assert_eq!(filename, "bad-1.0-py3-none-any.whl");
    assert_eq!((expected, got), (Sha256::of(&bad.archive()), Sha256::of(&other)));
    assert_eq!(*handed.lock().unwrap(), 0);
    assert!(context.left_over().is_empty());
}

#[test]
fn a_cut_download_goes_on_where_it_broke_off() {
    let big = wheel("big", "1.0", &[]).padding(100_000);
    let server = Server::start(Style::Json, std::slice::from_ref(&big));
    let context = Context::new();
    let lock = locked(&context, &server, &["big"]);
    let path = "/files/big-1.0-py3-none-any.whl";
    let body = big.archive()[..50_000].to_vec();
    server.fault(path, Fault { times: 1, status: 200, content_type: "x/y", body, cut: true });
    let arrived = context.resolver(&[&server], false).fetch(&lock.wheels, hash_of).unwrap();
    assert_eq!(arrived[0].1, Sha256::of(&big.archive()));
    let asked: Vec<_> = server.log().into_iter().filter(|asked| asked.path == path).collect();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].headers["range"], "bytes=50000-");
}

#[test]
fn a_server_that_always_breaks_off_is_an_error() {
    let server = Server::start(Style::Html, &[wheel("a", "1.0", &[])]);
    let context = Context::new();
    let lock = locked(&context, &server, &["a"]);
    let path = "/files/a-1.0-py3-none-any.whl";
    let before = server.count(path);
    server.fault(path, Fault { times: usize::MAX, status: 200, content_type: "x/y", body: b"PK".to_vec(), cut: true });
    let error = context.resolver(&[&server], false).fetch(&lock.wheels, hash_of).unwrap_err();
    assert!(matches!(&error, FetchError::Fetch(Error::Transport { .. })), "{error}");
    assert_eq!(server.count(path) - before, 3);
    assert!(context.left_over().is_empty());
}

#[test]
fn hashes_that_the_index_lacks_are_filled_in_and_files_work() {
    let context = Context::new();
    let server = Server::start(Style::Json, &[]);
    let archive = wheel("a", "1.0", &[]).archive();
    let path = context.directory.path().join("a-1.0-py3-none-any.whl");
    std::fs::write(&path, &archive).unwrap();
    let local = LockedWheel {
        name: "a".to_owned(),
        version: "1.0".parse().unwrap(),
        filename: "a-1.0-py3-none-any.whl".to_owned(),
        url: url::Url::from_file_path(&path).unwrap(),
        index: None,
        sha256: None,
        size: None,
        built: None,
        assumed: None,
        origin: crate::lock::Origin::Index,
        requires: vec![],
    };
    let ingest = |wheel: &LockedWheel, _: &Path| Ok::<_, Infallible>(wheel.sha256);
    let arrived = context.resolver(&[&server], true).fetch(&[local], ingest).unwrap();
    assert_eq!(arrived, [Some(Sha256::of(&archive))]);
    assert!(path.exists());
}

#[test]
fn offline_and_failing_ingestion() {
    let server = Server::start(Style::Json, &[wheel("a", "1.0", &[]), wheel("b", "1.0", &[])]);
    let context = Context::new();
    let lock = locked(&context, &server, &["a", "b"]);
    let error = context.resolver(&[&server], true).fetch(&lock.wheels[..1], hash_of).unwrap_err();
    assert!(error.to_string().contains("offline, and the wheel a-1.0-py3-none-any.whl"), "{error}");
    let broken = |_: &LockedWheel, _: &Path| Err::<(), _>(std::io::Error::other("no room"));
    let error = context.resolver(&[&server], false).fetch(&lock.wheels, broken).unwrap_err();
    assert!(matches!(&error, FetchError::Ingest { filename, .. } if filename.ends_with(".whl")), "{error}");
    assert!(context.left_over().is_empty());
}
