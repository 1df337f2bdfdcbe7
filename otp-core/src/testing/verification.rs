use std::future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::Behaviour;
use crate::challenge::{Code, CodeFormat};
use crate::delivery::{
    Checked, DeliveryError, DeliveryErrorKind, Reference, Started, VerificationCheck,
    VerificationProvider, VerificationStart,
};
use crate::destination::{Channel, Destination};

/// A vendor for tests and examples that makes, sends and checks codes of its own. A clone is the
/// same vendor.
///
/// It makes six digits. A verification takes five sends, is approved once, and ends where another
/// takes its place or it is cancelled.
///
/// # Examples
/// ```
/// use otp_core::delivery::{DeliveryErrorKind, Route};
/// use otp_core::destination::Channel;
/// use otp_core::testing::{Behaviour, StandInVerification};
///
/// let vendor = StandInVerification::new("acme-verify");
/// assert!(Route::managed(vendor.clone()).check(Channel::Sms).is_ok());
/// vendor.set_checks(Behaviour::Refuse(DeliveryErrorKind::Unavailable));
/// assert_eq!(vendor.checks(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct StandInVerification {
    name: Arc<str>,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Debug)]
struct Inside {
    verifications: Vec<Verification>,
    on_start: Behaviour,
    on_check: Behaviour,
    on_approved: OnApproved,
    starts: usize,
    checks: usize,
    cancels: usize,
}

#[derive(Debug)]
struct Verification {
    reference: Reference,
    to: Destination,
    code: Code,
    sends: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Over,
}

/// What becomes of a verification that was approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnApproved {
    Ends,
    Stays,
}

const SENDS: u32 = 5;

