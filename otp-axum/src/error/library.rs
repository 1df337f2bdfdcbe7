//! The library's errors as answers. What an operator needs of them is in the log already, or is
//! put there here; the client learns what it can act on.

use std::error::Error;

use otp_core::operator::ResetError;
use otp_core::policy::OverrideError;
use otp_core::session::{SessionError, StateError};
use otp_core::store::StoreError;
use otp_core::verifier::{
    FactorError, IssueError, PolicyChangeError, PublishError, Silent, Unavailable, VerifyError,
};

use super::ApiError;
use crate::refusal::Refusal;

impl From<IssueError> for ApiError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Throttled(wait) => Refusal::THROTTLED.until(wait),
            IssueError::Locked(wait) => Refusal::LOCKED.until(wait),
            IssueError::Busy(wait) => Refusal::BUSY.until(wait),
            IssueError::Unavailable(error) => unavailable(&error),
            IssueError::UnknownPurpose => Refusal::UNKNOWN_PURPOSE.into(),
            IssueError::NoRoute(_) => Refusal::CHANNEL_UNAVAILABLE.into(),
            IssueError::Channel(_) => Refusal::CHANNEL_MISMATCH.into(),
            IssueError::Destination(_) => Refusal::UNSUPPORTED_DESTINATION.into(),
            IssueError::InvalidIdempotencyKey => Refusal::INVALID_IDEMPOTENCY_KEY.into(),
            IssueError::IdempotencyConflict => Refusal::IDEMPOTENCY_CONFLICT.into(),
            IssueError::Disabled => Refusal::DISABLED.into(),
            IssueError::Blocked => Refusal::BLOCKED.into(),
            IssueError::CaptchaRequired => Refusal::CAPTCHA_REQUIRED.into(),
            IssueError::CaptchaFailed => Refusal::CAPTCHA_FAILED.into(),
            // Which provider, and what it said, the library has logged.
            _ => Refusal::SEND_FAILED.into(),
        }
    }
}

impl From<VerifyError> for ApiError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Rejected => Refusal::INVALID_OTP.into(),
            VerifyError::Throttled(wait) => Refusal::THROTTLED.until(wait),
            VerifyError::Locked(wait) => Refusal::LOCKED.until(wait),
            VerifyError::Busy(wait) => Refusal::BUSY.until(wait),
            VerifyError::Unavailable(error) => match error.silent() {
                Silent::Vendor => {
                    log(&error);
                    Refusal::VERIFY_FAILED.into()
                }
                _ => unavailable(&error),
            },
            VerifyError::Disabled => Refusal::DISABLED.into(),
            VerifyError::Blocked => Refusal::BLOCKED.into(),
            _ => Refusal::VERIFY_FAILED.into(),
        }
    }
}

impl From<FactorError> for ApiError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::NotFresh { .. } => Refusal::PROOF_REQUIRED.into(),
            FactorError::NameTaken => Refusal::FACTOR_NAME_TAKEN.into(),
            FactorError::TooMany => Refusal::TOO_MANY_FACTORS.into(),
            FactorError::Unknown => Refusal::UNKNOWN_FACTOR.into(),
            FactorError::Throttled(wait) => Refusal::THROTTLED.until(wait),
            FactorError::Busy(wait) => Refusal::BUSY.until(wait),
            FactorError::Blocked => Refusal::BLOCKED.into(),
            FactorError::Unavailable(error) => unavailable(&error),
            error => {
                tracing::error!(%error, "an authenticator was not changed");
                Refusal::UNAVAILABLE.into()
            }
        }
    }
}

impl From<ResetError> for ApiError {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Unavailable(error) => unavailable(&error),
            _ => Refusal::PROOF_REQUIRED.into(),
        }
    }
}

/// Operators see the one line that says what is wrong.
impl From<PublishError> for ApiError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Unavailable(error)
            | PublishError::Refused(PolicyChangeError::Unavailable(error)) => unavailable(&error),
            PublishError::Conflict { .. } => Refusal::CONFLICT.saying(error.to_string()),
            PublishError::Refused(PolicyChangeError::Policy(error)) => {
                Refusal::INVALID_POLICY.saying(error.to_string())
            }
            PublishError::Document(error) => Refusal::INVALID_POLICY.saying(error.to_string()),
            error => Refusal::INVALID_POLICY.saying(error.to_string()),
        }
    }
}

impl From<PolicyChangeError> for ApiError {
    fn from(error: PolicyChangeError) -> Self {
        match error {
            PolicyChangeError::Unavailable(error) => unavailable(&error),
            PolicyChangeError::Override(OverrideError::Unknown) => Refusal::UNKNOWN_OVERRIDE.into(),
            PolicyChangeError::Override(error) => {
                Refusal::INVALID_OVERRIDE.saying(error.to_string())
            }
            PolicyChangeError::Policy(error) => Refusal::INVALID_OVERRIDE.saying(error.to_string()),
            _ => Refusal::INVALID_OVERRIDE.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(kind = error.kind().name(), "the store failed");
        Refusal::UNAVAILABLE.into()
    }
}

impl From<Unavailable> for ApiError {
    fn from(error: Unavailable) -> Self {
        unavailable(&error)
    }
}

impl ApiError {
    /// Answers a session that is not to be had. What is wrong with a token is for the log; the
    /// client hears `refused` for all of it.
    #[must_use]
    pub fn of_session(error: &SessionError, refused: Refusal) -> Self {
        match error.refusal() {
            Some(why) => {
                tracing::info!(why = why.name(), "a session was refused");
                refused.into()
            }
            None => {
                tracing::error!(error = error as &dyn Error, "no session");
                Refusal::UNAVAILABLE.into()
            }
        }
    }
}

impl From<StateError> for ApiError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Refused | StateError::TooLarge => Refusal::INVALID_STATE.into(),
            _ => {
                tracing::error!(error = &error as &dyn Error, "no state");
                Refusal::UNAVAILABLE.into()
            }
        }
    }
}

/// The cause's own sentence says what failed: a store, a check, a captcha's vendor. What is under
/// it stays out of the log, since an engine's message may hold what was bound.
fn unavailable(error: &Unavailable) -> ApiError {
    log(error);
    Refusal::UNAVAILABLE.into()
}

fn log(error: &Unavailable) {
    // The deepest cause says what to look at; none of them holds a value or an address.
    let mut causes: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if causes.last() != Some(&said) {
            causes.push(said);
        }
        cause = error.source();
    }
    tracing::error!(
        kind = error.kind().name(),
        cause = causes.join(": "),
        "a request could not be served"
    );
}
