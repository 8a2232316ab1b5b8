//! Whole resolutions against a small index on 127.0.0.1.

use crate::error::Error;
use crate::request::{Request, Resolution};
use crate::testing::{Context, Fault, Server, Style, Wheel, pins, request, requirements, wheel};

/// Resolves in every style, which must agree.
fn outcome(wheels: &[Wheel], request: &Request) -> Result<String, Error> {
    let mut outcomes = [Style::Json, Style::Html, Style::HtmlWithoutRanges].map(|style| {
        let server = Server::start(style, wheels);
        Context::new().resolver(&[&server], false).resolve(request).map(|lock| pins(&lock))
    });
    let words = |outcome: &Result<String, Error>| match outcome {
        Ok(pins) => pins.clone(),
        // Ports differ.
        Err(error) => error.to_string().chars().filter(|c| !c.is_ascii_digit()).collect(),
    };
    assert_eq!(words(&outcomes[0]), words(&outcomes[1]));
    assert_eq!(words(&outcomes[0]), words(&outcomes[2]));
    std::mem::replace(&mut outcomes[0], Ok(String::new()))
}

fn resolved(wheels: &[Wheel], texts: &[&str]) -> String {
    outcome(wheels, &request(texts)).unwrap()
}

fn refused(wheels: &[Wheel], texts: &[&str]) -> String {
    outcome(wheels, &request(texts)).unwrap_err().to_string()
}

#[test]
fn the_newest_of_everything() {
    let wheels = [
        wheel("rich", "13.4.2", &["pygments>=2.13.0,<3.0.0", "markdown-it-py>=2.2.0"]),
        wheel("rich", "13.3.0", &[]),
        wheel("pygments", "2.15", &[]),
        wheel("pygments", "3.0", &[]),
        wheel("markdown-it-py", "3.0", &["mdurl~=0.1"]),
        wheel("mdurl", "0.1.2", &[]),
    ];
    assert_eq!(resolved(&wheels, &["Rich"]), "markdown-it-py==3.0 mdurl==0.1.2 pygments==2.15 rich==13.4.2");
}

#[test]
fn it_backtracks() {
    let wheels = [
        wheel("a", "2.0", &["c>=2"]),
        wheel("a", "1.0", &["c>=1"]),
        wheel("b", "1.0", &["c<2"]),
        wheel("c", "1.0", &[]),
        wheel("c", "2.0", &[]),
    ];
    assert_eq!(resolved(&wheels, &["a", "b"]), "a==1.0 b==1.0 c==1.0");
}

#[test]
fn it_backtracks_through_many_versions() {
    let mut wheels: Vec<Wheel> = (1..40).map(|n| wheel("a", &format!("{n}.0"), &["c>=2"])).collect();
    wheels.extend([wheel("a", "0.5", &[]), wheel("c", "1.0", &[]), wheel("c", "2.0", &[])]);
    assert_eq!(resolved(&wheels, &["a", "c<2"]), "a==0.5 c==1.0");
}

#[test]
fn extras_bring_what_they_need() {
    let wheels = [
        wheel("a", "2.0", &["b", "c ; extra == 'x'", "a[x] ; extra == 'all'"]).extra("x").extra("all"),
        wheel("a", "1.0", &["b", "c ; extra == 'x'"]).extra("x"),
        wheel("b", "1.0", &[]),
        wheel("c", "1.0", &[]),
        wheel("d", "1.0", &["a[x]<2"]),
    ];
    assert_eq!(resolved(&wheels, &["a"]), "a==2.0 b==1.0");
    assert_eq!(resolved(&wheels, &["a[X]"]), "a==2.0 b==1.0 c==1.0");
    assert_eq!(resolved(&wheels, &["a[all]"]), "a==2.0 b==1.0 c==1.0");
    assert_eq!(resolved(&wheels, &["a", "d"]), "a==1.0 b==1.0 c==1.0 d==1.0");
    assert_eq!(resolved(&wheels, &["a[unknown]"]), "a==2.0 b==1.0");
}

