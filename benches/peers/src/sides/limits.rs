//! A limit in this process, for each of 100,000 keys; and one around a route.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use governor::RateLimiter;
use otp_axum::QuotaLayer;
use otp_kit::clock::{Clock as _, SystemClock};
use otp_kit::quota::{LocalQuotas, Quota, QuotaClaim, QuotaKey, Scope};
use otp_kit::store::MemoryStore;
use tower::{Layer, Service, ServiceExt as _, service_fn};
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;

use super::unknown;
use crate::service::Service as Ours;
use crate::side::{Outcome, play as side};

const KEYS: u32 = 100_000;
/// So many keys further each time: out of order, as requests come.
const STEP: usize = 7_919;
const SECOND: Duration = Duration::from_secs(1);
const THOUSAND: NonZeroU32 = match NonZeroU32::new(1_000) {
    Some(thousand) => thousand,
    None => NonZeroU32::MIN,
};

pub(super) fn play(who: &str) -> Outcome {
    match who {
        "ours-rate" => ours(Quota::rate(1_000, SECOND)?),
        "ours-window" => ours(Quota::window(1_000, SECOND)?),
        "governor" => bare_governor(),
        "ours-layer" => ours_layer(),
        "tower-governor" => tower_governor(),
        _ => unknown(who),
    }
}

fn ours(quota: Quota) -> Outcome {
    let quotas = LocalQuotas::with_capacity(usize::try_from(KEYS)?.try_into()?);
    let claims: Vec<QuotaClaim> = (0..KEYS)
        .map(|n| QuotaKey::new("issue", Scope::Address, "default", &name(n)))
        .map(|key| QuotaClaim::new(key, quota))
        .collect();
    each_of(&claims, |claim| {
        Ok(quotas
            .check(claim, SystemClock.now().as_millis())
            .map(drop)?)
    })
}

fn bare_governor() -> Outcome {
    let limiter = RateLimiter::dashmap(governor::Quota::per_second(THOUSAND));
    let keys: Vec<String> = (0..KEYS).map(name).collect();
    each_of(&keys, |key| {
        limiter.check_key(key).map_err(|_| "it refused".into())
    })
}

fn name(number: u32) -> String {
    format!("user-{number}")
}

fn each_of<T>(things: &[T], check: impl Fn(&T) -> Outcome) -> Outcome {
    // All of them once, so that each key is known.
    things.iter().try_for_each(&check)?;
    let mut at = 0;
    side(|count| {
        for _ in 0..count {
            at = (at + STEP) % things.len();
            check(things.get(at).ok_or("a key")?)?;
        }
        Ok(())
    })
}

/// A route that does nothing, and what is put around it.
fn ours_layer() -> Outcome {
    let ours = Ours::on(MemoryStore::new())?;
    let quota = Quota::rate(1_000, SECOND)?;
    let layer = QuotaLayer::new(ours.verifier(), "hello", quota);
    requests(layer.layer(service_fn(hello)))
}

fn tower_governor() -> Outcome {
    let mut config = GovernorConfigBuilder::default();
    let config = config
        .period(Duration::from_millis(1))
        .burst_size(1_000)
        .finish();
    let layer = GovernorLayer::new(Arc::new(config.ok_or("a quota")?));
    requests(layer.layer(service_fn(hello)))
}

async fn hello(_: Request<Body>) -> Result<Response<Body>, Infallible> {
    Ok(Response::new(Body::from("hello")))
}

/// Asks from 100,000 addresses.
fn requests<S>(service: S) -> Outcome
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let places: Vec<SocketAddr> = (0..KEYS)
        .map(|n| SocketAddr::from((Ipv4Addr::from_bits(0x0a00_0000 + n), 443)))
        .collect();
    each_of(&places, |place| {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(ConnectInfo(*place));
        let answer = runtime.block_on(service.clone().oneshot(request))?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err("it refused".into())
        }
    })
}
