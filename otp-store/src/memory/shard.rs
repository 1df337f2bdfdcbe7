use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use otp_core::challenge::{Challenge, ChallengeId, ChallengeState, Lane};
use otp_core::clock::Timestamp;
use otp_core::factor::{Factor, RememberedDevice};
use otp_core::quota::{Budget, Disabled, Quota};
use otp_core::request::{Purpose, SubjectKey, Tenant};
use otp_core::store::{BudgetKey, FactorOwner, FactorSheet, StoreError, StoreErrorKind};

use super::SHARDS;
use super::packed::Packed;

/// How long an ended challenge is kept for those who ask what became of it.
const KEEP_ENDED: Duration = Duration::from_secs(86_400);
/// How long it is kept at least, also when room is short: a repeated try gets its answer.
const KEEP_ALWAYS: Duration = Duration::from_secs(60);
/// The smallest size at which a shard sweeps itself.
const SWEEP_FROM: usize = 256;

/// Everything of the subjects that fall into one shard.
#[derive(Debug, Default)]
pub(super) struct Shard {
    challenges: HashMap<ChallengeId, Packed>,
    /// The live challenge of each tenant, subject, purpose and lane, and the live decoy beside it,
    /// by a seeded hash of them. What it leads to is compared before it is believed.
    live: HashMap<u64, ChallengeId>,
    seed: RandomState,
    budgets: HashMap<BudgetKey, Budget>,
    sheets: HashMap<FactorOwner, FactorSheet>,
    /// Newest first.
    devices: HashMap<FactorOwner, Vec<RememberedDevice>>,
    sweep_at: usize,
    /// Where challenges are packed.
    room: Vec<u8>,
}

impl Shard {
    pub(super) fn get(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        match self.challenges.get(id) {
            None => Ok(None),
            Some(packed) => packed
                .open(*id)
                .map(Some)
                .ok_or_else(|| StoreErrorKind::Corrupt.into()),
        }
    }

    #[cfg(feature = "composite")]
    pub(super) fn is_empty(&self) -> bool {
        self.challenges.is_empty()
    }

    pub(super) fn put(&mut self, challenge: &Challenge) {
        let packed = Packed::new(challenge, &mut self.room);
        self.challenges.insert(challenge.id, packed);
    }

    /// Adds a challenge and supersedes the live ones that give way to it.
    pub(super) fn insert(
        &mut self,
        challenge: &Challenge,
        capacity: usize,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.make_room(capacity, now)?;
        self.supersede(challenge, now)?;
        let place = self.place(&Place::of(challenge));
        self.live.insert(place, challenge.id);
        self.put(challenge);
        Ok(())
    }

    /// Ends the live challenges that give way to a new one.
    pub(super) fn supersede(&mut self, new: &Challenge, now: Timestamp) -> Result<(), StoreError> {
        for decoy in [false, true] {
            let place = Place {
                decoy,
                ..Place::of(new)
            };
            let Some(before) = self.live.get(&self.place(&place)).copied() else {
                continue;
            };
            // One that has ended stays as it is, and is not unpacked for that.
            let packed = self.challenges.get(&before);
            let Some(packed) = packed.filter(|packed| packed.is_live(now)) else {
                continue;
            };
            let mut old = packed.open(before).ok_or(StoreErrorKind::Corrupt)?;
            if old.id != new.id && old.gives_way_to(new) {
                old.end(ChallengeState::Superseded, now);
                self.put(&old);
            }
        }
        Ok(())
    }

    /// Finds the live challenge behind the first of the lanes that has one; a decoy where none of
    /// somebody's is live.
    pub(super) fn latest(
        &self,
        tenant: &Tenant,
        subject: &SubjectKey,
        purpose: &Purpose,
        lanes: &[Lane],
        now: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        let mut ended = None;
        let places = [false, true]
            .into_iter()
            .flat_map(|decoy| lanes.iter().map(move |lane| (*lane, decoy)));
        for (lane, decoy) in places {
            let place = Place {
                tenant,
                subject,
                purpose,
                lane,
                decoy,
            };
            let id = self.live.get(&self.place(&place));
            let found = id.map(|id| self.get(id)).transpose()?.flatten();
            match found.filter(|found| Place::of(found) == place) {
                Some(found) if found.is_live(now) => return Ok(Some(found)),
                found => ended = ended.or(found),
            }
        }
        Ok(ended)
    }