#[test]
fn markers_are_those_of_the_target() {
    let wheels = [
        wheel("a", "1.0", &["b ; python_version < '3.9'", "c ; sys_platform == 'linux' and python_version >= '3.11'"]),
        wheel("c", "1.0", &[]),
    ];
    assert_eq!(resolved(&wheels, &["a", "nothere ; os_name == 'nt'"]), "a==1.0 c==1.0");
}

#[test]
fn yanked_and_requires_python() {
    let wheels = [
        wheel("a", "1.0", &[]),
        wheel("a", "2.0", &[]).yanked("broken"),
        wheel("a", "3.0", &[]).python(">=3.12"),
        wheel("a", "4.0", &[]).tag("cp311-cp311-win_amd64"),
    ];
    assert_eq!(resolved(&wheels, &["a"]), "a==1.0");
    assert_eq!(resolved(&wheels, &["a==2.0"]), "a==2.0");
    let explanation = refused(&wheels, &["a>1.0"]);
    for line in [
        "you asked for a>1.0",
        "a 2.0 was yanked (broken)",
        "a 3.0 needs Python >=3.12",
        "a 4.0 has no wheel for this Python and platform (only for win_amd64)",
        "on Python 3.11.7",
    ] {
        assert!(explanation.contains(line), "{line:?} is not in:\n{explanation}");
    }
}

#[test]
fn wheels_for_other_pythons_only() {
    let wheels =
        [wheel("a", "1.0", &[]).tag("cp37-cp37m-manylinux_2_17_x86_64"), wheel("a", "1.0", &[]).tag("cp38-cp38-win32")];
    let explanation = refused(&wheels, &["a"]);
    assert!(explanation.contains("no wheel for this Python and platform (only for cp37, cp38)"), "{explanation}");
}

#[test]
fn source_only() {
    let server = Server::start(Style::Json, &[wheel("a", "1.0", &["old"])]);
    server.list("old", "old-1.0.tar.gz");
    let context = Context::new();
    let error = context.resolver(&[&server], false).resolve(&request(&["a"])).unwrap_err().to_string();
    assert!(error.contains("a 1.0 needs old"), "{error}");
    assert!(error.contains("old 1.0 has no wheel, only source"), "{error}");
}

#[test]
fn a_cycle_ends() {
    let wheels = [wheel("a", "1.0", &["b"]), wheel("b", "1.0", &["a>=1"])];
    assert_eq!(resolved(&wheels, &["a"]), "a==1.0 b==1.0");
    assert_eq!(resolved(&[wheel("a", "1.0", &["a>=0.5"])], &["a"]), "a==1.0");
}

#[test]
fn unknown_projects() {
    let wheels = [wheel("a", "1.0", &["b"]), wheel("b", "2.0", &["gone>=1"]), wheel("b", "1.0", &[])];
    assert_eq!(resolved(&wheels, &["a"]), "a==1.0 b==1.0");
    let explanation = refused(&wheels, &["a", "b>1"]);
    assert!(explanation.contains("b 2.0 needs gone>=1"), "{explanation}");
    assert!(explanation.contains("no index knows project gone (asked: 127.0.0.1/simple)"), "{explanation}");
    let error = outcome(&wheels, &request(&["Gone"])).unwrap_err();
    assert!(matches!(&error, Error::UnknownProject { name, .. } if name == "gone"), "{error}");
}

#[test]
fn explanations_name_the_conflict() {
    let wheels = [
        wheel("rich", "13.4.2", &["pygments>=2.13.0,<3.0.0"]),
        wheel("rich", "13.7.1", &["pygments>=2.13.0,<3.0.0"]),
        wheel("pygments", "1.6", &[]),
        wheel("pygments", "2.15", &[]),
    ];
    assert_eq!(
        refused(&wheels, &["rich==13.4.2", "pygments<2"]),
        "no versions fit together on Python 3.11.7:\n  you asked for rich==13.4.2\n  \
         you asked for pygments<2\n  rich 13.4.2 needs pygments>=2.13.0,<3.0.0"
    );
    let explanation = refused(&wheels, &["rich", "pygments<2"]);
    assert!(explanation.contains("every version of rich needs pygments>=2.13.0,<3.0.0"), "{explanation}");
    let explanation = refused(&wheels, &["rich==13.4.2", "rich==13.7.1"]);
    assert!(explanation.contains("rich==13.4.2 and rich==13.7.1, which contradict each other"), "{explanation}");
    let explanation = refused(&wheels, &["rich==99"]);
    assert!(explanation.contains("there is no rich==99 (there are 13.4.2, 13.7.1)"), "{explanation}");
}

