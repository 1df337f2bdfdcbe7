//! `rate_limiting:`, how often. `per_user`, `per_ip` and their like at the top say it for starts
//! (those of who asks for resends and tries too); under `issue`, `resend` and `verify` for one.
//!
//! One quota takes the place of the one of its window and leaves the others of its scope; a list
//! takes the place of all of them.

use std::time::Duration;

use super::error::PolicyFileError;
use super::node::Node;
use super::read::Entry;
use super::{PolicyFile, duration, write as put};
use crate::policy::{Limits, ScopedQuota};
use crate::quota::{Party, Quota, QuotaKind, Scope};
use crate::request::Operation;

const OPERATIONS: [Operation; 3] = [Operation::Issue, Operation::Resend, Operation::Verify];

/// The scopes by the names that configuration has for them; the first of a scope is written.
const SCOPES: [(&str, Scope); 10] = [
    ("per_user", Scope::Subject),
    ("per_destination", Scope::Destination),
    ("per_ip", Scope::Address),
    ("per_network", Scope::Network),
    ("per_device", Scope::Device),
    ("per_country", Scope::Country),
    ("per_prefix", Scope::Prefix),
    ("per_tenant", Scope::Tenant),
    ("global", Scope::Global),
    ("per_phone", Scope::Destination),
];

pub(super) fn read(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    for field in entry.fields()? {
        let operation = OPERATIONS
            .into_iter()
            .find(|one| one.name() == field.name());
        match operation {
            Some(operation) => {
                for scoped in field.fields()? {
                    set(file, &scoped, &[operation])?;
                }
            }
            None => {
                let operations: &[Operation] = match scope(&field)?.party() {
                    Party::Target => &[Operation::Issue],
                    Party::Requester => &OPERATIONS,
                };
                set(file, &field, operations)?;
            }
        }
    }
    Ok(())
}

fn scope(entry: &Entry<'_>) -> Result<Scope, PolicyFileError> {
    let known = SCOPES.iter().find(|(name, _)| *name == entry.name());
    known
        .map(|(_, scope)| *scope)
        .ok_or_else(|| entry.unknown())
}

fn set(
    file: &mut PolicyFile,
    entry: &Entry<'_>,
    operations: &[Operation],
) -> Result<(), PolicyFileError> {
    let scope = scope(entry)?;
    if entry.is_list() {
        let items = entry.items()?;
        let quotas: Vec<Quota> = items.iter().map(quota).collect::<Result<_, _>>()?;
        for operation in operations {
            let quotas = quotas.iter().copied();
            file.map_limits(|limits| limits.with_quotas(*operation, scope, quotas));
        }
        return Ok(());
    }
    let quota = quota(entry)?;
    for operation in operations {
        file.map_limits(|limits| limits.with_quota(*operation, scope, quota));
    }
    Ok(())
}

/// Reads `{ window, max }`, or `{ per, burst }` for a rate.
fn quota(entry: &Entry<'_>) -> Result<Quota, PolicyFileError> {
    let (mut window, mut per, mut max, mut burst) = (None, None, None, None);
    for field in entry.fields()? {
        match field.name() {
            "window" => window = Some(field.duration()?),
            "windowMs" | "window_ms" => window = Some(Duration::from_millis(field.number()?)),
            "max" | "max_attempts" => max = Some(field.number()?),
            "per" => per = Some(field.duration()?),
            "burst" => burst = Some(field.number()?),
            _ => return Err(field.unknown()),
        }
    }
    let quota = match (window, max, per, burst) {
        (Some(window), Some(max), None, None) => Quota::window(max, window),
        (None, None, Some(per), Some(burst)) => Quota::rate(burst, per),
        _ => return Err(entry.must_be("a window and a max, or a burst and its per")),
    };
    quota.map_err(|error| entry.wrong(&error.to_string()))
}

pub(super) fn write(file: &PolicyFile) -> Option<Node> {
    let limits = file.policy.limits();
    let operations = OPERATIONS.map(|operation| (operation.name(), of(limits, operation)));
    Some(put::map(operations))
}

fn of(limits: &Limits, operation: Operation) -> Node {
    let quotas = match operation {
        Operation::Issue => limits.issue(),
        Operation::Resend => limits.resend(),
        Operation::Verify | Operation::Change => limits.verify(),
    };
    let scopes = SCOPES.iter().filter(|(name, _)| *name != "per_phone");
    put::map(scopes.map(|(name, scope)| {
        let own = quotas.iter().filter(|scoped| scoped.scope == *scope);
        (*name, put::list(own.map(one)))
    }))
}

fn one(scoped: &ScopedQuota) -> Node {
    let quota = scoped.quota;
    let (period, max) = (
        put::text(duration::write(quota.period())),
        put::text(quota.max()),
    );
    match quota.kind() {
        QuotaKind::Rate => put::map([("per", period), ("burst", max)]),
        _ => put::map([("window", period), ("max", max)]),
    }
}
