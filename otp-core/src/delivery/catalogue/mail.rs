use std::fmt::{self, Write as _};

use super::phrases::Phrases;
use super::{Rendered, Template};
use crate::delivery::MessageLink;

/// Room for a mail whose brand and link are not long, so that it is not copied while it grows.
const TEXT_ROOM: usize = 512;
const HTML_ROOM: usize = 1_024;

/// Writes a mail: text and HTML that say the same. Neither loads anything from anywhere, and the
/// subject, which lock screens show, is without the code.
pub(super) fn write(phrases: &Phrases, template: &Template<'_>) -> Rendered {
    let values = phrases.values(template, phrases.mail.of(template.purpose));
    let subject = values.fill(if values.brand.is_empty() {
        phrases.plain_subject
    } else {
        phrases.branded_subject
    });
    let life = phrases.lifetime(values);
    let (gap, advice) = (phrases.gap, phrases.mail_advice);

    let mut text = String::with_capacity(TEXT_ROOM);
    values.fill_into(&mut text, phrases.opening_words(values));
    text.extend(["\n\n", &life, gap, advice, "\n\n"]);

    let mut html = String::with_capacity(HTML_ROOM);
    // Writing to a string does not fail.
    let _ = write!(
        html,
        "<!doctype html><html lang=\"{}\" dir=\"{}\"><head><meta charset=\"utf-8\"><title>{title}\
         </title></head><body><p>{title}:</p>\
         <p style=\"font-size:28px;letter-spacing:4px\"><strong dir=\"ltr\">{}</strong></p>\
         <p>{}{}{}</p>",
        phrases.tag,
        phrases.direction.as_str(),
        Escaped(values.code),
        Escaped(&life),
        Escaped(gap),
        Escaped(advice),
        title = Escaped(&subject),
    );
    match template.link {
        Some(link) => end_with_links(phrases, link, &mut text, &mut html),
        None => {
            text.push_str(phrases.unasked);
            let _ = write!(html, "<p>{}</p>", Escaped(phrases.unasked));
        }
    }
    text.push('\n');
    html.push_str("</body></html>");
    Rendered {
        subject: Some(subject),
        text,
        html: Some(html),
    }
}

/// Ends with the link to sign in, and with one for those who did not ask.
fn end_with_links(phrases: &Phrases, link: &MessageLink, text: &mut String, html: &mut String) {
    let (open, disown) = (link.open(), link.disown());
    text.extend([phrases.link, "\n", open, "\n\n"]);
    text.extend([phrases.disown, "\n", disown]);
    for (says, address, label) in [
        (phrases.link, open, phrases.link_label),
        (phrases.disown, disown, phrases.disown_label),
    ] {
        let _ = write!(
            html,
            "<p>{}</p><p><a rel=\"noreferrer\" href=\"{}\">{}</a></p>",
            Escaped(says),
            Escaped(address),
            Escaped(label),
        );
    }
}

/// A text as HTML shows it.
struct Escaped<'a>(&'a str);

const ENTITIES: [(char, &str); 5] = [
    ('&', "&amp;"),
    ('<', "&lt;"),
    ('>', "&gt;"),
    ('"', "&quot;"),
    ('\'', "&#39;"),
];

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(ENTITIES.map(|(special, _)| special)) {
            let mut entities = ENTITIES.into_iter();
            let special =
                entities.find_map(|(special, entity)| Some((part.strip_suffix(special)?, entity)));
            let (plain, entity) = special.unwrap_or((part, ""));
            f.write_str(plain)?;
            f.write_str(entity)?;
        }
        Ok(())
    }
}
