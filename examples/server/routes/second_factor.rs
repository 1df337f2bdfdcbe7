//! Who has second factors, for the library's routes of them.

use otp_axum::factors::{Owners, Reached};
use otp_axum::openapi::Schema;
use otp_axum::sign_in::{Shown, Users as _};
use otp_kit::destination::{Channel, Destination};
use otp_kit::factor::OtpAccount;
use otp_kit::session::Session;
use otp_kit::verifier::Issued;

use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::users::User;

/// What apps show beside the code.
const ISSUER: &str = "otp-kit";

impl Owners for App {
    type User = User;

    async fn user(&self, session: &Session) -> Result<User, Declined> {
        let user = self.users.get(session.subject().as_str()).await;
        let user = user.map_err(|_| Refusal::UNAVAILABLE)?;
        user.ok_or_else(|| Refusal::NOT_SIGNED_IN.into())
    }

    fn account(&self, user: &User) -> Result<OtpAccount, Declined> {
        let account = OtpAccount::new(ISSUER, &user.email);
        account.map_err(|_| Refusal::CHANNEL_UNAVAILABLE.into())
    }

    fn user_schema() -> Schema {
        User::schema()
    }
}

impl Reached for App {
    async fn address(
        &self,
        session: &Session,
        channel: Channel,
    ) -> Result<Option<Destination>, Declined> {
        let address = self
            .users
            .address(session.subject().as_str(), channel)
            .await;
        address.map_err(|_| Refusal::UNAVAILABLE.into())
    }

    fn message(&self, issued: &Issued) -> Shown {
        self.shown(issued)
    }
}
