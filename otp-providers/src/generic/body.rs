use std::collections::BTreeMap;

use otp_core::delivery::Message;
use otp_core::secret::SecretString;
use serde_json::{Map, Number, Value};
use url::form_urlencoded;

use super::template::{Placeholder, Template};
use super::{BodyDescription, InvalidVendor};

const PART: &str = "body";

/// A body whose texts are templates; what is filled in is escaped by the body's own kind.
pub(super) enum Body {
    Json(Node),
    Form(Vec<(String, Template)>),
}

pub(super) enum Node {
    Fixed(Value),
    Text(Template),
    List(Vec<Self>),
    Members(Vec<(String, Self)>),
}

impl Body {
    pub(super) fn parse(
        described: BodyDescription,
        secrets: &BTreeMap<String, SecretString>,
    ) -> Result<Self, InvalidVendor> {
        match described {
            BodyDescription::Json(value) => Ok(Self::Json(Node::parse(value, secrets)?)),
            BodyDescription::Form(fields) => {
                let mut form = Vec::new();
                for (name, text) in fields {
                    form.push((name, Template::parse(PART, &text, secrets)?));
                }
                Ok(Self::Form(form))
            }
        }
    }

    /// Says whether a place is anywhere in the body; the two spellings of the number are one.
    pub(super) fn holds(&self, wanted: Placeholder) -> bool {
        let fits = |template: &Template| {
            template.places().any(|place| {
                place == wanted || (wanted == Placeholder::To && place == Placeholder::ToDigits)
            })
        };
        match self {
            Self::Json(node) => node.any(&fits),
            Self::Form(fields) => fields.iter().any(|(_, template)| fits(template)),
        }
    }

    /// Fills the body; `None` where a text within it needs what the message has not.
    pub(super) fn render(&self, message: &Message) -> Option<(&'static str, Vec<u8>)> {
        match self {
            Self::Json(node) => {
                let value = node.render(message)?.unwrap_or_default();
                Some(("application/json", serde_json::to_vec(&value).ok()?))
            }
            Self::Form(fields) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                for (name, template) in fields {
                    match template.render(message) {
                        Some(text) => {
                            form.append_pair(name, &text);
                        }
                        None if template.only().is_some() => {}
                        None => return None,
                    }
                }
                let body = form.finish().into_bytes();
                Some(("application/x-www-form-urlencoded", body))
            }
        }
    }
}

impl Node {
    fn parse(
        value: Value,
        secrets: &BTreeMap<String, SecretString>,
    ) -> Result<Self, InvalidVendor> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(PART, &text, secrets)?),
            Value::Array(list) => {
                let nodes: Result<Vec<Self>, _> = list
                    .into_iter()
                    .map(|item| Self::parse(item, secrets))
                    .collect();
                Self::List(nodes?)
            }
            Value::Object(members) => {
                let mut nodes = Vec::new();
                for (name, value) in members {
                    nodes.push((name, Self::parse(value, secrets)?));
                }
                Self::Members(nodes)
            }
            fixed => Self::Fixed(fixed),
        })
    }

    fn any(&self, fits: &impl Fn(&Template) -> bool) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Text(template) => fits(template),
            Self::List(nodes) => nodes.iter().any(|node| node.any(fits)),
            Self::Members(nodes) => nodes.iter().any(|(_, node)| node.any(fits)),
        }
    }

    /// Fills the node; `Some(None)` where it is to be left out.
    fn render(&self, message: &Message) -> Option<Option<Value>> {
        Some(match self {
            Self::Fixed(value) => Some(value.clone()),
            Self::Text(template) => match (template.render(message), template.only()) {
                (Some(_), Some(Placeholder::ExpiresIn)) => {
                    Some(Value::Number(Number::from(message.expires_in().as_secs())))
                }
                (Some(text), _) => Some(Value::String(text)),
                (None, Some(_)) => None,
                (None, None) => return None,
            },
            Self::List(nodes) => {
                let items: Option<Vec<Option<Value>>> =
                    nodes.iter().map(|node| node.render(message)).collect();
                Some(Value::Array(items?.into_iter().flatten().collect()))
            }
            Self::Members(nodes) => {
                let mut members = Map::new();
                for (name, node) in nodes {
                    if let Some(value) = node.render(message)? {
                        members.insert(name.clone(), value);
                    }
                }
                Some(Value::Object(members))
            }
        })
    }
}
