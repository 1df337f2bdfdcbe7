//! The contract's challenge intents, each one script.

use async_trait::async_trait;
use otp_core::challenge::{Challenge, ChallengeId, ConsumeOutcome};
use otp_core::clock::Timestamp;
use otp_core::store::{
    Admission, ChallengeQuery, ChallengeStore, Consume, IdempotencyKey, Insert, Plan, Reissue,
    Reject, Revocation, StoreError,
};
use serde_json::{Map, Value, json};

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
    fn queried(&self, step: &str, query: &ChallengeQuery) -> Request {
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
        let request = self.request(step).with("query", Value::Object(parts));
        if let Some(id) = &query.challenge {
            request.text("key", &keys.challenge(id))
        } else if let Some(subject) = &query.subject {
            request.text("owner", &keys.owner(subject))
        } else {
            request
        }
    }

    fn settle(&self, step: &str, challenge: &ChallengeId) -> Request {
        let key = self.inner.keys.challenge(challenge);
        self.request(step).text("key", &key)
    }
}

#[async_trait]
impl ChallengeStore for RedisStore {
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
        self.carry_out(plan).await
    }

    async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
        let fields = self.inner.keys.fields(&insert.challenge);
        let request = self
            .settle("insert", &insert.challenge.id)
            .with("fields", fields.into())
            .with("keep", millis(self.inner.keep).into())
            .event(&insert.event);
        self.ask(&script::INSERT, request).await.map(drop)
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
        let request = self
            .settle("reissue", &reissue.challenge)
            .with("fields", fields)
            .event(&reissue.event);
        self.ask(&script::SETTLE, request).await.map(drop)
    }

    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
        let mut request = self
            .settle("consume", &consume.challenge)
            .text("digest", &consume.digest)
            .event(&consume.event);
        if let Some(by) = &consume.by {
            request = request.text("by", by.as_str());
        }
        let reply = self.ask(&script::SETTLE, request).await?;
        match reply.text(0)? {
            "won" => Ok(ConsumeOutcome::Won),
            "won_before" => Ok(ConsumeOutcome::WonBefore),
            name => admission::refusal(name).map(ConsumeOutcome::Lost),
        }
    }

    async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
        let mut request = self.request("reject").rules(&reject.rules);
        if let Some((challenge, by)) = &reject.counted {
            request = request.text("key", &self.inner.keys.challenge(challenge));
            if let Some(by) = by {
                request = request.text("by", by.as_str());
            }
        }
        let request = request.event(&reject.event);
        self.ask(&script::SETTLE, request).await.map(drop)
    }

    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        let reply = self.ask(&script::QUERY, self.settle("find", id)).await?;
        let fields = reply.fields(1)?;
        fields.as_ref().map(challenge::read).transpose()
    }

    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError> {
        let request = self
            .queried("list", query)
            .with("limit", limit.min(LONGEST_LIST).into());
        let reply = self.ask(&script::QUERY, request).await?;
        let rows = reply.lists(1)?.into_iter();
        let found = rows.map(|row| challenge::read(&Fields::new(row)));
        let mut found = found.collect::<Result<Vec<_>, _>>()?;
        found.sort_by(|one, two| {
            let newest = two.created_at.cmp(&one.created_at);
            newest.then_with(|| one.id.cmp(&two.id))
        });
        found.truncate(limit);
        Ok(found)
    }

    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
        let event = &revocation.event;
        let request = self
            .queried("revoke", &revocation.query)
            .text("why", event.reason.as_deref().unwrap_or("revoked"))
            .event(event);
        self.ask(&script::QUERY, request).await?.number(1)
    }

    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        let keys = json!([self.inner.keys.idempotency(key)]);
        let request = self.request("delete").with("keys", keys);
        self.ask(&script::DESK, request).await.map(drop)
    }

    async fn ping(&self) -> Result<Timestamp, StoreError> {
        let reply = self.ask(&script::DESK, self.request("ping")).await?;
        reply.time(0)
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        let mut removed = 0_usize;
        while removed < limit {
            let share = BATCH.min(limit.saturating_sub(removed));
            let request = self
                .request("purge")
                .with("limit", share.into())
                .with("keep", millis(self.inner.keep).into());
            let gone = self.ask(&script::DESK, request).await?.number(0)?;
            let gone = usize::try_from(gone).unwrap_or(usize::MAX);
            removed = removed.saturating_add(gone);
            if gone < share {
                break;
            }
        }
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }
}
