use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use otp_kit::clock::{Clock as _, SystemClock, Timestamp};
use otp_kit::factor::{OtpUri, Totp};
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::{Reply, Server, body_of_request, body_of_verify};

pub(crate) const ENROL: &str = "/api/v1/2fa/totp/enrol";
pub(crate) const CONFIRM: &str = "/api/v1/2fa/totp/confirm";
pub(crate) const SHOW: &str = "/api/v1/2fa/totp/verify";

/// An app that has read what an enrolment shows.
pub(crate) struct Authenticator {
    pub(crate) factor: String,
    totp: Totp,
}

impl Authenticator {
    pub(crate) fn scan(enrolled: &Reply) -> Self {
        let uri = OtpUri::parse(&enrolled.text("otpauth_uri")).unwrap();
        Self {
            factor: enrolled.text("factor_id"),
            totp: uri.as_totp().expect("it goes by the time"),
        }
    }

    /// The code of now, which holds for half a minute at the least.
    pub(crate) fn code(&self) -> String {
        self.code_of(0)
    }

    /// The next code, which holds already: of an app whose clock is half a minute ahead.
    pub(crate) fn next(&self) -> String {
        self.code_of(1)
    }

    /// The code of an app whose clock is so many half minutes off.
    pub(crate) fn code_of(&self, step: i64) -> String {
        let at = SystemClock.now().as_millis() + step * 30_000;
        let code = self.totp.code(Timestamp::from_millis(at));
        code.expose().to_owned()
    }

    /// A code that is right at no time near this one.
    pub(crate) fn wrong(&self) -> String {
        let near: Vec<String> = (-3..20).map(|step| self.code_of(step)).collect();
        let mut made_up = (0..30).map(|number| format!("{number:06}"));
        made_up.find(|code| !near.contains(code)).unwrap()
    }
}

/// What an access token says.
pub(crate) fn claims(tokens: &Reply) -> Value {
    let token = tokens.text("access_token");
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

impl Server {
    /// Signs a phone in, and gives the tokens.
    pub(crate) async fn sign_in(&self, phone: &str) -> Reply {
        let started = self
            .post("/api/auth/otp/request", &body_of_request(phone))
            .await;
        let body = body_of_verify(phone, &started.text("preview_code"));
        let reply = self.post("/api/auth/verify-otp", &body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply
    }

    /// Sends a body as whoever has these tokens.
    pub(crate) async fn post_as(&self, tokens: &Reply, path: &str, body: &Value) -> Reply {
        let bearer = format!("Bearer {}", tokens.text("access_token"));
        let request = self.client.post(self.url(path)).json(body);
        Reply::of(request.header(AUTHORIZATION, bearer)).await
    }

    /// Asks as whoever has these tokens.
    pub(crate) async fn get_as(&self, tokens: &Reply, path: &str) -> Reply {
        let bearer = format!("Bearer {}", tokens.text("access_token"));
        let request = self.client.get(self.url(path));
        Reply::of(request.header(AUTHORIZATION, bearer)).await
    }

    /// Enrols and confirms an authenticator, whose next code is unused. Gives what the
    /// confirmation answered with it.
    pub(crate) async fn authenticator_of(&self, tokens: &Reply) -> (Authenticator, Reply) {
        let enrolled = self.post_as(tokens, ENROL, &json!({})).await;
        assert_eq!(enrolled.status, 200, "{enrolled:?}");
        let phone = Authenticator::scan(&enrolled);
        let body = json!({ "factor_id": phone.factor, "otp": phone.code() });
        let confirmed = self.post_as(tokens, CONFIRM, &body).await;
        assert_eq!(confirmed.status, 200, "{confirmed:?}");
        (phone, confirmed)
    }
}
