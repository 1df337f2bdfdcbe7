//! What may be used once, by one browser.

use otp_core::request::SessionBinding;
use otp_core::store::{PutState, StoreError};

use super::{Intent, Locks, Tx, corrupt};

const PUT: &str = "INSERT INTO otp_states (state_key, binding, payload, expires_at)
    VALUES (?, ?, ?, ?)";

const FIND: &str = "SELECT payload FROM otp_states
    WHERE state_key = ? AND binding = ? AND expires_at > ?";

const TAKE: &str = "DELETE FROM otp_states WHERE state_key = ?";

const FORGET: &str = "DELETE FROM otp_states";

impl Intent for PutState {
    type Answer = ();

    fn locks(&self) -> Locks {
        Locks::default().seen(&name(&self.key))
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let ends = tx.now()?.saturating_add(self.checked()?.life);
        let name = name(&self.key);
        // A put that was carried out and is repeated puts the same again.
        tx.execute(TAKE, &[(&name).into()]).await?;
        let values = [
            (&name).into(),
            self.binding.as_bytes().as_slice().into(),
            self.payload.as_slice().into(),
            ends.into(),
        ];
        tx.execute(PUT, &values).await.map(drop)
    }
}

/// Takes what was kept for a browser.
pub(crate) struct TakeState(pub(crate) [u8; 32], pub(crate) SessionBinding);

impl Intent for TakeState {
    type Answer = Option<Vec<u8>>;

    fn locks(&self) -> Locks {
        Locks::default().seen(&name(&self.0))
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        let Self(key, binding) = self;
        let (now, name) = (tx.now()?, name(key));
        let values = [
            (&name).into(),
            binding.as_bytes().as_slice().into(),
            now.into(),
        ];
        let Some(row) = tx.row(FIND, &values).await? else {
            return Ok(None);
        };
        let payload = row.opt_blob("payload")?.map(<[u8]>::to_vec);
        let payload = payload.ok_or_else(|| corrupt("payload"))?;
        let taken = tx.execute(TAKE, &[(&name).into()]).await?;
        Ok((taken == 1).then_some(payload))
    }
}

/// Forgets everything that waits to be used.
pub(crate) async fn forget_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.execute(FORGET, &[]).await.map(drop)
}

fn name(key: &[u8; 32]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}
