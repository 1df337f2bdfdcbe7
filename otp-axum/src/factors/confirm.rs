use axum::Json;
use axum::extract::State;
use otp_core::factor::{FactorId, FactorState};
use otp_core::random::OsRandom;
use otp_core::session::Session;
use serde::{Deserialize, Serialize};

use super::once::Codes;
use super::proof::{attempt, named};
use super::{NOT_CHANGED, Owners, Parts};
use crate::error::ApiError;
use crate::json::{Given, Member, StrictJson};
use crate::openapi::{Operation, Schema};
use crate::sessions::SignedIn;
use crate::sign_in::{NOT_VERIFIED, Welcome};
use crate::{Client, Refusal, member};

/// The body of a confirmation; `code` is another name of `otp`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct First {
    factor_id: Member,
    #[serde(alias = "code")]
    otp: Member,
    attempt_id: Member,
}

/// A factor that counts from now on, the recovery codes where there were none, and the tokens of a
/// session that has shown it. A try that is sent again by its name gets the same tokens; the codes are
/// shown once, and who has lost them draws new ones.
#[derive(Serialize)]
pub(super) struct Confirmed<U> {
    factor_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes: Option<Codes>,
    #[serde(flatten)]
    signed_in: Welcome<U>,
}

pub(super) fn operation<O: Owners>() -> Operation {
    let first = Schema::object([
        ("otp?", Schema::some_text()),
        ("code?", Schema::some_text().about("another name of otp")),
        ("factor_id?", Schema::text().or_null()),
        ("attempt_id?", Schema::text().or_null()),
    ]);
    let confirmed = Welcome::<O::User>::schema(O::user_schema())
        .with("factor_id", Schema::text())
        .with("recovery_codes?", Schema::list(&Schema::text()));
    Operation::post("Takes the first code of an authenticator")
        .takes(first)
        .gives(200, confirmed)
        .signed_in()
        .refuses([Refusal::OTP_REQUIRED, Refusal::INVALID_ATTEMPT_ID])
        .refuses(NOT_CHANGED)
        .refuses(NOT_VERIFIED)
}

pub(super) async fn handle<O: Owners>(
    State(parts): State<Parts<O>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    StrictJson(first): StrictJson<First>,
) -> Result<Json<Confirmed<O::User>>, ApiError> {
    let typed = member::typed(&first.otp).ok_or(Refusal::OTP_REQUIRED)?;
    let attempt_id = member::attempt_id(&first.attempt_id)?;
    let factor = parts.meant(&session, &first.factor_id).await?;
    let tried = named(attempt(&session, typed), attempt_id.as_ref());
    let shown = parts
        .verifier
        .confirm_factor(session.subject(), factor, tried, &context)
        .await?;
    let proven = session.proven().and(&shown);
    let proven = proven.map_err(|_| Refusal::INVALID_OTP)?;
    let recovery_codes = parts.first_codes(&proven, &context).await;
    let begun = parts.stronger(&session, &shown, attempt_id, &context);
    let signed_in = begun.await?;
    // Of a try that is sent again it is the one that was confirmed, which waits no more.
    let factor = shown.factor().unwrap_or(factor);
    Ok(Json(Confirmed {
        factor_id: factor.to_string(),
        recovery_codes,
        signed_in,
    }))
}

impl<O> Parts<O> {
    /// Says which enrolment is meant: the one that is named, else the newest that waits. Where there
    /// is none, one that nobody has: it takes the way of a wrong code.
    async fn meant(&self, session: &Session, named: &Member) -> Result<FactorId, ApiError> {
        let named = match named.given() {
            Given::Text(id) => id.parse().ok(),
            Given::Wrong => None,
            Given::Nothing => {
                let (tenant, subject) = (session.tenant(), session.subject());
                let factors = self.verifier.list_factors(tenant, subject).await?;
                let mut waiting = factors.iter().rev();
                let newest = waiting.find(|factor| factor.state() == FactorState::Pending);
                newest.map(|factor| factor.id)
            }
        };
        match named {
            Some(id) => Ok(id),
            None => FactorId::generate(&OsRandom).map_err(|_| Refusal::UNAVAILABLE.into()),
        }
    }
}
