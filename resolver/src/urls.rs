//! URLs without their secrets: user information taken out, and text for eyes.

use url::Url;

/// Takes user name and password out of a URL, decoded.
pub(crate) fn split_login(url: &mut Url) -> Option<(String, Option<String>)> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    if url.scheme().ends_with("ssh") {
        // The user of a repository over ssh is a part of its address, and no secret.
        let _ = url.set_password(None);
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
pub fn without_login(mut url: Url) -> Url {
    split_login(&mut url);
    url
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let url: Url = "http://me:s3cret@127.0.0.1:9/a?token=x#frag".parse().unwrap();
        assert_eq!(shown(&url), "http://127.0.0.1:9/a");
        assert_eq!(without_login(url).as_str(), "http://127.0.0.1:9/a?token=x#frag");
    }

    #[test]
    fn percent_decoding() {
        assert_eq!(percent_decode("a%20b%2"), "a b%2");
        assert_eq!(percent_decode("%é%41"), "%éA");
    }
}
