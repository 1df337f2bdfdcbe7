//! The latest part of the audit outbox, found without reading all that lies before it.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::event::Event;
use crate::store::{AuditStore, StoreError};

/// Records a page.
const PAGE: usize = 1_000;
/// The most records of a look, and the most pages: some are written meanwhile.
const MOST: u64 = 100_000;
const PAGES: usize = 120;
/// A page with fewer is the log's end: where records arrive faster than they are asked for, no page is
/// ever empty. It is far from full, because records that only later versions know are left out.
const NEARLY_EMPTY: usize = PAGE / 10;

/// By how much a record may be older than one before it: it was carried over, or its clock lagged.
const SLACK: Duration = Duration::from_secs(60);

/// Whether everything was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Whole,
    /// There was more than is read at once; the oldest are missing.
    Part,
}

/// Hands over the records from a time on, oldest first; of more than are read at once, the newest.
pub(super) async fn since(
    store: &dyn AuditStore,
    from: Timestamp,
    mut take: impl FnMut(Event) + Send,
) -> Result<Reach, StoreError> {
    let mut after = place_before(store, None, from.saturating_sub(SLACK)).await?;
    let mut page = store.outbox(after, PAGE).await?;
    let mut reach = Reach::Whole;
    if let Some(last) = page.last().map(|entry| entry.sequence)
        && page.len() >= NEARLY_EMPTY
    {
        let end = place_before(store, Some(last), Timestamp::MAX).await?;
        let first = end.unwrap_or_default().saturating_sub(MOST);
        if first > last {
            (after, reach) = (Some(first), Reach::Part);
            page = store.outbox(after, PAGE).await?;
        }
    }
    for _ in 0..PAGES {
        let is_last = page.len() < NEARLY_EMPTY;
        after = page.last().map(|entry| entry.sequence).or(after);
        for entry in page {
            if entry.event.at >= from {
                take(entry.event);
            }
        }
        if is_last {
            return Ok(reach);
        }
        page = store.outbox(after, PAGE).await?;
    }
    Ok(Reach::Part)
}

/// Finds a place from another one on that lies before every record from a time on, or within a page of
/// the log's end where none is; the other one is before all of them. Places and times grow together,
/// so it is found in as many looks as the log has doublings.
async fn place_before(
    store: &dyn AuditStore,
    begin: Option<u64>,
    from: Timestamp,
) -> Result<Option<u64>, StoreError> {
    let Some(first) = store.outbox(begin, 1).await?.pop() else {
        return Ok(begin);
    };
    if first.event.at >= from {
        return Ok(begin);
    }
    let page = u64::try_from(PAGE).unwrap_or(u64::MAX);
    let (mut before, mut step) = (first.sequence, page);
    let mut beyond = loop {
        let place = before.saturating_add(step);
        match older(store, place, from).await? {
            Some(found) => (before, step) = (found, step.saturating_mul(2)),
            None => break place,
        }
    };
    while beyond.saturating_sub(before) > page {
        let middle = before.midpoint(beyond);
        match older(store, middle, from).await? {
            Some(found) => before = found.min(beyond.saturating_sub(1)),
            None => beyond = middle,
        }
    }
    Ok(Some(before))
}

/// Gives the place of the record after this one, where it is older than the time.
async fn older(
    store: &dyn AuditStore,
    place: u64,
    from: Timestamp,
) -> Result<Option<u64>, StoreError> {
    let next = store.outbox(Some(place), 1).await?.pop();
    Ok(next
        .filter(|entry| entry.event.at < from)
        .map(|entry| entry.sequence))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::event::EventKind;
    use crate::request::Tenant;
    use crate::store::OutboxEntry;

    /// A log that gets another record each time it is read.
    #[derive(Debug)]
    struct Busy {
        log: Mutex<Vec<OutboxEntry>>,
        reads: Mutex<usize>,
    }

    impl Busy {
        fn with(records: u64) -> Self {
            let busy = Self {
                log: Mutex::default(),
                reads: Mutex::default(),
            };
            (0..records).for_each(|_| busy.write());
            busy
        }

        fn write(&self) {
            let mut log = self.log.lock().expect("a log");
            let sequence = u64::try_from(log.len()).expect("few") + 1;
            let at = Timestamp::from_millis(1_000_000 + i64::try_from(sequence).expect("few"));
            let event = Event::new(EventKind::CodeSent, &Tenant::default()).at(at);
            log.push(OutboxEntry { sequence, event });
        }
    }

    #[async_trait]
    impl AuditStore for Busy {
        async fn append(&self, _: Event) -> Result<(), StoreError> {
            self.write();
            Ok(())
        }

        async fn outbox(
            &self,
            after: Option<u64>,
            limit: usize,
        ) -> Result<Vec<OutboxEntry>, StoreError> {
            self.write();
            *self.reads.lock().expect("a count") += 1;
            let log = self.log.lock().expect("a log");
            let first = after.map_or(0, |after| usize::try_from(after).unwrap_or(usize::MAX));
            let rest = log.iter().skip(first);
            Ok(rest.take(limit).cloned().collect())
        }

        async fn acknowledge(&self, _: u64) -> Result<(), StoreError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_log_that_grows_while_it_is_read_is_read_to_its_end_once() {
        let busy = Busy::with(2_500);
        let mut taken = 0;
        let reach = since(&busy, Timestamp::from_millis(0), |_| taken += 1).await;
        assert_eq!(reach.expect("an answer"), Reach::Whole);
        assert!(taken >= 2_500, "{taken}");
        let reads = *busy.reads.lock().expect("a count");
        assert!(reads <= 9, "{reads} reads");
    }

    #[tokio::test]
    async fn of_more_records_than_are_read_at_once_the_newest_are() {
        let busy = Busy::with(250_000);
        let mut times = Vec::new();
        let reach = since(&busy, Timestamp::from_millis(0), |event| {
            times.push(event.at.as_millis() - 1_000_000);
        });
        assert_eq!(reach.await.expect("an answer"), Reach::Part);
        assert!(times.is_sorted());
        assert!(times.last().is_some_and(|last| *last > 250_000));
        let most = usize::try_from(MOST).expect("few");
        assert!(
            (most..most + 2 * PAGE).contains(&times.len()),
            "{}",
            times.len()
        );
        let reads = *busy.reads.lock().expect("a count");
        assert!(reads < 150, "{reads} reads");
    }
}
