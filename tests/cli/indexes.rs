//! Where candidates come from, as users say it: files beside the indexes, limits of time, pinned projects, logins,
//! proxies, certificates; and `omnipkg config`, which tells who said what.

use crate::support::{one_error, quiet_success};
use omnipkg_tests::index::{Fault, FileOptions, Index, Mode};
use omnipkg_tests::{Context, WheelBuilder};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn wheel(name: &str, version: &str) -> omnipkg_tests::BuiltWheel {
    WheelBuilder::with_version_attribute(name, version).build()
}

#[test]
fn a_directory_of_wheels_serves_beside_and_without_an_index() {
    let context = Context::new();
    context.publish(&[wheel("lib", "1.0")]);
    let folder = context.work().join("wheels");
    fs::create_dir(&folder).unwrap();
    wheel("lib", "2.0").write_to(&folder);
    wheel("own", "1.0").write_to(&folder);
    let resolve = |words: &[&str]| quiet_success(context.run([&["resolve"], words].concat()));
    assert_eq!(resolve(&["lib"]), "lib==1.0\n");
    assert_eq!(resolve(&["lib", "own", "--find-links", "wheels"]), "lib==2.0\nown==1.0\n");
    assert_eq!(resolve(&["lib<2", "-f", "wheels"]), "lib==1.0\n");
    // What comes into the directory is seen, though the question sounds the same.
    wheel("own", "1.5").write_to(&folder);
    assert_eq!(resolve(&["lib", "own", "--find-links", "wheels"]), "lib==2.0\nown==1.5\n");
    // And installed, with no index at all.
    context.index().stop();
    context.run(["install", "own", "--no-index", "-f", "wheels"]).success();
    assert_eq!(crate::support::installed_version(&context, "own"), "1.5");
    let refused = context.run(["resolve", "gone", "--no-index", "-f", "wheels"]).expect_code(1);
    assert!(refused.stderr.contains("no index knows project gone (asked: file:///"), "{refused}");
    let refused = context.run(["resolve", "lib", "--no-index", "-f", "nowhere"]).expect_code(1);
    assert!(
        refused.stderr.contains("cannot look for distributions in") && refused.stderr.contains("nowhere"),
        "{refused}"
    );
}

#[test]
fn find_links_are_told_by_variables_and_files() {
    let context = Context::new().env("PIP_FIND_LINKS", "one nowhere").env("UV_FIND_LINKS", "two,three");
    for (folder, version) in [("one", "1.0"), ("two", "2.0"), ("three", "3.0"), ("four", "4.0")] {
        fs::create_dir(context.work().join(folder)).unwrap();
        wheel("lib", version).write_to(&context.work().join(folder));
    }
    fs::create_dir_all(context.home().join(".config/pip")).unwrap();
    fs::write(context.home().join(".config/pip/pip.conf"), "[global]\nno-index = true\nfind-links = four\n").unwrap();
    for version in ["1.0", "2.0", "3.0", "4.0"] {
        let pin = format!("lib=={version}");
        assert_eq!(quiet_success(context.run(["resolve", &pin])), format!("{pin}\n"));
    }
    let config = quiet_success(context.run(["config"]));
    for row in
        ["no-index true ", "find-links three UV_FIND_LINKS", "find-links nowhere PIP_FIND_LINKS", "find-links four "]
    {
        let found = config.lines().any(|line| line.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(row));
        assert!(found, "{row:?} is not in\n{config}");
    }
    assert!(config.contains(".config/pip/pip.conf"), "{config}");
}

#[test]
fn what_came_later_is_not_chosen_and_not_remembered_for_others() {
    let context = Context::new();
    for (version, time) in [("1.0", "2024-01-31T12:00:00.000000Z"), ("2.0", "2024-02-01T00:00:00.000000Z")] {
        context.index().add_with(&wheel("lib", version), FileOptions::default().upload_time(time));
    }
    context.index().add(&wheel("undated", "1.0"));
    let resolve = |words: &[&str]| quiet_success(context.run([&["resolve"], words].concat()));
    assert_eq!(resolve(&["lib"]), "lib==2.0\n");
    assert_eq!(resolve(&["lib", "--exclude-newer", "2024-01-31"]), "lib==1.0\n");
    assert_eq!(resolve(&["lib", "--exclude-newer", "2024-02-01T00:00:01Z"]), "lib==2.0\n");
    let refused = context.run(["resolve", "undated", "--exclude-newer", "2024-01-31"]).expect_code(1);
    assert!(refused.stderr.contains("undated 1.0 has no upload time on its index"), "{refused}");
    let refused = context.run(["resolve", "lib", "--exclude-newer", "last week"]).expect_code(1);
    assert!(refused.stderr.contains("cannot use \"last week\" from --exclude-newer"), "{refused}");
    // A run's own memory tells the two apart too.
    let script =
        context.script("say.py", "# /// script\n# dependencies = ['lib']\n# ///\nimport lib\nprint(lib.__version__)\n");
    let script = script.to_str().unwrap();
    assert_eq!(quiet_success(context.run(["run", script])), "2.0\n");
    assert_eq!(quiet_success(context.run(["run", "--exclude-newer", "2024-01-31", script])), "1.0\n");
    assert_eq!(quiet_success(context.run(["run", script])), "2.0\n");
}

