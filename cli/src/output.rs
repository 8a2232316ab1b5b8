//! Talk: everything that omnipkg says of itself goes to stderr, a line at a time, and never to stdout.

use owo_colors::OwoColorize;
use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Data on stdout. Whoever reads it may stop reading (`| head`): that ends the command quietly, as SIGPIPE would; anything
/// else that goes wrong is an error like others.
pub fn data(text: Arguments<'_>) {
    let Err(error) = std::io::stdout().lock().write_fmt(text) else { return };
    if error.kind() != ErrorKind::BrokenPipe {
        self::error(&anyhow::Error::from(error).context("cannot write to standard output"));
        std::process::exit(1);
    }
    std::process::exit(128 + nix::libc::SIGPIPE);
}

/// A line of talk: `omnipkg: …`. The lines of a message are joined: one thing said is one line.
pub fn talk(message: &str) {
    let line = message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    anstream::eprintln!("{} {line}", "omnipkg:".cyan());
}

/// A warning: the command goes on.
pub fn warn(message: &str) {
    let label = "omnipkg: warning:".yellow().to_string();
    anstream::eprintln!("{label} {message}");
}

/// The error that ends a command, with its causes, and the hint on a line of its own.
pub fn error(error: &anyhow::Error) {
    let label = "omnipkg: error:".red().to_string();
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // A transparent error repeats its cause's text.
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    anstream::eprintln!("{label} {text}");
    if let Some(hint) = crate::hints::hint_for(error) {
        self::hint(&hint);
    }
}

/// Bytes in the unit that reads best.
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.2} GB", count as f64 / 1e9),
    }
}

/// A duration in the unit that reads best.
pub fn duration(time: std::time::Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 0.001 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{seconds:.2} s")
    }
}

/// `1 file`, `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Seconds since the epoch as `2026-11-21 04:10:05Z`.
pub fn moment(seconds: u64) -> String {
    let (days, rest) = ((seconds / 86_400) as i64, seconds % 86_400);
    // Days to a date in the proleptic Gregorian calendar, counted from 0000-03-01 so that leap days end a year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// A next step, on a line of its own.
pub fn hint(text: &str) {
    anstream::eprintln!("{} {text}", "hint:".green());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates() {
        assert_eq!(moment(0), "1970-01-01 00:00:00Z");
        assert_eq!(moment(951_782_399), "2000-02-28 23:59:59Z");
        assert_eq!(moment(951_782_400), "2000-02-29 00:00:00Z");
        assert_eq!(moment(4_107_542_399), "2100-02-28 23:59:59Z");
        assert_eq!(moment(4_107_542_400), "2100-03-01 00:00:00Z");
        assert_eq!(moment(1_795_234_205), "2026-11-21 04:10:05Z");
    }
}
