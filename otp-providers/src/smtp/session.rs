use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use otp_core::delivery::{DeliveryError, DeliveryErrorKind};
use otp_core::secret::SecretBytes;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::reply::{classify_reply, shown};
use super::server::Security;
use super::stream::Wary;
use super::{NAME, SmtpServer, SmtpStage};
use crate::config::ConfigError;

/// How long the server's goodbye is waited for; the message is accepted by then.
const GOODBYE: Duration = Duration::from_secs(1);

/// One conversation for each message.
pub(super) struct Session {
    server: SmtpServer,
    tls: TlsParameters,
    hello: ClientId,
    limit: Duration,
}

/// Nothing of the server's words is kept, since servers quote addresses.
struct Failed {
    kind: DeliveryErrorKind,
    code: Option<String>,
    /// The server said no: it did not take the mail, however much of it it has.
    refused: bool,
}

type SmtpError = lettre::transport::smtp::Error;

impl Session {
    pub(super) fn new(
        server: SmtpServer,
        roots: &[Vec<u8>],
        domain: &str,
        limit: Duration,
    ) -> Result<Self, ConfigError> {
        let refused = |error: SmtpError| ConfigError::Transport(error.into());
        let mut tls = TlsParameters::builder(server.host.clone());
        for der in roots {
            tls = tls.add_root_certificate(Certificate::from_der(der.clone()).map_err(refused)?);
        }
        Ok(Self {
            tls: tls.build_rustls().map_err(refused)?,
            hello: ClientId::Domain(domain.to_owned()),
            server,
            limit,
        })
    }

    /// Hands the mail over. Until its first byte goes out nothing is sent; from then on only the
    /// server's no says that it was not.
    pub(super) async fn send(
        &self,
        from: &Address,
        to: Address,
        mail: &SecretBytes,
    ) -> Result<(), DeliveryError> {
        let under_way = AtomicBool::new(false);
        let talk = self.talk(from, to, mail, &under_way);
        let failed = match timeout(self.limit, talk).await {
            Ok(Ok(mut connection)) => {
                // The message is accepted; how they part changes nothing.
                let _ = timeout(GOODBYE, connection.quit()).await;
                return Ok(());
            }
            Ok(Err(failed)) => failed,
            Err(_) => Failed {
                kind: DeliveryErrorKind::Timeout,
                code: None,
                refused: false,
            },
        };
        let error = DeliveryError::new(failed.kind, NAME);
        let error = match failed.code {
            Some(code) => error.with_code(&code),
            None => error,
        };
        Err(if failed.refused || !under_way.load(Ordering::Acquire) {
            error.not_sent()
        } else {
            error.maybe_sent()
        })
    }

    async fn talk(
        &self,
        from: &Address,
        to: Address,
        mail: &SecretBytes,
        under_way: &AtomicBool,
    ) -> Result<AsyncSmtpConnection, Failed> {
        let at = |stage| move |error: SmtpError| failed(stage, &error);
        let mut connection = self.connect().await?;
        if let Some((user, password)) = &self.server.credentials {
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                .await
                .map_err(at(SmtpStage::Auth))?;
        }
        let sender = Mail::new(Some(from.clone()), Vec::new());
        connection
            .command(sender)
            .await
            .map_err(at(SmtpStage::Sender))?;
        let recipient = Rcpt::new(to, Vec::new());
        connection
            .command(recipient)
            .await
            .map_err(at(SmtpStage::Recipient))?;
        connection
            .command(Data)
            .await
            .map_err(at(SmtpStage::Content))?;
        under_way.store(true, Ordering::Release);
        connection
            .message(mail.expose())
            .await
            .map_err(at(SmtpStage::Content))?;
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failed> {
        let at = |error: SmtpError| failed(SmtpStage::Greeting, &error);
        let place = (self.server.host.as_str(), self.server.port);
        let tls = match self.server.security {
            Security::StartTls => return self.upgrade(place).await,
            Security::Implicit => Some(self.tls.clone()),
            Security::Plain => None,
        };
        let limit = Some(self.limit);
        AsyncSmtpConnection::connect_tokio1(place, limit, &self.hello, tls, None)
            .await
            .map_err(at)
    }

    async fn upgrade(&self, place: (&str, u16)) -> Result<AsyncSmtpConnection, Failed> {
        let at = |error: SmtpError| failed(SmtpStage::Greeting, &error);
        let stream = TcpStream::connect(place).await.map_err(|_| Failed {
            kind: DeliveryErrorKind::Unavailable,
            code: None,
            refused: true,
        })?;
        let (stream, encrypted) = Wary::new(stream);
        let connected =
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello).await;
        let mut connection = connected.map_err(at)?;
        // Not offered, or taken out on the way: either way nothing is said in the clear.
        if !connection.can_starttls() {
            return Err(Failed {
                kind: DeliveryErrorKind::Protocol,
                code: Some("no-starttls".to_owned()),
                refused: true,
            });
        }
        let tls = self.tls.clone();
        connection.starttls(tls, &self.hello).await.map_err(at)?;
        encrypted.store(true, Ordering::Release);
        Ok(connection)
    }
}

fn failed(stage: SmtpStage, error: &SmtpError) -> Failed {
    if let Some(code) = error.status() {
        let code = u16::from(code);
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        return Failed {
            kind: classify_reply(stage, code, &text),
            code: Some(shown(code, &text)),
            refused: true,
        };
    }
    let kind = match stage {
        _ if error.is_timeout() => DeliveryErrorKind::Timeout,
        // The server has no mechanism that is known here.
        SmtpStage::Auth if error.is_client() => DeliveryErrorKind::Unauthorized,
        // The end of the stream reads as an incomplete response.
        _ if error.is_response() && !ended(error) => DeliveryErrorKind::Protocol,
        _ => DeliveryErrorKind::Unavailable,
    };
    Failed {
        kind,
        code: None,
        refused: false,
    }
}

fn ended(error: &SmtpError) -> bool {
    error
        .source()
        .is_some_and(|source| source.to_string() == "incomplete response")
}
