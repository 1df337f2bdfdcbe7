//! `ClientAddress`: the network address of a client, grouped as limits need it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The address that a request came from, or that none is known.
///
/// It is canonical: an IPv4 address is one however it was written (`::ffff:192.0.2.1`,
/// `::192.0.2.1`, the translations `64:ff9b::192.0.2.1` of RFC 6052 and `::ffff:0:192.0.2.1` of
/// RFC 2765), and two IPv4 addresses are never the same bucket. An IPv6 address counts with its
/// /64, which is the least that a single customer is given (RFC 6177), so that changing the lower
/// half is of no use.
///
/// Whether an address may be believed is decided before it is made: a forwarded header's only
/// behind a trusted proxy.
///
/// # Examples
///
/// ```
/// use otp_core::quota::ClientAddress;
///
/// let one: ClientAddress = "2001:db8:1:2::7%eth0".parse()?;
/// let two: ClientAddress = "2001:DB8:1:2:ffff::".parse()?;
/// assert_eq!(one.bucket(), two.bucket());
/// assert_eq!(one.wide().as_deref(), Some("2001:db8:1::/48"));
///
/// let mapped: ClientAddress = "::ffff:192.0.2.1".parse()?;
/// assert_eq!(mapped.bucket(), "192.0.2.1");
/// assert_eq!(mapped.wide(), None);
/// # Ok::<(), otp_core::quota::InvalidAddress>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientAddress {
    /// A known address.
    Known(KnownAddress),
    /// No address is known: all such requests share one bucket, rather than having none.
    Unknown,
}

/// An address in its canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KnownAddress(IpAddr);

/// A text that is not an IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ip address")]
pub struct InvalidAddress;

impl ClientAddress {
    /// The value to count this address under, see [`Scope::Address`](super::Scope::Address).
    ///
    /// IPv4: the address. IPv6: its /64, or its /48 for 6to4 (`2002::/16`, RFC 3056), because
    /// there whoever has one IPv4 address has all of that address's /48. Unknown: `unknown`.
    #[must_use]
    pub fn bucket(&self) -> String {
        match self {
            Self::Unknown => "unknown".to_owned(),
            Self::Known(KnownAddress(IpAddr::V4(address))) => address.to_string(),
            Self::Known(KnownAddress(IpAddr::V6(address))) if is_6to4(*address) => {
                prefix(*address, 48)
            }
            Self::Known(KnownAddress(IpAddr::V6(address))) => prefix(*address, 64),
        }
    }

    /// The value of the wider group to count this address under as well, when it has one.
    ///
    /// An IPv6 address has its /48, what a site is commonly given; ten times the limit of a /64
    /// suits it. IPv4 and unknown addresses have none; 6to4 is counted by its /48 already.
    #[must_use]
    pub fn wide(&self) -> Option<String> {
        match self {
            Self::Known(KnownAddress(IpAddr::V6(address))) if !is_6to4(*address) => {
                Some(prefix(*address, 48))
            }
            _ => None,
        }
    }

    /// The whole address, for a blocklist or the audit log.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Known(known) => Some(known.ip()),
            Self::Unknown => None,
        }
    }
}

impl KnownAddress {
    /// The whole address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.0
    }
}

impl From<IpAddr> for KnownAddress {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self(address),
            IpAddr::V6(v6) => Self(embedded(v6).map_or(address, IpAddr::V4)),
        }
    }
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self::Known(address.into())
    }
}

impl From<Option<IpAddr>> for ClientAddress {
    fn from(address: Option<IpAddr>) -> Self {
        address.map_or(Self::Unknown, Self::from)
    }
}

/// Parses an address without port or brackets; a zone (`%eth0`) after an IPv6 address is dropped.
impl FromStr for ClientAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = match text.split_once('%') {
            Some((address, zone)) if is_zone(zone) => IpAddr::V6(parsed(address)?),
            Some(_) => return Err(InvalidAddress),
            None => parsed(text)?,
        };
        Ok(address.into())
    }
}

fn parsed<T: FromStr>(text: &str) -> Result<T, InvalidAddress> {
    text.parse().map_err(|_| InvalidAddress)
}

fn is_zone(zone: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'~');
    (1..=32).contains(&zone.len()) && zone.bytes().all(fits)
}

fn is_6to4(address: Ipv6Addr) -> bool {
    address.segments().first() == Some(&0x2002)
}

