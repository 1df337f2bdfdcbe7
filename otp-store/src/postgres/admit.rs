//! A plan on its way to the server, and what came of it.

use otp_core::store::{AcceptedTry, Admission, Plan, Step, StoreError, StoreErrorKind, Target};
use serde_json::{Value, json};

use super::link::Function;
use super::{PostgresStore, blocklist, budgets, quotas};
use crate::wire::admission;
use crate::wire::request::{Request, millis};

impl PostgresStore {
    pub(super) async fn carry_out(&self, plan: &Plan) -> Result<Admission, StoreError> {
        let request = self
            .step(&plan.step)?
            .with(
                "blocks",
                plan.blocks.iter().map(blocklist::written).collect(),
            )
            .with("quotas", quotas::written(&plan.quotas))
            .event(&plan.event);
        let reply = self.ask(Function::Admit, request).await?;
        admission::read(plan, &reply)
    }

    fn step(&self, step: &Step) -> Result<Request, StoreError> {
        match step {
            Step::Issue {
                budget,
                idempotency,
            } => {
                let mut looked_at = budgets::written(&budget.key);
                if let Value::Object(parts) = &mut looked_at {
                    parts.insert("lane".to_owned(), budget.lane.name().into());
                }
                let request = self
                    .request("issue")
                    .rules(&budget.rules)
                    .with("budget", looked_at);
                let Some(claim) = idempotency else {
                    return Ok(request);
                };
                let (tenant, key) = (claim.key.tenant().as_str(), claim.key.as_str());
                let named = json!({"tenant": tenant, "key": key});
                Ok(request.with("idempotency", admission::idempotency(claim, named)))
            }
            Step::Resend {
                challenge,
                claim,
                rules,
            } => Ok(self
                .request("resend")
                .rules(rules)
                .with("target", json!({"id": challenge.to_string()}))
                .with("claim", admission::resend(claim))),
            Step::Attempt {
                target,
                claim,
                rules,
            } => Ok(self
                .request("attempt")
                .rules(rules)
                .with("target", aimed(target))
                .with("claim", admission::attempt(claim))),
            Step::Guess { budget, named } => {
                let mut counted_in = budgets::written(&budget.key);
                if let Value::Object(parts) = &mut counted_in {
                    parts.insert("lane".to_owned(), budget.lane.name().into());
                }
                let request = self.request("guess").rules(&budget.rules);
                let request = request.with("budget", counted_in);
                let Some(named) = named else {
                    return Ok(request);
                };
                let request = request.with("tries", named.keys().collect());
                Ok(request.with("life", millis(AcceptedTry::LIFE).into()))
            }
            Step::Nothing => Ok(self.request("nothing")),
            _ => Err(StoreErrorKind::Invalid.into()),
        }
    }
}

fn aimed(target: &Target) -> Value {
    match target {
        Target::Id(id) => json!({"id": id.to_string()}),
        Target::Latest {
            tenant,
            subject,
            purpose,
            lanes,
        } => {
            let lanes: Vec<_> = lanes.iter().map(|lane| lane.name()).collect();
            json!({
                "tenant": tenant.as_str(),
                "subject": subject.as_str(),
                "purpose": purpose.as_str(),
                "lanes": lanes,
            })
        }
    }
}
