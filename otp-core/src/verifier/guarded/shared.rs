//! What the guards of a fleet tell one another through the store's counters.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use super::lock;
use crate::guard::{Figures, FleetFigures, Sending};
use crate::store::{StatKey, StatName, StatWindow, Store, StoreError};

/// How long a judgement waits for the figures of the fleet; then its own have to do.
const PATIENCE: Duration = Duration::from_millis(200);
/// In which people may still be typing.
const FRESH: Duration = Duration::from_secs(180);
/// Counters that may wait to be written, and how many go at once.
const WAITING: usize = 4_096;
const AT_ONCE: usize = 512;

const RANGE: [Option<StatName>; 2] = names("range_sent", "range_verified");
const COUNTRY: [Option<StatName>; 2] = names("country_sent", "country_verified");
const CLIENT: [Option<StatName>; 2] = names("client_sent", "client_verified");
const TENANT: [Option<StatName>; 2] = [Some(StatName::SENT), Some(StatName::VERIFIED)];
const NUMBER: Option<StatName> = StatName::new("number_verified");

const fn names(sent: &'static str, verified: &'static str) -> [Option<StatName>; 2] {
    [StatName::new(sent), StatName::new(verified)]
}

/// The counters of one message.
struct Keys {
    sent: Vec<StatKey>,
    verified: Vec<StatKey>,
    number: Vec<StatKey>,
}

impl Keys {
    fn of(sending: &Sending<'_>) -> Self {
        let tenant = sending.tenant;
        let phone = sending.phone;
        let country = match phone.country() {
            Some(country) => country.code().to_owned(),
            None => format!("+{}", phone.calling_code()),
        };
        // Nobody who sees a dashboard is to see a client's address or a number's pseudonym.
        let client = hashed(&sending.address.bucket());
        let number = hashed(sending.number.as_str());
        let of = |[sent, verified]: [Option<StatName>; 2], value: &str| {
            let key = |name: Option<StatName>| StatKey::new(name?, tenant, value);
            [key(sent), key(verified)]
        };
        let places = [
            of(RANGE, phone.range().expose()),
            of(COUNTRY, &country),
            of(CLIENT, &client),
            TENANT.map(|name| Some(StatKey::total(name?, tenant))),
        ];
        let (mut all_sent, mut all_verified) = (Vec::new(), Vec::new());
        for [sent, verified] in places {
            all_sent.extend(sent);
            all_verified.extend(verified);
        }
        let number = NUMBER.and_then(|name| StatKey::new(name, tenant, &number));
        Self {
            sent: all_sent,
            verified: all_verified,
            number: number.into_iter().collect(),
        }
    }
}

fn hashed(value: &str) -> String {
    let hash = Sha256::digest(value.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.get(..12).unwrap_or_default())
}

/// Asks what the whole fleet has counted: in one round trip's time, and zeros where that fails or
/// takes long.
pub(super) async fn figures(store: &dyn Store, sending: &Sending<'_>) -> FleetFigures {
    let keys = Keys::of(sending);
    let hour: Vec<_> = keys.sent.iter().chain(&keys.verified).cloned().collect();
    let places = keys.sent.len();
    let asked = beside(
        store.sums(&hour, StatWindow::HOUR),
        beside(
            store.sums(&keys.sent, StatWindow::last(FRESH)),
            store.sums(&keys.number, StatWindow::WEEK),
        ),
    );
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok((Ok(hour), (Ok(fresh), Ok(number)))) => {
            let figure = |of: &[u64], at: usize| of.get(at).copied().unwrap_or_default();
            let place = |at: usize| Figures {
                sent: figure(&hour, at),
                verified: figure(&hour, at.saturating_add(places)),
                fresh: figure(&fresh, at),
            };
            FleetFigures {
                range: place(0),
                country: place(1),
                address: place(2),
                tenant: place(3),
                verified_before: number.iter().any(|verified| *verified > 0),
            }
        }
        Ok(_) | Err(_) => {
            tracing::debug!(target: "otp_kit", "the guard judges without the fleet's figures");
            FleetFigures::default()
        }
    }
}

/// Counts that are on their way to the store: so many and no more, written by one task at a time,
/// and lost where the store is away.
#[derive(Debug, Default)]
pub(super) struct Counting {
    waiting: Mutex<HashMap<StatKey, u32>>,
    writes: AtomicBool,
}

impl Counting {
    pub(super) fn sent(self: &Arc<Self>, store: &Arc<dyn Store>, sending: &Sending<'_>) {
        self.count(store, Keys::of(sending).sent);
    }

    pub(super) fn verified(self: &Arc<Self>, store: &Arc<dyn Store>, sending: &Sending<'_>) {
        let keys = Keys::of(sending);
        self.count(store, keys.verified.into_iter().chain(keys.number));
    }

    fn count(self: &Arc<Self>, store: &Arc<dyn Store>, keys: impl IntoIterator<Item = StatKey>) {
        {
            let mut waiting = lock(&self.waiting);
            for key in keys {
                if waiting.len() < WAITING || waiting.contains_key(&key) {
                    let count = waiting.entry(key).or_default();
                    *count = count.saturating_add(1);
                }
            }
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if !self.writes.swap(true, Ordering::AcqRel) {
            let (counting, store) = (Arc::clone(self), Arc::clone(store));
            drop(runtime.spawn(async move { counting.write(store.as_ref()).await }));
        }
    }

    async fn write(&self, store: &dyn Store) {
        loop {
            let batch = self.take();
            if batch.is_empty() {
                self.writes.store(false, Ordering::Release);
                // What came between the look and the word is somebody's to write.
                let left = !lock(&self.waiting).is_empty();
                if left && !self.writes.swap(true, Ordering::AcqRel) {
                    continue;
                }
                return;
            }
            let written: Result<(), StoreError> = store.count(&batch).await;
            if written.is_err() {
                tracing::debug!(target: "otp_kit", "counts of the guard were lost");
            }
        }
    }

    fn take(&self) -> Vec<(StatKey, u32)> {
        let mut waiting = lock(&self.waiting);
        let keys: Vec<_> = waiting.keys().take(AT_ONCE).cloned().collect();
        let counted = |key| waiting.remove_entry(&key);
        keys.into_iter().filter_map(counted).collect()
    }
}

/// Waits for two things at once.
pub(in crate::verifier) async fn beside<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut one, mut two) = (None, None);
    poll_fn(|context| {
        if one.is_none()
            && let Poll::Ready(value) = first.as_mut().poll(context)
        {
            one = Some(value);
        }
        if two.is_none()
            && let Poll::Ready(value) = second.as_mut().poll(context)
        {
            two = Some(value);
        }
        match (one.take(), two.take()) {
            (Some(one), Some(two)) => Poll::Ready((one, two)),
            (ready, other) => {
                (one, two) = (ready, other);
                Poll::Pending
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn two_things_at_once_take_as_long_as_the_longer() {
        let begun = tokio::time::Instant::now();
        let long = tokio::time::sleep(Duration::from_secs(3));
        let short = tokio::time::sleep(Duration::from_secs(2));
        beside(long, short).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(3));
    }
}
