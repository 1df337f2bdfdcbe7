use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use crate::verifier::Verifier;

/// Polls are never closer together.
const CLOSEST: Duration = Duration::from_millis(100);

impl Verifier {
    /// Follows the fleet: asks the store each time what is overridden, what vendors say of
    /// templates and, with the feature `policy-file`, which version of the policy is in force, and
    /// takes over what is new. While the
    /// store is away, what was known goes on, and the log says so.
    ///
    /// A document that is bad here leaves the last good policy in force; `Policies::fleet` and the
    /// log say so. One that was refused is looked at again whenever an override has begun or ended.
    ///
    /// It never ends; drop it to stop following. A second is a good time between two polls; it is
    /// a tenth of one at least.
    pub async fn follow_policy(&self, every: Duration) -> Infallible {
        loop {
            self.follow_once().await;
            tokio::time::sleep(every.max(CLOSEST)).await;
        }
    }

    /// Polls once.
    async fn follow_once(&self) {
        self.in_force(|_| ());
        self.record_ends().await;
        let overrides = self.follow_overrides().await;
        let templates = self.follow_templates().await;
        #[cfg(feature = "policy-file")]
        let document = self.catch_up().await;
        #[cfg(not(feature = "policy-file"))]
        let document = Ok(());
        if let Err(error) = overrides.and(templates).and(document) {
            let error: &(dyn Error + 'static) = &error;
            tracing::warn!(target: "otp_kit", error, "the fleet cannot be followed");
            #[cfg(feature = "policy-file")]
            self.note_away();
        }
    }
}
