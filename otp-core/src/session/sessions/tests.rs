#![cfg(feature = "testing")]

use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::key::{Key, KeyId};
use crate::random::SeededRandom;
use crate::request::{AttemptId, SessionBinding};
use crate::secret::SecretBytes;
use crate::session::{Methods, OneTimeState, SessionId, StateError};
use crate::testing::session::ReferenceSessions;

struct Desk {
    clock: ManualClock,
    store: Arc<ReferenceSessions>,
    keys: KeyRing,
    sessions: Sessions,
}

const SECOND: Duration = Duration::from_secs(1);

impl Desk {
    fn new() -> Self {
        let clock = ManualClock::default();
        let store = Arc::new(ReferenceSessions::new(Arc::new(clock.clone())));
        let keys = KeyRing::generate(&SeededRandom::new(1)).unwrap();
        let mut desk = Self {
            sessions: Sessions::new(
                Arc::<ReferenceSessions>::clone(&store),
                keys.clone(),
                SessionRules::new("issuer").unwrap(),
            ),
            clock,
            store,
            keys,
        };
        desk.sessions = desk.another();
        desk
    }

    fn kept(&self) -> Arc<ReferenceSessions> {
        Arc::clone(&self.store)
    }

    /// A handle of another instance, over the same store and keys.
    fn another(&self) -> Sessions {
        let rules = SessionRules::new("issuer").unwrap();
        Sessions::new(self.kept(), self.keys.clone(), rules).clock(self.clock.clone())
    }

    fn proof(&self, session: u8) -> SignIn {
        SignIn {
            session: SessionId::from_bytes([session; 18]),
            tenant: Tenant::default(),
            subject: SubjectId::new("alice").unwrap(),
            methods: Methods::new(["sms"]).unwrap(),
            class: None,
            at: self.clock.now(),
            attempt: None,
            repeated: false,
        }
    }

    async fn start(&self, session: u8) -> Tokens {
        let started = self.sessions.start(self.proof(session), &here()).await;
        started.unwrap()
    }

    async fn refresh(&self, tokens: &Tokens) -> Result<Tokens, SessionError> {
        refresh(&self.sessions, tokens).await
    }

    async fn refused(&self, tokens: &Tokens) -> Option<SessionRefusal> {
        check(&self.sessions, tokens).await.err()?.refusal()
    }

    fn rotate_keys(&self, name: &str) -> KeyId {
        let old = *self.keys.snapshot().current().id();
        let secret = SecretBytes::new(name.bytes().cycle().take(32).collect());
        let key = Key::new(KeyId::new(name).unwrap(), &secret).unwrap();
        self.keys.rotate(key).unwrap();
        old
    }
}

fn here() -> RequestContext {
    RequestContext::new()
}

async fn check(sessions: &Sessions, tokens: &Tokens) -> Result<Session, SessionError> {
    let token = tokens.access.expose();
    sessions.check(token, &Tenant::default()).await
}

async fn refresh(sessions: &Sessions, tokens: &Tokens) -> Result<Tokens, SessionError> {
    let token = tokens.refresh.expose();
    let tenant = Tenant::default();
    sessions.refresh(token.expose(), &tenant, &here()).await
}

fn texts(tokens: &Tokens) -> (String, String) {
    let refresh = tokens.refresh.expose().expose().to_owned();
    (tokens.access.expose().to_owned(), refresh)
}

#[tokio::test]
async fn a_proof_starts_one_session() {
    let desk = Desk::new();
    let tokens = desk.start(1).await;
    let session = check(&desk.sessions, &tokens).await.unwrap();
    assert_eq!(session, tokens.session);
    assert_eq!(session.subject().as_str(), "alice");
    let again = desk.another().start(desk.proof(1), &here()).await;
    let refusal = again.unwrap_err().refusal();
    assert_eq!(refusal, Some(SessionRefusal::ProofUsed));
}

#[tokio::test]
async fn a_proof_is_worth_a_minute() {
    let desk = Desk::new();
    let proof = desk.proof(1);
    desk.clock.advance(SignIn::LIFE + SECOND * 6);
    let refusal = desk.sessions.start(proof, &here()).await.unwrap_err();
    assert_eq!(refusal.refusal(), Some(SessionRefusal::ProofStale));
}

