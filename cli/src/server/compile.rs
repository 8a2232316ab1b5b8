//! Bytecode in the background: what programs looked for and did not find is compiled at once, on processors that nobody
//! else wants, so that the next view has it.
//!
//! Each interpreter that something is missing for has a compiler, whose processes wait for more until nothing was missed
//! for a while. With nothing to compile, nothing runs and nothing wakes up.

use super::ahead;
use omnipkg_fusefs::BytecodeMiss;
use omnipkg_store::bytecode::{Compiler, Effort, Report};
use omnipkg_store::interpreter::{Interpreter, probe_cached};
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::{Digest, Store, ViewId};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// When nothing was missed for this long, what waits for more ends.
const IDLE: Duration = Duration::from_secs(10);

/// When nothing was missed for this long and all is compiled, the kernel is told of it.
const SETTLED: Duration = Duration::from_millis(200);

/// Compiles misses until the sender is gone.
pub fn run(root: &Path, misses: &Receiver<BytecodeMiss>) {
    let failed = Failed::default();
    while let Ok(first) = misses.recv() {
        // The store is not kept open while nothing is compiled: see there.
        let mut desk = match Store::open(root) {
            Ok(store) => {
                Desk { store, failed: failed.clone(), interpreters: HashMap::new(), compilers: HashMap::new() }
            }
            Err(error) => {
                eprintln!("cannot compile: {error}");
                continue;
            }
        };
        desk.submit(&first);
        let mut served = HashSet::from([first.view]);
        loop {
            let patience = if served.is_empty() { IDLE } else { SETTLED };
            match misses.recv_timeout(patience) {
                Ok(miss) => {
                    desk.submit(&miss);
                    served.insert(miss.view);
                }
                Err(RecvTimeoutError::Timeout) if desk.is_idle() && served.is_empty() => break,
                // So that the next start need not ask for what is there now.
                Err(RecvTimeoutError::Timeout) if desk.is_idle() => {
                    served.drain().for_each(|view| ahead::read_bytecode(root, &view));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

/// Sources that came to grief here, by interpreter: they are not tried again by this process.
type Failed = Arc<Mutex<HashSet<(Arc<Path>, Digest)>>>;

fn lock(failed: &Failed) -> MutexGuard<'_, HashSet<(Arc<Path>, Digest)>> {
    failed.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Desk {
    store: Store,
    failed: Failed,
    /// What compiles for a view, if anything.
    interpreters: HashMap<ViewId, Option<Arc<Interpreter>>>,
    compilers: HashMap<Arc<Path>, Option<Compiler>>,
}

impl Desk {
    fn submit(&mut self, miss: &BytecodeMiss) {
        let Some(interpreter) = self.interpreter(&miss.view) else { return };
        let key = (Arc::from(interpreter.path()), miss.source);
        // A tag that is another interpreter's (a program looked at names) is left alone.
        if interpreter.facts.cache_tag != miss.cache_tag || lock(&self.failed).contains(&key) {
            return;
        }
        if let Some(compiler) = self.compiler(&interpreter) {
            compiler.submit(miss.source);
        }
    }

    /// The view's own interpreter.
    fn interpreter(&mut self, view: &ViewId) -> Option<Arc<Interpreter>> {
        if !self.interpreters.contains_key(view) {
            let found = ViewDescription::load(&self.store, view)
                .and_then(|description| probe_cached(&self.store, &description.interpreter));
            let found = found.map_err(|error| eprintln!("cannot compile for {view}: {error}")).ok();
            self.interpreters.insert(*view, found.map(Arc::new));
        }
        self.interpreters.get(view)?.clone()
    }

    fn compiler(&mut self, interpreter: &Interpreter) -> Option<&mut Compiler> {
        let path: Arc<Path> = interpreter.path().into();
        if !self.compilers.contains_key(&path) {
            let (failed, python) = (Arc::clone(&self.failed), Arc::clone(&path));
            let on_report = move |report| match report {
                Report::Done(_, true) => {}
                Report::Done(source, false) => {
                    lock(&failed).insert((Arc::clone(&python), source));
                }
                Report::Trouble(error) => eprintln!("cannot compile: {error}"),
            };
            let compiler = Compiler::new(&self.store, interpreter, Effort::background(), on_report);
            let compiler = compiler.map_err(|error| eprintln!("cannot compile: {error}")).ok().flatten();
            self.compilers.insert(Arc::clone(&path), compiler);
        }
        self.compilers.get_mut(&path)?.as_mut()
    }

    fn is_idle(&self) -> bool {
        self.compilers.values().flatten().all(Compiler::is_idle)
    }
}
