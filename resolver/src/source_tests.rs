//! Where candidates come from: files beside the indexes, limits of time, pinned projects, logins, cached pages.

use crate::error::Error;
use crate::indexes::Indexes;
use crate::lock::Lock;
use crate::testing::{Context, Reply, Scripted, Server, Style, Wheel, http, pins, request, wheel};
use std::path::Path;
use url::Url;

fn directory(wheels: &[Wheel]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for wheel in wheels {
        std::fs::write(folder.path().join(wheel.filename()), wheel.archive()).unwrap();
    }
    folder
}

fn at(path: &Path) -> Url {
    Url::from_file_path(path).unwrap()
}

fn resolve(indexes: &Indexes, texts: &[&str]) -> Result<Lock, Error> {
    Context::new().resolver_with(indexes, http()).resolve(&request(texts))
}

#[test]
fn files_beside_the_index_are_further_candidates() {
    let server = Server::start(Style::Json, &[wheel("a", "1.0", &["b"]), wheel("a", "3.0", &["b"])]);
    let folder = directory(&[wheel("a", "2.0", &["b"]), wheel("b", "1.0", &[]), wheel("ab", "9.0", &[])]);
    std::fs::write(folder.path().join("b-2.0.txt"), "no distribution").unwrap();
    let indexes = Indexes { index_url: Some(server.url()), find_links: vec![at(folder.path())], ..Indexes::default() };
    let pins_of = |texts: &[&str]| pins(&resolve(&indexes, texts).unwrap());
    assert_eq!(pins_of(&["a"]), "a==3.0 b==1.0");
    assert_eq!(pins_of(&["a<3"]), "a==2.0 b==1.0");
    assert_eq!(pins_of(&["a<2"]), "a==1.0 b==1.0");
    let alone = Indexes { index_url: None, ..indexes.clone() };
    let lock = resolve(&alone, &["a"]).unwrap();
    assert_eq!(pins(&lock), "a==2.0 b==1.0");
    assert!(lock.wheels.iter().all(|wheel| wheel.url.scheme() == "file"), "{lock:?}");
    let error = resolve(&alone, &["c"]).unwrap_err().to_string();
    assert!(error.contains("no index knows project c") && error.contains("file:///"), "{error}");
    let error = resolve(&Indexes::default(), &["c"]).unwrap_err().to_string();
    assert!(error.contains("--no-index"), "{error}");
}

#[test]
fn the_same_file_is_taken_from_beside_the_index() {
    let server = Server::start(Style::Json, &[wheel("a", "1.0", &[])]);
    let folder = directory(&[wheel("a", "1.0", &[])]);
    let find_links = vec![at(folder.path())];
    let lock = resolve(&Indexes { index_url: Some(server.url()), find_links, ..Indexes::default() }, &["a"]).unwrap();
    assert_eq!(lock.wheels[0].url.scheme(), "file");
}

