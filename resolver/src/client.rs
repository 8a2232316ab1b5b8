//! The HTTP client: retries, bounded answers, credentials that travel with the request only.
//!
//! A request is tried a bounded number of times, only what may pass is tried again, and no answer's body is read
//! beyond a limit. No error, log line or lock ever holds user information (see [`crate::credentials`]).

use crate::connection;
use crate::credentials::{Credentials, Login};
use crate::error::{Error, Result};
use crate::http_options::HttpOptions;
use crate::indexes::Indexes;
pub(crate) use crate::urls::{percent_decode, shown, without_login};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::Url;

/// Tries for one request or download.
const TRIES: u32 = 3;
/// The longest wait that a server is granted (Retry-After); who asks for more gets no other try.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    http: OnceLock<reqwest::Client>,
    credentials: Credentials,
    /// Index URLs in the order in which they are asked, without user information, ending in `/`.
    pub(crate) indexes: Vec<Url>,
    /// By project, the index that alone is asked for it.
    pinned: BTreeMap<String, Url>,
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
    /// A client for these indexes, and their pages of files without user information.
    pub(crate) fn new(indexes: &Indexes, options: HttpOptions) -> (Self, Vec<Url>) {
        let mut credentials = Credentials::new(options.netrc.clone(), options.keyring);
        let mut folder = |url: &Url| with_slash(credentials.take(url));
        let urls = indexes.extra.iter().chain(&indexes.index_url).map(&mut folder).collect();
        let pinned = indexes.pinned.iter().map(|(name, url)| (name.clone(), folder(url))).collect();
        let find_links = indexes.find_links.iter().map(|url| credentials.take(url)).collect();
        for url in &indexes.logins {
            credentials.take(url);
        }
        (Self { http: OnceLock::new(), credentials, indexes: urls, pinned, options }, find_links)
    }

    pub(crate) fn offline(&self) -> bool {
        self.options.offline
    }

    /// The URL with what is known of who to be there, for a program that asks by itself.
    pub(crate) fn with_login(&self, url: &Url) -> Url {
        let mut url = url.clone();
        if let Some(login) = self.credentials.known(&url).filter(|_| matches!(url.scheme(), "http" | "https")) {
            // Refused only for URLs without a host.
            let _ = url.set_username(&login.user).and_then(|()| url.set_password(login.password.as_deref()));
        }
        url
    }

    pub(crate) fn refresh(&self) -> bool {
        self.options.refresh
    }

    /// The indexes to ask for a project, in order.
    pub(crate) fn indexes_for(&self, name: &str) -> &[Url] {
        self.pinned.get(name).map_or(&self.indexes, std::slice::from_ref)
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
                Err(error) if self.again(url, attempt, &error).await => attempt += 1,
                other => return other,
            }
        }
    }

    /// After a failed try: waits and is true if there is to be another one.
    pub(crate) async fn again(&self, url: &Url, attempt: u32, error: &Error) -> bool {
        let Some(pause) = pause(self.options.backoff, attempt, error) else { return false };
        tracing::debug!(url = shown(url), attempt, %error, "trying again");
        tokio::time::sleep(pause).await;
        true
    }

    /// Sends a GET. Any status but 429 and 5xx is the caller's to judge.
    pub(crate) async fn send_once(&self, url: &Url, headers: &HeaderMap) -> Result<Response> {
        if self.options.offline {
            return Err(Error::Offline { needed: shown(url) });
        }
        let login = self.credentials.known(url);
        let mut response = self.send_as(login.clone(), url, headers).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(login) = self.credentials.ask_keyring(url, login.as_ref()).await
        {
            response = self.send_as(Some(login), url, headers).await?;
        }
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Err(Error::Status {
                url: shown(url),
                status: status.as_u16(),
                retry_after: retry_after(&response),
            });
        }
        Ok(response)
    }

    async fn send_as(&self, login: Option<Login>, url: &Url, headers: &HeaderMap) -> Result<Response> {
        let mut bare = url.clone();
        let own = crate::urls::split_login(&mut bare).map(|(user, password)| Login { user, password });
        let mut request = self.http()?.get(bare).headers(headers.clone());
        if let Some(login) = own.or(login) {
            request = request.basic_auth(login.user, login.password);
        }
        request.send().await.map_err(|error| transport(url, error))
    }

    /// Made on first use: reading the platform's certificates costs milliseconds.
    fn http(&self) -> Result<&reqwest::Client> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let built = connection::client(&self.options)?;
        Ok(self.http.get_or_init(|| built))
    }
}

