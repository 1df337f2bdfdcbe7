//! The audit outbox; a record leaves it when it is acknowledged.
//!
//! With several shelves each keeps its records until the outbox is read; then they are put into
//! one order, by the time at which they were written, on the first shelf.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::store::{AuditStore, OutboxEntry, StoreError, StoreErrorKind};
use serde_json::Value;

use super::shelf::Shelf;
use super::{RedisStore, script};
use crate::wire::request::Request;
use crate::wire::{corrupt, event};

/// The most that is read at once.
const LONGEST_PAGE: usize = 100_000;
/// The most that is taken from a shelf at once.
const ARMFUL: usize = 250;
/// The most that one step puts into the outbox.
const BATCH: usize = 500;

/// A record of a shelf on its way into the outbox.
struct Gathered<'s> {
    shelf: &'s Shelf,
    /// Its place on the shelf.
    place: String,
    /// When it was written, in microseconds; never before the one that lies before it.
    written: u64,
    json: String,
}

#[async_trait]
impl AuditStore for RedisStore {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        let shelves = &self.inner.keys.shelves;
        let shelf = match &event.subject {
            Some(subject) => shelves.of(subject),
            None => shelves.first(),
        };
        let request = self.request(shelf, "append").event(&event);
        self.ask(shelf, &script::DESK, request).await.map(drop)
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let limit = limit.min(LONGEST_PAGE);
        let shelf = self.inner.keys.shelves.first();
        if !self.inner.keys.shelves.is_one() {
            let store = self.clone();
            let gathering = tokio::spawn(async move { store.gather(limit).await });
            gathering.await.map_err(|_| StoreErrorKind::Unavailable)??;
        }
        let request = self
            .on_outbox("outbox")
            .text("after", &after.unwrap_or_default().to_string())
            .with("limit", limit.into());
        let reply = self.ask(shelf, &script::DESK, request).await?;
        let mut entries = Vec::new();
        for member in reply.texts(0)? {
            match event::read(&member) {
                Ok(entry) => entries.push(entry),
                Err(error) if entries.is_empty() => return Err(error),
                // What cannot be read holds up only what comes after it.
                Err(_) => break,
            }
        }
        Ok(entries)
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        let shelf = self.inner.keys.shelves.first();
        let up_to = up_to.to_string();
        loop {
            let request = self.on_outbox("acknowledge").text("up_to", &up_to);
            if self.ask(shelf, &script::DESK, request).await?.number(0)? == 0 {
                return Ok(());
            }
        }
    }
}

impl RedisStore {
    fn on_outbox(&self, step: &str) -> Request {
        let shelves = &self.inner.keys.shelves;
        let log = if shelves.is_one() { "audit" } else { "outbox" };
        self.request(shelves.first(), step).text("log", log)
    }

    /// Moves what the shelves have into the outbox: put there first and taken away after, so that
    /// nothing is lost, whatever fails; a record that is there already is not put there again.
    async fn gather(&self, limit: usize) -> Result<(), StoreError> {
        let (mut moved, mut silent) = (0_usize, Vec::new());
        while moved < limit.max(1) {
            let gathered = self.armful(&mut silent).await?;
            if gathered.is_empty() {
                break;
            }
            moved = moved.saturating_add(gathered.len());
            for batch in gathered.chunks(BATCH) {
                match self.adopt(batch).await {
                    Err(error) if error.kind() == StoreErrorKind::Full => return Ok(()),
                    done => done?,
                }
            }
            self.clear_away(&gathered, &mut silent).await?;
        }
        Ok(())
    }

    /// Reads the oldest records of every shelf that answers, and puts them into one order: a node
    /// that is down keeps its records until it is back, and no others'.
    async fn armful<'s>(
        &'s self,
        silent: &mut Vec<&'s Shelf>,
    ) -> Result<Vec<Gathered<'s>>, StoreError> {
        let open = |shelf: &&Shelf| !silent.iter().any(|other| other.is(shelf));
        let asked = self.inner.keys.shelves.all().filter(open).map(|shelf| {
            let request = self
                .request(shelf, "outbox")
                .text("log", "audit")
                .text("after", "0")
                .with("limit", ARMFUL.into());
            (shelf, self.begin(shelf, &script::DESK, request))
        });
        let mut gathered = Vec::new();
        for (shelf, pending) in asked.collect::<Vec<_>>() {
            let mut latest = 0;
            let Some(reply) = self.heard(shelf, pending.answer().await)? else {
                silent.push(shelf);
                continue;
            };
            for member in reply.texts(0)? {
                let (place, json) = member.split_once(':').ok_or_else(|| corrupt("a record"))?;
                latest = latest.max(written(json)?);
                gathered.push(Gathered {
                    shelf,
                    place: place.to_owned(),
                    written: latest,
                    json: json.to_owned(),
                });
            }
        }
        gathered.sort_by_key(|record| record.written);
        Ok(gathered)
    }

    async fn adopt(&self, batch: &[Gathered<'_>]) -> Result<(), StoreError> {
        let records: Value = batch.iter().map(|record| record.json.as_str()).collect();
        let request = self
            .on_outbox("adopt")
            .with("room", self.inner.room.0.into())
            .with("records", records);
        let shelf = self.inner.keys.shelves.first();
        self.ask(shelf, &script::DESK, request).await.map(drop)
    }

    /// Takes what the outbox has from the shelves.
    async fn clear_away<'s>(
        &'s self,
        gathered: &[Gathered<'s>],
        silent: &mut Vec<&'s Shelf>,
    ) -> Result<(), StoreError> {
        let mut begun = Vec::new();
        for shelf in self.inner.keys.shelves.all() {
            let of_it = |record: &&Gathered<'_>| record.shelf.is(shelf);
            if let Some(last) = gathered.iter().rev().find(of_it) {
                let request = self
                    .request(shelf, "acknowledge")
                    .text("log", "audit")
                    .text("up_to", &last.place);
                begun.push((shelf, self.begin(shelf, &script::DESK, request)));
            }
        }
        for (shelf, pending) in begun {
            if self.heard(shelf, pending.answer().await)?.is_none() {
                silent.push(shelf);
            }
        }
        Ok(())
    }
}

fn written(json: &str) -> Result<u64, StoreError> {
    let record: Value = serde_json::from_str(json).map_err(|_| corrupt("a record"))?;
    let written = record.get("us").and_then(Value::as_str);
    let written = written.and_then(|micros| micros.parse().ok());
    written.ok_or_else(|| corrupt("a record"))
}
