//! A row of the table: omnipkg and plain Python in the same rounds, what is judged of them, and the peers.

use crate::measure::{Measured, Measurements};
use crate::statistics::{Series, Summary};
use anyhow::{Context, Result};

/// What omnipkg is compared with, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// omnipkg minus plain, in milliseconds.
    Difference,
    /// omnipkg over plain.
    Ratio,
    /// omnipkg over the first peer.
    PeerRatio,
    /// omnipkg alone, in milliseconds.
    Alone,
    /// omnipkg alone, a number of something.
    Count,
}

/// Which clock a row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// From process start to process exit.
    Process,
    /// What the process timed itself.
    Inside,
}

/// The names of the contenders of a row.
#[derive(Debug, Clone, Copy)]
pub struct Sides {
    /// omnipkg's.
    pub omnipkg: &'static str,
    /// Plain Python's, where it can do such a thing.
    pub plain: Option<&'static str>,
    /// uv's; those that did not run are left out.
    pub peers: &'static [&'static str],
}

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name in the JSON.
    pub id: &'static str,
    /// What is measured.
    pub what: String,
    /// omnipkg's samples.
    pub omnipkg: Series,
    /// Plain Python's, from the same rounds; empty where it can do no such thing.
    pub plain: Series,
    /// How they are compared.
    pub judged: Judged,
    /// The most that the median of the comparison should be; printed, never asserted.
    pub budget: Option<f64>,
    /// uv's samples by name.
    pub peers: Vec<(&'static str, Series)>,
}

impl Row {
    /// A row without a budget.
    pub fn new(
        id: &'static str,
        what: impl Into<String>,
        measurements: &Measurements,
        sides: Sides,
        (judged, clock): (Judged, Clock),
    ) -> Result<Self> {
        let series = |measured: &Measured| match clock {
            Clock::Process => measured.process.clone(),
            Clock::Inside => measured.inside.clone(),
        };
        let of = |name: &str| measurements.find(name).map(series).with_context(|| format!("{name} was not measured"));
        let peers = sides.peers.iter().filter_map(|name| Some((*name, series(measurements.find(name)?)))).collect();
        Ok(Self {
            id,
            what: what.into(),
            omnipkg: of(sides.omnipkg)?,
            plain: sides.plain.map(of).transpose()?.unwrap_or_default(),
            judged,
            budget: None,
            peers,
        })
    }

    /// With the design's budget.
    pub fn budget(self, budget: f64) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// The comparison round by round, so that what slows both in a round slows neither in the result.
    pub fn comparison(&self) -> Option<Summary> {
        let pairs = self.omnipkg.iter().zip(&self.plain);
        let compared: Series = match self.judged {
            Judged::Difference => pairs.map(|(omnipkg, plain)| omnipkg - plain).collect(),
            Judged::Ratio => pairs.map(|(omnipkg, plain)| omnipkg / plain).collect(),
            Judged::PeerRatio => {
                let peer = self.peers.first().map_or(&[][..], |(_, series)| series);
                self.omnipkg.iter().zip(peer).map(|(omnipkg, peer)| omnipkg / peer).collect()
            }
            Judged::Alone | Judged::Count => self.omnipkg.clone(),
        };
        Summary::of(&compared)
    }

    /// Whether the median keeps to the budget, where there is one.
    pub fn met(&self) -> Option<bool> {
        Some(self.comparison()?.median <= self.budget?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
pub mod tests {
    use super::*;

    /// A row with samples as given.
    pub fn row(omnipkg: &[f64], plain: &[f64], judged: Judged, budget: Option<f64>) -> Row {
        let (omnipkg, plain) = (omnipkg.to_vec(), plain.to_vec());
        Row { id: "a-row", what: "a row".to_owned(), omnipkg, plain, judged, budget, peers: Vec::new() }
    }

    #[test]
    fn pairs_are_compared_and_not_medians() {
        // The medians are 20 and 10, but no round differs by 10.
        let row = row(&[11.0, 20.0, 101.0], &[10.0, 5.0, 100.0], Judged::Difference, Some(1.0));
        assert_eq!(row.comparison().unwrap().median, 1.0);
        assert_eq!(row.met(), Some(true));
    }

    #[test]
    fn a_peer_that_did_not_run_is_not_compared_with() {
        let mut row = row(&[5.0, 6.0], &[], Judged::PeerRatio, Some(0.6));
        assert_eq!((row.comparison(), row.met()), (None, None));
        row.peers.push(("uv", vec![10.0, 10.0]));
        assert_eq!((row.comparison().unwrap().median, row.met()), (0.55, Some(true)));
    }

    #[test]
    fn omnipkg_alone_is_judged_by_its_own_time() {
        let row = row(&[4.0, 5.0, 9.0], &[], Judged::Alone, Some(5.0));
        assert_eq!((row.comparison().unwrap().median, row.met()), (5.0, Some(true)));
    }

    #[test]
    fn a_ratio_over_its_budget_is_not_met() {
        assert_eq!(row(&[12.0], &[10.0], Judged::Ratio, Some(1.1)).met(), Some(false));
        assert_eq!(row(&[12.0], &[10.0], Judged::Ratio, None).met(), None);
    }
}
