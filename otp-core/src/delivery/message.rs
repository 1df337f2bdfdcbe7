use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Locale, MessageLink, SenderId, TemplateId};
use crate::challenge::Code;
use crate::destination::{Channel, Destination};
use crate::secret::SecretString;

/// Names one sending of one message; a vendor that takes an idempotency key is given it.
///
/// It is made from the challenge and the number of the send, so a retried call repeats it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MessageId(Arc<str>);

impl MessageId {
    const MOST: usize = 64;

    /// Wraps an id; only `[A-Za-z0-9_-]` is kept, 64 characters at most.
    #[must_use]
    pub fn new(id: &str) -> Self {
        let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if id.len() <= Self::MOST && id.chars().all(|c| fits(&c)) {
            return Self(id.into());
        }
        let fitting: String = id.chars().filter(fits).take(Self::MOST).collect();
        Self(fitting.into())
    }

    /// Gives the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({})", self.0)
    }
}

/// A rendered message on its way to one person.
///
/// Text, HTML, code and links are secrets: `Debug` shows neither them nor the full address.
pub struct Message {
    id: MessageId,
    channel: Channel,
    destination: Destination,
    locale: Locale,
    subject: Option<String>,
    text: SecretString,
    html: Option<SecretString>,
    code: Code,
    link: Option<MessageLink>,
    expires_in: Duration,
    sender: Option<SenderId>,
    template: Option<TemplateId>,
}

impl Message {
    /// Starts a message from what every channel has.
    #[must_use]
    pub fn builder(
        id: MessageId,
        channel: Channel,
        destination: Destination,
        text: String,
        code: Code,
    ) -> MessageBuilder {
        MessageBuilder(Self {
            id,
            channel,
            destination,
            locale: Locale::default(),
            subject: None,
            text: SecretString::new(text),
            html: None,
            code,
            link: None,
            expires_in: Duration::from_secs(300),
            sender: None,
            template: None,
        })
    }

    /// Gives the idempotency key of this send.
    #[must_use]
    pub fn id(&self) -> &MessageId {
        &self.id
    }

    /// Names the channel.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Gives the full address; for the vendor's request only.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Gives the language of the text.
    #[must_use]
    pub fn locale(&self) -> &Locale {
        &self.locale
    }

    /// Gives the subject line, for e-mail.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Gives the plain text, code included; for the vendor's request only.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.expose()
    }

    /// Gives the HTML part, for e-mail.
    #[must_use]
    pub fn html(&self) -> Option<&str> {
        self.html.as_ref().map(SecretString::expose)
    }

    /// Gives the code alone, for vendors that place it into a template of theirs.
    #[must_use]
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// Gives the links that go with the code, where the message has any; they are in the text.
    #[must_use]
    pub fn link(&self) -> Option<&MessageLink> {
        self.link.as_ref()
    }

    /// Says how long the code lives from now; vendors that can drop late messages are told.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// Gives the sender that the route's rule for the person's country asks for. A provider uses
    /// it in place of its own default where its vendor knows senders of that kind.
    #[must_use]
    pub fn sender(&self) -> Option<&SenderId> {
        self.sender.as_ref()
    }

    /// Names the template at the vendor that the route's rule for the person's country asks for
    /// (a WhatsApp template, a registered SMS text), in place of the provider's own default.
    #[must_use]
    pub fn template(&self) -> Option<&TemplateId> {
        self.template.as_ref()
    }

    /// Copies the message for one provider of a route. The public type has no `Clone`, lest a code
    /// be kept by accident.
    pub(super) fn as_sent_by(
        &self,
        sender: Option<&SenderId>,
        template: Option<&TemplateId>,
    ) -> Self {
        Self {
            id: self.id.clone(),
            channel: self.channel,
            destination: self.destination.clone(),
            locale: self.locale.clone(),
            subject: self.subject.clone(),
            text: self.text.clone(),
            html: self.html.clone(),
            code: self.code.clone(),
            link: self.link.clone(),
            expires_in: self.expires_in,
            sender: sender.or(self.sender.as_ref()).cloned(),
            template: template.or(self.template.as_ref()).cloned(),
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("channel", &self.channel)
            .field("destination", &self.destination)
            .field("locale", &self.locale)
            .finish_non_exhaustive()
    }
}

/// Adds what only some channels have; see [`Message::builder`].
#[derive(Debug)]
pub struct MessageBuilder(Message);

impl MessageBuilder {
    /// Sets the language. Default: English.
    #[must_use]
    pub fn locale(mut self, locale: Locale) -> Self {
        self.0.locale = locale;
        self
    }

    /// Sets the subject line; line breaks and other control characters become spaces.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        let cut = subject.char_indices().nth(200).map(|(end, _)| end);
        let subject = subject.get(..cut.unwrap_or(subject.len()));
        let subject = subject.unwrap_or_default();
        self.0.subject = Some(subject.replace(char::is_control, " "));
        self
    }

    /// Sets the HTML part.
    #[must_use]
    pub fn html(mut self, html: String) -> Self {
        self.0.html = Some(SecretString::new(html));
        self
    }

    /// Adds the links that go with the code. Default: none.
    #[must_use]
    pub fn link(mut self, link: MessageLink) -> Self {
        self.0.link = Some(link);
        self
    }

    /// Sets how long the code lives. Default: five minutes.
    #[must_use]
    pub fn expires_in(mut self, life: Duration) -> Self {
        self.0.expires_in = life;
        self
    }

    /// Asks for a sender; see [`Message::sender`]. Default: the provider's own.
    #[must_use]
    pub fn sender(mut self, sender: SenderId) -> Self {
        self.0.sender = Some(sender);
        self
    }

    /// Asks for a template; see [`Message::template`]. Default: the provider's own.
    #[must_use]
    pub fn template(mut self, template: TemplateId) -> Self {
        self.0.template = Some(template);
        self
    }

    /// Finishes the message.
    #[must_use]
    pub fn build(self) -> Message {
        self.0
    }
}
