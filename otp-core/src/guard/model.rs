use std::hash::RandomState;

use super::counts::{Counts, Figures};
use super::judge;
use super::known::Known;
use super::places::{Places, Sending};
use super::sequence::Sequence;
use super::table::Table;
use super::verdict::{Exemption, Place, Verdict};
use crate::challenge::Lane;
use crate::clock::Timestamp;
use crate::policy::TollFraud;

/// Places of each kind that are kept; some 10 MB where all are.
const PLACES: usize = 16_384;
/// Numbers that verified and are kept; some 4 MB.
const NUMBERS: usize = 131_072;

/// Counts messages and verified codes of the last hour, and judges the next message.
///
/// Pure and deterministic but for the hash that it keeps places by: the time is handed in, and a
/// time that goes back counts as the latest one. Its memory is bounded: beyond
/// 16,384 ranges, addresses, countries or tenants each, those that count least are forgotten.
///
/// # Examples
/// ```
/// use otp_core::challenge::Lane;
/// use otp_core::clock::Timestamp;
/// use otp_core::destination::{Destination, PhoneNumber};
/// use otp_core::guard::{Action, FleetFigures, GuardModel, Sending};
/// use otp_core::policy::{GuardMode, TollFraud};
/// use otp_core::quota::ClientAddress;
/// use otp_core::request::{SubjectKey, Tenant};
///
/// let rules = TollFraud::new(GuardMode::Enforce);
/// let mut model = GuardModel::new();
/// let now = Timestamp::from_millis(1_800_000_000_000);
/// let mut sent = 0;
/// for line in 0..1_000 {
///     let phone = PhoneNumber::parse(&format!("+1415555{:04}", line * 7))?;
///     let number = SubjectKey::of_destination(&Destination::Phone(phone.clone()));
///     let sending = Sending {
///         tenant: &Tenant::default(),
///         subject: Some(&number),
///         phone: &phone,
///         number: &number,
///         address: ClientAddress::Unknown,
///         lane: Lane::Public,
///     };
///     let verdict = model.judge(&rules, &sending, &FleetFigures::default(), now);
///     if verdict.action == Action::Allow {
///         model.on_sent(&sending, now);
///         sent += 1;
///     }
/// }
/// assert!(sent <= 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct GuardModel {
    seed: RandomState,
    ranges: Table<Range>,
    countries: Table<Counts>,
    addresses: Table<Counts>,
    tenants: Table<Counts>,
    known: Known,
}

#[derive(Clone, Debug)]
struct Range {
    counts: Counts,
    sequence: Sequence,
}

/// What the whole fleet has counted of the places of one message; zeros where nobody asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FleetFigures {
    /// Of its range.
    pub range: Figures,
    /// Of its country.
    pub country: Figures,
    /// Of the client's address.
    pub address: Figures,
    /// Of its tenant.
    pub tenant: Figures,
    /// Whether the number verified a code lately.
    pub verified_before: bool,
}

impl GuardModel {
    /// Starts with nothing counted.
    #[must_use]
    pub fn new() -> Self {
        Self {
            seed: RandomState::new(),
            ranges: Table::new(PLACES),
            countries: Table::new(PLACES),
            addresses: Table::new(PLACES),
            tenants: Table::new(PLACES),
            known: Known::new(NUMBERS),
        }
    }

    /// Judges a message that is not counted yet. Of what this instance and the fleet know, the
    /// larger counts.
    #[must_use]
    pub fn judge(
        &self,
        rules: &TollFraud,
        sending: &Sending<'_>,
        fleet: &FleetFigures,
        now: Timestamp,
    ) -> Verdict {
        let number = Places::of(&self.seed, sending).number;
        if is_own_device(sending) {
            return Verdict::exempt(Exemption::KnownDevice);
        }
        if fleet.verified_before || self.known.knows(number, now) {
            return Verdict::exempt(Exemption::VerifiedBefore);
        }
        self.judge_as_new(rules, sending, fleet, now)
    }

