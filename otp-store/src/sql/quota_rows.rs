//! Quotas as rows. The decisions are [`window`]'s and [`gcra`]'s; here is only what they look at.

use std::time::Duration;

use otp_core::clock::Timestamp;
use otp_core::quota::gcra::{self, Rate};
use otp_core::quota::window::{self, Hits, Window};
use otp_core::quota::{LATEST_MS, Level, Quota, QuotaClaim, QuotaReading, Scope, Shape};
use otp_core::store::StoreError;

use super::json::json_texts;
use super::{Row, Tx, corrupt};

// Counting stops at the most that the quota allows: more makes no difference to it.
const HITS: &str = "SELECT COUNT(*) AS hits, MIN(attempted_at) AS leaves_first,
        MAX(attempted_at) AS newest
    FROM (SELECT attempted_at FROM rate_limit_attempts
        WHERE bucket = ? AND attempted_at > ? ORDER BY attempted_at DESC LIMIT ?) AS inside";

const ADD_HIT: &str = "INSERT INTO rate_limit_attempts (bucket, user_id, attempted_at, expires_at)
    VALUES (?, ?, ?, ?)";

/// What is stored under the keys of claims, at one time.
pub(crate) struct Buckets<'q> {
    claims: &'q [QuotaClaim],
    found: Vec<Bucket>,
    now_ms: i64,
}

#[derive(Clone, Copy)]
enum Bucket {
    Window(Window, Option<Hits>),
    Rate(Rate, Option<i64>),
}

impl<'q> Buckets<'q> {
    /// Reads what the claims are decided by.
    pub(crate) async fn load(
        tx: &mut Tx<'_>,
        claims: &'q [QuotaClaim],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let found = claims
            .iter()
            .map(|claim| match claim.quota.shape() {
                Shape::Window(window) => Bucket::Window(window, None),
                Shape::Rate(rate) => Bucket::Rate(rate, None),
            })
            .collect();
        let mut buckets = Self {
            claims,
            found,
            now_ms: now.as_millis().clamp(0, LATEST_MS),
        };
        let has = |kind: fn(&Bucket) -> bool| buckets.found.iter().any(kind);
        let (windows, rates) = (
            has(|bucket| matches!(bucket, Bucket::Window(..))),
            has(|bucket| matches!(bucket, Bucket::Rate(..))),
        );
        let keys = json_texts(claims.iter().map(|claim| claim.key.as_str()));
        if windows {
            buckets.load_windows(tx, &keys).await?;
        }
        if rates {
            buckets.load_rates(tx, &keys).await?;
        }
        Ok(buckets)
    }

    async fn load_windows(&mut self, tx: &mut Tx<'_>, keys: &str) -> Result<(), StoreError> {
        let rows = tx.rows(tx.dialect().newest_hits, &[keys.into()]).await?;
        for row in &rows {
            let place = row.place("place")?;
            let newest = row.opt_time("newest")?.map(Timestamp::as_millis);
            let claim = self.claims.get(place);
            let (Some(claim), Some(Bucket::Window(window, hits))) =
                (claim, self.found.get_mut(place))
            else {
                continue;
            };
            let horizon = window.horizon(window.as_of(newest, self.now_ms));
            if newest.is_some_and(|newest| newest > horizon) {
                *hits = inside(tx, claim, *window, horizon).await?;
            }
        }
        Ok(())
    }

    async fn load_rates(&mut self, tx: &mut Tx<'_>, keys: &str) -> Result<(), StoreError> {
        let rows = tx.rows(tx.dialect().cells, &[keys.into()]).await?;
        for row in &rows {
            if let Some(Bucket::Rate(rate, tat)) = self.found.get_mut(row.place("place")?) {
                *tat = Some(kept_tat(row, *rate, self.now_ms)?);
            }
        }
        Ok(())
    }

    /// Reads every claim without charging it.
    pub(crate) fn look(&self) -> Vec<QuotaReading> {
        let level = |bucket: &Bucket| match *bucket {
            Bucket::Window(window, hits) => window::look(window, hits, self.now_ms),
            Bucket::Rate(rate, tat) => gcra::look(rate, tat, micros(self.now_ms)),
        };
        let levels = self.found.iter().map(level);
        let readings = self.claims.iter().zip(levels);
        readings
            .map(|(claim, level)| QuotaReading::new(claim, level))
            .collect()
    }

