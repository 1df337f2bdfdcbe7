//! What the page shows, gathered once for all who look.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::Timestamp;
use otp_core::operator::Overview;
use otp_core::verifier::{PolicyStatus, RouteStatus, Status, TemplateStatus, Verifier};
use tokio::sync::Mutex;

use super::access::Visitor;
use super::deed::Within;
use super::trouble::Trouble;
use super::{Page, WebhookCounts};

/// How long what was gathered is shown. Looking costs the store a read of the time's records, and
/// leaves a record itself: ten operators who watch cost as much as one.
const FRESH: Duration = Duration::from_secs(5);
/// How many of each kind of source are shown.
const TOP: usize = 20;
const REASON: &str = "looking at the operator page";

/// How the service is doing, at a moment.
pub(crate) struct Snapshot {
    /// By the clock of the page.
    pub(crate) at: Timestamp,
    pub(super) within: Within,
    pub(crate) overview: Result<Overview, Trouble>,
    pub(crate) status: Status,
    pub(crate) routes: Vec<RouteStatus>,
    pub(super) templates: Vec<TemplateStatus>,
    pub(super) policy: PolicyStatus,
    pub(super) suspicions: usize,
    pub(super) fleet_alarmed: bool,
    pub(super) webhooks: Option<WebhookCounts>,
}

impl Snapshot {
    /// Looks at everything but the records, which `overview` tells of, for an hour.
    pub(crate) async fn of(
        verifier: &Verifier,
        at: Timestamp,
        overview: Result<Overview, Trouble>,
    ) -> Self {
        Self {
            at,
            within: Within::default(),
            overview,
            status: verifier.status().await,
            routes: verifier.routes().status(),
            templates: verifier.templates().status(),
            policy: verifier.policies().status(),
            suspicions: verifier.suspicions().len(),
            fleet_alarmed: verifier.is_fleet_alarmed(),
            webhooks: None,
        }
    }
}

/// The latest snapshot of each span.
#[derive(Default)]
pub(super) struct Gathered(Mutex<HashMap<Within, Arc<Snapshot>>>);

impl Gathered {
    /// Forgets all: something was changed.
    pub(super) async fn forget(&self) {
        self.0.lock().await.clear();
    }
}

impl Page {
    /// Gives a snapshot of some seconds ago at most. Of those who ask meanwhile one gathers, and
    /// the others wait for that.
    pub(super) async fn snapshot(&self, visitor: &Visitor, within: Within) -> Arc<Snapshot> {
        let mut gathered = self.gathered.0.lock().await;
        let now = self.clock.now();
        if let Some(latest) = gathered.get(&within)
            && latest.at <= now
            && now.since(latest.at) < FRESH
        {
            return Arc::clone(latest);
        }
        let snapshot = Arc::new(self.gather(visitor, within, now).await);
        gathered.insert(within, Arc::clone(&snapshot));
        snapshot
    }

    async fn gather(&self, visitor: &Visitor, within: Within, at: Timestamp) -> Snapshot {
        let overview = async {
            let operator = self.operator(visitor, REASON)?;
            Ok(operator.overview(within.length(), TOP).await?)
        };
        let webhooks = self.webhooks.as_ref().map(|counts| counts());
        Snapshot {
            within,
            webhooks,
            ..Snapshot::of(&self.verifier, at, overview.await).await
        }
    }
}
