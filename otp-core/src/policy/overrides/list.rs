use super::line::{self, Words};
use super::{Override, OverrideError, OverrideId};
use crate::clock::Timestamp;
use crate::store::BoardText;

/// The overrides of a fleet, as its board has them: a line each, oldest first.
///
/// A line that this version of the library cannot read is of a newer one: it stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct OverrideList(Vec<Line>);

#[derive(Clone, Debug)]
struct Line {
    id: OverrideId,
    ends: Timestamp,
    words: String,
    read: Option<Override>,
}

/// How long a line that cannot be read is left after its end, to be recorded by whoever can.
const LEFT: std::time::Duration = std::time::Duration::from_secs(24 * 3_600);

impl OverrideList {
    /// Reads a board. What is no line at all is left out.
    pub(crate) fn read(text: &BoardText) -> Self {
        let lines = text.as_str().lines().filter_map(|words| {
            let Words { id, ends, said } = line::split(words)?;
            Some(Line {
                id,
                ends,
                words: words.to_owned(),
                read: line::read(id, ends, &said),
            })
        });
        Self(lines.collect())
    }

    /// Writes the board.
    ///
    /// # Errors
    /// [`OverrideError::TooMany`] where it would take more room than there is.
    pub(crate) fn text(&self) -> Result<BoardText, OverrideError> {
        let lines: Vec<&str> = self.0.iter().map(|line| line.words.as_str()).collect();
        BoardText::new(&lines.join("\n")).map_err(|_| OverrideError::TooMany)
    }

    /// Lists what can be read, oldest first, what has ended too.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Override> {
        self.0.iter().filter_map(|line| line.read.as_ref())
    }

    /// Says whether an override is there.
    pub(crate) fn has(&self, id: OverrideId) -> bool {
        self.0.iter().any(|line| line.id == id)
    }

    /// Finds one that has not ended.
    pub(crate) fn live(&self, id: OverrideId, now: Timestamp) -> Option<&Override> {
        self.iter()
            .find(|one| one.id() == id && one.expires_at() > now)
    }

    /// Adds one.
    ///
    /// # Errors
    /// [`OverrideError::TooMany`].
    pub(crate) fn with(mut self, one: Override) -> Result<Self, OverrideError> {
        if self.0.len() >= Override::MOST {
            return Err(OverrideError::TooMany);
        }
        self.0.push(Line {
            id: one.id(),
            ends: one.expires_at(),
            words: line::write(&one),
            read: Some(one),
        });
        Ok(self)
    }

    /// Takes one away.
    pub(crate) fn without(mut self, id: OverrideId) -> Self {
        self.0.retain(|line| line.id != id);
        self
    }

    /// Takes away what has ended.
    pub(crate) fn without_ended(mut self, now: Timestamp) -> Self {
        self.0.retain(|line| {
            let left = if line.read.is_some() {
                line.ends
            } else {
                line.ends.saturating_add(LEFT)
            };
            left > now
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;
    use crate::destination::{Channel, Region};
    use crate::event::Act;
    use crate::policy::{Allowed, Exception, Vip};
    use crate::quota::{Quota, Scope};
    use crate::random::OsRandom;
    use crate::request::{Operation, SubjectKey, Tenant};
    use crate::store::BlockKind;

    const END: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn one(exception: Exception, reason: &str) -> Override {
        let id = OverrideId::generate(&OsRandom).expect("randomness");
        let act = Act::new("ann@example.org", reason).expect("an act");
        Override::new(id, exception, act.into(), END)
    }

    fn every_exception() -> Vec<Exception> {
        let hour = Duration::from_secs(3_600);
        let quota = |scope, quota| Exception::Quota {
            operation: Operation::Resend,
            scope,
            quota,
        };
        let times = NonZeroU32::new(3).expect("three").get();
        let strange = SubjectKey::from_stored("sub:a b\u{2028}% \\ ;\u{1f512}");
        let vip = Vip::of(strange, times).expect("a vip");
        vec![
            quota(Scope::Prefix, Quota::window(7, hour).expect("a quota")),
            quota(
                Scope::Global,
                Quota::rate(9, Duration::from_nanos(1_234_567_891)).expect("a quota"),
            ),
            Exception::Vip(vip.in_tenant(Tenant::new("acme").expect("a tenant"))),
            Exception::Allowed(Allowed::new(BlockKind::Prefix, "+1415555").expect("allowed")),
            Exception::Allowed(Allowed::new(BlockKind::Domain, "example.org").expect("allowed")),
            Exception::ChannelOff(Channel::WhatsApp),
            Exception::ChannelOn(Channel::Email),
            Exception::CountryDenied(Region::parse("RW").expect("a country")),
            Exception::CaptchaRequired,
            Exception::SecondFactorWaived,
        ]
    }

    #[test]
    fn every_override_reads_itself_back() {
        let all: Vec<Override> = every_exception()
            .into_iter()
            .map(|exception| one(exception, "why; \u{e9}\u{1f512} \"so\" \\t"))
            .collect();
        let list = all
            .iter()
            .cloned()
            .try_fold(OverrideList::default(), OverrideList::with);
        let text = list.expect("there is room").text().expect("a text");
        let read = OverrideList::read(&text);
        assert_eq!(read.iter().cloned().collect::<Vec<_>>(), all);
        assert_eq!(read.text().expect("a text"), text);
    }

    #[test]
    fn a_line_of_a_newer_version_stays_and_what_is_none_is_left_out() {
        let newer = format!("{:016x}\t{}\tann\twhy\tof_tomorrow\t1", 7, END.as_millis());
        let text = format!("{newer}\nnothing\n\tat\tall\n{}\n", "\t".repeat(500));
        let list = OverrideList::read(&BoardText::new(&text).expect("a text"));
        assert_eq!(list.iter().count(), 0);
        let own = one(Exception::CaptchaRequired, "an attack");
        let list = list.with(own.clone()).expect("there is room");
        let text = list.text().expect("a text");
        assert!(text.as_str().starts_with(&newer), "{}", text.as_str());
        assert_eq!(text.as_str().lines().count(), 2);
        let list = list.without_ended(END);
        assert!(!list.has(own.id()));
        assert_eq!(list.text().expect("a text").as_str(), newer);
        let day = END.saturating_add(LEFT);
        assert_eq!(list.without_ended(day).text().expect("a text").as_str(), "");
    }

    #[test]
    fn a_board_is_bounded_by_number_and_by_room() {
        let mut list = OverrideList::default();
        for _ in 0..Override::MOST {
            let next = list.with(one(Exception::CaptchaRequired, "an attack"));
            list = next.expect("there is room");
        }
        assert!(list.text().is_ok());
        let more = list.with(one(Exception::CaptchaRequired, "an attack"));
        assert_eq!(more.map(drop), Err(OverrideError::TooMany));
        let long = "\u{1f512}".repeat(256);
        let mut list = OverrideList::default();
        for _ in 0..300 {
            list = list
                .with(one(Exception::CaptchaRequired, &long))
                .expect("there is room");
        }
        assert_eq!(list.text(), Err(OverrideError::TooMany));
    }
}
