use super::effect::{Count, Effect, Mode};
use super::explain::LimitState;
use super::{Operator, Whom};
use crate::challenge::Lane;
use crate::destination::{Channel, Destination};
use crate::gate::{Gate as _, GateRequest, Operation, QuotaGate, Wants, widen};
use crate::quota::{QuotaClaim, QuotaKey, Scope};
use crate::request::{RequestContext, SubjectKey};
use crate::verifier::Unavailable;

const OPERATIONS: [Operation; 3] = [Operation::Issue, Operation::Resend, Operation::Verify];
const LANES: [Lane; 2] = [Lane::Public, Lane::KnownDevice];

/// What an account, a destination or an address is charged to, and where it stands.
pub(super) struct Charged {
    claim: QuotaClaim,
    pub(super) state: LimitState,
}

impl Charged {
    pub(super) fn is_used(&self) -> bool {
        let reading = &self.state.reading;
        reading.retry_after().is_some() || reading.remaining() < reading.limit()
    }
}

impl Operator {
    /// Forgets what was counted against the limits of an account, a destination or an address, in
    /// every window of the policy in force, and the refused tries that ask for a captcha. An IPv6
    /// address is cleared with its /64 and its /48.
    /// Guess budgets stay: [`unlock`](Self::unlock) opens those.
    ///
    /// The effect counts the limits that had been used.
    ///
    /// # Errors
    /// [`Unavailable`]; the record may say that it was done when it was not.
    pub async fn clear_limits(&self, whom: &Whom) -> Result<Effect, Unavailable> {
        let mut used = self.charged(whom).await?;
        used.retain(Charged::is_used);
        let limits = used
            .into_iter()
            .map(|it| (it.claim.key, it.state.to_string()));
        let captcha = self.captcha_counts(whom).await?.into_iter();
        let captcha = captcha.map(|(key, count)| (key, count.to_string()));
        let used: Vec<(QuotaKey, String)> = limits.chain(captcha).collect();
        let count = Count::listed(used.len(), usize::MAX);
        let mut event = whom.named_in(self.event("clear_limits"));
        if self.mode == Mode::Preview {
            event.reason = Some(format!("preview_clear_limits:{}", count.number()).into());
        }
        self.note(event).await?;
        if self.mode == Mode::Apply && !used.is_empty() {
            let keys: Vec<QuotaKey> = used.iter().map(|(key, _)| key.clone()).collect();
            self.store().clear(&keys).await?;
        }
        Ok(Effect::new(self.mode, count, &used, |(_, state)| {
            state.clone()
        }))
    }

    /// Reads every limit that they are charged to.
    pub(super) async fn charged(&self, whom: &Whom) -> Result<Vec<Charged>, Unavailable> {
        let claims = self.claims(whom);
        let asked: Vec<QuotaClaim> = claims.iter().map(|(.., claim)| claim.clone()).collect();
        let readings = self.store().peek(&asked).await?;
        let charged = claims.into_iter().zip(readings);
        Ok(charged
            .map(|((operation, lane, claim), reading)| Charged {
                claim,
                state: LimitState {
                    operation,
                    lane,
                    reading,
                },
            })
            .collect())
    }

    /// Says what requests of theirs would be charged to, and starts by their name.
    fn claims(&self, whom: &Whom) -> Vec<(Operation, Lane, QuotaClaim)> {
        let mut claims = self.claims_of(whom);
        if let Some(account) = whom.subject_key()
            && let Some(id) = account.subject_id()
        {
            self.add_claims_of_name(&account, id.as_str(), &mut claims);
        }
        claims
    }

    /// Adds what starts by an account's name are charged to.
    fn add_claims_of_name(
        &self,
        account: &SubjectKey,
        name: &str,
        claims: &mut Vec<(Operation, Lane, QuotaClaim)>,
    ) {
        let policy = self.verifier.policy();
        let context = RequestContext::new();
        let purposes = policy.purposes().iter().map(|(purpose, _)| purpose);
        let channels = [Channel::Sms, Channel::Email];
        for (purpose, channel) in purposes.flat_map(|purpose| channels.map(|one| (purpose, one))) {
            for lane in LANES {
                let key = SubjectKey::of_name(name, channel.destination_kind());
                let request = GateRequest {
                    operation: Operation::Issue,
                    tenant: &self.tenant,
                    subject: Some(&key),
                    destination: None,
                    destination_key: Some(&key),
                    channel: Some(channel),
                    purpose: Some(purpose),
                    lane,
                    context: &context,
                    policy: &policy,
                };
                let by_name = |scope| matches!(scope, Scope::Subject | Scope::Destination);
                add_claims(&request, Some(account), by_name, claims);
            }
        }
    }

    /// Has the gate say what requests of theirs would be charged to.
    fn claims_of(&self, whom: &Whom) -> Vec<(Operation, Lane, QuotaClaim)> {
        let policy = self.verifier.policy();
        let subject = whom.subject_key();
        let (destination, context) = match whom {
            Whom::Subject(_) | Whom::Account(_) => (None, RequestContext::new()),
            Whom::Destination(destination) => (Some(destination), RequestContext::new()),
            Whom::Address(address) => (None, RequestContext::from_address(*address)),
        };
        let of_destination = match whom {
            Whom::Destination(_) => true,
            Whom::Account(key) => key.subject_id().is_none(),
            _ => false,
        };
        let mut claims: Vec<(Operation, Lane, QuotaClaim)> = Vec::new();
        // Starts may be held apart by what they are for.
        let purposes = policy.purposes().iter().map(|(purpose, _)| Some(purpose));
        let purposes = || std::iter::once(None).chain(purposes.clone());
        for operation in OPERATIONS {
            for (lane, purpose) in LANES
                .into_iter()
                .flat_map(|lane| purposes().map(move |purpose| (lane, purpose)))
            {
                let request = GateRequest {
                    operation,
                    tenant: &self.tenant,
                    subject: subject.as_ref(),
                    destination,
                    destination_key: subject.as_ref().filter(|_| of_destination),
                    channel: destination.map(Destination::default_channel),
                    purpose,
                    lane,
                    context: &context,
                    policy: &policy,
                };
                add_claims(&request, None, |scope| is_theirs(whom, scope), &mut claims);
            }
        }
        claims
    }
}

/// Adds what a request is charged to, of the scopes that are asked for: each once.
fn add_claims(
    request: &GateRequest<'_>,
    named: Option<&SubjectKey>,
    asked: impl Fn(Scope) -> bool,
    claims: &mut Vec<(Operation, Lane, QuotaClaim)>,
) {
    let mut wants = Wants::default();
    if QuotaGate.plan(request, &mut wants).is_err() {
        return;
    }
    if let Some(account) = named {
        widen(request, account, &mut wants.quotas);
    }
    for claim in wants.quotas {
        let known = claims.iter().any(|(.., other)| other.key == claim.key);
        if asked(claim.key.scope()) && !known {
            claims.push((request.operation, request.lane, claim));
        }
    }
}

/// Says whether a bucket is theirs alone: a country's, a tenant's and everybody's are not.
fn is_theirs(whom: &Whom, scope: Scope) -> bool {
    match whom {
        Whom::Subject(_) => scope == Scope::Subject,
        Whom::Destination(_) | Whom::Account(_) => {
            matches!(scope, Scope::Subject | Scope::Destination)
        }
        Whom::Address(_) => matches!(scope, Scope::Address | Scope::Network),
    }
}
