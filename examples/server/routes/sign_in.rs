//! Whose an address is, for the library's routes that sign in by a code.

use otp_axum::openapi::Schema;
use otp_axum::sign_in::{Shown, Users, Welcome};
use otp_kit::destination::Destination;
use otp_kit::request::{Purpose, SubjectId};
use otp_kit::verifier::Issued;

use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::users::User;

impl App {
    /// Gives what a start by a name shows, where codes are shown: of nobody a code and a link like those
    /// of somebody, which are worth nothing.
    pub(crate) fn shown_of_name(&self, issued: &Issued, linked: bool) -> Shown {
        let links = self.verifier.links().filter(|_| linked);
        let made_up = || links.and_then(|links| self.outbox.made_up_link(links, issued));
        let Shown { code, link } = self.shown(issued);
        Shown {
            code,
            link: link.or_else(made_up),
        }
    }

    fn made_up_code(&self, issued: &Issued) -> Option<String> {
        let policy = self.verifier.policy();
        let (_, format) = policy.purposes().find(Purpose::LOGIN.as_str())?;
        self.outbox.made_up_code(format, issued)
    }
}

/// The answer to the right code.
pub(crate) type SignedIn = Welcome<User>;

impl Users for App {
    type User = User;

    async fn of(&self, proven: &Destination) -> Result<(SubjectId, User), Declined> {
        let user = self.users.of(proven).await?;
        let subject = SubjectId::new(user.sub.as_str());
        Ok((subject.map_err(|_| Refusal::VERIFY_FAILED)?, user))
    }

    fn schema() -> Schema {
        User::schema()
    }

    fn shown(&self, issued: &Issued) -> Shown {
        // A message that the guard keeps back shows a code as well, as nobody's does.
        let code = self.outbox.code_of(issued);
        Shown {
            code: code.or_else(|| self.made_up_code(issued)),
            link: self.outbox.link_of(issued),
        }
    }
}
