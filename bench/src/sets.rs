//! The requirements that are measured, and sets of them that no side has seen.

use anyhow::{Context, Result};

/// A pure Python distribution of many small modules.
pub const RICH: &str = "rich==13.7.1";

/// What imports most of it.
pub const RICH_IMPORTS: &str = "rich.console, rich.progress, rich.traceback";

/// Distributions with large extension modules and thousands of files; pinned to what omnipkg resolves.
pub const SCIENTIFIC: [&str; 2] = ["numpy", "scipy"];

/// What imports much of them.
pub const SCIENTIFIC_IMPORTS: &str = "numpy, scipy.linalg, scipy.signal";

/// Plots and tables.
pub const PLOTTING: [&str; 2] = ["pandas", "matplotlib"];

/// What imports much of them.
pub const PLOTTING_IMPORTS: &str = "pandas, matplotlib.pyplot";

/// A closure of twenty thousand files.
pub const TENSORFLOW: [&str; 1] = ["tensorflow-cpu"];

/// What imports much of it.
pub const TENSORFLOW_IMPORTS: &str = "tensorflow";

/// A closure of more than twenty-two thousand files.
pub const LARGE: [&str; 4] = ["tensorflow-cpu", "pandas", "matplotlib", "scikit-learn"];

/// What imports a little of each.
pub const LARGE_IMPORTS: &str = "pandas, sklearn.base, matplotlib.pyplot";

/// Small pure wheels that require nothing and run on every Python since 3.8, and that nothing of the above imports if it
/// happens to be there (as rich does attrs, and requests chardet).
pub const SMALL: [&str; 18] = [
    "certifi==2023.11.17",
    "click==8.1.7",
    "colorama==0.4.6",
    "decorator==5.1.1",
    "distlib==0.3.8",
    "execnet==2.0.2",
    "filelock==3.13.1",
    "idna==3.6",
    "iniconfig==2.0.0",
    "itsdangerous==2.1.2",
    "mccabe==0.7.0",
    "packaging==23.2",
    "pluggy==1.3.0",
    "pycodestyle==2.11.1",
    "six==1.16.0",
    "sortedcontainers==2.4.0",
    "toml==0.10.2",
    "tomli==2.0.1",
];

/// Exact requirements, and the small wheels of other projects.
pub fn with_small(pins: &[String]) -> Vec<String> {
    let taken: Vec<String> = pins.iter().map(|pin| project(pin)).collect();
    let small = SMALL.iter().filter(|pin| !taken.contains(&project(pin)));
    pins.iter().cloned().chain(small.map(|pin| (*pin).to_owned())).collect()
}

fn project(pin: &str) -> String {
    pin.split("==").next().unwrap_or_default().to_ascii_lowercase()
}

/// How many of the small wheels make one set.
const MEMBERS: u32 = 4;

/// Sets of small wheels, each handed out once in the life of the bench: 3,060 of them.
#[derive(Debug, Default)]
pub struct UnseenSets {
    last: u32,
}

impl UnseenSets {
    /// The next set of which no project is among `taken` (`name==version`).
    pub fn next_without(&mut self, taken: &[String]) -> Result<Vec<&'static str>> {
        let taken: Vec<String> = taken.iter().map(|pin| project(pin)).collect();
        loop {
            let set = self.next()?;
            if !set.iter().any(|pin| taken.contains(&project(pin))) {
                return Ok(set);
            }
        }
    }

    fn next(&mut self) -> Result<Vec<&'static str>> {
        let all = self.last + 1..1 << SMALL.len();
        let bits = all.into_iter().find(|bits| bits.count_ones() == MEMBERS);
        self.last = bits.context("every set of small wheels was used: measure fewer rounds")?;
        Ok(SMALL.iter().enumerate().filter(|(place, _)| self.last >> place & 1 == 1).map(|(_, name)| *name).collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_set_comes_twice_and_they_come_to_an_end() {
        let mut sets = UnseenSets::default();
        let mut seen = BTreeSet::new();
        let end = loop {
            match sets.next() {
                Ok(set) => {
                    assert_eq!(set.len(), MEMBERS as usize);
                    assert!(seen.insert(set));
                }
                Err(error) => break error,
            }
        };
        assert_eq!(seen.len(), 3060);
        assert!(end.to_string().contains("fewer rounds"));
    }
}
