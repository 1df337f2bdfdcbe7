//! The first page: how the service is doing.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use otp_core::event::{EventKind, Outcome};
use otp_core::operator::{Count, Overview};
use serde::Serialize;

use super::super::Page;
use super::super::access::Visitor;
use super::super::gather::Snapshot;
use super::super::gauge::{Gauge, Level};
use super::super::render::Shown;
use super::super::when::When;
use super::findings::Finding;
use super::judged::Judged;
use super::standing::{self, Channel, Exempt, Limit, Part};
use super::{Asked, Place, Span, spans};

#[derive(Serialize)]
struct View {
    place: Place,
    at: When,
    spans: Vec<Span>,
    findings: Vec<Finding>,
    level: Level,
    complete: bool,
    gauges: Vec<Gauge>,
    counters: Vec<Counter>,
    refusals: Vec<Refused>,
    engines: Vec<Part>,
    channels: Vec<Channel>,
    templates: Vec<Part>,
    overrides: Vec<Exempt>,
    limits: Vec<Limit>,
    policy_version: u64,
    guard: &'static str,
}

#[derive(Serialize)]
struct Counter {
    name: &'static str,
    value: String,
}

/// A reason, and how often it refused.
#[derive(Serialize)]
struct Refused {
    reason: String,
    count: u64,
    /// Of a hundred, the commonest reason being a hundred.
    share: u64,
}

pub(in super::super) async fn show(
    State(page): State<Arc<Page>>,
    Extension(visitor): Extension<Visitor>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Shown {
    let within = asked.map(|Query(asked)| asked.within).unwrap_or_default();
    let snapshot = page.snapshot(&visitor, within).await;
    page.render("overview.html", Some(&visitor), &View::of(&snapshot))
}

impl View {
    fn of(snapshot: &Snapshot) -> Self {
        let overview = snapshot.overview.as_ref().ok();
        let Judged {
            gauges,
            engines,
            channels,
            templates,
            overrides,
            findings,
        } = Judged::of(snapshot);
        Self {
            place: Place::Overview,
            at: When::of(snapshot.at, snapshot.at),
            spans: spans(snapshot.within),
            level: findings.first().map_or(Level::Ok, |worst| worst.level),
            complete: overview.is_none_or(|overview| overview.attackers.complete),
            counters: overview.map(counters).unwrap_or_default(),
            refusals: overview.map(refusals).unwrap_or_default(),
            limits: standing::limits(snapshot),
            policy_version: snapshot.policy.version,
            guard: snapshot.policy.policy.toll_fraud().mode().name(),
            findings,
            gauges,
            engines,
            channels,
            templates,
            overrides,
        }
    }
}

fn counters(overview: &Overview) -> Vec<Counter> {
    let of = |kind, outcome| overview.of(kind, outcome);
    let number = |name, value: u64| Counter {
        name,
        value: value.to_string(),
    };
    let blocks = match overview.blocks {
        Count::Exactly(all) => all.to_string(),
        Count::AtLeast(many) => format!("{many}+"),
    };
    vec![
        number("Requests", overview.attackers.requests),
        number("Sent", of(EventKind::CodeSent, Outcome::Success)),
        number("Not sent", overview.not_sent()),
        number(
            "Signed in",
            of(EventKind::ValidationAttempt, Outcome::Success),
        ),
        number("Refused", overview.attackers.refused),
        number("Rate limited", overview.limited()),
        number(
            "Locked",
            overview
                .because("locked")
                .saturating_add(overview.because("disabled")),
        ),
        number("Blocked", overview.because("blocked")),
        Counter {
            name: "On the blocklist",
            value: blocks,
        },
    ]
}

fn refusals(overview: &Overview) -> Vec<Refused> {
    let mut refusals: Vec<_> = overview.reasons.iter().collect();
    refusals.sort_by(|(_, one), (_, two)| two.cmp(one));
    let most = refusals.first().map_or(1, |(_, count)| **count);
    let refused = |(reason, count): (&String, &u64)| Refused {
        reason: reason.replace('_', " "),
        count: *count,
        share: count
            .saturating_mul(100)
            .checked_div(most)
            .unwrap_or_default(),
    };
    refusals.into_iter().take(10).map(refused).collect()
}
