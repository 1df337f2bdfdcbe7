use std::num::NonZeroU32;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::{Denial, Gate, GateRequest, Operation, Wants};
use crate::challenge::Lane;
use crate::destination::{Destination, PhoneNumber};
use crate::policy::{ScopedQuota, Starts};
use crate::quota::{ClientAddress, Quota, QuotaClaim, QuotaKey, QuotaKind, Scope};
use crate::request::{Asker, SubjectKey};
use crate::store::Admission;

/// Holds requests to the limits of the policy: by subject, destination, country, range of numbers,
/// client address, device and tenant, all in one decision. Devices that are known have sends of
/// their own, so a stranger cannot drain the owner's.
///
/// An IPv6 client counts with its /64 and, at [ten times](WIDER) each limit, with its /48: whoever
/// has a /48 has 65,536 of the former.
#[derive(Clone, Copy, Debug, Default)]
pub struct QuotaGate;

/// How many times a /64's limit the /48 around it has, where policy sets none for it.
pub const WIDER: u32 = 10;

impl Gate for QuotaGate {
    fn name(&self) -> &'static str {
        "quota"
    }

    fn plan(&self, request: &GateRequest<'_>, wants: &mut Wants) -> Result<(), Denial> {
        let limits = request.policy.limits();
        let quotas = match request.operation {
            Operation::Issue => limits.issue(),
            Operation::Resend => limits.resend(),
            Operation::Verify | Operation::Change => limits.verify(),
        };
        wants.quotas.reserve(quotas.len());
        let wide = request.context.client_address().wide();
        let own = |scoped: &ScopedQuota| scoped.scope == Scope::Network;
        let wide = wide.filter(|_| !quotas.iter().any(own));
        let times = match request.operation {
            Operation::Issue => {
                let keys = [request.subject, request.destination_key];
                request.policy.vips().times(request.tenant, keys)
            }
            _ => NonZeroU32::MIN,
        };
        for scoped in quotas {
            if let (Scope::Address, Some(_)) = (scoped.scope, &wide) {
                let network = ScopedQuota {
                    scope: Scope::Network,
                    quota: scoped.quota.times(WIDER),
                };
                if let Some(key) = key(request, &network) {
                    let quota = network.quota;
                    wants.quotas.push(QuotaClaim { key, quota });
                }
            }
            if let Some(key) = key(request, scoped) {
                let quota = match scoped.scope {
                    Scope::Subject | Scope::Destination if times > NonZeroU32::MIN => {
                        scoped.quota.times(times.get())
                    }
                    _ => scoped.quota,
                };
                wants.quotas.push(QuotaClaim { key, quota });
            }
        }
        wants.quotas.extend(spacing(request));
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

/// Holds a start to the wait that the one before it answered with, where the policy does: by
/// subject, purpose and lane, as one challenge takes the place of another.
pub(crate) fn spacing(request: &GateRequest<'_>) -> Option<QuotaClaim> {
    let limits = request.policy.limits();
    let spaced = request.operation == Operation::Issue && limits.starts() == Starts::Spaced;
    let wait = limits.cooldowns().first().filter(|_| spaced)?;
    let (subject, purpose) = (request.subject?, request.purpose?);
    let lane = lane(request.lane);
    let action = Action::of(request.operation, [lane, "s"], *wait);
    // No purpose has a slash in its name.
    let value = format!("{}/{}", purpose.as_str(), subject.as_str());
    let tenant = request.tenant.as_str();
    Some(QuotaClaim {
        key: QuotaKey::new(action.as_str(), Scope::Subject, tenant, &value),
        quota: Quota::bounded_window(1, *wait),
    })
}

/// Gives a start by a VIP's name as much as the VIP has. Whom a VIP is by is their account's key, and
/// the request has the name's.
pub(crate) fn widen(request: &GateRequest<'_>, account: &SubjectKey, quotas: &mut [QuotaClaim]) {
    let vips = request.policy.vips();
    let times = vips.times(request.tenant, [Some(account), None]);
    let spacing = spacing(request).map(|claim| claim.key);
    for claim in quotas {
        let own = matches!(claim.key.scope(), Scope::Subject | Scope::Destination);
        if own && Some(&claim.key) != spacing.as_ref() {
            claim.quota = claim.quota.times(times.get());
        }
    }
}

const fn lane(lane: Lane) -> &'static str {
    match lane {
        Lane::KnownDevice => "k",
        Lane::Public => "p",
    }
}

/// Names the bucket: what is counted, through which lane where the scope has lanes, the kind and
/// period of the quota (two windows on one scope are two buckets; another figure for the same
/// window is the same bucket), and the value.
fn key(request: &GateRequest<'_>, scoped: &ScopedQuota) -> Option<QuotaKey> {
    let lane = match scoped.scope {
        Scope::Subject | Scope::Destination => lane(request.lane),
        _ => lane(Lane::Public),
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
        Scope::Address => address(request).map(|bucket| make(&bucket)),
        Scope::Network => request.context.client_address().wide().map(|it| make(&it)),
        Scope::Device => device(request).map(|device| make(&device)),
        Scope::Country => phone(request).map(|phone| make(&country(phone))),
        Scope::Prefix => phone(request).map(|phone| make(phone.range().expose())),
        Scope::Tenant => Some(make("")),
        Scope::Global => Some(QuotaKey::new(action, scoped.scope, "", "")),
    }
}

