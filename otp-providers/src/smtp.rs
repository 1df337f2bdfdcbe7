#![doc = include_str!("../docs/smtp.md")]

mod mail;
mod reply;
mod server;
mod session;
mod stream;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lettre::Address;
use lettre::message::Mailbox;
use otp_core::clock::{Clock, SystemClock};
use otp_core::delivery::{DeliveryError, DeliveryErrorKind, DeliveryProvider, Message, Receipt};
use otp_core::destination::{Channel, EmailAddress};

use self::session::Session;
use crate::config::{self, ConfigError};

pub use self::reply::{SmtpStage, classify_reply};
pub use self::server::SmtpServer;

const NAME: &str = "smtp";
const TIMEOUT: Duration = Duration::from_secs(10);

/// Gathers the settings of an [`Smtp`]; see [`Smtp::builder`].
#[must_use]
pub struct SmtpBuilder {
    server: SmtpServer,
    from: EmailAddress,
    from_name: Option<String>,
    roots: Vec<Vec<u8>>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl SmtpBuilder {
    /// Sets the name that mail programs show for the sender. Default: none.
    pub fn from_name(mut self, name: impl Into<String>) -> Self {
        self.from_name = Some(name.into());
        self
    }

    /// Trusts a certificate authority (DER) beside those of the platform, for a server with a
    /// private one.
    pub fn root_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.roots.push(der.into());
        self
    }

    /// Sets how long a message may take in all, from the connection to the server's word.
    /// Default: 10 seconds.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets the clock that the mail's date is read from. Default: the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Checks the settings and makes the provider. Nothing is sent.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is missing or malformed.
    pub fn build(self) -> Result<Smtp, ConfigError> {
        let name = self.from_name.map(config::checked_name).transpose()?;
        let address = mail::address(&self.from).ok_or(ConfigError::MailAddress)?;
        Ok(Smtp {
            session: Session::new(self.server, &self.roots, self.from.domain(), self.timeout)?,
            from: Mailbox::new(name, address),
            clock: self.clock,
        })
    }
}

impl fmt::Debug for SmtpBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpBuilder").finish_non_exhaustive()
    }
}

/// Sends e-mail through a submission server.
///
/// # Examples
/// ```
/// use otp_core::destination::EmailAddress;
/// use otp_providers::smtp::{Smtp, SmtpServer};
///
/// let server = SmtpServer::parse("smtp://mail.example.com")?
///     .with_credentials("otp@example.com", "the-password")?;
/// let smtp = Smtp::builder(server, EmailAddress::parse("no-reply@example.com")?)
///     .from_name("Example")
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Smtp {
    session: Session,
    from: Mailbox,
    clock: Arc<dyn Clock>,
}

impl Smtp {
    /// Starts with the server and the sender that it lets the host send as.
    pub fn builder(server: SmtpServer, from: EmailAddress) -> SmtpBuilder {
        SmtpBuilder {
            server,
            from,
            from_name: None,
            roots: Vec::new(),
            timeout: TIMEOUT,
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").finish_non_exhaustive()
    }
}

#[async_trait]
impl DeliveryProvider for Smtp {
    fn name(&self) -> &str {
        NAME
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Email]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let unfit = || DeliveryError::new(DeliveryErrorKind::Invalid, NAME).not_sent();
        let to: Option<Address> = message.destination().as_email().and_then(mail::address);
        let to = to.filter(|_| message.channel() == Channel::Email);
        let to = to.ok_or_else(unfit)?;
        let id = format!("{}@{}", message.id().as_str(), self.from.email.domain());
        let mail = mail::compose(&self.from, &to, &id, message, self.clock.now());
        let mail = mail.ok_or_else(unfit)?;
        self.session.send(&self.from.email, to, &mail).await?;
        Ok(Receipt::accepted(NAME).with_reference(&id))
    }
}

#[cfg(test)]
mod tests;
