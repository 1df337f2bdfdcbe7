use std::future::Future;
use std::sync::Arc;

use otp_core::destination::Destination;
use otp_core::request::{Purpose, SubjectId};
use otp_core::verifier::Issued;
use serde::Serialize;

use crate::error::ApiError;
use crate::openapi::Schema;

/// The host's side of signing in: which user an address is.
pub trait Users: Send + Sync + 'static {
    /// A user as the answer shows them.
    type User: Serialize + Send;

    /// Finds the user of a proven address, or adds one. Of racing calls all must get the same one.
    /// The code is spent by then: what fails here costs the caller a fresh one.
    ///
    /// # Errors
    /// What the caller is answered.
    fn of(
        &self,
        proven: &Destination,
    ) -> impl Future<Output = Result<(SubjectId, Self::User), ApiError>> + Send;

    /// Describes a user.
    fn schema() -> Schema;

    /// Names the purposes whose codes sign in, the default first. A code of any other one is worth
    /// nothing here: whoever is talked into reading out a code that "confirms an address" gives no
    /// session away. Default: [`Purpose::LOGIN`] alone.
    fn purposes(&self) -> &[Purpose] {
        const LOGIN: &[Purpose] = &[Purpose::LOGIN];
        LOGIN
    }

    /// Gives what the answer shows of a message: in development, and never in production. Default:
    /// nothing.
    fn shown(&self, issued: &Issued) -> Shown {
        let _ = issued;
        Shown::default()
    }
}

/// What is shown of a message instead of being sent alone.
#[derive(Clone, Default)]
pub struct Shown {
    /// The code.
    pub code: Option<String>,
    /// The link, where the message has one.
    pub link: Option<String>,
}

/// Shows neither.
impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").finish_non_exhaustive()
    }
}

impl<T: Users> Users for Arc<T> {
    type User = T::User;

    fn of(
        &self,
        proven: &Destination,
    ) -> impl Future<Output = Result<(SubjectId, T::User), ApiError>> + Send {
        self.as_ref().of(proven)
    }

    fn schema() -> Schema {
        T::schema()
    }

    fn purposes(&self) -> &[Purpose] {
        self.as_ref().purposes()
    }

    fn shown(&self, issued: &Issued) -> Shown {
        self.as_ref().shown(issued)
    }
}
