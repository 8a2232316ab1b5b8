//! A bar plot: each row on a scale of its own, since a start takes milliseconds and an import a second.

use super::{Circumstances, time};
use crate::rows::Row;
use crate::statistics::Summary;
use std::fmt::Write;

// A name that XML asks for, not a host that anything is asked of.
const NAMESPACE: &str = concat!("http", "://www.w3", ".org/2000/svg");

const WIDTH: f64 = 960.0;
const MARGIN: f64 = 24.0;
const NAMES: f64 = 270.0;
const BARS: f64 = 500.0;
const BAR: f64 = 16.0;
const LINE: f64 = 22.0;
const GAP: f64 = 18.0;
const HEADER: f64 = 44.0;
const SMALL_LINE: f64 = 15.0;

const OMNIPKG: &str = "#1b7f5c";
const PLAIN: &str = "#8a8f98";
const PEER: &str = "#c9722b";

/// The whole plot.
pub fn svg(rows: &[Row], circumstances: &Circumstances) -> String {
    let mut body = String::new();
    let mut top = HEADER;
    for (name, value) in circumstances {
        let about = escape(&format!("{name}: {value}"));
        let _ = writeln!(body, "<text x=\"{MARGIN}\" y=\"{top}\" font-size=\"11\" fill=\"#555\">{about}</text>");
        top += SMALL_LINE;
    }
    for row in rows {
        top = group(&mut body, row, top) + GAP;
    }
    let height = top + MARGIN;
    format!(
        "<svg xmlns=\"{NAMESPACE}\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{MARGIN}\" y=\"28\" font-size=\"18\" font-weight=\"bold\">omnipkg beside its peers</text>\n\
         {body}</svg>\n"
    )
}

/// The bars of a row, and where they end.
fn group(body: &mut String, row: &Row, top: f64) -> f64 {
    let sides = [("omnipkg", &row.omnipkg, OMNIPKG), ("plain Python", &row.plain, PLAIN)];
    let peers = row.peers.iter().map(|(name, series)| (*name, series, PEER));
    let bars: Vec<_> = sides
        .into_iter()
        .chain(peers)
        .filter_map(|(name, series, colour)| Some((name, Summary::of(series)?, colour)))
        .collect();
    let longest = bars.iter().map(|(_, summary, _)| summary.upper).fold(f64::MIN_POSITIVE, f64::max);
    let _ = writeln!(
        body,
        "<text x=\"{MARGIN}\" y=\"{:.1}\" font-weight=\"bold\">{}</text>",
        top + 12.0,
        escape(&row.what.replace('`', ""))
    );
    let mut y = top + LINE;
    for (name, summary, colour) in bars {
        bar(body, name, summary, colour, (y, BARS / longest));
        y += LINE;
    }
    y
}

fn bar(body: &mut String, name: &str, summary: Summary, colour: &str, (y, scale): (f64, f64)) {
    let [lower, median, upper] = [summary.lower, summary.median, summary.upper].map(|time| time * scale);
    let (left, base, middle) = (MARGIN + NAMES, y + BAR - 4.0, y + BAR / 2.0);
    let _ = writeln!(
        body,
        "<text x=\"{:.1}\" y=\"{base:.1}\" text-anchor=\"end\">{}</text>\
         <rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{median:.1}\" height=\"{BAR:.1}\" fill=\"{colour}\"/>\
         <path d=\"M{:.1} {middle:.1}H{:.1}\" stroke=\"black\"/>\
         <text x=\"{:.1}\" y=\"{base:.1}\">{}</text>",
        left - 8.0,
        escape(name),
        left + lower,
        left + upper,
        left + upper.max(median) + 8.0,
        time(summary.median)
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::rows::{Judged, tests::row};

    #[test]
    fn the_longest_bar_fills_the_width_and_others_are_in_proportion() {
        let plot = svg(&[row(&[5.0], &[10.0], Judged::Ratio, None)], &Vec::new());
        assert!(plot.contains("width=\"500.0\"") && plot.contains("width=\"250.0\""), "{plot}");
        assert_eq!(plot.matches("<rect x=").count(), 2);
    }

    #[test]
    fn names_are_escaped() {
        let mut row = row(&[1.0], &[1.0], Judged::Ratio, None);
        row.what = "a <b> & `c`".to_owned();
        assert!(svg(&[row], &Vec::new()).contains(">a &lt;b&gt; &amp; c<"));
    }
}
