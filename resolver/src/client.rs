//! The HTTP client: retries, bounded redirects, credentials that travel with the request only.
//!
//! User information is taken out of every index URL when the client is made; it is sent to the origin
//! that it came with and nowhere else, and no error, log line or lock ever holds it.

use crate::error::{Error, Result};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode, redirect};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::Url;

const REDIRECTS: usize = 10;
const TRIES: u32 = 3;

/// Where to look for projects.
///
/// `extra` is asked before `index_url`, in order: the first index that knows a name answers for it, so that
/// a stranger who registers a private project's name on the public index changes nothing.
#[derive(Debug, Clone)]
pub struct Indexes {
    /// The main index, asked last.
    pub index_url: Url,
    /// Further indexes, asked first.
    pub extra: Vec<Url>,
}

/// How to talk to servers.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Never use the network; the cache answers whatever its age.
    pub offline: bool,
    /// The longest silence of a server, for connecting and between two pieces of an answer.
    pub timeout: Duration,
    /// The pause before the second try; it is four times as long before the third.
    pub backoff: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { offline: false, timeout: Duration::from_secs(30), backoff: Duration::from_millis(250) }
    }
}

/// User information of an index URL, and the URL that it belongs to.
struct Login {
    scope: Url,
    user: String,
    password: Option<String>,
}

pub(crate) struct Client {
    http: OnceLock<reqwest::Client>,
    logins: Vec<Login>,
    /// Index URLs in the order in which they are asked, without user information, ending in `/`.
    pub(crate) indexes: Vec<Url>,
    options: HttpOptions,
}

/// A whole answer.
pub(crate) struct Body {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Where it came from after redirects.
    pub(crate) url: Url,
    pub(crate) bytes: Vec<u8>,
}

impl Body {
    pub(crate) fn header(&self, name: impl reqwest::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    pub(crate) fn new(indexes: &Indexes, options: HttpOptions) -> Self {
        let mut logins = Vec::new();
        let urls = indexes.extra.iter().chain([&indexes.index_url]);
        let indexes = urls.map(|url| take_login(url, &mut logins)).collect();
        Self { http: OnceLock::new(), logins, indexes, options }
    }

    /// One that has no index to ask.
    pub(crate) fn without_index(options: HttpOptions) -> Self {
        Self { http: OnceLock::new(), logins: Vec::new(), indexes: Vec::new(), options }
    }

    pub(crate) fn offline(&self) -> bool {
        self.options.offline
    }

    /// Sends a GET; retries what may pass. Any status but 429 and 5xx is the caller's to judge.
    pub(crate) async fn send(&self, url: &Url, headers: &HeaderMap) -> Result<Response> {
        let mut attempt = 1;
        loop {
            match self.send_once(url, headers).await {
                Err(error) if attempt < TRIES && is_passing(&error) => self.pause(url, attempt, &error).await,
                other => return other,
            }
            attempt += 1;
        }
    }

    /// Sends a GET and reads the answer's body, of at most `limit` bytes; a cut body is tried again too.
    pub(crate) async fn body(&self, url: &Url, headers: &HeaderMap, limit: usize) -> Result<Body> {
        let mut attempt = 1;
        loop {
            let result = match self.send_once(url, headers).await {
                Ok(response) => read_body(url, response, limit).await,
                Err(error) => Err(error),
            };
            match result {
                Err(error) if attempt < TRIES && is_passing(&error) => self.pause(url, attempt, &error).await,
                other => return other,
            }
            attempt += 1;
        }
    }

    /// The pause before try `attempt + 1`.
    pub(crate) async fn pause(&self, url: &Url, attempt: u32, error: &Error) {
        tracing::debug!(url = shown(url), attempt, %error, "trying again");
        tokio::time::sleep(self.options.backoff * 4u32.saturating_pow(attempt - 1)).await;
    }

    pub(crate) async fn send_once(&self, url: &Url, headers: &HeaderMap) -> Result<Response> {
        if self.options.offline {
            return Err(Error::Offline { needed: shown(url) });
        }
        let mut bare = url.clone();
        let own = split_login(&mut bare);
        let mut request = self.http(url)?.get(bare).headers(headers.clone());
        if let Some((user, password)) = own {
            request = request.basic_auth(user, password);
        } else if let Some(login) = self.login(url) {
            request = request.basic_auth(&login.user, login.password.as_ref());
        }
        let response = request.send().await.map_err(|error| transport(url, error))?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Err(bad_status(url, status));
        }
        Ok(response)
    }

    /// The login of the same origin whose path agrees longest.
    fn login(&self, url: &Url) -> Option<&Login> {
        let same = |login: &&Login| login.scope.origin() == url.origin();
        self.logins.iter().filter(same).max_by_key(|login| {
            let common = login.scope.path().bytes().zip(url.path().bytes()).take_while(|(a, b)| a == b);
            common.count()
        })
    }

