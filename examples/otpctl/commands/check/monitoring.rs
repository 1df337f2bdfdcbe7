//! Is it seen: alerts, dashboard, export, metrics of limits.

use serde_json::Value;

use super::answers::{Answer, Box, Sheet};
use super::site::Site;
use super::{Evidence, Given};

pub(super) async fn fill(sheet: &mut Sheet, evidence: &Evidence, given: &Given) {
    let alerts = match &given.prometheus {
        None => {
            Answer::Look("name Prometheus by --prometheus; otpctl simulate tries them".to_owned())
        }
        Some(url) => alerts(url).await,
    };
    sheet.put(Box::Alerts, alerts);
    sheet.put(Box::Dashboards, dashboard(evidence));
    sheet.put(
        Box::Export,
        match evidence.records.broken() {
            None => Answer::Yes(format!("{} records in order", evidence.records.number())),
            Some(place) => Answer::No(format!("broken at record {place}")),
        },
    );
    let moved = evidence.after.sum("otp_refusals_total", &[])
        > evidence.before.sum("otp_refusals_total", &[]);
    sheet.put(
        Box::LimitMetrics,
        match (moved, evidence.tried.is_heard()) {
            (true, _) => Answer::Yes("they moved with what was tried just now".to_owned()),
            (false, true) => Answer::No("they did not move with what was tried".to_owned()),
            (false, false) => Answer::Look("nothing could be tried: name the site".to_owned()),
        },
    );
}

/// Asks Prometheus whether it has our rules and can evaluate them.
async fn alerts(url: &str) -> Answer {
    let Ok(prometheus) = Site::new(Some(url.to_owned())) else {
        return Answer::No("--prometheus names no address".to_owned());
    };
    let Some((200, answer)) = prometheus.get("/api/v1/rules?type=alert").await else {
        return Answer::No("Prometheus does not answer".to_owned());
    };
    let groups = answer.pointer("/data/groups").and_then(Value::as_array);
    let rules = groups.into_iter().flatten();
    let rules = rules.filter_map(|group| group.get("rules")?.as_array());
    let ours: Vec<&Value> = rules
        .flatten()
        .filter(|rule| name(rule).is_some_and(|name| name.starts_with("Otp")))
        .collect();
    let ill: Vec<&str> = ours
        .iter()
        .filter(|rule| rule.get("health").and_then(Value::as_str) != Some("ok"))
        .filter_map(|rule| name(rule))
        .collect();
    match (ours.is_empty(), ill.is_empty()) {
        (true, _) => Answer::No("none of our alerts is loaded".to_owned()),
        (false, true) => Answer::Yes(format!("{} alerts are loaded", ours.len())),
        (false, false) => Answer::No(format!("cannot be evaluated: {}", ill.join(", "))),
    }
}

fn name(rule: &Value) -> Option<&str> {
    rule.get("name")?.as_str()
}

/// The dashboard must count what was tried just now.
fn dashboard(evidence: &Evidence) -> Answer {
    let (before, after) = &evidence.boards;
    let counted = |board: &Value| {
        board
            .pointer("/counters/not_verified")
            .and_then(Value::as_u64)
    };
    if after.get("complete") != Some(&Value::Bool(true)) {
        return Answer::No("the dashboard does not see everything".to_owned());
    }
    match (counted(after) > counted(before), evidence.tried.is_heard()) {
        (true, _) => Answer::Yes("it counted what was tried just now".to_owned()),
        (false, true) => Answer::No("it did not count what was tried".to_owned()),
        (false, false) => Answer::Look("nothing could be tried: name the site".to_owned()),
    }
}