#[test]
fn a_project_is_bound_to_an_index() {
    let own = Index::start(Mode::Json);
    own.add(&wheel("lib", "9.0"));
    own.add(&wheel("other", "9.0"));
    own.require_login("me", "s3cret");
    let context = Context::new()
        .env("UV_INDEX_MY_OWN_USERNAME", "me")
        .env("UV_INDEX_MY_OWN_PASSWORD", "s3cret")
        .env("OMNIPKG_INDEX_FOR", format!("Lib={}", own.url().replace("//", "//me:s3cret@")));
    context.publish(&[wheel("lib", "1.0"), wheel("other", "1.0")]);
    let resolve = |words: &[&str]| quiet_success(context.run([&["resolve"], words].concat()));
    // An index that only the binding names is asked for nothing else.
    assert_eq!(resolve(&["lib", "other"]), "lib==9.0\nother==1.0\n");
    assert_eq!((context.index().count("/simple/lib/"), own.count("/simple/other/")), (0, 0));
    // A named one is asked for all, first; its login stands in variables.
    let named = format!("my-own={}", own.url());
    assert_eq!(resolve(&["other", "--index", &named, "--index-for", "lib=my-own"]), "other==9.0\n");
    let config = quiet_success(context.run(["config", "--index", &named]));
    assert!(config.contains("****@127.0.0.1") && !config.contains("s3cret"), "{config}");
    let refused = context.run(["resolve", "lib", "--index-for", "lib=nobody"]).expect_code(1);
    assert!(refused.stderr.contains("no index has the name \"nobody\""), "{refused}");
    for folder in ["cache", "answers"] {
        for file in context.store_files(folder) {
            let bytes = fs::read(context.store().join(folder).join(&file)).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("s3cret") && !text.contains("bWU6czNjcmV0"), "{}", file.display());
        }
    }
}

#[test]
fn the_keyring_and_netrc_know_logins() {
    let context = Context::new();
    context.publish(&["a", "b", "c", "d", "lib"].map(|name| wheel(name, "1.0")));
    context.index().require_login("me", "s3cret");
    let refused = context.run(["resolve", "lib"]).expect_code(1);
    assert!(refused.stderr.contains("answered 401") && refused.stderr.contains("hint: "), "{refused}");
    // A keyring that knows one user of this server, first on PATH.
    let bin = context.work().join("bin");
    fs::create_dir(&bin).unwrap();
    let host = context.index().origin().replace("http://", "");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\n[ \"$1 $2 $3\" = 'get {host} me' ] && echo s3cret\n",
        context.work().join("asked").display()
    );
    fs::write(bin.join("keyring"), script).unwrap();
    fs::set_permissions(bin.join("keyring"), fs::Permissions::from_mode(0o755)).unwrap();
    let url = context.index().url().replace("//", "//me@");
    let with_keyring = |more: &[&str]| {
        let mut command =
            context.command([&["resolve", "lib", "a", "b", "c", "d", "--refresh", "--index-url", &url], more].concat());
        let path =
            command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, value)| value).unwrap().to_owned();
        command.env("PATH", format!("{}:{}", bin.display(), path.to_str().unwrap()));
        omnipkg_tests::process::run(command, b"")
    };
    with_keyring(&[]).expect_code(1);
    assert!(!context.work().join("asked").exists(), "nobody asked for it");
    let all = "a==1.0\nb==1.0\nc==1.0\nd==1.0\nlib==1.0\n";
    assert_eq!(quiet_success(with_keyring(&["--keyring-provider", "subprocess"])), all);
    let asked = fs::read_to_string(context.work().join("asked")).unwrap();
    let service = context.index().url();
    assert_eq!(
        asked,
        format!("get {service} me\nget {host} me\n"),
        "the index first, then its server, each once though five pages are refused"
    );
    // A file of logins needs no flag.
    fs::write(context.home().join(".netrc"), "machine 127.0.0.1 login me password s3cret\n").unwrap();
    assert_eq!(quiet_success(context.run(["resolve", "lib", "--refresh"])), "lib==1.0\n");
}

