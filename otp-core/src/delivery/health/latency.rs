use std::time::Duration;

use crate::clock::Timestamp;

/// Up to 1, 2, 4, ... 16,384 milliseconds, and more.
const BUCKETS: usize = 16;
/// How long a histogram is filled before the next one is begun.
const PERIOD: Duration = Duration::from_secs(300);

/// How long a provider's answers took since the process began: what a histogram is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerTimes {
    counts: [u64; BUCKETS],
    sum: Duration,
}

impl AnswerTimes {
    fn add(&mut self, took: Duration) {
        if let Some(count) = self.counts.get_mut(bucket(took)) {
            *count = count.saturating_add(1);
        }
        self.sum = self.sum.saturating_add(took);
    }

    /// Adds up the answers of two records.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self.sum = self.sum.saturating_add(other.sum);
        self
    }

    /// Counts the answers that took up to each bound: 1, 2, 4 and so on up to 16,384 milliseconds.
    pub fn within(&self) -> impl Iterator<Item = (Duration, u64)> {
        let bounds = (0..BUCKETS.saturating_sub(1)).map(|power| Duration::from_millis(1 << power));
        let mut seen = 0_u64;
        bounds.zip(self.counts).map(move |(bound, count)| {
            seen = seen.saturating_add(count);
            (bound, seen)
        })
    }

    /// Counts all answers.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds up how long they took.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }
}

/// A moving average over about the last ten.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Average {
    micros: Option<u64>,
}

impl Average {
    pub(super) fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros = Some(match self.micros {
            None => micros,
            Some(average) => (average / 10).saturating_mul(9).saturating_add(micros / 10),
        });
    }

    pub(super) fn read(self) -> Option<Duration> {
        self.micros.map(Duration::from_micros)
    }
}

/// How long answers took: a moving average, and two histograms of five minutes each, the one that
/// is being filled and the one before. A fixed size, however many answers there are.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    average: Average,
    begun: Option<Timestamp>,
    filling: [u32; BUCKETS],
    before: [u32; BUCKETS],
    all: AnswerTimes,
}

impl Latencies {
    pub(super) fn add(&mut self, took: Duration, now: Timestamp) {
        self.all.add(took);
        self.average.add(took);
        self.turn(now);
        if let Some(count) = self.filling.get_mut(bucket(took)) {
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn all(&self) -> &AnswerTimes {
        &self.all
    }

    pub(super) fn average(&self) -> Option<Duration> {
        self.average.read()
    }

    /// The upper bound of the bucket that the 95th of a hundred falls into, of what is recent.
    pub(super) fn p95(&self, now: Timestamp) -> Option<Duration> {
        let age = now.since(self.begun?);
        let both: Vec<u64> = self
            .filling
            .iter()
            .zip(&self.before)
            .map(|(filling, before)| {
                let filling = if age < PERIOD * 2 { *filling } else { 0 };
                let before = if age < PERIOD { *before } else { 0 };
                u64::from(filling).saturating_add(before.into())
            })
            .collect();
        let all: u64 = both.iter().sum();
        let wanted = all.saturating_mul(95).div_ceil(100);
        let mut seen = 0_u64;
        for (index, count) in both.iter().enumerate() {
            seen = seen.saturating_add(*count);
            if wanted > 0 && seen >= wanted {
                return Some(Duration::from_millis(1 << index));
            }
        }
        None
    }

    fn turn(&mut self, now: Timestamp) {
        let begun = *self.begun.get_or_insert(now);
        // A clock that was set back begins anew: old answers do not stay recent for ever.
        let age = if now < begun {
            PERIOD * 2
        } else {
            now.since(begun)
        };
        if age >= PERIOD {
            let filled = std::mem::take(&mut self.filling);
            self.before = if age < PERIOD * 2 {
                filled
            } else {
                [0; BUCKETS]
            };
            self.begun = Some(now);
        }
    }
}

fn bucket(took: Duration) -> usize {
    let millis = u64::try_from(took.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
    let bits = match millis {
        0 | 1 => 0,
        more => u64::BITS - (more - 1).leading_zeros(),
    };
    usize::try_from(bits).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn buckets_are_powers_of_two_and_the_last_takes_the_rest() {
        let found = [0, 1, 2, 3, 4, 5, 1_024, 1_025, 16_384, 32_768, 99_999_999]
            .map(|took| bucket(millis(took)));
        assert_eq!(found, [0, 0, 1, 2, 2, 3, 10, 11, 14, 15, 15]);
    }

    #[test]
    fn the_95th_of_a_hundred_is_under_what_is_said_and_five_slow_ones_do_not_show() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.p95(NOW), None);
        for _ in 0..95 {
            latencies.add(millis(100), NOW);
        }
        for _ in 0..5 {
            latencies.add(millis(9_000), NOW);
        }
        assert_eq!(latencies.p95(NOW), Some(millis(128)));
        latencies.add(millis(9_000), NOW);
        assert_eq!(latencies.p95(NOW), Some(millis(16_384)));
    }

    #[test]
    fn what_is_long_ago_is_forgotten_also_where_the_clock_was_set_back() {
        let mut latencies = Latencies::default();
        latencies.add(millis(9_000), NOW);
        let soon = NOW.saturating_add(PERIOD);
        latencies.add(millis(1), soon);
        assert_eq!(latencies.p95(soon), Some(millis(16_384)));
        assert_eq!(latencies.p95(soon.saturating_add(PERIOD)), Some(millis(1)));
        assert_eq!(latencies.p95(soon.saturating_add(PERIOD * 2)), None);
        latencies.add(millis(1), NOW.saturating_sub(PERIOD));
        assert_eq!(latencies.p95(NOW.saturating_sub(PERIOD)), Some(millis(1)));
    }

    #[test]
    fn all_answers_are_counted_within_their_bounds_for_good() {
        let mut latencies = Latencies::default();
        for (took, at) in [(3, 0), (1_024, 1), (60_000, 3)] {
            latencies.add(millis(took), NOW.saturating_add(PERIOD * at));
        }
        let both = latencies.all().clone().and(latencies.all());
        let of = |bound| both.within().find(|(within, _)| *within == millis(bound));
        let counts = [2, 4, 1_024, 16_384].map(|bound| of(bound).map(|(_, count)| count));
        assert_eq!(counts, [Some(0), Some(2), Some(4), Some(4)]);
        assert_eq!((both.count(), both.sum()), (6, millis(2 * 61_027)));
    }

    #[test]
    fn the_average_follows() {
        let mut latencies = Latencies::default();
        latencies.add(millis(10), NOW);
        assert_eq!(latencies.average(), Some(millis(10)));
        for _ in 0..200 {
            latencies.add(millis(1_000), NOW);
        }
        let average = latencies.average().expect("some");
        assert!(
            (millis(990)..=millis(1_000)).contains(&average),
            "{average:?}"
        );
    }
}
