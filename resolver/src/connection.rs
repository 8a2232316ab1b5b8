//! The HTTP library, set up: time-outs, bounded redirects that never leave TLS, proxies, who is trusted.
//!
//! Proxies come from `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, else from the options; authorities from
//! the platform or `SSL_CERT_FILE` and `SSL_CERT_DIR`, and from the options beside these.

use crate::error::{Error, Result};
use crate::http_options::HttpOptions;
use crate::urls::shown;
use reqwest::{Certificate, NoProxy, Proxy, redirect};
use std::io;
use std::path::Path;

const REDIRECTS: usize = 10;

/// The variables that name proxies, as the library reads them.
const PROXIES: [&str; 6] = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// A client for these options.
pub(crate) fn client(options: &HttpOptions) -> Result<reqwest::Client> {
    // An error means that this process has a provider already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("omnipkg/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.timeout)
        .read_timeout(options.timeout)
        .referer(false)
        .redirect(redirect::Policy::custom(follow));
    let is_named = PROXIES.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if let Some(url) = options.proxy.as_ref().filter(|_| !is_named) {
        let proxy = Proxy::all(url.clone());
        let proxy = proxy.map_err(|_| Error::Internal(format!("{} cannot be a proxy", shown(url))))?;
        builder = builder.proxy(proxy.no_proxy(NoProxy::from_env()));
    }
    if let Some(path) = &options.certificates {
        builder = builder.tls_certs_merge(authorities(path)?);
    }
    // The library's own text holds no URL here, but it may hold a proxy's.
    builder.build().map_err(|error| Error::Internal(format!("no HTTP client: {}", error.without_url())))
}

fn authorities(path: &Path) -> Result<Vec<Certificate>> {
    let failed = |error| Error::io("read certificates from", path, error);
    let bytes = std::fs::read(path).map_err(failed)?;
    Certificate::from_pem_bundle(&bytes).map_err(|error| failed(io::Error::other(error)))
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