/// `p1` needs `p2`, and so on to the last, which needs a version of `end` that there is not.
fn chain(links: usize) -> String {
    let next = |link: usize| if link == links { "end>=2".to_owned() } else { format!("p{}", link + 1) };
    let mut wheels: Vec<Wheel> = (1..=links).map(|link| wheel(&format!("p{link}"), "1.0", &[&next(link)])).collect();
    wheels.push(wheel("end", "1.0", &[]));
    refused(&wheels, &["p1"])
}

#[test]
fn explanations_name_every_link_in_ten_lines() {
    for links in [1, 3, 7, 20] {
        let explanation = chain(links);
        assert!(explanation.lines().count() <= 10, "{explanation}");
        (1..links).for_each(|link| {
            assert!(explanation.contains(&format!("p{link} 1.0 needs p{}", link + 1)), "{explanation}");
        });
        assert!(explanation.contains("there is no end>=2 (there is only 1.0)"), "{explanation}");
    }
    let explanation = chain(60);
    assert!(explanation.lines().count() <= 10 && explanation.contains("more facts"), "{explanation}");
    assert!(explanation.contains("there is no end>=2"), "what ends the chain is not cut: {explanation}");
}

#[test]
fn constraints_and_preferences() {
    let wheels = [wheel("a", "1.0", &["b"]), wheel("b", "1.0", &[]), wheel("b", "2.0", &[]), wheel("b", "3.0", &[])];
    let mut asked = request(&["a"]);
    asked.constraints = requirements(&["b<3", "unrelated==9"]);
    assert_eq!(outcome(&wheels, &asked).unwrap(), "a==1.0 b==2.0");
    asked.preferences.insert("b".to_owned(), "1.0".parse().unwrap());
    assert_eq!(outcome(&wheels, &asked).unwrap(), "a==1.0 b==1.0");
    asked.requirements = requirements(&["a", "b>1"]);
    assert_eq!(outcome(&wheels, &asked).unwrap(), "a==1.0 b==2.0");
    asked.requirements = requirements(&["a", "b>=3"]);
    let explanation = outcome(&wheels, &asked).unwrap_err().to_string();
    assert!(explanation.contains("your constraints allow only b<3"), "{explanation}");
}

#[test]
fn the_lock_says_where_and_what() {
    let wheels =
        [wheel("a", "1.0", &["b", "c ; extra == 'x'"]).extra("x"), wheel("b", "1.0", &["c"]), wheel("c", "1", &[])];
    let server = Server::start(Style::Json, &wheels);
    let context = Context::new();
    let lock = context.resolver(&[&server], false).resolve(&request(&["a[x]"])).unwrap();
    let a = lock.get("a").unwrap();
    assert_eq!(a.requires, ["b", "c"]);
    assert_eq!(a.filename, "a-1.0-py3-none-any.whl");
    assert_eq!(a.size, Some(wheels[0].archive().len() as u64));
    assert_eq!(a.sha256, Some(omnipkg_store::Sha256::of(&wheels[0].archive())));
    assert_eq!(lock.get("b").unwrap().requires, ["c"]);
    assert_eq!(context.resolver(&[&server], false).resolve(&request(&["a[x]"])).unwrap(), lock);
}

#[test]
fn ranges_fetch_only_parts() {
    let server = Server::start(Style::Html, &[wheel("a", "1.0", &["b"]).padding(300_000), wheel("b", "1.0", &[])]);
    let context = Context::new();
    let lock = context.resolver(&[&server], false).resolve(&request(&["a"])).unwrap();
    assert_eq!(pins(&lock), "a==1.0 b==1.0");
    let path = "/files/a-1.0-py3-none-any.whl";
    let asked: Vec<_> = server.log().into_iter().filter(|asked| asked.path == path).collect();
    assert!(asked.len() >= 2 && asked.iter().all(|asked| asked.headers.contains_key("range")), "{asked:?}");
}

