//! What `deploy/` and `docs/runbooks.md` name is there.

mod container;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::desk::{MIKE, Metrics, get, otpctl_ends, server};
use crate::support::Reply;

const ALERTS: &str = include_str!("../../deploy/prometheus/alerts.yml");
const ALERTS_TEST: &str = include_str!("../../deploy/prometheus/alerts.test.yml");
const DASHBOARD: &str = include_str!("../../deploy/grafana/otp.json");
const COMPOSE: &str = include_str!("../../deploy/compose.yaml");
const PRODUCTION: &str = include_str!("../../deploy/.env.production.example");
const STAGING: &str = include_str!("../../deploy/.env.staging.example");
const KNOWN: &str = include_str!("../../examples/server/config/known.rs");
const DOCUMENT: &str = include_str!("../../docs/runbooks.md");
/// What compose.yaml takes from the same file.
const OF_COMPOSE: [&str; 2] = ["POSTGRES_PASSWORD", "BUILD_FEATURES"];

/// The words of a text that begin so.
fn words<'a>(text: &'a str, begins: &[&str]) -> BTreeSet<&'a str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| begins.iter().any(|begin| word.starts_with(begin)))
        .collect()
}

fn families(metrics: &str) -> BTreeSet<&str> {
    let named = metrics.lines().filter_map(|line| {
        let rest = line.strip_prefix("# TYPE ")?;
        rest.split_once(' ').map(|(name, _)| name)
    });
    named.collect()
}

