//! Bisection: the first of some versions, in their order, with which a script ends otherwise than before.
//!
//! What must stay true: with known ends and `n` versions behind the first of them, ⌈log2 n⌉ trials tell; a version that
//! cannot be tried is passed over, and if that leaves more than one that could be the first, the answer says so.

use std::collections::BTreeSet;

/// How a script ends with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// Its exit code is 0.
    Passes,
    /// It is another.
    Fails,
    /// No environment with this version can be made.
    Untestable,
}

/// Where the change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The last version (its place) that is known to end as before.
    pub before: usize,
    /// The first version that is known to end otherwise. Those between the two cannot be tried.
    pub after: usize,
    /// How the script ends from then on.
    pub turns: Trial,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoChange {
    /// The script ends alike with the first version and with the last.
    #[error("it ends alike with the first version and with the last")]
    Alike(Trial),
    /// None of the versions can be tried.
    #[error("no two of the versions can be tried")]
    Untestable,
}

/// What is known before: the places of a version with which it passes, and of one with which it fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// It passes.
    pub good: Option<usize>,
    /// It fails.
    pub bad: Option<usize>,
}

/// Finds the first change among `count` versions; `trial` tells of one of them by its place.
///
/// # Errors
/// The outer error is the trial's own; [`NoChange`] if there is nothing to find.
pub fn first_change<E>(
    count: usize,
    known: Known,
    trial: &mut dyn FnMut(usize) -> Result<Trial, E>,
) -> Result<Result<Change, NoChange>, E> {
    let mut untestable = BTreeSet::new();
    let trial = &mut |place: usize| {
        if untestable.contains(&place) {
            return Ok(Trial::Untestable);
        }
        let ended = trial(place)?;
        if ended == Trial::Untestable {
            untestable.insert(place);
        }
        Ok(ended)
    };
    let ends = match known {
        Known { good: Some(good), bad: Some(bad) } if good < bad => Some(((good, Trial::Passes), (bad, Trial::Fails))),
        Known { good: Some(good), bad: Some(bad) } => Some(((bad, Trial::Fails), (good, Trial::Passes))),
        Known { good: Some(good), bad: None } => {
            outermost(good + 1..count, true, trial)?.map(|last| ((good, Trial::Passes), last))
        }
        Known { good: None, bad: Some(bad) } => {
            outermost(0..bad, false, trial)?.map(|first| (first, (bad, Trial::Fails)))
        }
        Known { good: None, bad: None } => match outermost(0..count, false, trial)? {
            Some(first) => match outermost(first.0 + 1..count, true, trial)? {
                // The oldest may fail for what has nothing to do with it: so there may be some between that pass.
                Some(last) if (first.1, last.1) == (Trial::Fails, Trial::Fails) => {
                    passing_before(first.0, last.0, trial)?.or(Some((first, last)))
                }
                last => last.map(|last| (first, last)),
            },
            None => None,
        },
    };
    let Some(((mut low, before), (mut high, after))) = ends else { return Ok(Err(NoChange::Untestable)) };
    if before == after {
        return Ok(Err(NoChange::Alike(before)));
    }
    while let Some((place, ended)) = near_the_middle(low, high, trial)? {
        if ended == before {
            low = place;
        } else {
            high = place;
        }
    }
    Ok(Ok(Change { before: low, after: high, turns: after }))
}

/// A version, and how the script ends with it.
type End = (usize, Trial);

/// The ends of a search between two versions that both fail: one that passes, found by going back from the last one in
/// steps that double, and one behind it that fails.
fn passing_before<E>(
    first: usize,
    last: usize,
    trial: &mut dyn FnMut(usize) -> Result<Trial, E>,
) -> Result<Option<(End, End)>, E> {
    let (mut failing, mut step) = (last, 1);
    while failing > first + 1 {
        let place = failing.saturating_sub(step).max(first + 1);
        step *= 2;
        match outermost(first + 1..place + 1, true, trial)? {
            Some((place, Trial::Passes)) => return Ok(Some(((place, Trial::Passes), (failing, Trial::Fails)))),
            Some((place, _)) => failing = place,
            None => break,
        }
    }
    Ok(None)
}

/// The first (or the last) version of a range that can be tried.
fn outermost<E>(
    range: std::ops::Range<usize>,
    from_the_end: bool,
    trial: &mut dyn FnMut(usize) -> Result<Trial, E>,
) -> Result<Option<End>, E> {
    let places: Box<dyn Iterator<Item = usize>> = if from_the_end { Box::new(range.rev()) } else { Box::new(range) };
    for place in places {
        match trial(place)? {
            Trial::Untestable => {}
            ended => return Ok(Some((place, ended))),
        }
    }
    Ok(None)
}

