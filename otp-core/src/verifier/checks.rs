//! What is asked of the outside before a message is paid for: the checks, and a captcha where the
//! policy, a gate or a check wants one.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::desk::Turned;
use super::{Unavailable, Verifier};
use crate::check::{
    CaptchaFailure, CaptchaQuestion, CaptchaToken, CaptchaVerdict, CheckError, CheckRequest,
    CheckVerdict, OnSilence,
};
use crate::clock::Timestamp;
use crate::event::{Event, Outcome};
use crate::gate::{Denial, GateRequest};
use crate::policy::{CaptchaPolicy, OnCaptchaOutage, Policy};
use crate::quota::QuotaClaim;
use crate::request::RequestContext;
use crate::store::{Seen, StoreError};

/// How long a captcha's vendor may take.
const CAPTCHA_DEADLINE: Duration = Duration::from_secs(3);
/// How long a token is remembered: longer than any vendor's lives (hCaptcha and reCAPTCHA two
/// minutes, Turnstile five).
const TOKEN_MEMORY: Duration = Duration::from_secs(3_600);

/// Whether whoever asks was found to be a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nobody wanted to know.
    NotAsked,
    /// A captcha was solved, or the policy lets requests go on while none can be checked.
    Given,
}

impl Proof {
    /// Gives the context of what follows: it holds a captcha's token only where that was solved.
    pub(super) fn in_context(self, context: &RequestContext) -> Cow<'_, RequestContext> {
        match (self, context.captcha()) {
            (Self::NotAsked, Some(_)) => Cow::Owned(context.clone().captcha_token("")),
            _ => Cow::Borrowed(context),
        }
    }
}

impl Verifier {
    /// Says why a start needs a captcha by the policy alone, before anything is reserved.
    pub(super) async fn captcha_by_policy(
        &self,
        policy: &Policy,
        event: &Event,
    ) -> Result<Option<Cow<'static, str>>, Turned> {
        let captcha = policy.captcha();
        if captcha.asks_always() {
            return Ok(Some("always".into()));
        }
        let counts = captcha.counts(event);
        if counts.is_empty() {
            return Ok(None);
        }
        match self.inner.store.peek(&counts).await {
            Ok(readings) => Ok(captcha.reached(&readings).then(|| "failures".into())),
            Err(_) if captcha.in_outage() == OnCaptchaOutage::Allow => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Counts a refused try, where the policy asks for captchas after some. The refusal stands
    /// whatever becomes of the count.
    pub(super) async fn count_failure(&self, captcha: &CaptchaPolicy, event: &Event) {
        let counts = captcha.counts(event);
        if !counts.is_empty() && self.charge_each(&counts).await.is_err() {
            tracing::warn!(target: "otp_kit", "a refused try could not be counted for captchas");
        }
    }

    /// Charges claims independently of each other: one that is full keeps no other from counting.
    async fn charge_each(&self, claims: &[QuotaClaim]) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let readings = store.check_all(claims).await?;
        let full = |index: usize| {
            let reading = readings.get(index);
            reading.is_some_and(|reading| reading.retry_after().is_some())
        };
        let indexed = claims.iter().enumerate();
        let rest: Vec<_> = indexed
            .filter(|(index, _)| !full(*index))
            .map(|(_, claim)| claim.clone())
            .collect();
        if !rest.is_empty() && rest.len() < claims.len() {
            store.check_all(&rest).await?;
        }
        Ok(())
    }

    /// Takes what a gate said at its planning or judging: a step-up is no refusal where a captcha
    /// was shown that can be checked.
    pub(super) fn unless_shown(
        &self,
        request: &GateRequest<'_>,
        denial: Denial,
        step_up: &mut Option<Cow<'static, str>>,
    ) -> Result<(), Denial> {
        let Denial::StepUp(reason) = denial else {
            return Err(denial);
        };
        if self.inner.captcha.is_none() || !request.operation.sends() {
            return Err(Denial::StepUp(reason));
        }
        if request.context.captcha().is_none() {
            return Err(Denial::CaptchaRequired);
        }
        step_up.get_or_insert(reason);
        Ok(())
    }

    /// Asks every check in order, and then for the captcha where anybody wants one. Every refusal
    /// is recorded.
    pub(super) async fn ask_outside(
        &self,
        request: &GateRequest<'_>,
        now: Timestamp,
        step_up: Option<Cow<'static, str>>,
        event: &Event,
    ) -> Result<Proof, Turned> {
        let mut wanted = step_up;
        match self.ask_checks(request, now, &mut wanted).await {
            Ok(()) => {}
            Err(stopped) => return Err(self.stopped(stopped, event).await?),
        }
        if wanted.is_none() {
            return Ok(Proof::NotAsked);
        }
        self.ask_for_captcha(request, now, event).await?;
        Ok(Proof::Given)
    }

    /// Asks for the captcha that somebody wants. A refusal is recorded.
    pub(super) async fn ask_for_captcha(
        &self,
        request: &GateRequest<'_>,
        now: Timestamp,
        event: &Event,
    ) -> Result<(), Turned> {
        match self.ask_captcha(request, now).await {
            Ok(()) => Ok(()),
            Err(stopped) => Err(self.stopped(stopped, event).await?),
        }
    }

    /// Asks every check about a request of which a captcha's token was looked at before: one that goes
    /// on over another channel, or that was admitted by a name. Whoever is asked to prove to be a
    /// person has done so, or gets no message.
    pub(super) async fn ask_again(
        &self,
        request: &GateRequest<'_>,
        now: Timestamp,
        event: &Event,
    ) -> Result<(), Turned> {
        match self.ask_checks(request, now, &mut None).await {
            Ok(()) => Ok(()),
            Err(stopped) => Err(self.stopped(stopped, event).await?),
        }
    }

