//! A plan on its way to the server, and what came of it.

use std::collections::BTreeSet;

use otp_core::store::{AcceptedTry, Admission, Plan, Step, StoreError, StoreErrorKind, Target};
use serde_json::{Value, json};

use super::keys::Whose;
use super::shelf::Shelf;
use super::{RedisStore, script};
use crate::wire::admission;
use crate::wire::corrupt;
use crate::wire::request::{Request, millis};

impl RedisStore {
    pub(super) async fn carry_out(&self, plan: &Plan) -> Result<Admission, StoreError> {
        if self.inner.keys.shelves.is_one() {
            let quotas = self.inner.keys.quotas(&plan.quotas);
            let shelf = self.home(plan);
            let decided = self.decide(plan, shelf, quotas, &BTreeSet::new()).await?;
            return Ok(decided.admission);
        }
        let (store, plan) = (self.clone(), plan.clone());
        self.whole(async move { store.carry_apart(&plan).await })
            .await
    }

    /// Has the script decide about a plan, with what the quotas of other shelves have said and the
    /// places of the blocks that any of them has.
    pub(super) async fn decide(
        &self,
        plan: &Plan,
        shelf: &Shelf,
        quotas: Value,
        blocked: &BTreeSet<String>,
    ) -> Result<Decided, StoreError> {
        let request = self
            .step(shelf, &plan.step)?
            .with("blocks", blocks(plan))
            .with("blocked", blocked.iter().map(String::as_str).collect())
            .with("quotas", quotas)
            .event(&plan.event);
        let reply = self.ask(shelf, &script::ADMIT, request).await?;
        let looked = reply.lists(3)?.into_iter().map(|level| {
            let place = level.first().and_then(|place| place.parse().ok());
            place.ok_or_else(|| corrupt("a level"))
        });
        Ok(Decided {
            looked: looked.collect::<Result<_, _>>()?,
            admission: admission::read(plan, &reply)?,
        })
    }

    /// Gives the shelf that decides about a plan: its subject's.
    pub(super) fn home(&self, plan: &Plan) -> &Shelf {
        let shelves = &self.inner.keys.shelves;
        match &plan.step {
            Step::Issue { budget, .. } | Step::Guess { budget, .. } => shelves.of(budget.subject()),
            Step::Resend { challenge, .. } => shelves.of_shard(challenge.shard()),
            Step::Attempt { target, .. } => match target {
                Target::Id(id) => shelves.of_shard(id.shard()),
                Target::Latest { subject, .. } => shelves.of(subject),
            },
            _ => plan
                .quotas
                .first()
                .map_or_else(|| shelves.first(), |claim| shelves.of_quota(&claim.key)),
        }
    }

    fn step(&self, shelf: &Shelf, step: &Step) -> Result<Request, StoreError> {
        let keys = &self.inner.keys;
        match step {
            Step::Issue {
                budget,
                idempotency,
            } => {
                let request = self.request(shelf, "issue").rules(&budget.rules).with(
                    "budget",
                    json!({"key": keys.budget(&budget.key), "lane": budget.lane.name()}),
                );
                // With several shelves it was taken where it lies.
                match idempotency {
                    Some(claim) if keys.shelves.is_one() => {
                        Ok(request.with("idempotency", keys.claim(claim)))
                    }
                    _ => Ok(request),
                }
            }
            Step::Resend {
                challenge,
                claim,
                rules,
            } => Ok(self
                .request(shelf, "resend")
                .rules(rules)
                .with("target", json!({"key": keys.challenge(challenge)}))
                .with("claim", admission::resend(claim))),
            Step::Attempt {
                target,
                claim,
                rules,
            } => Ok(self
                .request(shelf, "attempt")
                .rules(rules)
                .with("target", self.target(target))
                .with("claim", admission::attempt(claim))),
            Step::Guess { budget, named } => {
                let request = self.request(shelf, "guess").rules(&budget.rules).with(
                    "budget",
                    json!({"key": keys.budget(&budget.key), "lane": budget.lane.name()}),
                );
                let Some(named) = named else {
                    return Ok(request);
                };
                let tries = named
                    .keys()
                    .map(|name| keys.counted_try(&budget.key, &name));
                let request = request.with("tries", tries.collect());
                Ok(request.with("life", millis(AcceptedTry::LIFE).into()))
            }
            Step::Nothing => Ok(self.request(shelf, "nothing")),
            _ => Err(StoreErrorKind::Invalid.into()),
        }
    }

    fn target(&self, target: &Target) -> Value {
        let keys = &self.inner.keys;
        match target {
            Target::Id(id) => json!({"key": keys.challenge(id)}),
            Target::Latest {
                tenant,
                subject,
                purpose,
                lanes,
            } => {
                let places = Whose::BOTH
                    .into_iter()
                    .flat_map(|whose| lanes.iter().map(move |lane| (*lane, whose)));
                let slots =
                    places.map(|(lane, whose)| keys.slot(tenant, subject, purpose, lane, whose));
                json!({"slots": slots.collect::<Vec<_>>()})
            }
        }
    }
}

/// What the script decided, and the places of the quotas that it looked at.
pub(super) struct Decided {
    pub(super) admission: Admission,
    pub(super) looked: Vec<usize>,
}

/// Names the entries that would refuse a plan.
pub(super) fn blocks(plan: &Plan) -> Value {
    plan.blocks.iter().map(super::blocklist::field).collect()
}
