use http::header::HeaderName;
use otp_core::delivery::{DeliveryErrorKind, DispatchCertainty};
use serde_json::Value;

use super::{ErrorRule, InvalidVendor, ReferenceDescription, ReplyMatch};
use crate::Classified;
use crate::http::HttpResponse;

/// How a vendor's replies are read.
pub(super) struct Reading {
    accepted: Vec<u16>,
    accepted_when: Option<Place>,
    reference: Option<Reference>,
    rules: Vec<Rule>,
}

enum Reference {
    Pointer(String),
    Header(HeaderName),
}

/// A place in a reply and what may be there.
struct Place {
    pointer: String,
    equals: Vec<String>,
}

struct Rule {
    status: Option<u16>,
    place: Option<Place>,
    kind: DeliveryErrorKind,
    certainty: Option<DispatchCertainty>,
}

impl Reading {
    pub(super) fn parse(
        accepted: Vec<u16>,
        accepted_when: Option<ReplyMatch>,
        reference: Option<ReferenceDescription>,
        errors: Vec<ErrorRule>,
    ) -> Result<Self, InvalidVendor> {
        if accepted.is_empty() || !accepted.iter().all(|status| (200..=299).contains(status)) {
            return Err(InvalidVendor::Accepted);
        }
        let accepted_when = accepted_when.map(|place| Place::parse(place.pointer, place.equals));
        let reference = reference.map(|reference| match reference {
            ReferenceDescription::Pointer(pointer) => Ok(Reference::Pointer(checked(pointer)?)),
            ReferenceDescription::Header(name) => HeaderName::from_bytes(name.as_bytes())
                .map(Reference::Header)
                .map_err(|_| InvalidVendor::Header),
        });
        let rules: Result<Vec<Rule>, _> = errors.into_iter().map(Rule::parse).collect();
        Ok(Self {
            accepted,
            accepted_when: accepted_when.transpose()?,
            reference: reference.transpose()?,
            rules: rules?,
        })
    }

    /// Reads an acceptance with the vendor's id of the message, where one is described, or what a
    /// refusal means.
    pub(super) fn accepts(&self, reply: &HttpResponse) -> Result<Option<String>, Classified> {
        let status = reply.status().as_u16();
        let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
        let said = self.accepted_when.as_ref();
        let accepted = self.accepted.contains(&status)
            && said.is_none_or(|place| place.found(&body).is_some());
        if !accepted {
            return Err(self.refused(status, &body));
        }
        let found = match &self.reference {
            None => return Ok(None),
            Some(Reference::Pointer(pointer)) => body.pointer(pointer).and_then(written),
            Some(Reference::Header(name)) => {
                let header = reply.headers().get(name);
                header.and_then(|id| id.to_str().ok()).map(str::to_owned)
            }
        };
        // An acceptance without its id is none that the vendor documents.
        found.map(Some).ok_or_else(|| Classified {
            kind: DeliveryErrorKind::Protocol,
            certainty: DispatchCertainty::Unknown,
            code: status.to_string(),
        })
    }

    fn refused(&self, status: u16, body: &Value) -> Classified {
        let read = Classified::by_status(status);
        for rule in &self.rules {
            let code = match &rule.place {
                None => Some(read.code.as_str()),
                Some(place) => place.found(body),
            };
            let code = code.filter(|_| rule.status.is_none_or(|wanted| wanted == status));
            if let Some(code) = code {
                return Classified {
                    kind: rule.kind,
                    certainty: rule.certainty.unwrap_or(read.certainty),
                    code: code.to_owned(),
                };
            }
        }
        read
    }
}

impl Rule {
    fn parse(rule: ErrorRule) -> Result<Self, InvalidVendor> {
        let place = rule
            .pointer
            .map(|pointer| Place::parse(pointer, rule.equals));
        Ok(Self {
            status: rule.status,
            place: place.transpose()?,
            kind: rule.kind.into(),
            certainty: rule.certainty.map(DispatchCertainty::from),
        })
    }
}

impl Place {
    fn parse(pointer: String, equals: Vec<String>) -> Result<Self, InvalidVendor> {
        if equals.is_empty() {
            return Err(InvalidVendor::Pointer);
        }
        let pointer = checked(pointer)?;
        Ok(Self { pointer, equals })
    }

    /// Gives the described value that is there: never the reply's own text.
    fn found(&self, body: &Value) -> Option<&str> {
        let there = written(body.pointer(&self.pointer)?)?;
        let found = self.equals.iter().find(|wanted| **wanted == there);
        found.map(String::as_str)
    }
}

fn checked(pointer: String) -> Result<String, InvalidVendor> {
    if pointer.is_empty() || pointer.starts_with('/') {
        Ok(pointer)
    } else {
        Err(InvalidVendor::Pointer)
    }
}

fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
