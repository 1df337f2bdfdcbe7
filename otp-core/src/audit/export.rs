use std::fmt;

use super::Sealer;
use crate::clock::Timestamp;
use crate::event::chain::{ChainedRecord, Checkpoint, Scope, Tally};
use crate::store::StoreError;

/// How many records are read at once.
const PAGE: usize = 1_000;
/// The most records of one export; it is held in memory.
const MOST: usize = 10_000;

/// A part of the audit log with its chain: what [`Display`](fmt::Display) writes is one JSON object
/// a line, the last of which is the [`Checkpoint`].
///
/// One that has not room for everything is a part, and says so in its last line: the lines of all
/// parts, put together in their order, are one export, and without the last part it is cut off.
#[derive(Clone, Debug)]
pub struct Export {
    records: Vec<ChainedRecord>,
    end: Checkpoint,
    next: Option<u64>,
}

impl Export {
    /// Gives the records.
    #[must_use]
    pub fn records(&self) -> &[ChainedRecord] {
        &self.records
    }

    /// Gives the place in the log after which the next part begins; `None` where this one has all
    /// that was there when it was asked for.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        self.next
    }
}

impl fmt::Display for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for record in &self.records {
            writeln!(f, "{record}")?;
        }
        writeln!(f, "{}", self.end)
    }
}

impl Sealer {
    /// Exports the records after a place in the log as of a time: so many, which are an export of
    /// their own, or as many as one has room for. That is 10,000 in either case.
    ///
    /// What is not sealed yet is sealed first: the export has everything that was written before
    /// the call, its own record included. What was purged is not in it; it begins after that.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn export(
        &self,
        after: Option<u64>,
        limit: Option<usize>,
        at: Timestamp,
    ) -> Result<Export, StoreError> {
        let most = limit.map_or(MOST, |limit| limit.min(MOST));
        self.seal_now().await?;
        let end = self.store().head().await?.sequence;
        let (mut records, mut last) = (Vec::new(), after);
        while records.len() < most && last.unwrap_or_default() < end {
            let room = PAGE.min(most.saturating_sub(records.len()));
            let page = self.store().sealed(last, room).await?;
            let Some(newest) = page.last() else { break };
            last = Some(newest.record.sequence);
            records.extend(page);
        }
        let mut tally = Tally::new(Scope::Whole);
        for one in &records {
            tally.add(&one.link);
        }
        let (keys, next) = (self.keys().snapshot(), last.filter(|last| *last < end));
        let end = match (limit, next) {
            (None, Some(next)) => tally.close_part(at, next, &keys),
            _ => tally.close(at, &keys),
        };
        Ok(Export { records, end, next })
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::event::chain::{Fault, verify};
    use crate::event::{Event, EventKind};
    use crate::key::KeyRing;
    use crate::random::OsRandom;
    use crate::request::Tenant;
    use crate::store::AuditStore as _;
    use crate::testing::chain::ReferenceChain;

    const AT: Timestamp = Timestamp::from_millis(1_795_253_500_000);

    async fn sealer(records: usize) -> (Sealer, KeyRing) {
        let store = ReferenceChain::new(Arc::new(SystemClock));
        for _ in 0..records {
            let event = Event::new(EventKind::CodeSent, &Tenant::default());
            store.append(event).await.expect("an answer");
        }
        let keys = KeyRing::generate(&OsRandom).expect("randomness");
        let sealer = Sealer::new(Arc::new(store), keys.clone()).expect("randomness");
        (sealer, keys)
    }

    #[tokio::test]
    async fn an_export_has_what_nobody_has_sealed_yet() {
        let (sealer, keys) = sealer(3).await;
        let export = sealer.export(None, None, AT).await.expect("an answer");
        let verified = verify(export.to_string().as_bytes(), Some(&keys)).expect("whole");
        assert_eq!((verified.records, verified.unknown_seals), (3, Some(0)));
        assert_eq!(verified.at.as_deref(), Some("2026-11-21T09:31:40.000Z"));
        assert_eq!(export.next(), None);
    }

    #[tokio::test]
    async fn parts_that_follow_each_other_are_one_export() {
        let (sealer, keys) = sealer(MOST + 5).await;
        let (mut file, mut after, mut parts) = (String::new(), None, 0);
        loop {
            let part = sealer.export(after, None, AT).await.expect("an answer");
            file.push_str(&part.to_string());
            parts += 1;
            after = part.next();
            if after.is_none() {
                break;
            }
        }
        assert_eq!(parts, 2);
        let verified = verify(file.as_bytes(), Some(&keys)).expect("whole");
        assert_eq!((verified.records, verified.last.0), (10_005, 10_005));
        let first: String = file.split_inclusive('\n').take(MOST + 1).collect();
        let cut = verify(first.as_bytes(), None).expect_err("a part is missing");
        assert_eq!(cut.fault(), Some(Fault::CutOff));
        let few = sealer.export(None, Some(3), AT).await.expect("an answer");
        let verified = verify(few.to_string().as_bytes(), Some(&keys)).expect("whole");
        assert_eq!((verified.records, few.next()), (3, Some(3)));
        let nothing = sealer
            .export(Some(99_999), None, AT)
            .await
            .expect("an answer");
        assert!(nothing.records().is_empty() && nothing.next().is_none());
    }
}
