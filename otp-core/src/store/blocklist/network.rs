use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::InvalidBlock;
use crate::quota::KnownAddress;

/// The lengths that a network is blocked by; a request asks for each of those around its address.
const V4: [u32; 6] = [8, 12, 16, 20, 24, 28];
const V6: [u32; 4] = [32, 40, 48, 56];
/// The most networks around one address.
pub(super) const MOST_AROUND: usize = V4.len();

/// The most entries that one network is written down as.
const MOST: u32 = 16;

/// Hands over the name of every network around an address, the widest first.
pub(super) fn around(address: IpAddr, mut take: impl FnMut(&str)) {
    let mut text = String::with_capacity(48);
    let address = KnownAddress::from(address).ip();
    let lengths = match address {
        IpAddr::V4(_) => V4.as_slice(),
        // One 6to4 client is its /48.
        IpAddr::V6(six) if is_6to4(six) => V6.get(..2).unwrap_or_default(),
        IpAddr::V6(_) => V6.as_slice(),
    };
    for &length in lengths {
        text.clear();
        // Writing to a string does not fail.
        let _ = write!(text, "{}/{length}", cut(address, length));
        take(&text);
    }
}

/// Reads a network into the names of those that cover it and nothing else: itself where requests
/// ask for its length, else the parts of the next length that they ask for.
pub(super) fn covering(network: &str) -> Result<Vec<String>, InvalidBlock> {
    let (host, length) = network.split_once('/').ok_or(InvalidBlock)?;
    let address: IpAddr = host.parse().map_err(|_| InvalidBlock)?;
    let length: u32 = length.parse().map_err(|_| InvalidBlock)?;
    let (steps, own) = match address {
        IpAddr::V4(_) => (V4.as_slice(), 32),
        IpAddr::V6(six) if is_6to4(six) => (V6.get(..2).unwrap_or_default(), 48),
        IpAddr::V6(_) => (V6.as_slice(), 64),
    };
    let widest = steps.first().is_some_and(|widest| *widest <= length);
    let canonical = KnownAddress::from(address).ip() == address;
    if !widest || length > own || !canonical || cut(address, length) != address {
        return Err(InvalidBlock);
    }
    let step = steps.iter().copied().find(|step| *step >= length);
    let step = step.unwrap_or(own);
    let parts = 1_u32.checked_shl(step.saturating_sub(length));
    let parts = parts.filter(|parts| *parts <= MOST).ok_or(InvalidBlock)?;
    let parts = (0..parts).map(|part| match nth(address, step, part) {
        part @ IpAddr::V4(_) if step == own => part.to_string(),
        part => format!("{part}/{step}"),
    });
    Ok(parts.collect())
}

fn is_6to4(address: Ipv6Addr) -> bool {
    address.segments().first() == Some(&0x2002)
}

/// Clears what comes after so many bits.
fn cut(address: IpAddr, length: u32) -> IpAddr {
    match address {
        IpAddr::V4(four) => {
            let kept = u32::MAX.checked_shl(32_u32.saturating_sub(length));
            Ipv4Addr::from_bits(four.to_bits() & kept.unwrap_or(0)).into()
        }
        IpAddr::V6(six) => {
            let kept = u128::MAX.checked_shl(128_u32.saturating_sub(length));
            Ipv6Addr::from_bits(six.to_bits() & kept.unwrap_or(0)).into()
        }
    }
}

/// Goes on by so many networks of a length.
fn nth(address: IpAddr, length: u32, part: u32) -> IpAddr {
    match address {
        IpAddr::V4(four) => {
            let offset = part.checked_shl(32_u32.saturating_sub(length));
            Ipv4Addr::from_bits(four.to_bits() | offset.unwrap_or(0)).into()
        }
        IpAddr::V6(six) => {
            let offset = u128::from(part).checked_shl(128_u32.saturating_sub(length));
            Ipv6Addr::from_bits(six.to_bits() | offset.unwrap_or(0)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(address: &str) -> Vec<String> {
        let mut names = Vec::new();
        around(address.parse().unwrap(), |name| names.push(name.to_owned()));
        names
    }

    #[test]
    fn a_client_is_in_every_network_around_it() {
        assert_eq!(
            names("::ffff:203.0.113.77"),
            [
                "203.0.0.0/8",
                "203.0.0.0/12",
                "203.0.0.0/16",
                "203.0.112.0/20",
                "203.0.113.0/24",
                "203.0.113.64/28"
            ]
        );
        assert_eq!(
            names("2001:db8:1:2::7"),
            [
                "2001:db8::/32",
                "2001:db8::/40",
                "2001:db8:1::/48",
                "2001:db8:1::/56"
            ]
        );
        assert_eq!(names("2002:c000:201::1").len(), 2);
    }

    #[test]
    fn a_length_that_no_request_asks_for_is_written_as_its_parts() {
        assert_eq!(
            covering("203.0.112.0/22").unwrap(),
            [
                "203.0.112.0/24",
                "203.0.113.0/24",
                "203.0.114.0/24",
                "203.0.115.0/24"
            ]
        );
        assert_eq!(
            covering("203.0.113.6/31").unwrap(),
            ["203.0.113.6", "203.0.113.7"]
        );
        assert_eq!(covering("2001:db8:0:10::/60").unwrap().len(), 16);
        assert_eq!(
            covering("2001:db8:1:2::/64").unwrap(),
            ["2001:db8:1:2::/64"]
        );
    }

    #[test]
    fn a_network_too_wide_too_narrow_or_with_a_host_in_it_is_refused() {
        for text in [
            "0.0.0.0/0",
            "10.0.0.0/7",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "2001:db8::/16",
            "2001:db8::/33",
            "2001:db8::1/48",
            "2001:db8:1:2:8000::/65",
            "2002:c000:201:1::/64",
            "::ffff:10.0.0.0/104",
            "10.0.0.0/",
            "10.0.0.0",
            "/8",
        ] {
            assert!(covering(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_client_is_asked_for_by_a_part_of_each_network_that_it_is_in(
            bits: u32, length in 8_u32..=32,
        ) {
            let address = IpAddr::V4(Ipv4Addr::from_bits(bits | 1 << 24));
            let network = format!("{}/{length}", cut(address, length));
            let parts = covering(&network).unwrap();
            let mut asked = vec![address.to_string()];
            around(address, |name| asked.push(name.to_owned()));
            let met = parts.iter().filter(|part| asked.contains(part)).count();
            prop_assert_eq!(met, 1, "{} in {}", address, network);
        }
    }
}
