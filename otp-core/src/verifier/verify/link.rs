//! What a link does when somebody acts on it. Opening its page does nothing: mail scanners open
//! pages.

use std::time::SystemTime;

use super::{Desk, Shown, Target, attempt_claim, mismatch, request};
use crate::challenge::{
    AttemptClaim, Challenge, Code, CodeFormat, LinkToken, Refusal, Separated, TypedKind, TypedShape,
};
use crate::clock::Timestamp;
use crate::delivery::OtherBrowser;
use crate::event::{Event, EventKind, Outcome};
use crate::hash::MismatchReason;
use crate::key::KeySet;
use crate::request::RequestContext;
use crate::store::{Granted, Reject, Step};
use crate::verifier::addressees::{opened, opened_all};
use crate::verifier::enclosure::compare_link;
use crate::verifier::issue::binding;
use crate::verifier::{Attempt, LinkError, Unavailable, Verified, Verifier, VerifyError};

/// The code of a message whose link was opened in another browser than the one that asked. It is
/// the one that the message carries: whoever has the link has it anyway.
///
/// Show it, and say that it is typed where the sign-in began and told to nobody.
#[derive(Clone, Debug)]
pub struct Relay {
    code: Code,
    expires_at: Timestamp,
}

impl Relay {
    /// Gives the code, for the page that shows it.
    #[must_use]
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// Says when it ends, by the store's clock.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at.into()
    }
}

/// A link that somebody acts on, and what it came to before anything was counted.
struct Looked {
    known: Option<Challenge>,
    right: Result<LinkToken, &'static str>,
}

impl Verifier {
    /// Takes a link's token, and the challenge's one success where it is right: link and code are
    /// one challenge, with one budget and one winner between them.
    ///
    /// Call it where the person acted (`POST`), never where a page was opened: scanners, previews
    /// and prefetching open pages. Only the browser that asked
    /// ([`RequestContext::bound_to`](crate::request::RequestContext::bound_to)) is signed in; in
    /// any other one nothing is counted or used up. A right link is a guess of the challenge's and
    /// of the account's like a right code, and refused where those are used up; a wrong one counts
    /// for the address that shows it. Unknown, expired, consumed, revoked, malformed and wrong take
    /// the same way and give the same answer. Three store round trips.
    ///
    /// # Errors
    /// [`LinkError`]; no failure of ours is ever an acceptance.
    ///
    /// # Cancellation
    /// As [`verify`](Self::verify): repeat it with the same [`Attempt::with_id`] to hear what came
    /// of it.
    pub async fn verify_link(
        &self,
        link: impl Into<Attempt>,
        context: impl Into<RequestContext>,
    ) -> Result<Verified, LinkError> {
        self.take_link(link.into(), context.into()).await
    }

    /// Ends the challenge of a link whose recipient says "this was not me", whichever browser they
    /// use, and raises an event ([`EventKind::ChallengeDisowned`]) that says whether it came in
    /// time: its reason is the state that the challenge was in, where that was not `live`. Saying
    /// it again changes nothing and is no error.
    ///
    /// # Errors
    /// [`VerifyError`]; a link that is unknown, replaced or wrong is [`VerifyError::Rejected`].
    pub async fn disown_link(
        &self,
        link: impl Into<Attempt>,
        context: impl Into<RequestContext>,
    ) -> Result<(), VerifyError> {
        self.take_back(link.into(), context.into()).await
    }

    async fn take_link(
        &self,
        attempt: Attempt,
        context: RequestContext,
    ) -> Result<Verified, LinkError> {
        let policy = self.policy();
        let keys = self.inner.keys.snapshot();
        let Looked { known, right } = self.look(&keys, &attempt).await?;
        let event = event(
            EventKind::ValidationAttempt,
            &attempt,
            &context,
            known.as_ref(),
        );
        let rules = policy.limits().budget();
        // A wrong link counts for whoever shows it and not for the account: 256 bits are not
        // guessed, and the challenge's name alone must not spend the owner's guesses.
        let right = right.and_then(|token| Ok((token, known.ok_or(Refusal::Unknown.name())?)));
        let home = right
            .as_ref()
            .is_ok_and(|(_, known)| is_at_home(&keys, known, &context));
        let step = match &right {
            Ok((_, known)) if home => Step::Attempt {
                target: Target::Id(known.id),
                // The link's own browser was looked at; the code's may be another one.
                claim: AttemptClaim {
                    binding: known.binding.clone(),
                    ..attempt_claim(&keys, &attempt, shape(known.format), &context)
                },
                rules: rules.clone(),
            },
            _ => Step::Nothing,
        };
        let request = request(&policy, &attempt, &context);
        let wants = self.wants(&request, &event).await?;
        let admitted = self.admit(&request, wants, step, event).await?;
        let desk = Desk {
            verifier: self,
            keys: &keys,
            attempt: &attempt,
            rules,
            captcha: *policy.captcha(),
            event: admitted.event,
            now: admitted.now,
        };
        let (token, known) = match right {
            Ok(right) => right,
            Err(reason) => return Ok(desk.refuse_here(None, reason).await?),
        };
        if !home {
            return desk.relay(&token, &known).await;
        }
        let shown = Shown::Link(token);
        Ok(match admitted.granted {
            Granted::Attempt(outcome, challenge) => desk.decide(shown, outcome, challenge).await,
            Granted::NoChallenge(refusal) => desk.refuse(shown, refusal).await,
            _ => desk.refuse(shown, Refusal::Unknown).await,
        }?)
    }

