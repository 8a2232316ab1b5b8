//! Everything that can go wrong between an index and a verified wheel, for pages, metadata and wheels.
//!
//! Of every case: no wrong byte is handed on, the tries are bounded, there is one error that names its subject, and
//! `tmp/` is empty afterwards.

use crate::error::Error;
use crate::fetch::FetchError;
use crate::indexes::Indexes;
use crate::testing::{Asked, Context, End, Reply, Scripted, Wheel, http, pins, request, wheel};
use omnipkg_store::Sha256;
use std::convert::Infallible;
use std::io::Write;
use std::time::Duration;

const PAGE: &str = "/simple/a/";
const WHEEL: &str = "/files/a-1.0-py3-none-any.whl";
const METADATA: &str = "/files/a-1.0-py3-none-any.whl.metadata";
const SUBJECTS: [&str; 3] = [PAGE, METADATA, WHEEL];
const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// What an index says of its one wheel.
#[derive(Clone, Copy)]
enum Row {
    /// Hash, size and metadata.
    Full,
    /// Nothing but its place.
    Bare,
}

fn subject() -> Wheel {
    wheel("a", "1.0", &[]).padding(3000)
}

fn page(row: Row) -> String {
    let (wheel, mut file) = (subject(), serde_json::json!({"url": format!("..{}{}", "/..", WHEEL), "hashes": {}}));
    file["filename"] = wheel.filename().into();
    if let Row::Full = row {
        file["hashes"]["sha256"] = Sha256::of(&wheel.archive()).to_hex().into();
        file["size"] = wheel.archive().len().into();
        file["core-metadata"]["sha256"] = Sha256::of(wheel.metadata().as_bytes()).to_hex().into();
    }
    serde_json::json!({"meta": {"api-version": "1.1"}, "name": "a", "files": [file]}).to_string()
}

/// The answer of a healthy index, which knows ranges.
fn healthy(row: Row, asked: &Asked) -> Reply {
    match asked.path.as_str() {
        PAGE => Reply::new(200, JSON, page(row)),
        METADATA if matches!(row, Row::Full) => Reply::new(200, "text/plain", subject().metadata()),
        WHEEL => ranged(asked, &subject().archive()),
        _ => Reply::status(404),
    }
}

fn ranged(asked: &Asked, bytes: &[u8]) -> Reply {
    let range = asked.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let Some((first, last)) = range else { return Reply::new(200, "application/zip", bytes) };
    let (start, end) = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(start), Ok(last)) => (start, (last + 1).min(bytes.len())),
        (Ok(start), Err(_)) => (start, bytes.len()),
        (Err(_), Ok(suffix)) => (bytes.len().saturating_sub(suffix), bytes.len()),
        _ => (0, bytes.len()),
    };
    let range = format!("bytes {start}-{}/{}", end - 1, bytes.len());
    Reply::new(206, "application/zip", &bytes[start..end]).with("Content-Range", range)
}

/// What came of resolving and fetching.
struct Outcome {
    result: Result<(), Error>,
    server: Scripted,
}

impl Outcome {
    fn count(&self, path: &str) -> usize {
        self.server.counts().get(path).copied().unwrap_or(0)
    }

    /// The error, which names its subject.
    #[track_caller]
    fn error(&self) -> &Error {
        let error = self.result.as_ref().expect_err("an error");
        let names = |part: &str| error.to_string().contains(part);
        assert!(names("/simple/a/") || names("a-1.0-py3-none-any.whl"), "{error}");
        error
    }
}

/// Resolves and fetches from an index of which `fault` changes answers.
fn outcome(row: Row, fault: impl Fn(&Asked, usize, Reply) -> Reply + Send + Sync + 'static) -> Outcome {
    let server = Scripted::start(move |asked, before| fault(asked, before, healthy(row, asked)));
    let context = Context::new();
    let indexes = Indexes { index_url: Some(server.url("/simple/")), ..Indexes::default() };
    let resolver =
        context.resolver_with(&indexes, crate::HttpOptions { timeout: Duration::from_millis(500), ..http() });
    let result = resolver.resolve(&request(&["a"])).and_then(|lock| {
        assert_eq!(pins(&lock), "a==1.0");
        let fetched = resolver.fetch(&lock.wheels, |_, path| {
            // The promise of all these tests: whatever happened, these are the bytes.
            assert_eq!(Sha256::of(&std::fs::read(path).unwrap()), Sha256::of(&subject().archive()));
            Ok::<_, Infallible>(())
        });
        fetched.map(drop).map_err(|error| match error {
            FetchError::Fetch(error) => error,
            FetchError::Ingest { source, .. } => match source {},
        })
    });
    assert!(context.left_over().is_empty(), "{:?}", context.left_over());
    Outcome { result, server }
}

