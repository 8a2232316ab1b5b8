//! A server on 127.0.0.1 whose every answer a test decides, down to the byte at which it ends and how.

use super::server::{Asked, read_request};
use nix::sys::socket::{setsockopt, sockopt};
use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use url::Url;

/// What happens after the last byte of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The connection waits for another request.
    Keep,
    /// It is closed.
    Close,
    /// It is torn down, as by a crash.
    Reset,
    /// Nothing, until the client gives up.
    Hang,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// What `Content-Length` says; the body's length unless a test lies.
    pub(crate) announced: usize,
    pub(crate) end: End,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let headers = vec![("Content-Type", content_type.to_owned())];
        Self { status, headers, announced: body.len(), body, end: End::Keep }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::new(status, "text/plain", "no")
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Only the first bytes are sent, then this happens.
    pub(crate) fn cut(mut self, sent: usize, end: End) -> Self {
        self.body.truncate(sent);
        self.end = end;
        self
    }

    /// The first `announced` bytes are said to be all.
    pub(crate) fn announcing(mut self, announced: usize) -> Self {
        (self.announced, self.end) = (announced, End::Close);
        self
    }
}

type Handler = dyn Fn(&Asked, usize) -> Reply + Send + Sync;

/// See the module. It serves until the test's process ends.
pub(crate) struct Scripted {
    address: String,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// Asks `handler` for every answer, with how often that path was asked for before.
    pub(crate) fn start(handler: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (log, handler): (Arc<Mutex<Vec<Asked>>>, Arc<Handler>) = (Arc::default(), Arc::new(handler));
        let server = Self { address, log: log.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, handler) = (log.clone(), handler.clone());
                std::thread::spawn(move || serve(stream, &log, &*handler));
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    pub(crate) fn log(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    /// How often each path was asked for.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        self.log().into_iter().for_each(|asked| *counts.entry(asked.path).or_insert(0) += 1);
        counts
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Asked>>, handler: &Handler) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(asked) = read_request(&mut reader) {
        let before = {
            let mut log = log.lock().unwrap();
            let before = log.iter().filter(|known| known.path == asked.path).count();
            log.push(asked.clone());
            before
        };
        let reply = handler(&asked, before);
        let mut head = format!("HTTP/1.1 {} x\r\n", reply.status);
        reply.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        head.push_str(&format!("Content-Length: {}\r\n\r\n", reply.announced));
        // A client that has heard enough is its own affair.
        let written = stream.write_all(&[head.as_bytes(), &reply.body].concat());
        match reply.end {
            End::Keep if written.is_ok() => {}
            End::Hang => return drop(reader.read_to_end(&mut Vec::new())),
            End::Reset => {
                let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
                return setsockopt(&stream, sockopt::Linger, &linger).unwrap();
            }
            End::Keep | End::Close => return,
        }
    }
}
