use async_trait::async_trait;

use super::ReferenceStore;
use crate::event::Event;
use crate::request::Tenant;
use crate::store::{
    Board, BoardText, PolicyDocument, PolicyRecord, PolicyStore, Posted, Published, StatGrain,
    StatKey, StatName, StatWindow, StatsStore, StoreError, StoreErrorKind,
};

#[async_trait]
impl StatsStore for ReferenceStore {
    async fn count(&self, counts: &[(StatKey, u32)]) -> Result<(), StoreError> {
        let merged = StatKey::merged(counts)?;
        let (mut state, now) = self.begin()?;
        for (key, count) in merged {
            for grain in StatGrain::ALL {
                let slot = (key.clone(), grain, grain.begin(now));
                let sum = state.stats.entry(slot).or_default();
                *sum = sum.saturating_add(count);
            }
        }
        Ok(())
    }

    async fn sums(&self, keys: &[StatKey], window: StatWindow) -> Result<Vec<u64>, StoreError> {
        if keys.len() > StatKey::MOST {
            return Err(StoreErrorKind::Invalid.into());
        }
        let (state, now) = self.begin()?;
        let (grain, from) = (window.grain(), window.begin(now));
        let sum = |key: &StatKey| {
            let slots = state.stats.range((key.clone(), grain, from)..);
            slots
                .take_while(|((of, kept, _), _)| (of, *kept) == (key, grain))
                .map(|(_, count)| count)
                .sum()
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
        let (state, now) = self.begin()?;
        let (grain, from) = (window.grain(), window.begin(now));
        let mut sums: Vec<(String, u64)> = Vec::new();
        for ((key, kept, begin), count) in &state.stats {
            let meant = key.name() == name && key.tenant() == tenant && !key.value().is_empty();
            if !meant || *kept != grain || *begin < from {
                continue;
            }
            match sums.last_mut() {
                Some((value, sum)) if value == key.value() => *sum = sum.saturating_add(*count),
                _ => sums.push((key.value().to_owned(), *count)),
            }
        }
        sums.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
        sums.truncate(limit.min(StatKey::MOST));
        Ok(sums)
    }
}

#[async_trait]
impl PolicyStore for ReferenceStore {
    async fn publish(
        &self,
        expected: Option<u64>,
        document: PolicyDocument,
        event: Event,
    ) -> Result<Published, StoreError> {
        let (mut state, at) = self.begin()?;
        let current = state.policies.last().map_or(0, |record| record.version);
        if expected.unwrap_or_default() != current {
            return Ok(Published::Conflict { current });
        }
        let version = current.saturating_add(1);
        let forgotten = PolicyRecord::forgotten(version);
        state.policies.retain(|record| record.version > forgotten);
        state.policies.push(PolicyRecord {
            version,
            document,
            at,
        });
        state.record(event, at);
        Ok(Published::As(version))
    }

    async fn current(&self) -> Result<Option<PolicyRecord>, StoreError> {
        Ok(self.look().policies.last().cloned())
    }

    async fn version(&self) -> Result<u64, StoreError> {
        let state = self.look();
        Ok(state.policies.last().map_or(0, |record| record.version))
    }

    async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError> {
        let state = self.look();
        let newest_first = state.policies.iter().rev();
        Ok(newest_first.take(limit).cloned().collect())
    }

    async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError> {
        let mut state = self.look();
        let current = state.policies.last().map_or(0, |record| record.version);
        if record.version > current {
            let forgotten = PolicyRecord::forgotten(record.version);
            state.policies.retain(|kept| kept.version > forgotten);
            state.policies.push(record.clone());
        }
        Ok(())
    }

    async fn post(
        &self,
        board: Board,
        expected: u64,
        text: BoardText,
        events: Vec<Event>,
    ) -> Result<Published, StoreError> {
        let (mut state, now) = self.begin()?;
        let current = state
            .boards
            .get(&board)
            .map_or(0, |(revision, _)| *revision);
        if expected != current {
            return Ok(Published::Conflict { current });
        }
        let revision = Posted::following(current, now);
        state.boards.insert(board, (revision, text));
        for event in events {
            state.record(event, now);
        }
        Ok(Published::As(revision))
    }

    async fn posted(&self, board: Board, known: u64) -> Result<Posted, StoreError> {
        let (state, now) = self.begin()?;
        let kept = state.boards.get(&board);
        Ok(Posted {
            revision: kept.map_or(0, |(revision, _)| *revision),
            text: kept.and_then(|(revision, text)| (*revision != known).then(|| text.clone())),
            now,
        })
    }
}
