//! What hangs on keys, counted by the engine.

use otp_core::key::KeyId;
use otp_core::store::{KeyHold, KeyUse, StoreError};

use super::{Intent, Tx, corrupt};

const CHALLENGES: &str = "SELECT key_id, COUNT(*) AS things, MAX(expires_at) AS last_end
    FROM auth_challenges WHERE state = 'live' AND expires_at > ? GROUP BY key_id";
const DEVICES: &str = "SELECT key_id, COUNT(*) AS things, MAX(expires_at) AS last_end
    FROM otp_devices WHERE expires_at > ? GROUP BY key_id";

/// Counts what hangs on keys.
pub(crate) struct KeyUses;

impl Intent for KeyUses {
    type Answer = Vec<KeyUse>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<KeyUse>, StoreError> {
        let mut uses = counted(tx, KeyHold::Challenges, CHALLENGES).await?;
        uses.extend(counted(tx, KeyHold::Devices, DEVICES).await?);
        for row in tx.rows(tx.dialect().sealed_factors, &[]).await? {
            uses.push(KeyUse {
                key: row.parsed("key_id", |text| KeyId::new(text).ok())?,
                hold: KeyHold::Factors,
                count: u64::from(row.count("things")?),
                until: None,
            });
        }
        Ok(uses)
    }
}

/// Counts what lives by its key; the statement takes the time.
pub(super) async fn counted(
    tx: &mut Tx<'_>,
    hold: KeyHold,
    sql: &'static str,
) -> Result<Vec<KeyUse>, StoreError> {
    let now = tx.now()?;
    let rows = tx.rows(sql, &[now.into()]).await?;
    rows.iter()
        .map(|row| {
            let count = u64::try_from(row.int("things")?).map_err(|_| corrupt("things"))?;
            Ok(KeyUse {
                key: row.parsed("key_id", |text| KeyId::new(text).ok())?,
                hold,
                count,
                until: Some(row.time("last_end")?),
            })
        })
        .collect()
}
