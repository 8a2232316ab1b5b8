//! Every sample as JSON, schema 1: times in milliseconds in the order of the rounds.

use super::Circumstances;
use crate::rows::{Judged, Row};
use crate::statistics::Summary;
use serde_json::{Map, Value};

/// The whole report.
pub fn json(rows: &[Row], circumstances: &Circumstances) -> Value {
    let circumstances: Map<String, Value> =
        circumstances.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    let rows: Vec<Value> = rows.iter().map(row).collect();
    serde_json::json!({ "schema": 1, "circumstances": circumstances, "rows": rows })
}

fn row(row: &Row) -> Value {
    let peers: Map<String, Value> =
        row.peers.iter().map(|(name, series)| ((*name).to_owned(), series.as_slice().into())).collect();
    serde_json::json!({
        "id": row.id,
        "what": row.what,
        "omnipkg": row.omnipkg,
        "plain": row.plain,
        "peers": peers,
        "judged": match row.judged {
            Judged::Difference => "difference",
            Judged::Ratio => "ratio",
            Judged::PeerRatio => "ratio to the first peer",
            Judged::Alone => "alone",
            Judged::Count => "a number",
        },
        "comparison": row.comparison().map(summary),
        "budget": row.budget,
        "met": row.met(),
    })
}

fn summary(summary: Summary) -> Value {
    serde_json::json!({ "lower": summary.lower, "median": summary.median, "upper": summary.upper })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::rows::tests::row;

    #[test]
    fn every_sample_is_kept() {
        let mut row = row(&[3.0, 4.0], &[1.0, 2.0], Judged::Difference, None);
        row.peers.push(("uv", vec![9.0, 8.0]));
        let value = json(&[row], &vec![("cores", "2".to_owned())]);
        let read = &value["rows"][0];
        assert_eq!(read["omnipkg"], serde_json::json!([3.0, 4.0]));
        assert_eq!(read["peers"]["uv"], serde_json::json!([9.0, 8.0]));
        assert_eq!(read["comparison"]["median"], 2.0);
        assert!(read["budget"].is_null() && read["met"].is_null());
        assert_eq!(value["circumstances"]["cores"], "2");
    }
}
