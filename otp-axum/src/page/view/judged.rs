//! How everything stands, judged: what the first page shows, and the dashboard answers.

use otp_core::event::{EventKind, Outcome};
use otp_core::operator::Overview;

use super::super::gather::Snapshot;
use super::super::gauge::{DELIVERY, Gauge, LIMIT_HITS, Marks, REPLAYS, SIGNATURES};
use super::findings::{self, Finding, Seen};
use super::standing::{self, Channel, Exempt, Part};

/// Everything that has marks or a state, and what of it needs a look, the worst first.
pub(crate) struct Judged {
    pub(crate) gauges: Vec<Gauge>,
    pub(crate) findings: Vec<Finding>,
    pub(super) engines: Vec<Part>,
    pub(super) channels: Vec<Channel>,
    pub(super) templates: Vec<Part>,
    pub(super) overrides: Vec<Exempt>,
}

impl Judged {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let overview = snapshot.overview.as_ref().ok();
        let gauges = gauges(snapshot, overview);
        let engines = snapshot.status.engines.iter();
        let engines: Vec<_> = engines.map(standing::engine).collect();
        let channels = snapshot.routes.iter();
        let channels: Vec<_> = channels.map(|it| standing::channel(it, snapshot)).collect();
        let templates: Vec<_> = snapshot.templates.iter().map(standing::template).collect();
        let overrides = snapshot.policy.overrides.iter();
        let overrides: Vec<_> = overrides
            .map(|it| standing::exempt(it, snapshot.at))
            .collect();
        let findings = findings::of(
            snapshot,
            &Seen {
                gauges: &gauges,
                engines: &engines,
                channels: &channels,
                templates: &templates,
                overrides: &overrides,
            },
        );
        Self {
            gauges,
            findings,
            engines,
            channels,
            templates,
            overrides,
        }
    }
}

fn gauges(snapshot: &Snapshot, overview: Option<&Overview>) -> Vec<Gauge> {
    let mut gauges = Vec::new();
    if let Some(overview) = overview {
        let of = |kind, outcome| overview.of(kind, outcome);
        let sent = of(EventKind::CodeSent, Outcome::Success);
        let verified = of(EventKind::ValidationAttempt, Outcome::Success);
        let tried = verified.saturating_add(of(EventKind::ValidationAttempt, Outcome::Refused));
        let messages = sent.saturating_add(overview.not_sent());
        let arrived = overview.sent_and_not_failed();
        let (limited, requests) = (overview.limited(), overview.attackers.requests);
        gauges.extend([
            Gauge::new("Delivery", "messages", arrived, messages, DELIVERY),
            Gauge::new("Limit hits", "requests", limited, requests, LIMIT_HITS),
            Gauge::new("Right codes", "tries", verified, tried, Marks::None),
        ]);
    }
    if let Some(webhooks) = snapshot.webhooks {
        let came = webhooks.believed.saturating_add(webhooks.refused);
        gauges.extend([
            Gauge::new(
                "Webhook signatures",
                "webhooks",
                webhooks.believed,
                came,
                SIGNATURES,
            ),
            Gauge::new(
                "Webhook replays",
                "webhooks",
                webhooks.repeated,
                came,
                REPLAYS,
            ),
        ]);
    }
    gauges
}
