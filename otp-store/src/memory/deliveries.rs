use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryState, MessageId, Report};
use otp_core::event::Event;
use otp_core::store::{
    Advanced, Delivery, DeliveryStore, KeptReport, NewDelivery, Settled, StoreError,
};

use super::MemoryStore;
use super::lanes::Lanes;
use super::seen::drop_over;

/// How many of the oldest are looked at for one that nobody will ask for.
const LOOKED_AT: usize = 64;

/// Who sent a message, and under which name.
type Name = (String, String);

/// The newest messages, without one lock for all who send. Of a full part what went well and is
/// oldest goes, else the oldest.
///
/// A message is kept where its id says, and what its provider calls it where that name says. Who
/// holds a message may look for its name, and nobody the other way round.
#[derive(Debug)]
pub(super) struct Deliveries {
    next: AtomicU64,
    sheets: Lanes<Sheet>,
    names: Lanes<Names>,
}

#[derive(Debug)]
struct Sheet {
    rows: HashMap<MessageId, Delivery>,
    /// Oldest first, each with its place among all.
    order: VecDeque<(u64, MessageId)>,
    capacity: usize,
}

#[derive(Debug)]
struct Names {
    messages: HashMap<Name, MessageId>,
    reports: HashMap<Name, KeptReport>,
    capacity: usize,
}

impl Deliveries {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            next: AtomicU64::new(0),
            sheets: Lanes::new(capacity, |capacity| Sheet {
                rows: HashMap::new(),
                order: VecDeque::new(),
                capacity,
            }),
            names: Lanes::new(capacity, |capacity| Names {
                messages: HashMap::new(),
                reports: HashMap::new(),
                capacity,
            }),
        }
    }

    /// Writes the intent to send a message; one that is written already stays.
    pub(super) fn intend(&self, new: Option<NewDelivery>, now: Timestamp) {
        let Some(new) = new else {
            return;
        };
        let mut sheet = self.sheets.of(&new.id);
        if sheet.rows.contains_key(&new.id) {
            return;
        }
        if sheet.rows.len() >= sheet.capacity {
            self.forget(sheet.evict());
        }
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        sheet.order.push_back((place, new.id.clone()));
        sheet
            .rows
            .insert(new.id.clone(), Delivery::queued(new, now));
    }

    fn forget(&self, names: impl IntoIterator<Item = Name>) {
        for name in names {
            self.names.of(&name).messages.remove(&name);
        }
    }

    fn settle(&self, settled: &Settled, now: Timestamp) {
        let mut sheet = self.sheets.of(&settled.id);
        let Some(row) = sheet.rows.get_mut(&settled.id) else {
            return;
        };
        row.settle(settled, now);
        let (Some(provider), Some(reference)) = (&row.provider, &row.reference) else {
            return;
        };
        let name = (provider.clone(), reference.clone());
        let mut names = self.names.of(&name);
        if let Some(kept) = names.reports.remove(&name) {
            row.take_kept(&kept, now);
        }
        names.messages.insert(name, settled.id.clone());
    }

    #[cfg(feature = "composite")]
    pub(super) fn knows(&self, report: &Report) -> bool {
        let name = name_in(report);
        self.names.of(&name).messages.contains_key(&name)
    }

    fn advance(&self, report: &Report, now: Timestamp) -> Advanced {
        let name = name_in(report);
        let mut names = self.names.of(&name);
        let Some(id) = names.messages.get(&name).cloned() else {
            names.keep(name, report, now);
            return Advanced::Unknown;
        };
        drop(names);
        if let Some(row) = self.sheets.of(&id).rows.get_mut(&id) {
            return row.take(report, now);
        }
        self.names.of(&name).keep(name, report, now);
        Advanced::Unknown
    }

    fn find(&self, id: &MessageId) -> Option<Delivery> {
        self.sheets.of(id).rows.get(id).cloned()
    }

    fn failures(&self, window: &Range<Timestamp>, limit: usize) -> Vec<Delivery> {
        let mut found = Vec::new();
        for sheet in self.sheets.each() {
            let newest_first = sheet.order.iter().rev();
            let rows = newest_first.filter_map(|(place, id)| Some((*place, sheet.rows.get(id)?)));
            let failed =
                rows.filter(|(_, row)| row.is_failure() && window.contains(&row.created_at));
            found.extend(failed.take(limit).map(|(place, row)| (place, row.clone())));
        }
        found.sort_unstable_by_key(|(place, _)| Reverse(*place));
        found.into_iter().take(limit).map(|(_, row)| row).collect()
    }

    fn claim(&self, ids: &[MessageId], now: Timestamp) -> Vec<MessageId> {
        let mut claimed = Vec::new();
        for id in ids {
            let mut sheet = self.sheets.of(id);
            let row = sheet.rows.get_mut(id);
            if let Some(row) = row.filter(|row| row.is_failure() && row.resent_at.is_none()) {
                row.resent_at = Some(now);
                claimed.push(id.clone());
            }
        }
        claimed
    }

    /// Changes the oldest that are meant, and answers them as they are then.
    fn change(
        &self,
        limit: usize,
        meant: impl Fn(&Delivery) -> bool,
        change: impl Fn(&mut Delivery),
    ) -> Vec<Delivery> {
        let mut sheets: Vec<_> = self.sheets.each().collect();
        let mut oldest = Vec::new();
        for (of, sheet) in sheets.iter().enumerate() {
            let rows = sheet.order.iter();
            let rows = rows.filter(|(_, id)| sheet.rows.get(id).is_some_and(&meant));
            oldest.extend(rows.take(limit).map(|(place, id)| (*place, of, id.clone())));
        }
        oldest.sort_unstable_by_key(|(place, ..)| *place);
        oldest.truncate(limit);
        let changed = oldest.into_iter().filter_map(|(_, of, id)| {
            let row = sheets.get_mut(of)?.rows.get_mut(&id)?;
            change(row);
            Some(row.clone())
        });
        changed.collect()
    }

    pub(super) fn purge(&self, limit: usize, now: Timestamp) -> usize {
        let mut gone = 0_usize;
        for mut sheet in self.sheets.each() {
            let (count, names) = sheet.purge(limit.saturating_sub(gone), now);
            self.forget(names);
            gone = gone.saturating_add(count);
        }
        for mut names in self.names.each() {
            let rest = limit.saturating_sub(gone);
            let kept = drop_over(&mut names.reports, rest, |kept| kept.until <= now);
            gone = gone.saturating_add(kept);
        }
        gone
    }
}