    /// Charges every claim with one; called only where [`look`](Self::look) refuses none.
    ///
    /// A key that stands in several claims is charged once.
    pub(crate) async fn charge(
        self,
        tx: &mut Tx<'_>,
        user_id: Option<&str>,
    ) -> Result<Vec<QuotaReading>, StoreError> {
        let mut readings = Vec::with_capacity(self.claims.len());
        for (place, (claim, bucket)) in self.claims.iter().zip(&self.found).enumerate() {
            let level = match *bucket {
                Bucket::Window(window, hits) => match window::decide(window, hits, self.now_ms) {
                    window::Decision::Refuse { level } => level,
                    window::Decision::Admit { at_ms, level } => {
                        if self.is_first(place, claim) {
                            let expires = at_ms.saturating_add(self.longest(claim));
                            add_hit(tx, claim, user_id, at_ms, expires).await?;
                        }
                        level
                    }
                },
                Bucket::Rate(rate, tat) => match gcra::decide(rate, tat, micros(self.now_ms)) {
                    gcra::Decision::Refuse { level } => level,
                    gcra::Decision::Admit { tat_us, level } => {
                        if self.is_first(place, claim) {
                            put_cell(tx, claim, user_id, rate, tat_us).await?;
                        }
                        level
                    }
                },
            };
            let level = Level {
                retry_after: None,
                ..level
            };
            readings.push(QuotaReading::new(claim, level));
        }
        Ok(readings)
    }

    fn is_first(&self, place: usize, claim: &QuotaClaim) -> bool {
        let same = |other: &&QuotaClaim| {
            other.key == claim.key && other.quota.kind() == claim.quota.kind()
        };
        !self.claims.iter().take(place).any(|other| same(&other))
    }

    /// The longest window that a key's hits are looked at with.
    fn longest(&self, claim: &QuotaClaim) -> i64 {
        let lengths = self
            .claims
            .iter()
            .filter_map(|other| match other.quota.shape() {
                Shape::Window(window) if other.key == claim.key => Some(window.length_ms()),
                _ => None,
            });
        lengths.max().unwrap_or_default()
    }
}

/// Reads the hits of a bucket that are later than the horizon.
async fn inside(
    tx: &mut Tx<'_>,
    claim: &QuotaClaim,
    window: Window,
    horizon: i64,
) -> Result<Option<Hits>, StoreError> {
    let row = tx
        .row(
            HITS,
            &[
                claim.key.as_str().into(),
                Timestamp::from_millis(horizon).into(),
                window.max().into(),
            ],
        )
        .await?;
    let row = row.ok_or_else(|| corrupt("hits"))?;
    let count = row.count("hits")?;
    let ends = row.opt_time("leaves_first")?.zip(row.opt_time("newest")?);
    Ok(ends.map(|(leaves_first, newest)| Hits {
        count,
        leaves_first_ms: leaves_first.as_millis(),
        newest_ms: newest.as_millis(),
    }))
}

/// Reads a cell's arrival time, restated where it was counted under another rate.
fn kept_tat(row: &Row, rate: Rate, now_ms: i64) -> Result<i64, StoreError> {
    let (tat, step) = (row.int("tat")?, row.int("step")?);
    let burst = row.count("burst")?;
    if (burst, step) == (rate.burst(), rate.step_us()) {
        return Ok(tat);
    }
    let step = u64::try_from(step).map_err(|_| corrupt("step"))?;
    let period = Duration::from_micros(step.saturating_mul(u64::from(burst)));
    let kept = Quota::rate(burst, period).map_err(|_| corrupt("burst"))?;
    let Shape::Rate(kept) = kept.shape() else {
        return Err(corrupt("burst"));
    };
    let (used, as_of) = gcra::used(kept, tat, micros(now_ms));
    Ok(gcra::remembering(rate, used, as_of))
}

async fn add_hit(
    tx: &mut Tx<'_>,
    claim: &QuotaClaim,
    user_id: Option<&str>,
    at_ms: i64,
    expires_ms: i64,
) -> Result<(), StoreError> {
    tx.execute(
        ADD_HIT,
        &[
            claim.key.as_str().into(),
            owner(claim, user_id).into(),
            Timestamp::from_millis(at_ms).into(),
            Timestamp::from_millis(expires_ms).into(),
        ],
    )
    .await?;
    Ok(())
}

async fn put_cell(
    tx: &mut Tx<'_>,
    claim: &QuotaClaim,
    user_id: Option<&str>,
    rate: Rate,
    tat_us: i64,
) -> Result<(), StoreError> {
    tx.execute(
        tx.dialect().put_cell,
        &[
            claim.key.as_str().into(),
            owner(claim, user_id).into(),
            tat_us.into(),
            rate.burst().into(),
            rate.step_us().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Names the user whose limit a bucket is, so that an operator can clear it by that name.
fn owner<'u>(claim: &QuotaClaim, user_id: Option<&'u str>) -> Option<&'u str> {
    match claim.key.scope() {
        Scope::Subject | Scope::Destination => user_id,
        _ => None,
    }
}

const fn micros(now_ms: i64) -> i64 {
    now_ms.saturating_mul(1_000)
}
