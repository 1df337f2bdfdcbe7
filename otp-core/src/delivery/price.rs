use std::collections::BTreeMap;
use std::fmt;

use crate::destination::Region;

/// What one message costs, in millionths of the host's currency: 7,900 is 0.0079.
///
/// A host keeps all its prices in one currency; nothing here converts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u64);

impl Price {
    /// Counts in millionths of the currency.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Gives the millionths.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// The price of a message by provider and country: data of the host's, from its contracts.
///
/// # Examples
/// ```
/// use otp_core::delivery::{Price, Prices};
/// use otp_core::destination::Region;
///
/// let prices = Prices::new()
///     .everywhere("twilio", Price::from_micros(50_000))
///     .in_country("twilio", Region::parse("US")?, Price::from_micros(7_900));
/// assert_eq!(
///     prices.of("twilio", Some(Region::parse("US")?)),
///     Some(Price::from_micros(7_900))
/// );
/// assert_eq!(prices.of("plivo", None), None);
/// # Ok::<(), otp_core::destination::UnknownRegion>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    by_provider: BTreeMap<String, Tariff>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tariff {
    everywhere: Option<Price>,
    by_country: BTreeMap<Region, Price>,
}

impl Prices {
    /// Starts without any.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a provider's price where its country has none of its own.
    #[must_use]
    pub fn everywhere(mut self, provider: &str, price: Price) -> Self {
        self.tariff(provider).everywhere = Some(price);
        self
    }

    /// Sets a provider's price in a country.
    #[must_use]
    pub fn in_country(mut self, provider: &str, country: Region, price: Price) -> Self {
        self.tariff(provider).by_country.insert(country, price);
        self
    }

    /// Looks a price up. `None` where nobody said one, which is above every ceiling.
    #[must_use]
    pub fn of(&self, provider: &str, country: Option<Region>) -> Option<Price> {
        let tariff = self.by_provider.get(provider)?;
        let own = country.and_then(|country| tariff.by_country.get(&country).copied());
        own.or(tariff.everywhere)
    }

    fn tariff(&mut self, provider: &str) -> &mut Tariff {
        self.by_provider.entry(provider.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_shows_all_its_places() {
        assert_eq!(Price::from_micros(7_900).to_string(), "0.007900");
        assert_eq!(
            Price::from_micros(u64::MAX).to_string(),
            "18446744073709.551615"
        );
    }

    #[test]
    fn a_country_without_a_price_of_its_own_has_the_general_one_and_strangers_have_none() {
        let [us, gb] = ["US", "GB"].map(|code| Region::parse(code).expect("a region"));
        let (cheap, dear) = (Price::from_micros(1), Price::from_micros(9));
        let prices = Prices::new()
            .everywhere("a", dear)
            .in_country("a", us, cheap)
            .in_country("b", us, cheap);
        assert_eq!(prices.of("a", Some(us)), Some(cheap));
        assert_eq!(prices.of("a", Some(gb)), Some(dear));
        assert_eq!(prices.of("a", None), Some(dear));
        assert_eq!(prices.of("b", Some(gb)), None);
        assert_eq!(prices.of("c", Some(us)), None);
    }
}