#[tokio::test]
async fn a_named_start_is_answered_again_until_its_tokens_are_used() {
    let desk = Desk::new();
    let named = |name| desk.proof(1).named(AttemptId::new(name).unwrap());
    let first = desk.sessions.start(named("try-1"), &here()).await.unwrap();
    desk.clock.advance(SECOND);
    desk.rotate_keys("next");
    let again = desk.another().start(named("try-1"), &here()).await;
    assert_eq!(texts(&again.unwrap()), texts(&first));
    let other = desk.sessions.start(named("try-2"), &here()).await;
    assert_eq!(
        other.unwrap_err().refusal(),
        Some(SessionRefusal::ProofUsed)
    );
    desk.refresh(&first).await.unwrap();
    let late = desk.sessions.start(named("try-1"), &here()).await;
    assert_eq!(late.unwrap_err().refusal(), Some(SessionRefusal::ProofUsed));
}

#[tokio::test]
async fn an_old_recorded_answer_finds_its_session_and_starts_none() {
    let desk = Desk::new();
    let repeated = |session| {
        let proof = desk.proof(session).named(AttemptId::new("try-1").unwrap());
        SignIn {
            at: proof.at.saturating_sub(SECOND * 120),
            repeated: true,
            ..proof
        }
    };
    let none = desk.sessions.start(repeated(1), &here()).await;
    assert_eq!(
        none.unwrap_err().refusal(),
        Some(SessionRefusal::ProofStale)
    );
    let named = desk.proof(2).named(AttemptId::new("try-1").unwrap());
    let first = desk.sessions.start(named, &here()).await.unwrap();
    let again = desk.sessions.start(repeated(2), &here()).await;
    assert_eq!(texts(&again.unwrap()), texts(&first));
}

#[tokio::test]
async fn a_lost_answer_is_given_again_and_a_stolen_token_ends_the_session() {
    let desk = Desk::new();
    let first = desk.start(1).await;
    let next = desk.refresh(&first).await.unwrap();
    assert_ne!(texts(&next), texts(&first));
    desk.clock.advance(SECOND * 9);
    let again = refresh(&desk.another(), &first).await.unwrap();
    assert_eq!(texts(&again), texts(&next));
    desk.clock.advance(SECOND);
    let stolen = desk.refresh(&first).await.unwrap_err();
    assert_eq!(stolen.refusal(), Some(SessionRefusal::Reused));
    assert_eq!(desk.refused(&next).await, Some(SessionRefusal::Ended));
    let over = desk.refresh(&next).await.unwrap_err();
    assert_eq!(over.refusal(), Some(SessionRefusal::Ended));
}

#[tokio::test]
async fn attack_a_forged_refresh_token_ends_nobodys_session() {
    let desk = Desk::new();
    let tokens = desk.start(1).await;
    let (_, text) = texts(&tokens);
    let (kid, body) = text.split_once('.').unwrap();
    // The name of the session is no secret: it is in each access token.
    let forged = format!("{kid}.{}{}", &body[..24], "A".repeat(64));
    let elsewhere = Tenant::new("other").unwrap();
    for (token, tenant) in [(&forged, &Tenant::default()), (&text, &elsewhere)] {
        let refused = desk.sessions.refresh(token, tenant, &here()).await;
        let refusal = refused.unwrap_err().refusal();
        assert_eq!(refusal, Some(SessionRefusal::NotOurs));
    }
    assert!(desk.refresh(&tokens).await.is_ok());
}

#[tokio::test]
async fn attack_a_token_of_one_tenant_is_worth_nothing_at_another() {
    let desk = Desk::new();
    let tokens = desk.start(1).await;
    let other = Tenant::new("other").unwrap();
    let refused = desk.sessions.check(tokens.access.expose(), &other).await;
    assert_eq!(
        refused.unwrap_err().refusal(),
        Some(SessionRefusal::NotOurs)
    );
}

#[tokio::test]
async fn keys_rotate_under_live_sessions() {
    let desk = Desk::new();
    let first = desk.start(1).await;
    let old = desk.rotate_keys("next");
    assert_eq!(desk.refused(&first).await, None);
    let second = desk.refresh(&first).await.unwrap();
    desk.rotate_keys("after-next");
    // The lost answer was made with the key before.
    let again = desk.refresh(&first).await.unwrap();
    assert_eq!(texts(&again), texts(&second));
    desk.keys.retire(&old).unwrap();
    assert_eq!(desk.refused(&first).await, Some(SessionRefusal::NotOurs));
    assert_eq!(desk.refused(&second).await, None);
    assert!(desk.refresh(&second).await.is_ok());
}

