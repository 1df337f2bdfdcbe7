use axum::Json;
use axum::extract::State;
use otp_core::challenge::ChallengeId;
use otp_core::destination::Destination;
use otp_core::quota::BudgetRefusal;
use otp_core::request::{AttemptId, FactorClass, Purpose, RequestContext, SubjectKey, Tenant};
use otp_core::session::SignIn;
use otp_core::store::BudgetKey;
use otp_core::verifier::{Attempt, Claim, Throttled, Verified, Verifier, VerifyError};
use serde::{Deserialize, Serialize};

use super::{NOT_VERIFIED, Parts, Users};
use crate::error::ApiError;
use crate::json::{Given, Member, StrictJson};
use crate::openapi::{Operation, Schema};
use crate::sessions::{SessionDoor, TokenPair};
use crate::{Client, Refusal, member};

/// The body.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Try {
    phone: Member,
    email: Member,
    otp: Member,
    challenge_id: Member,
    attempt_id: Member,
    purpose: Member,
}

/// Which challenge a body means.
struct Asked<'a> {
    id: &'a Member,
    destination: &'a Destination,
    purpose: Option<&'a Purpose>,
}

/// The answer to the right code: the tokens of a session, and whose it is.
#[derive(Debug, Serialize)]
pub struct Welcome<U> {
    /// The tokens.
    #[serde(flatten)]
    pub tokens: TokenPair,
    /// The user, as the host shows them.
    pub user: U,
}

impl<U> Welcome<U> {
    /// Describes it, with what a user looks like.
    #[must_use]
    pub fn schema(user: Schema) -> Schema {
        TokenPair::schema().with("user", user)
    }
}

pub(super) fn operation<U: Users>() -> Operation {
    let text = || Schema::text().or_null();
    let body = Schema::object([
        ("phone?", Schema::phone().or_null()),
        ("email?", Schema::email().or_null()),
        ("otp", Schema::some_text()),
        ("challenge_id?", text()),
        ("attempt_id?", text()),
        ("purpose?", text()),
    ]);
    Operation::post("Takes a code and signs in")
        .takes(body)
        .gives(200, Welcome::<U::User>::schema(U::schema()))
        .refuses([
            Refusal::PHONE_AND_OTP_REQUIRED,
            Refusal::INVALID_PHONE,
            Refusal::INVALID_EMAIL,
            Refusal::TWO_ADDRESSES,
            Refusal::UNKNOWN_PURPOSE,
            Refusal::INVALID_ATTEMPT_ID,
        ])
        .refuses(NOT_VERIFIED)
}

pub(super) async fn handle<U: Users>(
    State(parts): State<Parts<U>>,
    Client(context): Client,
    StrictJson(body): StrictJson<Try>,
) -> Result<Json<Welcome<U::User>>, ApiError> {
    let missing = Refusal::PHONE_AND_OTP_REQUIRED;
    let typed = member::typed(&body.otp).ok_or(missing)?;
    let destination = member::destination(&body.phone, &body.email, missing)?;
    let named = match body.purpose.given() {
        Given::Nothing => None,
        _ => Some(member::purpose(&parts.verifier, &body.purpose)?),
    };
    let attempt_id = member::attempt_id(&body.attempt_id)?;
    let purposes = parts.users.purposes();
    let asked = Asked {
        id: &body.challenge_id,
        destination: &destination,
        purpose: named.as_ref(),
    };
    let (claim, purpose) = asked.claim(&parts.verifier, purposes).await?;
    let mut attempt = Attempt::new(typed).for_purpose(purpose);
    if let Some(id) = &attempt_id {
        attempt = attempt.with_id(id.clone());
    }
    let locked = locked(&parts.verifier, &destination).await;
    let verified = match (
        parts.verifier.verify(claim, attempt, &context).await,
        locked,
    ) {
        (Err(VerifyError::Rejected), Some(wait)) => return Err(Refusal::LOCKED.until(wait)),
        (verified, _) => verified?,
    };
    let begun = begin(&parts.door, &parts.users, &verified, attempt_id, &context);
    begun.await.map(Json)
}

