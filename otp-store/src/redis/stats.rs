//! What is counted: each tenant's counters of a name lie on one shelf.

use std::collections::BTreeMap;

use async_trait::async_trait;
use otp_core::request::Tenant;
use otp_core::store::{StatKey, StatName, StatWindow, StatsStore, StoreError, StoreErrorKind};
use serde_json::{Value, json};

use super::shelf::Shelf;
use super::{RedisStore, script};
use crate::wire::{corrupt, stats};

/// A tenant's counters of a name.
type Board<'k> = (StatName, &'k Tenant);
/// The values that are asked for, and where each one stands.
type Asked<'k> = (Vec<&'k str>, Vec<usize>);

impl RedisStore {
    fn board(&self, name: StatName, tenant: &Tenant) -> &Shelf {
        let named = format!("stat:{}:{}", name.as_str(), tenant.as_str());
        self.inner.keys.shelves.of_name(&named)
    }

    /// Gives what belongs on each shelf.
    fn by_shelf<T>(
        &self,
        parts: impl IntoIterator<Item = T>,
        of: impl Fn(&T) -> Board<'_>,
    ) -> Vec<(&Shelf, Vec<T>)> {
        let mut sorted: Vec<(&Shelf, Vec<T>)> = Vec::new();
        for part in parts {
            let (name, tenant) = of(&part);
            let shelf = self.board(name, tenant);
            match sorted.iter_mut().find(|(known, _)| known.is(shelf)) {
                Some((_, parts)) => parts.push(part),
                None => sorted.push((shelf, vec![part])),
            }
        }
        sorted
    }
}

#[async_trait]
impl StatsStore for RedisStore {
    async fn count(&self, counts: &[(StatKey, u32)]) -> Result<(), StoreError> {
        let merged = StatKey::merged(counts)?;
        let sorted = self.by_shelf(merged, |(key, _)| (key.name(), key.tenant()));
        let begun = sorted.into_iter().map(|(shelf, counts)| {
            let counts: Value = counts.into_iter().map(stats::count).collect();
            let request = self.request(shelf, "count").with("counts", counts).grains();
            self.begin(shelf, &script::STATS, request)
        });
        let mut failure = None;
        for pending in begun.collect::<Vec<_>>() {
            failure = pending.answer().await.err().or(failure);
        }
        failure.map_or(Ok(()), Err)
    }

    async fn sums(&self, keys: &[StatKey], window: StatWindow) -> Result<Vec<u64>, StoreError> {
        if keys.len() > StatKey::MOST {
            return Err(StoreErrorKind::Invalid.into());
        }
        let mut boards = BTreeMap::<Board<'_>, Asked<'_>>::new();
        for (place, key) in keys.iter().enumerate() {
            let (values, places) = boards.entry((key.name(), key.tenant())).or_default();
            values.push(key.value());
            places.push(place);
        }
        let sorted = self.by_shelf(boards, |(board, _)| *board);
        let begun = sorted.into_iter().map(|(shelf, boards)| {
            let places: Vec<usize> = boards.iter().flat_map(|(_, (_, at))| at.clone()).collect();
            let request = self
                .request(shelf, "sums")
                .with("boards", boards_of(&boards))
                .window(window);
            (places, self.begin(shelf, &script::STATS, request))
        });
        let mut sums = vec![0; keys.len()];
        for (places, pending) in begun.collect::<Vec<_>>() {
            let answered = stats::sums(&pending.answer().await?, places.len())?;
            for (place, sum) in places.into_iter().zip(answered) {
                *sums.get_mut(place).ok_or_else(|| corrupt("an answer"))? = sum;
            }
        }
        Ok(sums)
    }

    async fn top(
        &self,
        name: StatName,
        tenant: &Tenant,
        window: StatWindow,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let shelf = self.board(name, tenant);
        let request = self
            .request(shelf, "top")
            .text("name", name.as_str())
            .text("tenant", tenant.as_str())
            .with("limit", limit.min(StatKey::MOST).into())
            .window(window);
        stats::top(&self.ask(shelf, &script::STATS, request).await?)
    }
}

/// Writes boards with the values that are asked for; the sums come in the same order.
fn boards_of(boards: &[(Board<'_>, Asked<'_>)]) -> Value {
    let write = |((name, tenant), (values, _)): &(Board<'_>, Asked<'_>)| json!({"name": name.as_str(), "tenant": tenant.as_str(), "values": values});
    boards.iter().map(write).collect()
}
