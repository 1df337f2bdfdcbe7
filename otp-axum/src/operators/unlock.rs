//! `POST /admin/otp/unlock` opens a locked account, `POST /admin/otp/limits/clear` forgets what was
//! counted against somebody.

use axum::Json;
use axum::extract::State;

use super::whom::Named;
use super::{Desk, Done};
use crate::{ApiError, StrictJson};
use otp_core::verifier::Verifier;

pub(super) async fn handle(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(named): StrictJson<Named>,
) -> Result<Json<Done>, ApiError> {
    let operator = desk.operator(&verifier, named.reason())?;
    Ok(Done::of(operator.unlock(&named.whom()?).await?))
}

pub(super) async fn clear_limits(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(named): StrictJson<Named>,
) -> Result<Json<Done>, ApiError> {
    let operator = desk.operator(&verifier, named.reason())?;
    Ok(Done::of(operator.clear_limits(&named.whom()?).await?))
}
