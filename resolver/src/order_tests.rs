//! Three indexes, each answering in one of seven ways: all 343 cases, and what comes of each.
//!
//! The rule: the first index that knows the name answers; only 404 means "does not know"; everything else is one error
//! that names the index, and no later index is even asked.

use crate::error::Error;
use crate::indexes::Indexes;
use crate::testing::{Context, End, Reply, Scripted, http, pins, request, wheel};
use std::sync::Mutex;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Found,
    NotFound,
    Unauthorized,
    Forbidden,
    Broken,
    Silent,
    Garbage,
}

const ALL: [Says; 7] =
    [Says::Found, Says::NotFound, Says::Unauthorized, Says::Forbidden, Says::Broken, Says::Silent, Says::Garbage];

/// Which way the index at `place` answers in a case.
fn says(case: usize, place: usize) -> Says {
    ALL[case / 7usize.pow(2 - place as u32) % 7]
}

/// `/CASE/PLACE/simple/a/`, and the metadata of the one version that each index has: its place.
fn answer(path: &str) -> Reply {
    let mut parts = path.trim_start_matches('/').split('/').map(|part| part.parse::<usize>());
    let (Some(Ok(case)), Some(Ok(place))) = (parts.next(), parts.next()) else { panic!("{path}") };
    let wheel = wheel("a", &format!("{place}.0"), &[]);
    if path.ends_with(".metadata") {
        return Reply::new(200, "text/plain", wheel.metadata());
    }
    let json = "application/vnd.pypi.simple.v1+json";
    match says(case, place) {
        Says::Found => {
            let file = serde_json::json!({"filename": wheel.filename(), "url": wheel.filename(), "hashes": {}, "core-metadata": true});
            Reply::new(200, json, serde_json::json!({"meta": {}, "name": "a", "files": [file]}).to_string())
        }
        Says::NotFound => Reply::status(404),
        Says::Unauthorized => Reply::status(401),
        Says::Forbidden => Reply::status(403),
        Says::Broken => Reply::status(500),
        Says::Silent => Reply::new(200, json, "{").cut(0, End::Hang),
        Says::Garbage => Reply::new(200, json, b"\x00\xff{]".as_slice()),
    }
}

/// The index that ends the search, if one does.
fn last_asked(case: usize) -> Option<usize> {
    (0..3).find(|place| says(case, *place) != Says::NotFound)
}

fn check(context: &Context, server: &Scripted, case: usize) {
    let url = |place: usize| server.url(&format!("/{case}/{place}/simple"));
    let indexes = Indexes { index_url: Some(url(2)), extra: vec![url(0), url(1)], ..Indexes::default() };
    let options = crate::HttpOptions { timeout: Duration::from_secs(1), ..http() };
    let outcome = context.resolver_with(&indexes, options).resolve(&request(&["a"]));
    let kinds: Vec<Says> = (0..3).map(|place| says(case, place)).collect();
    let Some(place) = last_asked(case) else {
        let Err(Error::UnknownProject { asked, .. }) = outcome else { panic!("{kinds:?}: {outcome:?}") };
        return assert_eq!(asked.len(), 3, "{kinds:?}");
    };
    let named = |error: &Error| error.to_string().contains(&format!("/{case}/{place}/simple/a/"));
    let right = match (says(case, place), &outcome) {
        (Says::Found, Ok(lock)) => pins(lock) == format!("a=={place}.0"),
        (Says::Unauthorized, Err(error @ Error::Status { status: 401, .. }))
        | (Says::Forbidden, Err(error @ Error::Status { status: 403, .. }))
        | (Says::Broken, Err(error @ Error::Status { status: 500, .. }))
        | (Says::Garbage, Err(error @ Error::Answer { .. })) => named(error),
        (Says::Silent, Err(error @ Error::Transport { source, .. })) => source.is_timeout() && named(error),
        _ => false,
    };
    assert!(right, "{kinds:?}: {outcome:?}");
}

#[test]
fn only_not_found_goes_on_to_the_next_index() {
    let (server, context) = (Scripted::start(|asked, _| answer(&asked.path)), Context::new());
    // The slow cases first, all at once: each waits for three time-outs.
    let mut cases: Vec<usize> = (0..343).collect();
    cases.sort_by_key(|case| last_asked(*case).is_some_and(|place| says(*case, place) == Says::Silent));
    let queue = Mutex::new(cases);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                loop {
                    let case = queue.lock().unwrap().pop();
                    let Some(case) = case else { return };
                    check(&context, &server, case);
                }
            });
        }
    });
    let counts = server.counts();
    let asked = |case: usize, place: usize| counts.get(&format!("/{case}/{place}/simple/a/")).copied().unwrap_or(0);
    for case in 0..343 {
        for place in 0..3 {
            let reached = last_asked(case).is_none_or(|last| place <= last);
            let tries = match says(case, place) {
                _ if !reached => 0..=0,
                Says::Broken | Says::Silent => 3..=3,
                // A machine that is busy may let a good answer pass its time.
                _ => 1..=3,
            };
            assert!(tries.contains(&asked(case, place)), "{case}, {place}: {} times", asked(case, place));
        }
    }
}
