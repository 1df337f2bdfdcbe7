//! What every engine has to say in words of its own.

/// The statements that differ between engines. The places of values are the same in all.
pub(crate) struct Dialect {
    /// Adds a named try, or answers one: challenge, place, attempt, fingerprint, answer, time.
    pub(crate) put_try: &'static str,
    /// Counts a try: challenge, user, time, whether it was late.
    pub(crate) count_try: &'static str,
    /// Finds entries that hold: pairs of kind and value as JSON, now. Gives `place`.
    pub(crate) matching_blocks: &'static str,
    /// Adds or replaces an entry: kind, value, note, author, now, end.
    pub(crate) put_block: &'static str,
    /// Finds the latest hit of each bucket: keys as JSON. Gives `place` and `newest`.
    pub(crate) newest_hits: &'static str,
    /// Finds the cells of buckets: keys as JSON. Gives `place`, `tat`, `burst`, `step`.
    pub(crate) cells: &'static str,
    /// Adds or replaces a cell: bucket, user, arrival time, burst, step.
    pub(crate) put_cell: &'static str,
    /// Forgets what was counted: keys as JSON.
    pub(crate) clear: [&'static str; 2],
    /// Adds or replaces a budget's counters: tenant, subject, class, user, run, strikes, pauses,
    /// disablement.
    pub(crate) put_budget: &'static str,
    /// Adds a key that is not there: key, end.
    pub(crate) add_seen: &'static str,
    /// Adds or replaces a request's key: tenant, key, fingerprint, challenge, end, resend time.
    pub(crate) put_request: &'static str,
    /// Adds a message that is not there: the columns of the intent in their order.
    pub(crate) add_delivery: &'static str,
    /// Adds a record that is not there, and finds one that is: the columns of the log in their
    /// order. Where it finds nothing to do, the log cannot be written.
    pub(crate) add_record: &'static str,
    /// Adds to counters: grain, begin, end, rows of name, tenant, value and count as JSON.
    pub(crate) add_counts: &'static str,
    /// Sums counters: grain, begin, rows of name, tenant and value as JSON. Gives `place`, `total`.
    pub(crate) sum_counts: &'static str,
    /// Adds links of the chain: pairs of a place in the log and a link as JSON.
    pub(crate) add_links: &'static str,
    /// Moves the outbox on, never back and never beyond the last record: the place.
    pub(crate) acknowledge: &'static str,
    /// Counts authenticators by the keys that their secrets name. Gives `key_id`, `things`.
    pub(crate) sealed_factors: &'static str,
    /// Ends everything that is live: now.
    pub(crate) revoke_all: &'static str,
    /// Ends those of these that are live: challenges as JSON, now, now. `None` where one
    /// transaction is carried out at a time, and batches would only make it longer.
    pub(crate) revoke_these: Option<&'static str>,
    /// Finds challenges that ended: until when, how many.
    pub(crate) ended: &'static str,
    /// Removes challenges and what belongs to them: challenges as JSON.
    pub(crate) with_challenges: [&'static str; 3],
    /// Removes what a challenge that was deleted by hand has left behind.
    pub(crate) orphans: [Removal; 2],
    /// Removes what has lapsed: hits, requests' keys, seen keys, blocks, counts, messages, reports,
    /// sessions, states, devices.
    pub(crate) lapsed: [Removal; 10],
    /// Removes cells that are full again.
    pub(crate) full_cells: Removal,
    /// Removes records that were acknowledged, and are not still to be sealed.
    pub(crate) old_records: Removal,
    /// Removes links whose records are gone: how many.
    pub(crate) old_links: &'static str,
}

/// How an engine removes rows by their age.
#[derive(Clone, Copy)]
pub(crate) enum Removal {
    /// In one statement: until when, how many.
    AtOnce(&'static str),
    /// First those that nobody else has: until when, how many. Gives `one` and `two`, of which the
    /// second statement takes pairs as JSON.
    #[cfg_attr(
        not(feature = "mysql"),
        expect(dead_code, reason = "for engines with many writers")
    )]
    Picked {
        pick: &'static str,
        drop: &'static str,
    },
}
