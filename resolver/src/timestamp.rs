//! Moments, as indexes give them for uploads (PEP 700) and as users give the limit of `--exclude-newer`.
//!
//! Whole microseconds since 1970 in UTC; no time zone of the machine plays a part, so that the same words mean the
//! same everywhere.

use std::fmt;
use std::str::FromStr;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is neither a date (2024-03-01) nor a moment with its zone (2024-03-01T12:00:00Z)")]
pub struct NotATimestamp;

impl Timestamp {
    /// The limit that a user gave: a moment, or a date, which means until the end of that day in UTC.
    ///
    /// # Errors
    /// [`NotATimestamp`].
    pub fn limit(text: &str) -> Result<Self, NotATimestamp> {
        let text = text.trim();
        match text.len() {
            10 => date(text).map(|day| Self((day + 1) * DAY)).ok_or(NotATimestamp),
            _ => text.parse(),
        }
    }

    /// The moment so many seconds after the beginning of 1970.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    pub(crate) fn microseconds(self) -> i64 {
        self.0
    }

    pub(crate) fn from_microseconds(count: i64) -> Self {
        Self(count)
    }
}

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    /// RFC 3339: `2024-03-01T12:00:00.123456Z`, `2024-03-01T12:00:00+02:00`.
    fn from_str(text: &str) -> Result<Self, NotATimestamp> {
        moment(text).map(Self).ok_or(NotATimestamp)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, whole seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, rest) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY) / SECOND);
        let (year, month, date) = civil(day);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        write!(f, "{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

fn moment(text: &str) -> Option<i64> {
    if !text.is_ascii() {
        return None;
    }
    let day = date(text.get(..10)?)?;
    let rest = text.get(10..)?.strip_prefix(['T', 't', ' '])?;
    let (hour, minute, second) = (number(rest, 0, 2)?, number(rest, 3, 5)?, number(rest, 6, 8)?);
    let separated = rest.as_bytes().get(2) == Some(&b':') && rest.as_bytes().get(5) == Some(&b':');
    if !separated || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = fraction(rest.get(8..)?)?;
    let local = day * DAY + (hour * 3600 + minute * 60 + second) * SECOND + fraction;
    Some(local - offset(zone)?)
}

/// Microseconds of `.123456`, digits beyond which are cut off, and what follows.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let digits = rest.get(..end).filter(|digits| !digits.is_empty())?;
    let kept = digits.get(..digits.len().min(6))?;
    let scale = 10_i64.checked_pow(6 - u32::try_from(kept.len()).ok()?)?;
    Some((kept.parse::<i64>().ok()? * scale, rest.get(end..)?))
}

/// Microseconds that a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match zone.as_bytes().first()? {
        b'+' => (1, zone.get(1..)?),
        b'-' => (-1, zone.get(1..)?),
        _ => return None,
    };
    let (hours, minutes) = (number(rest, 0, 2)?, number(rest, 3, 5)?);
    let well_formed = rest.len() == 5 && rest.as_bytes().get(2) == Some(&b':') && hours < 24 && minutes < 60;
    well_formed.then_some(sign * (hours * 3600 + minutes * 60) * SECOND)
}

/// Days since 1970 of `2024-03-01`.
fn date(text: &str) -> Option<i64> {
    let (year, month, day) = (number(text, 0, 4)?, number(text, 5, 7)?, number(text, 8, 10)?);
    let separated = text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-');
    // A day that the month does not have does not come back from its number.
    let days = days_from_civil(year, month, day);
    (separated && (1..=12).contains(&month) && civil(days) == (year, month, day)).then_some(days)
}

fn number(text: &str, from: usize, to: usize) -> Option<i64> {
    let digits = text.get(from..to)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Days since 1970 of a date in the Gregorian calendar; years begin in March, so that leap days come last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Undoes [`days_from_civil`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * shifted + 2) / 5 + 1, (shifted + 2) % 12 + 1);
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().microseconds()
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        assert_eq!(at("1970-01-01T00:00:00Z"), 0);
        assert_eq!(at("2000-02-29T23:59:59Z"), 951_868_799 * SECOND);
        assert_eq!(at("2024-03-01T12:00:00.5+02:00"), 1_709_287_200 * SECOND + 500_000);
        assert_eq!(at("1969-12-31T23:59:59.999999Z"), -1);
        assert_eq!(at("2023-06-12t10:00:00.1234567z"), at("2023-06-12 10:00:00.123456Z"));
        assert_eq!(at("2024-01-01T00:30:00-01:00"), at("2024-01-01T01:30:00Z"));
        for text in ["2024-03-01T12:00:01Z", "1900-03-01T00:00:00Z", "2400-02-29T23:59:59Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_date_reaches_to_the_end_of_its_day() {
        assert_eq!(Timestamp::limit("2024-02-28").unwrap().to_string(), "2024-02-29T00:00:00Z");
        assert_eq!(Timestamp::limit("2023-12-31").unwrap().to_string(), "2024-01-01T00:00:00Z");
        assert_eq!(Timestamp::limit(" 2024-02-28T10:00:00Z ").unwrap().to_string(), "2024-02-28T10:00:00Z");
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in
            ["", "2024", "2024-13-01", "2023-02-29", "2024-1-1", "2024/01/01", "1 week", "２024-01-01", "2024-01-01T"]
        {
            assert!(Timestamp::limit(text).is_err(), "{text}");
        }
        for text in [
            "2024-01-01T10:00:00",
            "2024-01-01T24:00:00Z",
            "2024-01-01T10:00Z",
            "2024-01-01T10:00:00.Z",
            "2024-01-01T10:00:00+2",
            "2024-01-01T10:00:00+02:00x",
            "2024-01-01x10:00:00Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
