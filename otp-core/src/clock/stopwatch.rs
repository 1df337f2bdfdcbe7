//! Measures how long work took; it decides nothing about validity, so it needs no injected clock.

use std::time::{Duration, Instant};

/// Runs from the moment it is started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[expect(
        clippy::disallowed_methods,
        reason = "durations of work, never a point in time"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Reads the time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
