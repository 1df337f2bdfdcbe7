//! Two instances of a service over one engine: what one of them ends, the other sees.

use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::{Clock as _, ManualClock};
use otp_core::event::Act;
use otp_core::key::KeyRing;
use otp_core::random::{OsRandom, SeededRandom};
use otp_core::request::{RequestContext, SubjectId, Tenant};
use otp_core::session::{Methods, SessionRefusal, SessionRules, Sessions, SignIn, Tokens};
use otp_core::store::{SessionQuery, SessionStore};

const SECOND: Duration = Duration::from_secs(1);

struct Fleet {
    one: Sessions,
    other: Sessions,
    clock: ManualClock,
}

impl Fleet {
    fn new(one: Arc<dyn SessionStore>, other: Arc<dyn SessionStore>, clock: &ManualClock) -> Self {
        let keys = KeyRing::generate(&SeededRandom::new(7)).expect("keys");
        let sessions = |store| {
            let rules = SessionRules::new("https://login.example.org").expect("rules");
            Sessions::new(store, keys.clone(), rules).clock(clock.clone())
        };
        Self {
            one: sessions(one),
            other: sessions(other),
            clock: clock.clone(),
        }
    }

    async fn signed_in(&self, who: &str) -> Tokens {
        let methods = Methods::new(["otp"]).expect("methods");
        let (tenant, now) = (Tenant::default(), self.clock.now());
        let proof = SignIn::by_host(&tenant, &subject(who), methods, now, &OsRandom);
        let context = RequestContext::new();
        let tokens = self.one.start(proof.expect("a proof"), &context).await;
        tokens.expect("a session")
    }

    /// Says how an access token is refused on the second instance; `None` where it is let in.
    async fn refused(&self, tokens: &Tokens) -> Option<SessionRefusal> {
        let token = tokens.access.expose();
        let checked = self.other.check(token, &Tenant::default()).await;
        checked.err()?.refusal()
    }

    async fn lets_in(&self, tokens: &Tokens) {
        assert_eq!(
            self.refused(tokens).await,
            None,
            "the second one lets it in"
        );
    }

    /// The second instance has seen the session alive this very moment.
    async fn sees_within_a_second(&self, ended: &[&Tokens], alive: &[&Tokens]) {
        self.clock.advance(SECOND);
        for tokens in ended {
            let refused = self.refused(tokens).await;
            assert_eq!(refused, Some(SessionRefusal::Ended));
            let refresh = tokens.refresh.expose();
            let (tenant, context) = (Tenant::default(), RequestContext::new());
            let refreshed = self
                .other
                .refresh(refresh.expose(), &tenant, &context)
                .await;
            let refused = refreshed.err().and_then(|error| error.refusal());
            assert_eq!(refused, Some(SessionRefusal::Ended));
        }
        for tokens in alive {
            self.lets_in(tokens).await;
        }
    }
}

fn subject(name: &str) -> SubjectId {
    SubjectId::new(name).expect("a subject")
}

fn why() -> Arc<Act> {
    Arc::new(Act::new("mike", "incident").expect("an act"))
}

/// Ends one session by the name of its token, then an account's, then everybody's, on the first
/// instance; each time the second one, which has let all of them in, sees it within a second.
pub(crate) async fn see_what_another_ended(
    one: Arc<dyn SessionStore>,
    other: Arc<dyn SessionStore>,
    clock: &ManualClock,
) {
    let fleet = Fleet::new(one, other, clock);
    let (first, second) = (
        fleet.signed_in("alice").await,
        fleet.signed_in("alice").await,
    );
    let bob = fleet.signed_in("bob").await;
    for tokens in [&first, &second, &bob] {
        fleet.lets_in(tokens).await;
    }
    let name = first.session.token_id();
    let ended = fleet.one.revoke_token(name, &why()).await;
    assert_eq!(ended.expect("an answer"), 1);
    fleet
        .sees_within_a_second(&[&first], &[&second, &bob])
        .await;

    let query = SessionQuery::Subject(Tenant::default(), subject("alice"));
    let ended = fleet.one.revoke(&query, &why()).await;
    assert_eq!(ended.expect("an answer"), 1);
    fleet
        .sees_within_a_second(&[&first, &second], &[&bob])
        .await;

    let again = fleet.signed_in("alice").await;
    fleet.lets_in(&again).await;
    let ended = fleet.one.revoke(&SessionQuery::Everything, &why()).await;
    assert_eq!(ended.expect("an answer"), 2);
    fleet.sees_within_a_second(&[&again, &bob], &[]).await;
    let after = fleet.signed_in("bob").await;
    fleet.lets_in(&after).await;
}
