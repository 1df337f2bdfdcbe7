use std::time::Duration;

use super::{Denial, Gate, GateRequest, Operation, Wants};
use crate::challenge::Lane;
use crate::policy::ScopedQuota;
use crate::quota::{QuotaClaim, QuotaKey, QuotaKind, Scope};
use crate::store::Admission;

/// Holds requests to the limits of the policy: by subject, destination, client address and
/// tenant, all in one decision. Devices that are known have sends of their own, so a stranger
/// cannot drain the owner's.
#[derive(Clone, Copy, Debug, Default)]
pub struct QuotaGate;

impl Gate for QuotaGate {
    fn name(&self) -> &'static str {
        "quota"
    }

    fn plan(&self, request: &GateRequest<'_>, wants: &mut Wants) -> Result<(), Denial> {
        let limits = request.policy.limits();
        let quotas = match request.operation {
            Operation::Issue => limits.issue(),
            Operation::Resend => limits.resend(),
            Operation::Verify => limits.verify(),
        };
        wants.quotas.reserve(quotas.len());
        for scoped in quotas {
            if let Some(key) = key(request, scoped) {
                wants.quotas.push(QuotaClaim {
                    key,
                    quota: scoped.quota,
                });
            }
        }
        Ok(())
    }

    fn judge(&self, _request: &GateRequest<'_>, admission: &Admission) -> Result<(), Denial> {
        let readings = &admission.findings.quotas;
        let refused = readings
            .iter()
            .any(|reading| reading.retry_after().is_some());
        if refused {
            Err(Denial::Limited(readings.clone()))
        } else {
            Ok(())
        }
    }
}

/// Names the bucket: what is counted, through which lane where the scope has lanes, the kind and
/// period of the quota (two windows on one scope are two buckets; another figure for the same
/// window is the same bucket), and the value.
fn key(request: &GateRequest<'_>, scoped: &ScopedQuota) -> Option<QuotaKey> {
    let lane = match (scoped.scope, request.lane) {
        (Scope::Subject | Scope::Destination, Lane::KnownDevice) => "k",
        _ => "p",
    };
    let kind = match scoped.quota.kind() {
        QuotaKind::Rate => "r",
        _ => "w",
    };
    let action = Action::of(request.operation, [lane, kind], scoped.quota.period());
    let action = action.as_str();
    let tenant = request.tenant.as_str();
    let make = |value: &str| QuotaKey::new(action, scoped.scope, tenant, value);
    match scoped.scope {
        Scope::Subject => request.subject.map(|subject| make(subject.as_str())),
        // By the pseudonym: keys hold no address, and a decoy counts as a real one does.
        Scope::Destination => request.destination_key.map(|key| make(key.as_str())),
        Scope::Address => Some(make(&request.context.client_address().bucket())),
        Scope::Tenant => Some(make("")),
        Scope::Global => Some(QuotaKey::new(action, scoped.scope, "", "")),
        // A policy with another scope does not validate.
        _ => None,
    }
}

/// The name of what is counted, such as `issue.pw3600`. It is made for every quota of every
/// request, so it takes no memory of its own.
#[derive(Debug, Default)]
struct Action {
    bytes: [u8; 32],
    length: usize,
}

impl Action {
    fn of(operation: Operation, kind: [&str; 2], period: Duration) -> Self {
        let mut action = Self::default();
        for part in [operation.name(), "."].into_iter().chain(kind) {
            action.push(part.as_bytes());
        }
        let mut rest = period.as_secs();
        let mut digits = [0; 20];
        let mut first = digits.len();
        for (place, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
            first = place;
            if rest == 0 {
                break;
            }
        }
        action.push(digits.get(first..).unwrap_or_default());
        action
    }

    fn push(&mut self, part: &[u8]) {
        let end = self.length.saturating_add(part.len());
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(part);
            self.length = end;
        }
    }

    fn as_str(&self) -> &str {
        let text = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_names_operation_lane_kind_and_period_in_full() {
        for (secs, expected) in [
            (0, "verify.kr0".to_owned()),
            (300, "verify.kr300".to_owned()),
            (u64::MAX, format!("verify.kr{}", u64::MAX)),
        ] {
            let period = Duration::from_secs(secs);
            let action = Action::of(Operation::Verify, ["k", "r"], period);
            assert_eq!(action.as_str(), expected);
        }
    }
}
