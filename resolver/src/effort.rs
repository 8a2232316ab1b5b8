//! How much is asked of an index: backtracking through hundreds of versions fetches little more than it must.
//!
//! Bounds are upper ones, because what is fetched ahead depends on what came when.

use crate::testing::universe::{question, wheels};
use crate::testing::{Context, Server, Style, Wheel, pins};

/// The answer, and how often metadata was asked for; no version's twice.
fn effort(offered: &[&str], asked: &str) -> (String, usize) {
    let wheels: Vec<Wheel> = offered.iter().flat_map(|line| wheels(line)).collect();
    let server = Server::start(Style::Json, &wheels);
    let lock = Context::new().resolver(&[&server], false).resolve(&question(asked));
    let answer = lock.map_or_else(|error| error.to_string(), |lock| pins(&lock));
    let mut fetched: Vec<String> = server.log().into_iter().map(|asked| asked.path).collect();
    fetched.retain(|path| path.ends_with(".metadata"));
    let all = fetched.len();
    fetched.sort();
    fetched.dedup();
    assert_eq!(all, fetched.len(), "something was fetched twice");
    (answer, all)
}

#[test]
fn without_a_conflict_only_what_is_chosen_is_fetched() {
    let (answer, fetched) = effort(&["a {1..60}.0 | needs b>=3", "b {1..60}.0 | needs c<9", "c {1..20}.0"], "a");
    assert_eq!(answer, "a==60.0 b==60.0 c==8.0");
    assert_eq!(fetched, 3);
}

#[test]
fn a_conflict_far_from_its_cause_is_traced_back_to_it() {
    let offered = [
        "boto {1..60}.0 | needs core=={}.0 | needs transfer>=1",
        "core {1..60}.0 | needs urls<2",
        "transfer {1..60}.0 | needs core",
        "aio 1.0 | needs core<31",
        "urls 1.0",
        "urls 2.0",
    ];
    let (answer, fetched) = effort(&offered, "boto | aio");
    assert_eq!(answer, "aio==1.0 boto==30.0 core==30.0 transfer==60.0 urls==1.0");
    assert!(fetched <= 70, "{fetched}, where boto's 31 and four more are needed");
    let (answer, fetched) = effort(&offered, "urls>=2 | boto | aio");
    assert!(answer.contains("core") && answer.contains("needs urls<2"), "{answer}");
    assert!(fetched <= 100, "{fetched} of 182 there are, where aio and a chain of 60 are needed");
}
