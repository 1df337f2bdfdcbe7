//! The starts of a vendor that makes its own codes, as the conformance suite sends messages.

use otp_core::async_trait;
use otp_core::delivery::{
    DeliveryError, DeliveryProvider, Message, Receipt, VerificationProvider, VerificationStart,
};
use otp_core::destination::Channel;

#[derive(Debug)]
pub(crate) struct Starts<P>(pub(crate) P);

#[async_trait]
impl<P: VerificationProvider> DeliveryProvider for Starts<P> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn channels(&self) -> &[Channel] {
        self.0.channels()
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let start = VerificationStart::new(
            message.id(),
            message.channel(),
            message.destination(),
            message.locale(),
        );
        let started = self.0.start(&start).await?;
        let reference = started.reference().as_str();
        Ok(Receipt::accepted(self.name()).with_reference(reference))
    }
}