impl StandInVerification {
    /// Makes one that takes every start and tells right codes from wrong ones.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            inside: Arc::new(Mutex::new(Inside {
                verifications: Vec::new(),
                on_start: Behaviour::Accept,
                on_check: Behaviour::Accept,
                on_approved: OnApproved::Ends,
                starts: 0,
                checks: 0,
                cancels: 0,
            })),
        }
    }

    /// Makes it approve a right code as often as it is asked: a vendor that forgets.
    #[must_use]
    pub fn approving_again(self) -> Self {
        self.lock().on_approved = OnApproved::Stays;
        self
    }

    /// Switches what it does with starts from now on.
    pub fn set_starts(&self, behaviour: Behaviour) {
        self.lock().on_start = behaviour;
    }

    /// Switches what it does with checks from now on.
    pub fn set_checks(&self, behaviour: Behaviour) {
        self.lock().on_check = behaviour;
    }

    /// Counts the starts that it was asked for, sends of the same code included.
    #[must_use]
    pub fn starts(&self) -> usize {
        self.lock().starts
    }

    /// Counts the codes that it was asked about.
    #[must_use]
    pub fn checks(&self) -> usize {
        self.lock().checks
    }

    /// Counts the verifications that it was asked to end.
    #[must_use]
    pub fn cancels(&self) -> usize {
        self.lock().cancels
    }

    /// Counts the verifications that still wait for their code.
    #[must_use]
    pub fn pending(&self) -> usize {
        let inside = self.lock();
        let pending = |known: &&Verification| known.state == State::Pending;
        inside.verifications.iter().filter(pending).count()
    }

    /// Gives the code that a person got last.
    #[must_use]
    pub fn last_code_for(&self, to: &Destination) -> Option<Code> {
        let inside = self.lock();
        let mut newest = inside.verifications.iter().rev();
        newest
            .find(|known| known.to == *to)
            .map(|known| known.code.clone())
    }

    /// Ends every verification, as their time at the vendor would.
    pub fn expire_all(&self) {
        for known in &mut self.lock().verifications {
            known.state = State::Over;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, kind: DeliveryErrorKind) -> DeliveryError {
        DeliveryError::new(kind, &self.name)
    }

    /// Does what it was told to before, or instead of, taking the call.
    async fn behave(&self, behaviour: Behaviour) -> Result<(), DeliveryError> {
        match behaviour {
            Behaviour::Accept | Behaviour::Cut => Ok(()),
            Behaviour::Slow(after) => {
                tokio::time::sleep(after).await;
                Ok(())
            }
            Behaviour::Refuse(kind) => Err(self.error(kind).not_sent()),
            Behaviour::RefuseAfter(after, kind) => {
                tokio::time::sleep(after).await;
                Err(self.error(kind).not_sent())
            }
            Behaviour::Throttle(after) => Err(self
                .error(DeliveryErrorKind::Throttled)
                .with_retry_after(after)),
            Behaviour::Hang => future::pending().await,
            Behaviour::Lose => Err(self.lost()),
            #[expect(clippy::panic, reason = "the panic is what it was told to do")]
            Behaviour::Panic => panic!("told to panic"),
        }
    }

    fn lost(&self) -> DeliveryError {
        self.error(DeliveryErrorKind::Unavailable).maybe_sent()
    }

    fn begin(&self, start: &VerificationStart<'_>) -> Result<Started, DeliveryError> {
        let mut inside = self.lock();
        for known in &mut inside.verifications {
            if start.replaces.contains(&known.reference) {
                known.state = State::Over;
            }
        }
        let again = inside.verifications.iter_mut().find(|known| {
            start.continues == Some(&known.reference) && known.state == State::Pending
        });
        if let Some(known) = again {
            if known.sends >= SENDS {
                return Err(self.error(DeliveryErrorKind::Protected));
            }
            known.sends = known.sends.saturating_add(1);
            return Ok(Started::new(known.reference.clone()));
        }
        let number = inside.verifications.len().saturating_add(1);
        let digits = number.saturating_mul(7_919).saturating_add(104_729) % 1_000_000;
        let code = Code::normalise(CodeFormat::SIX_DIGITS, &format!("{digits:06}"));
        let reference = Reference::new(&format!("V{number}"));
        let (Ok(code), Ok(reference)) = (code, reference) else {
            return Err(self.error(DeliveryErrorKind::Protocol));
        };
        inside.verifications.push(Verification {
            reference: reference.clone(),
            to: start.to.clone(),
            code,
            sends: 1,
            state: State::Pending,
        });
        Ok(Started::new(reference))
    }

    fn judge(&self, check: &VerificationCheck<'_>) -> Checked {
        let mut inside = self.lock();
        let on_approved = inside.on_approved;
        let known = inside.verifications.iter_mut().find(|known| {
            known.reference == *check.reference
                && known.to == *check.to
                && known.state == State::Pending
        });
        let Some(known) = known else {
            return Checked::Gone;
        };
        if known.code.expose() != check.code.expose() {
            return Checked::Wrong;
        }
        if on_approved == OnApproved::Ends {
            known.state = State::Over;
        }
        Checked::Approved
    }
}

#[async_trait]
impl VerificationProvider for StandInVerification {
    fn name(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> &[Channel] {
        &Channel::ALL
    }

    fn format(&self) -> CodeFormat {
        CodeFormat::SIX_DIGITS
    }

    async fn start(&self, start: &VerificationStart<'_>) -> Result<Started, DeliveryError> {
        let behaviour = {
            let mut inside = self.lock();
            inside.starts = inside.starts.saturating_add(1);
            inside.on_start
        };
        self.behave(behaviour).await?;
        let started = self.begin(start)?;
        if behaviour == Behaviour::Cut {
            return Err(self.lost());
        }
        Ok(started)
    }

    async fn check(&self, check: &VerificationCheck<'_>) -> Result<Checked, DeliveryError> {
        let behaviour = {
            let mut inside = self.lock();
            inside.checks = inside.checks.saturating_add(1);
            inside.on_check
        };
        self.behave(behaviour).await?;
        let checked = self.judge(check);
        if behaviour == Behaviour::Cut {
            return Err(self.lost());
        }
        Ok(checked)
    }

    async fn cancel(&self, reference: &Reference) -> Result<(), DeliveryError> {
        let mut inside = self.lock();
        inside.cancels = inside.cancels.saturating_add(1);
        for known in &mut inside.verifications {
            if known.reference == *reference {
                known.state = State::Over;
            }
        }
        Ok(())
    }
}
