//! A plan on its way to the server, and what came of it.

use otp_core::store::{Admission, Plan, Step, StoreError, StoreErrorKind, Target};
use serde_json::{Value, json};

use super::{RedisStore, script};
use crate::wire::admission;
use crate::wire::request::Request;

impl RedisStore {
    pub(super) async fn carry_out(&self, plan: &Plan) -> Result<Admission, StoreError> {
        let blocks = plan.blocks.iter();
        let request = self
            .step(&plan.step)?
            .with("blocks", blocks.map(super::blocklist::field).collect())
            .with("quotas", self.inner.keys.quotas(&plan.quotas))
            .event(&plan.event);
        let reply = self.ask(&script::ADMIT, request).await?;
        admission::read(plan, &reply)
    }

    fn step(&self, step: &Step) -> Result<Request, StoreError> {
        let keys = &self.inner.keys;
        match step {
            Step::Issue {
                budget,
                idempotency,
            } => {
                let request = self.request("issue").rules(&budget.rules).with(
                    "budget",
                    json!({"key": keys.budget(&budget.key), "lane": budget.lane.name()}),
                );
                let Some(claim) = idempotency else {
                    return Ok(request);
                };
                let named = json!({"key": keys.idempotency(&claim.key)});
                Ok(request.with("idempotency", admission::idempotency(claim, named)))
            }
            Step::Resend {
                challenge,
                claim,
                rules,
            } => Ok(self
                .request("resend")
                .rules(rules)
                .with("target", json!({"key": keys.challenge(challenge)}))
                .with("claim", admission::resend(claim))),
            Step::Attempt {
                target,
                claim,
                rules,
            } => Ok(self
                .request("attempt")
                .rules(rules)
                .with("target", self.target(target))
                .with("claim", admission::attempt(claim))),
            Step::Nothing => Ok(self.request("nothing")),
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
                let slots = lanes
                    .iter()
                    .map(|lane| keys.slot(tenant, subject, purpose, *lane));
                json!({"slots": slots.collect::<Vec<_>>()})
            }
        }
    }
}
