use std::hash::{BuildHasher as _, RandomState};

use crate::challenge::Lane;
use crate::destination::PhoneNumber;
use crate::quota::ClientAddress;
use crate::request::{SubjectKey, Tenant};

/// A message to a phone, as the guard sees it.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    /// For which account; where the number is the account, its own pseudonym. Of a message that is
    /// only counted it does not matter.
    pub subject: Option<&'a SubjectKey>,
    /// To which phone.
    pub phone: &'a PhoneNumber,
    /// The pseudonym that the phone is counted by.
    pub number: &'a SubjectKey,
    /// From which client.
    pub address: ClientAddress,
    /// Through which door.
    pub lane: Lane,
}

/// What a message is counted under: hashes with a seed of the process, which nobody can aim at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) range: u64,
    pub(super) country: u64,
    pub(super) address: u64,
    pub(super) tenant: u64,
    pub(super) number: u64,
    /// The number itself, for its neighbours.
    pub(super) digits: u64,
}

impl Places {
    pub(super) fn of(seed: &RandomState, sending: &Sending<'_>) -> Self {
        let tenant = sending.tenant.as_str();
        let phone = sending.phone;
        let digits = phone.e164().trim_start_matches('+');
        // Numbers of no country are apart by their network.
        let country = (phone.country(), phone.calling_code());
        Self {
            range: seed.hash_one((1_u8, tenant, phone.range())),
            country: seed.hash_one((2_u8, tenant, country)),
            address: seed.hash_one((3_u8, tenant, sending.address.bucket())),
            tenant: seed.hash_one((4_u8, tenant)),
            number: seed.hash_one((5_u8, tenant, sending.number)),
            digits: digits.parse().unwrap_or(0),
        }
    }
}
