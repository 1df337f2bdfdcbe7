//! The shares that shelves have in a list of quotas.

use otp_core::quota::{QuotaClaim, QuotaReading};
use otp_core::store::StoreError;
use serde_json::{Value, json};

use crate::redis::link::Pending;
use crate::redis::shelf::Shelf;
use crate::redis::{RedisStore, script};
use crate::wire::admission;

/// The claims that one shelf keeps, with their places among all.
pub(super) struct Share<'s> {
    pub(super) shelf: &'s Shelf,
    places: Vec<usize>,
    claims: Vec<QuotaClaim>,
}

/// What a shelf said to its share.
pub(super) struct Held<'s> {
    share: Share<'s>,
    readings: Vec<QuotaReading>,
    /// When each claim was charged; empty where none was.
    hits: Vec<String>,
    /// The places of the blocks that it knows of.
    blocks: Vec<String>,
}

/// Whether anything stands against a request so far.
#[derive(Clone, Copy)]
pub(super) enum Standing {
    Open,
    Refused,
}

impl Held<'_> {
    pub(super) fn is_charged(&self) -> bool {
        !self.hits.is_empty()
    }

    pub(super) fn blocks(&self) -> &[String] {
        &self.blocks
    }

    pub(super) fn readings(&self) -> impl Iterator<Item = (usize, QuotaReading)> {
        let places = self.share.places.iter().copied();
        places.zip(self.readings.iter().copied())
    }
}

impl RedisStore {
    /// Charges all claims, on whatever shelves, or none.
    pub(in crate::redis) async fn charge_apart(
        &self,
        claims: &[QuotaClaim],
    ) -> Result<Vec<QuotaReading>, StoreError> {
        let shares = self.shares(claims, |_| true);
        let holding = self.begin_hold(shares, &json!([]), Standing::Open);
        let (held, failure) = self.held(holding).await;
        if let Some(error) = failure {
            // The caller hears what went wrong first.
            let _ = self.refund_all(&held).await;
            return Err(error);
        }
        let mut readings: Vec<_> = held.iter().flat_map(Held::readings).collect();
        if !held.iter().all(Held::is_charged) {
            let fresh = self.refund(&held, |_| true).await?;
            readings.retain(|(place, _)| fresh.iter().all(|(of, _)| of != place));
            readings.extend(fresh);
        }
        readings.sort_by_key(|(place, _)| *place);
        Ok(readings.into_iter().map(|(_, reading)| reading).collect())
    }

    /// Reads all claims, on whatever shelves.
    pub(in crate::redis) async fn peek_apart(
        &self,
        claims: &[QuotaClaim],
    ) -> Result<Vec<QuotaReading>, StoreError> {
        let shares = self.shares(claims, |_| true).into_iter().map(|share| {
            let quotas = self.inner.keys.quotas(&share.claims);
            let request = self.request(share.shelf, "peek").with("quotas", quotas);
            let pending = self.begin(share.shelf, &script::QUOTAS, request);
            (share, pending)
        });
        let mut readings = Vec::new();
        for (share, pending) in shares.collect::<Vec<_>>() {
            let levels = admission::readings(&share.claims, &pending.answer().await?, 0)?;
            readings.extend(share.places.into_iter().zip(levels));
        }
        readings.sort_by_key(|(place, _)| *place);
        Ok(readings.into_iter().map(|(_, reading)| reading).collect())
    }

    /// Divides the claims of these among the shelves that keep them.
    pub(super) fn shares(
        &self,
        claims: &[QuotaClaim],
        these: impl Fn(&QuotaClaim) -> bool,
    ) -> Vec<Share<'_>> {
        let mut shares: Vec<Share<'_>> = Vec::new();
        for (place, claim) in claims.iter().enumerate().filter(|(_, claim)| these(claim)) {
            let shelf = self.inner.keys.shelves.of_quota(&claim.key);
            if let Some(share) = shares.iter_mut().find(|share| share.shelf.is(shelf)) {
                share.places.push(place);
                share.claims.push(claim.clone());
            } else {
                shares.push(Share {
                    shelf,
                    places: vec![place],
                    claims: vec![claim.clone()],
                });
            }
        }
        shares
    }

    /// Has each shelf charge its share, unless a block refuses it or the request is refused
    /// already; then it is read only.
    pub(super) fn begin_hold<'s>(
        &self,
        shares: Vec<Share<'s>>,
        blocks: &Value,
        standing: Standing,
    ) -> Vec<(Share<'s>, Pending)> {
        let begun = shares.into_iter().map(|share| {
            let quotas = self.inner.keys.quotas(&share.claims);
            let request = self
                .request(share.shelf, "hold")
                .with("blocks", blocks.clone())
                .with("quotas", quotas);
            let request = match standing {
                Standing::Open => request,
                Standing::Refused => request.with("refused", true.into()),
            };
            let pending = self.begin(share.shelf, &script::DESK, request);
            (share, pending)
        });
        begun.collect()
    }

    /// Waits for every shelf: what one has charged must be known even where another fails.
    pub(super) async fn held<'s>(
        &self,
        holding: Vec<(Share<'s>, Pending)>,
    ) -> (Vec<Held<'s>>, Option<StoreError>) {
        let (mut all, mut failure) = (Vec::new(), None);
        for (share, pending) in holding {
            let read = pending.answer().await.and_then(|reply| {
                let readings = admission::readings(&share.claims, &reply, 0)?;
                Ok((readings, reply.texts(1)?, reply.texts(2)?))
            });
            match read {
                Ok((readings, hits, blocks)) => all.push(Held {
                    share,
                    readings,
                    hits,
                    blocks,
                }),
                Err(error) => failure = Some(error),
            }
        }
        (all, failure)
    }

    /// Gives back what was charged at these places, and reads it anew.
    pub(super) async fn refund(
        &self,
        held: &[Held<'_>],
        these: impl Fn(usize) -> bool,
    ) -> Result<Vec<(usize, QuotaReading)>, StoreError> {
        let mut begun = Vec::new();
        for Held { share, hits, .. } in held {
            let charged = share.places.iter().zip(&share.claims).zip(hits);
            let back = charged.filter(|((place, _), _)| these(**place));
            let (mut places, mut claims, mut times) = (Vec::new(), Vec::new(), Vec::new());
            for ((place, claim), hit) in back {
                places.push(*place);
                claims.push(claim.clone());
                times.push(hit);
            }
            if places.is_empty() {
                continue;
            }
            let mut quotas = self.inner.keys.quotas(&claims);
            for (place, hit) in times.into_iter().enumerate() {
                if let Some(Value::Object(quota)) = quotas.get_mut(place) {
                    quota.insert("hit".to_owned(), hit.as_str().into());
                }
            }
            let request = self.request(share.shelf, "refund").with("quotas", quotas);
            let pending = self.begin(share.shelf, &script::DESK, request);
            begun.push((places, claims, pending));
        }
        let mut fresh = Vec::new();
        for (places, claims, pending) in begun {
            let readings = admission::readings(&claims, &pending.answer().await?, 0)?;
            fresh.extend(places.into_iter().zip(readings));
        }
        Ok(fresh)
    }

    pub(super) async fn refund_all(&self, held: &[Held<'_>]) -> Result<(), StoreError> {
        self.refund(held, |_| true).await.map(drop)
    }
}
