//! The decision of a window, as a pure function over integers.
//!
//! An engine keeps the times of the hits and answers three questions about those inside the
//! window; [`decide`] does the rest. All values are milliseconds since the Unix epoch.

use std::num::NonZeroU32;
use std::time::Duration;

use super::reading::Level;

/// The parameters of a window: its length and the most hits in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    length_ms: i64,
    max: NonZeroU32,
}

impl Window {
    pub(super) fn new(max: NonZeroU32, length_ms: i64) -> Self {
        Self { length_ms, max }
    }

    /// The most hits in any window.
    #[must_use]
    pub fn max(&self) -> u32 {
        self.max.get()
    }

    /// The length in milliseconds.
    #[must_use]
    pub fn length_ms(&self) -> i64 {
        self.length_ms
    }

    /// The moment that counts as now for a log whose newest hit is this one.
    ///
    /// A clock that went back behind the newest hit stands still there, so that no hit is ever
    /// younger than the moment it is judged at. A new hit is logged at this moment.
    #[must_use]
    pub fn as_of(&self, newest_ms: Option<i64>, now_ms: i64) -> i64 {
        newest_ms.map_or(now_ms, |newest| newest.max(now_ms))
    }

    /// The last moment that is out of the window: a hit counts when it is later than this.
    #[must_use]
    pub fn horizon(&self, as_of_ms: i64) -> i64 {
        as_of_ms.saturating_sub(self.length_ms)
    }

    /// The smallest window that needs no hit which either of the two does not need.
    pub(super) fn covering(self, other: Self) -> Self {
        Self {
            length_ms: self.length_ms.max(other.length_ms),
            max: self.max.max(other.max),
        }
    }
}

/// What an engine found inside the window, all of it later than [`Window::horizon`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hits {
    /// How many there are.
    pub count: u32,
    /// The hit that must leave before there is room: the oldest of the newest [`Window::max`].
    ///
    /// That is the oldest of all, unless the quota was lowered beneath what is already there.
    pub leaves_first_ms: i64,
    /// The newest of them.
    pub newest_ms: i64,
}

/// What a window says to one hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The hit is admitted; the log must now keep it.
    Admit {
        /// The time to log it at, never earlier than any other in the log.
        at_ms: i64,
        /// The log after the hit.
        level: Level,
    },
    /// The hit is refused and the log stays as it is.
    Refuse {
        /// The log as it is; its `retry_after` is set.
        level: Level,
    },
}

/// Decides one hit on a log; `hits` is `None` when nothing is inside the window.
#[must_use]
pub fn decide(window: Window, hits: Option<Hits>, now_ms: i64) -> Decision {
    let before = look(window, hits, now_ms);
    if before.retry_after.is_some() {
        return Decision::Refuse { level: before };
    }
    let at_ms = window.as_of(hits.map(|hits| hits.newest_ms), now_ms);
    let level = Level {
        remaining: before.remaining.saturating_sub(1),
        reset_after: until(at_ms, window, now_ms),
        retry_after: None,
    };
    Decision::Admit { at_ms, level }
}

/// Reads a log without hitting it; `retry_after` is set when a hit would be refused.
#[must_use]
pub fn look(window: Window, hits: Option<Hits>, now_ms: i64) -> Level {
    let Some(hits) = hits else {
        return Level {
            remaining: window.max(),
            reset_after: Duration::ZERO,
            retry_after: None,
        };
    };
    let remaining = window.max().saturating_sub(hits.count);
    Level {
        remaining,
        reset_after: until(hits.newest_ms, window, now_ms),
        retry_after: (remaining == 0).then(|| until(hits.leaves_first_ms, window, now_ms)),
    }
}

/// How long until a hit has left the window.
fn until(hit_ms: i64, window: Window, now_ms: i64) -> Duration {
    let left = hit_ms
        .saturating_add(window.length_ms)
        .saturating_sub(now_ms);
    Duration::from_millis(u64::try_from(left).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{Decision, Hits, decide, look};
    use crate::quota::{Quota, Shape};
    use std::time::Duration;

    fn five_a_second() -> super::Window {
        match Quota::window(5, Duration::from_secs(1)).unwrap().shape() {
            Shape::Window(window) => window,
            Shape::Rate(_) => panic!("a window has the shape of one"),
        }
    }

    #[test]
    fn an_empty_log_has_everything_left() {
        let level = look(five_a_second(), None, 7);
        assert_eq!((level.remaining, level.retry_after), (5, None));
        assert_eq!(level.reset_after, Duration::ZERO);
    }

    #[test]
    fn a_full_log_says_when_its_oldest_hit_leaves() {
        let hits = Hits {
            count: 5,
            leaves_first_ms: 100,
            newest_ms: 900,
        };
        let Decision::Refuse { level } = decide(five_a_second(), Some(hits), 950) else {
            panic!("a full log must refuse");
        };
        assert_eq!(level.retry_after, Some(Duration::from_millis(150)));
        assert_eq!(level.reset_after, Duration::from_millis(950));
    }

    #[test]
    fn a_clock_behind_the_newest_hit_logs_at_that_hit() {
        let hits = Hits {
            count: 4,
            leaves_first_ms: 800,
            newest_ms: 900,
        };
        let Decision::Admit { at_ms, level } = decide(five_a_second(), Some(hits), 10) else {
            panic!("a log with room must admit");
        };
        assert_eq!((at_ms, level.remaining), (900, 0));
        assert_eq!(level.reset_after, Duration::from_millis(1_890));
    }
}
