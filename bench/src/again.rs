//! Family 11: what one view's first import leaves for the next view. Nothing is compiled in advance: the first import
//! ever makes the server compile, and once that is done the same import in a view that was just made is measured.

use crate::imports::{import, imports_row};
use crate::measure::{Contender, interleave};
use crate::plain::{Plain, freeze};
use crate::prepare::Bench;
use crate::rows::Row;
use crate::sets;
use anyhow::{Result, ensure};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const VIEW: &str = "<view B>/bin/python";
const PLAIN: &str = "venv/bin/python, warm";

/// Compiling is over when nothing was added for so long.
const QUIET: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(120);

/// Over a directory with bytecode.
const BUDGET: f64 = 1.1;

/// `import pandas`, first in a view A, then in new views.
pub fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let stage = bench.stage;
    let first = stage.mount(&["pandas".to_owned()], &[])?;
    let pins = freeze(stage, &first)?;
    // Fetched, and not imported.
    stage.mount(&sets::with_small(&pins), &[])?;
    let plain = Plain::new(stage, bench.interpreter()).like("plain-again", &first, "pandas")?;
    let bytecode = stage.home().join("pyc");
    let took = import(stage, &first.join("bin/python"), "pandas")?;
    wait_until_compiled(&bytecode)?;
    eprintln!("the first import ever took {:.2} s", took.process.as_secs_f64());
    let contenders = vec![
        Contender::new(VIEW, || {
            let requirements: Vec<String> =
                pins.iter().cloned().chain(stage.unseen_without(&pins)?.into_iter().map(str::to_owned)).collect();
            let view = stage.mount(&requirements, &["--offline"])?;
            stage.settle()?;
            import(stage, &view.join("bin/python"), "pandas")
        }),
        Contender::new(PLAIN, || {
            stage.settle()?;
            import(stage, &plain, "pandas")
        }),
    ];
    let measured = interleave(contenders, bench.rounds)?;
    let what = "import pandas in a new view, after the first import ever in another ÷ a directory with bytecode";
    Ok(vec![imports_row("again-pandas", what, &measured, (VIEW, PLAIN))?.budget(BUDGET)])
}

fn wait_until_compiled(folder: &Path) -> Result<()> {
    let started = Instant::now();
    let (mut last, mut since) = (count(folder), Instant::now());
    while last == 0 || since.elapsed() < QUIET {
        ensure!(started.elapsed() < PATIENCE, "no bytecode came in {} s", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(100));
        let now = count(folder);
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    Ok(())
}

fn count(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.file_type().is_ok_and(|kind| kind.is_dir()) { count(&entry.path()) } else { 1 }).sum()
}