    async fn take_back(
        &self,
        attempt: Attempt,
        context: RequestContext,
    ) -> Result<(), VerifyError> {
        let policy = self.policy();
        let keys = self.inner.keys.snapshot();
        let Looked { known, right } = self.look(&keys, &attempt).await?;
        let event = event(
            EventKind::ChallengeDisowned,
            &attempt,
            &context,
            known.as_ref(),
        );
        let request = request(&policy, &attempt, &context);
        let wants = self.wants(&request, &event).await?;
        let admitted = self.admit(&request, wants, Step::Nothing, event).await?;
        let (now, mut event) = (admitted.now, admitted.event);
        let refused = match (right, known) {
            (Ok(_), Some(known)) => {
                if !known.is_live(now) {
                    event.reason = Some(ended_as(&known).into());
                }
                self.revoke_one(&attempt.tenant, known.id, event).await?;
                return Ok(());
            }
            (Err(reason), _) => event.with_outcome(Outcome::Refused, reason),
            (Ok(_), None) => event.with_outcome(Outcome::Refused, Refusal::Unknown.name()),
        };
        let reject = Reject {
            counted: None,
            rules: policy.limits().budget().clone(),
            event: refused.clone(),
        };
        self.inner.store.reject(reject).await?;
        self.observe(&refused);
        Err(VerifyError::Rejected)
    }

    /// Looks a link's challenge up and compares the two. Another tenant's or purpose's challenge
    /// is not there.
    async fn look(&self, keys: &KeySet, attempt: &Attempt) -> Result<Looked, VerifyError> {
        let Ok(token) = LinkToken::parse(attempt.typed.expose()) else {
            return Ok(Looked {
                known: None,
                right: Err(Refusal::Malformed.name()),
            });
        };
        let known = self.inner.store.find(&token.challenge_id()).await?;
        let known = known.filter(|known| {
            let purpose = attempt.purpose.as_ref();
            known.tenant == attempt.tenant && purpose.is_none_or(|named| *named == known.purpose)
        });
        let compared = match &known {
            Some(known) => compared(keys, &token, known),
            None => Err(Refusal::Unknown.name()),
        };
        Ok(Looked {
            known,
            right: compared.map(|()| token),
        })
    }
}

impl Desk<'_> {
    /// Compares a link that was counted, and takes the success where it is right: a resend may
    /// have replaced it since it was looked at.
    pub(super) async fn follow(
        self,
        token: &LinkToken,
        challenge: Box<Challenge>,
    ) -> Result<Verified, VerifyError> {
        let counted = Some((challenge.id, self.attempt.id.clone()));
        match compared(self.keys, token, &challenge) {
            Ok(()) => match opened(self.keys, &challenge) {
                Some(destination) => self.consume(challenge, destination, 1).await,
                None => self.refuse_here(counted, "sealed_value_refused").await,
            },
            Err(reason) => self.refuse_here(counted, reason).await,
        }
    }

    /// Shows the code of a right link in a browser that did not ask for it. Nothing is counted but
    /// the request itself.
    async fn relay(self, token: &LinkToken, known: &Challenge) -> Result<Verified, LinkError> {
        let settings = self.verifier.links();
        let relays = settings.is_some_and(|links| links.elsewhere() == OtherBrowser::Relay);
        if !known.is_live(self.now) {
            return Ok(self.refuse_here(None, ended_as(known)).await?);
        }
        if !relays {
            let refusal = Refusal::WrongBinding.name();
            return Ok(self.refuse_here(None, refusal).await?);
        }
        let shown = self.event.with_outcome(Outcome::Refused, "other_browser");
        self.verifier.record(shown).await?;
        let code = self.verifier.code_of(token, known.format);
        Err(LinkError::OtherBrowser(Relay {
            code: code.map_err(Unavailable::because)?,
            expires_at: known.expires_at,
        }))
    }
}

fn event(
    kind: EventKind,
    attempt: &Attempt,
    context: &RequestContext,
    known: Option<&Challenge>,
) -> Event {
    let event = Event::new(kind, &attempt.tenant).from_request(context);
    match known {
        Some(known) => event.of_challenge(known),
        None => event,
    }
}

/// Says whether a request comes from the browser that a challenge's link is for.
fn is_at_home(keys: &KeySet, known: &Challenge, context: &RequestContext) -> bool {
    let link = opened_all(keys, known).and_then(|opened| opened.link);
    link.is_some_and(|link| link.is_opened_by(context))
}

/// Compares a token with its challenge. No token fits a decoy.
fn compared(keys: &KeySet, token: &LinkToken, known: &Challenge) -> Result<(), &'static str> {
    let id = known.id.to_string();
    match compare_link(keys, &binding(known, &id), token, &known.digest) {
        Ok(()) if !known.is_decoy() => Ok(()),
        Ok(()) | Err(MismatchReason::Wrong) => Err("invalid_link"),
        Err(reason) => Err(mismatch(reason)),
    }
}

/// Names how a challenge that is over ended.
fn ended_as(known: &Challenge) -> &'static str {
    match known.state.name() {
        "live" => Refusal::Expired.name(),
        state => state,
    }
}

/// Gives the shape that a challenge's codes have: a link is counted as a try at one.
const fn shape(format: CodeFormat) -> TypedShape {
    TypedShape {
        length: format.length(),
        separated: Separated::No,
        kind: TypedKind::Digits,
    }
}
