use std::future::Future;
use std::sync::Arc;

use otp_core::destination::{Channel, Destination};
use otp_core::factor::OtpAccount;
use otp_core::session::Session;
use otp_core::verifier::Issued;
use serde::Serialize;

use crate::error::ApiError;
use crate::openapi::Schema;
use crate::sign_in::Shown;

/// The host's side of second factors: who it is that is signed in.
pub trait Owners: Send + Sync + 'static {
    /// A user as the answer shows them.
    type User: Serialize + Send;

    /// Finds whose session it is.
    ///
    /// # Errors
    /// What the caller is answered: [`Refusal::NOT_SIGNED_IN`](crate::Refusal::NOT_SIGNED_IN) where
    /// there is no such user any more.
    fn user(&self, session: &Session) -> impl Future<Output = Result<Self::User, ApiError>> + Send;

    /// Says what an authenticator's app shows beside the codes: the service's name, and the user's.
    ///
    /// # Errors
    /// What the caller is answered.
    fn account(&self, user: &Self::User) -> Result<OtpAccount, ApiError>;

    /// Describes a user.
    fn user_schema() -> Schema;
}

/// Owners whom the host can send a code to.
pub trait Reached: Owners {
    /// Finds the address of theirs that a channel reaches; `None` where there is none.
    ///
    /// # Errors
    /// What the caller is answered.
    fn address(
        &self,
        session: &Session,
        channel: Channel,
    ) -> impl Future<Output = Result<Option<Destination>, ApiError>> + Send;

    /// Gives what the answer shows of a message: in development, and never in production. Default:
    /// nothing.
    fn message(&self, issued: &Issued) -> Shown {
        let _ = issued;
        Shown::default()
    }
}

impl<T: Owners> Owners for Arc<T> {
    type User = T::User;

    fn user(&self, session: &Session) -> impl Future<Output = Result<T::User, ApiError>> + Send {
        self.as_ref().user(session)
    }

    fn account(&self, user: &T::User) -> Result<OtpAccount, ApiError> {
        self.as_ref().account(user)
    }

    fn user_schema() -> Schema {
        T::user_schema()
    }
}

impl<T: Reached> Reached for Arc<T> {
    fn address(
        &self,
        session: &Session,
        channel: Channel,
    ) -> impl Future<Output = Result<Option<Destination>, ApiError>> + Send {
        self.as_ref().address(session, channel)
    }

    fn message(&self, issued: &Issued) -> Shown {
        self.as_ref().message(issued)
    }
}
