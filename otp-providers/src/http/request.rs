use std::fmt;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::Endpoint;

/// A request to a vendor. `Debug` shows its method and the names of its headers only: the rest
/// holds the code, the address and the credential.
#[derive(Clone)]
pub struct HttpRequest {
    method: Method,
    endpoint: Endpoint,
    headers: HeaderMap,
    body: Bytes,
}

impl HttpRequest {
    /// Makes a POST with a body.
    #[must_use]
    pub fn post(endpoint: Endpoint, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            method: Method::POST,
            endpoint,
            headers,
            body: body.into(),
        }
    }

    /// Makes a GET.
    #[must_use]
    pub fn get(endpoint: Endpoint) -> Self {
        Self {
            method: Method::GET,
            endpoint,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// Sets a header in place of any of its name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Gives the method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Gives the full address.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.endpoint.as_url()
    }

    /// Gives the headers, the credential included.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Gives the body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;
    use crate::http::BaseUrl;

    #[test]
    fn debug_shows_neither_address_nor_credential_nor_body() {
        let endpoint = BaseUrl::parse("https://canary.example.com")
            .expect("a base")
            .endpoint(&["canary"]);
        let request = HttpRequest::post(endpoint, "text/plain", "canary")
            .with_header(AUTHORIZATION, HeaderValue::from_static("Bearer canary"));
        let shown = format!("{request:?} {request:#?}");
        assert!(
            shown.contains("POST") && shown.contains("authorization"),
            "{shown}"
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
}
