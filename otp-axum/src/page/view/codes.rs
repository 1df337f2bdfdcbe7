//! Live codes, to be revoked.

use std::sync::Arc;

use axum::extract::{Extension, State};
use otp_core::destination::Channel;
use serde::Serialize;

use super::super::Page;
use super::super::access::Visitor;
use super::super::render::Shown;
use super::Place;

#[derive(Serialize)]
struct View {
    place: Place,
    channels: Vec<&'static str>,
}

pub(in super::super) async fn show(
    State(page): State<Arc<Page>>,
    Extension(visitor): Extension<Visitor>,
) -> Shown {
    let view = View {
        place: Place::Codes,
        channels: Channel::ALL.into_iter().map(Channel::name).collect(),
    };
    page.render("codes.html", Some(&visitor), &view)
}
