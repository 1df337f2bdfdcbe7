//! The contract's challenge intents, each one script.

use async_trait::async_trait;
use otp_core::challenge::{Challenge, ChallengeId, ConsumeOutcome};
use otp_core::clock::Timestamp;
use otp_core::store::{
    Admission, ChallengeQuery, ChallengeStore, Consume, IdempotencyKey, Insert, Plan, Reissue,
    Reject, Revocation, StoreError, StoreErrorKind,
};
use serde_json::{Map, Value, json};

use super::shelf::Shelf;
use super::{RedisStore, script};
use crate::wire::reply::Fields;
use crate::wire::request::{Request, millis};
use crate::wire::{admission, challenge};

/// The most that one step removes.
const BATCH: usize = 500;
/// The most that is listed at once.
const LONGEST_LIST: usize = 100_000;

impl RedisStore {
    /// Asks for challenges by what is known of them, where an index lists them.
    fn queried(&self, shelf: &Shelf, step: &str, query: &ChallengeQuery) -> Request {
        let (keys, mut parts) = (&self.inner.keys, Map::new());
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                parts.insert(name.to_owned(), Value::from(value));
            }
        };
        put("id", query.challenge.as_ref().map(ToString::to_string));
        put(
            "tenant",
            query
                .tenant
                .as_ref()
                .map(|tenant| tenant.as_str().to_owned()),
        );
        put(
            "subject",
            query
                .subject
                .as_ref()
                .map(|subject| subject.as_str().to_owned()),
        );
        put(
            "destination_key",
            query
                .destination
                .as_ref()
                .map(|key| key.as_str().to_owned()),
        );
        put(
            "channel",
            query.channel.map(|channel| channel.name().to_owned()),
        );
        put(
            "key_id",
            query.key_id.as_ref().map(|key| key.as_str().to_owned()),
        );
        put("address", query.address.map(|address| address.to_string()));
        let time = |time: Timestamp| time.as_millis().to_string();
        put("issued_from", query.issued_from.map(time));
        put("issued_until", query.issued_until.map(time));
        let request = self
            .request(shelf, step)
            .with("query", Value::Object(parts));
        if let Some(id) = &query.challenge {
            request.text("key", &keys.challenge(id))
        } else if let Some(subject) = &query.subject {
            request.text("owner", &keys.owner(subject))
        } else {
            request
        }
    }

    /// Gives the shelves that may have what a query means, the first one last.
    fn searched(&self, query: &ChallengeQuery) -> Vec<&Shelf> {
        let shelves = &self.inner.keys.shelves;
        if let Some(id) = &query.challenge {
            vec![shelves.of_shard(id.shard())]
        } else if let Some(subject) = &query.subject {
            vec![shelves.of(subject)]
        } else {
            shelves.all().collect()
        }
    }

    fn settle(&self, step: &str, challenge: &ChallengeId) -> (&Shelf, Request) {
        let shelf = self.inner.keys.shelves.of_shard(challenge.shard());
        let key = self.inner.keys.challenge(challenge);
        (shelf, self.request(shelf, step).text("key", &key))
    }
}

impl RedisStore {
    /// Revokes shelf after shelf and batch after batch. The last batch of the first shelf, which
    /// comes last, leaves the record.
    async fn revoke_all(&self, revocation: &Revocation) -> Result<u64, StoreError> {
        let Revocation { query, event } = revocation;
        let searched = self.searched(query);
        let indexed = query.challenge.is_some() || query.subject.is_some();
        let (mut ended, last) = (0_u64, searched.len().saturating_sub(1));
        for (place, shelf) in searched.into_iter().enumerate() {
            let mut cursor = "0".to_owned();
            loop {
                let mut request = self
                    .queried(shelf, "revoke", query)
                    .with("ended", ended.into())
                    .text("why", event.reason.as_deref().unwrap_or("revoked"));
                if !indexed {
                    request = request.text("cursor", &cursor);
                }
                if place == last {
                    request = request.event(event);
                }
                let reply = self.ask(shelf, &script::QUERY, request).await?;
                ended = ended.saturating_add(reply.number(1)?);
                reply.text(2)?.clone_into(&mut cursor);
                if cursor == "0" {
                    break;
                }
            }
        }
        Ok(ended)
    }
}