#[test]
fn a_proxy_is_used_where_there_is_one() {
    let proxy = Index::start(Mode::Json);
    proxy.add(&wheel("lib", "1.0"));
    // Nothing listens there: only the proxy can answer.
    let context = Context::new().env("OMNIPKG_INDEX_URL", "http://127.0.0.1:9/simple/");
    let resolve = |variable: &str, more: &[(&str, &str)]| {
        let mut command = context.command(["resolve", "lib", "--refresh"]);
        command.env(variable, proxy.origin()).envs(more.iter().copied()).env("OMNIPKG_HTTP_TIMEOUT", "5");
        omnipkg_tests::process::run(command, b"")
    };
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        assert_eq!(quiet_success(resolve(variable, &[])), "lib==1.0\n", "{variable}");
    }
    // pip's own is told without a scheme, and heeded where the usual variables name none.
    let bare = proxy.origin().replace("http://", "");
    let of_pip = context.command(["resolve", "lib", "--refresh"]);
    let with = |mut command: std::process::Command, variables: &[(&str, &str)]| {
        command.envs(variables.iter().copied());
        omnipkg_tests::process::run(command, b"")
    };
    assert_eq!(quiet_success(with(of_pip, &[("PIP_PROXY", &bare)])), "lib==1.0\n");
    let config = with(context.command(["config"]), &[("PIP_PROXY", "me:s3cret@127.0.0.1:9")]);
    assert!(config.stdout.contains("http://****@127.0.0.1:9") && !config.stdout.contains("s3cret"), "{config}");
    let asked = proxy.requests();
    assert!(asked.iter().all(|request| request.path.starts_with("http://127.0.0.1:9/")), "{asked:?}");
    let around = resolve("HTTP_PROXY", &[("NO_PROXY", "127.0.0.1")]).expect_code(1);
    assert!(around.stderr.contains("cannot fetch http://127.0.0.1:9/simple/lib/"), "{around}");
}

#[test]
fn what_an_index_answers_instead_is_told_with_a_next_step() {
    let context = Context::new().env("OMNIPKG_HTTP_TIMEOUT", "1");
    context.publish(&[wheel("lib", "1.0")]);
    for (fault, word) in [
        (Fault::Status(403), "answered 403"),
        (Fault::Status(500), "answered 500"),
        (Fault::Html, "the HTML is no project page"),
        (Fault::Hang, "cannot fetch"),
    ] {
        context.index().fault("/simple/lib/", fault);
        let refused = context.run(["resolve", "lib"]).expect_code(1);
        let named = refused.stderr.contains(&format!("{}lib/", context.index().url()));
        assert!(refused.stderr.contains(word) && named && refused.stderr.contains("\nhint: "), "{refused}");
    }
}

#[test]
fn settings_are_told_with_their_origins() {
    let context = Context::new().env("UV_EXCLUDE_NEWER", "2024-01-01").env("PIP_DEFAULT_TIMEOUT", "7");
    let context = context.env("HTTPS_PROXY", "http://me:s3cret@127.0.0.1:1/");
    let context = context.env("UV_NO_BUILD", "1").env("UV_NO_BINARY", "0").env("PIP_NO_BINARY", "lib");
    let words = ["config", "--json", "--offline", "--extra-index-url", "http://u:s3cret@127.0.0.1/x/?token=s3cret"];
    let output = quiet_success(context.run(words));
    assert!(!output.contains("s3cret"), "{output}");
    let json: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(json["schema"], 1);
    let rows = json["settings"].as_array().unwrap();
    let row = |name: &str| {
        rows.iter()
            .find(|row| row["name"] == name)
            .map(|row| (row["value"].as_str().unwrap(), row["origin"].as_str().unwrap()))
    };
    assert_eq!(row("home"), Some((context.store().to_str().unwrap(), "OMNIPKG_HOME")));
    assert_eq!(row("offline"), Some(("true", "--offline")));
    assert_eq!(row("exclude-newer"), Some(("2024-01-01", "UV_EXCLUDE_NEWER")));
    assert_eq!(row("http-timeout"), Some(("7", "PIP_DEFAULT_TIMEOUT")));
    assert_eq!(row("extra-index-url"), Some(("http://****@127.0.0.1/x/?****", "--extra-index-url")));
    assert_eq!(row("https-proxy"), Some(("http://****@127.0.0.1:1/", "HTTPS_PROXY")));
    assert_eq!(row("only-binary"), Some((":all:", "UV_NO_BUILD")));
    assert_eq!(row("no-binary"), Some(("lib", "PIP_NO_BINARY")));
    assert_eq!(row("no-index"), Some(("false", "default")));
    assert_eq!(row("index-url").map(|(_, origin)| origin), Some("OMNIPKG_INDEX_URL"));
}

