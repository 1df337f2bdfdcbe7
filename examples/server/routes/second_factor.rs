//! What the routes of second factors have in common.

use otp_kit::request::RequestContext;
use otp_kit::session::{Session, SignIn};
use otp_kit::verifier::VerifiedFactor;

use super::sign_in::SignedIn as SignedAs;
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::users::User;

/// What a change of an account's factors may answer.
pub(super) const NOT_CHANGED: [Refusal; 8] = [
    Refusal::PROOF_REQUIRED,
    Refusal::FACTOR_NAME_TAKEN,
    Refusal::TOO_MANY_FACTORS,
    Refusal::UNKNOWN_FACTOR,
    Refusal::THROTTLED,
    Refusal::BUSY,
    Refusal::BLOCKED,
    Refusal::UNAVAILABLE,
];

/// Finds whose session it is.
pub(super) async fn user(app: &App, session: &Session) -> Result<User, Declined> {
    let user = app.users.get(session.subject().as_str()).await;
    let user = user.map_err(|_| Refusal::UNAVAILABLE)?;
    user.ok_or_else(|| Refusal::NOT_SIGNED_IN.into())
}

/// Starts a session that is as strong as the present one and a factor together. The present one
/// stays, with its lesser rights: a client that has not got the answer is not thrown out.
pub(super) async fn stronger(
    app: &App,
    session: &Session,
    factor: &VerifiedFactor,
    context: &RequestContext,
) -> Result<SignedAs, Declined> {
    let user = user(app, session).await?;
    let proof = SignIn::with_factor(session, factor).map_err(|_| Refusal::INVALID_OTP)?;
    let tokens = app.door.sessions.start(proof, context).await;
    let tokens = tokens.map_err(|error| Declined::of_session(&error, Refusal::VERIFY_FAILED))?;
    Ok(SignedAs {
        tokens: tokens.into(),
        user,
    })
}
