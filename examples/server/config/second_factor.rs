//! `ADMIN_MFA_REQUIRED`: the runbook's switch for hours in which no code can reach anybody. It waives
//! what [`step_up`](otp_kit::verifier::Verifier::step_up) asks beside an address and nothing else:
//! changes of factors, and operators' own proofs, ask as ever.

use std::time::Duration;

use super::{Environment, Refused};

const HOUR: Duration = Duration::from_secs(3_600);
/// An override lasts no longer than a week.
const MOST: u32 = 168;

/// Reads for how long no second factor is asked for; `None` where one is, which is the default.
pub(super) fn waiver(env: &Environment) -> Result<Option<Duration>, Refused> {
    const HOURS: &str = "ADMIN_MFA_OVERRIDE_HOURS";
    let wanted = "a number of hours from 1 to 168";
    let hours: u32 = env.parsed(HOURS, "24", wanted)?;
    if !(1..=MOST).contains(&hours) {
        return Err(Refused::must_be(HOURS, wanted));
    }
    let required = env.flag("ADMIN_MFA_REQUIRED", "true")?;
    Ok((!required).then(|| HOUR.saturating_mul(hours)))
}
