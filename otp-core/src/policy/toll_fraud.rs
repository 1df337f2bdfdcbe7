use std::collections::BTreeMap;

use super::PolicyError;
use crate::destination::Region;

/// What the toll-fraud guard does with its verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GuardMode {
    /// It does not judge, and counts nothing. The default.
    #[default]
    Off,
    /// It judges and reports, and refuses nothing.
    Shadow,
    /// It keeps messages back, and asks for a captcha.
    Enforce,
}

/// What whoever asks is told of a message that the guard keeps back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Told {
    /// The same as of one that goes, and it takes as long: nothing is sent, and no code is right.
    /// Where a captcha can be solved, numbers that verified before are asked for one like all
    /// others. So nobody who has brought the guard up against a range finds out by asking which of
    /// its numbers are customers, nor what brings it up. A code that is out already goes on
    /// working. The default.
    ///
    /// Somebody honest in the midst of an attack waits for a message that does not come: offer
    /// another channel beside the wait, and watch for suspicions.
    #[default]
    Nothing,
    /// That it was refused. A number that verified before is exempt, so asking tells which have.
    Refusal,
}

impl Told {
    const ALL: [Self; 2] = [Self::Nothing, Self::Refusal];

    /// Names it, as configuration has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Refusal => "refusal",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|told| told.name() == name)
    }
}

impl GuardMode {
    const ALL: [Self; 3] = [Self::Off, Self::Shadow, Self::Enforce];

    /// Names the mode, as configuration has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Shadow => "shadow",
            Self::Enforce => "enforce",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// How many codes may be out unverified, and what else looks like toll fraud.
///
/// Toll fraud (artificially inflated traffic, SMS pumping) asks for codes to numbers whose
/// operator shares the price of each message with the attacker. Nobody types those codes, the
/// numbers come in blocks, and they lie in countries and ranges of the attacker's choice. So the
/// guard counts what was sent and not verified, over the last hour.
///
/// A budget of `n` allows `n` unverified codes, and [`credit`](Self::with_credit) more for every
/// one that was verified there in that hour: a launch that people sign up in pays for itself.
///
/// The defaults come from the traffic shapes of the `pumping_simulation` example.
///
/// # Examples
/// ```
/// use otp_core::destination::Region;
/// use otp_core::policy::{GuardMode, TollFraud};
///
/// let rules = TollFraud::new(GuardMode::Enforce)
///     .with_range_budget(10)
///     .with_country_budget_of(Region::parse("US")?, 2_000);
/// assert_eq!(rules.country_budget(Some(Region::parse("US")?)), 2_000);
/// # Ok::<(), otp_core::destination::UnknownRegion>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TollFraud {
    mode: GuardMode,
    told: Told,
    range: u32,
    country: u32,
    countries: BTreeMap<Region, u32>,
    address: u32,
    tenant: u32,
    credit: u32,
    least_percent: u32,
    least_sent: u32,
    neighbours: u32,
}

impl TollFraud {
    /// Starts from the recommended figures: in an hour 20 unverified codes to a range of numbers,
    /// 500 to a country, 20 for a client address and 5,000 for a tenant, two more for each that
    /// is verified; a conversion of 20 % from 50 messages on; three neighbouring numbers.
    #[must_use]
    pub fn new(mode: GuardMode) -> Self {
        Self {
            mode,
            told: Told::default(),
            range: 20,
            country: 500,
            countries: BTreeMap::new(),
            address: 20,
            tenant: 5_000,
            credit: 2,
            least_percent: 20,
            least_sent: 50,
            neighbours: 3,
        }
    }

