//! Authenticators and recovery codes.

use otp_core::store::{FactorOwner, StoreError};

use super::link::Function;
use super::{PostgresStore, budgets};
use crate::wire::factor;
use crate::wire::factor_store::ask_for_factors;
use crate::wire::reply::Reply;
use crate::wire::request::Request;

impl PostgresStore {
    async fn ask_factors(
        &self,
        step: &str,
        owner: &FactorOwner,
        fill: impl FnOnce(Request) -> Result<Request, StoreError>,
    ) -> Result<Reply, StoreError> {
        let request = self.request(step).with(
            "owner",
            budgets::written(&owner.budget(factor::class(step))),
        );
        self.ask(Function::Factor, fill(request)?).await
    }
}

ask_for_factors!(PostgresStore);
