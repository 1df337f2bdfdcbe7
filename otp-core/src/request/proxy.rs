use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

/// The networks whose word about the client's address is believed.
///
/// Starts empty: then the peer is the client, whatever its headers say.
///
/// # Examples
/// ```
/// use otp_core::request::TrustedProxies;
///
/// let proxies: TrustedProxies = "10.0.0.0/8, 192.168.0.1".parse()?;
/// let client = proxies.client("10.1.2.3".parse()?, ["198.51.100.9, 10.4.5.6"]);
/// assert_eq!(client, "198.51.100.9".parse::<std::net::IpAddr>()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Network>);

#[derive(Clone, Copy, Debug)]
struct Network {
    base: IpAddr,
    prefix: u8,
}

/// The text is not an address or a network such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an address or a network such as 10.0.0.0/8")]
pub struct InvalidNetwork;

/// More hops than this are not read; a header of thousands says nothing.
const MAX_HOPS: usize = 32;

impl TrustedProxies {
    /// Trusts no proxy.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Finds the client behind trusted proxies: the right-most hop that is not one of them.
    ///
    /// `forwarded` is the value of each `X-Forwarded-For` header in the order received, or the
    /// `for=` values of `Forwarded` (RFC 7239). They are read only where the peer itself is
    /// trusted. A hop that is not an address ends the reading: what is left of it cannot be
    /// vouched for, so the last trusted hop is the client.
    #[must_use]
    pub fn client<'a>(&self, peer: IpAddr, forwarded: impl IntoIterator<Item = &'a str>) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let headers: Vec<&str> = forwarded.into_iter().collect();
        let hops = headers
            .iter()
            .rev()
            .flat_map(|header| header.rsplit(','))
            .take(MAX_HOPS);
        let mut client = peer;
        for hop in hops {
            let Some(address) = hop_address(hop) else {
                break;
            };
            client = address;
            if !self.trusts(address) {
                break;
            }
        }
        client
    }

    /// Says whether one of the networks is wider than any private one: than a /8 of IPv4
    /// (RFC 1918), or a /7 of IPv6 (RFC 4193). Strangers are in it, and each of them would choose
    /// the address that they are counted by.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let widest = |network: &Network| if network.base.is_ipv4() { 8 } else { 7 };
        let mut networks = self.0.iter();
        networks.any(|network| network.prefix < widest(network))
    }

    /// Says whether an address is a proxy's that is trusted.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.holds(address))
    }
}

impl FromStr for TrustedProxies {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let base: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let widest = if base.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) => digits.parse().map_err(|_| InvalidNetwork)?,
            None => widest,
        };
        if prefix > widest {
            return Err(InvalidNetwork);
        }
        Ok(Self { base, prefix })
    }
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let shift = 32_u32.saturating_sub(u32::from(self.prefix));
                let cut = |ip: u32| ip.checked_shr(shift).unwrap_or(0);
                cut(base.to_bits()) == cut(address.to_bits())
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let shift = 128_u32.saturating_sub(u32::from(self.prefix));
                let cut = |ip: u128| ip.checked_shr(shift).unwrap_or(0);
                cut(base.to_bits()) == cut(address.to_bits())
            }
            _ => false,
        }
    }
}

/// Reads one hop: an address, with an optional port, brackets and quotes (RFC 7239 section 6).
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    if let Ok(address) = hop.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Some(inner) = hop.strip_prefix('[') {
        let (address, _port) = inner.split_once(']')?;
        return address.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
    }
    let (address, port) = hop.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    address.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn without_trusted_proxies_headers_are_not_read() {
        let client = TrustedProxies::none().client(ip("203.0.113.7"), ["1.2.3.4"]);
        assert_eq!(client, ip("203.0.113.7"));
    }

    #[test]
    fn the_right_most_untrusted_hop_is_the_client_and_forged_hops_left_of_it_are_not() {
        let proxies: TrustedProxies = "10.0.0.0/8".parse().expect("a network");
        let client = proxies.client(ip("10.0.0.1"), ["6.6.6.6, 198.51.100.9, 10.0.0.2"]);
        assert_eq!(client, ip("198.51.100.9"));
        let split = proxies.client(ip("10.0.0.1"), ["6.6.6.6", "198.51.100.9", "10.0.0.2"]);
        assert_eq!(split, ip("198.51.100.9"));
    }

    #[test]
    fn l03_odd_hops_never_let_a_stranger_choose_the_address() {
        let proxies: TrustedProxies = "10.0.0.0/8, fd00::/8".parse().expect("networks");
        let cases = [
            ("unknown", "10.0.0.1"),
            ("6.6.6.6, unknown", "10.0.0.1"),
            (" 198.51.100.9:4711 ", "198.51.100.9"),
            ("\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("::ffff:198.51.100.9", "198.51.100.9"),
            ("", "10.0.0.1"),
            ("198.51.100.9;evil", "10.0.0.1"),
        ];
        for (header, expected) in cases {
            assert_eq!(
                proxies.client(ip("10.0.0.1"), [header]),
                ip(expected),
                "{header}"
            );
        }
        let long = vec!["10.0.0.3"; 1000].join(",");
        assert_eq!(
            proxies.client(ip("10.0.0.1"), [long.as_str()]),
            ip("10.0.0.3")
        );
    }

    #[test]
    fn networks_that_are_none_are_refused() {
        for bad in ["10.0.0.0/33", "::/129", "example.com", "10.0.0.0/x", "/8"] {
            assert!(bad.parse::<TrustedProxies>().is_err(), "{bad}");
        }
        let all: TrustedProxies = "0.0.0.0/0".parse().expect("everything");
        assert_eq!(all.client(ip("1.1.1.1"), ["2.2.2.2"]), ip("2.2.2.2"));
    }

    #[test]
    fn a_network_with_strangers_in_it_is_open_and_a_private_one_is_not() {
        for (text, open) in [
            ("", false),
            ("10.0.0.0/8, 192.168.0.1, fc00::/7, ::1", false),
            ("0.0.0.0/0", true),
            ("10.0.0.1, ::/0", true),
            ("8.0.0.0/7", true),
            ("fc00::/6", true),
        ] {
            let proxies: TrustedProxies = text.parse().expect("networks");
            assert_eq!(proxies.is_open(), open, "{text}");
        }
    }
}