    /// Made on first use: reading the platform's certificates costs milliseconds.
    fn http(&self, url: &Url) -> Result<&reqwest::Client> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        // An error means that this process has a provider already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let built = reqwest::Client::builder()
            .user_agent(concat!("omnipkg/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.options.timeout)
            .read_timeout(self.options.timeout)
            .referer(false)
            .redirect(redirect::Policy::custom(follow))
            .build()
            .map_err(|error| transport(url, error))?;
        Ok(self.http.get_or_init(|| built))
    }
}

fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let downgrade = attempt.url().scheme() != "https" && attempt.previous().iter().any(|url| url.scheme() == "https");
    if downgrade {
        attempt.error("redirected from https to plain http")
    } else if attempt.previous().len() > REDIRECTS {
        attempt.error("too many redirects")
    } else {
        attempt.follow()
    }
}

fn take_login(url: &Url, logins: &mut Vec<Login>) -> Url {
    let mut bare = url.clone();
    if let Some((user, password)) = split_login(&mut bare) {
        logins.push(Login { scope: bare.clone(), user, password });
    }
    if !bare.path().ends_with('/') {
        let path = format!("{}/", bare.path());
        bare.set_path(&path);
    }
    bare
}

/// Takes user name and password out of a URL, decoded.
fn split_login(url: &mut Url) -> Option<(String, Option<String>)> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let login = (percent_decode(url.username()), url.password().map(percent_decode));
    // Refused only for URLs without a host, which cannot have a login.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(login)
}

/// Decodes `%41`; bytes that are no UTF-8 become U+FFFD.
pub fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let decoded = hex.filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match (byte, decoded.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(value)) => {
                out.push(value);
                rest = &tail[2..];
            }
            _ => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The URL for eyes: no user information, no fragment, no query (which may be a signature).
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    split_login(&mut url);
    url.set_fragment(None);
    url.set_query(None);
    url.into()
}

/// The URL without user information, for locks and caches.
pub(crate) fn without_login(mut url: Url) -> Url {
    split_login(&mut url);
    url
}

pub(crate) fn transport(url: &Url, error: reqwest::Error) -> Error {
    // The library's own text would repeat the URL, with whatever secret its query holds.
    Error::Transport { url: shown(url), source: Arc::new(error.without_url()) }
}

pub(crate) fn bad_status(url: &Url, status: StatusCode) -> Error {
    Error::Status { url: shown(url), status: status.as_u16() }
}

/// True for what another try may mend.
pub(crate) fn is_passing(error: &Error) -> bool {
    match error {
        Error::Status { status, .. } => matches!(status, 429 | 500 | 502 | 503 | 504),
        Error::Transport { source, .. } => !(source.is_builder() || source.is_redirect()),
        _ => false,
    }
}

async fn read_body(url: &Url, mut response: Response, limit: usize) -> Result<Body> {
    let (status, headers, from) = (response.status(), response.headers().clone(), response.url().clone());
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport(url, error))? {
        if bytes.len() + chunk.len() > limit {
            return Err(Error::answer(url, format!("it is longer than {limit} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Body { status, headers, url: from, bytes })
}

/// Headers that ask for a file's own bytes, so that lengths and ranges mean what they say.
pub(crate) fn identity() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn no_secret_is_shown() {
        assert_eq!(shown(&url("http://me:s3cret@127.0.0.1:9/a?token=x#frag")), "http://127.0.0.1:9/a");
        let indexes = Indexes { index_url: url("http://u%40x:p%2Fw@127.0.0.1/simple"), extra: vec![] };
        let client = Client::new(&indexes, HttpOptions::default());
        assert_eq!(client.indexes[0].as_str(), "http://127.0.0.1/simple/");
        let login = client.login(&url("http://127.0.0.1/files/a.whl")).unwrap();
        assert_eq!((login.user.as_str(), login.password.as_deref()), ("u@x", Some("p/w")));
        assert!(client.login(&url("http://127.0.0.1:81/files/a.whl")).is_none());
    }

    #[test]
    fn the_login_with_the_nearest_path_is_used() {
        let indexes = Indexes {
            index_url: url("http://one:1@127.0.0.1/one/simple/"),
            extra: vec![url("http://two:2@127.0.0.1/two/simple/")],
        };
        let client = Client::new(&indexes, HttpOptions::default());
        assert_eq!(client.indexes[0].path(), "/two/simple/");
        assert_eq!(client.login(&url("http://127.0.0.1/one/files/a")).unwrap().user, "one");
        assert_eq!(client.login(&url("http://127.0.0.1/two/files/a")).unwrap().user, "two");
    }

    #[test]
    fn percent_decoding() {
        assert_eq!(percent_decode("a%20b%2"), "a b%2");
        assert_eq!(percent_decode("%é%41"), "%éA");
    }
}
