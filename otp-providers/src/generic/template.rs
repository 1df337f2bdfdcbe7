use std::collections::BTreeMap;

use otp_core::delivery::Message;
use otp_core::secret::SecretString;

use super::InvalidVendor;

/// A text with places that each message fills.
pub(super) struct Template(Vec<Part>);

enum Part {
    Text(String),
    Secret(SecretString),
    Place(Placeholder),
}

/// What a message fills in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholder {
    To,
    ToDigits,
    Text,
    Html,
    Subject,
    Code,
    Id,
    Locale,
    ExpiresIn,
    Sender,
    Template,
}

impl Placeholder {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "to" => Self::To,
            "to_digits" => Self::ToDigits,
            "text" => Self::Text,
            "html" => Self::Html,
            "subject" => Self::Subject,
            "code" => Self::Code,
            "id" => Self::Id,
            "locale" => Self::Locale,
            "expires_in" => Self::ExpiresIn,
            "sender" => Self::Sender,
            "template" => Self::Template,
            _ => return None,
        })
    }

    /// Paths and headers are logged on the way; what is the person's is not put there.
    pub(super) const fn is_public(self) -> bool {
        matches!(self, Self::Id | Self::Locale)
    }

    fn value(self, message: &Message) -> Option<String> {
        let to = message.destination().expose();
        Some(match self {
            Self::To => to.to_owned(),
            Self::ToDigits => to.strip_prefix('+').unwrap_or(to).to_owned(),
            Self::Text => message.text().to_owned(),
            Self::Html => message.html()?.to_owned(),
            Self::Subject => message.subject()?.to_owned(),
            Self::Code => message.code().expose().to_owned(),
            Self::Id => message.id().as_str().to_owned(),
            Self::Locale => message.locale().as_str().to_owned(),
            Self::ExpiresIn => message.expires_in().as_secs().to_string(),
            Self::Sender => message.sender()?.as_str().to_owned(),
            Self::Template => message.template()?.as_str().to_owned(),
        })
    }
}

impl Template {
    /// Reads a template: `{name}` is a place, `{{` and `}}` are braces. Secrets are filled in now.
    pub(super) fn parse(
        part: &'static str,
        text: &str,
        secrets: &BTreeMap<String, SecretString>,
    ) -> Result<Self, InvalidVendor> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                plain.push('}');
                rest = after;
            } else {
                let inside = from.strip_prefix('{').and_then(|from| from.split_once('}'));
                let (name, after) = inside.ok_or(InvalidVendor::Template { part })?;
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(place(part, name, secrets)?);
                rest = after;
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// Fills the places; `None` where the message has no value for one.
    pub(super) fn render(&self, message: &Message) -> Option<String> {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Secret(secret) => Some(secret.expose().to_owned()),
            Part::Place(place) => place.value(message),
        });
        parts.collect()
    }

    /// Gives the text of a template that is the same for every message.
    pub(super) fn fixed(&self) -> Option<SecretString> {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Secret(secret) => Some(secret.expose()),
            Part::Place(_) => None,
        });
        parts.collect::<Option<String>>().map(SecretString::new)
    }

    /// Gives the place that the template is nothing but.
    pub(super) fn only(&self) -> Option<Placeholder> {
        match self.0.as_slice() {
            [Part::Place(place)] => Some(*place),
            _ => None,
        }
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Placeholder> {
        self.0.iter().filter_map(|part| match part {
            Part::Place(place) => Some(*place),
            _ => None,
        })
    }
}

fn place(
    part: &'static str,
    name: &str,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<Part, InvalidVendor> {
    if let Some(name) = name.strip_prefix("secret:") {
        return secret(name, secrets).map(|secret| Part::Secret(secret.clone()));
    }
    let place = Placeholder::named(name).ok_or(InvalidVendor::Template { part })?;
    Ok(Part::Place(place))
}

/// Finds a secret that the host gave.
pub(super) fn secret<'a>(
    name: &str,
    secrets: &'a BTreeMap<String, SecretString>,
) -> Result<&'a SecretString, InvalidVendor> {
    secrets
        .get(name)
        .ok_or_else(|| InvalidVendor::SecretMissing {
            name: name.to_owned(),
        })
}

/// Reads a path, one template a segment; what is filled in is percent-encoded later, so that it
/// stays within its segment.
pub(super) fn path(
    text: &str,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<Vec<Template>, InvalidVendor> {
    let segments = text.strip_prefix('/').ok_or(InvalidVendor::Path)?;
    let mut path = Vec::new();
    for segment in segments.split('/') {
        if segment.contains(['?', '#', '\\', '%']) || matches!(segment, "." | "..") {
            return Err(InvalidVendor::Path);
        }
        let segment = Template::parse("path", segment, secrets)?;
        if !segment.places().all(Placeholder::is_public) {
            return Err(InvalidVendor::Misplaced { part: "path" });
        }
        path.push(segment);
    }
    Ok(path)
}
