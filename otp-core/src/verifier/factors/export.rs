use super::{FactorError, Proven, secret};
use crate::event::EventKind;
use crate::factor::{FactorId, OtpAccount, OtpUri};
use crate::request::RequestContext;
use crate::verifier::Verifier;

impl Verifier {
    /// Gives an authenticator's secret out again, to move it to another service or phone. The URI
    /// holds the secret: show it to its owner and to nobody else.
    ///
    /// It leaves a record ([`EventKind::FactorExported`]); tell the owner.
    ///
    /// # Errors
    /// [`FactorError`]; then nothing was given out.
    pub async fn export_factor(
        &self,
        factor: FactorId,
        account: OtpAccount,
        proven: &Proven,
        context: impl Into<RequestContext>,
    ) -> Result<OtpUri, FactorError> {
        let context = context.into();
        let change = self.change(proven, EventKind::FactorExported, &context);
        let change = change.await?;
        let Ok(factor) = change.named(factor) else {
            change.refused("unknown_factor").await?;
            return Err(FactorError::Unknown);
        };
        let Some(secret) = secret::opened(&change.keys, &change.owner, factor) else {
            change.refused("sealed_value_refused").await?;
            return Err(FactorError::Unreadable);
        };
        self.record(change.event.clone()).await?;
        let next = factor.last.map_or(0, |last| last.saturating_add(1));
        Ok(OtpUri::of_kind(account, secret, factor.kind).counting_from(next))
    }
}
