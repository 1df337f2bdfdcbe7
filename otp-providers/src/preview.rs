//! Messages that stay in memory, to develop and demonstrate without a vendor.
//!
//! This room exists in builds with debug assertions and with the feature `danger-preview` only: a
//! production build cannot name it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use otp_core::challenge::Code;
use otp_core::delivery::{DeliveryError, DeliveryProvider, Message, MessageLink, Receipt};
use otp_core::destination::Channel;

use crate::http::async_trait;

const NAME: &str = "preview";
const KEPT: usize = 64;

/// Accepts every message on every channel, sends none, and shows its code to whoever asks. A
/// clone shares the messages.
///
/// The last 64 codes are kept. Making one writes a warning to the log.
///
/// # Examples
/// ```
/// use otp_providers::preview::Preview;
///
/// let preview = Preview::new();
/// assert!(preview.code_for("no-such-challenge").is_none());
/// ```
#[derive(Clone)]
pub struct Preview {
    name: &'static str,
    kept: Arc<Mutex<VecDeque<Kept>>>,
}

struct Kept {
    message: String,
    code: Code,
    link: Option<MessageLink>,
}

impl Preview {
    /// Makes one that has seen nothing yet, and warns that codes do not leave.
    #[must_use]
    pub fn new() -> Self {
        tracing::warn!("preview provider in use: no code is sent, and the process shows them");
        Self {
            name: NAME,
            kept: Arc::new(Mutex::new(VecDeque::with_capacity(KEPT))),
        }
    }

    /// Gives a clone by another name: that of a vendor which configuration names, and which is not
    /// to be asked here.
    #[must_use]
    pub fn standing_in_for(&self, name: &'static str) -> Self {
        Self {
            name,
            kept: Arc::clone(&self.kept),
        }
    }

    /// Gives the code of the latest message of a challenge, by the challenge's id: a message's id
    /// is that, a hyphen, and the number of the send.
    #[must_use]
    pub fn code_for(&self, challenge: &str) -> Option<Code> {
        self.lock()
            .iter()
            .rev()
            .find(|kept| challenge_of(&kept.message) == challenge)
            .map(|kept| kept.code.clone())
    }

    /// Gives the links of that message, where it has any.
    #[must_use]
    pub fn link_for(&self, challenge: &str) -> Option<MessageLink> {
        self.lock()
            .iter()
            .rev()
            .find(|kept| challenge_of(&kept.message) == challenge)
            .and_then(|kept| kept.link.clone())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Preview {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preview").finish_non_exhaustive()
    }
}

#[async_trait]
impl DeliveryProvider for Preview {
    fn name(&self) -> &str {
        self.name
    }

    fn channels(&self) -> &[Channel] {
        &Channel::ALL
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let mut kept = self.lock();
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(Kept {
            message: message.id().as_str().to_owned(),
            code: message.code().clone(),
            link: message.link().cloned(),
        });
        Ok(Receipt::accepted(self.name).with_reference(message.id().as_str()))
    }
}

fn challenge_of(message: &str) -> &str {
    match message.rsplit_once('-') {
        Some((challenge, send)) if send.bytes().all(|byte| byte.is_ascii_digit()) => challenge,
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use otp_core::challenge::CodeFormat;
    use otp_core::delivery::MessageId;
    use otp_core::destination::PhoneNumber;

    use super::*;

    async fn send(preview: &Preview, id: &str, code: &str) {
        let code = Code::normalise(CodeFormat::SIX_DIGITS, code).expect("six digits");
        let phone = PhoneNumber::parse("+14155550123").expect("a number");
        let text = String::new();
        let message =
            Message::builder(MessageId::new(id), Channel::Sms, phone.into(), text, code).build();
        preview.deliver(&message).await.expect("accepted");
    }

    fn shown(preview: &Preview, challenge: &str) -> Option<String> {
        preview
            .code_for(challenge)
            .map(|code| code.expose().to_owned())
    }

    #[tokio::test]
    async fn the_latest_code_of_a_challenge_is_shown() {
        let preview = Preview::new();
        send(&preview, "a-b_c-1", "000001").await;
        send(&preview, "a-b_c-2", "000002").await;
        send(&preview, "other-1", "000003").await;
        assert_eq!(shown(&preview, "a-b_c"), Some("000002".to_owned()));
        assert_eq!(shown(&preview.clone(), "other"), Some("000003".to_owned()));
        assert_eq!(shown(&preview, "a-b"), None);
        assert_eq!(shown(&preview, ""), None);
        assert_eq!(format!("{preview:?}"), "Preview { .. }");
    }

    #[tokio::test]
    async fn only_the_last_64_are_kept() {
        let preview = Preview::new();
        for number in 0..65 {
            send(&preview, &format!("c{number}-1"), "000000").await;
        }
        assert!(preview.code_for("c0").is_none());
        assert!(preview.code_for("c1").is_some() && preview.code_for("c64").is_some());
        assert_eq!(preview.lock().len(), KEPT);
    }
}
