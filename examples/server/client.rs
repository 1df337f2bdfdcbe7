//! Who is calling.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::{FORWARDED, HeaderName, USER_AGENT};
use axum::http::request::Parts;
use otp_kit::request::{DeviceId, RequestContext, TrustedProxies};

use crate::app::App;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The id that an app or a page gives its installation. Operators block devices by it, and it earns
/// a request nothing: a client may send any.
const X_DEVICE_ID: HeaderName = HeaderName::from_static("x-device-id");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of the caller, for limits and for the audit log.
pub(crate) struct Client(pub(crate) RequestContext);

impl FromRequestParts<Arc<App>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, Self::Rejection> {
        // Without a peer the request counts in the strict bucket of unknown addresses.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let mut context = match peer {
            Some(ConnectInfo(peer)) => {
                let address = address(&app.proxies, peer.ip(), &parts.headers);
                RequestContext::from_address(address)
            }
            None => RequestContext::new(),
        };
        if let Some(agent) = text(&parts.headers, &USER_AGENT) {
            context = context.user_agent(agent);
        }
        if let Some(id) = text(&parts.headers, &X_REQUEST_ID) {
            context = context.request_id(id);
        }
        if let Some(id) = device(&parts.headers) {
            context = context.device_id(id);
        }
        Ok(Self(context))
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