#[test]
fn pages_of_files_on_disk_and_on_a_server() {
    let archive = wheel("a", "1.0", &[]).archive();
    let page = "<!DOCTYPE html><a href='a-1.0-py3-none-any.whl'>a</a> <a href='/docs'>docs</a>";
    let folder = directory(&[wheel("a", "1.0", &[])]);
    std::fs::write(folder.path().join("files.html"), page).unwrap();
    let server = Scripted::start(move |asked, _| match asked.path.as_str() {
        "/files.html" => Reply::new(200, "text/html", page),
        "/a-1.0-py3-none-any.whl" => Reply::new(200, "application/zip", archive.clone()),
        _ => Reply::status(404),
    });
    for url in [at(&folder.path().join("files.html")), server.url("/files.html")] {
        let lock = resolve(&Indexes { find_links: vec![url.clone()], ..Indexes::default() }, &["a"]).unwrap();
        assert_eq!((pins(&lock).as_str(), lock.wheels[0].url.scheme()), ("a==1.0", url.scheme()));
    }
    for (url, named) in
        [(server.url("/gone.html"), "/gone.html answered 404"), (at(Path::new("/no/such/place")), "/no/such/place")]
    {
        let error = resolve(&Indexes { find_links: vec![url], ..Indexes::default() }, &["a"]).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn offline_the_files_that_are_here_serve() {
    let server = Server::start(Style::Json, &[]);
    let folder = directory(&[wheel("a", "1.0", &[])]);
    let find_links = vec![at(folder.path())];
    let indexes = Indexes { index_url: Some(server.url()), find_links, ..Indexes::default() };
    let options = crate::HttpOptions { offline: true, ..http() };
    let lock = Context::new().resolver_with(&indexes, options).resolve(&request(&["a"])).unwrap();
    assert_eq!(pins(&lock), "a==1.0");
    assert!(server.log().is_empty());
}

/// A page whose rows are (project's version, upload time).
fn dated(rows: &'static [(&'static str, Option<&'static str>)]) -> Scripted {
    Scripted::start(move |asked, _| {
        if asked.path.ends_with(".metadata") {
            let version = asked.path.split('-').nth(1).unwrap();
            return Reply::new(200, "text/plain", wheel("a", version, &[]).metadata());
        }
        let file = |(version, time): &(&str, Option<&str>)| {
            let name = wheel("a", version, &[]).filename();
            let mut row = serde_json::json!({"filename": name, "url": name, "hashes": {}, "core-metadata": true});
            time.iter().for_each(|time| row["upload-time"] = (*time).into());
            row
        };
        let files: Vec<_> = rows.iter().map(file).collect();
        let page = serde_json::json!({"meta": {}, "name": "a", "files": files}).to_string();
        Reply::new(200, "application/vnd.pypi.simple.v1+json", page)
    })
}

fn before(server: &Scripted, limit: &str) -> Result<String, String> {
    let limit = crate::Timestamp::limit(limit).unwrap();
    let indexes = Indexes { index_url: Some(server.url("/simple/")), exclude_newer: Some(limit), ..Indexes::default() };
    // Twice: the second time the page comes from the cache.
    let context = Context::new();
    let [first, second] = [0, 1].map(|_| {
        let outcome = context.resolver_with(&indexes, http()).resolve(&request(&["a"]));
        outcome.map(|lock| pins(&lock)).map_err(|error| error.to_string())
    });
    assert_eq!(first, second);
    first
}

#[test]
fn what_came_later_is_no_candidate() {
    let server = dated(&[
        ("1.0", Some("2024-02-29T23:59:59.999999Z")),
        ("2.0", Some("2024-03-01T12:00:00Z")),
        ("3.0", Some("2024-03-02T00:00:00Z")),
        ("4.0", None),
    ]);
    assert_eq!(before(&server, "2024-02-29").unwrap(), "a==1.0");
    assert_eq!(before(&server, "2024-03-01").unwrap(), "a==2.0");
    assert_eq!(before(&server, "2024-03-01T12:00:00Z").unwrap(), "a==1.0");
    assert_eq!(before(&server, "2024-03-01T13:00:01+01:00").unwrap(), "a==2.0");
    assert_eq!(before(&server, "2024-03-02").unwrap(), "a==3.0");
    let refused = before(&server, "2020-01-01").unwrap_err();
    assert!(
        refused.contains("a 3.0, 2.0, 1.0 were uploaded too late (--exclude-newer 2020-01-02T00:00:00Z)"),
        "{refused}"
    );
    assert!(refused.contains("a 4.0 has no upload time on its index, which --exclude-newer needs"), "{refused}");
}

#[test]
fn before_the_first_stable_version_there_are_pre_releases() {
    let server = dated(&[("1.0a1", Some("2024-01-01T00:00:00Z")), ("1.0", Some("2025-01-01T00:00:00Z"))]);
    assert_eq!(before(&server, "2024-06-01").unwrap(), "a==1.0a1");
    assert_eq!(before(&server, "2026-01-01").unwrap(), "a==1.0");
}

#[test]
fn a_pinned_project_is_asked_for_at_its_index_alone() {
    let first = Server::start(Style::Json, &[wheel("a", "1.0", &["b"]), wheel("b", "1.0", &[])]);
    let second = Server::start(Style::Json, &[wheel("a", "2.0", &["b"]), wheel("b", "2.0", &[])]);
    let pinned = [("a".to_owned(), second.url())].into();
    let indexes = Indexes { index_url: Some(first.url()), pinned, ..Indexes::default() };
    assert_eq!(pins(&resolve(&indexes, &["a"]).unwrap()), "a==2.0 b==1.0");
    assert_eq!((first.count("/simple/a/"), second.count("/simple/b/")), (0, 0));
    // It does not go on to the others either.
    let pinned = [("a".to_owned(), Server::start(Style::Json, &[]).url())].into();
    let error = resolve(&Indexes { pinned, ..indexes }, &["a"]).unwrap_err();
    assert!(matches!(&error, Error::UnknownProject { asked, .. } if asked.len() == 1), "{error}");
}

#[test]
fn logins_stay_at_their_server() {
    let files = Server::start(Style::Json, &[wheel("a", "1.0", &[])]);
    let elsewhere = files.url().join("/files/a-1.0-py3-none-any.whl").unwrap();
    let index = Scripted::start(move |asked, _| match asked.path.as_str() {
        "/simple/a/" => Reply::new(
            200,
            "text/html",
            format!("<a href='{elsewhere}'>a</a> <a href='here/b-1-py3-none-any.whl'>b</a>"),
        ),
        _ => Reply::status(302).with("Location", elsewhere.as_str()),
    });
    let mut url = index.url("/simple/");
    url.set_username("me").unwrap();
    url.set_password(Some("s3cret")).unwrap();
    let context = Context::new();
    let indexes = Indexes { index_url: Some(url), ..Indexes::default() };
    let lock = context.resolver_with(&indexes, http()).resolve(&request(&["a"])).unwrap();
    assert!(index.log().iter().all(|asked| asked.headers.contains_key("authorization")));
    assert!(files.log().iter().all(|asked| !asked.headers.contains_key("authorization")));
    // Nor through a redirect from the index that it belongs to.
    let mut wheel = lock.wheels[0].clone();
    wheel.url = index.url("/moved.whl");
    let fetched = context.resolver_with(&indexes, http()).fetch(&[wheel], |_, _| Ok::<_, std::convert::Infallible>(()));
    assert!(fetched.is_ok(), "{:?}", fetched.err());
    assert!(files.log().len() > 1 && files.log().iter().all(|asked| !asked.headers.contains_key("authorization")));
}

#[test]
fn netrc_is_asked_for_who_has_no_login() {
    let server = Scripted::start(|asked, _| match asked.headers.get("authorization").map(String::as_str) {
        // "me:pw"
        Some("Basic bWU6cHc=") if asked.path == "/simple/a/" => Reply::status(404),
        _ => Reply::status(401),
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "machine 127.0.0.1 login me password pw\n").unwrap();
    let indexes = Indexes { index_url: Some(server.url("/simple/")), ..Indexes::default() };
    let outcome = |netrc| {
        let options = crate::HttpOptions { netrc, ..http() };
        Context::new().resolver_with(&indexes, options).resolve(&request(&["a"])).unwrap_err()
    };
    assert!(matches!(outcome(None), Error::Status { status: 401, .. }));
    assert!(matches!(outcome(Some(file.path().to_owned())), Error::UnknownProject { .. }));
}

#[test]
fn a_page_that_is_fresh_is_not_asked_for() {
    let page = |version: &str| format!("<a href='a-{version}-py3-none-any.whl' data-core-metadata='true'>a</a>");
    let server = Scripted::start(move |asked, before| match asked.path.as_str() {
        "/simple/a/" if before > 0 && asked.headers.contains_key("if-modified-since") => Reply::status(304),
        "/simple/a/" => Reply::new(200, "text/html", page("1.0"))
            .with("Cache-Control", "max-age=300")
            .with("Last-Modified", "Fri, 01 Mar 2024 12:00:00 GMT"),
        _ => Reply::new(200, "text/plain", wheel("a", "1.0", &[]).metadata()),
    });
    let context = Context::new();
    let indexes = Indexes { index_url: Some(server.url("/simple/")), ..Indexes::default() };
    let asked = |refresh| {
        let resolver = context.resolver_with(&indexes, crate::HttpOptions { refresh, ..http() });
        assert_eq!(pins(&resolver.resolve(&request(&["a"])).unwrap()), "a==1.0");
        server.counts()["/simple/a/"]
    };
    assert_eq!([asked(false), asked(false), asked(true)], [1, 1, 2]);
    // The answer that nothing changed said nothing of freshness any more.
    assert_eq!([asked(false), asked(false)], [3, 4]);
    let last = server.log().into_iter().rfind(|asked| asked.path == "/simple/a/").unwrap();
    assert_eq!(last.headers.get("if-modified-since").map(String::as_str), Some("Fri, 01 Mar 2024 12:00:00 GMT"));
}
