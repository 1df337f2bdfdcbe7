//! Who is calling.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::{FORWARDED, HeaderName, USER_AGENT};
use axum::http::request::Parts;
use otp_core::request::{DeviceId, RequestContext, RequestId, TrustedProxies};

use crate::edge::Believed;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The id that an app or a page gives its installation. Operators block devices by it, and it earns
/// a request nothing: a client may send any.
const X_DEVICE_ID: HeaderName = HeaderName::from_static("x-device-id");

/// What is known of the caller, for limits and for the audit log: the address, the user agent, the
/// id of the request, and `X-Device-Id` where the client sends one.
///
/// The address is the peer's, which axum knows where the router is served by
/// `into_make_service_with_connect_info::<SocketAddr>()`. Behind proxies that
/// [`Edge::trusting`](crate::Edge::trusting) names it is the right-most hop of `X-Forwarded-For` or
/// `Forwarded` (RFC 7239) that is none of them; where both headers are there and disagree, neither
/// is believed. Without a peer the caller shares one strict bucket with everybody of whom no more
/// is known.
///
/// # Examples
/// ```
/// use otp_axum::Client;
///
/// async fn hello(Client(context): Client) { /* verifier.issue(issue.from(context)) */ }
/// ```
#[derive(Clone, Debug)]
pub struct Client(pub RequestContext);

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl Client {
    /// Reads what is known of the caller.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        let nobody = TrustedProxies::none();
        let believed = parts.extensions.get::<Believed>();
        let proxies = believed.map_or(&nobody, |Believed(proxies)| proxies);
        // Without a peer the request counts in the strict bucket of unknown addresses.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let mut context = match peer {
            Some(ConnectInfo(peer)) => {
                RequestContext::from_address(address(proxies, peer.ip(), &parts.headers))
            }
            None => RequestContext::new(),
        };
        if let Some(agent) = text(&parts.headers, &USER_AGENT) {
            context = context.user_agent(agent);
        }
        if let Some(id) = parts.extensions.get::<RequestId>() {
            context = context.request_id(id.as_str());
        }
        if let Some(id) = device(&parts.headers) {
            context = context.device_id(id);
        }
        Self(context)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Reads the id of the device: one header, 1 to 128 visible characters of ASCII; else there is none.
fn device(headers: &HeaderMap) -> Option<DeviceId> {
    let mut ids = headers.get_all(&X_DEVICE_ID).iter();
    match (ids.next(), ids.next()) {
        (Some(id), None) => DeviceId::new(id.to_str().ok()?).ok(),
        _ => None,
    }
}

/// Finds the client's address.
///
/// A proxy writes one of the two headers and passes the other on as the client sent it. Which one
/// is not known here, so where both are there and disagree neither is believed.
fn address(proxies: &TrustedProxies, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let plain = values(headers, &X_FORWARDED_FOR);
    let standard = forwarded(&values(headers, &FORWARDED));
    let believed = |hops: &[String]| proxies.client(peer, hops.iter().map(String::as_str));
    match (plain.is_empty(), standard.is_empty()) {
        (true, true) => peer.to_canonical(),
        (false, true) => believed(&plain),
        (true, false) => believed(&standard),
        (false, false) if believed(&plain) == believed(&standard) => believed(&plain),
        (false, false) => peer.to_canonical(),
    }
}

/// Gives every value of a header; one that is no text becomes a hop that nobody can vouch for.
fn values(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().unwrap_or("unknown").to_owned())
        .collect()
}

/// Takes the `for=` of each hop (RFC 7239 section 5.2). A hop without one is not known.
fn forwarded(values: &[String]) -> Vec<String> {
    values
        .iter()
        .flat_map(|value| value.split(','))
        .map(|hop| {
            let pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
            let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
            named
                .next()
                .map_or("unknown", |(_, address)| address)
                .to_owned()
        })
        .collect()
}
