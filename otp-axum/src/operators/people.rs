//! Who is meant by a user's id: the account, and the addresses that it signs in by.

use std::sync::Arc;

use otp_core::operator::{Accounts, Effect, Mode, Whom};

use crate::{ApiError, Refusal};

/// The host's accounts, as operators name them.
#[derive(Clone, Debug)]
pub(super) struct People(pub(super) Arc<dyn Accounts>);

/// Clears what the host counts against a user, in earnest alone.
pub(super) async fn clear_limits_of(
    people: Option<&People>,
    whom: &Whom,
    mode: Mode,
) -> Result<Effect, ApiError> {
    let cleared = match (people, whom, mode) {
        (Some(People(accounts)), Whom::Subject(user), Mode::Apply) => {
            let cleared = accounts.clear_limits(user).await;
            cleared.map_err(|_| Refusal::UNAVAILABLE)?
        }
        _ => 0,
    };
    Ok(Effect::counted(mode, cleared))
}

/// Lists everything that codes, limits and locks of somebody are kept by. Who asks for a code by
/// typing an address is counted by that address, whoever the account is.
pub(super) async fn everything_of(
    people: Option<&People>,
    whom: Whom,
) -> Result<Vec<Whom>, ApiError> {
    let mut all = vec![whom];
    let (Some(People(accounts)), Some(Whom::Subject(user))) = (people, all.first()) else {
        return Ok(all);
    };
    let account = accounts.find(user).await;
    let account = account.map_err(|_| Refusal::UNAVAILABLE)?;
    let addresses = account.map(|account| account.addresses).unwrap_or_default();
    all.extend(addresses.into_iter().map(Whom::Destination));
    Ok(all)
}