    pub(super) fn budget(&self, key: &BudgetKey) -> Cow<'_, Budget> {
        let kept = self.budgets.get(key);
        kept.map_or_else(Cow::default, Cow::Borrowed)
    }

    pub(super) fn budget_mut(
        &mut self,
        key: &BudgetKey,
        capacity: usize,
    ) -> Result<&mut Budget, StoreError> {
        let full = self.budgets.len() >= capacity.div_ceil(SHARDS);
        if full && !self.budgets.contains_key(key) {
            self.budgets.retain(|_, budget| !is_blank(budget));
            if self.budgets.len() >= capacity.div_ceil(SHARDS) {
                return Err(StoreErrorKind::Full.into());
            }
        }
        Ok(self.budgets.entry(key.clone()).or_default())
    }

    /// Records a success on a budget; one that is not there has nothing to forget.
    pub(super) fn succeed(&mut self, key: &BudgetKey, lane: Lane) {
        if let Some(budget) = self.budgets.get_mut(key) {
            budget.succeed(lane);
        }
    }

    pub(super) fn open_budget(&mut self, key: &BudgetKey) {
        self.budgets.remove(key);
    }

    pub(super) fn sheet(&self, owner: &FactorOwner) -> FactorSheet {
        self.sheets.get(owner).cloned().unwrap_or_default()
    }

    /// Keeps what an owner has enrolled; what was emptied takes no room.
    pub(super) fn put_sheet(
        &mut self,
        owner: &FactorOwner,
        sheet: FactorSheet,
        capacity: usize,
    ) -> Result<(), StoreError> {
        if sheet.is_empty() {
            self.sheets.remove(owner);
            return Ok(());
        }
        let full = self.sheets.len() >= capacity.div_ceil(SHARDS);
        if full && !self.sheets.contains_key(owner) {
            return Err(StoreErrorKind::Full.into());
        }
        self.sheets.insert(owner.clone(), sheet);
        Ok(())
    }

    pub(super) fn devices(&self, owner: &FactorOwner) -> Vec<RememberedDevice> {
        self.devices.get(owner).cloned().unwrap_or_default()
    }

    /// Keeps what an owner is known by; what was emptied takes no room.
    pub(super) fn put_devices(
        &mut self,
        owner: &FactorOwner,
        devices: Vec<RememberedDevice>,
        capacity: usize,
    ) -> Result<(), StoreError> {
        if devices.is_empty() {
            self.devices.remove(owner);
            return Ok(());
        }
        let full = self.devices.len() >= capacity.div_ceil(SHARDS);
        if full && !self.devices.contains_key(owner) {
            return Err(StoreErrorKind::Full.into());
        }
        self.devices.insert(owner.clone(), devices);
        Ok(())
    }

    pub(super) fn each_device(&self) -> impl Iterator<Item = &RememberedDevice> {
        self.devices.values().flatten()
    }

    pub(super) fn each_factor(&self) -> impl Iterator<Item = &Factor> {
        self.sheets.values().flat_map(|sheet| &sheet.factors)
    }

    /// Forgets owners none of whose devices is remembered any more.
    fn purge_devices(&mut self, limit: usize, now: Timestamp) -> usize {
        let over = self.devices.iter();
        let over = over.filter(|(_, devices)| !devices.iter().any(|one| one.is_live(now)));
        let over: Vec<FactorOwner> = over.map(|(owner, _)| owner.clone()).take(limit).collect();
        for owner in &over {
            self.devices.remove(owner);
        }
        over.len()
    }

    /// Visits every challenge.
    pub(super) fn each(&self, mut visit: impl FnMut(Challenge)) -> Result<(), StoreError> {
        for (id, packed) in &self.challenges {
            visit(packed.open(*id).ok_or(StoreErrorKind::Corrupt)?);
        }
        Ok(())
    }

    pub(super) fn revoke_all(&mut self) {
        let ids: Vec<ChallengeId> = self.challenges.keys().copied().collect();
        for id in ids {
            if let Ok(Some(mut challenge)) = self.get(&id)
                && challenge.state == ChallengeState::Live
            {
                challenge.state = ChallengeState::Revoked;
                self.put(&challenge);
            }
        }
    }

    /// Removes up to `limit` things that are over, and answers how many.
    pub(super) fn purge(&mut self, limit: usize, now: Timestamp) -> usize {
        let removed = self.sweep(KEEP_ENDED, limit, now);
        let blank: Vec<BudgetKey> = self
            .budgets
            .iter()
            .filter(|(key, budget)| is_over(key, budget, now))
            .map(|(key, _)| key.clone())
            .take(limit.saturating_sub(removed))
            .collect();
        for key in &blank {
            self.budgets.remove(key);
        }
        let removed = removed.saturating_add(blank.len());
        removed.saturating_add(self.purge_devices(limit.saturating_sub(removed), now))
    }

    fn make_room(&mut self, capacity: usize, now: Timestamp) -> Result<(), StoreError> {
        let room = capacity.div_ceil(SHARDS);
        if self.challenges.len() >= self.sweep_at.max(SWEEP_FROM) {
            self.sweep(KEEP_ENDED, usize::MAX, now);
            self.sweep_at = self.challenges.len().saturating_mul(2);
        }
        if self.challenges.len() >= room {
            self.sweep(KEEP_ALWAYS, usize::MAX, now);
        }
        if self.challenges.len() >= room {
            return Err(StoreErrorKind::Full.into());
        }
        Ok(())
    }

    fn sweep(&mut self, keep: Duration, limit: usize, now: Timestamp) -> usize {
        let before = now.saturating_sub(keep);
        let over: Vec<ChallengeId> = self
            .challenges
            .iter()
            .filter(|(_, packed)| packed.expires_at().is_none_or(|end| end < before))
            .map(|(id, _)| *id)
            .take(limit)
            .collect();
        for id in &over {
            self.challenges.remove(id);
        }
        if !over.is_empty() {
            let challenges = &self.challenges;
            self.live.retain(|_, id| challenges.contains_key(id));
        }
        over.len()
    }

    fn place(&self, place: &Place<'_>) -> u64 {
        self.seed.hash_one(place)
    }
}