#[test]
fn a_download_that_fails_leaves_nothing_and_the_next_one_works() {
    let context = Context::new();
    let good = wheel("lib", "1.0");
    context.index().add_with(&wheel("wrong", "1.0"), FileOptions::default().wrong_hash());
    context.publish(std::slice::from_ref(&good));
    let path = Index::file_path(&good);
    let left = |folder: &str| context.store_files(folder).len();
    let before = (left("objects"), left("wheels"));
    let refused = |project: &str, word: &str| {
        let refused = context.run(["install", project]).expect_code(1);
        assert!(refused.stderr.contains(word) && refused.stderr.matches("omnipkg: error:").count() == 1, "{refused}");
        assert_eq!((left("objects"), left("wheels"), left("tmp")), (before.0, before.1, 0), "{refused}");
    };
    for (fault, word) in [
        (Fault::Cut(100), "cannot fetch"),
        (Fault::ContentLength(good.bytes.len() - 1), "sha256 of lib-1.0-py3-none-any.whl is"),
        (Fault::ContentLength(good.bytes.len() + 1), "cannot fetch"),
        (Fault::Html, "a page of HTML in place of a file"),
        (Fault::Status(404), "answered 404"),
    ] {
        context.index().fault(&path, fault);
        refused("lib", word);
    }
    refused("wrong", "sha256 of wrong-1.0-py3-none-any.whl is");
    context.index().mend(&path);
    context.run(["install", "lib"]).success();
    assert_eq!(crate::support::installed_version(&context, "lib"), "1.0");
}

#[test]
fn what_is_there_stays_whatever_an_index_knows() {
    let context = Context::new();
    let work = context.work();
    // A private project, whose name a stranger has on the index, in an older version.
    let private = WheelBuilder::with_version_attribute("private", "4.0").build();
    fs::create_dir_all(work.join("own")).unwrap();
    fs::write(work.join("own").join(&private.filename), &private.bytes).unwrap();
    quiet_success(context.run(["install", "private", "--no-index", "--find-links", "own"]));
    for (project, version) in [("private", "0.1"), ("other", "1.0"), ("third", "1.0")] {
        context.publish(&[WheelBuilder::with_version_attribute(project, version).build()]);
    }
    quiet_success(context.run(["install", "other"]));
    quiet_success(context.run(["install", "private>=1"]));
    quiet_success(context.run(["upgrade"]));
    quiet_success(context.run(["upgrade", "private"]));
    assert_eq!(quiet_success(context.run(["list"])), "other    1.0\nprivate  4.0\n");
    let seen =
        context.run(["run", "--with", "third", "--", "python", "-c", "import private; print(private.__version__)"]);
    assert_eq!(quiet_success(seen), "4.0\n");
    assert_eq!(context.index().count("/simple/private/"), 2, "only who asks for a newer one asks for it at all");
}

#[test]
fn what_an_index_says_of_a_hash_is_not_believed_elsewhere() {
    let context = Context::new();
    let good = WheelBuilder::new("victim", "1.0").build();
    context.publish(&[good.clone(), WheelBuilder::new("evil", "1.0").build()]);
    let liar = Index::start(Mode::Json);
    // Another wheel of that name, under the hash of the good one.
    let bad = WheelBuilder::new("victim", "1.0").requires("evil").build();
    liar.add_with(&bad, FileOptions::default().claims_to_be(&good.bytes));
    liar.add(&WheelBuilder::new("evil", "1.0").build());
    let lies = quiet_success(context.run(["resolve", "victim", "--index-url", &liar.url()]));
    assert_eq!(lies, "evil==1.0\nvictim==1.0\n");
    assert_eq!(quiet_success(context.run(["resolve", "victim"])), "victim==1.0\n");
    let refused = one_error(&context, context.run(["install", "victim", "--index-url", &liar.url()]));
    assert!(refused.contains("sha256"), "{refused}");
}
