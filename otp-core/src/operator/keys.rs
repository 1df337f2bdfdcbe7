use std::ops::ControlFlow;

use super::Operator;
use crate::clock::Timestamp;
use crate::key::{KeyId, KeySet};
use crate::store::{Delivery, KeyHold, KeyUse, StoreError};
use crate::verifier::Unavailable;

/// What hangs on every key, and which may go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyReport {
    /// When it was counted, by the store's clock.
    pub at: Timestamp,
    /// The keys of the ring in their order, the current one first, and then those that something
    /// names and no ring has.
    pub keys: Vec<KeyStanding>,
}

/// How a key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStanding {
    /// Which.
    pub key: KeyId,
    /// What it is to the ring.
    pub role: KeyRole,
    /// What hangs on it, in the order of [`KeyHold::ALL`].
    pub uses: Vec<KeyUse>,
    /// Whether it may go.
    pub verdict: KeyVerdict,
}

/// What a key is to the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyRole {
    /// New things are made with it.
    Current,
    /// Older things are checked with it, or it is published and makes nothing yet.
    Known,
    /// No key of this ring: it was retired too early, or another instance has it already.
    Missing,
}

/// Whether a key may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyVerdict {
    /// It is the current one.
    Stays,
    /// Nothing that is counted hangs on it. It may go once it has been out of use for as long as an
    /// access token or a state may live
    /// ([`Sessions::overlap`](crate::session::Sessions::overlap)), which nothing counts.
    MayGo,
    /// What hangs on it ends by then, if nothing renews it sooner.
    MayGoAt(Timestamp),
    /// Something hangs on it that does not end by itself: sealed secrets, which stay so until their
    /// authenticators are enrolled anew.
    IsNeeded,
    /// It is gone, and what still names it is worth nothing: bring the key back, or let those people
    /// begin anew.
    IsMissed,
}

impl KeyRole {
    /// Names it, for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Known => "known",
            Self::Missing => "missing",
        }
    }
}

impl KeyVerdict {
    /// Names it, for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stays => "stays",
            Self::MayGo => "may_go",
            Self::MayGoAt(_) => "may_go_at",
            Self::IsNeeded => "is_needed",
            Self::IsMissed => "is_missed",
        }
    }

    fn of(role: KeyRole, uses: &[KeyUse]) -> Self {
        let mut holds = uses.iter().filter(|one| one.hold.needs_its_key());
        match role {
            KeyRole::Current => Self::Stays,
            KeyRole::Missing => Self::IsMissed,
            KeyRole::Known => holds
                .try_fold(Self::MayGo, Self::and)
                .unwrap_or_else(|all| all),
        }
    }

    /// Adds what hangs on a key to what is known of it; nothing adds to what does not end.
    fn and(self, one: &KeyUse) -> Result<Self, Self> {
        let ends = one.until.ok_or(Self::IsNeeded)?;
        Ok(match self {
            Self::MayGoAt(known) => Self::MayGoAt(known.max(ends)),
            _ => Self::MayGoAt(ends),
        })
    }
}

impl KeyReport {
    fn of(keys: &KeySet, uses: Vec<KeyUse>, at: Timestamp) -> Self {
        let known = keys.ids().copied();
        let mut named: Vec<KeyId> = uses.iter().map(|one| one.key).collect();
        named.sort_unstable();
        named.dedup();
        let missing = named.into_iter().filter(|id| keys.get(id).is_none());
        let standing = |key: KeyId| {
            let role = match keys.get(&key) {
                Some(_) if *keys.current().id() == key => KeyRole::Current,
                Some(_) => KeyRole::Known,
                None => KeyRole::Missing,
            };
            let of_key = |hold| uses.iter().find(|one| one.key == key && one.hold == hold);
            let uses: Vec<_> = KeyHold::ALL
                .into_iter()
                .filter_map(of_key)
                .cloned()
                .collect();
            let verdict = KeyVerdict::of(role, &uses);
            KeyStanding {
                key,
                role,
                uses,
                verdict,
            }
        };
        let keys = known.chain(missing).map(standing).collect();
        Self { at, keys }
    }
}

