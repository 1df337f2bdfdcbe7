use std::fmt;
use std::fmt::Debug;
use std::time::Duration;

use thiserror::Error;

use crate::challenge::Code;
use crate::destination::Channel;
use crate::request::Purpose;

/// A language tag of BCP 47, as the host or the client names it: `en`, `pt-BR`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Locale(String);

/// The text is not a language tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a language tag")]
pub struct InvalidLocale;

impl Locale {
    /// Reads a tag: up to 35 letters, digits and hyphens.
    ///
    /// # Errors
    /// [`InvalidLocale`] otherwise.
    pub fn new(tag: &str) -> Result<Self, InvalidLocale> {
        let fits = (2..=35).contains(&tag.len())
            && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && tag.starts_with(|c: char| c.is_ascii_alphabetic());
        if fits {
            Ok(Self(tag.to_owned()))
        } else {
            Err(InvalidLocale)
        }
    }

    /// Gives the tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Locale {
    fn default() -> Self {
        Self("en".to_owned())
    }
}

/// Who is speaking in a message: the product's name, and the web origin that a code belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    name: String,
    origin: Option<String>,
}

/// Says why a brand was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidBrand {
    /// The name is empty, over 30 characters, or holds control characters.
    #[error("a brand is 1 to 30 visible characters")]
    Name,
    /// The origin is not a bare host name.
    #[error("an origin is a bare host name such as example.com")]
    Origin,
}

impl Brand {
    /// Names the product as messages show it.
    ///
    /// # Errors
    /// [`InvalidBrand::Name`] where it is empty, longer than 30 characters, or holds control
    /// characters.
    pub fn new(name: &str) -> Result<Self, InvalidBrand> {
        let fits = !name.trim().is_empty()
            && name.chars().count() <= 30
            && !name.chars().any(char::is_control);
        if fits {
            Ok(Self {
                name: name.to_owned(),
                origin: None,
            })
        } else {
            Err(InvalidBrand::Name)
        }
    }

    /// Binds codes in text messages to a web origin, so that a browser fills them in there only:
    /// the last line becomes `@host #code` (WICG origin-bound one-time codes).
    ///
    /// # Errors
    /// [`InvalidBrand::Origin`] where `host` is not a bare host name.
    pub fn with_origin(mut self, host: &str) -> Result<Self, InvalidBrand> {
        let fits = (1..=253).contains(&host.len())
            && host.contains('.')
            && host
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-'));
        if fits {
            self.origin = Some(host.to_owned());
            Ok(self)
        } else {
            Err(InvalidBrand::Origin)
        }
    }

    /// Gives the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives the origin, where one is bound.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }
}

impl Default for Brand {
    /// A message without a product's name: `Your code is ...`.
    fn default() -> Self {
        Self {
            name: String::new(),
            origin: None,
        }
    }
}

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

/// Puts a code into words. A host overrides the words by implementing this.
pub trait Catalogue: Debug + Send + Sync + 'static {
    /// Renders the message. The code must be in the text exactly once, plus once in the
    /// origin-bound last line where the brand has an origin.
    fn render(&self, template: &Template<'_>) -> Rendered;
}

/// The words that the library ships, in English.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnglishCatalogue;

impl Catalogue for EnglishCatalogue {
    fn render(&self, template: &Template<'_>) -> Rendered {
        let code = template.code.expose();
        let life = lifetime(template.expires_in);
        let name = template.brand.name();
        let opening = if name.is_empty() {
            format!("{code} is your code.")
        } else {
            format!("{code} is your {name} code.")
        };
        let advice = "Never share it; we will not ask for it.";
        match template.channel {
            Channel::Email => {
                let title = if name.is_empty() {
                    "Your sign-in code".to_owned()
                } else {
                    format!("Your {name} code")
                };
                let html = format!(
                    "<!doctype html><html lang=\"en\"><body><p>{}</p>\
                     <p style=\"font-size:28px;letter-spacing:4px\"><strong>{}</strong></p>\
                     <p>It expires in {life}. {advice}</p></body></html>",
                    escape(&format!("{title}:")),
                    escape(code),
                );
                Rendered {
                    subject: Some(title),
                    text: format!("{opening}\n\nIt expires in {life}. {advice}\n"),
                    html: Some(html),
                }
            }
            _ => {
                let mut text = format!("{opening} It expires in {life}. {advice}");
                if let Some(origin) = template.brand.origin() {
                    text.push_str(&format!("\n\n@{origin} #{code}"));
                }
                Rendered {
                    subject: None,
                    text,
                    html: None,
                }
            }
        }
    }
}

fn lifetime(life: Duration) -> String {
    match life.as_secs().div_ceil(60) {
        0 | 1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::CodeFormat;

    fn rendered(channel: Channel, brand: &Brand) -> Rendered {
        let code = Code::normalise(CodeFormat::SIX_DIGITS, "271828").expect("six digits");
        EnglishCatalogue.render(&Template {
            channel,
            purpose: &Purpose::LOGIN,
            locale: &Locale::default(),
            brand,
            code: &code,
            expires_in: Duration::from_secs(300),
        })
    }

    #[test]
    fn a_text_message_names_code_brand_and_life_in_one_segment() {
        let brand = Brand::new(&"x".repeat(30)).expect("thirty characters");
        let text = rendered(Channel::Sms, &brand).text;
        assert!(text.starts_with("271828 is your x"));
        assert!(text.contains("5 minutes"));
        assert!(
            text.is_ascii() && text.len() <= 160,
            "{} characters",
            text.len()
        );
    }

    #[test]
    fn the_last_line_binds_the_code_to_the_origin() {
        let brand = Brand::default().with_origin("example.com").expect("a host");
        let text = rendered(Channel::Sms, &brand).text;
        assert!(text.ends_with("\n\n@example.com #271828"), "{text}");
    }

    #[test]
    fn a_mail_has_no_code_in_its_subject_and_escapes_the_brand() {
        let brand = Brand::new("A <b> & \"C\"").expect("visible");
        let mail = rendered(Channel::Email, &brand);
        assert!(!mail.subject.unwrap_or_default().contains("271828"));
        let html = mail.html.unwrap_or_default();
        assert!(html.contains("271828") && html.contains("&lt;b&gt;") && !html.contains("<b>"));
    }

    #[test]
    fn brands_and_origins_cannot_break_out_of_a_message() {
        for bad in ["", " ", "a\r\nBcc: x", &"x".repeat(31)] {
            assert!(Brand::new(bad).is_err(), "{bad:?}");
        }
        for bad in [
            "",
            "localhost",
            "https://example.com",
            "example.com/x",
            "EXAMPLE.com",
        ] {
            assert!(Brand::default().with_origin(bad).is_err(), "{bad:?}");
        }
        assert!(Locale::new("pt-BR").is_ok());
        assert!(Locale::new("../etc").is_err());
    }
}
