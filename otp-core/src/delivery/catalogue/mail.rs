use super::phrases::Phrases;
use super::{Rendered, Template};
use crate::delivery::MessageLink;

/// Writes a mail: text and HTML that say the same. Neither loads anything from anywhere, and the
/// subject, which lock screens show, is without the code.
pub(super) fn write(phrases: &Phrases, template: &Template<'_>) -> Rendered {
    let values = phrases.values(template, phrases.mail.of(template.purpose));
    let subject = values.fill(if values.brand.is_empty() {
        phrases.plain_subject
    } else {
        phrases.branded_subject
    });
    let opening = phrases.opening(values);
    let life = phrases.lifetime(values);
    let (gap, advice) = (phrases.gap, phrases.mail_advice);
    let end = template
        .link
        .map_or_else(|| unasked(phrases), |link| linked(phrases, link));
    let html = format!(
        "<!doctype html><html lang=\"{}\" dir=\"{}\"><head><meta charset=\"utf-8\"><title>{title}\
         </title></head><body><p>{title}:</p>\
         <p style=\"font-size:28px;letter-spacing:4px\"><strong dir=\"ltr\">{}</strong></p>\
         <p>{}</p>{}</body></html>",
        phrases.tag,
        phrases.direction,
        escape(values.code),
        escape(&format!("{life}{gap}{advice}")),
        end.html,
        title = escape(&subject),
    );
    Rendered {
        subject: Some(subject),
        text: format!("{opening}\n\n{life}{gap}{advice}\n\n{}\n", end.text),
        html: Some(html),
    }
}

/// How a mail ends, in text and in HTML.
struct End {
    text: String,
    html: String,
}

fn unasked(phrases: &Phrases) -> End {
    End {
        text: phrases.unasked.to_owned(),
        html: format!("<p>{}</p>", escape(phrases.unasked)),
    }
}

/// Ends with the link to sign in, and with one for those who did not ask.
fn linked(phrases: &Phrases, link: &MessageLink) -> End {
    let (open, disown) = (link.open(), link.disown());
    let anchor = |says: &str, address: &str, label: &str| {
        format!(
            "<p>{}</p><p><a rel=\"noreferrer\" href=\"{}\">{}</a></p>",
            escape(says),
            escape(address),
            escape(label),
        )
    };
    End {
        text: format!("{}\n{open}\n\n{}\n{disown}", phrases.link, phrases.disown),
        html: anchor(phrases.link, open, phrases.link_label)
            + &anchor(phrases.disown, disown, phrases.disown_label),
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
