//! Starts by a user's name, as they are counted.

use otp_kit::destination::Channel;
use otp_kit::policy::ScopedQuota;
use otp_kit::quota::{QuotaClaim, QuotaKey, QuotaReading, Scope};
use otp_kit::request::{SubjectId, SubjectKey, Tenant};
use otp_kit::store::StoreError;
use otp_kit::verifier::Verifier;

/// Names somebody by what they claim to be, over a channel: of nobody each is counted apart, as the
/// addresses of somebody are.
pub(super) fn claimed(id: &str, channel: Channel) -> String {
    format!("{} of {id}", channel.name())
}

/// Gives the limits of starts by a name, wider for a VIP.
pub(crate) fn on(verifier: &Verifier, id: &str, channel: Channel) -> Vec<QuotaClaim> {
    let (policy, claimed) = (verifier.policy(), claimed(id, channel));
    let subject = SubjectId::new(id)
        .map(|id| SubjectKey::of_subject(&id))
        .ok();
    let keys = [subject.as_ref(), None];
    let times = policy.vips().times(&Tenant::default(), keys);
    let of_an_address = |limit: &&ScopedQuota| limit.scope == Scope::Destination;
    let limits = policy.limits().issue().iter().filter(of_an_address);
    let claims = limits.map(|limit| {
        let action = format!("initiate_{}", limit.quota.period().as_secs());
        let key = QuotaKey::new(&action, limit.scope, "", &claimed);
        QuotaClaim::new(key, limit.quota.times(times.get()))
    });
    claims.collect()
}

/// Forgets the starts by a name, and says how many limits they had used.
pub(crate) async fn clear(verifier: &Verifier, id: &str) -> Result<u64, StoreError> {
    let channels = Channel::ALL.into_iter();
    let claims: Vec<_> = channels
        .flat_map(|channel| on(verifier, id, channel))
        .collect();
    let store = verifier.store();
    let readings = store.peek(&claims).await?;
    let is_used = |reading: &QuotaReading| reading.remaining() < reading.limit();
    let used = readings
        .iter()
        .zip(claims)
        .filter(|(reading, _)| is_used(reading));
    let keys: Vec<_> = used.map(|(_, claim)| claim.key).collect();
    store.clear(&keys).await?;
    Ok(u64::try_from(keys.len()).unwrap_or(u64::MAX))
}
