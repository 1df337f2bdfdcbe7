//! What operators watch, as numbers: counts and times of everything that the events tell, and the
//! state of every part, written as Prometheus reads it.
//!
//! [`Metrics`] is an [`Observer`]. It is a registry of its own: the numbers that a runbook names
//! are then the same for every host, and their labels are bounded here, once. A host that has a
//! registry already implements [`Observer`] and takes [`Measure`] itself.
//!
//! | family | labels | what it says |
//! |---|---|---|
//! | `otp_events_total` | `event`, `action`, `outcome` | every decision, by the names of the audit log |
//! | `otp_refusals_total` | `operation`, `reason` | what was refused, and why: quotas, locks, blocks |
//! | `otp_call_seconds` | `operation`, `answer` | how long starts, resends, checks and changes of factors took (histogram) |
//! | `otp_messages_total` | `channel`, `provider`, `outcome` | messages that providers took or did not |
//! | `otp_country_messages_total` | `channel`, `country`, `outcome` | the same by country |
//! | `otp_tenant_messages_total` | `tenant`, `outcome` | the same by the tenants that are named |
//! | `otp_route_seconds` | `channel` | how long messages took along their route (histogram) |
//! | `otp_receipts_total` | `channel`, `provider`, `state` | what vendors reported of messages |
//! | `otp_toll_fraud_total` | `verdict` | what the toll-fraud guard had something against |
//! | `otp_webhooks_total` | `vendor`, `result` | vendors' reports, by their signature and replay |
//! | `otp_http_requests_total` | `route`, `method`, `status` | the host's requests |
//! | `otp_http_request_seconds` | `route` | how long they took (histogram) |
//! | `otp_provider_seconds` | `channel`, `provider` | how long providers took to answer (histogram) |
//! | `otp_provider_answers_total` | `channel`, `provider`, `answer` | accepted, failed, unknown, refused, passed over |
//! | `otp_breaker_open` | `channel`, `provider` | 1 while a provider is left alone |
//! | `otp_channel_up` | `channel` | 1 while its first provider takes messages, 0 otherwise |
//! | `otp_channel_state` | `channel`, `state` | 1 for the state that it is in: up, degraded (a backup serves), down, off |
//! | `otp_template_approved` | `channel` | 1 while its template is |
//! | `otp_store_up` | `engine`, `duty`, `condition` | 1 for the condition that an engine is in |
//! | `db_connections` | `engine`, `state` | connections of a pool: open, idle, in use, the most there may be |
//! | `otp_hash_pool_places` | `state` | places of the hashing pool: taken, running at the most, in all |
//! | `otp_messages_in_flight` | | messages on their way to a provider |
//! | `otp_overrides_active` | `kind` | overrides of the policy that hold |
//! | `otp_policy_version` | | the version of the policy in force |
//! | `otp_fleet_alarm` | | 1 while codes are guessed at many accounts |
//! | `otp_build_info` | `version` | always 1 |

mod family;
mod label;
mod page;
mod parts;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use family::{Counters, Spreads};
use label::OTHER;
use page::Page;

use crate::event::{Event, EventKind, Measure, Observer, Outcome};
use crate::request::{Operation, Tenant};
use crate::store::Connections;
use crate::verifier::Verifier;

/// There are no more countries than that.
const COUNTRIES: usize = 260;

/// What became of a vendor's report, before anything of it was believed and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Webhook {
    /// Its signature was right, and it was new.
    Accepted,
    /// Its signature was right, and it had come before.
    Repeated,
    /// It was not signed, or not by the vendor, or too long ago.
    BadSignature,
    /// It was no report.
    Malformed,
    /// It could not be checked or noted; the vendor sends it again.
    Unavailable,
}

