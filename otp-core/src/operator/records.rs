//! The latest part of the audit outbox, found without reading all that lies before it.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::event::Event;
use crate::store::{Store, StoreError};

/// Records a page, and pages a look.
const PAGE: usize = 1_000;
const PAGES: usize = 200;

/// By how much a record may be older than one before it: it was carried over, or its clock lagged.
const SLACK: Duration = Duration::from_secs(60);

/// Whether everything was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Whole,
    /// There was more than is read at once; the newest are missing.
    Part,
}

/// Hands over the records from a time on, oldest first.
pub(super) async fn since(
    store: &dyn Store,
    from: Timestamp,
    mut take: impl FnMut(Event) + Send,
) -> Result<Reach, StoreError> {
    let mut after = place_before(store, from.saturating_sub(SLACK)).await?;
    for _ in 0..PAGES {
        let page = store.outbox(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(Reach::Whole);
        };
        after = Some(last.sequence);
        for entry in page {
            if entry.event.at >= from {
                take(entry.event);
            }
        }
    }
    Ok(Reach::Part)
}

/// Finds a place that lies before every record from a time on; `None` is before all of them.
/// Places and times grow together, so it is found in as many looks as the log has doublings.
async fn place_before(store: &dyn Store, from: Timestamp) -> Result<Option<u64>, StoreError> {
    let Some(first) = store.outbox(None, 1).await?.pop() else {
        return Ok(None);
    };
    if first.event.at >= from {
        return Ok(None);
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
async fn older(store: &dyn Store, place: u64, from: Timestamp) -> Result<Option<u64>, StoreError> {
    let next = store.outbox(Some(place), 1).await?.pop();
    Ok(next
        .filter(|entry| entry.event.at < from)
        .map(|entry| entry.sequence))
}