impl Sheet {
    /// Lets one go, and answers its name.
    fn evict(&mut self) -> Option<Name> {
        let dull = |(_, id): &(u64, MessageId)| {
            let row = self.rows.get(id);
            row.is_none_or(|row| !row.is_unsettled() && !row.is_failure())
        };
        let at = self.order.iter().take(LOOKED_AT).position(dull);
        let (_, id) = self.order.remove(at.unwrap_or_default())?;
        self.remove(&id)
    }

    /// Takes a message out of the table but not out of the order, and answers its name.
    fn remove(&mut self, id: &MessageId) -> Option<Name> {
        let row = self.rows.remove(id)?;
        row.provider.zip(row.reference)
    }

    fn purge(&mut self, limit: usize, now: Timestamp) -> (usize, Vec<Name>) {
        let over = |row: &Delivery| row.kept_until() <= now;
        let gone: Vec<MessageId> = self
            .order
            .iter()
            .filter(|(_, id)| self.rows.get(id).is_some_and(over))
            .take(limit)
            .map(|(_, id)| id.clone())
            .collect();
        let names = gone.iter().filter_map(|id| self.remove(id)).collect();
        if !gone.is_empty() {
            self.order.retain(|(_, id)| self.rows.contains_key(id));
        }
        (gone.len(), names)
    }
}

impl Names {
    /// Keeps a report of a message that is not known yet. Of a full table none goes for a newer
    /// one: whose message is on its way was there first.
    fn keep(&mut self, name: Name, report: &Report, now: Timestamp) {
        if self.reports.len() >= self.capacity && !self.reports.contains_key(&name) {
            self.reports.retain(|_, kept| now < kept.until);
        }
        if self.reports.len() < self.capacity || self.reports.contains_key(&name) {
            self.reports
                .entry(name)
                .and_modify(|kept| kept.add(report, now))
                .or_insert_with(|| KeptReport::new(report, now));
        }
    }
}

fn name_in(report: &Report) -> Name {
    (report.provider().to_owned(), report.reference().to_owned())
}

#[async_trait]
impl DeliveryStore for MemoryStore {
    async fn settle(&self, settled: Settled) -> Result<(), StoreError> {
        let now = self.now()?;
        self.inner.deliveries.settle(&settled, now);
        if let Some(event) = settled.event {
            self.inner.outbox.append(event.at(now));
        }
        Ok(())
    }

    async fn advance(&self, report: &Report) -> Result<Advanced, StoreError> {
        let now = self.now()?;
        Ok(self.inner.deliveries.advance(report, now))
    }

