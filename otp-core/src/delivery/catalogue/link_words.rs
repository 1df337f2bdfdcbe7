use super::Locale;
use super::phrases;

/// The language that the pages of a link are in, and their words.
///
/// The default is English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSpeech<'a> {
    /// The language of the words.
    pub language: Locale,
    /// Which way it is written.
    pub direction: Direction,
    /// The words.
    pub words: LinkWords<'a>,
}

/// Which way a language is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// From left to right.
    #[default]
    LeftToRight,
    /// From right to left, as Arabic and Hebrew are.
    RightToLeft,
}

/// What the pages of a link say, in one language: plain text, which the pages escape. A host that
/// changes a sentence takes the others from [`ShippedCatalogue`](super::ShippedCatalogue).
///
/// # Examples
/// ```
/// use otp_core::delivery::{
///     Catalogue, Layered, LinkSpeech, LinkWords, Locale, Rendered, ShippedCatalogue, Template,
/// };
///
/// #[derive(Debug)]
/// struct OurEnglish(ShippedCatalogue);
///
/// impl Catalogue for OurEnglish {
///     fn render(&self, template: &Template<'_>) -> Rendered {
///         self.0.render(template)
///     }
///
///     fn link_speech(&self, locale: &Locale) -> Option<LinkSpeech<'_>> {
///         let shipped = self.0.link_speech(locale.nearest(&self.locales())?)?;
///         let words = LinkWords {
///             signed_in: "Welcome to Acme. You may close this page.",
///             ..shipped.words
///         };
///         Some(LinkSpeech { words, ..shipped })
///     }
/// }
///
/// let catalogue = Layered::over_shipped(OurEnglish(ShippedCatalogue::default()));
/// let said = |tag| Some(catalogue.link_speech(&Locale::new(tag).ok()?)?.words.signed_in);
/// assert_eq!(said("en-GB"), Some("Welcome to Acme. You may close this page."));
/// assert_eq!(said("nl"), Some("Je bent ingelogd. Je kunt deze pagina sluiten."));
/// assert_eq!(said("fi"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkWords<'a> {
    /// The title of the first page, and its button: "Sign in".
    pub sign_in: &'a str,
    /// What was opened, and what the button does.
    pub opened: &'a str,
    /// What stands above the button for those who did not ask.
    pub stop: &'a str,
    /// That button, which the mail names alike: "This was not me".
    pub not_me: &'a str,
    /// The button beside it, for those who were sent there by mistake.
    pub was_me: &'a str,
    /// The title once somebody is signed in.
    pub signed_in_title: &'a str,
    /// That they are signed in.
    pub signed_in: &'a str,
    /// That they were signed in before they pressed it again.
    pub signed_in_already: &'a str,
    /// The title in another browser than the one that asked.
    pub relay_title: &'a str,
    /// That the code below goes into the browser that asked.
    pub relay: &'a str,
    /// That the code is nobody else's business, and how to stop what somebody else began.
    pub relay_warning: &'a str,
    /// The title once a sign-in was stopped.
    pub stopped_title: &'a str,
    /// That the link and the code are worth nothing any more.
    pub stopped: &'a str,
    /// The title where nothing came of it, for whatever reason.
    pub refused_title: &'a str,
    /// That the link does not work: one sentence for a used, an expired and a made-up one.
    pub refused: &'a str,
}

impl Direction {
    /// Names it as the `dir` of HTML does: `ltr` or `rtl`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        }
    }
}

impl Default for LinkSpeech<'_> {
    fn default() -> Self {
        phrases::english_pages()
    }
}