/// Where one live challenge stands at the most.
#[derive(PartialEq, Eq, Hash)]
struct Place<'a> {
    tenant: &'a Tenant,
    subject: &'a SubjectKey,
    purpose: &'a Purpose,
    lane: Lane,
    decoy: bool,
}

impl<'a> Place<'a> {
    fn of(challenge: &'a Challenge) -> Self {
        Self {
            tenant: &challenge.tenant,
            subject: &challenge.subject,
            purpose: &challenge.purpose,
            lane: challenge.lane,
            decoy: challenge.is_decoy(),
        }
    }
}

/// A budget that says no more than one that was never used.
fn is_blank(budget: &Budget) -> bool {
    *budget == Budget::default()
}

/// A budget whose guesses are all forgotten, under whatever rules, and that counts no run of
/// failures.
///
/// Of a name that nobody has, no authenticator has to be disabled: its run of failures goes with
/// its guesses.
fn is_over(key: &BudgetKey, budget: &Budget, now: Timestamp) -> bool {
    let newest = budget.guesses.last().map(|(at, _)| *at);
    let run = budget.consecutive == 0 && budget.strikes == [0, 0];
    (run || key.subject.is_claimed())
        && budget.disabled == Disabled::No
        && newest.is_none_or(|at| now.since(at) > Quota::LONGEST)
}
