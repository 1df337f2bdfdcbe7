use std::fmt;

use async_trait::async_trait;
use otp_core::challenge::{Alphabet, CodeFormat};
use otp_core::delivery::{
    Checked, DeliveryError, DeliveryErrorKind, Reference, Started, VerificationCheck,
    VerificationProvider, VerificationStart,
};
use otp_core::destination::{Channel, PhoneNumber};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::{Sending, TelegramGateway, What, ttl};
use crate::config::ConfigError;
use crate::http::Endpoint;
use crate::wire;

const NAME: &str = "telegram-verify";

/// Has Telegram's Gateway make, send and check codes, of six digits unless
/// [told otherwise](Self::code).
///
/// A [`TelegramGateway`] by itself carries the library's own codes, which every store can check
/// while Telegram is away; this is for a host whose contract wants Telegram's.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_core::delivery::Route;
/// use otp_core::destination::Channel;
/// use otp_providers::telegram::{TelegramGateway, TelegramVerify};
/// # use otp_providers::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
/// # #[derive(Debug)] struct MyTransport;
/// # #[otp_providers::http::async_trait]
/// # impl HttpTransport for MyTransport {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> { loop {} }
/// # }
///
/// let gateway = TelegramGateway::builder("the-gateway-token")
///     .transport(Arc::new(MyTransport)) // not needed with the feature `reqwest`
///     .build()?;
/// let route = Route::managed(TelegramVerify::new(gateway));
/// assert!(route.check(Channel::Telegram).is_ok());
/// # Ok::<(), otp_providers::ConfigError>(())
/// ```
pub struct TelegramVerify {
    gateway: TelegramGateway,
    check: Endpoint,
    revoke: Endpoint,
    format: CodeFormat,
}

impl TelegramVerify {
    /// Lets a Gateway account make and check the codes that it sends.
    #[must_use]
    pub fn new(gateway: TelegramGateway) -> Self {
        Self {
            check: gateway.wire.endpoint(&["checkVerificationStatus"]),
            revoke: gateway.wire.endpoint(&["revokeVerificationMessage"]),
            format: CodeFormat::SIX_DIGITS,
            gateway,
        }
    }

    /// Sets what Telegram's codes look like: six to eight digits.
    ///
    /// # Errors
    /// [`ConfigError::CodeFormat`] for letters and for more than eight digits, which Telegram does
    /// not make.
    pub fn code(mut self, format: CodeFormat) -> Result<Self, ConfigError> {
        if format.alphabet() != Alphabet::Digits || format.length() > 8 {
            return Err(ConfigError::CodeFormat);
        }
        self.format = format;
        Ok(self)
    }

    async fn call<T>(&self, to: &Endpoint, body: &impl Serialize) -> Result<T, DeliveryError>
    where
        T: DeserializeOwned,
    {
        let request = self.gateway.post(to, body)?;
        let reply = self.gateway.wire.send(NAME, request).await?;
        self.gateway.read(NAME, &reply)
    }
}

impl fmt::Debug for TelegramVerify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramVerify").finish_non_exhaustive()
    }
}

#[async_trait]
impl VerificationProvider for TelegramVerify {
    fn name(&self) -> &str {
        NAME
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Telegram]
    }

    fn format(&self) -> CodeFormat {
        self.format
    }

    async fn start(&self, start: &VerificationStart<'_>) -> Result<Started, DeliveryError> {
        let to = start
            .to
            .as_phone()
            .filter(|_| start.channel == Channel::Telegram);
        let to = to.ok_or_else(|| wire::unfit(NAME))?;
        let body = Sending {
            phone_number: to.e164(),
            what: What::Length(self.format.length()),
            ttl: ttl(start.expires_in),
            payload: start.id.as_str(),
            sender_username: self.gateway.sender.as_deref(),
            callback_url: self.gateway.callback.as_deref(),
        };
        let state: Verification = self.call(&self.gateway.send, &body).await?;
        let reference = Reference::new(&state.request_id).ok();
        let reference = reference.filter(|_| state.is_of(to));
        let started = Started::new(reference.ok_or_else(|| wire::nonsense(NAME))?);
        // Telegram has no way to send a code again: the new one stands in the old one's place.
        if let Some(before) = start.continues {
            drop(self.cancel(before).await);
        }
        Ok(started)
    }

    async fn check(&self, check: &VerificationCheck<'_>) -> Result<Checked, DeliveryError> {
        let typed = check.code.expose();
        let asked = Asked {
            request_id: check.reference.as_str(),
            code: typed,
        };
        let state: Verification = match self.call(&self.check, &asked).await {
            Err(error) if error.code() == Some(UNKNOWN) => return Ok(Checked::Gone),
            answer => answer?,
        };
        let to = check.to.as_phone().ok_or_else(|| wire::unfit(NAME))?;
        let verdict = state.verification_status.as_ref();
        let verdict = verdict
            .filter(|_| state.request_id == check.reference.as_str() && state.is_of(to))
            .filter(|verdict| verdict.is_about(typed))
            .ok_or_else(|| wire::nonsense(NAME))?;
        match verdict.status.as_str() {
            "code_valid" => Ok(Checked::Approved),
            "code_invalid" => Ok(Checked::Wrong),
            "expired" => Ok(Checked::Gone),
            "code_max_attempts_exceeded" => {
                Err(DeliveryError::new(DeliveryErrorKind::Protected, NAME))
            }
            _ => Err(wire::nonsense(NAME)),
        }
    }

    async fn cancel(&self, reference: &Reference) -> Result<(), DeliveryError> {
        let asked = Revocation {
            request_id: reference.as_str(),
        };
        match self.call::<IgnoredAny>(&self.revoke, &asked).await {
            Err(error) if error.code() == Some(UNKNOWN) => Ok(()),
            answer => answer.map(drop),
        }
    }
}

/// What the Gateway answers about a request that it never had, or has no more.
const UNKNOWN: &str = "REQUEST_ID_INVALID";

#[derive(Serialize)]
struct Asked<'a> {
    request_id: &'a str,
    code: &'a str,
}

#[derive(Serialize)]
struct Revocation<'a> {
    request_id: &'a str,
}

#[derive(Deserialize)]
struct Verification {
    request_id: String,
    phone_number: String,
    verification_status: Option<Verdict>,
}

impl Verification {
    /// Telegram writes numbers with and without their plus.
    fn is_of(&self, phone: &PhoneNumber) -> bool {
        let digits = phone.e164().strip_prefix('+');
        digits == Some(self.phone_number.trim_start_matches('+'))
    }
}

#[derive(Deserialize)]
struct Verdict {
    status: String,
    code_entered: Option<String>,
}

impl Verdict {
    /// An answer may repeat the code that it judges; one about another code is none of ours.
    fn is_about(&self, typed: &str) -> bool {
        self.code_entered
            .as_deref()
            .is_none_or(|entered| entered == typed)
    }
}

#[cfg(test)]
mod tests;
