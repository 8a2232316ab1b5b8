//! How to talk to servers. A proxy's URL may hold a password: nothing here prints itself.

use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// How to talk to servers.
#[derive(Clone)]
pub struct HttpOptions {
    /// Never use the network; the cache answers whatever its age.
    pub offline: bool,
    /// Ask for pages that are still fresh too.
    pub refresh: bool,
    /// The longest silence of a server, for connecting and between two pieces of an answer.
    pub timeout: Duration,
    /// The pause before the second try; it is four times as long before the third.
    pub backoff: Duration,
    /// A `.netrc` file to take logins from.
    pub netrc: Option<PathBuf>,
    /// Ask the `keyring` command for a login when a server answers 401.
    pub keyring: bool,
    /// The proxy for every request, where the environment names none.
    pub proxy: Option<Url>,
    /// A file of authorities (PEM) to trust beside those of the platform.
    pub certificates: Option<PathBuf>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        let (timeout, backoff) = (Duration::from_secs(30), Duration::from_millis(250));
        Self {
            offline: false,
            refresh: false,
            timeout,
            backoff,
            netrc: None,
            keyring: false,
            proxy: None,
            certificates: None,
        }
    }
}
