//! A provider that writes to the terminal: what a provider of your own looks like, in one file.

use std::sync::{Arc, Mutex, PoisonError};

use otp_kit::async_trait;
use otp_kit::delivery::{DeliveryError, DeliveryProvider, Message, Receipt};
use otp_kit::destination::Channel;

/// Shows each message as the person would get it, and keeps the last code for the story.
#[derive(Clone, Debug, Default)]
pub(crate) struct TerminalOutbox {
    last: Arc<Mutex<Option<String>>>,
}

impl TerminalOutbox {
    /// Takes the code of the last message.
    pub(crate) fn take_code(&self) -> Option<String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.take()
    }
}

#[async_trait]
impl DeliveryProvider for TerminalOutbox {
    fn name(&self) -> &str {
        "terminal"
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Sms, Channel::Email]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        println!();
        println!(
            "  +-- {} to {}",
            message.channel().name(),
            message.destination()
        );
        if let Some(subject) = message.subject() {
            println!("  | Subject: {subject}");
            println!("  |");
        }
        for line in message.text().lines() {
            println!("  | {line}");
        }
        println!("  +--");
        println!();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(message.code().expose().to_owned());
        Ok(Receipt::accepted(self.name()))
    }
}
