//! A sign-in service as a host has it, with nothing slow of its own: a provider that keeps the codes
//! in memory, a keyed digest, and every limit in its place at a figure that nobody meets here.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use otp_kit::delivery::{DeliveryError, DeliveryProvider, Message, Receipt};
use otp_kit::event::{Event, Observer};
use otp_kit::prelude::*;
use otp_kit::quota::{Quota, Scope};
use otp_kit::session::{SessionRules, Sessions, SignIn};
use otp_kit::store::SessionStore;

use crate::side::Outcome;

/// The service, and the codes that it has sent.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    verifier: Verifier,
    sessions: Sessions,
    codes: Codes,
}

impl Service {
    pub(crate) fn on(store: impl Store + SessionStore + Clone) -> Outcome<Self> {
        let keys = KeyRing::generate(&OsRandom)?;
        let codes = Codes::default();
        let rules = SessionRules::new("https://login.example.org")?;
        let sessions = Sessions::new(Arc::new(store.clone()), keys.clone(), rules);
        let verifier = Verifier::builder(store, keys)
            .route(Channel::Email, Route::primary(codes.clone()))
            .limits(limits()?)
            .hasher(CodeHasher::keyed())
            .observer(Silent)
            .build()?;
        Ok(Self {
            verifier,
            sessions,
            codes,
        })
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Takes the code out of the message that a person got.
    pub(crate) fn code(&self, address: &str) -> Outcome<String> {
        let mut codes = self.codes.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes
            .remove(address)
            .ok_or_else(|| "no message arrived".into())
    }

    pub(crate) async fn issue(&self, person: &Person) -> Outcome<ChallengeId> {
        let to = EmailAddress::parse(&person.address)?;
        let issue = Issue::to(to).for_purpose("login").from(&person.context);
        Ok(self.verifier.issue(issue).await?.challenge_id)
    }

    pub(crate) async fn verify(&self, id: &ChallengeId, person: &Person) -> Outcome<Verified> {
        let code = self.code(&person.address)?;
        Ok(self.verifier.verify(id, code, &person.context).await?)
    }

    /// All of it, from the address to the tokens of a session.
    pub(crate) async fn sign_in(&self, person: &Person) -> Outcome {
        let id = self.issue(person).await?;
        let verified = self.verify(&id, person).await?;
        let proof = SignIn::of(&verified, &person.subject)?;
        self.sessions.start(proof, &person.context).await?;
        Ok(())
    }
}

/// Who signs in, from a place of their own.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) address: String,
    pub(crate) place: Ipv4Addr,
    context: RequestContext,
    subject: SubjectId,
}

impl Person {
    pub(crate) fn number(number: u64) -> Outcome<Self> {
        let place = Ipv4Addr::from_bits(0x0a00_0000 | u32::try_from(number % (1 << 24))?);
        Ok(Self {
            address: format!("person-{number}@example.org"),
            place,
            context: RequestContext::from_address(place.into()),
            subject: SubjectId::new(&format!("user-{number}"))?,
        })
    }

    pub(crate) fn several(many: u64) -> Outcome<Vec<Self>> {
        (0..many).map(Self::number).collect()
    }
}

fn limits() -> Outcome<Limits> {
    let roomy = Quota::rate(1_000_000, Duration::from_secs(100))?;
    let limits = Limits::recommended()
        .without(Scope::Address)
        .without(Scope::Subject)
        .without(Scope::Destination);
    let scopes = [Scope::Address, Scope::Subject, Scope::Destination];
    let limits = scopes
        .into_iter()
        .fold(limits, |limits, scope| limits.on_issue(scope, roomy));
    Ok(limits
        .on_resend(Scope::Address, roomy)
        .on_verify(Scope::Address, roomy))
}

/// The codes by their destinations.
#[derive(Clone, Debug, Default)]
struct Codes(Arc<Mutex<HashMap<String, String>>>);

#[async_trait]
impl DeliveryProvider for Codes {
    fn name(&self) -> &str {
        "pocket"
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Email]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let to = message.destination().canonical().to_owned();
        let code = message.code().expose().to_owned();
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.insert(to, code);
        Ok(Receipt::accepted("pocket"))
    }
}

#[derive(Debug)]
struct Silent;

impl Observer for Silent {
    fn observe(&self, _: &Event) {}
}
