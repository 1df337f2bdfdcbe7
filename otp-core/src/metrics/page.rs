//! The text that Prometheus reads (exposition format 0.0.4).

use std::fmt::Write as _;
use std::time::Duration;

/// What a family of samples is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The text as it grows, a family after the other.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Begins a family. Its name and its help are words of this crate's own.
    pub(super) fn family(&mut self, kind: Kind, name: &'static str, help: &'static str) {
        let kind = kind.name();
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Adds a sample with a whole value.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.labelled(name, labels);
        let _ = writeln!(self.0, " {value}");
    }

    /// Adds a sample in seconds.
    pub(super) fn seconds(&mut self, name: &str, labels: &[(&str, &str)], value: Duration) {
        self.labelled(name, labels);
        let _ = writeln!(self.0, " {}", in_seconds(value));
    }

    fn labelled(&mut self, name: &str, labels: &[(&str, &str)]) {
        self.0.push_str(name);
        if labels.is_empty() {
            return;
        }
        for (index, (label, value)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            let _ = write!(self.0, "{label}=\"");
            for c in value.chars() {
                match c {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    c => self.0.push(c),
                }
            }
            self.0.push('"');
        }
        self.0.push('}');
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// Writes a time in seconds, to the microsecond, without zeros at the end.
pub(super) fn in_seconds(time: Duration) -> String {
    let text = format!("{}.{:06}", time.as_secs(), time.subsec_micros());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_written_as_prometheus_reads_it_and_a_hostile_value_stays_one() {
        let mut page = Page::default();
        page.family(Kind::Gauge, "a", "What a is.");
        page.sample("a", &[], 1);
        page.sample("a", &[("x", "y"), ("z", "\"\n\\")], 2);
        page.seconds("a", &[("x", "y")], Duration::from_micros(1_500_000));
        assert_eq!(
            page.into_text(),
            "# HELP a What a is.\n# TYPE a gauge\na 1\na{x=\"y\",z=\"\\\"\\n\\\\\"} 2\na{x=\"y\"} 1.5\n"
        );
    }

    #[test]
    fn seconds_are_exact() {
        let written =
            [0, 1, 5_000, 10_000_000].map(|micros| in_seconds(Duration::from_micros(micros)));
        assert_eq!(written, ["0", "0.000001", "0.005", "10"]);
    }
}
