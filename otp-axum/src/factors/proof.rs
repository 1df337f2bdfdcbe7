//! What a factor adds to the session of whoever shows it.

use otp_core::request::{AttemptId, RequestContext};
use otp_core::session::{Session, SignIn};
use otp_core::verifier::{Attempt, VerifiedFactor};

use super::{Owners, Parts};
use crate::Refusal;
use crate::error::ApiError;
use crate::sign_in::Welcome;

/// Tries a code for the tenant that the session is of.
pub(super) fn attempt(session: &Session, typed: &str) -> Attempt {
    Attempt::new(typed).for_tenant(session.tenant().clone())
}

/// Gives a try the name that its client has for it.
pub(super) fn named(attempt: Attempt, id: Option<&AttemptId>) -> Attempt {
    match id {
        Some(id) => attempt.with_id(id.clone()),
        None => attempt,
    }
}

impl<O: Owners> Parts<O> {
    /// Starts a session that is as strong as the present one and a factor together. The present one
    /// stays, with its lesser rights: a client that has not got the answer is not thrown out. It
    /// gets the same tokens where it sends the try again under the name that it gave it.
    pub(super) async fn stronger(
        &self,
        session: &Session,
        factor: &VerifiedFactor,
        attempt_id: Option<AttemptId>,
        context: &RequestContext,
    ) -> Result<Welcome<O::User>, ApiError> {
        let user = self.owners.user(session).await?;
        let proof = SignIn::with_factor(session, factor).map_err(|_| Refusal::INVALID_OTP)?;
        let proof = match attempt_id {
            Some(id) => proof.named(id),
            None => proof,
        };
        self.begin(proof, user, context).await
    }

    /// Starts the session of a proof.
    pub(super) async fn begin(
        &self,
        proof: SignIn,
        user: O::User,
        context: &RequestContext,
    ) -> Result<Welcome<O::User>, ApiError> {
        let tokens = self.door.sessions().start(proof, context).await;
        let tokens =
            tokens.map_err(|error| ApiError::of_session(&error, Refusal::VERIFY_FAILED))?;
        Ok(Welcome {
            tokens: tokens.into(),
            user,
        })
    }
}
