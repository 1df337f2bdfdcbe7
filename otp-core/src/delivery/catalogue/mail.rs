use super::phrases::Phrases;
use super::{Rendered, Template};

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
    let (gap, advice, unasked) = (phrases.gap, phrases.mail_advice, phrases.unasked);
    let html = format!(
        "<!doctype html><html lang=\"{}\" dir=\"{}\"><head><meta charset=\"utf-8\"><title>{title}\
         </title></head><body><p>{title}:</p>\
         <p style=\"font-size:28px;letter-spacing:4px\"><strong dir=\"ltr\">{}</strong></p>\
         <p>{}</p><p>{}</p></body></html>",
        phrases.tag,
        phrases.direction,
        escape(values.code),
        escape(&format!("{life}{gap}{advice}")),
        escape(unasked),
        title = escape(&subject),
    );
    Rendered {
        subject: Some(subject),
        text: format!("{opening}\n\n{life}{gap}{advice}\n\n{unasked}\n"),
        html: Some(html),
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
