//! One bucket in this process.

use super::log::Log;
use crate::quota::gcra::{self, Rate};
use crate::quota::moment::{ceil_millis, micros};
use crate::quota::reading::Level;
use crate::quota::window;
use crate::quota::{Quota, Shape};

/// What a bucket keeps: its usage, and the quota that it was counted under.
///
/// The quota is kept so that a changed one can be applied to what is already used.
pub(super) enum Cell {
    Rate { rate: Rate, tat_us: i64 },
    Window(Log),
}

impl Cell {
    /// Makes a bucket that was never hit.
    pub(super) fn fresh(shape: Shape, now_ms: i64) -> Self {
        Self::remembering(shape, 0, now_ms)
    }

    fn remembering(shape: Shape, used: u32, as_of_ms: i64) -> Self {
        match shape {
            Shape::Rate(rate) => Self::Rate {
                rate,
                tat_us: gcra::remembering(rate, used, micros(as_of_ms)),
            },
            Shape::Window(window) => Self::Window(Log::of(window, used, as_of_ms)),
        }
    }

    /// Restates what is used under a quota of another kind or rate.
    ///
    /// A bucket never gets emptier by it than the new quota lets a bucket be. Windows need no
    /// restating among themselves: the log is the same.
    pub(super) fn restated(&self, shape: Shape, now_ms: i64) -> Option<Self> {
        let (used, as_of_ms) = match (self, shape) {
            (Self::Window(_), Shape::Window(_)) => return None,
            (Self::Rate { rate, .. }, Shape::Rate(asked)) if *rate == asked => return None,
            (Self::Rate { rate, tat_us }, _) => {
                let (used, as_of_us) = gcra::used(*rate, *tat_us, micros(now_ms));
                (used, ceil_millis(as_of_us))
            }
            (Self::Window(log), _) => (log.used(now_ms), log.as_of(now_ms)),
        };
        Some(Self::remembering(shape, used, as_of_ms))
    }

    /// Applies a changed quota to the bucket, before anything is decided under it.
    pub(super) fn adopt(&mut self, shape: Shape, now_ms: i64) {
        if let Some(restated) = self.restated(shape, now_ms) {
            *self = restated;
        }
    }

    /// Reads the bucket under a quota.
    pub(super) fn look(&self, quota: Quota, now_ms: i64) -> Level {
        match (
            self.restated(quota.shape(), now_ms)
                .as_ref()
                .unwrap_or(self),
            quota.shape(),
        ) {
            (Self::Rate { tat_us, .. }, Shape::Rate(rate)) => {
                gcra::look(rate, Some(*tat_us), micros(now_ms))
            }
            (Self::Window(log), Shape::Window(window)) => {
                window::look(window, log.hits(window, now_ms), now_ms)
            }
            // Restated buckets are of the quota's kind.
            (_, shape) => Self::untouched(shape),
        }
    }

    /// Reads a bucket that was never hit.
    pub(super) fn untouched(shape: Shape) -> Level {
        match shape {
            Shape::Rate(rate) => gcra::look(rate, None, 0),
            Shape::Window(window) => window::look(window, None, 0),
        }
    }

    /// Counts one hit and reads the bucket after it, or refuses it and reads the bucket as it is.
    pub(super) fn take(&mut self, quota: Quota, now_ms: i64) -> Level {
        self.adopt(quota.shape(), now_ms);
        match (&mut *self, quota.shape()) {
            (Self::Rate { tat_us, .. }, Shape::Rate(rate)) => {
                match gcra::decide(rate, Some(*tat_us), micros(now_ms)) {
                    gcra::Decision::Admit {
                        tat_us: next,
                        level,
                    } => {
                        *tat_us = next;
                        level
                    }
                    gcra::Decision::Refuse { level } => level,
                }
            }
            (Self::Window(log), Shape::Window(window)) => {
                match window::decide(window, log.hits(window, now_ms), now_ms) {
                    window::Decision::Admit { level, .. } => {
                        log.push(window, now_ms);
                        level
                    }
                    window::Decision::Refuse { level } => level,
                }
            }
            // Restated buckets are of the quota's kind.
            (_, shape) => Self::untouched(shape),
        }
    }

    /// When the bucket is as if never hit.
    pub(super) fn resets_at_ms(&self) -> i64 {
        match self {
            Self::Rate { tat_us, .. } => ceil_millis(*tat_us),
            Self::Window(log) => log.resets_at_ms(),
        }
    }

    /// Whether the next hit would be refused.
    pub(super) fn is_refusing(&self, now_ms: i64) -> bool {
        match self {
            Self::Rate { rate, tat_us } => gcra::look(*rate, Some(*tat_us), micros(now_ms))
                .retry_after
                .is_some(),
            Self::Window(log) => log.is_full(now_ms),
        }
    }
}
