use super::Verifier;
use crate::store::StoreErrorKind;

/// Whether a part works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It does.
    Up,
    /// It does not, for this reason.
    Down(StoreErrorKind),
}

/// What works, without a name of a provider, a secret or anybody's data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Whether the store answers.
    pub store: Health,
    /// The channels that have a route, by name.
    pub channels: Vec<&'static str>,
}

impl Verifier {
    /// Asks the parts how they are. It never fails: what is wrong is in the answer.
    pub async fn status(&self) -> Status {
        let store = match self.inner.store.ping().await {
            Ok(_) => Health::Up,
            Err(error) => Health::Down(error.kind()),
        };
        Status {
            store,
            channels: self.inner.routes.keys().copied().collect(),
        }
    }
}
