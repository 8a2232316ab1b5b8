//! Sets of versions: PEP 440 specifiers as ranges that pubgrub can compute with, and back to words.
//!
//! Unlike the conversion that `pep440_rs` brings, `==1.0`, `<=1.0` and `!=1.0` here speak of `1.0+local`
//! too, as PEP 440 wants. Bounds that a specifier only implies are shown as it was written.

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use std::ops::Bound;
use version_ranges::Ranges;

/// A set of versions.
pub(crate) type VersionRange = Ranges<Version>;

/// True if the specifiers accept the version, as the solver understands them; pre-releases are versions like others.
pub fn satisfies(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    from_specifiers(specifiers.iter()).contains(version)
}

/// The versions that all specifiers accept.
pub(crate) fn from_specifiers<'a>(specifiers: impl IntoIterator<Item = &'a VersionSpecifier>) -> VersionRange {
    specifiers.into_iter().fold(Ranges::full(), |range, specifier| range.intersection(&from_specifier(specifier)))
}

fn from_specifier(specifier: &VersionSpecifier) -> VersionRange {
    let version = specifier.version().clone();
    match specifier.operator() {
        Operator::Equal => exactly(version),
        Operator::ExactEqual => Ranges::singleton(version),
        Operator::NotEqual => exactly(version).complement(),
        Operator::TildeEqual => compatible(version),
        Operator::LessThan if version.any_prerelease() => Ranges::strictly_lower_than(version),
        Operator::LessThan => Ranges::strictly_lower_than(lowest(version)),
        Operator::LessThanEqual => Ranges::strictly_lower_than(after_locals(version)),
        Operator::GreaterThan if version.is_dev() || version.is_post() => Ranges::higher_than(after_locals(version)),
        Operator::GreaterThan => Ranges::strictly_higher_than(version.with_max(Some(0))),
        Operator::GreaterThanEqual => Ranges::higher_than(version),
        Operator::EqualStar => prefix(version),
        Operator::NotEqualStar => prefix(version).complement(),
    }
}

/// The version with every local label, or, for a version with a label, only that one.
pub(crate) fn exactly(version: Version) -> VersionRange {
    if version.is_local() {
        return Ranges::singleton(version);
    }
    Ranges::between(version.clone(), after_locals(version))
}

/// `~=1.4.2` is `>=1.4.2, ==1.4.*`.
fn compatible(version: Version) -> VersionRange {
    let release = version.release();
    let kept = release.len().saturating_sub(1).max(1);
    let upper = prefix(Version::new(release[..kept].iter().copied()).with_epoch(version.epoch()));
    Ranges::higher_than(version).intersection(&upper)
}

/// `==1.4.*`.
fn prefix(version: Version) -> VersionRange {
    let mut release = version.release().to_vec();
    if let Some(last) = release.last_mut() {
        *last += 1;
    }
    let high = lowest(Version::new(release).with_epoch(version.epoch()));
    let low = lowest(Version::new(version.release().iter().copied()).with_epoch(version.epoch()));
    Ranges::between(low, high)
}

/// The least of a version's own pre-releases, of a release below all that can be named.
fn lowest(version: Version) -> Version {
    match (version.any_prerelease(), version.is_post()) {
        (true, _) => version,
        (_, true) => version.with_dev(Some(0)),
        _ => version.with_min(Some(0)),
    }
}

/// The least version above `version` and all `version+local`.
fn after_locals(version: Version) -> Version {
    if let Some(dev) = version.dev() {
        version.with_dev(Some(dev + 1))
    } else {
        let post = version.post().map_or(0, |post| post + 1);
        version.with_post(Some(post)).with_dev(Some(0))
    }
}

/// The one public version that the range accepts, if it is a pin (`==1.0`).
pub(crate) fn pinned(range: &VersionRange) -> Option<&Version> {
    let mut segments = range.iter();
    let (Bound::Included(low), high) = segments.next()? else { return None };
    if segments.next().is_some() {
        return None;
    }
    let pinned = match high {
        Bound::Included(high) => high == low,
        Bound::Excluded(high) => !low.is_local() && *high == after_locals(low.clone()),
        Bound::Unbounded => false,
    };
    pinned.then_some(low)
}

