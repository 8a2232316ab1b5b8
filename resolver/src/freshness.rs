//! How long a page may be used without asking its index again: Cache-Control's `max-age`, less `Age`, within bounds.

use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whatever an index allows: a new release is seen after this time.
const LONGEST: u64 = 600;

/// The seconds since 1970 until which an answer with these headers is fresh; 0 for one that never is.
pub(crate) fn until(headers: &HeaderMap, now: SystemTime) -> u64 {
    let text = |name| headers.get(name).and_then(|value: &reqwest::header::HeaderValue| value.to_str().ok());
    let directives = text(CACHE_CONTROL).unwrap_or_default().to_ascii_lowercase();
    let mut directives = directives.split(',').map(str::trim);
    let forbidden = directives.clone().any(|directive| matches!(directive, "no-cache" | "no-store"));
    let age = directives.find_map(|directive| directive.strip_prefix("max-age=")?.trim_matches('"').parse().ok());
    let spent = text(AGE).and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    let fresh = if forbidden { 0 } else { age.unwrap_or(0u64).saturating_sub(spent).min(LONGEST) };
    if fresh == 0 { 0 } else { seconds(now).saturating_add(fresh) }
}

/// True if a page that is fresh until then is fresh now; a clock that was set back makes nothing fresh for long.
pub(crate) fn is_fresh(until: u64, now: SystemTime) -> bool {
    let now = seconds(now);
    now < until && until - now <= LONGEST
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fresh_for(cache_control: &str, age: &str) -> u64 {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, cache_control.parse().unwrap());
        headers.insert(AGE, age.parse().unwrap());
        until(&headers, UNIX_EPOCH + Duration::from_secs(1000)).saturating_sub(1000)
    }

    #[test]
    fn max_age_counts_within_bounds() {
        assert_eq!(fresh_for("max-age=300, public", "0"), 300);
        assert_eq!(fresh_for("public, Max-Age=300", "120"), 180);
        assert_eq!(fresh_for("max-age=300", "400"), 0);
        assert_eq!(fresh_for("max-age=86400", ""), 600);
        assert_eq!(fresh_for("no-cache, max-age=300", ""), 0);
        assert_eq!(fresh_for("max-age=soon", ""), 0);
        assert_eq!(fresh_for("", ""), 0);
    }

    #[test]
    fn time_passes_and_clocks_are_set() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert!(is_fresh(1300, at(1299)));
        assert!(!is_fresh(1300, at(1300)));
        assert!(!is_fresh(1300, at(1)));
    }
}
