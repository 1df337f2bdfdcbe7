use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::{Clock, SteadyClock, SystemClock, Timestamp};
use crate::event::{Act, Event, EventKind};
use crate::key::{KeyMaterial, KeyRing, KeySet, mac};
use crate::random::{OsRandom, SecureRandom};
use crate::request::{RequestContext, SubjectId, SubjectKey, Tenant};
use crate::store::{
    KeyUse, NewSession, Opened, PutState, Rotate, Rotated, SessionQuery, SessionRecord,
    SessionStore,
};

use super::liveness::Liveness;
use super::{
    AccessToken, RefreshToken, Session, SessionError, SessionRefusal, SessionRules, SignIn,
};

/// The most sessions that a list shows.
const MOST_LISTED: usize = 1_000;

/// Starts, continues, checks and ends sessions. Cheap to clone; clones share everything.
///
/// Keys may be rotated under live sessions: what was signed with an older key holds until that key
/// is retired, and a session moves to the current key when it is refreshed.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_core::key::KeyRing;
/// use otp_core::session::{Methods, SessionRules, Sessions, SignIn};
/// # use otp_core::clock::{Clock, SystemClock};
/// # use otp_core::random::OsRandom;
/// # use otp_core::request::{RequestContext, SubjectId, Tenant};
/// # #[cfg(feature = "testing")]
/// # otp_core::testing::store::run(async {
/// # let store = otp_core::testing::session::ReferenceSessions::new(Arc::new(SystemClock));
/// # let proof = SignIn::by_host(
/// #     &Tenant::default(),
/// #     &SubjectId::new("alice").unwrap(),
/// #     Methods::new(["otp"]).unwrap(),
/// #     SystemClock.now(),
/// #     &OsRandom,
/// # ).unwrap();
/// let keys = KeyRing::generate(&OsRandom).unwrap();
/// let rules = SessionRules::new("https://login.example.org").unwrap();
/// let sessions = Sessions::new(Arc::new(store), keys, rules);
///
/// // `proof` is a verified code: `SignIn::of(&verified, &subject)`.
/// let context = RequestContext::new();
/// let tokens = sessions.start(proof, &context).await.unwrap();
/// let tenant = Tenant::default();
/// let session = sessions.check(tokens.access.expose(), &tenant).await.unwrap();
/// assert_eq!(session.subject().as_str(), "alice");
///
/// let next = sessions.refresh(tokens.refresh.expose().expose(), &tenant, &context).await.unwrap();
/// sessions.logout(&next.session, &context).await.unwrap();
/// assert!(sessions.check(next.access.expose(), &tenant).await.is_err());
/// # });
/// ```
#[derive(Clone)]
pub struct Sessions {
    store: Arc<dyn SessionStore>,
    keys: KeyRing,
    rules: Arc<SessionRules>,
    clock: SteadyClock,
    random: Arc<dyn SecureRandom>,
    liveness: Arc<Liveness>,
}

/// The tokens of a session, on their way to the client and nowhere else.
#[derive(Debug)]
pub struct Tokens {
    /// Lets in for some minutes.
    pub access: AccessToken,
    /// Continues the session, once.
    pub refresh: RefreshToken,
    /// What the access token says.
    pub session: Session,
}

impl Sessions {
    /// Puts the parts together, on the system's clock and randomness.
    #[must_use]
    pub fn new(store: Arc<dyn SessionStore>, keys: KeyRing, rules: SessionRules) -> Self {
        Self {
            store,
            keys,
            rules: Arc::new(rules),
            clock: SteadyClock::new(Arc::new(SystemClock)),
            random: Arc::new(OsRandom),
            liveness: Arc::default(),
        }
    }