/// The family that a series is of.
fn family(series: &str) -> &str {
    let ends = ["_bucket", "_sum", "_count"];
    let cut = ends.iter().find_map(|end| series.strip_suffix(end));
    cut.filter(|name| name.ends_with("_seconds"))
        .unwrap_or(series)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_that_rules_dashboard_and_document_name_is_on_the_page() {
    let server = server();
    let metrics = Metrics::of(&server).await;
    let known = families(metrics.text());
    assert!(known.len() > 20, "{known:?}");
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let asked: Vec<&str> = panels
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten())
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(asked.len() > 20);
    let not_metrics = ["otp_kit", "otp_incidents"];
    for (place, text) in [
        ("the rules", ALERTS.to_owned()),
        ("the rules' test", ALERTS_TEST.to_owned()),
        ("the dashboard", asked.join("\n")),
        ("the document", DOCUMENT.to_owned()),
    ] {
        for name in words(&text, &["otp_", "db_connections"]) {
            let is = known.contains(family(name)) || not_metrics.contains(&name);
            assert!(is, "{name} of {place} is no family of /metrics");
        }
    }
    assert_eq!(get(&server, "/metrics").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_that_the_document_names_is_there() {
    let server = server();
    let mut named = BTreeSet::new();
    for part in DOCUMENT.split('`').skip(1).step_by(2) {
        let Some((method, path)) = part.split_once(' ') else {
            continue;
        };
        let is_method = ["GET", "POST", "PUT", "DELETE"].contains(&method);
        if is_method && path.starts_with('/') {
            named.insert((method, path.split([' ', '?']).next().unwrap()));
        }
    }
    assert!(named.len() > 20, "{named:?}");
    for (method, path) in named {
        let path = path.replace("{id}", "nobody").replace("<id>", "nobody");
        let known = async |address: &str| {
            let method = method.parse::<reqwest::Method>().unwrap();
            let url = format!("http://{address}{path}");
            let request = server.client.request(method, url);
            let answer = Reply::of(request.header("x-admin-token", MIKE)).await;
            let is_missing = answer.body.contains("\"not_found\"");
            answer.status != 405 && !(answer.status == 404 && is_missing)
        };
        let there = known(&server.admin).await || known(&server.address).await;
        assert!(there, "{method} {path} of the document is no route");
    }
}

#[test]
fn a_share_of_nothing_at_all_is_shown_as_none_and_not_as_no_data() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let asked = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let asked = asked.map(|target| target["expr"].as_str().unwrap());
    let shares: Vec<&str> = asked.filter(|expr| expr.contains(" / ")).collect();
    assert!(shares.len() >= 5, "{shares:?}");
    for share in shares {
        // A series that never was is absent, and with it all that is reckoned from it.
        assert!(share.contains(" or vector(0)) / "), "{share}");
    }
}

#[test]
fn every_alert_is_tried_by_an_incident_and_those_that_the_document_names_are_there() {
    let named = ALERTS
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let alerts: BTreeSet<&str> = named.collect();
    assert!(alerts.len() > 20);
    let tried = words(ALERTS_TEST, &["Otp"]);
    assert_eq!(alerts, tried, "each alert speaks in one incident at least");
    for name in words(DOCUMENT, &["Otp"]) {
        assert!(alerts.contains(name), "{name} of the document is no alert");
    }
    // Where there are two marks, one is a warning and the other wakes somebody.
    for (warning, page) in [
        ("OtpDeliveryLow", "OtpDeliveryVeryLow"),
        ("OtpLimited", "OtpLimitedOften"),
        ("OtpReplays", "OtpReplaysOften"),
        ("OtpSignaturesFailing", "OtpSignaturesFailingOften"),
        ("OtpPoolNearlyFull", "OtpPoolFull"),
        ("OtpErrors", "OtpUnavailable"),
    ] {
        for (name, severity) in [(warning, "warning"), (page, "page")] {
            let rule = ALERTS
                .split("- alert: ")
                .find(|rule| rule.starts_with(&format!("{name}\n")));
            let labels = format!("labels: {{ severity: {severity} }}");
            assert!(rule.unwrap().contains(&labels), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_incidents_on_paper_are_those_of_the_command() {
    let paper = otpctl_ends(&server(), "simulate --rules");
    let paper = String::from_utf8(paper.stdout).unwrap();
    assert_eq!(
        paper, ALERTS_TEST,
        "otpctl simulate --rules makes alerts.test.yml"
    );
}

#[test]
#[ignore = "needs promtool: apt-get install prometheus, or PROMTOOL=path"]
fn promtool_finds_each_alert_in_its_incident_and_in_no_other() {
    let promtool = std::env::var("PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus"));
    for line in [
        &["check", "rules", "alerts.yml"][..],
        &["test", "rules", "alerts.test.yml"],
    ] {
        let ended = Command::new(&promtool)
            .args(line)
            .current_dir(&folder)
            .output();
        let ended = ended.unwrap_or_else(|error| panic!("{promtool}: {error}"));
        assert!(ended.status.success(), "{line:?}: {ended:?}");
    }
}

/// The names that a list of the server's has.
fn list<'a>(name: &str, source: &'a str) -> BTreeSet<&'a str> {
    let (_, rest) = source.split_once(&format!("const {name}: [&str;")).unwrap();
    let (list, _) = rest.split_once("];").unwrap();
    list.split('"').skip(1).step_by(2).collect()
}

/// The variables of an example, whether they are set or left out.
fn variables(text: &str) -> BTreeSet<&str> {
    let lines = text
        .lines()
        .map(|line| line.strip_prefix('#').unwrap_or(line));
    let names = lines.filter_map(|line| line.split_once('=').map(|(name, _)| name));
    let is_name = |name: &&str| {
        name.bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    names.filter(is_name).collect()
}

#[test]
fn every_variable_of_the_server_is_in_an_example_and_no_other_is() {
    let known = list("READ", KNOWN);
    assert!(known.len() > 70, "{known:?}");
    let (production, staging) = (variables(PRODUCTION), variables(STAGING));
    let examples: BTreeSet<&str> = production.union(&staging).copied().collect();
    let missing: Vec<&&str> = known.difference(&examples).collect();
    assert!(missing.is_empty(), "in no example: {missing:?}");
    let unknown = examples.difference(&known);
    let unknown: Vec<&&str> = unknown.filter(|name| !OF_COMPOSE.contains(name)).collect();
    assert!(unknown.is_empty(), "no variable of the server: {unknown:?}");
    for name in OF_COMPOSE {
        assert!(COMPOSE.contains(&format!("${{{name}")), "{name}");
    }
    // What makes production unsafe is not in its example.
    for name in ["DEV_PREVIEW_CODE", "TWILIO_BASE_URL"] {
        assert!(!production.contains(name), "{name}");
    }
    assert!(PRODUCTION.contains("\nDEV_MODE=false\n"));
}