    async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
        self.now()?;
        Ok(self.inner.deliveries.find(id))
    }

    async fn failures(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.now()?;
        Ok(self.inner.deliveries.failures(&window, limit))
    }

    async fn claim_resend(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        let now = self.now()?;
        Ok(self.inner.deliveries.claim(ids, now))
    }

    async fn fail_unsent(
        &self,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let now = self.now()?;
        let before = now.saturating_sub(older_than);
        let deliveries = &self.inner.deliveries;
        let ended = deliveries.change(
            limit,
            |row| row.is_unsettled() && !row.is_decoy() && row.created_at <= before,
            |row| {
                row.climb(Delivery::UNSENT, Some(Delivery::NOT_SENT_IN_TIME), now);
            },
        );
        let outbox = &self.inner.outbox;
        for record in ended.iter().map(Delivery::unsent) {
            outbox.push(Event::at(record, now));
        }
        Ok(ended)
    }

    async fn overdue(
        &self,
        age: Range<Duration>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let now = self.now()?;
        let sent = now.saturating_sub(age.end)..=now.saturating_sub(age.start);
        let deliveries = &self.inner.deliveries;
        Ok(deliveries.change(
            limit,
            |row| {
                row.state == DeliveryState::Sent
                    && row.overdue_at.is_none()
                    && !row.is_decoy()
                    && sent.contains(&row.updated_at)
            },
            |row| row.overdue_at = Some(now),
        ))
    }
}

#[cfg(test)]
mod tests {
    use otp_core::testing::store::kit;

    use super::*;

    #[test]
    fn of_a_full_table_the_oldest_that_went_well_goes_and_a_failure_stays() {
        let now = Timestamp::from_millis(1_767_225_600_000);
        let table = Deliveries::new(NonZeroUsize::MIN.saturating_add(2));
        let mut ids = Vec::new();
        for (subject, state) in [
            (
                "ann",
                DeliveryState::Failed(otp_core::delivery::DeliveryErrorKind::Timeout),
            ),
            ("bob", DeliveryState::Sent),
            ("cy", DeliveryState::Sent),
            ("dan", DeliveryState::Sent),
        ] {
            let new = kit::delivery(&kit::challenge(subject, now));
            ids.push(new.id.clone());
            table.intend(Some(new.clone()), now);
            table.settle(&kit::settled(&new, state), now);
        }
        let kept: Vec<bool> = ids.iter().map(|id| table.find(id).is_some()).collect();
        assert_eq!(kept, [true, false, true, true]);
        let ordered: usize = table.sheets.each().map(|sheet| sheet.order.len()).sum();
        let named: usize = table.names.each().map(|names| names.messages.len()).sum();
        assert_eq!((ordered, named), (3, 2));
    }

    #[test]
    fn a_table_full_of_failures_takes_what_is_new() {
        let now = Timestamp::from_millis(1_767_225_600_000);
        let table = Deliveries::new(NonZeroUsize::MIN);
        for subject in ["ann", "bob"] {
            let new = kit::delivery(&kit::challenge(subject, now));
            table.intend(Some(new.clone()), now);
            assert!(table.find(&new.id).is_some(), "{subject}");
        }
        let rows: usize = table.sheets.each().map(|sheet| sheet.rows.len()).sum();
        assert_eq!(rows, 1);
    }

    #[test]
    fn what_lies_in_parts_is_given_in_the_one_order_that_it_came_in() {
        let now = Timestamp::from_millis(1_767_225_600_000);
        let room = NonZeroUsize::MIN.saturating_add(9_999);
        let table = Deliveries::new(room);
        assert!(table.sheets.each().count() > 1);
        let failed = DeliveryState::Failed(otp_core::delivery::DeliveryErrorKind::Timeout);
        let ids: Vec<_> = (0..300)
            .map(|number| {
                let new = kit::delivery(&kit::challenge(&format!("person-{number}"), now));
                table.intend(Some(new.clone()), now);
                table.settle(&kit::settled(&new, failed), now);
                new.id
            })
            .collect();
        let names = |rows: Vec<Delivery>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
        let window = now..now.saturating_add(Duration::from_secs(1));
        let newest: Vec<_> = ids.iter().rev().take(100).cloned().collect();
        assert_eq!(names(table.failures(&window, 100)), newest);
        let oldest = table.change(100, |_| true, |row| row.overdue_at = Some(now));
        assert_eq!(names(oldest), ids[..100]);
        let next = table.change(100, |row| row.overdue_at.is_none(), |_| ());
        assert_eq!(names(next), ids[100..200]);
    }
}