impl Webhook {
    /// Names the result, as the label has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Repeated => "repeated",
            Self::BadSignature => "bad_signature",
            Self::Malformed => "malformed",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Counts what happens, and writes it as Prometheus reads it.
///
/// Clones are one registry: hand one to [`observer`](crate::verifier::VerifierBuilder::observer),
/// keep another to answer `/metrics` with.
///
/// Every label has a bounded number of values and every family a bounded number of series; what
/// comes beyond is counted under `other`. No value is a number, a code, an address or an id of
/// anybody's: what looks like one is `other` too. Counts are this process's, from its start.
///
/// # Examples
/// ```
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use otp_core::testing::{Outbox, store::ReferenceStore};
/// # let store = ReferenceStore::new(std::sync::Arc::new(otp_core::clock::SystemClock));
/// # let outbox = Outbox::new();
/// use otp_core::metrics::Metrics;
/// use otp_core::prelude::*;
///
/// let metrics = Metrics::new();
/// let verifier = Verifier::builder(store, KeyRing::generate(&OsRandom)?)
///     .route(Channel::Sms, Route::primary(outbox))
///     .limits(Limits::recommended())
///     .observer(metrics.clone())
///     .build()?;
///
/// let phone = PhoneNumber::parse("+14155550123")?;
/// verifier.issue(Issue::to(phone).for_purpose("login")).await?;
/// let text = metrics.text(&verifier).await;
/// assert!(text.contains("otp_country_messages_total{channel=\"sms\",country=\"US\",outcome=\"success\"} 1"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Registry>);

#[derive(Debug)]
struct Registry {
    tenants: Vec<Tenant>,
    pools: Mutex<Vec<Pool>>,
    events: Counters<3>,
    refusals: Counters<2>,
    calls: Spreads<2>,
    messages: Counters<3>,
    countries: Counters<3>,
    by_tenant: Counters<2>,
    routes: Spreads<1>,
    receipts: Counters<3>,
    toll_fraud: Counters<1>,
    webhooks: Counters<2>,
    requests: Counters<3>,
    request_times: Spreads<1>,
}

/// Where the figures of a pool are read.
struct Pool {
    engine: &'static str,
    read: Box<dyn Fn() -> Connections + Send + Sync>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

impl Metrics {
    /// The type of the text, for the `Content-Type` field.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";
    /// The most tenants that are counted by their names.
    pub const TENANTS: usize = 100;

    /// Counts all tenants together.
    #[must_use]
    pub fn new() -> Self {
        Self::for_tenants([])
    }

    /// Counts the messages of these tenants by their names as well, of the first
    /// [`TENANTS`](Self::TENANTS) at the most; all others are `other`.
    #[must_use]
    pub fn for_tenants(tenants: impl IntoIterator<Item = Tenant>) -> Self {
        Self(Arc::new(Registry::new(
            tenants.into_iter().take(Self::TENANTS).collect(),
        )))
    }

    /// Shows the connections of a pool too, as `db_connections`. `read` is called for each text
    /// and must return at once.
    pub fn watch_pool(
        &self,
        engine: &'static str,
        read: impl Fn() -> Connections + Send + Sync + 'static,
    ) {
        let mut pools = self.0.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.push(Pool {
            engine,
            read: Box::new(read),
        });
    }

    /// Counts a report of a vendor's; call it where webhooks are received.
    pub fn webhook(&self, vendor: &str, result: Webhook) {
        self.0.webhooks.count([vendor, result.name()]);
    }

    /// Sums the reports with a result, of all vendors.
    #[must_use]
    pub fn webhooks(&self, result: Webhook) -> u64 {
        self.0.webhooks.sum(1, result.name())
    }

    /// Counts a request of the host's. `route` is the pattern that matched, never the path: what
    /// holds anybody's number is `other`.
    pub fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        let status = status.to_string();
        self.0.requests.count([route, method, &status]);
        self.0.request_times.add([route], took);
    }