#[test]
fn core_metadata_saves_the_wheel() {
    let server = Server::start(Style::Json, &[wheel("a", "1.0", &[])]);
    let context = Context::new();
    context.resolver(&[&server], false).resolve(&request(&["a"])).unwrap();
    assert_eq!(server.count("/files/a-1.0-py3-none-any.whl"), 0);
    assert_eq!(server.count("/files/a-1.0-py3-none-any.whl.metadata"), 1);
    // The metadata is cached by the wheel's hash, the page is asked about again with its tag.
    context.resolver(&[&server], false).resolve(&request(&["a"])).unwrap();
    assert_eq!(server.count("/files/a-1.0-py3-none-any.whl.metadata"), 1);
    let pages: Vec<_> = server.log().into_iter().filter(|asked| asked.path == "/simple/a/").collect();
    assert!(pages[1].headers.contains_key("if-none-match"), "{pages:?}");
    assert!(pages[0].headers["user-agent"].starts_with("omnipkg/"));
}

#[test]
fn metadata_with_another_hash_is_refused() {
    let server = Server::start(Style::Json, &[wheel("a", "1.0", &[])]);
    server.tamper("a-1.0-py3-none-any.whl.metadata", b"Name: a\n".to_vec());
    let error = Context::new().resolver(&[&server], false).resolve(&request(&["a"])).unwrap_err();
    assert!(matches!(error, Error::HashMismatch { .. }), "{error}");
}

#[test]
fn a_wheel_with_unreadable_metadata_is_passed_over() {
    let server = Server::start(Style::Json, &[wheel("a", "1.0", &[]), wheel("a", "2.0", &["??"])]);
    let lock = Context::new().resolver(&[&server], false).resolve(&request(&["a"])).unwrap();
    assert_eq!(pins(&lock), "a==1.0");
    let error = Context::new().resolver(&[&server], false).resolve(&request(&["a==2.0"])).unwrap_err().to_string();
    assert!(error.contains("a-2.0-py3-none-any.whl") && error.contains("??"), "{error}");
}

#[test]
fn offline_uses_what_is_cached() {
    let server =
        Server::start(Style::Json, &[wheel("a", "1.0", &["b ; extra == 'x'"]).extra("x"), wheel("b", "1", &[])]);
    let context = Context::new();
    let needs_page = context.resolver(&[&server], true).resolve(&request(&["a"])).unwrap_err();
    assert_eq!(needs_page.to_string(), "offline, and the index page of a is not in the cache");
    context.resolver(&[&server], false).resolve(&request(&["a"])).unwrap();
    let before = server.log().len();
    let lock = context.resolver(&[&server], true).resolve(&request(&["a"])).unwrap();
    assert_eq!(pins(&lock), "a==1.0");
    let error = context.resolver(&[&server], true).resolve(&request(&["a[x]"])).unwrap_err();
    assert!(matches!(&error, Error::Offline { needed } if needed == "the index page of b"), "{error}");
    assert_eq!(server.log().len(), before);
}

#[test]
fn the_first_index_that_knows_a_name_answers() {
    let private = Server::start(Style::Json, &[wheel("a", "1.0", &["b"])]);
    let public = Server::start(Style::Html, &[wheel("a", "9.0", &[]), wheel("b", "1.0", &[])]);
    let context = Context::new();
    let lock = context.resolver(&[&private, &public], false).resolve(&request(&["a"])).unwrap();
    assert_eq!(pins(&lock), "a==1.0 b==1.0");
    assert_eq!(public.count("/simple/a/"), 0);
    for status in [401, 403, 500, 503] {
        private.fails("/simple/a/", status, usize::MAX);
        let error = context.resolver(&[&private, &public], false).resolve(&request(&["a"])).unwrap_err();
        assert!(matches!(&error, Error::Status { status: got, .. } if *got == status), "{error}");
    }
    let body = b"<html>please log in</html>".to_vec();
    private.fault("/simple/a/", Fault { times: usize::MAX, status: 200, content_type: "text/html", body, cut: false });
    let error = context.resolver(&[&private, &public], false).resolve(&request(&["a"])).unwrap_err();
    assert!(matches!(error, Error::Answer { .. }), "{error}");
    assert_eq!(public.count("/simple/a/"), 0);
}

