//! Authenticators and recovery codes: on their subject's shelf, beside the budgets of guesses at
//! them.

use otp_core::store::{FactorOwner, StoreError};

use super::{RedisStore, script};
use crate::wire::factor;
use crate::wire::factor_store::ask_for_factors;
use crate::wire::reply::Reply;
use crate::wire::request::Request;

impl RedisStore {
    async fn ask_factors(
        &self,
        step: &str,
        owner: &FactorOwner,
        fill: impl FnOnce(Request) -> Result<Request, StoreError>,
    ) -> Result<Reply, StoreError> {
        let keys = &self.inner.keys;
        let shelf = keys.shelves.of(&owner.subject);
        let request = self
            .request(shelf, step)
            .text("factors", &keys.factors(owner))
            .text("recovery", &keys.recovery(owner))
            .text("tried", &keys.accepted_try(owner))
            .text("budget", &keys.budget(&owner.budget(factor::class(step))));
        self.ask(shelf, &script::FACTORS, fill(request)?).await
    }
}

ask_for_factors!(RedisStore);
