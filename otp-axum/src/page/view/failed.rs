//! Messages that nobody got.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use otp_core::clock::Timestamp;
use otp_core::operator::FailedDelivery;
use serde::Serialize;

use super::super::Page;
use super::super::access::Visitor;
use super::super::deed::Within;
use super::super::render::Shown;
use super::super::trouble::Trouble;
use super::super::when::When;
use super::{Asked, Place, Span, spans};

const SHOWN: usize = 200;
const REASON: &str = "looking at failed messages";

#[derive(Serialize)]
struct View {
    place: Place,
    spans: Vec<Span>,
    within: &'static str,
    failed: Vec<Failed>,
    more: bool,
}

#[derive(Serialize)]
struct Failed {
    to: String,
    user: String,
    purpose: String,
    channel: &'static str,
    provider: String,
    kind: &'static str,
    reason: String,
    at: When,
    resent: Option<When>,
}

pub(in super::super) async fn show(
    State(page): State<Arc<Page>>,
    Extension(visitor): Extension<Visitor>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Shown {
    let within = asked.map(|Query(asked)| asked.within).unwrap_or_default();
    let view = page.failures(&visitor, within).await;
    page.shown(&visitor, "failed.html", view)
}

impl Page {
    async fn failures(&self, visitor: &Visitor, within: Within) -> Result<View, Trouble> {
        let now = self.store_time().await?;
        let window =
            now.saturating_sub(within.length())..now.saturating_add(Duration::from_secs(1));
        let operator = self.operator(visitor, REASON)?;
        let mut found = operator.failed_deliveries(window, SHOWN + 1).await?;
        let more = found.len() > SHOWN;
        found.truncate(SHOWN);
        Ok(View {
            place: Place::Failed,
            spans: spans(within),
            within: within.name(),
            failed: found.into_iter().map(|it| failed(it, now)).collect(),
            more,
        })
    }
}

fn failed(one: FailedDelivery, now: Timestamp) -> Failed {
    Failed {
        user: one.subject.user_id().to_owned(),
        to: one.to,
        purpose: one.purpose.to_string(),
        channel: one.channel.name(),
        provider: one.provider.unwrap_or_default(),
        kind: one.kind.name(),
        reason: one.reason.unwrap_or_default(),
        at: When::of(one.failed_at, now),
        resent: one.resent_at.map(|at| When::of(at, now)),
    }
}
