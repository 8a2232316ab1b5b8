//! What compiling does with good sources, bad ones, damage, and processes that die.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::interpreter::{Interpreter, discover, probe};
use crate::objects::{Batch, constant_time};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

struct Bench {
    _directory: tempfile::TempDir,
    store: Store,
    python: Interpreter,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().join("s")).unwrap();
        let python = probe(&discover::on_path("python3").into_iter().next().unwrap()).unwrap();
        Self { _directory: directory, store, python }
    }

    /// The interpreter, with these lines before what it is told to do.
    fn doctored(&self, lines: &str) -> Interpreter {
        let path = self._directory.path().join("python");
        let text = format!(
            "#!/bin/sh\nwhile [ \"$1\" != -c ]; do shift; done\ncode=$2\nshift 2\n\
             exec '{}' -I -S -B -W ignore -c \"{lines}\n$code\" \"$@\"\n",
            self.python.path().display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let mut doctored = self.python.clone();
        doctored.identity.path = path;
        doctored
    }

    fn sources(&self, texts: &[&[u8]]) -> Vec<Digest> {
        let mut batch = Batch::new(&self.store);
        let digests = texts.iter().map(|text| batch.add_bytes(text).unwrap().digest).collect();
        batch.commit().unwrap();
        digests
    }

    fn compile_with(&self, python: &Interpreter, sources: &[Digest], effort: Effort) -> Result<Compiled> {
        let sources: BTreeMap<Digest, u64> = sources.iter().map(|source| (*source, 1)).collect();
        compile(&self.store, python, &sources, effort, |_| ())
    }

    fn compile(&self, sources: &[Digest]) -> Compiled {
        self.compile_with(&self.python, sources, Effort::at_once()).unwrap()
    }

    fn find(&self, source: &Digest) -> Bytecode {
        let facts = &self.python.facts;
        find(self.store.layout(), &Key::of(self.store.layout(), &facts.cache_tag, facts.magic), source)
    }

    fn object(&self, source: &Digest) -> PathBuf {
        let Bytecode::Known { object, .. } = self.find(source) else { panic!("{:?}", self.find(source)) };
        self.store.layout().object(&object)
    }
}

const MADE: Compiled = Compiled { made: 1, refused: 0, failed: 0 };

fn is_sound(object: &std::path::Path) -> bool {
    let parts: Vec<_> = object.iter().rev().take(2).map(|part| part.to_str().unwrap()).collect();
    Digest::of(&fs::read(object).unwrap()).to_hex() == format!("{}{}", parts[1], parts[0])
}

/// Puts other bytes in an object's place that look the same from outside.
fn damage(object: &std::path::Path, bytes: &[u8]) {
    fs::remove_file(object).unwrap();
    fs::write(object, bytes).unwrap();
    File::open(object).unwrap().set_modified(constant_time()).unwrap();
}

#[test]
fn sources_are_compiled_once_and_what_cannot_be_is_not_tried_again() {
    let bench = Bench::new();
    let bomb = [b"(".repeat(100_000), b")".repeat(100_000)].concat();
    let sums = format!("x = {}\n", "1+".repeat(200_000) + "1");
    let texts: [&[u8]; 8] = [
        b"VALUE = 40 + 2\n",
        b"# -*- coding: latin-1 -*-\nNAME = '\xe9'\n",
        b"if 1 is 1: pass\nx = '\\d'\n",
        b"",
        b"print 'two'\n",
        b"x = 1\0\n",
        b"# coding: no-such-thing\n",
        &bomb,
    ];
    let mut sources = bench.sources(&texts);
    let first = bench.compile(&sources);
    assert_eq!((first.made, first.refused + first.failed), (4, 4), "{first:?}");
    for source in &sources[4..7] {
        assert_eq!(bench.find(source), Bytecode::Refused);
    }
    // Flags 1: hash-based, source not checked.
    assert_eq!(fs::read(bench.object(&sources[0])).unwrap()[4..8], [1, 0, 0, 0]);
    // One that overflows the compiler's stack on some versions does not keep the others from it.
    sources.extend(bench.sources(&[sums.as_bytes(), b"late = 1\n"]));
    assert!(bench.compile(&sources).made >= 1);
    assert!(matches!(bench.find(sources.last().unwrap()), Bytecode::Known { .. }));
    assert_eq!(bench.compile(&sources[..7]), Compiled::default());
}

#[test]
fn a_process_that_dies_or_hangs_costs_one_source() {
    let bench = Bench::new();
    let python = bench.doctored(
        "import os, signal\nreal = compile\ndef compile(source, *rest, **more):\n    \
         b'HANG' in source and signal.pause()\n    b'DIE' in source and os.kill(os.getpid(), 9)\n    \
         b'CRASH' in source and os.kill(os.getpid(), 11)\n    return real(source, *rest, **more)",
    );
    let texts: Vec<String> = (0..20).map(|number| format!("x = {number}\n")).collect();
    let mut texts: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    texts.splice(5..5, [&b"HANG = 1\n"[..], b"DIE = 1\n", b"CRASH = 1\n"]);
    let sources = bench.sources(&texts);
    // Long enough for an interpreter to start, on a machine that is busy.
    let effort = Effort::background().with_patience(Duration::from_secs(5));
    let compiled = bench.compile_with(&python, &sources, effort).unwrap();
    assert_eq!(compiled, Compiled { made: 20, refused: 1, failed: 2 });
    assert_eq!(bench.find(&sources[5]), Bytecode::Missing, "it may be another day");
    assert_eq!(bench.find(&sources[7]), Bytecode::Refused, "a crash comes again");
}

