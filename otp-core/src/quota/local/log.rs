//! The log of a window in this process.

use crate::quota::window::{Hits, Window};

/// The hits of one bucket, oldest first, and the window that the last of them was admitted under.
///
/// Hits that have left the window stay until their place is needed, so that a hit is one push.
pub(super) struct Log {
    hits: Vec<i64>,
    window: Window,
}

impl Log {
    /// Makes the log of a bucket that remembers so many hits, all at one moment.
    pub(super) fn of(window: Window, count: u32, at_ms: i64) -> Self {
        let count = usize::try_from(count.min(window.max())).unwrap_or(0);
        Self {
            hits: vec![at_ms; count],
            window,
        }
    }

    fn newest(&self) -> Option<i64> {
        self.hits.last().copied()
    }

    /// The moment that counts as now.
    pub(super) fn as_of(&self, now_ms: i64) -> i64 {
        self.window.as_of(self.newest(), now_ms)
    }

    /// Finds what is inside a window.
    pub(super) fn hits(&self, window: Window, now_ms: i64) -> Option<Hits> {
        let newest_ms = self.newest()?;
        let outside = self.outside(window, now_ms);
        let inside = self.hits.get(outside..).unwrap_or_default();
        let excess = inside
            .len()
            .saturating_sub(usize::try_from(window.max()).unwrap_or(usize::MAX));
        Some(Hits {
            count: u32::try_from(inside.len()).unwrap_or(u32::MAX),
            leaves_first_ms: inside.get(excess).copied()?,
            newest_ms,
        })
    }

    /// Counts the hits inside the log's own window.
    pub(super) fn used(&self, now_ms: i64) -> u32 {
        self.hits(self.window, now_ms).map_or(0, |hits| hits.count)
    }

    /// When the last hit leaves the window.
    pub(super) fn resets_at_ms(&self) -> i64 {
        self.newest()
            .map_or(0, |newest| newest.saturating_add(self.window.length_ms()))
    }

    pub(super) fn is_full(&self, now_ms: i64) -> bool {
        self.used(now_ms) >= self.window.max()
    }

    /// Logs a hit that the window has admitted.
    pub(super) fn push(&mut self, window: Window, now_ms: i64) {
        let at_ms = self.as_of(now_ms);
        let most = usize::try_from(window.max()).unwrap_or(usize::MAX);
        if self.hits.len() == self.hits.capacity() || self.hits.len() >= most {
            let outside = self.outside(window, now_ms);
            self.hits.drain(..outside);
            let more = self
                .hits
                .len()
                .clamp(1, most.saturating_sub(self.hits.len()).max(1));
            if self.hits.len() == self.hits.capacity() {
                self.hits.reserve_exact(more);
            }
        }
        self.hits.push(at_ms);
        self.window = window;
    }

    fn outside(&self, window: Window, now_ms: i64) -> usize {
        let horizon = window.horizon(self.as_of(now_ms));
        self.hits.partition_point(|hit| *hit <= horizon)
    }
}

#[cfg(test)]
mod tests {
    use super::Log;
    use crate::quota::{Quota, Shape, window::Window};
    use std::time::Duration;

    fn window(max: u32, ms: u64) -> Window {
        match Quota::window(max, Duration::from_millis(ms))
            .unwrap()
            .shape()
        {
            Shape::Window(window) => window,
            Shape::Rate(_) => panic!("a window has the shape of one"),
        }
    }

    #[test]
    fn a_log_keeps_no_more_hits_than_its_window_allows() {
        let window = window(3, 10);
        let mut log = Log::of(window, 0, 0);
        for now in 0..1_000 {
            if !log.is_full(now) {
                log.push(window, now);
            }
            assert!(log.hits.len() <= 3 && log.hits.capacity() <= 4);
        }
    }

    #[test]
    fn a_lowered_maximum_waits_for_the_hit_that_makes_room() {
        let wide = window(4, 100);
        let mut log = Log::of(wide, 0, 0);
        for now in [0, 10, 20, 30] {
            log.push(wide, now);
        }
        let hits = log.hits(window(2, 100), 40).unwrap();
        assert_eq!(
            (hits.count, hits.leaves_first_ms, hits.newest_ms),
            (4, 20, 30)
        );
        assert_eq!(log.hits(wide, 130), None);
    }
}
