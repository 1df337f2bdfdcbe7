//! Times as people read them.

use std::time::Duration;

use otp_core::clock::Timestamp;
use serde::Serialize;

use crate::time::Rfc3339;

/// A moment, for a `<time>`: for programs, in full, and as it is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct When {
    machine: String,
    clock: String,
    said: String,
}

impl When {
    /// Tells a moment, seen from another.
    pub(super) fn of(moment: Timestamp, now: Timestamp) -> Self {
        let machine = Rfc3339::from(moment).to_string();
        let (date, clock) = (machine.get(..10), machine.get(11..19));
        let said = if moment > now {
            format!("in {}", span(moment.since(now)))
        } else {
            match now.since(moment) {
                brief if brief < Duration::from_secs(2) => "just now".to_owned(),
                past => format!("{} ago", span(past)),
            }
        };
        Self {
            clock: format!(
                "{} {} UTC",
                date.unwrap_or_default(),
                clock.unwrap_or_default()
            ),
            machine,
            said,
        }
    }
}

/// Says a span in its largest unit, cut.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_by_the_calendar_and_by_how_far_they_are() {
        let moment = Timestamp::from_millis(951_827_696_789);
        assert_eq!(When::of(moment, moment).clock, "2000-02-29 12:34:56 UTC");
        let now = Timestamp::from_millis(1_000_000_000);
        let said = |millis: i64| When::of(Timestamp::from_millis(1_000_000_000 + millis), now).said;
        assert_eq!(said(0), "just now");
        assert_eq!(said(-59_000), "59 s ago");
        assert_eq!(said(-150_000), "2 min ago");
        assert_eq!(said(7_200_000), "in 2 h");
        assert_eq!(said(-864_000_000), "10 days ago");
    }
}
