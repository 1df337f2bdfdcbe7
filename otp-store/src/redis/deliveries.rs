//! What was sent, what became of it, and what can be sent again.
//!
//! A message lies on the shelf of its challenge, and its vendor's name for it on the shelf of that
//! name. Where both are one shelf a script does everything at once. Else the name is written after
//! the message: a process that dies in between leaves a message whose receipts are not found.

use std::cmp::Reverse;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::delivery::{MessageId, Report};
use otp_core::store::{Advanced, Delivery, DeliveryStore, Settled, StoreError};
use serde_json::{Value, json};

use super::shelf::Shelf;
use super::{RedisStore, script};
use crate::wire::request::{Request, millis};
use crate::wire::{corrupt, delivery};

/// The most that one script lists or changes.
const LONGEST_LIST: usize = 10_000;
/// The most that one script ends with a record each.
const BATCH: usize = 500;

/// A vendor's name for a message, as keys hold it.
fn name(provider: &str, reference: &str) -> String {
    let provider = delivery::provider(provider);
    format!("{}:{provider}:{reference}", provider.len())
}

impl RedisStore {
    fn posted(&self, shelf: &Shelf, step: &str, named: &str) -> Request {
        let here = self.shelf_of_name(named).is(shelf);
        self.request(shelf, step)
            .text("name", named)
            .with("here", here.into())
    }

    fn shelf_of_name(&self, named: &str) -> &Shelf {
        self.inner.keys.shelves.of_name(named)
    }

    /// Writes a name that lies elsewhere than its message, and applies what was reported under it.
    async fn name(&self, shelf: &Shelf, settled: &Settled, named: &str) -> Result<(), StoreError> {
        let request = self
            .posted(self.shelf_of_name(named), "name", named)
            .text("target", &target(settled));
        let home = self.shelf_of_name(named);
        let kept = self.ask(home, &script::POST, request).await?;
        let Ok(place) = kept.text(0)?.parse::<u8>() else {
            return Ok(());
        };
        let fields = json!({"place": place, "reason": kept.text(1)?});
        let request = self
            .request(shelf, "climb")
            .text("id", settled.id.as_str())
            .with("fields", fields);
        self.ask(shelf, &script::POST, request).await.map(drop)
    }

    /// Asks shelf after shelf to change what is meant, up to a limit.
    async fn change_some(
        &self,
        limit: usize,
        request: impl Fn(&Shelf) -> Request,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut changed = Vec::new();
        for shelf in self.inner.keys.shelves.all() {
            loop {
                let rest = limit.saturating_sub(changed.len()).min(BATCH);
                if rest == 0 {
                    return Ok(changed);
                }
                let request = request(shelf).with("limit", rest.into());
                let answer = self.ask(shelf, &script::POST, request).await;
                let Some(reply) = self.heard(shelf, answer)? else {
                    break;
                };
                let page = delivery::list(&reply, 0)?;
                let last = page.len() < rest;
                changed.extend(page);
                if last {
                    break;
                }
            }
        }
        Ok(changed)
    }
}

/// Says where a message lies.
fn target(settled: &Settled) -> String {
    format!("{}:{}", settled.challenge.shard(), settled.id.as_str())
}

#[async_trait]
impl DeliveryStore for RedisStore {
    async fn settle(&self, settled: Settled) -> Result<(), StoreError> {
        let shelf = self.inner.keys.shelves.of_shard(settled.challenge.shard());
        let named = settled
            .provider
            .as_deref()
            .zip(settled.reference.as_deref());
        let named = named.map(|(provider, reference)| name(provider, reference));
        let mut request = match &named {
            Some(named) => self
                .posted(shelf, "settle", named)
                .text("target", &target(&settled)),
            None => self.request(shelf, "settle"),
        };
        request = request.with("fields", delivery::settled(&settled));
        if let Some(event) = &settled.event {
            request = request.event(event);
        }
        let reply = self.ask(shelf, &script::POST, request).await?;
        match named {
            Some(named) if reply.text(0)? == "named" && !self.shelf_of_name(&named).is(shelf) => {
                self.name(shelf, &settled, &named).await
            }
            _ => Ok(()),
        }
    }

    async fn advance(&self, report: &Report) -> Result<Advanced, StoreError> {
        let named = name(report.provider(), report.reference());
        let home = self.shelf_of_name(&named);
        let fields = delivery::report(report);
        let mut request = self
            .posted(home, "advance", &named)
            .with("fields", fields.clone());
        if !self.inner.keys.shelves.is_one() {
            request = request.with("here", false.into());
        }
        let reply = self.ask(home, &script::POST, request).await?;
        if reply.text(0)? != "at" {
            return delivery::advanced(&reply, 0);
        }
        let unreadable = || corrupt("a name");
        let (shard, id) = reply.text(1)?.split_once(':').ok_or_else(unreadable)?;
        let shard = shard.parse().map_err(|_| unreadable())?;
        let shelf = self.inner.keys.shelves.of_shard(shard);
        let request = self
            .request(shelf, "climb")
            .text("id", id)
            .with("fields", fields);
        delivery::advanced(&self.ask(shelf, &script::POST, request).await?, 0)
    }

    async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
        let asked = self.inner.keys.shelves.all().map(|shelf| {
            let request = self.request(shelf, "find").text("id", id.as_str());
            self.begin(shelf, &script::POST, request)
        });
        for pending in asked.collect::<Vec<_>>() {
            if let Some(row) = pending.answer().await?.fields(0)? {
                return delivery::read(&row).map(Some);
            }
        }
        Ok(None)
    }

    async fn failures(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let asked = self.inner.keys.shelves.all().map(|shelf| {
            let request = self
                .request(shelf, "failures")
                .with("from", window.start.as_millis().into())
                .with("until", window.end.as_millis().into())
                .with("limit", limit.min(LONGEST_LIST).into());
            self.begin(shelf, &script::POST, request)
        });
        let mut found = Vec::new();
        for pending in asked.collect::<Vec<_>>() {
            found.extend(delivery::list(&pending.answer().await?, 0)?);
        }
        found.sort_by_key(|failure| Reverse(failure.created_at));
        found.truncate(limit);
        Ok(found)
    }

    async fn claim_resend(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        let mut claimed = Vec::new();
        for some in ids.chunks(BATCH) {
            let asked: Value = some.iter().map(MessageId::as_str).collect();
            let pending = self.inner.keys.shelves.all().map(|shelf| {
                let request = self.request(shelf, "claim").with("ids", asked.clone());
                self.begin(shelf, &script::POST, request)
            });
            for pending in pending.collect::<Vec<_>>() {
                claimed.extend(pending.answer().await?.texts(0)?);
            }
        }
        let claimed = |id: &&MessageId| claimed.iter().any(|one| one == id.as_str());
        Ok(ids.iter().filter(claimed).cloned().collect())
    }

    async fn fail_unsent(
        &self,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.change_some(limit, |shelf| {
            self.request(shelf, "unsent")
                .with("older_than", millis(older_than).into())
                .with("place", Delivery::UNSENT.rank().into())
                .text("why", Delivery::NOT_SENT_IN_TIME)
        })
        .await
    }

    async fn overdue(
        &self,
        age: Range<Duration>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.change_some(limit, |shelf| {
            self.request(shelf, "overdue")
                .with("youngest", millis(age.start).into())
                .with("oldest", millis(age.end).into())
        })
        .await
    }
}