/// Names the client's bucket. An operator who acts for somebody of unknown address has none: the
/// one of all unknown addresses is shared with everybody.
fn address(request: &GateRequest<'_>) -> Option<String> {
    match (request.context.asker(), request.context.client_address()) {
        (Asker::Operator, ClientAddress::Unknown) => None,
        (_, address) => Some(address.bucket()),
    }
}

fn phone<'a>(request: &GateRequest<'a>) -> Option<&'a PhoneNumber> {
    match request.destination {
        Some(Destination::Phone(phone)) => Some(phone),
        _ => None,
    }
}

/// Names the country; of a number that belongs to none, the network.
fn country(phone: &PhoneNumber) -> String {
    match phone.country() {
        Some(country) => country.code().to_owned(),
        None => format!("+{}", phone.calling_code()),
    }
}

/// Names a device by a hash of its token. Only a start has shown that the token is genuine: its
/// lane says so. The hash needs no key: a genuine token holds a seal of 128 bits or more that the
/// key ring made, so whoever has a store's keys has nothing to try through, and learns at most that
/// two starts came from one device.
fn device(request: &GateRequest<'_>) -> Option<String> {
    let known = request.lane == Lane::KnownDevice && request.operation == Operation::Issue;
    let token = request.context.device().filter(|_| known)?;
    let hash = Sha256::digest(token.as_bytes());
    Some(URL_SAFE_NO_PAD.encode(hash.get(..16).unwrap_or_default()))
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
    use crate::policy::{Limits, Policy};
    use crate::quota::Quota;
    use crate::request::{RequestContext, Tenant};

    const HOUR: Duration = Duration::from_secs(3_600);

    /// Plans a start and shows what it is charged to.
    fn claims(limits: Limits, to: &str, from: &str) -> Vec<(Scope, u32, String)> {
        let destination = Destination::parse(to, None).unwrap();
        let key = SubjectKey::of_destination(&destination);
        let context = RequestContext::from_address(from.parse().unwrap());
        let policy = Policy::new(limits);
        let request = GateRequest {
            operation: Operation::Issue,
            tenant: &Tenant::default(),
            subject: Some(&key),
            destination: Some(&destination),
            destination_key: Some(&key),
            channel: Some(destination.default_channel()),
            purpose: None,
            lane: Lane::Public,
            context: &context,
            policy: &policy,
        };
        let mut wants = Wants::default();
        QuotaGate.plan(&request, &mut wants).unwrap();
        let shown = |claim: &QuotaClaim| {
            let value = claim.key.as_str().rsplit(':').next().unwrap().to_owned();
            (claim.key.scope(), claim.quota.max(), value)
        };
        wants.quotas.iter().map(shown).collect()
    }

    fn of(scope: Scope, claims: &[(Scope, u32, String)]) -> Vec<(u32, &str)> {
        let own = claims.iter().filter(|(other, ..)| *other == scope);
        own.map(|(_, max, value)| (*max, value.as_str())).collect()
    }

    #[test]
    fn an_ipv6_client_counts_with_its_48_at_ten_times_the_limit_and_an_ipv4_one_does_not() {
        let limits = Limits::recommended;
        let six = claims(limits(), "+14155550123", "2001:db8:1:2::7");
        assert_eq!(of(Scope::Network, &six), [(500, "/48")]);
        assert_eq!(of(Scope::Address, &six).len(), 1);
        let four = claims(limits(), "+14155550123", "203.0.113.7");
        assert_eq!(of(Scope::Network, &four), []);
        let own = limits().on_issue(Scope::Network, Quota::window(70, HOUR).unwrap());
        let six = claims(own, "+14155550123", "2001:db8:1:2::7");
        assert_eq!(
            of(Scope::Network, &six),
            [(70, "/48")],
            "policy's own, once"
        );
    }

    #[test]
    fn phones_count_by_country_and_range_and_mail_by_neither() {
        let hourly = |max| Quota::window(max, HOUR).unwrap();
        let limits = || {
            Limits::recommended()
                .on_issue(Scope::Country, hourly(500))
                .on_issue(Scope::Prefix, hourly(20))
                .on_issue(Scope::Device, hourly(9))
        };
        let phone = claims(limits(), "+14155550123", "203.0.113.7");
        assert_eq!(of(Scope::Country, &phone), [(500, "US")]);
        assert_eq!(of(Scope::Prefix, &phone), [(20, "+1415555")]);
        assert_eq!(of(Scope::Device, &phone), [], "no device is known");
        let nowhere = claims(limits(), "+80012345678", "203.0.113.7");
        assert_eq!(of(Scope::Country, &nowhere), [(500, "+800")]);
        let mail = claims(limits(), "mike@example.org", "203.0.113.7");
        assert_eq!(of(Scope::Country, &mail), []);
        assert_eq!(of(Scope::Prefix, &mail), []);
    }

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
