//! What a plan needs of other shelves than its subject's: reserved beside it, and given back where
//! it was refused.
//!
//! A quota is charged before the plan is decided about, so that never more are admitted than the
//! limit says: the requester's first, and where those have room the others'. What is given back comes late for a caller who was refused meanwhile.

mod share;

use std::collections::BTreeSet;
use std::time::Duration;

use otp_core::quota::{Party, QuotaClaim};
use otp_core::store::{Admission, IdempotencyClaim, Plan, Step, StoreError, StoreErrorKind};
use serde_json::{Value, json};
use tokio::time::timeout;

use self::share::{Held, Standing};
use super::admit::blocks;
use super::link::Pending;
use super::{RedisStore, script};
use crate::wire::admission;

/// How often a key is given back that a node has not taken back at once: for about a minute.
const AGAIN: u32 = 7;
/// The pause before the first time; the next ones are twice as long each.
const PAUSE: Duration = Duration::from_millis(500);

/// What the shelf of the host's key said.
enum Key {
    /// It was taken, or there is none.
    Ours,
    /// The blocks of these places refuse the request, which is told where it is decided about.
    Blocked(Vec<String>),
    /// The request was made before.
    Answered(Admission),
}

impl RedisStore {
    /// Carries out work over several shelves, to its end, whoever waits for it.
    pub(super) async fn whole<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        timeout(self.inner.link.deadline(), tokio::spawn(work))
            .await
            .map_err(|_| StoreErrorKind::Unavailable)?
            .map_err(|_| StoreErrorKind::Unavailable)?
    }

    pub(super) async fn carry_apart(&self, plan: &Plan) -> Result<Admission, StoreError> {
        let (home, blocks) = (self.home(plan), blocks(plan));
        let claim = match &plan.step {
            Step::Issue { idempotency, .. } => idempotency.as_ref(),
            _ => None,
        };
        let is_own = |claim: &QuotaClaim| claim.key.scope().party() == Party::Requester;
        let is_distant =
            |claim: &QuotaClaim| !self.inner.keys.shelves.of_quota(&claim.key).is(home);
        let of_others = self.shares(&plan.quotas, |claim| !is_own(claim) && is_distant(claim));
        // The requester's come first: whoever has none left must not touch what is another's.
        let first = !of_others.is_empty();
        let own = self.shares(&plan.quotas, |claim| {
            is_own(claim) && (first || is_distant(claim))
        });
        let named = claim.map(|claim| self.begin_claim(&blocks, claim));
        let holding = self.begin_hold(own, &blocks, Standing::Open);
        let key = match named {
            Some(pending) => key(plan, pending).await,
            None => Ok(Key::Ours),
        };
        let (mut held, mut failure) = self.held(holding).await;
        if failure.is_none() && matches!(key, Ok(Key::Ours | Key::Blocked(_))) {
            let standing = if held.iter().all(Held::is_charged) {
                Standing::Open
            } else {
                Standing::Refused
            };
            let (more, failed) = self
                .held(self.begin_hold(of_others, &blocks, standing))
                .await;
            held.extend(more);
            failure = failed;
        }
        let known = match (key, failure) {
            (Ok(Key::Answered(admission)), _) => {
                self.refund_all(&held).await?;
                return Ok(admission);
            }
            (Ok(Key::Blocked(places)), None) => Some(places),
            (Ok(Key::Ours), None) => None,
            (Err(error), _) | (_, Some(error)) => {
                self.undo(&held, claim).await;
                return Err(error);
            }
        };
        let ours = claim.filter(|_| known.is_none());
        // Shelves do not agree about a block while it is being written: then it holds.
        let blocked = held.iter().flat_map(Held::blocks).cloned();
        let blocked: BTreeSet<_> = blocked.chain(known.into_iter().flatten()).collect();
        let judged = self.judged(plan, &held);
        let decided = self.decide(plan, home, judged, &blocked).await;
        let mut decided = match decided {
            Ok(decided) => decided,
            Err(error) => {
                // What was not answered may have been admitted, and stays charged.
                let known = error.kind() != StoreErrorKind::Unavailable;
                self.undo(if known { &held } else { &[] }, ours).await;
                return Err(error);
            }
        };
        let looked = &decided.looked;
        if decided.admission.granted.is_some() {
            self.refund(&held, |place| !looked.contains(&place)).await?;
            return Ok(decided.admission);
        }
        if let Some(claim) = ours {
            self.give_up(claim).await;
        }
        let fresh = self.refund(&held, |_| true).await?;
        let quotas = &mut decided.admission.findings.quotas;
        for (place, reading) in looked.iter().zip(quotas) {
            if let Some((_, fresh)) = fresh.iter().find(|(of, _)| of == place) {
                *reading = *fresh;
            }
        }
        Ok(decided.admission)
    }

    /// Writes a plan's quotas, with what was read of those that lie elsewhere.
    fn judged(&self, plan: &Plan, held: &[Held<'_>]) -> Value {
        let mut quotas = self.inner.keys.quotas(&plan.quotas);
        for (place, reading) in held.iter().flat_map(Held::readings) {
            let retry = reading.retry_after().map(|wait| json!(micros(wait)));
            let level = json!([
                reading.remaining(),
                micros(reading.reset_after()),
                retry.unwrap_or_else(|| json!(-1)),
            ]);
            if let Some(Value::Object(quota)) = quotas.get_mut(place) {
                quota.insert("kind".to_owned(), "distant".into());
                quota.insert("level".to_owned(), level);
            }
        }
        quotas
    }

    /// Gives back what can be; the caller hears what went wrong first.
    async fn undo(&self, held: &[Held<'_>], claim: Option<&IdempotencyClaim>) {
        let _ = self.refund_all(held).await;
        if let Some(claim) = claim {
            self.give_up(claim).await;
        }
    }

    /// Gives a key back whose taking may be known to nobody. Where that is not answered it is
    /// tried again after the caller has gone, for as long as a node may be away in a failover.
    async fn give_up(&self, claim: &IdempotencyClaim) {
        if self.unclaim(claim).await.is_ok() {
            return;
        }
        let (store, claim) = (self.clone(), claim.clone());
        tokio::spawn(async move {
            for again in 0..AGAIN {
                tokio::time::sleep(PAUSE.saturating_mul(1 << again)).await;
                if store.unclaim(&claim).await.is_ok() {
                    break;
                }
            }
        });
    }

    fn begin_claim(&self, blocks: &Value, claim: &IdempotencyClaim) -> Pending {
        let keys = &self.inner.keys;
        let shelf = keys.shelves.of_idempotency(&claim.key);
        let request = self
            .request(shelf, "claim")
            .with("blocks", blocks.clone())
            .with("idempotency", keys.claim(claim));
        self.begin(shelf, &script::DESK, request)
    }

    /// Gives a key back that is still for this challenge.
    async fn unclaim(&self, claim: &IdempotencyClaim) -> Result<(), StoreError> {
        let keys = &self.inner.keys;
        let shelf = keys.shelves.of_idempotency(&claim.key);
        let request = self
            .request(shelf, "unclaim")
            .with("idempotency", keys.claim(claim));
        self.ask(shelf, &script::DESK, request).await.map(drop)
    }
}

async fn key(plan: &Plan, pending: Pending) -> Result<Key, StoreError> {
    let reply = pending.answer().await?;
    match reply.texts(1)?.first().map(String::as_str) {
        Some("taken") => Ok(Key::Ours),
        Some("blocked") => reply.texts(2).map(Key::Blocked),
        _ => admission::read(plan, &reply).map(Key::Answered),
    }
}

fn micros(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros()).unwrap_or(u64::MAX)
}
