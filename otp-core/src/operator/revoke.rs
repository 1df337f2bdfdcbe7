use super::effect::{Count, Effect, Mode, SAMPLE};
use super::{Operator, Whom};
use crate::challenge::Challenge;
use crate::store::{ChallengeQuery, Revocation};
use crate::verifier::Unavailable;

/// The most challenges that a preview counts.
const COUNTED: usize = 10_000;

impl Operator {
    /// Ends live challenges, of the operator's tenant unless the query names another. An empty
    /// query means all of them.
    ///
    /// A code that is being verified meanwhile either wins first or is refused; what is issued
    /// after the call is not touched.
    ///
    /// # Errors
    /// [`Unavailable`]; some may have been ended by then.
    pub async fn revoke(&self, query: ChallengeQuery) -> Result<Effect, Unavailable> {
        let tenant = query.tenant.clone().or_else(|| Some(self.tenant.clone()));
        let query = ChallengeQuery { tenant, ..query };
        let limit = match self.mode {
            Mode::Apply => SAMPLE,
            Mode::Preview => COUNTED,
        };
        let meant = self.store().list(&query, limit.saturating_add(1)).await?;
        let mut event = self.event("revoke");
        let count = match self.mode {
            Mode::Apply => {
                let revocation = Revocation {
                    query,
                    event: event.clone(),
                };
                let ended = self.store().revoke(revocation).await?;
                event.reason = Some(format!("revoke:{ended}").into());
                self.verifier.observe(&event);
                Count::Exactly(ended)
            }
            Mode::Preview => {
                let count = Count::listed(meant.len(), COUNTED);
                event.reason = Some(format!("preview_revoke:{}", count.number()).into());
                self.note(event).await?;
                count
            }
        };
        Ok(Effect::new(self.mode, count, &meant, shown))
    }

    /// Ends the live challenges of an account, of a destination, or that an address asked for.
    ///
    /// # Errors
    /// [`Unavailable`]; some may have been ended by then.
    pub async fn revoke_of(&self, whom: &Whom) -> Result<Effect, Unavailable> {
        self.revoke(whom.challenges()).await
    }
}

fn shown(challenge: &Challenge) -> String {
    let to = match challenge.destination_masked.as_str() {
        "" => "nobody",
        masked => masked,
    };
    let (purpose, channel) = (&challenge.purpose, challenge.channel.name());
    format!("{} {purpose} {channel} {to}", challenge.id.fingerprint())
}