/// The range as specifiers (`>=2.13.0,<3`); alternatives are joined by " or "; nothing for all versions.
pub(crate) fn shown(range: &VersionRange) -> String {
    let segments: Vec<(&Bound<Version>, &Bound<Version>)> = range.iter().collect();
    if segments.is_empty() {
        return "no version".to_owned();
    }
    if let Some(excluded) = exclusions(&segments) {
        return excluded;
    }
    let mut words: Vec<String> = segments.iter().map(|(low, high)| segment(low, high)).collect();
    if words.len() > 4 {
        let more = words.len() - 3;
        words.truncate(3);
        words.push(format!("{more} more"));
    }
    words.join(" or ")
}

/// `>=1,!=1.5,<2`: neighbours that leave out one version each are shown as exclusions.
fn exclusions(segments: &[(&Bound<Version>, &Bound<Version>)]) -> Option<String> {
    if segments.len() < 2 || segments.len() > 8 {
        return None;
    }
    let mut holes = String::new();
    for pair in segments.windows(2) {
        let hole = match (pair[0].1, pair[1].0) {
            (Bound::Excluded(high), Bound::Included(low)) => Ranges::between(high.clone(), low.clone()),
            (Bound::Excluded(high), Bound::Excluded(low)) if high == low => Ranges::singleton(high.clone()),
            _ => return None,
        };
        let word = shown(&hole);
        holes.push_str(&format!(
            ",!={}",
            word.strip_prefix("==").filter(|word| !word.contains(',') && !word.starts_with('='))?
        ));
    }
    let outer = segment(segments[0].0, segments[segments.len() - 1].1);
    let (low, high) = match outer.split_once(',') {
        Some((low, high)) => (low.to_owned(), format!(",{high}")),
        None if outer.starts_with('>') => (outer, String::new()),
        None if outer.is_empty() => (String::new(), String::new()),
        None => (String::new(), format!(",{outer}")),
    };
    Some(format!("{low}{holes}{high}").trim_start_matches(',').to_owned())
}

fn segment(low: &Bound<Version>, high: &Bound<Version>) -> String {
    if let (Bound::Included(low), Bound::Excluded(high)) = (low, high) {
        if !low.is_local() && *high == after_locals(low.clone()) {
            return format!("=={low}");
        }
        if low.min().is_some() && Ranges::between(low.clone(), high.clone()) == prefix(plain(low)) {
            return format!("=={}.*", plain(low));
        }
    }
    if let (Bound::Included(low), Bound::Included(high)) = (low, high)
        && low == high
    {
        return if low.is_local() { format!("=={low}") } else { format!("==={low}") };
    }
    let low = match low {
        Bound::Unbounded => String::new(),
        Bound::Included(version) if before_post(version).is_some() => match before_post_shown(version) {
            before if version.post() > Some(0) => format!(">{before}"),
            // `>1.0` would leave its post-releases out.
            before => format!(">={before},!={before}"),
        },
        // Its pre-releases are meant too.
        Bound::Included(version) if version.min().is_some() => format!(">={}.dev0", plain(version)),
        Bound::Included(version) => format!(">={}", plain(version)),
        Bound::Excluded(version) => format!(">{}", plain(version)),
    };
    let high = match high {
        Bound::Unbounded => String::new(),
        Bound::Included(version) => format!("<={}", plain(version)),
        Bound::Excluded(version) if before_post(version).is_some() => format!("<={}", before_post_shown(version)),
        Bound::Excluded(version) => format!("<{}", plain(version)),
    };
    [low, high].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(",")
}

/// Without the marks that only bounds carry, and which no pre-release may carry.
fn plain(version: &Version) -> Version {
    match (version.min(), version.max()) {
        (None, None) => version.clone(),
        (Some(_), _) => version.clone().with_min(None),
        (_, Some(_)) => version.clone().with_max(None),
    }
}

