use reqwest::RequestBuilder;
use reqwest::header::{DATE, HeaderMap};
use serde_json::{Value, json};

/// A client that goes nowhere but where it is sent.
pub(crate) fn client() -> reqwest::Client {
    // The first caller decides for the process; all decide the same.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// An answer, read whole.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let mut headers = response.headers().clone();
        headers.remove(DATE);
        headers.remove("x-request-id");
        Self {
            status: response.status().as_u16(),
            headers,
            body: response.text().await.unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn text(&self, member: &str) -> String {
        let json = self.json();
        let text = json[member].as_str();
        text.unwrap_or_else(|| panic!("no {member} in {self:?}"))
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks status, sentence and code of an error, and that there is nothing else in it.
    #[track_caller]
    pub(crate) fn is_error(&self, status: u16, code: &str, detail: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json(), json!({ "detail": detail, "code": code }));
        assert_eq!(self.header("content-type"), Some("application/json"));
    }
}

pub(crate) fn body_of_request(phone: &str) -> Value {
    json!({ "phone": phone })
}

pub(crate) fn body_of_verify(phone: &str, otp: &str) -> Value {
    json!({ "phone": phone, "otp": otp })
}
