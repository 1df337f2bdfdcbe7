//! Who stands where a server has its vendors: nothing is ever sent, and nobody is let through.

use otp_kit::async_trait;
use otp_kit::check::{CaptchaQuestion, CaptchaVerdict, CaptchaVerifier, CheckError};
use otp_kit::delivery::{DeliveryError, DeliveryErrorKind, DeliveryProvider, Message, Receipt};
use otp_kit::destination::Channel;

const NAME: &str = "nobody";

/// A vendor that does nothing.
#[derive(Debug)]
pub(super) struct Nobody;

#[async_trait]
impl DeliveryProvider for Nobody {
    fn name(&self) -> &str {
        NAME
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Email]
    }

    async fn deliver(&self, _message: &Message) -> Result<Receipt, DeliveryError> {
        Err(DeliveryError::new(DeliveryErrorKind::Unavailable, NAME))
    }
}

#[async_trait]
impl CaptchaVerifier for Nobody {
    fn name(&self) -> &str {
        NAME
    }

    async fn verify(&self, _question: &CaptchaQuestion<'_>) -> Result<CaptchaVerdict, CheckError> {
        Err(CheckError::Misconfigured(NAME))
    }
}
