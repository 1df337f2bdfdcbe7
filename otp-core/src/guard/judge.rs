//! From figures to reasons: pure arithmetic.

use super::counts::Figures;
use super::sequence::Nearness;
use super::verdict::{DENY, Place, Reason, ReasonKind};
use crate::policy::TollFraud;

/// What a suspicion that is no proof adds to the score.
const SUSPICION: u32 = 50;
/// How many times its budget an address may have out before that alone denies.
const FAR_BEYOND: u64 = 4;

/// Says whether the budget of a place is spent.
pub(super) fn budget(
    rules: &TollFraud,
    budget: u32,
    place: Place,
    figures: Figures,
) -> Option<Reason> {
    let credit = figures.verified.saturating_mul(rules.credit().into());
    let limit = u64::from(budget).saturating_add(credit);
    let found = figures.unverified();
    let points = match place {
        Place::Range(_) | Place::Country(_) => DENY,
        Place::Address if found >= limit.saturating_mul(FAR_BEYOND) => DENY,
        Place::Address | Place::Tenant => SUSPICION,
    };
    (found >= limit).then_some(Reason {
        kind: ReasonKind::Unverified,
        place,
        found,
        of: figures.sent,
        limit,
        points,
    })
}

/// Says whether too little of what was sent to a place is verified.
pub(super) fn conversion(rules: &TollFraud, place: Place, figures: Figures) -> Option<Reason> {
    let (percent, least) = rules.conversion();
    let (of, found) = (figures.settled(), figures.verified);
    let expected = of.saturating_mul(percent.into());
    let low = of >= u64::from(least) && found.saturating_mul(100) < expected;
    low.then_some(Reason {
        kind: ReasonKind::Conversion,
        place,
        found,
        of,
        limit: percent.into(),
        points: DENY,
    })
}

/// Says whether the number is one of a row.
pub(super) fn sequence(
    rules: &TollFraud,
    place: &Place,
    near: Nearness,
) -> impl Iterator<Item = Reason> {
    let limit = rules.neighbours();
    let twice = limit.saturating_mul(2);
    let reason = |kind, found: u32, limit: u32, points| Reason {
        kind,
        place: place.clone(),
        found: found.into(),
        of: found.into(),
        limit: limit.into(),
        points,
    };
    let points = if near.neighbours >= twice {
        DENY
    } else {
        SUSPICION
    };
    let row = reason(ReasonKind::Sequence, near.neighbours, limit, points);
    let block = reason(ReasonKind::Block, near.block, twice, SUSPICION);
    let row = (near.neighbours >= limit).then_some(row);
    let block = (near.block >= twice).then_some(block);
    row.into_iter().chain(block)
}
