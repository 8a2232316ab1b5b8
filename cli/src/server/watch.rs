//! Whether a server gets on: a pure judgement of numbers, made again and again by the holder.
//!
//! A server that is stopped, or whose disk is stuck, answers nothing while somebody waits. It is replaced: that helps at
//! once if it was stopped, and costs nothing but a pause if the disk was slow, since requests are handed out again. Each
//! time in vain the patience doubles; in the end the mount is given up, so that nobody waits for ever.

use std::time::{Duration, Instant};

/// No answer for this long, while somebody waits, is a reason to replace the server.
const PATIENCE: Duration = Duration::from_secs(3);

/// No answer from any server for this long is a reason to give the mount up.
const GIVE_UP: Duration = Duration::from_secs(120);

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody waits.
    Idle,
    /// It works, or it is too early to say that it does not.
    Working,
    /// Replace the server.
    Replace,
    /// Take the mount away from everybody.
    GiveUp,
}

/// What was seen before.
#[derive(Debug, Default)]
pub struct Watch {
    answered: u64,
    stalled_since: Option<Instant>,
    replaced: u32,
}

impl Watch {
    /// Judges: `waiting` requests that no server took, or `in_flight` ones, and `answered` so far.
    pub fn look(&mut self, now: Instant, waiting: bool, in_flight: u64, answered: u64) -> Verdict {
        let busy = waiting || in_flight > 0;
        if answered != self.answered || !busy {
            *self = Self { answered, ..Self::default() };
            return if busy { Verdict::Working } else { Verdict::Idle };
        }
        let stalled = now.duration_since(*self.stalled_since.get_or_insert(now));
        // after 3, 9, 21, 45, 93 seconds
        let patience = PATIENCE * (2u32.saturating_pow(self.replaced + 1) - 1);
        if stalled >= GIVE_UP {
            return Verdict::GiveUp;
        }
        if stalled < patience {
            return Verdict::Working;
        }
        self.replaced += 1;
        Verdict::Replace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(looks: &[(u64, bool, u64, u64)]) -> Vec<Verdict> {
        let (start, mut watch) = (Instant::now(), Watch::default());
        let at = |seconds| start + Duration::from_secs(seconds);
        looks
            .iter()
            .map(|(seconds, waiting, in_flight, answered)| watch.look(at(*seconds), *waiting, *in_flight, *answered))
            .collect()
    }

    #[test]
    fn a_server_that_gets_on_is_left_alone() {
        use Verdict::{Idle, Working};
        let looks = [(0, false, 0, 0), (1, true, 2, 5), (5, true, 2, 9), (9, true, 2, 10), (20, false, 0, 12)];
        assert_eq!(judge(&looks), [Idle, Working, Working, Working, Idle]);
        assert_eq!(judge(&[(0, true, 0, 0), (2, true, 0, 0), (4, false, 0, 0), (6, true, 0, 0)])[3], Working);
    }

    #[test]
    fn a_stopped_or_stuck_one_is_replaced_with_growing_patience() {
        use Verdict::{GiveUp, Replace, Working};
        let stopped = [(0, true, 0, 7), (1, true, 0, 7), (2, true, 0, 7), (4, true, 0, 7)];
        assert_eq!(judge(&stopped), [Working, Working, Working, Replace]);
        let stuck = [0, 3, 4, 8, 9, 20, 21, 45, 93, 119, 120].map(|second| (second, false, 1, 0));
        let verdicts = judge(&stuck);
        let expected =
            [Working, Replace, Working, Working, Replace, Working, Replace, Replace, Replace, Working, GiveUp];
        assert_eq!(verdicts, expected);
    }

    #[test]
    fn an_answer_restores_the_patience() {
        let looks = [(0, true, 1, 0), (3, true, 1, 0), (5, true, 1, 1), (7, true, 1, 1), (10, true, 1, 1)];
        assert_eq!(judge(&looks)[1..], [Verdict::Replace, Verdict::Working, Verdict::Working, Verdict::Replace]);
    }
}
