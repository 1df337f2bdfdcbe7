use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::key::KeyRing;
use crate::random::{OsRandom, SecureRandom};
use crate::request::{SessionBinding, SubjectId, Tenant};
use crate::store::{PutState, SessionStore};

use super::{Methods, OneTimeState, SignIn, StateError, StateToken};

/// Lets people in by an operator's word while codes reach nobody: a pass is issued to an account,
/// and signs whoever brings it in, once, within ten minutes.
///
/// Passes are kept where sessions are, so they need neither the challenges' engine nor a vendor. A
/// session that is started so says `operator` in its `amr`. That a pass was issued, to whom and by
/// whom is for [`Operator::record_about`](crate::operator::Operator::record_about); that it was used
/// is the record of the session.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_core::key::KeyRing;
/// use otp_core::request::{SubjectId, Tenant};
/// use otp_core::session::Passes;
/// # use otp_core::{clock::SystemClock, random::OsRandom};
/// # #[cfg(feature = "testing")]
/// # otp_core::testing::store::run(async {
/// # let store = otp_core::testing::session::ReferenceSessions::new(Arc::new(SystemClock));
/// let passes = Passes::new(Arc::new(store), KeyRing::generate(&OsRandom).unwrap());
/// let (tenant, alice) = (Tenant::default(), SubjectId::new("alice").unwrap());
/// let pass = passes.issue(&tenant, &alice).await.unwrap();
/// assert!(passes.redeem(pass.expose(), &tenant).await.is_ok());
/// assert!(passes.redeem(pass.expose(), &tenant).await.is_err());
/// # });
/// ```
#[derive(Clone)]
pub struct Passes {
    states: OneTimeState,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
}

const NAME: &str = "operator pass";
const METHOD: &str = "operator";

impl Passes {
    /// How long a pass is good for, where nothing else is said.
    pub const LIFE: Duration = PutState::LONGEST;

    /// Keeps passes in a store, under keys, for ten minutes.
    #[must_use]
    pub fn new(store: Arc<dyn SessionStore>, keys: KeyRing) -> Self {
        Self {
            states: OneTimeState::new(store, keys),
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
        }
    }

    /// Keeps them for less; more than ten minutes is ten minutes.
    #[must_use]
    pub fn life(mut self, life: Duration) -> Self {
        self.states = self.states.life(life);
        self
    }

    /// Replaces the clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Issues a pass to an account. It is a secret of 256 bits, on its way to one person.
    ///
    /// # Errors
    /// [`StateError`].
    pub async fn issue(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
    ) -> Result<StateToken, StateError> {
        let whose = format!("{tenant}\n{subject}");
        self.states.issue(NAME, &anywhere(), whose.as_bytes()).await
    }

    /// Takes a pass for a proof of who somebody is. Of racing callers one gets it, and it is spent
    /// then whatever becomes of the session.
    ///
    /// # Errors
    /// [`StateError::Refused`] where it was never issued so, is used up, too old or another
    /// tenant's.
    pub async fn redeem(&self, pass: &str, tenant: &Tenant) -> Result<SignIn, StateError> {
        let whose = self.states.consume(NAME, pass, &anywhere()).await?;
        let whose = str::from_utf8(whose.expose()).map_err(|_| StateError::Refused)?;
        let (of, subject) = whose.split_once('\n').ok_or(StateError::Refused)?;
        let subject = SubjectId::new(subject).map_err(|_| StateError::Refused)?;
        let methods = Methods::new([METHOD]).map_err(|_| StateError::Refused)?;
        if of != tenant.as_str() {
            return Err(StateError::Refused);
        }
        let random = self.random.as_ref();
        Ok(SignIn::by_host(
            tenant,
            &subject,
            methods,
            self.clock.now(),
            random,
        )?)
    }
}

/// A pass is carried from one browser to another.
fn anywhere() -> SessionBinding {
    SessionBinding::of(NAME.as_bytes())
}

impl fmt::Debug for Passes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passes").finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::random::SeededRandom;
    use crate::session::{SessionRules, Sessions};
    use crate::testing::session::ReferenceSessions;
    use crate::testing::store::run;

    #[test]
    fn a_pass_signs_its_own_account_in_once_within_ten_minutes() {
        run(async {
            let clock = ManualClock::default();
            let store = Arc::new(ReferenceSessions::new(Arc::new(clock.clone())));
            let keys = KeyRing::generate(&SeededRandom::new(1)).unwrap();
            let kept: Arc<dyn SessionStore> = store;
            let passes = Passes::new(Arc::clone(&kept), keys.clone()).clock(clock.clone());
            let states = OneTimeState::new(Arc::clone(&kept), keys.clone());
            let rules = SessionRules::new("issuer").unwrap();
            let sessions = Sessions::new(kept, keys, rules).clock(clock.clone());
            let (tenant, other) = (Tenant::default(), Tenant::new("other").unwrap());
            let alice = SubjectId::new("alice").unwrap();
            let issue = async || passes.issue(&tenant, &alice).await.unwrap();

            let pass = issue().await;
            let proof = passes.redeem(pass.expose(), &tenant).await.unwrap();
            let context = crate::request::RequestContext::new();
            let tokens = sessions.start(proof, &context).await.unwrap();
            assert_eq!(tokens.session.subject(), &alice);
            assert_eq!(tokens.session.methods().as_str(), "operator");
            let again = passes.redeem(pass.expose(), &tenant).await;
            assert!(matches!(again, Err(StateError::Refused)));

            let elsewhere = passes.redeem(issue().await.expose(), &other).await;
            assert!(matches!(elsewhere, Err(StateError::Refused)));
            let browser = SessionBinding::of(NAME.as_bytes());
            let state = states.issue("github", &browser, b"x").await.unwrap();
            let state = passes.redeem(state.expose(), &tenant).await;
            assert!(
                matches!(state, Err(StateError::Refused)),
                "no other state is a pass"
            );

            let (late, early) = (issue().await, issue().await);
            clock.advance(Duration::from_secs(599));
            assert!(passes.redeem(early.expose(), &tenant).await.is_ok());
            clock.advance(Duration::from_secs(1));
            assert!(passes.redeem(late.expose(), &tenant).await.is_err());
        });
    }
}