    /// Sets what is done with verdicts.
    #[must_use]
    pub fn with_mode(mut self, mode: GuardMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets what whoever asks is told of a message that is kept back. Default:
    /// [`Told::Nothing`].
    #[must_use]
    pub fn telling(mut self, told: Told) -> Self {
        self.told = told;
        self
    }

    /// Sets how many unverified codes a [range](crate::destination::NumberRange) takes in an
    /// hour. Beyond them codes are denied. Default: 20.
    #[must_use]
    pub fn with_range_budget(mut self, unverified: u32) -> Self {
        self.range = unverified;
        self
    }

    /// Sets how many unverified codes a country takes in an hour. Beyond them codes are denied.
    /// Default: 500.
    #[must_use]
    pub fn with_country_budget(mut self, unverified: u32) -> Self {
        self.country = unverified;
        self
    }

    /// Sets the budget of one country.
    #[must_use]
    pub fn with_country_budget_of(mut self, country: Region, unverified: u32) -> Self {
        self.countries.insert(country, unverified);
        self
    }

    /// Sets how many unverified codes a client address (an IPv6 /64 is one) asks for in an hour.
    /// Beyond them a captcha is needed, beyond four times as many codes are denied. Default: 20.
    #[must_use]
    pub fn with_address_budget(mut self, unverified: u32) -> Self {
        self.address = unverified;
        self
    }

    /// Sets how many unverified codes a tenant has in an hour. Beyond them a captcha is needed.
    /// Default: 5,000.
    #[must_use]
    pub fn with_tenant_budget(mut self, unverified: u32) -> Self {
        self.tenant = unverified;
        self
    }

    /// Sets how many more unverified codes every verified one allows. Default: 2, so that no
    /// budget refuses where at least a third is verified.
    #[must_use]
    pub fn with_credit(mut self, credit: u32) -> Self {
        self.credit = credit;
        self
    }

    /// Sets the conversion under which a range or a country gets no more codes: fewer than
    /// `percent` in a hundred verified, of at least `sent` messages whose people have had the
    /// time to type them. It ends by itself, when the hour has passed. Default: 20, 50.
    #[must_use]
    pub fn with_conversion(mut self, percent: u32, sent: u32) -> Self {
        self.least_percent = percent;
        self.least_sent = sent;
        self
    }

    /// Sets how many unverified numbers within 16 of a number make a sequence. From there a
    /// captcha is needed, from twice as many codes are denied. Default: 3.
    #[must_use]
    pub fn with_neighbours(mut self, neighbours: u32) -> Self {
        self.neighbours = neighbours;
        self
    }

    /// Says what is done with verdicts.
    #[must_use]
    pub fn mode(&self) -> GuardMode {
        self.mode
    }

    /// Says what is told of a message that is kept back.
    #[must_use]
    pub fn told(&self) -> Told {
        self.told
    }

    /// Gives the budget of a range.
    #[must_use]
    pub fn range_budget(&self) -> u32 {
        self.range
    }

    /// Gives the budget of a country, or of numbers that belong to none.
    #[must_use]
    pub fn country_budget(&self, country: Option<Region>) -> u32 {
        let own = country.and_then(|country| self.countries.get(&country));
        own.copied().unwrap_or(self.country)
    }

    /// Lists the countries that have a budget of their own, with it.
    pub fn country_budgets(&self) -> impl Iterator<Item = (Region, u32)> {
        let countries = self.countries.iter();
        countries.map(|(country, budget)| (*country, *budget))
    }

    /// Gives the budget of a client address.
    #[must_use]
    pub fn address_budget(&self) -> u32 {
        self.address
    }

    /// Gives the budget of a tenant.
    #[must_use]
    pub fn tenant_budget(&self) -> u32 {
        self.tenant
    }

    /// Says how many more unverified codes a verified one allows.
    #[must_use]
    pub fn credit(&self) -> u32 {
        self.credit
    }

    /// Gives the least conversion in percent, and the messages from which on it counts.
    #[must_use]
    pub fn conversion(&self) -> (u32, u32) {
        (self.least_percent, self.least_sent)
    }

    /// Says how many neighbouring numbers make a sequence.
    #[must_use]
    pub fn neighbours(&self) -> u32 {
        self.neighbours
    }

    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        let budgets = [self.range, self.country, self.address, self.tenant];
        let counts = [self.least_sent, self.neighbours];
        let zero = budgets.iter().chain(&counts).chain(self.countries.values());
        if zero.into_iter().any(|figure| *figure == 0) || self.least_percent > 100 {
            return Err(PolicyError::TollFraud);
        }
        Ok(())
    }
}

/// Off, with the recommended figures.
impl Default for TollFraud {
    fn default() -> Self {
        Self::new(GuardMode::Off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_back_by_its_name() {
        for mode in GuardMode::ALL {
            assert_eq!(GuardMode::from_name(mode.name()), Some(mode));
        }
        assert_eq!(GuardMode::from_name("on"), None);
        for told in Told::ALL {
            assert_eq!(Told::from_name(told.name()), Some(told));
        }
        assert_eq!(Told::from_name("all"), None);
    }

    #[test]
    fn a_budget_of_nothing_and_a_conversion_beyond_all_are_refused() {
        let fine = TollFraud::new(GuardMode::Shadow);
        assert_eq!(fine.validate(), Ok(()));
        for wrong in [
            fine.clone().with_range_budget(0),
            fine.clone().with_country_budget(0),
            fine.clone()
                .with_country_budget_of(Region::parse("US").unwrap(), 0),
            fine.clone().with_address_budget(0),
            fine.clone().with_tenant_budget(0),
            fine.clone().with_conversion(101, 50),
            fine.clone().with_conversion(20, 0),
            fine.clone().with_neighbours(0),
        ] {
            assert_eq!(wrong.validate(), Err(PolicyError::TollFraud), "{wrong:?}");
        }
    }
}