#[tokio::test]
async fn an_ended_session_is_seen_at_once_here_and_within_a_second_elsewhere() {
    let desk = Desk::new();
    let tokens = desk.start(1).await;
    let elsewhere = desk.another();
    assert!(check(&elsewhere, &tokens).await.is_ok());
    assert!(check(&desk.sessions, &tokens).await.is_ok());
    desk.sessions
        .logout(&tokens.session, &here())
        .await
        .unwrap();
    assert_eq!(desk.refused(&tokens).await, Some(SessionRefusal::Ended));
    desk.clock.advance(SECOND);
    let refused = check(&elsewhere, &tokens).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(SessionRefusal::Ended));
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session_of_the_account() {
    let desk = Desk::new();
    let (one, two) = (desk.start(1).await, desk.start(2).await);
    let alice = SubjectId::new("alice").unwrap();
    let tenant = Tenant::default();
    assert_eq!(desk.sessions.list(&tenant, &alice).await.unwrap().len(), 2);
    let ended = desk.sessions.logout_all(&tenant, &alice, &here()).await;
    assert_eq!(ended.unwrap(), 2);
    for tokens in [&one, &two] {
        assert_eq!(desk.refused(tokens).await, Some(SessionRefusal::Ended));
        let refused = desk.refresh(tokens).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(SessionRefusal::Ended));
    }
}

#[tokio::test]
async fn an_access_token_ends_with_its_session_at_the_latest() {
    let desk = Desk::new();
    let rules = SessionRules::new("issuer").unwrap();
    let rules = rules.life(Duration::from_secs(90)).unwrap();
    let short = Sessions::new(desk.kept(), desk.keys.clone(), rules).clock(desk.clock.clone());
    let tokens = short.start(desk.proof(1), &here()).await.unwrap();
    let end = desk.clock.now().saturating_add(Duration::from_secs(90));
    assert_eq!(tokens.session.expires_at(), end.into());
}

#[tokio::test]
async fn a_clock_that_went_back_lets_nobody_in() {
    let desk = Desk::new();
    let tokens = desk.start(1).await;
    desk.clock.step_back(SECOND * 60);
    let failed = check(&desk.sessions, &tokens).await.unwrap_err();
    assert!(matches!(failed, SessionError::Clock(_)));
}

#[tokio::test]
async fn no_error_shows_a_token() {
    let desk = Desk::new();
    let tokens = desk.start(1).await;
    let (access, refresh) = texts(&tokens);
    let shown = format!("{tokens:?}{:?}", desk.store);
    let (_, body) = refresh.rsplit_once('.').unwrap();
    let (_, signature) = access.rsplit_once('.').unwrap();
    assert!(!shown.contains(&body[24..]) && !shown.contains(signature));
}

#[tokio::test]
async fn state_is_worth_one_use_in_its_browser_under_its_name() {
    let desk = Desk::new();
    let states = OneTimeState::new(desk.kept(), desk.keys.clone());
    let browser = SessionBinding::of(b"one browser");
    let state = states.issue("github", &browser, b"/inbox").await.unwrap();
    let other = SessionBinding::of(b"another browser");
    for (name, binding) in [("github", &other), ("google", &browser)] {
        let refused = states.consume(name, state.expose(), binding).await;
        assert!(matches!(refused, Err(StateError::Refused)), "{name}");
    }
    desk.rotate_keys("next");
    let kept = states.consume("github", state.expose(), &browser).await;
    assert_eq!(kept.unwrap().expose(), b"/inbox");
    let again = states.consume("github", state.expose(), &browser).await;
    assert!(matches!(again, Err(StateError::Refused)));
}

#[tokio::test]
async fn attack_a_state_that_was_never_issued_is_refused() {
    let desk = Desk::new();
    let states = OneTimeState::new(desk.kept(), desk.keys.clone());
    let browser = SessionBinding::of(b"one browser");
    let state = states.issue("github", &browser, b"").await.unwrap();
    let text = state.expose();
    let long = "x".repeat(10_000);
    for bad in ["", ".", "a.b", &text[1..], &format!("{text}="), &long] {
        let refused = states.consume("github", bad, &browser).await;
        assert!(matches!(refused, Err(StateError::Refused)), "{bad}");
    }
    desk.clock.advance(Duration::from_secs(600));
    let late = states.consume("github", text, &browser).await;
    assert!(matches!(late, Err(StateError::Refused)));
    let large = states.issue("github", &browser, &[0; 1_025]).await;
    assert!(matches!(large, Err(StateError::TooLarge)));
}
