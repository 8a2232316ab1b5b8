//! Who to be for which server: logins of index URLs, `.netrc`, and the `keyring` command.
//!
//! A login of an index goes to that index's origin (scheme, host, port) and nowhere else; one of `.netrc` to the host
//! that it names. None is ever part of an error, a log line, a lock or a cache file.

mod keyring;
mod netrc;

use crate::shared::lock;
use crate::urls::{shown, split_login};
use netrc::Netrc;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};
use url::Url;

/// A user name and a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Option<String>,
}

/// User information of an index URL, and the URL that it belongs to.
struct Scoped {
    scope: Url,
    login: Login,
}

/// Everything that may be sent.
pub(crate) struct Credentials {
    logins: Vec<Scoped>,
    netrc_file: Option<PathBuf>,
    netrc: OnceLock<Netrc>,
    keyring: bool,
    /// What the keyring said, by origin: it is asked once.
    asked: Mutex<HashMap<String, Option<Login>>>,
    /// Held while it is asked: many requests are refused at once.
    asking: tokio::sync::Mutex<()>,
}

impl Credentials {
    pub(crate) fn new(netrc_file: Option<PathBuf>, keyring: bool) -> Self {
        let (netrc, asked, asking) = (OnceLock::new(), Mutex::default(), tokio::sync::Mutex::default());
        Self { logins: Vec::new(), netrc_file, netrc, keyring, asked, asking }
    }

    /// Takes the login out of a URL and keeps it.
    pub(crate) fn take(&mut self, url: &Url) -> Url {
        let mut bare = url.clone();
        if let Some((user, password)) = split_login(&mut bare) {
            self.logins.push(Scoped { scope: bare.clone(), login: Login { user, password } });
        }
        bare
    }

    /// What is known for a URL: its index's login, what the keyring said, or `.netrc`.
    pub(crate) fn known(&self, url: &Url) -> Option<Login> {
        let of_index = self.nearest(url).map(|scoped| scoped.login.clone());
        if let Some(login) = of_index.as_ref().filter(|login| login.password.is_some()) {
            return Some(login.clone());
        }
        let said = lock(&self.asked).get(&origin(url)).cloned().flatten();
        said.or(of_index).or_else(|| self.of_netrc(url))
    }

    /// What the keyring says for a server that refused what was `sent`; `None` if that is no news.
    pub(crate) async fn ask_keyring(&self, url: &Url, sent: Option<&Login>) -> Option<Login> {
        if !self.keyring {
            return None;
        }
        let _asking = self.asking.lock().await;
        let asked = lock(&self.asked).get(&origin(url)).cloned();
        if let Some(said) = asked {
            return said.filter(|login| Some(login) != sent);
        }
        let scoped = self.nearest(url);
        let service = scoped.map_or_else(|| origin(url), |scoped| shown(&scoped.scope));
        let (user, host) = (scoped.map(|scoped| scoped.login.user.clone()), origin(url));
        let host = host.split_once("://").map_or(host.clone(), |(_, host)| host.to_owned());
        let asked = tokio::task::spawn_blocking(move || keyring::ask(&[service, host], user.as_deref()));
        let said = asked.await.ok().flatten();
        lock(&self.asked).insert(origin(url), said.clone());
        said
    }

    /// The login of the same origin whose path agrees longest.
    fn nearest(&self, url: &Url) -> Option<&Scoped> {
        let same = |scoped: &&Scoped| scoped.scope.origin() == url.origin();
        self.logins.iter().filter(same).max_by_key(|scoped| {
            let common = scoped.scope.path().bytes().zip(url.path().bytes()).take_while(|(a, b)| a == b);
            common.count()
        })
    }

    fn of_netrc(&self, url: &Url) -> Option<Login> {
        let read = || self.netrc_file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        self.netrc.get_or_init(|| Netrc::parse(&read().unwrap_or_default())).login(url.host_str()?)
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn with(urls: &[&str]) -> Credentials {
        let mut credentials = Credentials::new(None, false);
        urls.iter().for_each(|text| drop(credentials.take(&url(text))));
        credentials
    }

    #[test]
    fn logins_stay_at_their_origin() {
        let credentials = with(&["http://u%40x:p%2Fw@127.0.0.1/simple"]);
        let login = credentials.known(&url("http://127.0.0.1/files/a.whl")).unwrap();
        assert_eq!((login.user.as_str(), login.password.as_deref()), ("u@x", Some("p/w")));
        assert!(credentials.known(&url("http://127.0.0.1:81/files/a.whl")).is_none());
        assert!(credentials.known(&url("https://127.0.0.1/files/a.whl")).is_none());
    }

    #[test]
    fn the_login_with_the_nearest_path_is_used() {
        let credentials = with(&["http://one:1@127.0.0.1/one/simple/", "http://two:2@127.0.0.1/two/simple/"]);
        assert_eq!(credentials.known(&url("http://127.0.0.1/one/files/a")).unwrap().user, "one");
        assert_eq!(credentials.known(&url("http://127.0.0.1/two/files/a")).unwrap().user, "two");
    }

    #[test]
    fn netrc_serves_hosts_without_a_login_of_their_own() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "machine 127.0.0.1 login n password pw\n").unwrap();
        let mut credentials = Credentials::new(Some(file.path().to_owned()), false);
        credentials.take(&url("http://own:1@127.0.0.1:8000/simple/"));
        assert_eq!(credentials.known(&url("http://127.0.0.1:9000/x")).unwrap().user, "n");
        assert_eq!(credentials.known(&url("http://127.0.0.1:8000/x")).unwrap().user, "own");
        assert!(credentials.known(&url("http://elsewhere.example/x")).is_none());
    }
}
