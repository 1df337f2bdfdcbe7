//! What operators have done to this host's users: the library's hooks, on the table of users and
//! through the providers that mail.

use std::fmt;
use std::sync::Arc;

use otp_kit::async_trait;
use otp_kit::delivery::{DeliveryProvider, DispatchCertainty, MessageId};
use otp_kit::destination::{Channel, Destination};
use otp_kit::operator::{Account, Accounts, AccountsFailed, Notice};
use otp_kit::random::{OsRandom, SecureRandom as _};
use otp_kit::request::SubjectId;

use crate::tokens::{Failed, hex};
use crate::users::Users;

/// The users, and who mails them what is no code.
pub(crate) struct HostAccounts {
    users: Users,
    mail: Vec<Arc<dyn DeliveryProvider>>,
}

impl HostAccounts {
    /// Where nobody mails, this is development: notices are seen in the log.
    pub(crate) fn new(users: Users, mail: Vec<Arc<dyn DeliveryProvider>>) -> Self {
        Self { users, mail }
    }
}

#[async_trait]
impl Accounts for HostAccounts {
    /// Notices go by mail: a text message of thousands of users is no way to say sorry.
    async fn find(&self, user: &SubjectId) -> Result<Option<Account>, AccountsFailed> {
        let sub = user.as_str();
        if self.users.get(sub).await?.is_none() {
            return Ok(None);
        }
        let mail = self.users.address(sub, Channel::Email).await?;
        let phone = self.users.address(sub, Channel::Sms).await?;
        let account = Account::reached_at(mail.clone());
        let addresses = mail.into_iter().chain(phone);
        Ok(Some(addresses.fold(account, Account::signing_in_by)))
    }

    /// Hands it to the first who mails, and to the next where it surely did not leave.
    async fn deliver(
        &self,
        notice: &Notice,
        _user: &SubjectId,
        to: &Destination,
    ) -> Result<(), AccountsFailed> {
        let address = to.as_email().ok_or(AccountsFailed)?;
        if self.mail.is_empty() {
            tracing::info!(%to, subject = notice.subject(), "a notice that nobody mails");
            return Ok(());
        }
        let mut name = [0_u8; 16];
        OsRandom.fill(&mut name).map_err(Failed::from)?;
        let id = MessageId::new(&format!("notice-{}", hex(&name)));
        let mail = notice.mail(id, address.clone(), &OsRandom);
        let mail = mail.map_err(Failed::from)?;
        for provider in &self.mail {
            let Err(error) = provider.deliver(&mail).await else {
                return Ok(());
            };
            tracing::warn!(%error, %to, "a notice was not mailed");
            if error.certainty() != DispatchCertainty::NotSent {
                break;
            }
        }
        Err(AccountsFailed)
    }

    async fn force_password_reset(&self, user: &SubjectId) -> Result<(), AccountsFailed> {
        self.users.force_password_reset(user.as_str()).await?;
        Ok(())
    }
}

impl From<Failed> for AccountsFailed {
    fn from(_: Failed) -> Self {
        Self
    }
}

impl fmt::Debug for HostAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostAccounts").finish_non_exhaustive()
    }
}
