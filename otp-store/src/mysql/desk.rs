//! Carries an intent out: begun again where the engine gave way, answered when it is committed.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::Error;
use tokio::time::sleep;

use super::Inner;
use super::dialect::DIALECT;
use super::failure::{ReadsOnly, failed, gave_way, unknown};
use super::link::{Wire, Yielded};
use super::schema;
use super::session::{Kind, Server, Session, Stripes};
use crate::sql::{Intent, Order, Tx};

/// How often an intent is begun again.
const AGAIN: u32 = 3;

/// Why a transaction was not committed.
struct Undone {
    error: StoreError,
    /// Whether it surely was not, and may be begun again.
    yielded: Yielded,
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self {
            error: failed(&error),
            yielded: if gave_way(&error) {
                Yielded::Yes
            } else {
                Yielded::No
            },
        }
    }
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            yielded: Yielded::No,
        }
    }
}

/// Carries an intent out, to its end. Runs in a task of its own.
pub(super) async fn carry_out<I: Intent>(
    inner: Arc<Inner>,
    kind: Kind,
    intent: I,
) -> Result<I::Answer, StoreError> {
    let mut tries = 0;
    let most = match intent.locks().order() {
        Order::Records => 0,
        Order::Decisions | Order::Nothing => AGAIN,
    };
    loop {
        match transact(&inner, kind, &intent).await {
            Err(undone) if undone.yielded == Yielded::Yes && tries < most => {
                tries += 1;
                sleep(pause(tries)).await;
            }
            done => return done.map_err(|undone| undone.error),
        }
    }
}

async fn transact<I: Intent>(inner: &Inner, kind: Kind, intent: &I) -> Result<I::Answer, Undone> {
    let mut session = Session::take(&inner.pool).await?;
    let locks = intent.locks();
    let pardons = inner.watch.pardons();
    let opened = match session.begin(kind, &locks, inner.deadline).await {
        Ok(opened) => opened,
        Err(error) => return Err(undo(session, error.into()).await),
    };
    if kind == Kind::Deciding && opened.server == Server::ReadsOnly {
        let error = StoreError::new(StoreErrorKind::Unavailable).with_source(ReadsOnly);
        return Err(undo(session, error.into()).await);
    }
    if opened.stripes == Stripes::Missing {
        return Err(undo(session, schema::missing().into()).await);
    }
    let now = inner.watch.read(opened.engine, opened.mark, pardons);
    let overdue = match (now, locks.order()) {
        (Ok(now), Order::Decisions) => inner.watch.overdue(now, opened.mark),
        _ => None,
    };
    if let Some(to_ms) = overdue
        && let Err(error) = session.raise_mark(to_ms).await
    {
        return Err(undo(session, error.into()).await);
    }
    let mut wire = Wire::new(session.conn()?);
    let answer = intent
        .carry_out(&mut Tx::new(&mut wire, &DIALECT, inner.watch.own(), now))
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let yielded = wire.yielded;
            return Err(undo(session, Undone { error, yielded }).await);
        }
    };
    if let Err(error) = session.commit().await {
        return Err(Undone {
            error: unknown(&error),
            ..Undone::from(error)
        });
    }
    session.give_back();
    Ok(answer)
}

/// Leaves nothing of a transaction behind: a connection that cannot be cleared is closed.
async fn undo(mut session: Session, undone: Undone) -> Undone {
    if session.rollback().await.is_ok() {
        session.give_back();
    }
    undone
}

/// Waits longer each time, and not as long as whoever was met.
fn pause(tries: u32) -> Duration {
    // Nothing hangs on this but that two do not meet again; the hasher's keys are random.
    let jitter = RandomState::new().hash_one(tries) % 20;
    Duration::from_millis(u64::from(tries).saturating_mul(10).saturating_add(jitter))
}
