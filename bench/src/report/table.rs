//! The Markdown table.

use super::{Circumstances, Scale, time};
use crate::rows::{Judged, Row};
use crate::statistics::Summary;
use std::fmt::Write;

const HEAD: &str = "\
| what | n | omnipkg | plain Python | compared | budget | met | uv |
|---|---|---|---|---|---|---|---|
";

const NOTES: &str = "
Medians, with the quartiles in brackets; n rounds, in each of which every side ran once. The comparison is made in
each round: its median is what the budget is for; where plain Python has nothing like it, the budget is for omnipkg
alone. All times run from process start to process exit, but for what is said to be \"alone\" or \"inside\", which
Python times itself.
";

/// The whole report.
pub fn markdown(rows: &[Row], circumstances: &Circumstances) -> String {
    let mut text = String::from("# omnipkg beside its peers\n\n");
    for (name, value) in circumstances {
        let _ = writeln!(text, "- {name}: {value}");
    }
    text.push('\n');
    text.push_str(HEAD);
    rows.iter().for_each(|row| text.push_str(&line(row)));
    text.push_str(NOTES);
    text
}

fn line(row: &Row) -> String {
    let met = match row.met() {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "–",
    };
    let cells = [
        row.what.clone(),
        row.omnipkg.len().to_string(),
        match row.judged {
            Judged::Count => number(&row.omnipkg),
            _ => times(&row.omnipkg),
        },
        times(&row.plain),
        row.comparison().map_or_else(dash, |summary| comparison(row.judged, summary)),
        row.budget.map_or_else(dash, |budget| budget_text(row.judged, budget)),
        met.to_owned(),
        peers(row),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('<', "\\<")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn dash() -> String {
    "–".to_owned()
}

fn times(series: &[f64]) -> String {
    Summary::of(series).map_or_else(dash, |Summary { lower, median, upper }| {
        let scale = Scale::of(median);
        format!("{} ({}–{})", time(median), scale.number(lower), scale.number(upper))
    })
}

/// Of numbers that are no times.
fn number(series: &[f64]) -> String {
    Summary::of(series)
        .map_or_else(dash, |Summary { lower, median, upper }| format!("{median:.0} ({lower:.0}–{upper:.0})"))
}

fn comparison(judged: Judged, Summary { lower, median, upper }: Summary) -> String {
    match judged {
        Judged::Difference => format!("{median:+.1} ms ({lower:+.1} … {upper:+.1})"),
        Judged::Ratio => format!("× {median:.3} ({lower:.3}–{upper:.3})"),
        Judged::PeerRatio => format!("× {median:.3} of uv ({lower:.3}–{upper:.3})"),
        Judged::Alone | Judged::Count => dash(),
    }
}

fn budget_text(judged: Judged, budget: f64) -> String {
    match judged {
        Judged::Difference => format!("≤ +{budget:.0} ms"),
        Judged::Ratio | Judged::PeerRatio => format!("≤ {budget:.2}"),
        Judged::Alone => format!("≤ {budget:.0} ms"),
        Judged::Count => format!("≤ {budget:.0}"),
    }
}

fn peers(row: &Row) -> String {
    if row.peers.is_empty() {
        return dash();
    }
    let peers = row.peers.iter().map(|(name, series)| format!("{name}: {}", times(series)));
    peers.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::rows::tests::row;

    #[test]
    fn a_difference_without_a_peer() {
        let row = row(&[12.0, 13.0, 14.0], &[10.0, 10.0, 10.0], Judged::Difference, Some(3.0));
        let expected = "| a row | 3 | 13.0 ms (12.5–13.5) | 10.0 ms (10.0–10.0) | +3.0 ms (+2.5 … +3.5) \
                        | ≤ +3 ms | yes | – |\n";
        assert_eq!(line(&row), expected);
    }

    #[test]
    fn a_ratio_with_a_peer() {
        let mut row = row(&[2400.0], &[2000.0], Judged::Ratio, Some(1.05));
        row.peers.push(("uv | <x>", vec![150.0]));
        let expected = "| a row | 1 | 2.40 s (2.40–2.40) | 2.00 s (2.00–2.00) | × 1.200 (1.200–1.200) | ≤ 1.05 \
                        | **no** | uv \\| \\<x>: 150 ms (150–150) |\n";
        assert_eq!(line(&row), expected);
    }

    #[test]
    fn circumstances_come_first() {
        let text = markdown(&[], &vec![("uv", "not on PATH".to_owned())]);
        assert!(text.starts_with("# omnipkg beside its peers\n\n- uv: not on PATH\n\n| what |"));
    }
}
