use axum::Json;
use axum::extract::State;
use otp_core::challenge::ChallengeId;
use otp_core::destination::Destination;
use otp_core::request::{AttemptId, Purpose, RequestContext, SubjectKey};
use otp_core::session::SignIn;
use otp_core::verifier::{Attempt, Claim, Verified, Verifier};
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
        ("otp", Schema::text()),
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
    let purpose = member::purpose(&parts.verifier, &body.purpose)?;
    let attempt_id = member::attempt_id(&body.attempt_id)?;
    let claim = claim(&parts.verifier, &body.challenge_id, &destination, &purpose).await?;
    let mut attempt = Attempt::new(typed).for_purpose(purpose);
    if let Some(id) = &attempt_id {
        attempt = attempt.with_id(id.clone());
    }
    let verified = parts.verifier.verify(claim, attempt, &context).await?;
    let begun = begin(&parts.door, &parts.users, &verified, attempt_id, &context);
    begun.await.map(Json)
}

/// Begins the session of whoever proved an address. Whose it is says what was proven, never what a
/// body claims.
///
/// # Errors
/// What the host's [`Users::of`] answers, or [`Refusal::VERIFY_FAILED`]: the code is spent.
pub async fn begin<U: Users>(
    door: &SessionDoor,
    users: &U,
    verified: &Verified,
    attempt_id: Option<AttemptId>,
    context: &RequestContext,
) -> Result<Welcome<U::User>, ApiError> {
    let (subject, user) = users.of(verified.destination()).await?;
    let mut proof = SignIn::of(verified, &subject).map_err(|_| Refusal::VERIFY_FAILED)?;
    if let Some(id) = attempt_id {
        proof = proof.named(id);
    }
    let started = door.sessions().start(proof, context).await;
    let tokens = started.map_err(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "no session was started");
        Refusal::VERIFY_FAILED
    })?;
    Ok(Welcome {
        tokens: tokens.into(),
        user,
    })
}

/// Says which challenge is meant: the one of the id where there is one, else the newest for the
/// address. An id of a challenge that went to another address claims nothing, so the right code
/// for it is refused here without being used up, as an unknown id is.
async fn claim(
    verifier: &Verifier,
    id: &Member,
    destination: &Destination,
    purpose: &Purpose,
) -> Result<Claim, ApiError> {
    let id = match id.given() {
        Given::Nothing => return Ok(Claim::latest_to(destination, purpose.as_str())),
        Given::Text(id) => id,
        Given::Wrong => "",
    };
    let Ok(known) = id.parse::<ChallengeId>() else {
        return Ok(Claim::from_text(id));
    };
    let found = verifier.store().find(&known).await?;
    let elsewhere = found.is_some_and(|challenge| {
        challenge.destination_key != SubjectKey::of_destination(destination)
    });
    Ok(if elsewhere {
        Claim::from_text("")
    } else {
        known.into()
    })
}