    /// Replaces the clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = SteadyClock::new(Arc::new(clock));
        self
    }

    /// Replaces the source of randomness. Default: the operating system's.
    #[must_use]
    pub fn random(mut self, random: impl SecureRandom) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Gives the store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn SessionStore> {
        &self.store
    }

    /// Starts a session for a proof, once: of callers that race with one proof one gets the tokens.
    /// A start whose try the client named ([`SignIn::named`]) and whose answer was lost is answered
    /// with the same tokens until they are used.
    ///
    /// End the session that the client had before, if it had one ([`logout`](Self::logout)).
    ///
    /// # Errors
    /// [`SessionError`]; [`ProofUsed`](SessionRefusal::ProofUsed) and
    /// [`ProofStale`](SessionRefusal::ProofStale) refuse the proof.
    pub async fn start(
        &self,
        sign_in: SignIn,
        context: &RequestContext,
    ) -> Result<Tokens, SessionError> {
        let keys = self.keys.snapshot();
        if self.is_stale(&sign_in)? {
            return self.start_again(&sign_in, &keys).await;
        }
        let refresh = self.first(&sign_in, keys.current())?;
        let subject = SubjectKey::of_subject(&sign_in.subject);
        let event = Event::new(EventKind::SessionStarted, &sign_in.tenant)
            .about(&subject)
            .from_request(context);
        let new = NewSession {
            id: sign_in.session,
            tenant: sign_in.tenant.clone(),
            subject: sign_in.subject.clone(),
            methods: sign_in.methods.clone(),
            class: sign_in.class.clone(),
            authenticated_at: sign_in.at,
            key_id: refresh.key(),
            digest: refresh.digest(&keys).ok_or(SessionRefusal::NotOurs)?,
            life: self.rules.life,
            idle: self.rules.idle,
            event,
        };
        match self.store.open(new).await? {
            Opened::Fresh(record) => self.tokens(&record, refresh, &keys),
            Opened::Known(record) => {
                let refresh = self.repeated(&sign_in, &record, &keys);
                self.tokens(&record, refresh.ok_or(SessionRefusal::ProofUsed)?, &keys)
            }
        }
    }

    fn is_stale(&self, sign_in: &SignIn) -> Result<bool, SessionError> {
        let age = self.clock.read()?.since(sign_in.at);
        Ok(age > SignIn::LIFE.saturating_add(self.rules.leeway))
    }

    /// Answers a start whose proof is old: a recorded answer bears the time of the first one, and
    /// starts nothing that is not there.
    async fn start_again(&self, sign_in: &SignIn, keys: &KeySet) -> Result<Tokens, SessionError> {
        let live = match sign_in.repeated {
            true => self.store.live(&sign_in.session).await?,
            false => None,
        };
        let record = live.ok_or(SessionRefusal::ProofStale)?;
        let refresh = self.repeated(sign_in, &record, keys);
        self.tokens(&record, refresh.ok_or(SessionRefusal::ProofUsed)?, keys)
    }

    fn first(&self, sign_in: &SignIn, key: &KeyMaterial) -> Result<RefreshToken, SessionError> {
        let (tenant, session) = (&sign_in.tenant, sign_in.session);
        Ok(match &sign_in.attempt {
            Some(attempt) => RefreshToken::of_attempt(key, tenant, session, attempt),
            None => RefreshToken::random(key, tenant, session, self.random.as_ref())?,
        })
    }

    /// Makes the first token again, where it is this very try's and still in use.
    fn repeated(
        &self,
        sign_in: &SignIn,
        record: &SessionRecord,
        keys: &KeySet,
    ) -> Option<RefreshToken> {
        let attempt = sign_in.attempt.as_ref()?;
        let key = keys.get(&record.key_id)?;
        let token = RefreshToken::of_attempt(key, &sign_in.tenant, sign_in.session, attempt);
        let is_in_use = token.digest(keys)? == record.digest && record.ended_at.is_none();
        is_in_use.then_some(token)
    }

    fn tokens(
        &self,
        record: &SessionRecord,
        refresh: RefreshToken,
        keys: &KeySet,
    ) -> Result<Tokens, SessionError> {
        let key = keys.get(&refresh.key()).ok_or(SessionRefusal::NotOurs)?;
        let id = mac(
            key.token_key(),
            &[
                b"access token id",
                record.id.as_bytes(),
                record.digest.as_bytes(),
            ],
        );
        let id = format!("{}.{}", record.id, short(id.as_bytes()));
        let session = Session::of(record, self.rules.access_life, id);
        let access = AccessToken::sign(key, &session, &self.rules);
        Ok(Tokens {
            access: access.ok_or(SessionError::Signing)?,
            refresh,
            session,
        })
    }

    /// Turns a refresh token over for the next one, with a new access token.
    ///
    /// Of callers that race with one token all get the same successor, and so does one that asks
    /// again within the grace because its answer was lost. After it a token that was spent is in
    /// other hands than its owner's, or its successor is: the session ends (RFC 9700 section
    /// 4.14.2).
    ///
    /// # Errors
    /// [`SessionError`]; a forged token is refused without asking the store.
    pub async fn refresh(
        &self,
        token: &str,
        tenant: &Tenant,
        context: &RequestContext,
    ) -> Result<Tokens, SessionError> {
        let keys = self.keys.snapshot();
        let token = RefreshToken::read(token, tenant, &keys).ok_or(SessionRefusal::NotOurs)?;
        let next = token.successor(keys.current(), tenant);
        let digest = |token: &RefreshToken| token.digest(&keys).ok_or(SessionRefusal::NotOurs);
        let rotate = Rotate {
            session: token.session(),
            presented: digest(&token)?,
            next: digest(&next)?,
            key_id: next.key(),
            grace: self.rules.grace,
            idle: self.rules.idle,
            event: Event::new(EventKind::SessionRefreshed, tenant).from_request(context),
        };
        match self.store.rotate(rotate).await? {
            Rotated::Fresh(record) => self.tokens(&record, next, &keys),
            Rotated::Again(record) => {
                // Whoever was first may have had another current key.
                let key = keys.get(&record.key_id).ok_or(SessionRefusal::NotOurs)?;
                self.tokens(&record, token.successor(key, tenant), &keys)
            }
            Rotated::Reused(record) => {
                self.liveness.forget(&record.id);
                Err(SessionRefusal::Reused.into())
            }
            Rotated::Gone => Err(SessionRefusal::Ended.into()),
        }
    }

    /// Lets an access token in: its signature, its tenant, its times, and that its session has not
    /// ended. That it has ended is seen at once by the handle that ended it, and within
    /// [`SessionRules::freshness`] by every other.
    ///
    /// # Errors
    /// [`SessionError`]; nothing is let in on a failure.
    pub async fn check(&self, token: &str, tenant: &Tenant) -> Result<Session, SessionError> {
        let now = self.clock.read()?;
        let session = self.authentic(token, tenant, now)?;
        let freshness = self.rules.freshness;
        if self.liveness.is_fresh(&session.id, freshness, now) {
            return Ok(session);
        }
        if self.store.live(&session.id).await?.is_none() {
            self.liveness.forget(&session.id);
            return Err(SessionRefusal::Ended.into());
        }
        self.liveness.saw(session.id, freshness, now);
        Ok(session)
    }

    fn authentic(
        &self,
        token: &str,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<Session, SessionRefusal> {
        let session = AccessToken::read(token, &self.keys.snapshot(), &self.rules, now)?;
        if session.tenant == *tenant {
            Ok(session)
        } else {
            Err(SessionRefusal::NotOurs)
        }
    }

    /// Lists an account's live sessions, newest first.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub async fn list(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
    ) -> Result<Vec<SessionRecord>, SessionError> {
        Ok(self.store.sessions(tenant, subject, MOST_LISTED).await?)
    }

    /// Ends a session. Ending it again is no error.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub async fn logout(
        &self,
        session: &Session,
        context: &RequestContext,
    ) -> Result<(), SessionError> {
        let event = self.ending(&session.tenant, &session.subject, context);
        self.end(&SessionQuery::One(session.id), event).await?;
        Ok(())
    }

    /// Ends all sessions of an account, and answers how many.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub async fn logout_all(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
        context: &RequestContext,
    ) -> Result<u64, SessionError> {
        let event = self.ending(tenant, subject, context);
        let query = SessionQuery::Subject(tenant.clone(), subject.clone());
        self.end(&query, event).await
    }

    /// Ends sessions by an operator's hand, and answers how many.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub async fn revoke(&self, query: &SessionQuery, act: &Arc<Act>) -> Result<u64, SessionError> {
        let event = match query {
            SessionQuery::Subject(tenant, subject) => {
                Event::new(EventKind::SessionEnded, tenant).about(&SubjectKey::of_subject(subject))
            }
            SessionQuery::Tenant(tenant) => Event::new(EventKind::SessionEnded, tenant),
            SessionQuery::One(_) | SessionQuery::Everything => {
                Event::new(EventKind::SessionEnded, &Tenant::default())
            }
        };
        self.end(query, event.by(act)).await
    }

    /// Ends, by an operator's hand, the session that an access token was handed out for, by the name
    /// of the token (`jti`) as it is in a log. Its other tokens end with it. Answers how many
    /// sessions ended: one, or none.
    ///
    /// # Errors
    /// [`NotOurs`](SessionRefusal::NotOurs) for what is no name of a token;
    /// [`SessionError::Store`].
    pub async fn revoke_token(&self, token_id: &str, act: &Arc<Act>) -> Result<u64, SessionError> {
        let session = token_id.split_once('.').map(|(session, _)| session.parse());
        let Some(Ok(session)) = session else {
            return Err(SessionRefusal::NotOurs.into());
        };
        self.revoke(&SessionQuery::One(session), act).await
    }

    /// Counts what hangs on keys: live sessions, with when the last access token of each can be
    /// accepted. For a report of all that does.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub async fn key_uses(&self) -> Result<Vec<KeyUse>, SessionError> {
        let mut uses = self.store.session_keys().await?;
        for one in &mut uses {
            one.until = one
                .until
                .map(|end| end.saturating_add(self.rules.overlap()));
        }
        Ok(uses)
    }

    /// Says how long a key must be kept after it was replaced, whatever hangs on it: access tokens of
    /// it may be out, of sessions that have moved on since, and state that is not taken yet.
    #[must_use]
    pub fn overlap(&self) -> Duration {
        self.rules.overlap().max(PutState::LONGEST)
    }

    fn ending(&self, tenant: &Tenant, subject: &SubjectId, context: &RequestContext) -> Event {
        Event::new(EventKind::SessionEnded, tenant)
            .about(&SubjectKey::of_subject(subject))
            .from_request(context)
    }

    async fn end(&self, query: &SessionQuery, event: Event) -> Result<u64, SessionError> {
        let ended = self.store.end(query, event).await;
        // Also where the store failed: it may have ended them all the same.
        match query {
            SessionQuery::One(id) => self.liveness.forget(id),
            _ => self.liveness.forget_all(),
        }
        Ok(ended?)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// Writes half of an authentication code: enough to be one of a kind.
fn short(bytes: &[u8; 32]) -> String {
    let half = bytes.first_chunk::<16>().copied().unwrap_or_default();
    URL_SAFE_NO_PAD.encode(half)
}

#[cfg(test)]
mod tests;
