//! An override as a line of a board: its parts with tabs between them, which none of them may hold.

use std::time::Duration;

use super::{Exception, Override, OverrideId, Vip};
use crate::clock::Timestamp;
use crate::destination::Region;
use crate::event::Act;
use crate::policy::Allowed;
use crate::quota::{Quota, QuotaKind, Scope};
use crate::request::{Operation, SubjectKey, Tenant};
use crate::store::BlockKind;

const WINDOW: &str = "window";
const RATE: &str = "rate";

/// The parts of a line: what every version of the library reads, and what this one may not.
pub(super) struct Words<'t> {
    pub(super) id: OverrideId,
    pub(super) ends: Timestamp,
    pub(super) said: Vec<&'t str>,
}

pub(super) fn split(line: &str) -> Option<Words<'_>> {
    let mut parts = line.split('\t');
    let id = parts.next()?.parse().ok()?;
    let ends = parts.next()?.parse().ok().map(Timestamp::from_millis)?;
    let said = parts.collect();
    Some(Words { id, ends, said })
}

pub(super) fn read(id: OverrideId, ends: Timestamp, said: &[&str]) -> Option<Override> {
    let [operator, reason, what, of @ ..] = said else {
        return None;
    };
    let act = Act::new(operator, reason).ok()?;
    Some(Override::new(id, exception(what, of)?, act.into(), ends))
}

pub(super) fn write(one: &Override) -> String {
    let (id, ends, act) = (one.id(), one.expires_at().as_millis(), one.act());
    let what = one.exception().name();
    let line = format!(
        "{id}\t{ends}\t{}\t{}\t{what}",
        act.operator,
        act.reason.as_str()
    );
    let of = of(one.exception());
    of.iter().fold(line, |line, word| line + "\t" + word)
}

fn of(exception: &Exception) -> Vec<String> {
    match exception {
        Exception::Quota {
            operation,
            scope,
            quota,
        } => {
            let kind = match quota.kind() {
                QuotaKind::Window => WINDOW,
                QuotaKind::Rate => RATE,
            };
            let (max, period) = (quota.max(), quota.period().as_nanos());
            let (max, period) = (max.to_string(), period.to_string());
            let names = [operation.name(), scope.name(), kind].map(str::to_owned);
            names.into_iter().chain([max, period]).collect()
        }
        Exception::Vip(vip) => vec![
            vip.tenant().as_str().to_owned(),
            vip.whom().as_str().to_owned(),
            vip.times().to_string(),
        ],
        Exception::Allowed(allowed) => {
            vec![allowed.kind().name().to_owned(), allowed.value().to_owned()]
        }
        Exception::ChannelOff(channel) | Exception::ChannelOn(channel) => {
            vec![channel.name().to_owned()]
        }
        Exception::CountryDenied(country) => vec![country.code().to_owned()],
        Exception::CaptchaRequired | Exception::SecondFactorWaived => Vec::new(),
    }
}

fn exception(what: &str, of: &[&str]) -> Option<Exception> {
    match (what, of) {
        ("quota", [operation, scope, kind, max, period]) => Some(Exception::Quota {
            operation: Operation::from_name(operation)?,
            scope: Scope::from_name(scope)?,
            quota: quota(kind, max.parse().ok()?, period.parse().ok()?)?,
        }),
        ("vip", [tenant, whom, times]) => {
            let vip = Vip::of(SubjectKey::from_stored(*whom), times.parse().ok()?).ok()?;
            Some(Exception::Vip(vip.in_tenant(Tenant::new(tenant).ok()?)))
        }
        ("allowed", [kind, value]) => {
            let allowed = Allowed::new(BlockKind::from_name(kind)?, value).ok()?;
            Some(Exception::Allowed(allowed))
        }
        ("channel_off", [channel]) => channel.parse().ok().map(Exception::ChannelOff),
        ("channel_on", [channel]) => channel.parse().ok().map(Exception::ChannelOn),
        ("country_denied", [code]) => Region::parse(code).ok().map(Exception::CountryDenied),
        ("captcha_required", []) => Some(Exception::CaptchaRequired),
        ("second_factor_waived", []) => Some(Exception::SecondFactorWaived),
        _ => None,
    }
}

fn quota(kind: &str, max: u32, nanos: u64) -> Option<Quota> {
    let period = Duration::from_nanos(nanos);
    match kind {
        WINDOW => Quota::window(max, period).ok(),
        RATE => Quota::rate(max, period).ok(),
        _ => None,
    }
}
