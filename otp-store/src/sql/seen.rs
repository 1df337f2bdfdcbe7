//! What may happen once.

use std::time::Duration;

use otp_core::clock::Timestamp;
use otp_core::store::{AcceptedTry, NamedTry, Seen, StoreError, StoreErrorKind};

use super::{Intent, Locks, Tx};

/// The longest key, in bytes.
const LONGEST: usize = 1_024;

// A key that has lapsed is taken anew; one that holds keeps its time.
const TAKE_AGAIN: &str =
    "UPDATE seen_keys SET expires_at = ? WHERE seen_key = ? AND expires_at <= ?";

const UNTIL: &str = "SELECT expires_at FROM seen_keys WHERE seen_key = ? AND expires_at > ?";

/// Remembers a key, and says whether it was there.
pub(crate) struct FirstSeen(pub(crate) String, pub(crate) Duration);

impl Intent for FirstSeen {
    type Answer = Seen;

    fn locks(&self) -> Locks {
        Locks::default().seen(&self.0)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Seen, StoreError> {
        let Self(key, life) = self;
        if key.len() > LONGEST {
            return Err(StoreErrorKind::Invalid.into());
        }
        let now = tx.now()?;
        first(tx, key, *life, now).await
    }
}

async fn first(
    tx: &mut Tx<'_>,
    key: &str,
    life: Duration,
    now: Timestamp,
) -> Result<Seen, StoreError> {
    let ends = now.saturating_add(life);
    let added = [key.into(), ends.into()];
    if tx.execute(tx.dialect().add_seen, &added).await? > 0 {
        return Ok(Seen::First);
    }
    let taken = [ends.into(), key.into(), now.into()];
    Ok(match tx.execute(TAKE_AGAIN, &taken).await? {
        0 => Seen::Again,
        _ => Seen::First,
    })
}

/// Says when the guess of a try was counted, where it is remembered. Its subject is locked.
pub(super) async fn counted(
    tx: &mut Tx<'_>,
    named: &NamedTry,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    for key in named.keys() {
        let row = tx.row(UNTIL, &[key.as_str().into(), now.into()]).await?;
        if let Some(row) = row {
            return Ok(Some(NamedTry::counted_at(row.time("expires_at")?)));
        }
    }
    Ok(None)
}

/// Remembers that the guess of a try is counted.
pub(super) async fn count(
    tx: &mut Tx<'_>,
    named: &NamedTry,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(key) = named.keys().next() {
        let _ = first(tx, &key, AcceptedTry::LIFE, now).await?;
    }
    Ok(())
}
