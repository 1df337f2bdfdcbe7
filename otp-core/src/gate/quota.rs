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
    let period = scoped.quota.period().as_secs();
    let action = format!("{}.{lane}{kind}{period}", request.operation.name());
    let tenant = request.tenant.as_str();
    let make = |value: &str| QuotaKey::new(&action, scoped.scope, tenant, value);
    match scoped.scope {
        Scope::Subject => request.subject.map(|subject| make(subject.as_str())),
        Scope::Destination => request
            .destination
            .map(|destination| make(destination.limit_key().expose())),
        Scope::Address => Some(make(&request.context.client_address().bucket())),
        Scope::Tenant => Some(make("")),
        _ => None,
    }
}
