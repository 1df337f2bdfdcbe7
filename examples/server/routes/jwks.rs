//! `GET /.well-known/jwks.json`: the public keys by which others check access tokens.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::session::Jwks;

use crate::app::App;

/// How long readers may keep it. A key that is published should wait longer before it signs.
const KEPT: &str = "public, max-age=300";

pub(crate) fn routes() -> Api<Arc<App>> {
    let keys = Schema::list(&Schema::map(&Schema::any()));
    let show = Operation::get("Shows the public keys by which others check access tokens")
        .gives_as(200, Jwks::MEDIA_TYPE, Schema::object([("keys", keys)]));
    Api::new().operation("/.well-known/jwks.json", show, handle)
}

async fn handle(State(app): State<Arc<App>>) -> impl IntoResponse {
    let document = Jwks::of(&app.verifier.keys().snapshot()).to_string();
    let head = [(CONTENT_TYPE, Jwks::MEDIA_TYPE), (CACHE_CONTROL, KEPT)];
    (head, document)
}
