//! The metrics, read as Prometheus reads them.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::desk::Desk;
use crate::failure::Failure;

/// How long messages that were started may be on their way.
const UNDER_WAY: Duration = Duration::from_secs(5);

/// A text of metrics.
#[derive(Debug)]
pub(super) struct Numbers(String);

impl Numbers {
    pub(super) async fn of(desk: &Desk) -> Result<Self, Failure> {
        desk.text("/metrics", "text/plain").await.map(Self)
    }

    /// Reads them once nothing is on its way any more, or after a while.
    pub(super) async fn settled(desk: &Desk, phones: usize, users: usize) -> Result<Self, Failure> {
        let until = Instant::now() + UNDER_WAY;
        loop {
            let now = Self::of(desk).await?;
            let idle = now.sum("otp_messages_in_flight", &[]) == Some(0.0);
            if idle || (phones == 0 && users == 0) || Instant::now() >= until {
                return Ok(now);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Lists the series of a family that have these labels, with their values.
    fn series<'a>(
        &'a self,
        family: &'a str,
        labels: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(family)?;
            let (named, value) = rest.rsplit_once(' ')?;
            let is_family = named.is_empty() || named.starts_with('{');
            let fits = is_family && labels.iter().all(|label| named.contains(label));
            Some((named, value.parse().ok()?)).filter(|_| fits)
        })
    }

    /// Adds up the series of a family that have these labels; `None` where there is none.
    pub(super) fn sum(&self, family: &str, labels: &[&str]) -> Option<f64> {
        let values = self.series(family, labels).map(|(_, value)| value);
        values.reduce(|sum, value| sum + value)
    }

    /// Says which values a label has in a family.
    pub(super) fn values(&self, family: &str, label: &str) -> Vec<String> {
        let start = format!("{label}=\"");
        let value = |labels: &str| {
            let (_, rest) = labels.split_once(&start)?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        let mut values: Vec<String> = self
            .series(family, &[])
            .filter_map(|(labels, _)| value(labels))
            .collect();
        values.sort();
        values.dedup();
        values
    }

    /// Gives the bound below which 95 of 100 measurements of a histogram are, interpolated as
    /// `histogram_quantile` does; `None` where nothing was measured.
    pub(super) fn p95(&self, family: &str, labels: &[&str]) -> Option<f64> {
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for (named, count) in self.series(&format!("{family}_bucket"), labels) {
            let (_, rest) = named.split_once("le=\"")?;
            let (bound, _) = rest.split_once('"')?;
            let bound = match bound {
                "+Inf" => f64::INFINITY,
                bound => bound.parse().ok()?,
            };
            match buckets.iter_mut().find(|(known, _)| *known == bound) {
                Some((_, sum)) => *sum += count,
                None => buckets.push((bound, count)),
            }
        }
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let all = buckets.last().map(|(_, count)| *count)?;
        if all == 0.0 {
            return None;
        }
        let rank = 0.95 * all;
        let (mut below, mut counted) = (0.0, 0.0);
        for (bound, count) in buckets {
            if count >= rank {
                if bound.is_infinite() {
                    return Some(below);
                }
                let share = (rank - counted) / (count - counted);
                return Some(below + (bound - below) * share);
            }
            (below, counted) = (bound, count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    const TEXT: &str = "\
# TYPE t histogram
t_bucket{of=\"x\",le=\"0.1\"} 90
t_bucket{of=\"x\",le=\"0.2\"} 100
t_bucket{of=\"x\",le=\"+Inf\"} 100
t_bucket{of=\"y\",le=\"0.1\"} 0
t_bucket{of=\"y\",le=\"0.2\"} 0
t_bucket{of=\"y\",le=\"+Inf\"} 100
total 3
total_more 5
";

    #[test]
    fn a_quantile_lies_where_prometheus_puts_it() {
        let numbers = Numbers(TEXT.to_owned());
        let p95 = numbers.p95("t", &["of=\"x\""]).unwrap();
        assert!((p95 - 0.15).abs() < 1e-9, "{p95}");
        assert_eq!(numbers.p95("t", &["of=\"y\""]), Some(0.2));
        assert_eq!(numbers.p95("t", &["of=\"z\""]), None);
        assert_eq!(numbers.sum("total", &[]), Some(3.0));
        assert_eq!(numbers.values("t_bucket", "of"), ["x", "y"]);
    }
}
