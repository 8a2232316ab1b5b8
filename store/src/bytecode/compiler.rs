//! Compiling with several processes: sources wait in one queue, and each worker takes the next when it is free.
//!
//! A [`Compiler`] belongs to one interpreter and lives as long as somebody has work for it. Workers and their
//! processes are started when there is work for them, and sleep when there is none.

use super::child::{Answer, Child};
use super::publisher::{self, Group, Made};
use super::{Bytecode, Key, find, is_whole};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::interpreter::Interpreter;
use crate::layout::Store;
use crate::objects;
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::num::NonZeroUsize;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// One source may take this long: the largest known (some MB of tables) take seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// An interpreter whose processes end over this many sources in a row cannot compile anything.
const ENDS: usize = 8;

/// What any interpreter that works compiles.
const PLAIN: &[u8] = b"def double(values):\n    return [2 * value for value in values]\n";

/// How much of the machine compiling may use.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    workers: usize,
    background: bool,
    group: Group,
    patience: Duration,
}

impl Effort {
    /// All processors but one, and those only while nobody else wants them; published often, since somebody may need it.
    pub fn background() -> Self {
        let group = Group { sources: 64, age: Duration::from_millis(200) };
        Self { workers: (processors() - 1).max(1), background: true, group, patience: PATIENCE }
    }

    /// All processors: somebody waits for the end.
    pub fn at_once() -> Self {
        let group = Group { sources: 512, age: Duration::from_secs(1) };
        Self { workers: processors(), background: false, group, patience: PATIENCE }
    }
}

#[cfg(test)]
impl Effort {
    pub(super) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// What compiling some sources came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compiled {
    /// Sources that now have bytecode and had none before.
    pub made: usize,
    /// Sources that this Python cannot compile, found out just now.
    pub refused: usize,
    /// Sources that may compile another time: their process was killed or hung, or they could not be read.
    pub failed: usize,
}

/// What is told while compiling goes on.
#[derive(Debug)]
pub enum Report {
    /// A source was dealt with; false if it may compile another time.
    Done(Digest, bool),
    /// Something is wrong beyond one source.
    Trouble(Error),
}

/// Hears of what happens, from whichever thread it happens in.
type OnReport = dyn Fn(Report) + Send + Sync;

/// See the module.
pub struct Compiler {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    publisher: Option<(SyncSender<Made>, JoinHandle<()>)>,
}

struct Shared {
    store: Store,
    interpreter: Interpreter,
    key: Key,
    effort: Effort,
    on_report: Box<OnReport>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Digest>,
    /// Workers with nothing to do.
    idle: usize,
    closed: bool,
    /// Processes that ended over a source since one last succeeded.
    ends: usize,
    compiled: Compiled,
}

impl Compiler {
    /// A compiler for an interpreter; `None` for one whose bytecode cannot be shared (Python 2).
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn new(
        store: &Store,
        interpreter: &Interpreter,
        effort: Effort,
        on_report: impl Fn(Report) + Send + Sync + 'static,
    ) -> Result<Option<Self>> {
        let facts = &interpreter.facts;
        if facts.cache_tag.is_empty() || facts.version.0 < 3 {
            return Ok(None);
        }
        let shared = Arc::new(Shared {
            store: store.clone(),
            interpreter: interpreter.clone(),
            key: Key::claim(store, facts)?,
            effort,
            on_report: Box::new(on_report),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let (sender, receiver) = mpsc::sync_channel(effort.group.sources);
        let publisher = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let trouble = |error| (shared.on_report)(Report::Trouble(error));
                publisher::run(&shared.store, &shared.key, shared.effort.group, &receiver, trouble);
            }
        });
        Ok(Some(Self { shared, workers: Vec::new(), publisher: Some((sender, publisher)) }))
    }

    /// Under which bytecode is published.
    pub fn key(&self) -> &Key {
        &self.shared.key
    }

    /// Puts a source at the end of the queue.
    pub fn submit(&mut self, source: Digest) {
        let mut state = self.shared.lock();
        state.waiting.push_back(source);
        let more = state.waiting.len() > state.idle && self.workers.len() < self.shared.effort.workers;
        drop(state);
        self.shared.changed.notify_one();
        if more && let Some((made, _)) = &self.publisher {
            let (shared, made) = (Arc::clone(&self.shared), made.clone());
            self.workers.push(std::thread::spawn(move || work(&shared, &made)));
        }
    }

    /// True if nothing waits and nobody works.
    pub fn is_idle(&self) -> bool {
        let state = self.shared.lock();
        state.waiting.is_empty() && state.idle == self.workers.len()
    }

    /// Waits until all is compiled and published.
    pub fn finish(mut self) -> Compiled {
        self.close();
        self.shared.lock().compiled
    }

    fn close(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
        if let Some((made, publisher)) = self.publisher.take() {
            drop(made);
            let _ = publisher.join();
        }
    }
}

