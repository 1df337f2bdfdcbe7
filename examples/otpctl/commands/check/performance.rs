//! Is it fast: the runbook's figures, by this instance's metrics since its start.

use super::answers::{Answer, Box, Sheet};
use super::{Evidence, Numbers};

/// Seconds below which 95 of 100 starts, checks and answers of providers must be.
const ISSUE: f64 = 0.5;
const VERIFY: f64 = 0.2;
const PROVIDER: f64 = 1.0;
/// The share of a pool that may be in use.
const FULL: f64 = 0.9;

pub(super) fn fill(sheet: &mut Sheet, evidence: &Evidence) {
    let now = &evidence.after;
    let calls = "otp_call_seconds";
    let issue = now.p95(calls, &["operation=\"issue\"", "answer=\"done\""]);
    sheet.put(Box::IssueLatency, under(issue, ISSUE));
    let verify = now.p95(calls, &["operation=\"verify\""]);
    sheet.put(Box::VerifyLatency, under(verify, VERIFY));
    sheet.put(
        Box::ProviderLatency,
        under(now.p95("otp_provider_seconds", &[]), PROVIDER),
    );
    sheet.put(Box::Pool, pools(now));
    let known = now.sum("otp_build_info", &[]) == Some(1.0);
    let families = now
        .text()
        .lines()
        .filter(|line| line.starts_with("# TYPE "))
        .count();
    sheet.put(
        Box::Metrics,
        Answer::of(known, format!("{families} families")),
    );
}

fn under(p95: Option<f64>, most: f64) -> Answer {
    match p95 {
        None => Answer::Look("nothing was measured since the start".to_owned()),
        Some(p95) => {
            let (is, may) = (p95 * 1_000.0, most * 1_000.0);
            Answer::of(
                p95 < most,
                format!("p95 {is:.0} ms, must be under {may:.0} ms"),
            )
        }
    }
}

fn pools(now: &Numbers) -> Answer {
    let engines = now.values("db_connections", "engine");
    let mut told = Vec::new();
    let mut holds = !engines.is_empty();
    for engine in engines {
        let label = format!("engine=\"{engine}\"");
        let of = |state: &str| {
            let state = format!("state=\"{state}\"");
            let found = now.sum("db_connections", &[&label, &state]);
            found.unwrap_or_default()
        };
        let (taken, most) = (of("in_use"), of("max"));
        holds &= taken < most * FULL;
        told.push(format!("{engine} {taken:.0} of {most:.0}"));
    }
    Answer::of(holds, told.join(", "))
}
