//! Ends live challenges for an operator.

use otp_core::challenge::ChallengeId;
use otp_core::event::{Event, EventId};
use otp_core::store::{ChallengeQuery, Revocation, StoreError, StoreErrorKind};

use super::json::json_pairs;
use super::{Engine, Intent, Locks, Tx, audit, query};

/// The most that one transaction ends, where many write at once.
const BATCH: usize = 500;

impl Intent for Revocation {
    type Answer = u64;

    fn locks(&self) -> Locks {
        let ChallengeQuery {
            challenge, subject, ..
        } = &self.query;
        let shards = [
            challenge.as_ref().map(ChallengeId::shard),
            subject.as_ref().map(|subject| subject.shard()),
        ];
        let shards = shards.into_iter().flatten();
        shards.fold(Locks::default(), Locks::subject)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let now = tx.now()?;
        let revoked = query::revoke(tx, &self.query, now).await?;
        audit::write(tx, &counted(&self.event, revoked)).await?;
        Ok(revoked)
    }
}

/// Ends what is meant and answers how many.
///
/// Where many write at once and the query may mean anybody's, it works in batches, each with the
/// stripes of its own challenges and a record of its own: what is ended is always on record, and
/// nobody else waits for more than one batch.
pub(crate) async fn revoke<E: Engine>(
    engine: &E,
    revocation: Revocation,
) -> Result<u64, StoreError> {
    let query = &revocation.query;
    let narrow = query.challenge.is_some() || query.subject.is_some();
    match E::DIALECT.revoke_these {
        Some(sql) if !narrow => {
            // A task of its own: a caller who leaves must not leave it half done.
            let task = tokio::spawn(in_batches(engine.clone(), revocation, sql));
            task.await.map_err(|_| StoreErrorKind::Unavailable)?
        }
        _ => engine.write(revocation).await,
    }
}

async fn in_batches<E: Engine>(
    engine: E,
    revocation: Revocation,
    sql: &'static str,
) -> Result<u64, StoreError> {
    let mut revoked = 0_u64;
    loop {
        let names = engine.read(Names(revocation.query.clone())).await?;
        let last = names.len() < BATCH;
        let mut event = revocation.event.clone();
        if !last {
            event.id = EventId::next();
        }
        let ended = engine.write(These { names, sql, event }).await?;
        revoked = revoked.saturating_add(ended);
        if last {
            return Ok(revoked);
        }
    }
}

struct Names(ChallengeQuery);

impl Intent for Names {
    type Answer = Vec<ChallengeId>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        let now = tx.now()?;
        query::names(tx, &self.0, BATCH, now).await
    }
}

struct These {
    names: Vec<ChallengeId>,
    sql: &'static str,
    event: Event,
}

impl Intent for These {
    type Answer = u64;

    fn locks(&self) -> Locks {
        let shards = self.names.iter().map(ChallengeId::shard);
        shards.fold(Locks::default(), Locks::subject)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let now = tx.now()?;
        let names: Vec<String> = self.names.iter().map(ChallengeId::to_string).collect();
        let pairs = json_pairs(names.iter().map(|name| (name.as_str(), "")));
        let values = [(&pairs).into(), now.into(), now.into()];
        let revoked = tx.execute(self.sql, &values).await?;
        audit::write(tx, &counted(&self.event, revoked)).await?;
        Ok(revoked)
    }
}

/// The longest reason, in characters, that a number is added to: the number stays readable.
const LONGEST_REASON: usize = 1_000;

/// Adds to an event how many challenges were ended.
pub(crate) fn counted(event: &Event, revoked: u64) -> Event {
    Event {
        reason: Some(match &event.reason {
            Some(why) => format!("{}:{revoked}", audit::cut(why, LONGEST_REASON)).into(),
            None => format!("revoked:{revoked}").into(),
        }),
        ..event.clone()
    }
}
