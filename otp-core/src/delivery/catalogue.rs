//! What a message says: the contract of a catalogue, and the words that are shipped.

mod brand;
mod fit;
mod layered;
mod link_words;
mod locale;
mod mail;
mod phrases;
mod shipped;

use std::fmt;
use std::fmt::Debug;
use std::time::Duration;

pub use brand::{AppHash, Brand, InvalidBrand};
pub use fit::{UnfitReason, UnfitText};
pub use layered::Layered;
pub use link_words::{Direction, LinkSpeech, LinkWords};
pub use locale::{InvalidLocale, Locale};
pub use shipped::ShippedCatalogue;

pub(crate) use fit::check;

use super::MessageLink;
use crate::challenge::Code;
use crate::destination::Channel;
use crate::request::Purpose;

/// What a message is made from.
pub struct Template<'a> {
    /// The channel that will carry it.
    pub channel: Channel,
    /// What the code is for.
    pub purpose: &'a Purpose,
    /// The language that was asked for; a catalogue answers in the nearest that it has.
    pub locale: &'a Locale,
    /// Who is speaking.
    pub brand: &'a Brand,
    /// The code.
    pub code: &'a Code,
    /// The links that go with the code, for e-mail; most messages have none.
    pub link: Option<&'a MessageLink>,
    /// How long the code lives from now.
    pub expires_in: Duration,
}

impl Debug for Template<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("channel", &self.channel)
            .field("purpose", &self.purpose)
            .field("locale", &self.locale)
            .finish_non_exhaustive()
    }
}

/// A message in words. `Debug` does not show them: they hold the code.
pub struct Rendered {
    /// The subject line, for e-mail; never the code.
    pub subject: Option<String>,
    /// The plain text.
    pub text: String,
    /// The HTML part, for e-mail.
    pub html: Option<String>,
}

impl Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rendered(..)")
    }
}

/// Puts a code into words, and the pages of links. A host overrides the words by implementing this; [`Layered`] keeps the
/// shipped ones beneath.
pub trait Catalogue: Debug + Send + Sync + 'static {
    /// Renders the message. The code must be in the text exactly once, plus once in the
    /// origin-bound last line where the brand has an origin; links belong where there are any.
    ///
    /// A text message must take one segment; a verifier with a route for them does not build where
    /// one of [`locales`](Self::locales) takes more with the longest code of a purpose. What goes
    /// into HTML must be escaped. A panic fails the message and nothing else.
    fn render(&self, template: &Template<'_>) -> Rendered;

    /// Lists the locales that it has words of its own for. Default: English alone.
    fn locales(&self) -> Vec<Locale> {
        vec![Locale::default()]
    }
    /// Gives the words of the pages that a link opens, in a language near the one that is asked
    /// for; `None` where there are none near it. Default: the shipped ones, in the languages of
    /// [`locales`](Self::locales).
    fn link_speech(&self, locale: &Locale) -> Option<LinkSpeech<'_>> {
        shipped::link_speech(locale.nearest(&self.locales())?)
    }
}
