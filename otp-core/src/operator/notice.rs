use std::fmt;

use thiserror::Error;

use crate::challenge::{Code, CodeFormat};
use crate::delivery::{Message, MessageId};
use crate::destination::{Channel, EmailAddress};
use crate::random::{RandomError, SecureRandom};

/// What people are told by hand: that a service was down, that their sessions were ended.
///
/// The same words go to everybody, so there is nothing of anybody in them, and no code: whoever
/// delivers it needs no template of a vendor's.
///
/// # Examples
/// ```
/// use otp_core::operator::Notice;
///
/// let notice = Notice::parse("Subject: Your sessions were ended\n\nPlease sign in again.\n")?;
/// assert_eq!(notice.subject(), "Your sessions were ended");
/// assert!(Notice::parse("Please sign in again.").is_err());
/// # Ok::<(), otp_core::operator::InvalidNotice>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    subject: Box<str>,
    text: Box<str>,
}

/// Says what is wrong with a [`Notice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidNotice {
    /// There is no subject, or none of 1 to 120 characters on one line.
    #[error("a notice begins with a line \"subject: ...\" of 1 to 120 characters")]
    Subject,
    /// The text is empty, too long, or holds control characters beside line breaks.
    #[error("a notice has a text of 1 to 4000 characters")]
    Text,
}

const LONGEST_SUBJECT: usize = 120;
const LONGEST_TEXT: usize = 4_000;

impl Notice {
    /// Puts a subject and a text together.
    ///
    /// # Errors
    /// [`InvalidNotice`].
    pub fn new(subject: &str, text: &str) -> Result<Self, InvalidNotice> {
        let (subject, text) = (subject.trim(), text.replace("\r\n", "\n"));
        let text = text.trim();
        let fits = |text: &str, most| !text.is_empty() && text.chars().nth(most).is_none();
        if !fits(subject, LONGEST_SUBJECT) || subject.contains(char::is_control) {
            return Err(InvalidNotice::Subject);
        }
        let plain = |c: char| !c.is_control() || c == '\n';
        if !fits(text, LONGEST_TEXT) || !text.chars().all(plain) {
            return Err(InvalidNotice::Text);
        }
        Ok(Self {
            subject: subject.into(),
            text: text.into(),
        })
    }

    /// Reads a template: a line `Subject: ...`, and under it the text.
    ///
    /// # Errors
    /// [`InvalidNotice`].
    pub fn parse(template: &str) -> Result<Self, InvalidNotice> {
        let template = template.trim_start_matches('\u{feff}').trim_start();
        let (first, text) = template.split_once('\n').unwrap_or((template, ""));
        let (name, subject) = first.split_once(':').ok_or(InvalidNotice::Subject)?;
        if !name.eq_ignore_ascii_case("subject") {
            return Err(InvalidNotice::Subject);
        }
        Self::new(subject, text)
    }

    /// Gives the subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Makes a mail of it, for the provider that mails codes. A message has a code: this one's is
    /// drawn for it, stands nowhere in it and opens nothing. One name (`id`) is one mail, where the
    /// vendor heeds names.
    ///
    /// # Errors
    /// [`RandomError`] where the random source fails.
    pub fn mail(
        &self,
        id: MessageId,
        to: EmailAddress,
        random: &dyn SecureRandom,
    ) -> Result<Message, RandomError> {
        let nothing = Code::generate(CodeFormat::SIX_DIGITS, random)?;
        let text = self.text.to_string();
        let mail = Message::builder(id, Channel::Email, to.into(), text, nothing);
        Ok(mail.subject(&self.subject).build())
    }

    /// Gives the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn a_mail_of_a_notice_has_its_words_and_no_code_in_them() {
        let notice = Notice::new("Service restored", "You can sign in again.").unwrap();
        let to = EmailAddress::parse("ann@example.org").unwrap();
        let mail = notice.mail(MessageId::new("notice-1"), to, &SeededRandom::new(7));
        let mail = mail.unwrap();
        assert_eq!(mail.subject(), Some("Service restored"));
        assert_eq!(mail.text(), "You can sign in again.");
        assert_eq!((mail.html(), mail.channel()), (None, Channel::Email));
    }

    #[test]
    fn a_template_is_a_subject_on_its_line_and_a_text_under_it() {
        let notice = Notice::parse("subject: a \r\n\r\nb\r\nc\r\n").unwrap();
        assert_eq!((notice.subject(), notice.text()), ("a", "b\nc"));
        let long = format!("Subject: a\n{}", "x".repeat(4_001));
        for (template, why) in [
            ("", InvalidNotice::Subject),
            ("a\nb", InvalidNotice::Subject),
            ("Subject:\nb", InvalidNotice::Subject),
            ("Subject: a\u{7}\nb", InvalidNotice::Subject),
            ("Subject: a\rBcc: b\nc", InvalidNotice::Subject),
            ("Subject: a", InvalidNotice::Text),
            ("Subject: a\n\u{1b}[2J", InvalidNotice::Text),
            (&long, InvalidNotice::Text),
        ] {
            assert_eq!(Notice::parse(template), Err(why), "{template:?}");
        }
    }
}
