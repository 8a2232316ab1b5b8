//! Talk: everything that omnipkg says of itself goes to stderr, a line at a time, and never to stdout.

use owo_colors::OwoColorize;

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

/// A next step, on a line of its own.
pub fn hint(text: &str) {
    anstream::eprintln!("{} {text}", "hint:".green());
}
