//! Counters and histograms by their labels.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::label::{MOST, Words};
use super::page::{Kind, Page, in_seconds};

/// The most series of a family: beyond that every new one is counted under `other`.
const SERIES: usize = 1_000;

/// The upper bounds of a histogram in milliseconds: 200 and 500 are what a check and a start may
/// take, 1,000 what a vendor may.
const BOUNDS: [u64; 12] = [
    5, 10, 25, 50, 100, 200, 300, 500, 1_000, 2_500, 5_000, 10_000,
];

/// What a family has of one series.
pub(super) trait Cell: Default + std::fmt::Debug {
    const KIND: Kind;

    fn write(&self, page: &mut Page, name: &'static str, labels: &[(&str, &str)]);
}

impl Cell for u64 {
    const KIND: Kind = Kind::Counter;

    fn write(&self, page: &mut Page, name: &'static str, labels: &[(&str, &str)]) {
        page.sample(name, labels, *self);
    }
}

/// How long things took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spread {
    within: [u64; BOUNDS.len()],
    count: u64,
    sum: Duration,
}

impl Spread {
    fn add(&mut self, took: Duration) {
        for (bound, within) in BOUNDS.iter().zip(&mut self.within) {
            if took <= Duration::from_millis(*bound) {
                *within = within.saturating_add(1);
            }
        }
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(took);
    }
}

impl Cell for Spread {
    const KIND: Kind = Kind::Histogram;

    fn write(&self, page: &mut Page, name: &'static str, labels: &[(&str, &str)]) {
        let within = BOUNDS
            .iter()
            .zip(self.within)
            .map(|(bound, count)| (Duration::from_millis(*bound), count));
        histogram(page, name, labels, within, self.count, self.sum);
    }
}

/// Writes one histogram; `within` counts what took up to each bound.
pub(super) fn histogram(
    page: &mut Page,
    name: &str,
    labels: &[(&str, &str)],
    within: impl Iterator<Item = (Duration, u64)>,
    count: u64,
    sum: Duration,
) {
    let bucket = format!("{name}_bucket");
    let mut bounded = |bound: &str, count| {
        let labels = [labels, &[("le", bound)]].concat();
        page.sample(&bucket, &labels, count);
    };
    for (bound, count) in within {
        bounded(&in_seconds(bound), count);
    }
    bounded("+Inf", count);
    page.seconds(&format!("{name}_sum"), labels, sum);
    page.sample(&format!("{name}_count"), labels, count);
}

/// A family: a name, what it says, and a bounded number of series by `N` labels.
#[derive(Debug)]
pub(super) struct Family<const N: usize, C> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; N],
    series: Mutex<Series<N, C>>,
}

#[derive(Debug)]
struct Series<const N: usize, C> {
    words: [Words; N],
    cells: BTreeMap<[u16; N], C>,
}

/// Things that only grow in number.
pub(super) type Counters<const N: usize> = Family<N, u64>;
/// Times by their length.
pub(super) type Spreads<const N: usize> = Family<N, Spread>;

impl<const N: usize, C: Cell> Family<N, C> {
    pub(super) fn new(name: &'static str, labels: [&'static str; N], help: &'static str) -> Self {
        Self::up_to(MOST, name, labels, help)
    }

    /// Makes a family whose labels have other bounds.
    pub(super) fn up_to(
        most: usize,
        name: &'static str,
        labels: [&'static str; N],
        help: &'static str,
    ) -> Self {
        Self {
            name,
            help,
            labels,
            series: Mutex::new(Series {
                words: std::array::from_fn(|_| Words::new(most)),
                cells: BTreeMap::new(),
            }),
        }
    }

    fn change(&self, values: [&str; N], change: impl FnOnce(&mut C)) {
        let mut series = self.lock();
        let Series { words, cells } = &mut *series;
        let mut key = [0; N];
        for ((number, words), value) in key.iter_mut().zip(words).zip(values) {
            *number = words.number(value);
        }
        if cells.len() >= SERIES && !cells.contains_key(&key) {
            key = [0; N];
        }
        change(cells.entry(key).or_default());
    }

    /// Writes every series; a family without one still says that it is there.
    pub(super) fn write(&self, page: &mut Page) {
        page.family(C::KIND, self.name, self.help);
        let series = self.lock();
        for (key, cell) in &series.cells {
            let mut labels = [("", ""); N];
            for (index, label) in labels.iter_mut().enumerate() {
                let number = key.get(index).copied().unwrap_or_default();
                let word = series.words.get(index).map(|words| words.word(number));
                let name = self.labels.get(index).copied();
                *label = (name.unwrap_or_default(), word.unwrap_or_default());
            }
            cell.write(page, self.name, &labels);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Series<N, C>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<const N: usize> Counters<N> {
    pub(super) fn count(&self, values: [&str; N]) {
        self.change(values, |count| *count = count.saturating_add(1));
    }

    /// Sums the series that have a value of the label at a place.
    pub(super) fn sum(&self, place: usize, value: &str) -> u64 {
        let series = self.lock();
        let has = |key: &[u16; N]| {
            let number = key.get(place).copied().unwrap_or_default();
            let words = series.words.get(place);
            words.is_some_and(|words| words.word(number) == value)
        };
        let counted = series.cells.iter().filter(|(key, _)| has(key));
        counted.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

impl<const N: usize> Spreads<N> {
    pub(super) fn add(&self, values: [&str; N], took: Duration) {
        self.change(values, |spread| spread.add(took));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<const N: usize, C: Cell>(family: &Family<N, C>) -> String {
        let mut page = Page::default();
        family.write(&mut page);
        page.into_text()
    }

    #[test]
    fn a_histogram_counts_what_took_up_to_each_bound() {
        let spreads = Spreads::new("t", ["of"], "Times.");
        for millis in [5, 200, 201, 60_000] {
            spreads.add(["x"], Duration::from_millis(millis));
        }
        let text = text(&spreads);
        for line in [
            "t_bucket{of=\"x\",le=\"0.005\"} 1",
            "t_bucket{of=\"x\",le=\"0.2\"} 2",
            "t_bucket{of=\"x\",le=\"0.3\"} 3",
            "t_bucket{of=\"x\",le=\"10\"} 3",
            "t_bucket{of=\"x\",le=\"+Inf\"} 4",
            "t_sum{of=\"x\"} 60.406",
            "t_count{of=\"x\"} 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }

    #[test]
    fn series_are_bounded_over_all_labels_together_and_every_count_is_kept() {
        let counters = Counters::up_to(200, "c", ["a", "b"], "Counts.");
        let word = |number: usize| {
            let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or_default());
            [letter(number / 26), letter(number)]
                .iter()
                .collect::<String>()
        };
        for a in 0..100 {
            for b in 0..100 {
                counters.count([&word(a), &word(b)]);
            }
        }
        let text = text(&counters);
        let values = text
            .lines()
            .skip(2)
            .filter_map(|line| line.rsplit_once(' '));
        let counts: Vec<u64> = values
            .map(|(_, value)| value.parse().expect("a count"))
            .collect();
        assert!(counts.len() <= SERIES + 1, "{}", counts.len());
        assert_eq!(counts.iter().sum::<u64>(), 10_000);
    }
}