/// As [`outcome`], with a fault on one path only: on its first answer, or on all.
fn faulty(path: &'static str, always: bool, fault: impl Fn(Reply) -> Reply + Send + Sync + 'static) -> Outcome {
    outcome(Row::Full, move |asked, before, reply| match asked.path == path && (always || before == 0) {
        true => fault(reply),
        false => reply,
    })
}

/// Fifty places spread over a body, its first byte and its last but one among them.
fn offsets(length: usize) -> impl Iterator<Item = usize> {
    (0..50).map(move |n| n * (length - 1) / 49)
}

fn length_of(path: &str) -> usize {
    match path {
        PAGE => page(Row::Full).len(),
        METADATA => subject().metadata().len(),
        _ => subject().archive().len(),
    }
}

/// The wheel without ranges, so that no try gets further than the first.
fn whole_of(path: &str, reply: Reply) -> Reply {
    if path == WHEEL { Reply::new(200, "application/zip", subject().archive()) } else { reply }
}

fn cut_at_fifty_offsets(path: &'static str) {
    for offset in offsets(length_of(path)) {
        let once = faulty(path, false, move |reply| reply.cut(offset, End::Close));
        assert!(once.result.is_ok() && once.count(path) == 2, "{path} at {offset}: {:?}", once.result);
    }
}

#[test]
fn a_page_that_is_cut_anywhere_is_asked_for_again() {
    cut_at_fifty_offsets(PAGE);
}

#[test]
fn metadata_that_is_cut_anywhere_is_asked_for_again() {
    cut_at_fifty_offsets(METADATA);
}

#[test]
fn a_wheel_that_is_cut_anywhere_is_completed() {
    cut_at_fifty_offsets(WHEEL);
}

#[test]
fn ranges_that_are_cut_anywhere_are_asked_for_again() {
    for offset in offsets(subject().archive().len()) {
        let cut = outcome(Row::Bare, move |asked, before, reply| match asked.path == WHEEL && before == 0 {
            true => reply.cut(offset, End::Close),
            false => reply,
        });
        assert!(cut.result.is_ok(), "at {offset}: {:?}", cut.result);
    }
}

#[test]
fn what_is_always_cut_is_an_error_after_three_tries() {
    for path in SUBJECTS {
        for offset in offsets(length_of(path)).step_by(7) {
            for end in [End::Close, End::Reset] {
                let always = faulty(path, true, move |reply| whole_of(path, reply).cut(offset, end));
                assert!(matches!(always.error(), Error::Transport { .. }), "{path} at {offset}: {:?}", always.result);
                assert_eq!(always.count(path), 3, "{path} at {offset}");
            }
        }
    }
}

#[test]
fn lengths_that_lie_never_pass() {
    for path in SUBJECTS {
        for announced in [0, 1, length_of(path) / 2, length_of(path) - 1] {
            let short = faulty(path, true, move |reply| reply.announcing(announced));
            assert!(short.error().to_string().len() > 10 && short.count(path) <= 3, "{path}, {announced}");
        }
        let long = faulty(path, true, move |reply| {
            let more = reply.body.len() + 1;
            reply.announcing(more)
        });
        assert!(matches!(long.error(), Error::Transport { .. }), "{path}: {:?}", long.result);
        assert_eq!(long.count(path), 3, "{path}");
    }
}

#[test]
fn silence_ends_with_the_time_that_is_granted() {
    for path in SUBJECTS {
        let half = length_of(path) / 2;
        let once = faulty(path, false, move |reply| reply.cut(half, End::Hang));
        assert!(once.result.is_ok(), "{path}: {:?}", once.result);
        let always = faulty(path, true, move |reply| whole_of(path, reply).cut(half, End::Hang));
        let Error::Transport { source, .. } = always.error() else { panic!("{path}: {:?}", always.result) };
        assert!(source.is_timeout() && always.count(path) == 3, "{path}: {source:?}, {}", always.count(path));
    }
}