#[test]
fn a_crash_that_does_not_come_again_refuses_nothing() {
    let bench = Bench::new();
    let flag = bench._directory.path().join("crashed");
    let python = bench.doctored(&format!(
        "import os\nreal = compile\ndef compile(source, *rest, **more):\n    \
         if b'CRASH' in source and not os.path.exists('{0}'):\n        open('{0}', 'w').close()\n        \
         os.abort()\n    return real(source, *rest, **more)",
        flag.display()
    ));
    let source = bench.sources(&[b"CRASH = 1\n"])[0];
    assert_eq!(bench.compile_with(&python, &[source], Effort::at_once()).unwrap(), MADE);
    assert!(flag.exists(), "it had crashed");
}

#[test]
fn an_interpreter_that_only_dies_is_given_up() {
    let bench = Bench::new();
    let texts: Vec<String> = (0..300).map(|number| format!("x = {number}\n")).collect();
    let sources = bench.sources(&texts.iter().map(String::as_bytes).collect::<Vec<_>>());
    for death in ["os._exit(1)", "os.abort()", "os.kill(os.getpid(), 4)"] {
        let python = bench.doctored(&format!("import os\n{death}"));
        let error = bench.compile_with(&python, &sources, Effort::at_once()).unwrap_err().to_string();
        assert!(error.contains("end before they answer"), "{error}");
    }
    let mut gone = bench.python.clone();
    gone.identity.path = "/nowhere/python".into();
    let error = bench.compile_with(&gone, &sources, Effort::at_once()).unwrap_err().to_string();
    assert_eq!(error, "cannot start /nowhere/python");
    assert_eq!(bench.compile(&sources).made, 300, "none was refused for it");
}

#[test]
fn a_damaged_source_never_becomes_bytecode() {
    let bench = Bench::new();
    let source = bench.sources(&[b"VALUE = 1\n"])[0];
    damage(&bench.store.layout().object(&source), b"VALUE = 2\n");
    assert_eq!(bench.compile(&[source]), Compiled { failed: 1, ..Compiled::default() });
    assert_eq!(bench.find(&source), Bytecode::Missing);
}

#[test]
fn lost_and_damaged_bytecode_is_made_again() {
    let bench = Bench::new();
    let source = bench.sources(&[b"VALUE = 1\n"])[0];
    assert_eq!(bench.compile(&[source]), MADE);
    let sound = fs::read(bench.object(&source)).unwrap();

    fs::remove_file(bench.object(&source)).unwrap();
    assert_eq!(bench.find(&source), Bytecode::Missing, "its name leads to nothing");
    assert_eq!(bench.compile(&[source]), MADE);
    assert!(is_sound(&bench.object(&source)));

    damage(&bench.object(&source), b"");
    assert_eq!(bench.find(&source), Bytecode::Missing, "an empty file is none");
    assert_eq!(bench.compile(&[source]), MADE);

    // The right size and time: only its bytes tell, and whoever reads them has it made again.
    let mut wrong = sound.clone();
    *wrong.last_mut().unwrap() ^= 1;
    damage(&bench.object(&source), &wrong);
    assert!(!is_sound(&bench.object(&source)));
    let mut compiler = Compiler::new(&bench.store, &bench.python, Effort::background(), |_| ()).unwrap().unwrap();
    compiler.submit(source);
    assert_eq!(compiler.finish(), MADE);
    assert!(is_sound(&bench.object(&source)));

    for name in ["", "refuse", "00"] {
        fs::write(bench.store.layout().pyc(&bench.python.facts.cache_tag, &source), name).unwrap();
        assert_eq!(bench.find(&source), Bytecode::Missing, "{name:?}");
    }
    assert_eq!(bench.compile(&[source]), MADE);
}

#[test]
fn another_magic_number_has_its_own_bytecode() {
    let bench = Bench::new();
    let source = bench.sources(&[b"VALUE = 1\n"])[0];
    assert_eq!(bench.compile(&[source]), MADE);
    let object = bench.object(&source);

    let lines = "import importlib._bootstrap_external as e\ne.MAGIC_NUMBER = b'\\x01\\x02\\r\\n'";
    let mut alpha = bench.doctored(lines);
    let error = bench.compile_with(&alpha, &[bench.sources(&[b"new = 1\n"])[0]], Effort::at_once()).unwrap_err();
    assert!(error.to_string().contains("another magic number"), "{error}");

    alpha.facts.magic = 0x0201;
    assert_eq!(bench.compile_with(&alpha, &[source], Effort::at_once()).unwrap(), MADE);
    assert_eq!(bench.compile_with(&alpha, &[source], Effort::at_once()).unwrap(), Compiled::default());
    let (layout, facts) = (bench.store.layout(), &alpha.facts);
    let key = Key::of(layout, &facts.cache_tag, facts.magic);
    assert_eq!(key.folder(), format!("{}/magic-513", facts.cache_tag));
    let Bytecode::Known { object: other, .. } = find(layout, &key, &source) else { panic!() };
    assert_eq!(fs::read(layout.object(&other)).unwrap()[..2], [1, 2]);
    assert_eq!(bench.object(&source), object, "the first one keeps its own");
}

#[test]
fn a_view_is_known_to_be_compiled_by_those_who_share_its_bytecode() {
    let bench = Bench::new();
    let layout = bench.store.layout();
    let view = ViewId::from_digest(&Digest::of(b"view"));
    let key = Key::of(layout, "cpython-311", 0);
    assert!(!is_compiled(layout, &key, &view));
    mark_compiled(&bench.store, &key, &view).unwrap();
    assert!(is_compiled(layout, &key, &view));
    assert!(!is_compiled(layout, &Key::of(layout, "cpython-312", 0), &view));
    fs::remove_dir_all(layout.bytecode()).unwrap();
    assert!(!is_compiled(layout, &key, &view), "it goes with the bytecode");
}
