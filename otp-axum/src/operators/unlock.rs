//! `POST /admin/otp/unlock` opens a locked account, `POST /admin/otp/limits/clear` forgets what was
//! counted against somebody.

use axum::Json;
use axum::extract::State;

use super::whom::Named;
use super::{Desk, Done};
use crate::openapi::{Api, Operation};
use crate::{ApiError, StrictJson};
use otp_core::operator::Effect;
use otp_core::verifier::Verifier;

pub(super) fn routes() -> Api<Verifier> {
    let of_somebody = |summary: &str| {
        Operation::post(summary)
            .takes(Named::schema())
            .gives(200, Done::schema())
            .at_desk()
            .refuses(Named::REFUSALS)
    };
    let unlock = of_somebody("Opens a locked account");
    let clear = of_somebody("Forgets what was counted against somebody");
    Api::new()
        .operation("/admin/otp/unlock", unlock, handle)
        .operation("/admin/otp/limits/clear", clear, clear_limits)
}

pub(super) async fn handle(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(named): StrictJson<Named>,
) -> Result<Json<Done>, ApiError> {
    let operator = desk.operator(&verifier, named.reason())?;
    let mut done = Effect::counted(desk.mode(), 0);
    for whom in desk.everything_of(named.whom()?).await? {
        done = done.and(operator.unlock(&whom).await?);
    }
    Ok(Done::of(done))
}

pub(super) async fn clear_limits(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(named): StrictJson<Named>,
) -> Result<Json<Done>, ApiError> {
    let operator = desk.operator(&verifier, named.reason())?;
    let whom = named.whom()?;
    let mut done = desk.clear_limits_of_host(&whom).await?;
    for whom in desk.everything_of(whom).await? {
        done = done.and(operator.clear_limits(&whom).await?);
    }
    Ok(Done::of(done))
}
