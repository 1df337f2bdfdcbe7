use super::fit::RETRIEVER_BYTES;
use super::phrases::{self, Phrases, Values};
use super::{Catalogue, LinkSpeech, Locale, Rendered, Template, mail};
use crate::delivery::SmsLength;
use crate::destination::Channel;

/// The words that the library ships: English, Arabic, Dutch, French, German, Italian, Japanese,
/// Polish, Portuguese and Spanish, for every channel and purpose.
///
/// A locale is looked up as RFC 4647 section 3.4 says, and what is not near any is answered in the
/// first language. A text message says less where it would need a second segment, or where it
/// would be too long for Android to read: first how long the code lives goes, then the advice,
/// then what the code is for. The code, the brand and the last lines stay.
///
/// # Examples
/// ```
/// use otp_core::delivery::{Catalogue, Locale, ShippedCatalogue};
///
/// assert_eq!(ShippedCatalogue::default().locales().len(), 10);
///
/// let two = ShippedCatalogue::in_languages(&[Locale::new("fr")?, Locale::new("en")?]);
/// assert_eq!(two.locales(), [Locale::new("fr")?, Locale::new("en")?]);
/// # Ok::<(), otp_core::delivery::InvalidLocale>(())
/// ```
#[derive(Clone, Debug)]
pub struct ShippedCatalogue(Vec<&'static Phrases>);

impl ShippedCatalogue {
    /// Speaks these languages only, of those that are shipped; the first one answers for every
    /// other. Where none of them is shipped, it speaks English.
    #[must_use]
    pub fn in_languages(languages: &[Locale]) -> Self {
        let find = |locale: &Locale| Phrases::near(locale, &phrases::ALL);
        let mut found: Vec<&'static Phrases> = Vec::new();
        for one in languages.iter().filter_map(find) {
            if found.iter().all(|other| other.tag != one.tag) {
                found.push(one);
            }
        }
        if found.is_empty() {
            found.extend(phrases::ALL.first());
        }
        Self(found)
    }

    fn speaking(&self, locale: &Locale) -> Option<&'static Phrases> {
        let near = Phrases::near(locale, &self.0);
        near.or(self.0.first().copied())
    }
}

impl Default for ShippedCatalogue {
    fn default() -> Self {
        Self(phrases::ALL.to_vec())
    }
}

impl Catalogue for ShippedCatalogue {
    fn render(&self, template: &Template<'_>) -> Rendered {
        match (self.speaking(template.locale), template.channel) {
            (Some(phrases), Channel::Email) => mail::write(phrases, template),
            (Some(phrases), Channel::Sms) => plain(text_message(phrases, template)),
            (Some(phrases), _) => plain(longest(phrases, template)),
            // No list of languages is empty.
            (None, _) => plain(template.code.expose().to_owned()),
        }
    }

    fn locales(&self) -> Vec<Locale> {
        self.0.iter().map(|one| Locale::shipped(one.tag)).collect()
    }

    fn link_speech(&self, locale: &Locale) -> Option<LinkSpeech<'_>> {
        Phrases::near(locale, &self.0).map(Phrases::link_speech)
    }
}

/// Gives the shipped words of a link's pages, in a language near the one that is asked for.
pub(super) fn link_speech(locale: &Locale) -> Option<LinkSpeech<'static>> {
    Phrases::near(locale, &phrases::ALL).map(Phrases::link_speech)
}

fn plain(text: String) -> Rendered {
    Rendered {
        subject: None,
        text,
        html: None,
    }
}

impl Phrases {
    pub(super) fn values<'a>(&self, template: &'a Template<'a>, noun: &'a str) -> Values<'a> {
        Values {
            code: template.code.expose(),
            brand: template.brand.name(),
            noun,
            minutes: template.expires_in.as_secs().div_ceil(60).max(1),
        }
    }

    pub(super) fn opening(&self, values: Values<'_>) -> String {
        values.fill(self.opening_words(values))
    }

    /// Gives the sentence of [`opening`](Self::opening) before it is filled.
    pub(super) fn opening_words(&self, values: Values<'_>) -> &'static str {
        if values.brand.is_empty() {
            self.plain
        } else {
            self.branded
        }
    }

    pub(super) fn lifetime(&self, values: Values<'_>) -> String {
        values.fill((self.life)(values.minutes))
    }
}

fn longest(phrases: &Phrases, template: &Template<'_>) -> String {
    let [longest, ..] = wordings(phrases, template);
    longest
}

/// Lists the wordings from the longest to the shortest.
fn wordings(phrases: &Phrases, template: &Template<'_>) -> [String; 4] {
    let values = phrases.values(template, phrases.text.of(template.purpose));
    let opening = phrases.opening(values);
    let short = phrases.opening(Values {
        noun: phrases.text.other,
        ..values
    });
    let (gap, advice) = (phrases.gap, phrases.text_advice);
    let life = phrases.lifetime(values);
    [
        format!("{opening}{gap}{life}{gap}{advice}"),
        format!("{opening}{gap}{advice}"),
        opening,
        short,
    ]
}

/// Writes the longest wording that fits one segment; else the shortest, which the verifier
/// refuses to start with.
fn text_message(phrases: &Phrases, template: &Template<'_>) -> String {
    let end = last_lines(template);
    let [longest, less, opening, short] = wordings(phrases, template).map(|text| text + &end);
    let fits = |text: &String| {
        let readable = template.brand.app().is_none() || text.len() <= RETRIEVER_BYTES;
        SmsLength::of(text).segments() == 1 && readable
    };
    let fitting = [longest, less, opening].into_iter().find(fits);
    fitting.unwrap_or(short)
}

/// Writes the lines that programs read: the app's hash, then the code bound to its origin, which
/// must be the last.
fn last_lines(template: &Template<'_>) -> String {
    let hash = template.brand.app().map(|hash| format!("\n{hash}"));
    let bound = template.brand.origin().map(|origin| {
        let code = template.code.expose();
        format!("\n@{origin} #{code}")
    });
    let lines = hash.unwrap_or_default() + &bound.unwrap_or_default();
    if lines.is_empty() {
        return lines;
    }
    format!("\n{lines}")
}

#[cfg(test)]
mod tests;