    async fn ask_checks(
        &self,
        request: &GateRequest<'_>,
        now: Timestamp,
        wanted: &mut Option<Cow<'static, str>>,
    ) -> Result<(), Stopped> {
        for check in &self.inner.checks {
            let terms = check.terms();
            let asked = CheckRequest::of(request, now);
            let said = answered(terms.deadline(), async { check.judge(&asked).await }).await;
            let verdict = match (said, terms.on_silence()) {
                (Ok(verdict), _) => verdict,
                (Err(error), on_silence) => {
                    tracing::warn!(
                        target: "otp_kit",
                        check = check.name(),
                        kind = error.name(),
                        "a check gave no verdict"
                    );
                    match on_silence {
                        OnSilence::Allow => CheckVerdict::Allow,
                        OnSilence::StepUp => CheckVerdict::StepUp("check_silent".into()),
                        OnSilence::Refuse => return Err(Stopped::Silent("check_silent", error)),
                    }
                }
            };
            match verdict {
                CheckVerdict::Allow => {}
                CheckVerdict::Deny(reason) => return Err(Denial::Other(reason).into()),
                CheckVerdict::StepUp(reason) => {
                    self.unless_shown(request, Denial::StepUp(reason), wanted)?;
                }
            }
        }
        Ok(())
    }

    /// Checks the token: that it was never shown before, and then with its vendor.
    async fn ask_captcha(&self, request: &GateRequest<'_>, now: Timestamp) -> Result<(), Stopped> {
        let (Some(captcha), Some(token)) = (&self.inner.captcha, request.context.captcha()) else {
            return Err(Denial::CaptchaRequired.into());
        };
        self.seen_first(token).await?;
        let question = CaptchaQuestion::new(token, request.context.address(), now);
        let said = answered(CAPTCHA_DEADLINE, async { captcha.verify(&question).await }).await;
        let error = match said {
            Ok(CaptchaVerdict::Passed) => return Ok(()),
            Ok(CaptchaVerdict::Failed(why)) => return Err(Denial::CaptchaFailed(why).into()),
            Err(error) => error,
        };
        let broken = matches!(error, CheckError::Misconfigured(_));
        if broken {
            tracing::error!(
                target: "otp_kit",
                captcha = captcha.name(),
                "the captcha is misconfigured: nobody who needs one gets a code: {error}"
            );
        } else {
            tracing::warn!(
                target: "otp_kit",
                captcha = captcha.name(),
                kind = error.name(),
                "the captcha gave no verdict"
            );
        }
        match request.policy.captcha().in_outage() {
            OnCaptchaOutage::Allow if !broken => Ok(()),
            _ => Err(Stopped::Silent("captcha_unavailable", error)),
        }
    }

    async fn seen_first(&self, token: &CaptchaToken) -> Result<(), Stopped> {
        let key = token.replay_key();
        match self.inner.store.first_seen(&key, TOKEN_MEMORY).await? {
            Seen::First => Ok(()),
            Seen::Again => Err(Denial::CaptchaFailed(CaptchaFailure::Replayed).into()),
        }
    }

    /// Records why a request goes no further.
    async fn stopped(&self, stopped: Stopped, event: &Event) -> Result<Turned, StoreError> {
        let (outcome, reason) = match &stopped {
            Stopped::Denied(denial) => (Outcome::Refused, denial.reason()),
            Stopped::Silent(reason, _) => (Outcome::Failed, Cow::Borrowed(*reason)),
            Stopped::Store(_) => (Outcome::Failed, "unavailable".into()),
        };
        self.record(event.clone().with_outcome(outcome, reason))
            .await?;
        Ok(match stopped {
            Stopped::Denied(denial) => Turned::Away(denial),
            Stopped::Silent(_, error) => Turned::Silence(Unavailable::because(error)),
            Stopped::Store(error) => Turned::Store(error),
        })
    }
}

/// Why a request goes no further.
enum Stopped {
    Denied(Denial),
    /// Nobody said anything, and that means a refusal.
    Silent(&'static str, CheckError),
    Store(StoreError),
}

impl From<Denial> for Stopped {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<'a> CheckRequest<'a> {
    fn of(request: &GateRequest<'a>, now: Timestamp) -> Self {
        Self {
            operation: request.operation,
            tenant: request.tenant,
            subject: request.subject,
            destination: request.destination,
            channel: request.channel,
            purpose: request.purpose,
            lane: request.lane,
            context: request.context,
            now,
        }
    }
}

/// Waits for a host's verdict so long and no longer; one that panics is none.
async fn answered<T>(
    deadline: Duration,
    verdict: impl Future<Output = Result<T, CheckError>> + Send,
) -> Result<T, CheckError> {
    let mut verdict = pin!(verdict);
    let unpanicked = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| verdict.as_mut().poll(context)));
        polled.unwrap_or_else(|_panic| Poll::Ready(Err(CheckError::Panicked)))
    });
    match tokio::time::timeout(deadline, unpanicked).await {
        Ok(said) => said,
        Err(_) => Err(CheckError::TimedOut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_verdict_that_does_not_come_in_time_is_none() {
        let never = std::future::pending::<Result<(), CheckError>>();
        let said = answered(Duration::from_secs(2), never).await;
        assert!(matches!(said, Err(CheckError::TimedOut)), "{said:?}");
    }

    #[tokio::test]
    async fn a_panic_is_no_verdict_and_goes_no_further() {
        let said = answered::<()>(Duration::from_secs(2), async { panic!("a check") }).await;
        assert!(matches!(said, Err(CheckError::Panicked)), "{said:?}");
    }
}
