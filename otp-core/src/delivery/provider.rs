use std::fmt::Debug;

use async_trait::async_trait;

use super::{DeliveryError, Message, Receipt};
use crate::destination::Channel;

/// Hands one rendered message to one vendor.
///
/// # Contract
/// - `deliver` makes **at most one** attempt that could reach the person. It repeats a request by
///   itself only where the vendor surely did nothing with the first one.
/// - `Ok` means that the vendor took responsibility for the message, not that it arrived.
/// - An error says in [`DeliveryError::certainty`] whether the message may be on its way. What is
///   not known to be unsent is [`Unknown`](super::DispatchCertainty::Unknown): the caller will not
///   send again unless its policy prefers delivery.
/// - [`Message::id`] is an idempotency key: a vendor that has such a field is given it.
/// - Nothing that the call logs, returns or prints holds the code, the vendor's token, or the full
///   address.
/// - The future may be dropped at any point. The caller then treats the outcome as unknown.
/// - The call ends by itself: the provider bounds connect, read and total time, and the size of
///   the reply that it reads.
#[async_trait]
pub trait DeliveryProvider: Debug + Send + Sync + 'static {
    /// Names the vendor in events and status, for example `twilio`. Never shown to the claimant.
    fn name(&self) -> &str;

    /// Lists the channels that it can serve; a route for another channel does not build.
    fn channels(&self) -> &[Channel];

    /// Sends the message.
    ///
    /// # Errors
    /// [`DeliveryError`] by what the caller does next; see the contract above.
    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError>;
}
