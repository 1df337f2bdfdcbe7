//! What is counted, a row a counter and minute or hour.

use otp_core::request::Tenant;
use otp_core::store::{StatGrain, StatKey, StatName, StatWindow, StoreError, StoreErrorKind};

use super::json::json_rows;
use super::{Intent, Tx, corrupt};

const TOP: &str = "SELECT value, CAST(SUM(hits) AS SIGNED) AS total FROM otp_stats
    WHERE name = ? AND tenant = ? AND grain = ? AND value <> '' AND counted_from >= ?
    GROUP BY value ORDER BY total DESC, value LIMIT ?";

/// Adds to counters.
///
/// It names no locks: adds commute, and rows are taken in the order of their keys.
pub(crate) struct Count(pub(crate) Vec<(StatKey, u32)>);

impl Intent for Count {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let merged = StatKey::merged(&self.0)?;
        let now = tx.now()?;
        if merged.is_empty() {
            return Ok(());
        }
        let counts = json_rows(merged.into_iter().map(|(key, count)| {
            let [name, tenant, value] = parts(key);
            [name, tenant, value, count.to_string()]
        }));
        for grain in StatGrain::ALL {
            let begin = grain.begin(now);
            let end = begin.saturating_add(grain.life());
            let values = [
                grain.name().into(),
                begin.into(),
                end.into(),
                (&counts).into(),
            ];
            tx.execute(tx.dialect().add_counts, &values).await?;
        }
        Ok(())
    }
}

/// Sums counters over a window.
pub(crate) struct Sums(pub(crate) Vec<StatKey>, pub(crate) StatWindow);

impl Intent for Sums {
    type Answer = Vec<u64>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<u64>, StoreError> {
        let Self(keys, window) = self;
        if keys.len() > StatKey::MOST {
            return Err(StoreErrorKind::Invalid.into());
        }
        let begin = window.begin(tx.now()?);
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let asked = json_rows(keys.iter().map(parts));
        let values = [window.grain().name().into(), begin.into(), (&asked).into()];
        let rows = tx.rows(tx.dialect().sum_counts, &values).await?;
        let mut sums = vec![0; keys.len()];
        for row in &rows {
            let sum = sums.get_mut(row.place("place")?);
            let total = u64::try_from(row.int("total")?).map_err(|_| corrupt("total"))?;
            *sum.ok_or_else(|| corrupt("place"))? = total;
        }
        Ok(sums)
    }
}

fn parts(key: &StatKey) -> [String; 3] {
    [key.name().as_str(), key.tenant().as_str(), key.value()].map(str::to_owned)
}

/// Lists the values with the largest sums.
pub(crate) struct Top {
    pub(crate) name: StatName,
    pub(crate) tenant: Tenant,
    pub(crate) window: StatWindow,
    pub(crate) limit: usize,
}

impl Intent for Top {
    type Answer = Vec<(String, u64)>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<(String, u64)>, StoreError> {
        let values = [
            self.name.as_str().into(),
            self.tenant.as_str().into(),
            self.window.grain().name().into(),
            self.window.begin(tx.now()?).into(),
            self.limit.min(StatKey::MOST).into(),
        ];
        let rows = tx.rows(TOP, &values).await?;
        rows.iter()
            .map(|row| {
                let total = u64::try_from(row.int("total")?).map_err(|_| corrupt("total"))?;
                Ok((row.text("value")?.to_owned(), total))
            })
            .collect()
    }
}
