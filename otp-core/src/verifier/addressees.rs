//! Whom the messages of a challenge go to, as it is sealed in its row.

use super::issue::{ADDRESS_BREAK, DESTINATION, LOCALE, row_aad};
use super::link::Link;
use crate::challenge::{Challenge, ChallengeId};
use crate::delivery::Locale;
use crate::destination::Destination;
use crate::key::{KeySet, Sealed, open};
use crate::request::Tenant;

/// Whom the messages of a challenge may go to, and how.
#[derive(Default)]
pub(super) struct Addressees {
    /// The first one first.
    pub(super) addresses: Vec<Destination>,
    pub(super) locale: Locale,
    pub(super) link: Option<Link>,
}

/// Opens the address that a challenge's latest code was sent to.
pub(super) fn opened(keys: &KeySet, challenge: &Challenge) -> Option<Destination> {
    let fits = |address: &Destination| challenge.channel.fits(address).is_ok();
    let all = opened_all(keys, challenge)?;
    all.addresses.into_iter().find(fits)
}

/// Opens whom a challenge's messages may go to, and how.
pub(super) fn opened_all(keys: &KeySet, challenge: &Challenge) -> Option<Addressees> {
    let sealed = challenge.destination.as_ref()?;
    opened_destination(keys, &challenge.tenant, &challenge.id, sealed)
}

/// Opens what a challenge of this name had sealed as its destination.
pub(super) fn opened_destination(
    keys: &KeySet,
    tenant: &Tenant,
    id: &ChallengeId,
    sealed: &Sealed,
) -> Option<Addressees> {
    let aad = row_aad(tenant, id, DESTINATION);
    let text = open(keys, &aad, sealed).ok()?;
    let text = std::str::from_utf8(text.expose()).ok()?;
    let lines = text.split(ADDRESS_BREAK);
    let tag = lines.clone().find_map(|line| line.strip_prefix(LOCALE));
    let link = lines.clone().find_map(Link::from_line);
    let addresses: Option<Vec<_>> = lines
        .filter(|line| !line.starts_with(LOCALE) && !Link::is_line(line))
        .map(Destination::from_stored)
        .collect();
    let locale = tag.and_then(|tag| Locale::new(tag).ok());
    Some(Addressees {
        addresses: addresses?,
        locale: locale.unwrap_or_default(),
        link,
    })
}
