//! The shares that the runbooks watch, and their marks.

use serde::Serialize;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// There is nothing to judge.
    Idle,
    /// As it should be.
    Ok,
    /// Past the first mark: have a look.
    Watch,
    /// Past the second mark: somebody is called.
    Alarm,
}

/// Two marks, in hundredths of a percent, and on which side of them it is well.
#[derive(Clone, Copy, Debug)]
pub(super) enum Marks {
    /// It should be above.
    Above { watch: u64, alarm: u64 },
    /// It should be below.
    Below { watch: u64, alarm: u64 },
    /// The runbooks set none.
    None,
}

/// Of messages, those that a provider took: "target > 99 %, alert if < 95 %".
pub(super) const DELIVERY: Marks = Marks::Above {
    watch: 9_900,
    alarm: 9_500,
};
/// Of webhooks, those whose signature was right: "target > 99.5 %, alert if < 98 %".
pub(super) const SIGNATURES: Marks = Marks::Above {
    watch: 9_950,
    alarm: 9_800,
};
/// Of requests, those that met a limit: "target < 1 %, alert if > 5 %".
pub(super) const LIMIT_HITS: Marks = Marks::Below {
    watch: 100,
    alarm: 500,
};
/// Of webhooks, those that were seen before: "normal < 1 %, alert if > 5 %".
pub(super) const REPLAYS: Marks = Marks::Below {
    watch: 100,
    alarm: 500,
};

/// A part of a whole, judged.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Gauge {
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    /// The share in percent; empty of nothing.
    pub(crate) value: String,
    /// What it is a share of.
    pub(crate) of: String,
    /// The marks in words.
    pub(crate) marks: String,
    bar: Option<Bar>,
}

/// Where the share and the marks are on a scale of a hundred, which shows the part of it that
/// matters.
#[derive(Clone, Debug, Serialize)]
struct Bar {
    fill: u64,
    watch: u64,
    alarm: u64,
}

impl Gauge {
    pub(super) fn new(name: &'static str, what: &str, part: u64, whole: u64, marks: Marks) -> Self {
        let share = part.saturating_mul(10_000).checked_div(whole);
        Self {
            name,
            level: share.map_or(Level::Idle, |share| marks.judge(share)),
            value: share.map(percent).unwrap_or_default(),
            of: format!("{part} of {whole} {what}"),
            marks: marks.told(),
            bar: share.and_then(|share| marks.bar(share)),
        }
    }
}

/// Writes hundredths of a percent with one digit, cut: what is short of a mark never looks like it.
fn percent(share: u64) -> String {
    format!("{}.{}", share / 100, share / 10 % 10)
}

/// Writes a mark as the runbooks have it.
fn mark(share: u64) -> String {
    match share % 100 {
        0 => format!("{}", share / 100),
        _ => percent(share),
    }
}

impl Marks {
    fn judge(self, share: u64) -> Level {
        match self {
            Self::None => Level::Idle,
            Self::Above { alarm, .. } if share < alarm => Level::Alarm,
            Self::Below { alarm, .. } if share > alarm => Level::Alarm,
            Self::Above { watch, .. } if share <= watch => Level::Watch,
            Self::Below { watch, .. } if share >= watch => Level::Watch,
            _ => Level::Ok,
        }
    }

    fn told(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Above { watch, alarm } => {
                format!("target > {} %, alarm < {} %", mark(watch), mark(alarm))
            }
            Self::Below { watch, alarm } => {
                format!("target < {} %, alarm > {} %", mark(watch), mark(alarm))
            }
        }
    }

    /// Shows the best and the worst tenth of the scale: outside it the alarm has long been given.
    fn bar(self, share: u64) -> Option<Bar> {
        let (from, watch, alarm) = match self {
            Self::None => return None,
            Self::Above { watch, alarm } => (9_000, watch, alarm),
            Self::Below { watch, alarm } => (0, watch, alarm),
        };
        let place = |share: u64| (share.saturating_sub(from) / 10).min(100);
        Some(Bar {
            fill: place(share).max(1),
            watch: place(watch),
            alarm: place(alarm),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_judged_by_the_marks_of_the_runbooks() {
        let level = |marks, part, whole| Gauge::new("a", "b", part, whole, marks).level;
        for (marks, part, wanted) in [
            (DELIVERY, 9_901, Level::Ok),
            (DELIVERY, 9_900, Level::Watch),
            (DELIVERY, 9_500, Level::Watch),
            (DELIVERY, 9_499, Level::Alarm),
            (SIGNATURES, 9_951, Level::Ok),
            (SIGNATURES, 9_950, Level::Watch),
            (SIGNATURES, 9_799, Level::Alarm),
            (LIMIT_HITS, 99, Level::Ok),
            (LIMIT_HITS, 100, Level::Watch),
            (LIMIT_HITS, 500, Level::Watch),
            (LIMIT_HITS, 501, Level::Alarm),
            (REPLAYS, 501, Level::Alarm),
            (Marks::None, 1, Level::Idle),
        ] {
            assert_eq!(level(marks, part, 10_000), wanted, "{marks:?} {part}");
        }
        assert_eq!(level(DELIVERY, 0, 0), Level::Idle, "nothing is no alarm");
    }

    #[test]
    fn a_share_short_of_its_mark_never_looks_like_it() {
        let gauge = Gauge::new("a", "messages", 99_999, 100_000, DELIVERY);
        assert_eq!(gauge.value, "99.9");
        assert_eq!(gauge.of, "99999 of 100000 messages");
        assert_eq!(gauge.marks, "target > 99 %, alarm < 95 %");
    }
}
