//! A package index on 127.0.0.1: the simple API (PEP 503, 691, 700, 714) over wheels in memory, that
//! counts what it is asked and fails in the ways it is told to.
//!
//! Standard library only and one request per connection, so that a fault is exactly what was asked for.

mod http;
mod options;
mod page;

pub use options::FileOptions;

use crate::wheel_builder::BuiltWheel;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How project pages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// PEP 691 JSON for who accepts it, HTML for who does not; both name the metadata files.
    Json,
    /// HTML only, and it names no metadata files: metadata has to come out of the wheels.
    Html,
    /// HTML only, naming the metadata files (PEP 714).
    HtmlWithMetadata,
}

/// What goes wrong on a path.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status and a short text.
    Status(u16),
    /// The right headers, but the connection ends after so many bytes of the body.
    Cut(usize),
    /// The whole body under this `Content-Length`.
    ContentLength(usize),
    /// A page of HTML with status 200, as a captive portal answers.
    Html,
    /// The right answer after this time.
    Delay(Duration),
    /// No answer, until the index stops.
    Hang,
}

/// A request that was received.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET` or `HEAD`.
    pub method: String,
    /// The path, decoded, without a query.
    pub path: String,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
}

/// The server. It stops when it is dropped.
#[derive(Debug)]
pub struct Index {
    shared: Arc<Shared>,
    address: SocketAddr,
    acceptor: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    stopped: Mutex<bool>,
    stopping: Condvar,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    ranges: bool,
    authorization: Option<String>,
    projects: BTreeMap<String, Vec<Published>>,
    pages: BTreeMap<String, (String, Vec<u8>)>,
    redirects: BTreeMap<String, String>,
    faults: BTreeMap<String, (Fault, usize)>,
    log: Vec<Request>,
}

#[derive(Debug, Clone)]
struct Published {
    filename: String,
    version: String,
    bytes: Vec<u8>,
    metadata: Option<String>,
    requires_python: Option<String>,
    options: FileOptions,
}

impl Index {
    /// Starts an index on a free port of 127.0.0.1.
    pub fn start(mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of 127.0.0.1");
        let address = listener.local_addr().expect("the port's address");
        let state = State {
            mode,
            ranges: true,
            authorization: None,
            projects: BTreeMap::new(),
            pages: BTreeMap::new(),
            redirects: BTreeMap::new(),
            faults: BTreeMap::new(),
            log: Vec::new(),
        };
        let shared =
            Arc::new(Shared { state: Mutex::new(state), stopped: Mutex::new(false), stopping: Condvar::new() });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { shared, address, acceptor: Mutex::new(Some(acceptor)) }
    }

    /// The URL to give as the index, `http://127.0.0.1:{port}/simple/`.
    pub fn url(&self) -> String {
        format!("{}/simple/", self.origin())
    }

    /// `http://127.0.0.1:{port}`; it still names the dead port after [`Index::stop`].
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The path at which a wheel's archive is served.
    pub fn file_path(wheel: &BuiltWheel) -> String {
        format!("/files/{}", wheel.filename)
    }

    /// Publishes a wheel.
    pub fn add(&self, wheel: &BuiltWheel) {
        self.add_with(wheel, FileOptions::default());
    }

    /// Publishes a wheel of which the index says something of its own.
    pub fn add_with(&self, wheel: &BuiltWheel, options: FileOptions) {
        let published = Published {
            filename: wheel.filename.clone(),
            version: wheel.version.clone(),
            bytes: wheel.bytes.clone(),
            metadata: (!options.without_metadata).then(|| wheel.metadata.clone()),
            requires_python: options.requires_python.clone().or_else(|| wheel.requires_python.clone()),
            options,
        };
        self.state().projects.entry(wheel.project.clone()).or_default().push(published);
    }

    /// Publishes a file that is no wheel, such as a source distribution; `project` is a normalised name.
    pub fn add_file(&self, project: &str, version: &str, filename: &str, bytes: &[u8], options: FileOptions) {
        let published = Published {
            filename: filename.to_owned(),
            version: version.to_owned(),
            bytes: bytes.to_vec(),
            metadata: None,
            requires_python: options.requires_python.clone(),
            options,
        };
        self.state().projects.entry(project.to_owned()).or_default().push(published);
    }

    /// Answers `path` with these bytes, whatever else is there.
    pub fn page(&self, path: &str, content_type: &str, body: impl AsRef<[u8]>) {
        self.state().pages.insert(path.to_owned(), (content_type.to_owned(), body.as_ref().to_vec()));
    }

    /// Sends who asks for `path` to `location`, a path or a URL (302).
    pub fn redirect(&self, path: &str, location: &str) {
        self.state().redirects.insert(path.to_owned(), location.to_owned());
    }

    /// From now on every request for `path` meets this fault.
    pub fn fault(&self, path: &str, fault: Fault) {
        self.fault_times(path, fault, usize::MAX);
    }

    /// The next `times` requests for `path` meet this fault, and later ones do not.
    pub fn fault_times(&self, path: &str, fault: Fault, times: usize) {
        self.state().faults.insert(path.to_owned(), (fault, times));
    }

    /// Takes the fault off `path`.
    pub fn mend(&self, path: &str) {
        self.state().faults.remove(path);
    }

    /// Whether ranges of files are served (they are, until this says no).
    pub fn set_ranges(&self, served: bool) {
        self.state().ranges = served;
    }

    /// Answers 401 to every request that does not carry this user and password.
    pub fn require_login(&self, user: &str, password: &str) {
        self.state().authorization = Some(crate::encoding::basic_authorization(user, password));
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.state().log.clone()
    }

    /// How often `path` was asked for, by any method.
    pub fn count(&self, path: &str) -> usize {
        self.state().log.iter().filter(|request| request.path == path).count()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.state().log.clear();
    }

    /// Stops serving: connections are refused from here on, and those that hang are closed.
    pub fn stop(&self) {
        *lock(&self.shared.stopped) = true;
        self.shared.stopping.notify_all();
        if let Some(acceptor) = lock(&self.acceptor).take() {
            // The acceptor sits in accept(2); this connection is what it wakes up to.
            TcpStream::connect(self.address).ok();
            acceptor.join().ok();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// Waits until the index stops, `limit` at most.
    fn wait(&self, limit: Duration) {
        let stopped = lock(&self.stopped);
        self.stopping.wait_timeout_while(stopped, limit, |stopped| !*stopped).ok();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for connection in listener.incoming().flatten() {
        if *lock(&shared.stopped) {
            return;
        }
        let shared = Arc::clone(shared);
        thread::spawn(move || http::serve(connection, &shared));
    }
}

/// A test that panics in one thread must not hide behind a poisoned lock in another.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
