use std::num::NonZeroUsize;

/// How much a memory store holds. What is over goes first; what is live is never evicted to make
/// room for what is new, except for quota buckets, of which the one that resets soonest goes, and
/// counters, of which the smallest go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Challenges; a further one is refused. Default: 1,000,000.
    pub challenges: NonZeroUsize,
    /// Guess budgets; a guess that needs a further one is refused. Default: 1,000,000.
    pub budgets: NonZeroUsize,
    /// Subjects with authenticators or recovery codes, and subjects with remembered devices, each; a
    /// further one is refused. Default: 1,000,000.
    pub factor_owners: NonZeroUsize,
    /// Quota buckets. Default: 1,000,000.
    pub quota_keys: NonZeroUsize,
    /// Remembered keys and idempotency keys, each; a further one is refused. Default: 1,000,000.
    pub seen_keys: NonZeroUsize,
    /// Messages, of each of which one waiting report is kept as well; of a full table what was sent
    /// longest ago goes, failures last. Default: 100,000.
    pub deliveries: NonZeroUsize,
    /// Audit records. Of a full outbox the oldest record goes, and is counted. Default: 100,000.
    pub audit_records: NonZeroUsize,
    /// Counters of what happens. Of a full table what is over goes first, then the smallest of the
    /// week. One that counts every minute takes 5 KiB. Default: 50,000.
    pub stat_keys: NonZeroUsize,
    /// Sessions, and states that may be used once, each; a further one is refused. Default:
    /// 1,000,000.
    pub sessions: NonZeroUsize,
}

const MILLION: NonZeroUsize = match NonZeroUsize::new(1_000_000) {
    Some(million) => million,
    None => NonZeroUsize::MIN,
};

impl Default for Capacity {
    fn default() -> Self {
        Self {
            challenges: MILLION,
            budgets: MILLION,
            factor_owners: MILLION,
            quota_keys: MILLION,
            seen_keys: MILLION,
            deliveries: NonZeroUsize::MIN.saturating_add(99_999),
            audit_records: NonZeroUsize::MIN.saturating_add(99_999),
            stat_keys: NonZeroUsize::MIN.saturating_add(49_999),
            sessions: MILLION,
        }
    }
}
