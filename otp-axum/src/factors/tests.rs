//! The routers of factors, each alone in the app of a host.

mod manage;
mod repeats;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use otp_core::clock::{Clock as _, Timestamp};
use otp_core::destination::Destination;
use otp_core::factor::{OtpAccount, OtpUri, Totp};
use otp_core::prelude::*;
use otp_core::session::{Methods, Session, SessionRules, Sessions, SignIn};
use otp_core::testing::session::ReferenceSessions;
use otp_core::testing::store::ReferenceStore;
use otp_core::testing::{ManualClock, Outbox};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Owners, Reached};
use crate::openapi::Schema;
use crate::sessions::SessionDoor;
use crate::sign_in::Shown;
use crate::{ApiError, Edge, Refusal};

const ENROL: &str = "/api/v1/2fa/totp/enrol";
const CONFIRM: &str = "/api/v1/2fa/totp/confirm";
const SHOW: &str = "/api/v1/2fa/totp/verify";
const CODES: &str = "/api/v1/2fa/recovery-codes";
const SEND: &str = "/api/auth/mfa/send-code";
const PHONE: &str = "+14155550123";
const VERIFY: &str = "/api/auth/mfa/verify";

/// A host that has its own users, sessions of the library, and a tenant that is not the default.
struct Host {
    verifier: Verifier,
    sessions: Sessions,
    clock: ManualClock,
    outbox: Outbox,
}

/// A phone that holds somebody's authenticator.
struct Phone {
    factor: String,
    app: Totp,
    /// The session that it was confirmed in.
    session: String,
    recovery: Vec<String>,
}

#[derive(Clone)]
struct Members(Outbox);

impl Owners for Members {
    type User = String;

    async fn user(&self, session: &Session) -> Result<String, ApiError> {
        Ok(session.subject().to_string())
    }

    fn account(&self, user: &String) -> Result<OtpAccount, ApiError> {
        OtpAccount::new("Acme Co", user).map_err(|_| Refusal::CHANNEL_UNAVAILABLE.into())
    }

    fn user_schema() -> Schema {
        Schema::text()
    }
}

impl Reached for Members {
    async fn address(
        &self,
        _session: &Session,
        channel: Channel,
    ) -> Result<Option<Destination>, ApiError> {
        let phone = PhoneNumber::parse(PHONE).ok();
        Ok(phone.filter(|_| channel == Channel::Sms).map(Into::into))
    }

    fn message(&self, _issued: &Issued) -> Shown {
        let phone = PhoneNumber::parse(PHONE).unwrap().into();
        let code = self.0.last_code_for(&phone);
        Shown {
            code: code.map(|code| code.expose().to_owned()),
            link: None,
        }
    }
}

fn host() -> Host {
    let clock = ManualClock::new(Timestamp::from_millis(1_700_000_000_000));
    let store = ReferenceStore::new(Arc::new(clock.clone()));
    let keys = KeyRing::generate(&OsRandom).unwrap();
    let outbox = Outbox::new();
    let verifier = Verifier::builder(store, keys.clone())
        .route(Channel::Sms, Route::primary(outbox.clone()))
        .limits(Limits::recommended())
        .hasher(CodeHasher::keyed())
        .clock(clock.clone())
        .build()
        .unwrap();
    let kept = Arc::new(ReferenceSessions::new(Arc::new(clock.clone())));
    let rules = SessionRules::new("acme").unwrap();
    let sessions = Sessions::new(kept, keys, rules).clock(clock.clone());
    Host {
        verifier,
        sessions,
        clock,
        outbox,
    }
}

impl Host {
    fn door(&self, tenant: &str) -> SessionDoor {
        SessionDoor::new(self.sessions.clone(), Tenant::new(tenant).unwrap())
    }

    /// The app of the host that serves this tenant: these routers alone.
    fn factors(&self, tenant: &str) -> Router {
        let members = Members(self.outbox.clone());
        let routes = super::routes(self.verifier.clone(), self.door(tenant), members);
        Edge::new().around(routes.described("Acme", "1.0.0"))
    }

    fn addresses(&self, tenant: &str) -> Router {
        let members = Members(self.outbox.clone());
        let routes = super::addresses(self.verifier.clone(), self.door(tenant), members);
        Edge::new().around(routes.described("Acme", "1.0.0"))
    }

    /// Signs somebody in by what the host knows, and gives the access token.
    async fn signed_in(&self, tenant: &str, subject: &str) -> String {
        let (tenant, subject) = (
            Tenant::new(tenant).unwrap(),
            SubjectId::new(subject).unwrap(),
        );
        let methods = Methods::new(["pwd"]).unwrap();
        let now = self.clock.now();
        let proof = SignIn::by_host(&tenant, &subject, methods, now, &OsRandom).unwrap();
        let started = self.sessions.start(proof, &RequestContext::new()).await;
        started.unwrap().access.expose().to_owned()
    }

    /// Enrols an authenticator and confirms it.
    async fn enrolled(&self, app: &Router, token: &str) -> Phone {
        let (status, enrolled) = post(app, ENROL, token, json!({})).await;
        assert_eq!(status, StatusCode::OK, "{enrolled}");
        let totp = scan(&enrolled);
        let first = json!({ "otp": self.code(&totp, 0) });
        let (status, confirmed) = post(app, CONFIRM, token, first).await;
        assert_eq!(status, StatusCode::OK, "{confirmed}");
        Phone {
            factor: enrolled["factor_id"].as_str().unwrap().to_owned(),
            app: totp,
            session: confirmed["access_token"].as_str().unwrap().to_owned(),
            recovery: serde_json::from_value(confirmed["recovery_codes"].clone()).unwrap(),
        }
    }

