use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::request::Tenant;
use otp_core::store::{
    StatGrain, StatKey, StatName, StatWindow, StatsStore, StoreError, StoreErrorKind,
};

use super::{MemoryStore, lock};

/// Of a full table this share goes at once, so that not every new counter looks at all of them.
const SHARE: usize = 16;

/// What was counted, by the minute and by the hour.
#[derive(Debug)]
pub(super) struct Stats {
    series: HashMap<StatKey, Series>,
    capacity: usize,
}

/// One counter: the minutes and the hours that counted something, oldest first.
#[derive(Debug, Default)]
struct Series([VecDeque<(Timestamp, u64)>; StatGrain::ALL.len()]);

impl Series {
    fn slots(&self, grain: StatGrain) -> &VecDeque<(Timestamp, u64)> {
        let Self([minutes, hours]) = self;
        match grain {
            StatGrain::Minute => minutes,
            StatGrain::Hour => hours,
        }
    }

    fn add(&mut self, count: u64, now: Timestamp) {
        for (slots, grain) in self.0.iter_mut().zip(StatGrain::ALL) {
            let begin = grain.begin(now);
            match slots.back_mut() {
                Some((last, sum)) if *last == begin => *sum = sum.saturating_add(count),
                _ => slots.push_back((begin, count)),
            }
        }
        self.drop_lapsed(now);
    }

    fn drop_lapsed(&mut self, now: Timestamp) {
        for (slots, grain) in self.0.iter_mut().zip(StatGrain::ALL) {
            let over = |(begin, _): &(Timestamp, u64)| begin.saturating_add(grain.life()) <= now;
            while slots.front().is_some_and(over) {
                slots.pop_front();
            }
        }
    }

    fn sum(&self, window: StatWindow, now: Timestamp) -> u64 {
        let begin = window.begin(now);
        let newest_first = self.slots(window.grain()).iter().rev();
        newest_first
            .take_while(|(at, _)| *at >= begin)
            .fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    fn is_over(&self, now: Timestamp) -> bool {
        let last = self.slots(StatGrain::Hour).back();
        last.is_none_or(|(begin, _)| begin.saturating_add(StatGrain::Hour.life()) <= now)
    }
}

impl Stats {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            series: HashMap::new(),
            capacity: capacity.get(),
        }
    }

    fn add(&mut self, key: &StatKey, count: u64, now: Timestamp) {
        if let Some(series) = self.series.get_mut(key) {
            series.add(count, now);
            return;
        }
        if self.series.len() >= self.capacity {
            self.make_room(now);
        }
        let series = self.series.entry(key.clone()).or_default();
        series.add(count, now);
    }

    /// Lets go of what is over, and where that is nothing, of the smallest of the week.
    fn make_room(&mut self, now: Timestamp) {
        self.series.retain(|_, series| !series.is_over(now));
        if self.series.len() < self.capacity {
            return;
        }
        let share = self.capacity.div_ceil(SHARE);
        let sums = self.series.iter();
        let mut sums: Vec<(u64, StatKey)> = sums
            .map(|(key, series)| (series.sum(StatWindow::WEEK, now), key.clone()))
            .collect();
        sums.sort_unstable();
        for (_, key) in sums.iter().take(share) {
            self.series.remove(key);
        }
    }

    /// Removes up to `limit` counters that are over, and answers how many.
    pub(super) fn purge(&mut self, limit: usize, now: Timestamp) -> usize {
        super::seen::drop_over(&mut self.series, limit, |series| series.is_over(now))
    }
}

#[async_trait]
impl StatsStore for MemoryStore {
    async fn count(&self, counts: &[(StatKey, u32)]) -> Result<(), StoreError> {
        let merged = StatKey::merged(counts)?;
        let mut stats = lock(&self.inner.stats);
        // The time is read under the lock, so that the minutes of a counter come in their order.
        let now = self.now()?;
        for (key, count) in merged {
            stats.add(key, count, now);
        }
        Ok(())
    }

    async fn sums(&self, keys: &[StatKey], window: StatWindow) -> Result<Vec<u64>, StoreError> {
        if keys.len() > StatKey::MOST {
            return Err(StoreErrorKind::Invalid.into());
        }
        let stats = lock(&self.inner.stats);
        let now = self.now()?;
        let sum = |key| {
            let series = stats.series.get(key);
            series.map_or(0, |series| series.sum(window, now))
        };
        Ok(keys.iter().map(sum).collect())
    }

    async fn top(
        &self,
        name: StatName,
        tenant: &Tenant,
        window: StatWindow,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let mut sums = Vec::new();
        {
            let stats = lock(&self.inner.stats);
            let now = self.now()?;
            for (key, series) in &stats.series {
                if key.name() == name && key.tenant() == tenant && !key.value().is_empty() {
                    let sum = series.sum(window, now);
                    sums.extend((sum > 0).then(|| (key.value().to_owned(), sum)));
                }
            }
        }
        sums.sort_unstable_by(|(one, a), (two, b)| (Reverse(a), one).cmp(&(Reverse(b), two)));
        sums.truncate(limit.min(StatKey::MOST));
        Ok(sums)
    }
}
