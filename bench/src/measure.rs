//! Rounds: every contender once a round, so that the machine's noise falls on all of them.
//!
//! Every other round goes backwards (A B, B A, A B …), so that nobody always runs in another's wake.

use crate::process::Finished;
use crate::statistics::Series;
use anyhow::{Context, Result, ensure};
use std::time::Duration;

/// How often.
#[derive(Debug, Clone, Copy)]
pub struct Rounds {
    /// Run first, and not counted.
    pub warm_up: usize,
    /// Counted.
    pub measured: usize,
}

/// What one contender did in one round.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The whole process, or all processes of a sequence.
    pub process: Duration,
    /// What the process itself timed.
    pub inside: Option<Duration>,
    /// How many modules were imported: all sides must do the same work.
    pub modules: Option<usize>,
}

impl Sample {
    /// Of a program whose first line says how many seconds what counts took, and whose second, if there is one, how many
    /// modules it imported.
    pub fn timed_inside(finished: &Finished) -> Result<Self> {
        let mut lines = finished.stdout.lines().map(str::trim);
        let seconds = lines.next().and_then(|line| line.parse().ok());
        let seconds = seconds.context("the program did not say how long it took")?;
        let inside = Duration::try_from_secs_f64(seconds).context("the program's time makes no sense")?;
        let modules = lines.next().map(str::parse).transpose().context("the program did not say what it imported")?;
        Ok(Self { process: finished.took, inside: Some(inside), modules })
    }
}

impl From<Duration> for Sample {
    fn from(process: Duration) -> Self {
        Self { process, inside: None, modules: None }
    }
}

/// One of the sides that are compared.
pub struct Contender<'a> {
    name: &'static str,
    run: Box<dyn FnMut() -> Result<Sample> + 'a>,
}

impl<'a> Contender<'a> {
    /// `run` does whatever is not timed before and after as well.
    pub fn new<T: Into<Sample>>(name: &'static str, mut run: impl FnMut() -> Result<T> + 'a) -> Self {
        Self { name, run: Box::new(move || run().map(Into::into)) }
    }
}

/// The samples of one contender, in milliseconds.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The contender.
    pub name: &'static str,
    /// Of whole processes.
    pub process: Series,
    /// As timed inside; empty if nothing was.
    pub inside: Series,
}

/// The samples of all contenders.
#[derive(Debug, Clone)]
pub struct Measurements(Vec<Measured>);

impl Measurements {
    /// Those of one contender; `None` if it did not run, as uv where there is none.
    pub fn find(&self, name: &str) -> Option<&Measured> {
        self.0.iter().find(|measured| measured.name == name)
    }
}

/// Runs all contenders in turn.
///
/// # Errors
/// A contender's; and if one imports other modules than another, as where a package is there that others make use of.
pub fn interleave(mut contenders: Vec<Contender<'_>>, rounds: Rounds) -> Result<Measurements> {
    let empty = |one: &Contender<'_>| Measured { name: one.name, process: Vec::new(), inside: Vec::new() };
    let mut measured: Vec<Measured> = contenders.iter().map(empty).collect();
    let mut modules = None;
    for round in 0..rounds.warm_up + rounds.measured {
        let mut order: Vec<_> = contenders.iter_mut().zip(&mut measured).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for (contender, measured) in order {
            let sample = (contender.run)().with_context(|| format!("cannot measure {}", contender.name))?;
            if let Some(imported) = sample.modules {
                let expected = *modules.get_or_insert(imported);
                let name = measured.name;
                ensure!(imported == expected, "{name} imported {imported} modules and another side {expected}");
            }
            if round >= rounds.warm_up {
                measured.process.push(milliseconds(sample.process));
                measured.inside.extend(sample.inside.map(milliseconds));
            }
        }
    }
    Ok(Measurements(measured))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn contenders_take_turns_and_the_warm_up_is_not_counted() {
        let log = RefCell::new(String::new());
        let contender = |name: &'static str, time: u64| {
            let log = &log;
            Contender::new(name, move || {
                log.borrow_mut().push_str(name);
                Ok(Duration::from_millis(time))
            })
        };
        let rounds = Rounds { warm_up: 1, measured: 2 };
        let measured = interleave(vec![contender("a", 1), contender("b", 2)], rounds).unwrap();
        assert_eq!(*log.borrow(), "abbaab");
        let (a, b) = (measured.find("a").unwrap(), measured.find("b").unwrap());
        assert_eq!((&a.process, &b.process), (&vec![1.0, 1.0], &vec![2.0, 2.0]));
        assert!(a.inside.is_empty() && measured.find("c").is_none());
    }

    #[test]
    fn sides_that_import_other_modules_are_not_compared() {
        let contender = |name: &'static str, modules: usize| {
            Contender::new(name, move || Ok(Sample { process: Duration::ZERO, inside: None, modules: Some(modules) }))
        };
        let rounds = Rounds { warm_up: 0, measured: 1 };
        assert!(interleave(vec![contender("a", 5), contender("b", 5)], rounds).is_ok());
        let error = interleave(vec![contender("a", 5), contender("b", 7)], rounds).unwrap_err();
        assert_eq!(error.to_string(), "b imported 7 modules and another side 5");
    }

    #[test]
    fn a_failure_names_the_contender() {
        let failing = Contender::new("uv", || -> Result<Duration> { anyhow::bail!("no") });
        let error = interleave(vec![failing], Rounds { warm_up: 0, measured: 1 }).unwrap_err();
        assert_eq!(format!("{error:#}"), "cannot measure uv: no");
    }
}
