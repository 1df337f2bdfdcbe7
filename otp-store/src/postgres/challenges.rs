//! The contract's challenge intents, each one call.

use async_trait::async_trait;
use otp_core::challenge::{Challenge, ChallengeId, ConsumeOutcome};
use otp_core::clock::Timestamp;
use otp_core::event::EventId;
use otp_core::store::{
    Admission, ChallengeQuery, ChallengeStore, Consume, IdempotencyKey, Insert, Plan, Reissue,
    Reject, Revocation, StoreError,
};
use serde_json::{Map, Value, json};

use super::PostgresStore;
use super::link::{Function, aside};
use crate::wire::reply::Fields;
use crate::wire::request::{Request, millis};
use crate::wire::{admission, challenge};

/// The most that one call removes or ends.
const BATCH: usize = 500;
/// The most that is listed at once.
const LONGEST_LIST: usize = 100_000;

/// Writes what is known of the challenges that are meant.
fn queried(query: &ChallengeQuery) -> Value {
    let mut parts = Map::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            parts.insert(name.to_owned(), Value::from(value));
        }
    };
    put("id", query.challenge.as_ref().map(ToString::to_string));
    let tenant = query.tenant.as_ref();
    put("tenant", tenant.map(|tenant| tenant.as_str().to_owned()));
    let subject = query.subject.as_ref();
    put(
        "subject",
        subject.map(|subject| subject.as_str().to_owned()),
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
    let key = query.key_id.as_ref();
    put("key_id", key.map(|key| key.as_str().to_owned()));
    put("address", query.address.map(|address| address.to_string()));
    let time = |time: Timestamp| time.as_millis().to_string();
    put("issued_from", query.issued_from.map(time));
    put("issued_until", query.issued_until.map(time));
    Value::Object(parts)
}

impl PostgresStore {
    fn settle(&self, step: &str, challenge: &ChallengeId) -> Request {
        self.request(step).text("id", &challenge.to_string())
    }

    /// Ends some of what is meant, with a record; says how many, and how many it found to end.
    async fn end_some(&self, revocation: &Revocation) -> Result<(u64, u64), StoreError> {
        let request = self
            .request("revoke")
            .with("query", queried(&revocation.query))
            .with("limit", BATCH.into())
            .event(&revocation.event);
        let reply = self.ask(Function::Desk, request).await?;
        Ok((reply.number(0)?, reply.number(1)?))
    }

    /// Ends what is meant in batches, each with a record of its own: what is ended is always on
    /// record, and nobody waits for more than one batch.
    async fn end_all(&self, mut revocation: Revocation) -> Result<u64, StoreError> {
        let mut revoked = 0_u64;
        loop {
            let (ended, found) = self.end_some(&revocation).await?;
            revoked = revoked.saturating_add(ended);
            if usize::try_from(found).unwrap_or(usize::MAX) < BATCH {
                return Ok(revoked);
            }
            revocation.event.id = EventId::next();
        }
    }
}

#[async_trait]
impl ChallengeStore for PostgresStore {
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
        self.carry_out(plan).await
    }

    async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
        let fields = challenge::write(&insert.challenge).into_iter();
        let fields = fields.map(|(name, value)| (name.to_owned(), Value::from(value)));
        let request = self
            .request("insert")
            .with("fields", Value::Object(fields.collect()))
            .delivery(insert.delivery.as_ref())
            .event(&insert.event);
        self.ask(Function::Insert, request).await.map(drop)
    }

    async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError> {
        let fields = json!({
            "channel": reissue.channel.name(),
            "key_id": reissue.key_id.as_str(),
            "digest": reissue.digest,
            "sealed_code": challenge::sealed_text(reissue.sealed_code.as_ref()),
        });
        let request = self
            .settle("reissue", &reissue.challenge)
            .with("fields", fields)
            .delivery(reissue.delivery.as_ref())
            .event(&reissue.event);
        self.ask(Function::Settle, request).await.map(drop)
    }

    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
        let mut request = self
            .settle("consume", &consume.challenge)
            .text("digest", &consume.digest)
            .event(&consume.event);
        if let Some(by) = &consume.by {
            request = request.text("by", by.as_str());
        }
        let reply = self.ask(Function::Settle, request).await?;
        match reply.text(0)? {
            "won" => Ok(ConsumeOutcome::Won),
            "won_before" => Ok(ConsumeOutcome::WonBefore),
            name => admission::refusal(name).map(ConsumeOutcome::Lost),
        }
    }

    async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
        let mut request = self.request("reject").rules(&reject.rules);
        if let Some((challenge, by)) = &reject.counted {
            request = request.text("id", &challenge.to_string());
            if let Some(by) = by {
                request = request.text("by", by.as_str());
            }
        }
        let request = request.event(&reject.event);
        self.ask(Function::Settle, request).await.map(drop)
    }

    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        let reply = self.ask(Function::Query, self.settle("find", id)).await?;
        let fields = reply.fields(0)?;
        fields.as_ref().map(challenge::read).transpose()
    }

    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError> {
        let request = self
            .request("list")
            .with("query", queried(query))
            .with("limit", limit.min(LONGEST_LIST).into());
        let reply = self.ask(Function::Query, request).await?;
        let rows = reply.lists(0)?.into_iter();
        rows.map(|row| challenge::read(&Fields::new(row))).collect()
    }

    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
        let store = self.clone();
        // A task of its own: a caller who leaves must not leave it half done.
        aside(async move { store.end_all(revocation).await }).await
    }

    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        let request = self
            .request("release")
            .text("tenant", key.tenant().as_str())
            .text("key", key.as_str());
        self.ask(Function::Desk, request).await.map(drop)
    }

    async fn ping(&self) -> Result<Timestamp, StoreError> {
        let reply = self.ask(Function::Desk, self.request("ping")).await?;
        reply.time(0)
    }

    fn engine(&self) -> &'static str {
        "postgres"
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        let retention = self.inner.retention;
        let mut removed = 0_usize;
        while removed < limit {
            let share = BATCH.min(limit.saturating_sub(removed));
            let mut request = self
                .request("purge")
                .with("limit", share.into())
                .with("keep", millis(retention.challenges).into());
            if let Some(audit) = retention.audit {
                request = request.with("keep_audit", millis(audit).into());
            }
            let gone = self.ask(Function::Purge, request).await?.number(0)?;
            let mut gone = usize::try_from(gone).unwrap_or(usize::MAX);
            if gone < share {
                let rest = share.saturating_sub(gone);
                let request = self.request("purge").with("limit", rest.into());
                let counts = self.ask(Function::Stats, request).await?.number(0)?;
                gone = gone.saturating_add(usize::try_from(counts).unwrap_or(usize::MAX));
            }
            if gone < share {
                let rest = share.saturating_sub(gone);
                let request = self.request("purge").with("limit", rest.into());
                let sessions = self.ask(Function::Session, request).await?.number(0)?;
                gone = gone.saturating_add(usize::try_from(sessions).unwrap_or(usize::MAX));
            }
            if gone < share {
                let rest = share.saturating_sub(gone);
                let request = self.request("purge").with("limit", rest.into());
                let devices = self.ask(Function::Device, request).await?.number(0)?;
                gone = gone.saturating_add(usize::try_from(devices).unwrap_or(usize::MAX));
            }
            removed = removed.saturating_add(gone);
            if gone < share {
                break;
            }
        }
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }
}
