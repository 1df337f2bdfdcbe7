use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use otp_core::clock::Timestamp;
use tokio::sync::Mutex as Turn;

use super::super::WebhookError;
use super::certificate::{CertificateSource, CertificateUrl, RsaKey};

/// Amazon changes certificates about once a year, per region.
const MOST_CERTIFICATES: usize = 16;
/// How long an address that gave no certificate is not asked again.
const REST: Duration = Duration::from_secs(60);
/// How many addresses may give none within that time; then no new address is asked.
const MOST_FAILURES: usize = 8;

/// The keys that were fetched, and what was fetched in vain.
///
/// Whoever knows the topic can name addresses without signing anything. So one fetch goes on at a
/// time, and an address that gave nothing rests, as does every new one after too many of those.
/// Keys that are known never wait.
#[derive(Default)]
pub(super) struct Keys {
    known: Mutex<BTreeMap<String, RsaKey>>,
    failures: Turn<Failures>,
}

/// When each address gave nothing.
#[derive(Default)]
struct Failures(BTreeMap<String, Timestamp>);

impl Keys {
    /// Gives the key at an address that was checked. Racing callers wait for one fetch.
    pub(super) async fn get(
        &self,
        url: &CertificateUrl,
        source: &dyn CertificateSource,
        now: Timestamp,
    ) -> Result<RsaKey, WebhookError> {
        if let Some(key) = self.known(url) {
            return Ok(key);
        }
        let mut failures = self.failures.lock().await;
        if let Some(key) = self.known(url) {
            return Ok(key);
        }
        failures.allow(url, now)?;
        // A caller that goes away in the middle has not found anything either.
        failures.0.insert(url.as_str().to_owned(), now);
        let pem = source.fetch(url).await.ok();
        let key = pem.and_then(|pem| RsaKey::of_pem(&pem));
        let key = key.ok_or(WebhookError::KeyUnavailable)?;
        failures.0.remove(url.as_str());
        let mut keys = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        while keys.len() >= MOST_CERTIFICATES && keys.pop_first().is_some() {}
        keys.insert(url.as_str().to_owned(), key.clone());
        Ok(key)
    }

    fn known(&self, url: &CertificateUrl) -> Option<RsaKey> {
        let keys = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(url.as_str()).cloned()
    }
}

impl Failures {
    fn allow(&mut self, url: &CertificateUrl, now: Timestamp) -> Result<(), WebhookError> {
        // A clock that was set back must not keep an address resting.
        self.0
            .retain(|_, at| now.since(*at).max(at.since(now)) < REST);
        if self.0.contains_key(url.as_str()) || self.0.len() >= MOST_FAILURES {
            return Err(WebhookError::KeyUnavailable);
        }
        Ok(())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::certificate::CertificateUnavailable;
    use super::*;
    use crate::webhook::async_trait;

    const NOW: Timestamp = Timestamp::from_millis(1_748_779_200_000);

    /// Has nothing, and takes a turn of the scheduler to say so.
    #[derive(Debug, Default)]
    struct Nothing(AtomicUsize);

    #[async_trait]
    impl CertificateSource for Nothing {
        async fn fetch(&self, _url: &CertificateUrl) -> Result<Vec<u8>, CertificateUnavailable> {
            self.0.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Err(CertificateUnavailable)
        }
    }

    fn url(page: usize) -> CertificateUrl {
        let text = format!("https://sns.eu-west-1.amazonaws.com/S-{page}.pem");
        CertificateUrl::parse(&text).expect("a url")
    }

    #[tokio::test]
    async fn whoever_knows_the_topic_makes_us_fetch_an_address_once_a_minute() {
        let (keys, source) = (Keys::default(), Nothing::default());
        let ask = async |now| keys.get(&url(0), &source, now).await.err();
        let unavailable = Some(WebhookError::KeyUnavailable);
        let (a, b) = tokio::join!(ask(NOW), ask(NOW));
        assert_eq!([a, b], [unavailable; 2]);
        assert_eq!(ask(NOW.saturating_add(REST / 2)).await, unavailable);
        assert_eq!(source.0.load(Ordering::Relaxed), 1);
        assert_eq!(ask(NOW.saturating_add(REST)).await, unavailable);
        assert_eq!(source.0.load(Ordering::Relaxed), 2);
        // Set back by an hour, the clock does not make it rest for an hour.
        let back = NOW.saturating_sub(Duration::from_secs(3_600));
        assert_eq!(ask(back).await, unavailable);
        assert_eq!(source.0.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn addresses_that_are_made_up_are_not_fetched_without_end() {
        let (keys, source) = (Keys::default(), Nothing::default());
        for page in 0..100 {
            let answer = keys.get(&url(page), &source, NOW).await.err();
            assert_eq!(answer, Some(WebhookError::KeyUnavailable));
        }
        assert_eq!(source.0.load(Ordering::Relaxed), MOST_FAILURES);
        let later = NOW.saturating_add(REST);
        drop(keys.get(&url(100), &source, later).await);
        assert_eq!(source.0.load(Ordering::Relaxed), MOST_FAILURES + 1);
    }
}
