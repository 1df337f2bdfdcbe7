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
use tokio::runtime::Handle;

use super::lock;
use crate::guard::{Figures, FleetFigures, Sending};
use crate::key::{KeyMaterial, KeySet, mac};
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
    /// The number under every key of the ring, the current one first: it is counted under that one,
    /// and found under any.
    number: Vec<StatKey>,
}

impl Keys {
    fn of(sending: &Sending<'_>, keys: &KeySet) -> Self {
        let tenant = sending.tenant;
        let phone = sending.phone;
        let country = match phone.country() {
            Some(country) => country.code().to_owned(),
            None => format!("+{}", phone.calling_code()),
        };
        // Nobody who sees a dashboard, or a copy of the store, is to find a client's address or a
        // number by trying all there are.
        let client = hashed(keys.current(), b"client", &sending.address.bucket());
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
        let older = keys.ids().filter(|id| *id != keys.current().id());
        let number = |key: &KeyMaterial| {
            let number = hashed(key, b"number", sending.number.as_str());
            StatKey::new(NUMBER?, tenant, &number)
        };
        let of_older = older.filter_map(|id| keys.get(id)).filter_map(number);
        Self {
            sent: all_sent,
            verified: all_verified,
            number: number(keys.current()).into_iter().chain(of_older).collect(),
        }
    }
}

fn hashed(key: &KeyMaterial, what: &[u8], value: &str) -> String {
    let mac = mac(key.code_key(), &[b"guard", what, value.as_bytes()]);
    URL_SAFE_NO_PAD.encode(mac.as_bytes().get(..12).unwrap_or_default())
}

/// Asks what the whole fleet has counted: in one round trip's time, and zeros where that fails or
/// takes long.
pub(super) async fn figures(
    store: &dyn Store,
    keys: &KeySet,
    sending: &Sending<'_>,
) -> FleetFigures {
    let keys = Keys::of(sending, keys);
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
    pub(super) fn sent(
        self: &Arc<Self>,
        store: &Arc<dyn Store>,
        keys: &KeySet,
        sending: &Sending<'_>,
    ) {
        self.count(store, Keys::of(sending, keys).sent);
    }

    pub(super) fn verified(
        self: &Arc<Self>,
        store: &Arc<dyn Store>,
        keys: &KeySet,
        sending: &Sending<'_>,
    ) {
        let keys = Keys::of(sending, keys);
        let number = keys.number.into_iter().take(1);
        self.count(store, keys.verified.into_iter().chain(number));
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
    use crate::challenge::Lane;
    use crate::destination::{Destination, PhoneNumber};
    use crate::key::{Key, KeyId, KeyRing};
    use crate::quota::ClientAddress;
    use crate::request::{SubjectKey, Tenant};
    use crate::secret::SecretBytes;

    fn key(id: &str, byte: u8) -> Key {
        Key::new(KeyId::new(id).unwrap(), &SecretBytes::new(vec![byte; 32])).unwrap()
    }

    fn keys_under(ring: &KeyRing) -> Keys {
        let phone = PhoneNumber::parse("+14155550123").unwrap();
        let number = SubjectKey::of_destination(&Destination::Phone(phone.clone()));
        let sending = Sending {
            tenant: &Tenant::default(),
            subject: None,
            phone: &phone,
            number: &number,
            address: ClientAddress::from(std::net::IpAddr::from([203, 0, 113, 9])),
            lane: Lane::Public,
        };
        Keys::of(&sending, &ring.snapshot())
    }

    #[test]
    fn whoever_has_the_counters_and_not_the_keys_finds_no_client_and_no_number_by_trying_all() {
        let ours = keys_under(&KeyRing::new(key("a", 1)));
        let theirs = keys_under(&KeyRing::new(key("a", 2)));
        let differing = ours.sent.iter().zip(&theirs.sent);
        let differing = differing.filter(|(ours, theirs)| ours != theirs).count();
        assert_eq!(
            differing, 1,
            "the client's, and no range, country or tenant"
        );
        assert_ne!(ours.number, theirs.number);
        assert_eq!(ours.number, keys_under(&KeyRing::new(key("a", 1))).number);
    }

    #[test]
    fn a_number_that_was_counted_before_a_rotation_is_found_after_it() {
        let ring = KeyRing::new(key("old", 1));
        let before = keys_under(&ring).number;
        ring.rotate(key("new", 2)).unwrap();
        let after = keys_under(&ring).number;
        assert_eq!(after.len(), 2);
        assert_ne!(after[0], before[0], "counted under the current key");
        assert_eq!(after[1], before[0]);
    }

    #[tokio::test(start_paused = true)]
    async fn two_things_at_once_take_as_long_as_the_longer() {
        let begun = tokio::time::Instant::now();
        let long = tokio::time::sleep(Duration::from_secs(3));
        let short = tokio::time::sleep(Duration::from_secs(2));
        beside(long, short).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(3));
    }
}