/// Finds the IPv4 address that an IPv6 address stands for.
///
/// Without this, the whole of IPv4 behind such a prefix would be one /64.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let [w, x] = high.to_be_bytes();
    let [y, z] = low.to_be_bytes();
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => {
            Some(Ipv4Addr::new(w, x, y, z))
        }
        // `::` and `::1` are IPv6's own, and nothing in 0.0.0.0/8 is a client.
        [0, 0, 0, 0, 0, 0] if w != 0 => Some(Ipv4Addr::new(w, x, y, z)),
        _ => None,
    }
}

fn prefix(address: Ipv6Addr, bits: u32) -> String {
    let kept = u128::MAX.checked_shl(128 - bits).unwrap_or(u128::MAX);
    format!("{}/{bits}", Ipv6Addr::from_bits(address.to_bits() & kept))
}

#[cfg(test)]
mod tests {
    use super::{ClientAddress, InvalidAddress};
    use proptest::prelude::*;
    use std::collections::HashSet;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    fn bucket(text: &str) -> String {
        text.parse::<ClientAddress>().unwrap().bucket()
    }

    #[test]
    fn every_spelling_of_an_ipv4_address_is_one_bucket() {
        for text in [
            "1.2.3.4",
            "::ffff:1.2.3.4",
            "::FFFF:102:304",
            "::1.2.3.4",
            "64:ff9b::1.2.3.4",
            "::ffff:0:1.2.3.4",
        ] {
            assert_eq!(bucket(text), "1.2.3.4", "{text}");
        }
    }

    #[test]
    fn rotating_through_a_64_stays_in_one_bucket() {
        let base = u128::from(0x2001_0db8_0001_0002_u64) << 64;
        let seen: HashSet<String> = (0..100_000_u128)
            .map(|i| base | i.wrapping_mul(0x9e37_79b9_7f4a_7c15) & u128::from(u64::MAX))
            .map(|bits| ClientAddress::from(IpAddr::V6(Ipv6Addr::from_bits(bits))).bucket())
            .collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["2001:db8:1:2::/64"]);
    }

    #[test]
    fn rotating_through_the_48_of_one_6to4_address_stays_in_one_bucket() {
        assert_eq!(bucket("2002:c000:201:1::1"), "2002:c000:201::/48");
        assert_eq!(bucket("2002:C000:0201:ffff::9"), "2002:c000:201::/48");
        assert_ne!(bucket("2002:c000:202::1"), "2002:c000:201::/48");
        assert_eq!(
            "2002:c000:201::1".parse::<ClientAddress>().unwrap().wide(),
            None
        );
    }

    #[test]
    fn loopback_and_nothing_stay_ipv6() {
        assert_eq!(bucket("::1"), "::/64");
        assert_eq!(bucket("::"), "::/64");
    }

    #[test]
    fn a_missing_address_is_a_bucket_of_its_own() {
        let missing = ClientAddress::from(None::<IpAddr>);
        assert_eq!(
            (missing, missing.bucket()),
            (ClientAddress::Unknown, "unknown".to_owned())
        );
        assert_eq!((missing.wide(), missing.ip()), (None, None));
    }

    #[test]
    fn a_zone_is_dropped_and_what_is_no_address_is_refused() {
        assert_eq!(bucket("fe80::1%eth0"), bucket("fe80::2"));
        for text in [
            "",
            "unknown",
            "1.2.3.4%eth0",
            "fe80::1%",
            "fe80::1%a b",
            "[::1]",
            "1.2.3.4:80",
            " 1.2.3.4",
            "01.2.3.4",
            "1.2.3",
        ] {
            assert_eq!(text.parse::<ClientAddress>(), Err(InvalidAddress), "{text}");
        }
    }

    proptest! {
        #[test]
        fn two_ipv4_addresses_never_merge(a: [u8; 4], b: [u8; 4]) {
            let of = |octets| ClientAddress::from(IpAddr::V4(Ipv4Addr::from(octets))).bucket();
            prop_assert_eq!(a == b, of(a) == of(b));
            let mapped = Ipv4Addr::from(a).to_ipv6_mapped();
            prop_assert_eq!(ClientAddress::from(IpAddr::V6(mapped)).bucket(), of(a));
        }

        #[test]
        fn an_ipv6_bucket_says_its_upper_half_and_nothing_else(bits: u128, low: u64) {
            let address = Ipv6Addr::from_bits(bits | 1 << 127);
            let sibling = Ipv6Addr::from_bits(address.to_bits() >> 64 << 64 | u128::from(low));
            let (one, two) = (ClientAddress::from(IpAddr::V6(address)), ClientAddress::from(IpAddr::V6(sibling)));
            prop_assert_eq!(one.bucket(), two.bucket());
            prop_assert_eq!(one.wide(), two.wide());
        }
    }
}
