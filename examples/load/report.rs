//! What came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Start,
    Check,
    Guess,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Check => "check",
            Self::Guess => "guess",
        }
    }

    /// How long 95 of 100 may take.
    const fn mark(self) -> Duration {
        match self {
            Self::Start => Duration::from_millis(500),
            Self::Check | Self::Guess => Duration::from_millis(200),
        }
    }
}

/// How it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    /// By a limit, or because it is wrong.
    Refused,
    /// By the server's fault, or not at all.
    Failed,
}

impl Verdict {
    pub(crate) const fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Done,
            500.. => Self::Failed,
            _ => Self::Refused,
        }
    }
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) kind: Kind,
    pub(crate) verdict: Verdict,
    pub(crate) took: Duration,
}

#[derive(Debug, Default)]
struct Line {
    times: Vec<Duration>,
    done: usize,
    refused: usize,
    failed: usize,
}

/// All requests, by what was asked.
#[derive(Debug, Default)]
pub(crate) struct Report(BTreeMap<Kind, Line>);

impl Report {
    pub(crate) fn add(&mut self, sample: Sample) {
        let line = self.0.entry(sample.kind).or_default();
        line.times.push(sample.took);
        let count = match sample.verdict {
            Verdict::Done => &mut line.done,
            Verdict::Refused => &mut line.refused,
            Verdict::Failed => &mut line.failed,
        };
        *count = count.saturating_add(1);
    }

    /// Says whether the marks hold; what was not measured does not.
    pub(crate) fn holds(&self) -> bool {
        let holds = |(kind, line): (&Kind, &Line)| {
            let fast = line.percentile(95) < kind.mark();
            fast && line.failed.saturating_mul(100) <= line.times.len()
        };
        !self.0.is_empty() && self.0.iter().all(holds)
    }

    pub(crate) fn json(&self) -> Value {
        let lines = self.0.iter().map(|(kind, line)| {
            let millis = |percent| line.percentile(percent).as_secs_f64() * 1_000.0;
            json!({
                "kind": kind.name(),
                "requests": line.times.len(),
                "done": line.done,
                "refused": line.refused,
                "failed": line.failed,
                "p50_ms": millis(50),
                "p95_ms": millis(95),
                "p99_ms": millis(99),
            })
        });
        json!({ "holds": self.holds(), "lines": lines.collect::<Vec<_>>() })
    }
}

impl Line {
    /// Gives the time that so many of a hundred did not exceed (nearest rank).
    fn percentile(&self, percent: usize) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        let rank = times.len().saturating_mul(percent).div_ceil(100);
        let place = rank.saturating_sub(1);
        times.get(place).copied().unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:8}{:>9}{:>9}{:>9}{:>9}{:>10}{:>10}{:>10}",
            "kind", "requests", "done", "refused", "failed", "p50 ms", "p95 ms", "p99 ms"
        )?;
        for (kind, line) in &self.0 {
            let millis = |percent| line.percentile(percent).as_secs_f64() * 1_000.0;
            write!(
                f,
                "\n{:8}{:>9}{:>9}{:>9}{:>9}{:>10.1}{:>10.1}{:>10.1}",
                kind.name(),
                line.times.len(),
                line.done,
                line.refused,
                line.failed,
                millis(50),
                millis(95),
                millis(99)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Report, Sample, Verdict};
    use std::time::Duration;

    fn report(times: impl Iterator<Item = u64>, verdict: Verdict) -> Report {
        let mut report = Report::default();
        for millis in times {
            report.add(Sample {
                kind: Kind::Check,
                verdict,
                took: Duration::from_millis(millis),
            });
        }
        report
    }

    #[test]
    fn percentiles_are_by_nearest_rank_and_decide_with_the_failures() {
        let fast = report(1..=100, Verdict::Refused);
        let line = fast.json()["lines"][0].clone();
        let of = |name: &str| line[name].as_f64().unwrap();
        assert_eq!(
            (of("p50_ms"), of("p95_ms"), of("p99_ms")),
            (50.0, 95.0, 99.0)
        );
        assert!(fast.holds());
        assert!(!report(200..=300, Verdict::Done).holds(), "too slow");
        assert!(!report(1..=100, Verdict::Failed).holds(), "all failed");
        assert!(!Report::default().holds(), "nothing was measured");
    }
}
