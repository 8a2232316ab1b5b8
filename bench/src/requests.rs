//! Family 12: what the kernel asks the server for in a second import, by `omnipkg server status --json`.

use crate::imports::import;
use crate::prepare::{Bench, Kind};
use crate::rows::{Judged, Row};
use crate::stage::Stage;
use anyhow::Result;
use serde_json::Value;

/// The rows and the counters.
const COUNTERS: [(&str, &str); 4] = [
    ("requests-lookup", "lookup"),
    ("requests-getattr", "getattr"),
    ("requests-open", "open"),
    ("requests-read", "read"),
];

/// The second import of scipy and each one after it; no rows where the server does not count.
pub fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let subject = bench.subject(Kind::Scientific)?;
    let python = subject.view.join("bin/python");
    import(bench.stage, &python, subject.imports)?;
    let mut samples: [Vec<f64>; COUNTERS.len()] = Default::default();
    for _ in 0..bench.rounds.measured {
        let before = counters(bench.stage)?;
        import(bench.stage, &python, subject.imports)?;
        let after = counters(bench.stage)?;
        let (Some(before), Some(after)) = (before, after) else {
            eprintln!("`omnipkg server status --json` has no counters: left out");
            return Ok(Vec::new());
        };
        for ((_, name), samples) in COUNTERS.iter().zip(&mut samples) {
            let of = |counters: &Value| counters[*name].as_u64().unwrap_or(0);
            samples.push((of(&after) - of(&before)) as f64);
        }
    }
    let row = |((id, name), omnipkg): (&(&'static str, &'static str), Vec<f64>)| Row {
        id,
        what: format!("{name} requests of a second import of scipy"),
        omnipkg,
        plain: Vec::new(),
        judged: Judged::Count,
        budget: Some(0.0),
        peers: Vec::new(),
    };
    Ok(COUNTERS.iter().zip(samples).map(row).collect())
}

fn counters(stage: &Stage) -> Result<Option<Value>> {
    let finished = stage.time(stage.command(stage.program()).args(["--json", "server", "status"]))?;
    let status: Option<Value> = serde_json::from_str(&finished.stdout).ok();
    Ok(status.map(|mut status| status["counters"].take()).filter(Value::is_object))
}