#[async_trait]
impl ChallengeStore for RedisStore {
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
        self.carry_out(plan).await
    }

    async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
        let fields = self.inner.keys.fields(&insert.challenge);
        let older = self.inner.keys.giving_way(&insert.challenge);
        let (shelf, request) = self.settle("insert", &insert.challenge.id);
        let request = request
            .with("fields", fields.into())
            .with("older", older.into())
            .with("keep", millis(self.inner.keep).into())
            .delivery(insert.delivery.as_ref())
            .event(&insert.event);
        self.ask(shelf, &script::INSERT, request).await.map(drop)
    }

    async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError> {
        let fields = json!([
            "channel",
            reissue.channel.name(),
            "key_id",
            reissue.key_id.as_str(),
            "digest",
            reissue.digest,
            "sealed_code",
            challenge::sealed_text(reissue.sealed_code.as_ref()),
        ]);
        let (shelf, request) = self.settle("reissue", &reissue.challenge);
        let request = request
            .with("fields", fields)
            .delivery(reissue.delivery.as_ref())
            .event(&reissue.event);
        self.ask(shelf, &script::SETTLE, request).await.map(drop)
    }

    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
        let (shelf, request) = self.settle("consume", &consume.challenge);
        let mut request = request
            .text("digest", &consume.digest)
            .event(&consume.event);
        if let Some(by) = &consume.by {
            request = request.text("by", by.as_str());
        }
        let reply = self.ask(shelf, &script::SETTLE, request).await?;
        match reply.text(0)? {
            "won" => Ok(ConsumeOutcome::Won),
            "won_before" => Ok(ConsumeOutcome::WonBefore),
            name => admission::refusal(name).map(ConsumeOutcome::Lost),
        }
    }

    async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
        let shelves = &self.inner.keys.shelves;
        let shelf = match (&reject.counted, &reject.event.subject) {
            (Some((challenge, _)), _) => shelves.of_shard(challenge.shard()),
            (None, Some(subject)) => shelves.of(subject),
            (None, None) => shelves.first(),
        };
        let mut request = self.request(shelf, "reject").rules(&reject.rules);
        if let Some((challenge, by)) = &reject.counted {
            request = request.text("key", &self.inner.keys.challenge(challenge));
            if let Some(by) = by {
                request = request.text("by", by.as_str());
            }
        }
        let request = request.event(&reject.event);
        self.ask(shelf, &script::SETTLE, request).await.map(drop)
    }

    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        let (shelf, request) = self.settle("find", id);
        let reply = self.ask(shelf, &script::QUERY, request).await?;
        let fields = reply.fields(1)?;
        fields.as_ref().map(challenge::read).transpose()
    }

    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError> {
        let asked = self.searched(query).into_iter().map(|shelf| {
            let request = self
                .queried(shelf, "list", query)
                .with("limit", limit.min(LONGEST_LIST).into());
            self.begin(shelf, &script::QUERY, request)
        });
        let mut found = Vec::new();
        for pending in asked.collect::<Vec<_>>() {
            for row in pending.answer().await?.lists(1)? {
                found.push(challenge::read(&Fields::new(row))?);
            }
        }
        found.sort_by(|one, two| {
            let newest = two.created_at.cmp(&one.created_at);
            newest.then_with(|| one.id.cmp(&two.id))
        });
        found.truncate(limit);
        Ok(found)
    }

    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
        let store = self.clone();
        let revoking = tokio::spawn(async move { store.revoke_all(&revocation).await });
        revoking.await.map_err(|_| StoreErrorKind::Unavailable)?
    }

    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        let shelf = self.inner.keys.shelves.of_idempotency(key);
        let keys = json!([self.inner.keys.idempotency(key)]);
        let request = self.request(shelf, "delete").with("keys", keys);
        self.ask(shelf, &script::DESK, request).await.map(drop)
    }

    fn engine(&self) -> &'static str {
        "redis"
    }

    async fn ping(&self) -> Result<Timestamp, StoreError> {
        let shelves = self.inner.keys.shelves.all();
        let asked =
            shelves.map(|shelf| self.begin(shelf, &script::DESK, self.request(shelf, "ping")));
        let mut latest = None;
        for pending in asked.collect::<Vec<_>>() {
            latest = latest.max(Some(pending.answer().await?.time(0)?));
        }
        latest.ok_or_else(|| StoreErrorKind::Unavailable.into())
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        let mut removed = 0_usize;
        for shelf in self.inner.keys.shelves.all() {
            while removed < limit {
                let share = BATCH.min(limit.saturating_sub(removed));
                let request = self
                    .request(shelf, "purge")
                    .with("limit", share.into())
                    .with("keep", millis(self.inner.keep).into());
                let answer = self.ask(shelf, &script::DESK, request).await;
                let Some(reply) = self.heard(shelf, answer)? else {
                    break;
                };
                let gone = usize::try_from(reply.number(0)?).unwrap_or(usize::MAX);
                removed = removed.saturating_add(gone);
                if gone < share {
                    break;
                }
            }
        }
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }
}