    /// Judges a message as if its number had never verified a code.
    #[must_use]
    pub fn judge_as_new(
        &self,
        rules: &TollFraud,
        sending: &Sending<'_>,
        fleet: &FleetFigures,
        now: Timestamp,
    ) -> Verdict {
        if is_own_device(sending) {
            return Verdict::exempt(Exemption::KnownDevice);
        }
        let places = Places::of(&self.seed, sending);
        let phone = sending.phone;
        let figures = |counts: Option<&Counts>| {
            let figures = counts.map(|counts| counts.figures(now));
            figures.unwrap_or_default()
        };
        let own_range = self.ranges.get(places.range);
        let range = figures(own_range.map(|range| &range.counts)).or_more(fleet.range);
        let country = figures(self.countries.get(places.country)).or_more(fleet.country);
        let address = figures(self.addresses.get(places.address)).or_more(fleet.address);
        let tenant = figures(self.tenants.get(places.tenant)).or_more(fleet.tenant);
        let near = own_range.map(|range| range.sequence.nearness(places.digits, now));
        let in_range = Place::Range(phone.range());
        let in_country = Place::Country(phone.country());
        let of_country = rules.country_budget(phone.country());
        let reasons = [
            judge::budget(rules, rules.range_budget(), in_range.clone(), range),
            judge::conversion(rules, in_range.clone(), range),
            judge::budget(rules, of_country, in_country.clone(), country),
            judge::conversion(rules, in_country, country),
            judge::budget(rules, rules.address_budget(), Place::Address, address),
            judge::budget(rules, rules.tenant_budget(), Place::Tenant, tenant),
        ];
        let row = judge::sequence(rules, &in_range, near.unwrap_or_default());
        Verdict::of(reasons.into_iter().flatten().chain(row).collect())
    }

    /// Counts a message.
    pub fn on_sent(&mut self, sending: &Sending<'_>, now: Timestamp) {
        let places = Places::of(&self.seed, sending);
        let range = self.ranges.or_insert(
            places.range,
            || Range {
                counts: Counts::new(now),
                sequence: Sequence::default(),
            },
            |range| range.counts.is_over(now),
            |range| range.counts.figures(now).sent,
        );
        range.counts.sent(now);
        range.sequence.sent(places.digits, now);
        for (table, key) in self.others(places) {
            let is_over = |counts: &Counts| counts.is_over(now);
            let weight = |counts: &Counts| counts.figures(now).sent;
            table
                .or_insert(key, || Counts::new(now), is_over, weight)
                .sent(now);
        }
    }

    /// Takes a message back that was counted and that surely did not leave.
    pub fn on_not_sent(&mut self, sending: &Sending<'_>) {
        let places = Places::of(&self.seed, sending);
        if let Some(range) = self.ranges.get_mut(places.range) {
            range.counts.not_sent();
            range.sequence.verified(places.digits);
        }
        for (table, key) in self.others(places) {
            if let Some(counts) = table.get_mut(key) {
                counts.not_sent();
            }
        }
    }

    /// Counts a code that was right. The address is the one that had asked for it.
    pub fn on_verified(&mut self, sending: &Sending<'_>, now: Timestamp) {
        let places = Places::of(&self.seed, sending);
        if let Some(range) = self.ranges.get_mut(places.range) {
            range.counts.verified(now);
            range.sequence.verified(places.digits);
        }
        for (table, key) in self.others(places) {
            if let Some(counts) = table.get_mut(key) {
                counts.verified(now);
            }
        }
        self.known.verified(places.number, now);
    }

    /// Counts the places that are kept.
    #[must_use]
    pub fn places(&self) -> usize {
        let others = [&self.countries, &self.addresses, &self.tenants];
        let others = others.into_iter().map(Table::len);
        others.fold(self.ranges.len(), usize::saturating_add)
    }

    fn others(&mut self, places: Places) -> [(&mut Table<Counts>, u64); 3] {
        [
            (&mut self.countries, places.country),
            (&mut self.addresses, places.address),
            (&mut self.tenants, places.tenant),
        ]
    }
}

/// Says whether it goes to the account's own number, and a device that the account knows asks. A
/// device speaks for an account, not for every number that the account may name.
fn is_own_device(sending: &Sending<'_>) -> bool {
    sending.lane == Lane::KnownDevice && sending.subject == Some(sending.number)
}

impl Default for GuardModel {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