/// Says until when the address takes no guess, as it was before this one: the guess that locks it is
/// a wrong one, and all that follow are told so, whether a challenge is left or not. A start tells
/// the same of any address. It is asked every time, so that time does not tell either.
async fn locked(verifier: &Verifier, destination: &Destination) -> Option<Throttled> {
    let key = BudgetKey {
        tenant: Tenant::default(),
        subject: SubjectKey::of_destination(destination),
        class: FactorClass::OutOfBand,
    };
    let policy = verifier.policy();
    let reading = verifier.store().budget(&key, policy.limits().budget());
    // Where it cannot be read the try itself says what is wrong.
    match reading.await.ok()?.public? {
        BudgetRefusal::Locked { until } => {
            Some(Throttled::until(until.since(verifier.clock().now())))
        }
        _ => None,
    }
}

/// Begins the session of whoever proved an address. Whose it is says what was proven, never what a
/// body claims.
///
/// # Errors
/// [`Refusal::INVALID_OTP`] for a code that signs nobody in ([`Users::purposes`]), what the host's
/// [`Users::of`] answers, [`Refusal::UNAVAILABLE`] where sessions are away, or
/// [`Refusal::VERIFY_FAILED`]. The code is spent in all of them; the same try, by its `attempt_id`, is
/// answered again for a minute.
pub async fn begin<U: Users>(
    door: &SessionDoor,
    users: &U,
    verified: &Verified,
    attempt_id: Option<AttemptId>,
    context: &RequestContext,
) -> Result<Welcome<U::User>, ApiError> {
    if !users.purposes().contains(verified.purpose()) {
        return Err(Refusal::INVALID_OTP.into());
    }
    let (subject, user) = users.of(verified.destination()).await?;
    let mut proof = SignIn::of(verified, &subject).map_err(|_| Refusal::VERIFY_FAILED)?;
    if let Some(id) = attempt_id {
        proof = proof.named(id);
    }
    let started = door.sessions().start(proof, context).await;
    let tokens = started.map_err(|error| ApiError::of_session(&error, Refusal::VERIFY_FAILED))?;
    Ok(Welcome {
        tokens: tokens.into(),
        user,
    })
}

impl Asked<'_> {
    /// Says which challenge is meant, and as what its code is tried: the one of the id where there
    /// is one, else the newest for the address. An id of a challenge that went to another address
    /// claims nothing, and neither does a purpose that signs nobody in, so the right code for it is
    /// refused here without being used up, as an unknown id is.
    async fn claim(
        &self,
        verifier: &Verifier,
        purposes: &[Purpose],
    ) -> Result<(Claim, Purpose), ApiError> {
        let default = purposes.first().cloned().unwrap_or(Purpose::LOGIN);
        let nothing = (Claim::from_text(""), default.clone());
        let signs_in = |purpose: &Purpose| purposes.contains(purpose);
        if !self.purpose.is_none_or(signs_in) {
            return Ok(nothing);
        }
        let purpose = self.purpose.cloned();
        let id = match self.id.given() {
            Given::Nothing => {
                let purpose = purpose.unwrap_or(default);
                let latest = Claim::latest_to(self.destination, purpose.as_str());
                return Ok((latest, purpose));
            }
            Given::Text(id) => id,
            Given::Wrong => "",
        };
        let Ok(known) = id.parse::<ChallengeId>() else {
            return Ok(nothing);
        };
        let found = verifier.store().find(&known).await?;
        let own = found.as_ref().map(|challenge| &challenge.purpose);
        let own = own.filter(|own| signs_in(own)).cloned();
        let elsewhere = found.is_some_and(|challenge| {
            challenge.destination_key != SubjectKey::of_destination(self.destination)
        });
        Ok(if elsewhere {
            nothing
        } else {
            (known.into(), purpose.or(own).unwrap_or(default))
        })
    }
}