impl Operator {
    /// Says of every key what hangs on it and when it may go: live challenges, remembered devices,
    /// sealed secrets and failed messages, of all tenants, and what the host counts beside them, such
    /// as its sessions ([`Sessions::key_uses`](crate::session::Sessions::key_uses)) and the seals of
    /// its chain ([`ChainStore::sealed_by`](crate::store::ChainStore::sealed_by)).
    ///
    /// What comes or goes meanwhile may be counted or not: what a verdict says of an older key holds
    /// while nothing new is made with it, so look again after every instance has the new key.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn key_report(
        &self,
        beside: impl IntoIterator<Item = KeyUse> + Send,
    ) -> Result<KeyReport, Unavailable> {
        let mut uses: Vec<KeyUse> = Vec::new();
        beside.into_iter().for_each(|one| one.add_to(&mut uses));
        self.note_look(self.look("key_report")).await?;
        let at = self.store().ping().await?;
        for one in self.store().key_uses().await? {
            one.add_to(&mut uses);
        }
        self.sealed_addresses(at, &mut uses).await?;
        Ok(KeyReport::of(&self.verifier.keys().snapshot(), uses, at))
    }

    async fn sealed_addresses(
        &self,
        now: Timestamp,
        uses: &mut Vec<KeyUse>,
    ) -> Result<(), StoreError> {
        let month = now.saturating_sub(Delivery::FAILURE_KEPT)..now;
        let count = |delivery: Delivery| {
            if let Some(to) = &delivery.destination {
                let until = Some(delivery.kept_until());
                KeyUse::add(uses, *to.sealed.key_id(), KeyHold::Deliveries, until);
            }
            ControlFlow::Continue(())
        };
        self.every_failure(month, count).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Key, KeyRing};
    use crate::secret::SecretBytes;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn id(name: &str) -> KeyId {
        KeyId::new(name).unwrap()
    }

    fn ring() -> KeyRing {
        let key = |name: &str, byte| {
            Key::new(id(name), &SecretBytes::new((byte..byte + 32).collect())).unwrap()
        };
        let ring = KeyRing::new(key("k1", 1));
        ring.rotate(key("k2", 2)).unwrap();
        ring.publish(key("k3", 3)).unwrap();
        ring
    }

    fn hang(key: &str, hold: KeyHold, until: Option<i64>) -> KeyUse {
        KeyUse {
            key: id(key),
            hold,
            count: 7,
            until: until.map(Timestamp::from_millis),
        }
    }

    fn verdicts(uses: Vec<KeyUse>) -> Vec<(String, KeyRole, KeyVerdict)> {
        let report = KeyReport::of(&ring().snapshot(), uses, NOW);
        let told = report.keys.into_iter();
        told.map(|one| (one.key.to_string(), one.role, one.verdict))
            .collect()
    }

    #[test]
    fn a_key_that_nothing_hangs_on_may_go_and_the_current_one_stays() {
        let expected = [
            ("k2".to_owned(), KeyRole::Current, KeyVerdict::Stays),
            ("k1".to_owned(), KeyRole::Known, KeyVerdict::MayGo),
            ("k3".to_owned(), KeyRole::Known, KeyVerdict::MayGo),
        ];
        assert_eq!(verdicts(Vec::new()), expected);
        let only_seals = vec![hang("k1", KeyHold::Chain, None)];
        assert_eq!(verdicts(only_seals), expected, "a later seal covers those");
    }

    #[test]
    fn a_key_may_go_when_the_last_of_what_hangs_on_it_has_ended() {
        let uses = vec![
            hang("k1", KeyHold::Challenges, Some(500)),
            hang("k1", KeyHold::Sessions, Some(900)),
            hang("k1", KeyHold::Devices, Some(700)),
            hang("k2", KeyHold::Devices, Some(9_000)),
        ];
        let told = verdicts(uses);
        let end = Timestamp::from_millis(900);
        assert_eq!(told[1].2, KeyVerdict::MayGoAt(end));
        assert_eq!(told[0].2, KeyVerdict::Stays);
    }

    #[test]
    fn a_key_that_seals_a_secret_is_needed_whatever_else_ends() {
        for place in 0..3 {
            let mut uses = vec![
                hang("k1", KeyHold::Challenges, Some(500)),
                hang("k1", KeyHold::Sessions, Some(900)),
            ];
            uses.insert(place, hang("k1", KeyHold::Factors, None));
            assert_eq!(verdicts(uses)[1].2, KeyVerdict::IsNeeded, "{place}");
        }
    }

    #[test]
    fn a_key_that_was_retired_too_early_is_reported_as_missed() {
        let told = verdicts(vec![hang("k0", KeyHold::Devices, Some(900))]);
        let expected = ("k0".to_owned(), KeyRole::Missing, KeyVerdict::IsMissed);
        assert_eq!(told.last(), Some(&expected));
        assert_eq!(told.len(), 4);
    }
}
