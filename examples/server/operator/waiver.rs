//! `ADMIN_MFA_REQUIRED=false`: the runbooks' kill switch, as an override of this process
//! that ends by itself.

use std::time::Duration;

use otp_kit::event::Act;
use otp_kit::policy::Exception;
use otp_kit::verifier::Verifier;

use crate::time::Rfc3339;

/// Begins it. It counts from the start of the process; where it cannot be recorded, a second factor
/// stays required.
pub(crate) async fn waive_second_factor(verifier: &Verifier, life: Duration) {
    let Ok(act) = Act::new("environment", "ADMIN_MFA_REQUIRED=false") else {
        return;
    };
    let end = verifier.clock().now().saturating_add(life);
    let waived = Exception::SecondFactorWaived;
    let policies = verifier.policies();
    let begun = policies.override_here(waived, end.into(), act);
    match begun.await {
        Ok(id) => {
            let end = Rfc3339::from(end);
            tracing::warn!("no second factor is asked for until {end}: override {id}");
        }
        Err(error) => tracing::error!(%error, "a second factor stays required"),
    }
}