#[test]
fn a_server_that_asks_to_wait_is_heeded_within_bounds() {
    for path in SUBJECTS {
        for status in [429, 503] {
            let soon = faulty(path, false, move |_| Reply::status(status).with("Retry-After", "0"));
            assert!(soon.result.is_ok() && soon.count(path) == 2, "{path}: {:?}", soon.result);
            let late = faulty(path, true, move |_| Reply::status(status).with("Retry-After", "3600"));
            assert!(late.error().to_string().contains("asks to wait 3600 s"), "{}", late.error());
            assert_eq!(late.count(path), 1, "{path}");
            let never = faulty(path, true, move |_| Reply::status(status));
            assert!(matches!(never.error(), Error::Status { status: got, .. } if *got == status));
            assert_eq!(never.count(path), 3, "{path}");
        }
    }
}

#[test]
fn a_page_for_people_in_place_of_a_file_is_told_as_one() {
    for path in SUBJECTS {
        let html = || Reply::new(200, "text/html; charset=utf-8", "<!DOCTYPE html><form>Please log in</form>");
        let portal = faulty(path, true, move |_| html());
        assert!(portal.error().to_string().contains("HTML"), "{}", portal.error());
        assert_eq!(portal.count(path), 1, "{path}");
    }
}

#[test]
fn other_bytes_than_were_promised_are_never_kept() {
    for path in [METADATA, WHEEL] {
        let other = faulty(path, true, |mut reply| {
            let middle = reply.body.len() / 2;
            reply.body[middle] ^= 1;
            reply
        });
        assert!(matches!(other.error(), Error::HashMismatch { .. }), "{path}: {:?}", other.result);
        assert_eq!(other.count(path), 1, "{path}");
    }
}

#[test]
fn redirects_that_lead_nowhere_end() {
    for path in SUBJECTS {
        let around = faulty(path, true, move |_| Reply::status(302).with("Location", path));
        assert!(matches!(around.error(), Error::Transport { .. }), "{path}: {:?}", around.result);
        assert!(around.count(path) <= 12, "{path}: {}", around.count(path));
    }
}

#[test]
fn a_bomb_does_not_go_off() {
    let bomb = |size: usize| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let block = vec![b' '; 1 << 20];
        (0..size >> 20).for_each(|_| encoder.write_all(&block).unwrap());
        encoder.finish().unwrap()
    };
    // The limits are 128 MiB for pages, 16 MiB for metadata, and for a wheel what was announced.
    for (path, size, content_type) in [(PAGE, 130 << 20, JSON), (METADATA, 17 << 20, "x/y"), (WHEEL, 1 << 20, "x/y")] {
        let body = bomb(size);
        let reply = move |_| Reply::new(200, content_type, body.clone()).with("Content-Encoding", "gzip");
        let hit = faulty(path, true, reply);
        assert!(matches!(hit.error(), Error::Answer { .. }), "{path}: {:?}", hit.result);
        assert!(hit.error().to_string().contains("it is longer than"), "{}", hit.error());
        assert_eq!(hit.count(path), 1, "{path}");
    }
}

/// The first download, of `first`, breaks off in the middle; `then` answers whoever comes for the rest.
fn resumed(
    row: Row,
    (tag, first): (&'static str, Vec<u8>),
    then: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static,
) -> Outcome {
    let downloads = std::sync::atomic::AtomicUsize::new(0);
    outcome(row, move |asked, _, reply| {
        // What asks for the end of the file wants its metadata.
        let is_download = asked.path == WHEEL && !asked.headers.get("range").is_some_and(|range| range.contains("=-"));
        if !is_download {
            return reply;
        }
        match downloads.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Reply::new(200, "x/y", first.clone()).with("ETag", tag).cut(1000, End::Close),
            later => then(asked, later),
        }
    })
}

