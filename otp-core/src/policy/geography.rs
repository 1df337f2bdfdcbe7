use std::collections::BTreeSet;

use crate::destination::{PhoneNumber, Region};

/// The countries whose phones are sent to.
///
/// A list of those that are allowed, or none, which allows all; and a list of those that are
/// denied, which wins. A number that belongs to no country (`+800`, the satellite networks) is
/// sent to only where no list of allowed countries stands.
///
/// # Examples
/// ```
/// use otp_core::destination::{PhoneNumber, Region};
/// use otp_core::policy::Geography;
///
/// let geography = Geography::only([Region::parse("US")?, Region::parse("CA")?]);
/// assert!(geography.takes(&PhoneNumber::parse("+14155550123")?));
/// assert!(!geography.takes(&PhoneNumber::parse("+447400123456")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Geography {
    allowed: Option<BTreeSet<Region>>,
    denied: BTreeSet<Region>,
}

impl Geography {
    /// Allows every country. The default.
    #[must_use]
    pub fn everywhere() -> Self {
        Self::default()
    }

    /// Allows these countries and no other. A policy with none of them does not validate.
    #[must_use]
    pub fn only(countries: impl IntoIterator<Item = Region>) -> Self {
        Self {
            allowed: Some(countries.into_iter().collect()),
            denied: BTreeSet::new(),
        }
    }

    /// Denies a country, allowed or not.
    #[must_use]
    pub fn deny(mut self, country: Region) -> Self {
        self.denied.insert(country);
        self
    }

    /// Says whether a number is sent to.
    #[must_use]
    pub fn takes(&self, phone: &PhoneNumber) -> bool {
        let Some(country) = phone.country() else {
            return self.allowed.is_none();
        };
        let allowed = self.allowed.as_ref();
        allowed.is_none_or(|allowed| allowed.contains(&country)) && !self.denied.contains(&country)
    }

    /// Lists the countries that are allowed; `None` where all are.
    #[must_use]
    pub fn allowed(&self) -> Option<&BTreeSet<Region>> {
        self.allowed.as_ref()
    }

    /// Lists the countries that are denied.
    #[must_use]
    pub fn denied(&self) -> &BTreeSet<Region> {
        &self.denied
    }

    /// Says whether nothing is left to send to.
    pub(super) fn is_nowhere(&self) -> bool {
        let allowed = self.allowed.as_ref();
        allowed.is_some_and(|allowed| allowed.is_subset(&self.denied))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: &str) -> Region {
        Region::parse(code).unwrap()
    }

    fn takes(geography: &Geography, number: &str) -> bool {
        geography.takes(&PhoneNumber::parse(number).unwrap())
    }

    #[test]
    fn a_shared_calling_code_does_not_let_its_other_countries_in() {
        let us = Geography::only([region("US")]);
        assert!(takes(&us, "+14155550123"));
        assert!(!takes(&us, "+14165550123"), "Canada");
        assert!(!takes(&us, "+18765550123"), "Jamaica");
    }

    #[test]
    fn a_denied_country_is_denied_even_where_it_is_allowed() {
        let geography = Geography::only([region("US"), region("GB")]).deny(region("GB"));
        assert!(takes(&geography, "+14155550123"));
        assert!(!takes(&geography, "+447400123456"));
        assert!(!takes(
            &Geography::everywhere().deny(region("GB")),
            "+447400123456"
        ));
    }

    #[test]
    fn a_number_of_no_country_passes_only_where_all_countries_do() {
        assert!(takes(&Geography::everywhere(), "+80012345678"));
        assert!(!takes(&Geography::only([region("US")]), "+80012345678"));
    }

    #[test]
    fn a_geography_of_nothing_is_told_from_one_of_something() {
        assert!(!Geography::everywhere().is_nowhere());
        assert!(!Geography::only([region("US")]).is_nowhere());
        assert!(Geography::only([]).is_nowhere());
        assert!(
            Geography::only([region("US")])
                .deny(region("US"))
                .is_nowhere()
        );
    }
}