    /// Writes everything, with the state that the verifier's parts are in now. It asks each engine
    /// of the store for a sign of life, and never fails: what is wrong is in the text.
    pub async fn text(&self, verifier: &Verifier) -> String {
        let status = verifier.status().await;
        let mut page = Page::default();
        self.0.write(&mut page);
        parts::write(&mut page, verifier, &status);
        let pools = self.0.pools.lock().unwrap_or_else(PoisonError::into_inner);
        parts::write_pools(
            &mut page,
            pools.iter().map(|pool| (pool.engine, (pool.read)())),
        );
        page.into_text()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Metrics {
    fn observe(&self, event: &Event) {
        self.0.event(event);
    }

    fn measure(&self, measure: &Measure<'_>) {
        self.0.measure(measure);
    }
}

impl Registry {
    fn new(tenants: Vec<Tenant>) -> Self {
        Self {
            by_tenant: Counters::up_to(
                Metrics::TENANTS,
                "otp_tenant_messages_total",
                ["tenant", "outcome"],
                "Messages of the tenants that are named.",
            ),
            tenants,
            pools: Mutex::default(),
            events: Counters::new(
                "otp_events_total",
                ["event", "action", "outcome"],
                "Decisions, by the names of the audit log.",
            ),
            refusals: Counters::new(
                "otp_refusals_total",
                ["operation", "reason"],
                "Starts, resends and checks that were refused, and why.",
            ),
            calls: Spreads::new(
                "otp_call_seconds",
                ["operation", "answer"],
                "How long starts, resends and checks took.",
            ),
            messages: Counters::new(
                "otp_messages_total",
                ["channel", "provider", "outcome"],
                "Messages that a provider took, or that none took.",
            ),
            countries: Counters::up_to(
                COUNTRIES,
                "otp_country_messages_total",
                ["channel", "country", "outcome"],
                "Messages by the country of their number.",
            ),
            routes: Spreads::new(
                "otp_route_seconds",
                ["channel"],
                "How long messages took along their route.",
            ),
            receipts: Counters::new(
                "otp_receipts_total",
                ["channel", "provider", "state"],
                "What vendors reported of messages.",
            ),
            toll_fraud: Counters::new(
                "otp_toll_fraud_total",
                ["verdict"],
                "Messages that the toll-fraud guard had something against.",
            ),
            webhooks: Counters::new(
                "otp_webhooks_total",
                ["vendor", "result"],
                "Reports of vendors.",
            ),
            requests: Counters::new(
                "otp_http_requests_total",
                ["route", "method", "status"],
                "Requests that were answered.",
            ),
            request_times: Spreads::new(
                "otp_http_request_seconds",
                ["route"],
                "How long requests took.",
            ),
        }
    }

    fn event(&self, event: &Event) {
        let outcome = event.outcome.name();
        self.events
            .count([event.kind.name(), event.action(), outcome]);
        let reason = event.reason.as_deref().unwrap_or("none");
        let channel = event.channel.map_or("none", |channel| channel.name());
        match event.kind {
            EventKind::TollFraudSuspected => self.toll_fraud.count([reason]),
            EventKind::DeliveryReported => {
                let state = match event.outcome {
                    Outcome::Failed => "failed",
                    _ => reason,
                };
                let provider = event.provider.as_deref().unwrap_or("none");
                self.receipts.count([channel, provider, state]);
            }
            kind if event.outcome == Outcome::Refused => {
                if let Some(operation) = operation(kind) {
                    self.refusals.count([operation.name(), reason]);
                }
            }
            _ => {}
        }
    }

    fn measure(&self, measure: &Measure<'_>) {
        match *measure {
            Measure::Answered {
                operation,
                answer,
                took,
            } => self.calls.add([operation.name(), answer.name()], took),
            Measure::Sent {
                tenant,
                channel,
                provider,
                country,
                outcome,
                took,
            } => {
                let (channel, outcome) = (channel.name(), outcome.name());
                let country = country.map(|country| country.code().to_owned());
                self.messages
                    .count([channel, provider.unwrap_or("none"), outcome]);
                let country = country.as_deref().unwrap_or("none");
                self.countries.count([channel, country, outcome]);
                let known = self.tenants.contains(tenant);
                let tenant = if known { tenant.as_str() } else { OTHER };
                self.by_tenant.count([tenant, outcome]);
                self.routes.add([channel], took);
            }
        }
    }

    fn write(&self, page: &mut Page) {
        self.events.write(page);
        self.refusals.write(page);
        self.calls.write(page);
        self.messages.write(page);
        self.countries.write(page);
        self.by_tenant.write(page);
        self.routes.write(page);
        self.receipts.write(page);
        self.toll_fraud.write(page);
        self.webhooks.write(page);
        self.requests.write(page);
        self.request_times.write(page);
    }
}

/// Says which call an event is a refusal of.
fn operation(kind: EventKind) -> Option<Operation> {
    match kind {
        EventKind::ChallengeIssued => Some(Operation::Issue),
        EventKind::ChallengeResent => Some(Operation::Resend),
        EventKind::ValidationAttempt => Some(Operation::Verify),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