/// What was there before the file was replaced: as long, with other bytes.
fn replaced() -> Vec<u8> {
    let mut bytes = subject().archive();
    bytes[500] ^= 1;
    bytes
}

fn rest(start: usize, tag: &str) -> Reply {
    let bytes = subject().archive();
    let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
    Reply::new(206, "x/y", &bytes[start..]).with("Content-Range", range).with("ETag", tag)
}

fn whole() -> Reply {
    Reply::new(200, "x/y", subject().archive()).with("ETag", "\"new\"")
}

#[test]
fn a_download_goes_on_only_in_the_same_file() {
    // No hash is known: the tag alone tells that it is the same file.
    let same = resumed(Row::Bare, ("\"old\"", subject().archive()), |asked, _| {
        assert_eq!((asked.headers["range"].as_str(), asked.headers["if-range"].as_str()), ("bytes=1000-", "\"old\""));
        rest(1000, "\"old\"")
    });
    assert!(same.result.is_ok(), "{:?}", same.result);
    let other = resumed(Row::Bare, ("\"old\"", replaced()), |_, _| whole());
    assert!(other.result.is_ok(), "{:?}", other.result);
    // A server that knows no If-Range, with another file by now: begun anew.
    let ignorant =
        resumed(Row::Bare, ("\"old\"", replaced()), |asked, later| match asked.headers.contains_key("range") {
            true => rest(1000, "\"new\""),
            false => [whole(), whole(), whole()][later].clone(),
        });
    assert!(ignorant.result.is_ok(), "{:?}", ignorant.result);
    // A weak tag does not speak of bytes: nothing is asked in parts.
    let weak = resumed(Row::Bare, ("W/\"old\"", replaced()), |asked, _| {
        assert!(!asked.headers.contains_key("range"));
        whole()
    });
    assert!(weak.result.is_ok(), "{:?}", weak.result);
}

#[test]
fn ranges_that_lie_never_pass() {
    let length = subject().archive().len();
    for lie in [
        format!("bytes 0-{}/{length}", length - 1),
        format!("bytes 999-{}/{length}", length - 1),
        format!("bytes 1000-{}/{}", length, length + 1),
        format!("bytes 1000-{length}"),
        "nonsense".to_owned(),
    ] {
        let mended = resumed(Row::Full, ("\"t\"", subject().archive()), {
            let lie = lie.clone();
            move |asked, _| match asked.headers.contains_key("range") {
                true => Reply::new(206, "x/y", &subject().archive()[1000..]).with("Content-Range", lie.clone()),
                false => whole(),
            }
        });
        assert!(mended.result.is_ok(), "{lie}: {:?}", mended.result);
    }
    // The right range with other bytes in it, always.
    let wrong = resumed(Row::Full, ("\"t\"", subject().archive()), |_, _| {
        let mut reply = rest(1000, "\"t\"");
        reply.body[5] ^= 1;
        reply
    });
    assert!(matches!(wrong.error(), Error::HashMismatch { .. }), "{:?}", wrong.result);
    // A part where the whole was asked for.
    let part = faulty(WHEEL, true, |_| rest(1000, "\"t\""));
    assert!(matches!(part.error(), Error::Interrupted { .. }), "{:?}", part.result);
    assert_eq!(part.count(WHEEL), 3);
}

#[test]
fn metadata_by_ranges_that_lie_never_passes() {
    let length = subject().archive().len();
    for (name, reply) in [
        ("past the end", Reply::new(206, "x/y", "x").with("Content-Range", format!("bytes 5-9/{length}"))),
        ("no range", Reply::new(206, "x/y", subject().archive()).with("Content-Range", "bytes */*")),
        ("endless", Reply::new(206, "x/y", vec![0; 1 << 20]).with("Content-Range", "bytes 0-1048575/1048576")),
    ] {
        let lied = outcome(Row::Bare, move |asked, _, healthy| match asked.headers.contains_key("range") {
            true if asked.path == WHEEL => reply.clone(),
            _ => healthy,
        });
        match name {
            // A range that says nothing of itself is no reason not to take the whole.
            "no range" => assert!(lied.result.is_ok(), "{:?}", lied.result),
            _ => assert!(matches!(lied.error(), Error::Answer { .. }), "{name}: {:?}", lied.result),
        }
    }
}
