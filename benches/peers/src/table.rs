//! How the sides of a contest compare, as rows of a table.

use std::fmt;

use crate::contest::{Contest, Side};

/// A side and how long one time took it, in each of its turns.
pub(crate) struct Played<'a> {
    pub(crate) side: &'a Side,
    pub(crate) times: Times,
}

/// The middle of several turns and the quartiles around it, in nanoseconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Times {
    low: f64,
    pub(crate) middle: f64,
    high: f64,
}

impl Times {
    pub(crate) fn of(mut turns: Vec<f64>) -> Self {
        turns.sort_by(f64::total_cmp);
        let at = |quarter: usize| {
            turns
                .get(turns.len() * quarter / 4)
                .copied()
                .unwrap_or_default()
        };
        Self {
            low: at(1),
            middle: at(2),
            high: at(3),
        }
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, middle, high } = *self;
        write!(f, "{} ({}-{})", Nanos(middle), Nanos(low), Nanos(high))
    }
}

/// A duration in the unit that suits it.
pub(crate) struct Nanos(pub(crate) f64);

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0 {
            nanos if nanos < 1e3 => (nanos, "ns"),
            nanos if nanos < 1e6 => (nanos / 1e3, "µs"),
            nanos => (nanos / 1e6, "ms"),
        };
        let digits = if number < 10.0 {
            2
        } else {
            usize::from(number < 100.0)
        };
        write!(f, "{number:.digits$} {unit}")
    }
}

/// A row for each peer. A ratio below one says that ours takes less time.
pub(crate) fn rows(contest: &Contest, played: &[Played<'_>]) -> String {
    let Some((ours, peers)) = played.split_first() else {
        return String::new();
    };
    let row = |peer: &Played<'_>| {
        let ratio = ours.times.middle / peer.times.middle;
        let digits = if ratio < 0.1 { 4 } else { 2 };
        let why = if ratio > 1.0 { peer.side.why } else { "" };
        format!(
            "| {} | {} | {} | {} | {ratio:.digits$} | {why} |\n",
            contest.work, ours.times, peer.side.name, peer.times,
        )
    };
    peers.iter().map(row).collect()
}