    /// The code that an app shows so many periods from now.
    fn code(&self, app: &Totp, periods: i64) -> String {
        let at = self.clock.now().as_millis() + periods * 30_000;
        app.code(Timestamp::from_millis(at)).expose().to_owned()
    }
}

async fn ask(
    app: &Router,
    method: Method,
    path: &str,
    token: &str,
    body: Value,
) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    let request = request.header(CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_string())).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

async fn post(app: &Router, path: &str, token: &str, body: Value) -> (StatusCode, Value) {
    ask(app, Method::POST, path, token, body).await
}

fn scan(enrolled: &Value) -> Totp {
    let uri = OtpUri::parse(enrolled["otpauth_uri"].as_str().unwrap()).unwrap();
    uri.as_totp().unwrap()
}

#[tokio::test]
async fn alone_the_router_enrols_confirms_and_takes_codes_of_the_tenant_that_it_serves() {
    let host = host();
    let (acme, other) = (host.factors("acme"), host.factors("other"));
    let ann = host.signed_in("acme", "ann").await;
    let namesake = host.signed_in("other", "ann").await;
    let (status, enrolled) = post(&acme, ENROL, &ann, json!({ "name": "phone" })).await;
    assert_eq!(status, StatusCode::OK, "{enrolled}");
    assert!(enrolled["otpauth_uri"].as_str().unwrap().contains("Acme"));
    let app = scan(&enrolled);

    let first = json!({ "otp": host.code(&app, 0), "factor_id": enrolled["factor_id"] });
    let (status, refused) = post(&other, CONFIRM, &namesake, first.clone()).await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_otp"))
    );
    let (status, confirmed) = post(&acme, CONFIRM, &ann, first).await;
    assert_eq!(status, StatusCode::OK, "{confirmed}");
    assert_eq!(confirmed["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(confirmed["user"], "ann");

    let next = json!({ "otp": host.code(&app, 1) });
    let (status, refused) = post(&other, SHOW, &namesake, next.clone()).await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_otp"))
    );
    let (status, shown) = post(&acme, SHOW, &ann, next).await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    let stronger = shown["access_token"].as_str().unwrap();
    let tenant = Tenant::new("acme").unwrap();
    let checked = host.sessions.check(stronger, &tenant).await.unwrap();
    let methods: Vec<&str> = checked.methods().names().collect();
    assert_eq!(methods, ["pwd", "otp", "mfa"]);

    let code = json!({ "recovery_code": confirmed["recovery_codes"][0] });
    let (status, refused) = post(&other, SHOW, &namesake, code.clone()).await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_otp"))
    );
    assert_eq!(post(&acme, SHOW, &ann, code).await.0, StatusCode::OK);
    let (status, renewed) = post(&acme, CODES, stronger, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{renewed}");
}

#[tokio::test]
async fn alone_the_router_of_addresses_sends_a_code_and_takes_it_for_the_tenant_that_it_serves() {
    let host = host();
    let (acme, other) = (host.addresses("acme"), host.addresses("other"));
    let ann = host.signed_in("acme", "ann").await;
    let namesake = host.signed_in("other", "ann").await;
    let (status, nowhere) = post(&acme, SEND, &ann, json!({ "channel": "email" })).await;
    assert_eq!(
        (status, &nowhere["code"]),
        (StatusCode::BAD_REQUEST, &json!("channel_unavailable"))
    );
    let (status, sent) = post(&acme, SEND, &ann, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{sent}");
    let named = json!({ "otp": sent["preview_code"], "challenge_id": sent["challenge_id"] });
    let newest = json!({ "otp": sent["preview_code"] });
    for body in [&named, &newest] {
        let (status, refused) = post(&other, VERIFY, &namesake, body.clone()).await;
        assert_eq!(
            (status, &refused["code"]),
            (StatusCode::BAD_REQUEST, &json!("invalid_otp"))
        );
    }
    let bob = host.signed_in("acme", "bob").await;
    let (status, _) = post(&acme, VERIFY, &bob, named).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "another account's");
    let (status, verified) = post(&acme, VERIFY, &ann, newest).await;
    assert_eq!(status, StatusCode::OK, "{verified}");
    assert_eq!(verified["user"], "ann");
}

#[tokio::test]
async fn every_route_asks_who_is_signed_in_and_a_token_of_another_tenant_is_none() {
    let host = host();
    let (factors, addresses) = (host.factors("acme"), host.addresses("acme"));
    let elsewhere = host.signed_in("other", "ann").await;
    for app in [&factors, &addresses] {
        let (_, document) = ask(app, Method::GET, "/openapi.json", "", json!(null)).await;
        let paths = document["paths"].as_object().unwrap();
        let mut asked = 0;
        for (path, methods) in paths.iter().filter(|(path, _)| *path != "/openapi.json") {
            for method in methods.as_object().unwrap().keys() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                for token in ["", "x.y.z", &elsewhere] {
                    let (status, said) = ask(app, method.clone(), path, token, json!({})).await;
                    assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} {said}");
                }
                asked += 1;
            }
        }
        assert!(asked >= 2, "{paths:?}");
    }
}