impl Drop for Compiler {
    /// What waits is given up.
    fn drop(&mut self) {
        self.shared.lock().waiting.clear();
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // every change is one assignment: a panic cannot leave half of one
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next source; `None` at the end.
    fn next(&self) -> Option<Digest> {
        let mut state = self.lock();
        loop {
            if let Some(source) = state.waiting.pop_front() {
                return Some(source);
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Counts a process that ended over a source; too many in a row, and nothing more is tried.
    fn count_end(&self) {
        let mut state = self.lock();
        state.ends += 1;
        if state.ends == ENDS {
            let given_up = std::mem::take(&mut state.waiting);
            state.compiled.failed += given_up.len();
            drop(state);
            self.trouble("its compiling processes end before they answer");
        }
    }

    fn trouble(&self, reason: &str) {
        let path = self.interpreter.path().to_owned();
        (self.on_report)(Report::Trouble(Error::Interpreter { path, reason: reason.to_owned() }));
    }
}

fn work(shared: &Shared, made: &SyncSender<Made>) {
    let mut child = None;
    while let Some(source) = shared.next() {
        let answer = compile_one(shared, &mut child, &source);
        let mut state = shared.lock();
        let publish = match answer {
            None => {
                drop(state);
                (shared.on_report)(Report::Done(source, true));
                continue;
            }
            Some(Answer::Pyc(pyc)) => {
                state.compiled.made += 1;
                Some(Some(pyc))
            }
            Some(Answer::Refused | Answer::Ended(true)) => {
                state.compiled.refused += 1;
                Some(None)
            }
            Some(Answer::Failed | Answer::Ended(false)) => {
                state.compiled.failed += 1;
                None
            }
        };
        drop(state);
        (shared.on_report)(Report::Done(source, publish.is_some()));
        if let Some(pyc) = publish {
            // The publisher lives until every worker is gone.
            let _ = made.send((source, pyc));
        }
    }
}

/// `None` if there is nothing to be done.
fn compile_one(shared: &Shared, child: &mut Option<Child>, source: &Digest) -> Option<Answer> {
    let layout = shared.store.layout();
    match find(layout, &shared.key, source) {
        Bytecode::Refused => return None,
        Bytecode::Known { object, .. } if is_whole(layout, &object) => return None,
        // Proven damage is taken away: a batch takes an object of the right size for the right bytes.
        Bytecode::Known { object, .. } => drop(fs::remove_file(layout.object(&object))),
        Bytecode::Missing => {}
    }
    // Checked against its digest: damage must not become bytecode under a sound name.
    let Ok(bytes) = objects::read(&shared.store, source) else { return Some(Answer::Failed) };
    let mut answer = attempt(shared, child, &bytes);
    if answer == Answer::Ended(true) {
        // A refusal lasts: the source is at fault only if it also ends a fresh process, and one that works.
        let works = matches!(attempt(shared, child, PLAIN), Answer::Pyc(_));
        answer = if works { attempt(shared, child, &bytes) } else { Answer::Ended(false) };
    }
    match &answer {
        Answer::Ended(_) => shared.count_end(),
        Answer::Pyc(pyc) if !has_magic(pyc, shared.interpreter.facts.magic) => {
            shared.trouble("its bytecode has another magic number than when it was probed");
            return Some(Answer::Failed);
        }
        _ => shared.lock().ends = 0,
    }
    Some(answer)
}

/// What a process says to a source, `child` if it lives; a process that cannot be started is one that ended.
fn attempt(shared: &Shared, child: &mut Option<Child>, source: &[u8]) -> Answer {
    let effort = &shared.effort;
    let process = match child {
        Some(process) => process,
        None => match Child::start(shared.interpreter.path(), effort.background, effort.patience) {
            Ok(started) => child.insert(started),
            Err(error) => {
                (shared.on_report)(Report::Trouble(error));
                return Answer::Ended(false);
            }
        },
    };
    let answer = process.compile(source);
    if matches!(answer, Answer::Ended(_)) {
        *child = None;
    }
    answer
}

/// A pyc begins with its magic number, the lower half of it first.
fn has_magic(pyc: &[u8], magic: u32) -> bool {
    let found = pyc.get(..2).map(|bytes| u32::from(u16::from_le_bytes([bytes[0], bytes[1]])));
    magic == 0 || found == Some(magic)
}

/// Compiles what has no bytecode yet (each source with its size) and waits for it; `on_done` hears of the number that
/// there is to do, then 0 as each is done.
///
/// # Errors
/// The first trouble that is not one source's own.
pub fn compile(
    store: &Store,
    interpreter: &Interpreter,
    sources: &BTreeMap<Digest, u64>,
    effort: Effort,
    on_done: impl Fn(usize) + Send + Sync + 'static,
) -> Result<Compiled> {
    let on_done = Arc::new(on_done);
    let (sender, troubles) = mpsc::channel();
    let tell = Arc::clone(&on_done);
    let on_report = move |report| match report {
        Report::Done(..) => tell(0),
        Report::Trouble(error) => drop(sender.send(error)),
    };
    let Some(mut compiler) = Compiler::new(store, interpreter, effort, on_report)? else {
        return Ok(Compiled::default());
    };
    let missing = |source: &Digest| find(store.layout(), compiler.key(), source) == Bytecode::Missing;
    let mut missing: Vec<(u64, Digest)> =
        sources.iter().filter(|(source, _)| missing(source)).map(|(source, size)| (*size, *source)).collect();
    // The largest first, so that no worker is left alone with one at the end.
    missing.sort_unstable_by(|a, b| b.cmp(a));
    on_done(missing.len());
    missing.into_iter().for_each(|(_, source)| compiler.submit(source));
    let compiled = compiler.finish();
    match troubles.try_recv() {
        Ok(error) => Err(error),
        Err(_) => Ok(compiled),
    }
}