#[test]
fn passing_faults_are_retried() {
    let server = Server::start(Style::Json, &[wheel("a", "1.0", &[])]);
    server.fails("/simple/a/", 503, 2);
    let cut = Fault { times: 1, status: 200, content_type: "text/plain", body: b"Name".to_vec(), cut: true };
    server.fault("/files/a-1.0-py3-none-any.whl.metadata", cut);
    let lock = Context::new().resolver(&[&server], false).resolve(&request(&["a"])).unwrap();
    assert_eq!(pins(&lock), "a==1.0");
    assert_eq!(server.count("/simple/a/"), 3);
}

#[test]
fn credentials_go_with_the_request_and_nowhere_else() {
    let server = Server::start(Style::Html, &[wheel("a", "1.0", &[])]);
    let context = Context::new();
    let mut index_url = server.url();
    index_url.set_username("me").unwrap();
    index_url.set_password(Some("s3cret")).unwrap();
    let indexes = crate::Indexes { index_url: Some(index_url), ..Default::default() };
    let resolver = context.resolver_with(&indexes, crate::testing::http());
    let lock = resolver.resolve(&request(&["a"])).unwrap();
    assert!(!serde_json::to_string(&lock).unwrap().contains("s3cret"));
    assert!(server.log().iter().all(|asked| asked.headers.contains_key("authorization")));
    server.fails("/simple/b/", 401, 1);
    let error = resolver.resolve(&request(&["b"])).unwrap_err().to_string();
    assert!(
        error.contains("/simple/b/ answered 401") && !error.contains("s3cret") && !error.contains("me:"),
        "{error}"
    );
}

#[test]
fn a_project_of_an_index_cannot_send_a_user_elsewhere() {
    let wheels = [wheel("a", "1.0", &["b @ http://127.0.0.1:9/b-1.0-py3-none-any.whl"])];
    let words = refused(&wheels, &["a"]);
    assert!(words.contains("a 1.0 cannot be used: cannot resolve \"b @ http://127.0.0.1:9/"), "{words}");
    assert!(words.contains("require that URL yourself"), "{words}");
}

#[test]
fn the_oldest_of_all_or_of_what_is_asked_for() {
    let wheels = [
        wheel("a", "1.0", &["b>=1.5"]),
        wheel("a", "2.0", &["b>=1.5"]),
        wheel("a", "0.9rc1", &[]),
        wheel("b", "1.0", &[]),
        wheel("b", "1.5", &[]),
        wheel("b", "2.0", &[]),
    ];
    let resolve = |resolution| outcome(&wheels, &Request { resolution, ..request(&["a"]) }).unwrap();
    assert_eq!(resolve(Resolution::Highest), "a==2.0 b==2.0");
    assert_eq!(resolve(Resolution::Lowest), "a==1.0 b==1.5");
    assert_eq!(resolve(Resolution::LowestDirect), "a==1.0 b==2.0");
    // What was chosen before is kept where it fits, whatever the order.
    let kept = Request { resolution: Resolution::Lowest, ..request(&["a"]) };
    let kept = Request { preferences: [("b".to_owned(), "2.0".parse().unwrap())].into(), ..kept };
    assert_eq!(outcome(&wheels, &kept).unwrap(), "a==1.0 b==2.0");
}

#[test]
fn an_override_takes_the_place_of_every_requirement() {
    let wheels = [
        wheel("a", "1.0", &["b<2", "c; extra == 'x'"]),
        wheel("b", "1.0", &[]),
        wheel("b", "3.0", &[]),
        wheel("c", "1.0", &["b==1.0"]),
    ];
    assert_eq!(resolved(&wheels, &["a[x]"]), "a==1.0 b==1.0 c==1.0");
    let overridden = Request { overrides: requirements(&["b>=3"]), ..request(&["a[x]", "b==1.0"]) };
    assert_eq!(outcome(&wheels, &overridden).unwrap(), "a==1.0 b==3.0 c==1.0");
    let unused = Request { overrides: requirements(&["z==9"]), ..request(&["a"]) };
    assert_eq!(outcome(&wheels, &unused).unwrap(), "a==1.0 b==1.0", "an override asks for nothing by itself");
}
