//! Logins that requirements bring in their URLs: taken out before anything is done with the requirement.
//!
//! A requirement is remembered, recorded in an environment's history and exported; its login lives as long as this process,
//! and goes to the server that it came with. It is kept here and not with the settings, because requirements are read in
//! many places, scripts among them, and none may forget it.

use pep508_rs::{Requirement, VerbatimUrl, VersionOrUrl};
use std::sync::{Mutex, PoisonError};
use url::Url;

static LOGINS: Mutex<Vec<Url>> = Mutex::new(Vec::new());

/// The requirement without the login that its URL has.
pub fn taken_out(requirement: Requirement) -> Requirement {
    match &requirement.version_or_url {
        Some(VersionOrUrl::Url(url)) if has_login(url) => {
            let bare = VersionOrUrl::Url(VerbatimUrl::from_url(taken_out_of(url.to_url())));
            Requirement { version_or_url: Some(bare), ..requirement }
        }
        _ => requirement,
    }
}

/// The URL without its login.
pub fn taken_out_of(url: Url) -> Url {
    if !has_login(&url) {
        return url;
    }
    let plain = url.as_str().strip_prefix("git+").and_then(|plain| plain.parse().ok()).unwrap_or_else(|| url.clone());
    LOGINS.lock().unwrap_or_else(PoisonError::into_inner).push(plain);
    omnipkg_resolver::without_login(url)
}

/// The URLs with the logins of this process's requirements.
pub fn known() -> Vec<Url> {
    LOGINS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The user of a repository over ssh is a part of its address, and no secret.
fn has_login(url: &Url) -> bool {
    url.password().is_some() || (!url.username().is_empty() && !url.scheme().ends_with("ssh"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_requirement_brings_is_not_in_it_any_more() {
        let requirement = |text: &str| taken_out(text.parse().unwrap()).to_string();
        assert_eq!(requirement("a[x] @ http://me:s3cret@127.0.0.1/a-1.zip"), "a[x] @ http://127.0.0.1/a-1.zip");
        assert_eq!(requirement("a @ git+https://t0ken@127.0.0.1/a.git@v1"), "a @ git+https://127.0.0.1/a.git@v1");
        assert_eq!(requirement("a @ git+ssh://git@127.0.0.1/a.git"), "a @ git+ssh://git@127.0.0.1/a.git");
        assert_eq!(requirement("a>=1"), "a>=1");
        assert!(known().iter().any(|url| url.as_str() == "https://t0ken@127.0.0.1/a.git@v1"));
    }
}
