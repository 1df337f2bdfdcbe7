//! An account that is reset by an operator: its second factors, and whoever is signed in to it.

use crate::operator::{Effect, Mode, Operator, OperatorProof, ResetError};
use crate::request::SubjectId;
use crate::store::{SessionQuery, SessionRecord};
use crate::verifier::Unavailable;

use super::{SessionError, Sessions};

impl Sessions {
    /// Ends every session of an account and takes its second factors away, with all that
    /// [`Operator::reset_factors`] ends: remembered devices and pending challenges. The tenant is
    /// the operator's. The effect counts what goes, and a preview changes nothing.
    ///
    /// Sessions end first: where something fails on the way, nobody is signed in to an account that
    /// is kept by less than they knew. They end once more at the last: whoever held the factors may
    /// have signed in meanwhile.
    ///
    /// # Errors
    /// [`ResetError`].
    pub async fn reset_account(
        &self,
        operator: &Operator,
        subject: &SubjectId,
        proof: &OperatorProof,
    ) -> Result<Effect, ResetError> {
        let proved = operator.proved(subject, proof).await?;
        let tenant = operator.tenant();
        let live = self.list(tenant, subject).await.map_err(unavailable)?;
        let all = SessionQuery::Subject(tenant.clone(), subject.clone());
        let end = async || match operator.mode() {
            Mode::Apply => {
                let ended = self.revoke(&all, operator.act()).await;
                ended.map(drop).map_err(unavailable)
            }
            Mode::Preview => Ok(()),
        };
        end().await?;
        let live = live.iter().map(shown).collect();
        let effect = operator.reset(proved, live).await?;
        end().await?;
        Ok(effect)
    }
}

fn shown(session: &SessionRecord) -> String {
    format!("session {}", session.methods.as_str())
}

fn unavailable(error: SessionError) -> ResetError {
    ResetError::Unavailable(Unavailable::because(error))
}
