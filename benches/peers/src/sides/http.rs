//! A whole sign-in through the routes: two requests with JSON in and out, no socket between.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use http_body_util::BodyExt as _;
use otp_axum::openapi::Schema;
use otp_axum::sessions::SessionDoor;
use otp_axum::sign_in::{self, Users};
use otp_axum::{ApiError, Edge, Refusal};
use otp_kit::prelude::{Destination, SubjectId, Tenant};
use otp_kit::store::SqliteStore;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::sign_in::PEOPLE;
use super::unknown;
use crate::service::{Person, Service};
use crate::side::{Outcome, play as side};

pub(super) fn play(who: &str) -> Outcome {
    if who != "ours-sqlite" {
        return unknown(who);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    let store = runtime.block_on(SqliteStore::open(folder.path().join("ours.db")))?;
    let service = Service::on(store)?;
    let door = SessionDoor::new(service.sessions().clone(), Tenant::default());
    let routes = sign_in::routes(service.verifier().clone(), door, Members);
    let routes = Edge::new().around(routes);
    let people = Person::several(PEOPLE)?;
    let mut next = people.iter().cycle();
    side(|count| {
        runtime.block_on(async {
            for person in next.by_ref().take(usize::try_from(count)?) {
                sign_in(&routes, &service, person).await?;
            }
            Ok(())
        })
    })
}

async fn sign_in(routes: &Router, service: &Service, person: &Person) -> Outcome {
    let email = &person.address;
    let begun = post(
        routes,
        person,
        "/api/auth/otp/request",
        json!({ "email": email }),
    )
    .await?;
    let body = json!({
        "email": email,
        "otp": service.code(email)?,
        "challenge_id": begun.get("challenge_id"),
    });
    let welcome = post(routes, person, "/api/auth/verify-otp", body).await?;
    welcome
        .get("access_token")
        .map(drop)
        .ok_or_else(|| "no token came".into())
}

async fn post(routes: &Router, person: &Person, path: &str, body: Value) -> Outcome<Value> {
    let place = SocketAddr::from((person.place, 443));
    let request = Request::post(path)
        .header(CONTENT_TYPE, "application/json")
        .extension(ConnectInfo(place))
        .body(Body::from(body.to_string()))?;
    let answer = routes.clone().oneshot(request).await?;
    let status = answer.status();
    let bytes = answer.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        return Err(format!("{status}: {}", String::from_utf8_lossy(&bytes)).into());
    }
    Ok(serde_json::from_slice(&bytes)?)
}

/// The host's table of users.
#[derive(Clone)]
struct Members;

impl Users for Members {
    type User = String;

    async fn of(&self, proven: &Destination) -> Result<(SubjectId, String), ApiError> {
        let id = format!("user-{}", proven.canonical());
        let subject = SubjectId::new(&id).map_err(|_| Refusal::VERIFY_FAILED)?;
        Ok((subject, id))
    }

    fn schema() -> Schema {
        Schema::text()
    }
}
