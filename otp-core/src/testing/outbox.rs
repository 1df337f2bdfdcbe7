use std::collections::VecDeque;
use std::future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::challenge::Code;
use crate::delivery::{
    DeliveryError, DeliveryErrorKind, DeliveryProvider, Message, MessageBuilder, MessageLink,
    Receipt,
};
use crate::destination::{Channel, Destination};

/// A provider for tests that keeps what it is given and hands out the codes. A clone shares both
/// messages and script.
///
/// It serves every channel and accepts everything, unless it was told to fail or to hang next.
///
/// # Examples
/// ```
/// use otp_core::destination::{Destination, PhoneNumber};
/// use otp_core::testing::Outbox;
///
/// let outbox = Outbox::new();
/// let phone: Destination = PhoneNumber::parse("+14155550123")?.into();
/// assert!(outbox.last_code_for(&phone).is_none());
/// # Ok::<(), otp_core::destination::InvalidPhoneNumber>(())
/// ```
#[derive(Clone, Debug)]
pub struct Outbox {
    name: Arc<str>,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Debug, Default)]
struct Inside {
    messages: Vec<Message>,
    script: VecDeque<Next>,
}

#[derive(Debug)]
enum Next {
    Fail(DeliveryError),
    Hang,
}

impl Outbox {
    /// Makes an empty one with the name `outbox`.
    #[must_use]
    pub fn new() -> Self {
        Self::named("outbox")
    }

    /// Makes an empty one with a name of its own, for routes with several.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            inside: Arc::default(),
        }
    }

    /// Gives the code that was last sent to a destination.
    #[must_use]
    pub fn last_code_for(&self, destination: &Destination) -> Option<Code> {
        let inside = self.lock();
        let mut latest = inside.messages.iter().rev();
        latest
            .find(|message| message.destination() == destination)
            .map(|message| message.code().clone())
    }

    /// Gives the links that were last sent to a destination, where that message had any.
    #[must_use]
    pub fn last_link_for(&self, destination: &Destination) -> Option<MessageLink> {
        let inside = self.lock();
        let mut latest = inside.messages.iter().rev();
        latest
            .find(|message| message.destination() == destination)
            .and_then(|message| message.link().cloned())
    }

    /// Takes all messages out, in the order in which they came.
    #[must_use]
    pub fn take(&self) -> Vec<Message> {
        std::mem::take(&mut self.lock().messages)
    }

    /// Counts the messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().messages.len()
    }

    /// Says whether there is no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets the next call that is not spoken for fail; it keeps no message. The certainty is the
    /// one that [`DeliveryError::new`] gives the kind.
    pub fn fail_next(&self, kind: DeliveryErrorKind) {
        self.fail_next_with(DeliveryError::new(kind, &self.name));
    }

    /// Lets the next call that is not spoken for fail with an error of the test's own.
    pub fn fail_next_with(&self, error: DeliveryError) {
        self.lock().script.push_back(Next::Fail(error));
    }

    /// Lets the next call that is not spoken for never end; it keeps no message.
    pub fn hang_next(&self) {
        self.lock().script.push_back(Next::Hang);
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl DeliveryProvider for Outbox {
    fn name(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> &[Channel] {
        &Channel::ALL
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let next = self.lock().script.pop_front();
        match next {
            Some(Next::Fail(error)) => Err(error),
            Some(Next::Hang) => future::pending().await,
            None => {
                self.lock().messages.push(copy(message));
                Ok(Receipt::accepted(&self.name).with_reference(message.id().as_str()))
            }
        }
    }
}

/// Messages cannot be cloned, lest a code be kept by accident; here keeping it is the point.
fn copy(message: &Message) -> Message {
    let copy = Message::builder(
        message.id().clone(),
        message.channel(),
        message.destination().clone(),
        message.text().to_owned(),
        message.code().clone(),
    )
    .locale(message.locale().clone())
    .expires_in(message.expires_in());
    let copy = with(copy, message.subject(), MessageBuilder::subject);
    let html = message.html().map(str::to_owned);
    let copy = with(copy, html, MessageBuilder::html);
    with(copy, message.link().cloned(), MessageBuilder::link).build()
}

fn with<T>(
    message: MessageBuilder,
    part: Option<T>,
    set: impl FnOnce(MessageBuilder, T) -> MessageBuilder,
) -> MessageBuilder {
    match part {
        Some(part) => set(message, part),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::challenge::CodeFormat;
    use crate::delivery::{DispatchCertainty, MessageId};
    use crate::destination::{EmailAddress, PhoneNumber};

    fn phone() -> Destination {
        PhoneNumber::parse("+14155550123").expect("a number").into()
    }

    fn message(to: Destination, code: &str) -> Message {
        let code = Code::normalise(CodeFormat::SIX_DIGITS, code).expect("six digits");
        let text = format!("{} it is", code.expose());
        Message::builder(MessageId::new("c-1"), Channel::Email, to, text, code)
            .subject("subject")
            .html("html".to_owned())
            .expires_in(Duration::from_secs(61))
            .build()
    }

    #[tokio::test]
    async fn the_last_code_of_a_destination_is_handed_out() {
        let outbox = Outbox::new();
        let shared = outbox.clone();
        let mail: Destination = EmailAddress::parse("a@example.org")
            .expect("an address")
            .into();
        for (to, code) in [
            (phone(), "000001"),
            (phone(), "000002"),
            (mail.clone(), "000003"),
        ] {
            outbox.deliver(&message(to, code)).await.expect("accepted");
        }
        let code = |to: &Destination| {
            shared
                .last_code_for(to)
                .map(|code| code.expose().to_owned())
        };
        assert_eq!(code(&phone()), Some("000002".to_owned()));
        assert_eq!(code(&mail), Some("000003".to_owned()));
        assert_eq!(shared.len(), 3);
        let taken = shared.take();
        assert!(outbox.is_empty() && outbox.last_code_for(&mail).is_none());
        let [.., last] = taken.as_slice() else {
            panic!("nothing taken")
        };
        assert_eq!(last.text(), "000003 it is");
        assert_eq!(
            (last.subject(), last.html()),
            (Some("subject"), Some("html"))
        );
        assert_eq!(last.expires_in(), Duration::from_secs(61));
    }

    #[tokio::test]
    async fn it_fails_and_hangs_as_told_and_then_works_again() {
        let outbox = Outbox::named("primary");
        outbox.fail_next(DeliveryErrorKind::Throttled);
        outbox.hang_next();
        let message = message(phone(), "000001");
        let error = outbox.deliver(&message).await.expect_err("told to fail");
        assert_eq!(
            (error.kind(), error.provider()),
            (DeliveryErrorKind::Throttled, "primary")
        );
        assert_eq!(error.certainty(), DispatchCertainty::NotSent);
        let hung = tokio::time::timeout(Duration::from_millis(1), outbox.deliver(&message));
        assert!(hung.await.is_err());
        assert!(outbox.is_empty());
        assert!(outbox.deliver(&message).await.is_ok());
    }
}
