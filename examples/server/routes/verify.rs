//! `POST /api/auth/verify-otp`: takes a code and signs in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::challenge::ChallengeId;
use otp_kit::destination::Destination;
use otp_kit::request::{AttemptId, Purpose, RequestContext, SubjectId, SubjectKey};
use otp_kit::session::SignIn;
use otp_kit::verifier::{Attempt, Claim, Verified};
use serde::{Deserialize, Serialize};

use super::address;
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::json::{Given, Member, Strict};
use crate::tokens::Pair;
use crate::users::User;

/// The body.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Try {
    phone: Member,
    email: Member,
    otp: Member,
    challenge_id: Member,
    attempt_id: Member,
    purpose: Member,
}

/// The answer to the right code.
#[derive(Serialize)]
pub(crate) struct SignedIn {
    #[serde(flatten)]
    pub(super) tokens: Pair,
    pub(super) user: User,
}

pub(crate) fn routes() -> Api<Arc<App>> {
    let body = Schema::object([
        ("phone?", Schema::phone().or_null()),
        ("email?", Schema::email().or_null()),
        ("otp", Schema::text()),
        ("challenge_id?", Schema::text().or_null()),
        ("attempt_id?", Schema::text().or_null()),
        ("purpose?", Schema::text().or_null()),
    ]);
    let verify = Operation::post("Takes a code and signs in")
        .takes(body)
        .gives(200, SignedIn::schema())
        .refuses([
            Refusal::PHONE_AND_OTP_REQUIRED,
            Refusal::INVALID_PHONE,
            Refusal::INVALID_EMAIL,
            Refusal::TWO_ADDRESSES,
            Refusal::UNKNOWN_PURPOSE,
            Refusal::INVALID_ATTEMPT_ID,
        ])
        .refuses(NOT_VERIFIED);
    Api::new().operation("/api/auth/verify-otp", verify, handle)
}

/// What any try of a code may answer.
pub(super) const NOT_VERIFIED: [Refusal; 8] = [
    Refusal::INVALID_OTP,
    Refusal::BLOCKED,
    Refusal::DISABLED,
    Refusal::THROTTLED,
    Refusal::LOCKED,
    Refusal::BUSY,
    Refusal::VERIFY_FAILED,
    Refusal::UNAVAILABLE,
];

pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    Client(context): Client,
    Strict(body): Strict<Try>,
) -> Result<Json<SignedIn>, Declined> {
    let missing = Refusal::PHONE_AND_OTP_REQUIRED;
    let typed = typed(&body.otp).ok_or(missing)?;
    let destination = address::read(&body.phone, &body.email, missing)?;
    let purpose = address::purpose(&app, &body.purpose)?;
    let attempt_id = attempt_id(&body.attempt_id)?;
    let claim = claim(&app, &body.challenge_id, &destination, &purpose).await?;
    let mut attempt = Attempt::new(typed).for_purpose(purpose);
    if let Some(id) = &attempt_id {
        attempt = attempt.with_id(id.clone());
    }
    let verified = app.verifier.verify(claim, attempt, &context).await?;
    sign_in(&app, &verified, attempt_id, &context)
        .await
        .map(Json)
}

/// Starts the session of whoever proved an address.
pub(super) async fn sign_in(
    app: &App,
    verified: &Verified,
    attempt_id: Option<AttemptId>,
    context: &RequestContext,
) -> Result<SignedIn, Declined> {
    // Whose session it is says what was proven, never what the body claims.
    let user = app.users.of(verified.destination()).await?;
    let mut proof = proof(verified, &user)?;
    if let Some(id) = attempt_id {
        proof = proof.named(id);
    }
    let started = app.door.sessions.start(proof, context).await;
    let tokens = started.map_err(|error| {
        // The code was right and is spent.
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "no session was started"
        );
        Refusal::VERIFY_FAILED
    })?;
    Ok(SignedIn {
        tokens: tokens.into(),
        user,
    })
}

impl SignedIn {
    pub(super) fn schema() -> Schema {
        Pair::schema().with("user", User::schema())
    }

    pub(super) fn access_token(&self) -> &str {
        self.tokens.access_token()
    }
}

/// Takes the right code for a proof of whose address it went to.
fn proof(verified: &Verified, user: &User) -> Result<SignIn, Refusal> {
    let subject = SubjectId::new(user.sub.as_str()).map_err(|_| Refusal::VERIFY_FAILED)?;
    SignIn::of(verified, &subject).map_err(|_| Refusal::VERIFY_FAILED)
}

/// Gives what was typed. A number, a list or `null` is no code: it goes the way of a malformed
/// one, counts for the client's address and gets the same answer.
pub(super) fn typed(otp: &Member) -> Option<&str> {
    match (otp, otp.given()) {
        (Member::Null(()), _) | (_, Given::Wrong) => Some(""),
        (_, Given::Text(code)) => Some(code),
        (_, Given::Nothing) => None,
    }
}

pub(super) fn attempt_id(member: &Member) -> Result<Option<AttemptId>, Refusal> {
    match member.given() {
        Given::Nothing => Ok(None),
        Given::Text(id) => AttemptId::new(id)
            .map(Some)
            .map_err(|_| Refusal::INVALID_ATTEMPT_ID),
        Given::Wrong => Err(Refusal::INVALID_ATTEMPT_ID),
    }
}

/// Says which challenge is meant: the one of the id where there is one, else the newest for the
/// address. An id of a challenge that went to another address claims nothing, so the right code
/// for it is refused here without being used up, as an unknown id is.
async fn claim(
    app: &App,
    id: &Member,
    destination: &Destination,
    purpose: &Purpose,
) -> Result<Claim, Declined> {
    let id = match id.given() {
        Given::Nothing => return Ok(Claim::latest_to(destination, purpose.as_str())),
        Given::Text(id) => id,
        Given::Wrong => "",
    };
    let Ok(known) = id.parse::<ChallengeId>() else {
        return Ok(Claim::from_text(id));
    };
    let found = app.verifier.store().find(&known).await?;
    let elsewhere = found.is_some_and(|challenge| {
        challenge.destination_key != SubjectKey::of_destination(destination)
    });
    Ok(if elsewhere {
        Claim::from_text("")
    } else {
        known.into()
    })
}
