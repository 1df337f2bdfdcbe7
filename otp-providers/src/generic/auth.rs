use std::collections::BTreeMap;

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue,
    TRANSFER_ENCODING,
};
use otp_core::secret::SecretString;

use super::template::{Placeholder, Template, secret};
use super::{AuthDescription, Header, InvalidVendor};
use crate::config;

/// The transport's own, and the body's.
const TAKEN: [HeaderName; 5] = [
    CONNECTION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    HOST,
    TRANSFER_ENCODING,
];

/// Reads the headers; those that are the same for every message are made now.
pub(super) fn headers(
    described: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<Vec<(HeaderName, Header)>, InvalidVendor> {
    let mut headers = Vec::new();
    for (name, value) in described {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| InvalidVendor::Header)?;
        if TAKEN.contains(&name) {
            return Err(InvalidVendor::Header);
        }
        let template = Template::parse("headers", value, secrets)?;
        if !template.places().all(Placeholder::is_public) {
            return Err(InvalidVendor::Misplaced { part: "headers" });
        }
        let header = match template.fixed() {
            Some(text) => Header::Fixed(sensitive(&text)?),
            None => Header::Each(template),
        };
        headers.push((name, header));
    }
    Ok(headers)
}

/// Makes the `Authorization` header, where one is described.
pub(super) fn authorization(
    described: Option<&AuthDescription>,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<Option<(HeaderName, Header)>, InvalidVendor> {
    let value = match described {
        None => return Ok(None),
        Some(AuthDescription::Bearer(token)) => config::bearer_header(secret(token, secrets)?),
        Some(AuthDescription::Basic { user, password }) => {
            config::basic_header(secret(user, secrets)?.expose(), secret(password, secrets)?)
        }
    };
    let value = value.map_err(|_| InvalidVendor::Header)?;
    Ok(Some((AUTHORIZATION, Header::Fixed(value))))
}

fn sensitive(text: &SecretString) -> Result<HeaderValue, InvalidVendor> {
    config::secret_header(text).map_err(|_| InvalidVendor::Header)
}