/// A version between two that can be tried, as near to the middle as there is one.
fn near_the_middle<E>(
    low: usize,
    high: usize,
    trial: &mut dyn FnMut(usize) -> Result<Trial, E>,
) -> Result<Option<End>, E> {
    let middle = low + (high - low) / 2;
    let mut between: Vec<usize> = (low + 1..high).collect();
    between.sort_by_key(|place| place.abs_diff(middle));
    for place in between {
        match trial(place)? {
            Trial::Untestable => {}
            ended => return Ok(Some((place, ended))),
        }
    }
    Ok(None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    /// The answer, and how many versions were tried that could be.
    fn search(count: usize, known: Known, trial: impl Fn(usize) -> Trial) -> (Result<Change, NoChange>, usize) {
        let mut runs = 0;
        let found = first_change::<()>(count, known, &mut |place| {
            let ended = trial(place);
            runs += usize::from(ended != Trial::Untestable);
            Ok(ended)
        });
        (found.unwrap(), runs)
    }

    fn fails_from(first: usize) -> impl Fn(usize) -> Trial {
        move |place| if place >= first { Trial::Fails } else { Trial::Passes }
    }

    #[test]
    fn every_place_is_found_in_as_many_runs_as_bits() {
        for count in 2..70usize {
            for first in 1..count {
                let known = Known { good: Some(0), bad: Some(count - 1) };
                let (found, runs) = search(count, known, fails_from(first));
                assert_eq!(found, Ok(Change { before: first - 1, after: first, turns: Trial::Fails }));
                let bits = (count - 1).next_power_of_two().ilog2() as usize;
                assert!(runs <= bits, "{runs} runs for {count} versions");
                let (found, runs) = search(count, Known::default(), fails_from(first));
                assert_eq!(found.unwrap().after, first);
                assert!(runs <= bits + 2);
            }
        }
    }

    #[test]
    fn it_may_pass_from_a_version_on() {
        let passes_from_5 = |place| if place >= 5 { Trial::Passes } else { Trial::Fails };
        let expected = Ok(Change { before: 4, after: 5, turns: Trial::Passes });
        assert_eq!(search(9, Known::default(), passes_from_5).0, expected);
        assert_eq!(search(9, Known { good: Some(8), bad: Some(1) }, passes_from_5).0, expected);
        assert_eq!(search(9, Known { good: Some(8), bad: None }, passes_from_5).0, Err(NoChange::Untestable));
        assert_eq!(search(9, Known { good: None, bad: Some(8) }, fails_from(3)).0.unwrap().after, 3);
        assert_eq!(search(9, Known { good: Some(0), bad: None }, fails_from(3)).0.unwrap().after, 3);
    }

    #[test]
    fn versions_that_cannot_be_tried_are_passed_over() {
        let odd_only = |first: usize| {
            move |place: usize| if place.is_multiple_of(2) { Trial::Untestable } else { fails_from(first)(place) }
        };
        let (found, _) = search(20, Known::default(), odd_only(9));
        assert_eq!(found, Ok(Change { before: 7, after: 9, turns: Trial::Fails }), "8 may be the first as well");
        assert_eq!(search(20, Known::default(), |_| Trial::Untestable).0, Err(NoChange::Untestable));
    }

    #[test]
    fn the_oldest_may_fail_for_other_reasons() {
        for (from, to, count) in [(3, 40, 50), (10, 48, 50), (30, 31, 32), (1, 2, 3), (20, 47, 200)] {
            let passes_between = |place: usize| if (from..to).contains(&place) { Trial::Passes } else { Trial::Fails };
            let (found, runs) = search(count, Known::default(), passes_between);
            // Steps that double may step over a few that pass.
            if to - from > count - to {
                assert_eq!(found, Ok(Change { before: to - 1, after: to, turns: Trial::Fails }));
            }
            assert!(runs <= 2 + 2 * count.next_power_of_two().ilog2() as usize, "{runs} of {count}");
        }
    }

    #[test]
    fn where_nothing_changes_nothing_is_found() {
        assert_eq!(search(20, Known::default(), |_| Trial::Passes).0, Err(NoChange::Alike(Trial::Passes)));
        assert_eq!(search(1, Known::default(), |_| Trial::Passes).0, Err(NoChange::Untestable));
        assert_eq!(search(0, Known::default(), |_| Trial::Passes).0, Err(NoChange::Untestable));
    }
}