/// Undoes [`after_locals`].
fn before_post(version: &Version) -> Option<Version> {
    match (version.post(), version.dev()) {
        (Some(post), Some(0)) => Some(version.clone().with_dev(None).with_post(post.checked_sub(1))),
        _ => None,
    }
}

fn before_post_shown(version: &Version) -> String {
    before_post(version).unwrap_or_else(|| version.clone()).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn range(text: &str) -> VersionRange {
        from_specifiers(text.parse::<VersionSpecifiers>().unwrap().iter())
    }

    fn accepts(specifiers: &str, version: &str) -> bool {
        satisfies(&specifiers.parse().unwrap(), &version.parse().unwrap())
    }

    #[test]
    fn agrees_with_pep_440() {
        for (specifiers, inside, outside) in [
            ("==1.0", "1.0 1.0.0 1.0+cpu", "1.0.post0 1.0a1 1.0.1 1.0.post0.dev0"),
            ("==1.0+cpu", "1.0+cpu", "1.0 1.0+cuda"),
            ("===1.0", "1.0 1.0.0", "1.0+cpu 1.0.post0"),
            ("<=1.0", "1.0 1.0+cpu 0.9 1.0a1", "1.0.post1 1.1"),
            ("<1.0", "0.9 0.9.post1", "1.0a1 1.0.dev0 1.0"),
            ("<1.0b2", "1.0b1 1.0a1 0.9", "1.0b2 1.0"),
            ("<1.0.post1", "1.0 1.0.post0 1.0a1", "1.0.post1.dev0 1.0.post1"),
            (">1.0", "1.0.1 1.1.dev0", "1.0 1.0+cpu 1.0.post1"),
            (">1.0.post1", "1.0.post2 1.1", "1.0.post1 1.0.post1+cpu 1.0"),
            (">=1.0", "1.0 1.0+cpu 1.0.post1", "1.0rc1"),
            ("!=1.0", "1.0.1 1.0.post1", "1.0 1.0+cpu"),
            ("==1.2.*", "1.2 1.2.9 1.2a1 1.2.dev0 1.2.post4", "1.3.dev0 1.3a1 1.1.9 1"),
            ("!=1.2.*", "1.3.dev0 1.1", "1.2 1.2a1 1.2.3"),
            ("~=1.4.2", "1.4.2 1.4.9", "1.4.1 1.5.dev0 1.5"),
            ("~=1.4", "1.4 1.9", "2.0a1 2.0"),
            ("~=1!1.4", "1!1.5", "1.5 1!2.0"),
        ] {
            for version in inside.split(' ') {
                assert!(accepts(specifiers, version), "{specifiers} should accept {version}");
            }
            for version in outside.split(' ') {
                assert!(!accepts(specifiers, version), "{specifiers} should refuse {version}");
            }
        }
    }

    #[test]
    fn pins_are_seen() {
        assert_eq!(pinned(&range("==1.0")).unwrap().to_string(), "1.0");
        assert_eq!(pinned(&range("==1.0+cpu")).unwrap().to_string(), "1.0+cpu");
        assert!(pinned(&range("==1.0,>=0.5")).is_some());
        for specifiers in ["==1.*", ">=1,<=1.0.post1", ">=1", "!=1"] {
            assert!(pinned(&range(specifiers)).is_none(), "{specifiers}");
        }
    }

    #[test]
    fn ranges_read_as_they_were_written() {
        for specifiers in [
            "==1.0",
            "==1.2.*",
            ">=2.13.0,<3",
            "<2",
            "<=2",
            ">1",
            "<=1.0.post1",
            "==1.0+cpu",
            ">=1,!=1.5,<2",
            "!=1.5",
            ">=1.4.2,!=1.5,!=1.6.1",
            "!=1.5,<3",
            ">1.0.post1",
        ] {
            assert_eq!(shown(&range(specifiers)), specifiers);
        }
        assert_eq!(shown(&range("<1").union(&range(">=3"))), "<1 or >=3");
        assert_eq!(shown(&range(">2,<1")), "no version");
        assert_eq!(shown(&Ranges::full()), "");
    }
}
