//! Samples in milliseconds, and what is said of them: median, quartiles, number.

/// Samples of one contender in the order of the rounds, in milliseconds.
pub type Series = Vec<f64>;

/// Median and quartiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// A quarter of the samples are below.
    pub lower: f64,
    /// Half of them.
    pub median: f64,
    /// Three quarters.
    pub upper: f64,
}

impl Summary {
    /// Of samples; `None` if there are none.
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self { lower: quantile(&sorted, 0.25)?, median: quantile(&sorted, 0.5)?, upper: quantile(&sorted, 0.75)? })
    }
}

/// Linear between the two nearest samples.
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let place = part * sorted.len().checked_sub(1)? as f64;
    let below = *sorted.get(place.floor() as usize)?;
    let above = *sorted.get(place.ceil() as usize)?;
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_samples() {
        let summary = Summary::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(summary, Summary { lower: 1.75, median: 2.5, upper: 3.25 });
    }

    #[test]
    fn one_sample_is_its_own_summary_and_none_has_none() {
        assert_eq!(Summary::of(&[7.0]), Some(Summary { lower: 7.0, median: 7.0, upper: 7.0 }));
        assert_eq!(Summary::of(&[]), None);
    }
}
