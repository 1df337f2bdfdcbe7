//! A service as a host would build it, on a clock that the test moves.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::Arc;
use std::time::Duration;

use otp_kit::challenge::ChallengeId;
use otp_kit::clock::Timestamp;
use otp_kit::prelude::*;
use otp_kit::store::{MemoryStore, SqliteOptions, SqliteStore};
use otp_kit::testing::{ManualClock, Outbox};
use otp_kit::verifier::{Present, VerifierBuilder};

pub(crate) const PHONE: &str = "+14155550123";

/// What a verifier is configured with beyond the least.
pub(crate) type Builder = VerifierBuilder<Present, Present>;

/// The verifier, what it sent, and the time.
pub(crate) struct Service {
    pub(crate) verifier: Verifier,
    pub(crate) outbox: Outbox,
    pub(crate) clock: ManualClock,
    pub(crate) keys: KeyRing,
    _folder: Option<tempfile::TempDir>,
}

impl Service {
    /// On the memory store.
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// On the memory store, configured.
    pub(crate) fn with(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = start();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        Self::on(store, clock, None, configure)
    }

    /// On every store there is, each fresh.
    pub(crate) async fn everywhere(configure: impl Fn(Builder) -> Builder) -> Vec<Self> {
        let clock = start();
        let folder = tempfile::tempdir().unwrap();
        // No storm is an outage, however slow the machine.
        let options = SqliteOptions::file(folder.path().join("otp.db"))
            .deadline(Duration::from_secs(60))
            .clock(Arc::new(clock.clone()));
        let sqlite = SqliteStore::with_options(options).await.unwrap();
        vec![
            Self::with(&configure),
            Self::on(sqlite, clock, Some(folder), &configure),
        ]
    }

    fn on(
        store: impl Store,
        clock: ManualClock,
        folder: Option<tempfile::TempDir>,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let outbox = Outbox::new();
        let keys = KeyRing::generate(&OsRandom).unwrap();
        let builder = Verifier::builder(store, keys.clone())
            .route(Channel::Sms, Route::primary(outbox.clone()))
            .route(Channel::Email, Route::primary(outbox.clone()))
            .limits(Limits::recommended())
            .hasher(CodeHasher::keyed())
            .clock(clock.clone());
        Self {
            verifier: configure(builder).build().unwrap(),
            outbox,
            clock,
            keys,
            _folder: folder,
        }
    }

    /// Gives the code of the newest message to an address.
    pub(crate) fn code(&self, destination: &str) -> String {
        let destination = Destination::parse(destination, None).unwrap();
        let code = self.outbox.last_code_for(&destination);
        code.expect("a message was sent").expose().to_owned()
    }

    /// Issues a code for the usual phone from the usual place.
    pub(crate) async fn issue(&self) -> (ChallengeId, String) {
        self.issue_to(PHONE, "login").await
    }

    /// Issues a code for a destination and a purpose.
    pub(crate) async fn issue_to(&self, to: &str, purpose: &str) -> (ChallengeId, String) {
        let destination = Destination::parse(to, None).unwrap();
        let issue = Issue::to(destination).for_purpose(purpose).from(here());
        let issued = self.verifier.issue(issue).await.unwrap();
        (issued.challenge_id, self.code(to))
    }

    /// Issues a code to sign in, asked for from another place for each number.
    pub(crate) async fn issue_from(&self, to: &str, number: u32) -> (ChallengeId, String) {
        let destination = Destination::parse(to, None).unwrap();
        let issue = Issue::to(destination).for_purpose("login");
        let issued = self.verifier.issue(issue.from(from_anywhere(number))).await;
        (issued.unwrap().challenge_id, self.code(to))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn start() -> ManualClock {
    ManualClock::new(Timestamp::from_millis(1_800_000_000_000))
}

/// A request from one place.
pub(crate) fn here() -> RequestContext {
    RequestContext::from_address("203.0.113.7".parse().unwrap())
}

/// A request from another place each time: one of a botnet's million addresses.
pub(crate) fn from_anywhere(number: u32) -> RequestContext {
    // Each in a /48 of its own: networks count as well.
    let bits = (0x2a00_u128 << 112) | (u128::from(number) << 80) | 1;
    RequestContext::from_address(std::net::Ipv6Addr::from_bits(bits).into())
}

/// A code of the same shape that is not this one.
pub(crate) fn wrong(code: &str) -> String {
    let flip = if code.starts_with('0') { "1" } else { "0" };
    format!("{flip}{}", &code[1..])
}

/// Reads how much of something a test is to do.
pub(crate) fn figure(name: &str, default: u32) -> u32 {
    let asked = std::env::var(name).ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(default)
}
