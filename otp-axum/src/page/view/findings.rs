//! What needs a look, the worst first.

use serde::Serialize;

use super::super::gather::Snapshot;
use super::super::gauge::{Gauge, Level};
use super::standing::{Channel, Exempt, Part};

/// One thing that is not as it should be.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) text: String,
}

/// What is looked through.
pub(super) struct Seen<'a> {
    pub(super) gauges: &'a [Gauge],
    pub(super) engines: &'a [Part],
    pub(super) channels: &'a [Channel],
    pub(super) templates: &'a [Part],
    pub(super) overrides: &'a [Exempt],
}

pub(super) fn of(snapshot: &Snapshot, seen: &Seen<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |level: Level, text: String| {
        if level >= Level::Watch {
            findings.push(Finding { level, text });
        }
    };
    if let Err(trouble) = &snapshot.overview {
        add(Level::Alarm, trouble.to_string());
    }
    if snapshot.fleet_alarmed {
        add(
            Level::Alarm,
            "Guesses at many accounts: the fleet alarm is raised".into(),
        );
    }
    for part in seen.engines {
        add(
            part.level,
            format!("{} is {} ({})", part.name, part.state, part.note),
        );
    }
    for channel in seen.channels {
        let part = &channel.part;
        add(part.level, format!("{}: {}", part.name, part.note));
        for provider in &channel.providers {
            add(
                provider.level,
                format!("{} for {} is left alone", provider.name, part.name),
            );
        }
    }
    for part in seen.templates {
        add(
            part.level,
            format!(
                "The template {} of {} is {}",
                part.note, part.name, part.state
            ),
        );
    }
    for gauge in seen.gauges {
        add(gauge.level, format!("{} at {} %", gauge.name, gauge.value));
    }
    for one in seen.overrides {
        add(one.level, format!("Override in force: {}", one.what));
    }
    if snapshot.suspicions > 0 {
        let text = format!(
            "The toll-fraud guard suspects {} messages",
            snapshot.suspicions
        );
        add(Level::Watch, text);
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    findings
}
