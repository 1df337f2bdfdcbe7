use std::fmt;

use crate::destination::{NumberRange, Region};

/// What a verdict comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Action {
    /// The message may go.
    #[default]
    Allow,
    /// Whoever asks should prove to be a person first.
    StepUp,
    /// No message.
    Deny,
}

impl Action {
    /// Names the action.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::StepUp => "step_up",
            Self::Deny => "deny",
        }
    }
}

/// Why nothing of what was counted stands against a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exemption {
    /// It was asked for on a device that the account knows, and the account is the number itself.
    KnownDevice,
    /// The number verified a code in the last 30 days.
    VerifiedBefore,
    /// The operator knows the number, or its range.
    Allowed,
}

/// Where something was counted. `Debug` and [`Display`](fmt::Display) show no number that its
/// masked form hides, and neither the client's address nor the tenant, which the event has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// In a range of numbers.
    Range(NumberRange),
    /// In a country; `None` is numbers that belong to none.
    Country(Option<Region>),
    /// From the client's address.
    Address,
    /// For the tenant.
    Tenant,
}

impl Place {
    /// Names the kind of place.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Range(_) => "range",
            Self::Country(_) => "country",
            Self::Address => "address",
            Self::Tenant => "tenant",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Range(range) => write!(f, " {range}"),
            Self::Country(Some(country)) => write!(f, " {country}"),
            Self::Country(None) => f.write_str(" none"),
            Self::Address | Self::Tenant => Ok(()),
        }
    }
}

/// What was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReasonKind {
    /// The budget of unverified codes is spent: `found` of them, of `of` messages.
    Unverified,
    /// Too few codes are verified: `found` of `of` messages; `limit` is in percent.
    Conversion,
    /// The number follows `found` unverified ones within 16 of it.
    Sequence,
    /// `found` unverified numbers have all but the last two digits in common with it.
    Block,
}

/// One reason of a verdict, with its figures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// What was noticed.
    pub kind: ReasonKind,
    /// Where.
    pub place: Place,
    /// How many.
    pub found: u64,
    /// Of how many.
    pub of: u64,
    /// What would have been fine: so many, or for a conversion so many in a hundred.
    pub limit: u64,
    /// What it adds to the score; 50 is a step-up, 100 a denial.
    pub points: u32,
}

impl Reason {
    /// Names the reason for events, in a stable word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match (self.kind, &self.place) {
            (ReasonKind::Unverified, Place::Range(_)) => "range_unverified",
            (ReasonKind::Unverified, Place::Country(_)) => "country_unverified",
            (ReasonKind::Unverified, Place::Address) => "address_unverified",
            (ReasonKind::Unverified, Place::Tenant) => "tenant_unverified",
            (ReasonKind::Conversion, Place::Country(_)) => "country_conversion",
            (ReasonKind::Conversion, _) => "range_conversion",
            (ReasonKind::Sequence, _) => "number_sequence",
            (ReasonKind::Block, _) => "number_block",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            found,
            of,
            limit,
            ..
        } = self;
        match self.kind {
            ReasonKind::Unverified => write!(
                f,
                "{place}: {found} of {of} codes of the last hour are unverified, {limit} may be"
            ),
            ReasonKind::Conversion => write!(
                f,
                "{place}: {found} of {of} codes of the last hour were verified, expected are \
                 {limit} in a hundred"
            ),
            ReasonKind::Sequence => write!(
                f,
                "{place}: {found} unverified numbers are within 16 of this one, {limit} make a \
                 sequence"
            ),
            ReasonKind::Block => write!(
                f,
                "{place}: {found} unverified numbers share all but the last two digits, {limit} \
                 make a block"
            ),
        }
    }
}

/// What the guard says of one message, and why.
///
/// `Display` is one line for operators. It holds no full number, address or tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// What it comes to.
    pub action: Action,
    /// Why, the heaviest first; empty where it is allowed.
    pub reasons: Vec<Reason>,
    /// Why it is allowed whatever was counted.
    pub exemption: Option<Exemption>,
}

/// The score from which on a person must be proven.
const STEP_UP: u32 = 50;
/// The score from which on there is no message.
pub(super) const DENY: u32 = 100;

impl Verdict {
    pub(crate) fn exempt(why: Exemption) -> Self {
        Self {
            exemption: Some(why),
            ..Self::default()
        }
    }

    pub(super) fn of(mut reasons: Vec<Reason>) -> Self {
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.points));
        // A busy tenant is no reason to deny: it only never makes a verdict milder.
        let own = |reason: &&Reason| reason.place != Place::Tenant;
        let score = reasons.iter().filter(own).map(|reason| reason.points);
        let score = score.fold(0_u32, u32::saturating_add);
        let action = match score {
            DENY.. => Action::Deny,
            STEP_UP.. => Action::StepUp,
            _ if reasons.is_empty() => Action::Allow,
            _ => Action::StepUp,
        };
        Self {
            action,
            reasons,
            exemption: None,
        }
    }

    /// Gives the score: the points of all reasons together.
    #[must_use]
    pub fn score(&self) -> u32 {
        let points = self.reasons.iter().map(|reason| reason.points);
        points.fold(0, u32::saturating_add)
    }

    /// Names the heaviest reason for events; `None` where it is allowed.
    #[must_use]
    pub fn word(&self) -> Option<&'static str> {
        self.reasons.first().map(Reason::word)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action.name())?;
        for (number, reason) in self.reasons.iter().enumerate() {
            f.write_str(if number == 0 { ": " } else { "; " })?;
            write!(f, "{reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(place: Place, points: u32) -> Reason {
        Reason {
            kind: ReasonKind::Unverified,
            place,
            found: 21,
            of: 30,
            limit: 20,
            points,
        }
    }

    #[test]
    fn two_suspicions_make_a_denial_and_a_busy_tenant_never_does() {
        let of = |reasons: &[Reason]| Verdict::of(reasons.to_vec()).action;
        let address = reason(Place::Address, 50);
        let country = reason(Place::Country(None), 50);
        let tenant = reason(Place::Tenant, 50);
        assert_eq!(of(&[]), Action::Allow);
        assert_eq!(of(std::slice::from_ref(&address)), Action::StepUp);
        assert_eq!(of(std::slice::from_ref(&tenant)), Action::StepUp);
        assert_eq!(of(&[address.clone(), tenant]), Action::StepUp);
        assert_eq!(of(&[address, country]), Action::Deny);
    }

    #[test]
    fn a_verdict_says_why_with_figures_and_without_a_number() {
        let phone = crate::destination::PhoneNumber::parse("+14155550123").unwrap();
        let verdict = Verdict::of(vec![reason(Place::Range(phone.range()), 100)]);
        assert_eq!(
            verdict.to_string(),
            "deny: range +1415•••: 21 of 30 codes of the last hour are unverified, 20 may be"
        );
        assert_eq!(verdict.word(), Some("range_unverified"));
        assert!(!format!("{verdict:?}").contains("1415555"));
    }
}