fn with_slash(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    url
}

pub(crate) fn transport(url: &Url, error: reqwest::Error) -> Error {
    // The library's own text would repeat the URL, with whatever secret its query holds.
    Error::Transport { url: shown(url), source: Arc::new(error.without_url()) }
}

pub(crate) fn bad_status(url: &Url, status: StatusCode) -> Error {
    Error::Status { url: shown(url), status: status.as_u16(), retry_after: None }
}

/// Seconds; the other form, a date, is left to the usual pauses.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// How long to wait after try `attempt` failed; `None` if there is no other.
fn pause(backoff: Duration, attempt: u32, error: &Error) -> Option<Duration> {
    let usual = backoff.saturating_mul(4u32.saturating_pow(attempt.saturating_sub(1)));
    let asked = match error {
        Error::Status { retry_after, .. } => *retry_after,
        _ => None,
    };
    let pause = asked.map_or(usual, |asked| asked.max(usual));
    (attempt < TRIES && is_passing(error) && pause <= LONGEST_WAIT.max(usual)).then_some(pause)
}

/// True for what another try may mend.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::Status { status, .. } => matches!(status, 429 | 500 | 502 | 503 | 504),
        Error::Transport { source, .. } => !(source.is_builder() || source.is_redirect() || is_distrust(&**source)),
        Error::Interrupted { .. } => true,
        _ => false,
    }
}

/// True if nobody vouches for the server: it will be the same next time.
fn is_distrust(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
        return true;
    }
    // What is inside an I/O error is not its source, but takes its place.
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match inner {
        Some(inner) => is_distrust(inner),
        None => error.source().is_some_and(is_distrust),
    }
}

/// Reads an answer's body, of at most `limit` bytes.
pub(crate) async fn read_body(url: &Url, mut response: Response, limit: usize) -> Result<Body> {
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

/// An error if an answer is a page for people, such as a captive portal's or a login form.
pub(crate) fn is_no_page(url: &Url, headers: &HeaderMap) -> Result<()> {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media.trim_start().to_ascii_lowercase().starts_with("text/html") {
        return Err(Error::answer(url, "it is a page of HTML in place of a file: a proxy's or a login page, perhaps"));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn status(status: u16, retry_after: Option<u64>) -> Error {
        let retry_after = retry_after.map(Duration::from_secs);
        Error::Status { url: "http://127.0.0.1/".to_owned(), status, retry_after }
    }

    #[test]
    fn pauses_grow_and_heed_the_server_within_bounds() {
        let backoff = Duration::from_millis(250);
        let pause = |attempt, error: Error| pause(backoff, attempt, &error);
        assert_eq!(pause(1, status(503, None)), Some(backoff));
        assert_eq!(pause(2, status(503, None)), Some(backoff * 4));
        assert_eq!(pause(3, status(503, None)), None);
        assert_eq!(pause(1, status(429, Some(7))), Some(Duration::from_secs(7)));
        assert_eq!(pause(1, status(429, Some(0))), Some(backoff));
        assert_eq!(pause(1, status(429, Some(31))), None);
        assert_eq!(pause(1, status(401, None)), None);
        assert_eq!(pause(1, Error::Offline { needed: String::new() }), None);
    }

    #[test]
    fn indexes_are_folders_in_order_and_pins_go_alone() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        let indexes = Indexes {
            index_url: Some(url("http://u:p@127.0.0.1/simple")),
            extra: vec![url("http://127.0.0.1/first/")],
            pinned: BTreeMap::from([("a".to_owned(), url("http://x:y@127.0.0.1/only"))]),
            ..Indexes::default()
        };
        let (client, _) = Client::new(&indexes, HttpOptions::default());
        let urls = |name: &str| client.indexes_for(name).iter().map(Url::as_str).collect::<Vec<_>>().join(" ");
        assert_eq!(urls("b"), "http://127.0.0.1/first/ http://127.0.0.1/simple/");
        assert_eq!(urls("a"), "http://127.0.0.1/only/");
        assert!(!format!("{indexes:?}").contains("u:p"), "{indexes:?}");
    }
}
