//! The audit log as an operator has it: exported with its chain, and in a file a day.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use sqlx::Row as _;

use crate::support::server::KEYS;
use crate::support::{OTHER_PHONE, PHONE, Server, beside, body_of_request, body_of_verify, wrong};

const TOKEN: &str = "token-of-mike-0123456789";
const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";
const WEBHOOK: &str = "/api/auth/mfa/webhook";
const FORM: &str = "MessageSid=SM00000000000000000000000000000009&MessageStatus=delivered\
    &AccountSid=AC00000000000000000000000000000001";
const HANDBOOK: &str = include_str!("../../docs/guide/incident-handbook.md");
/// Made by `openssl dgst -sha1 -hmac` over the public URL and the sorted fields.
const SIGNATURE: &str = "6ILxOzLvKoI9fmrMG7HHOa/em1U=";

fn server() -> Server {
    Server::with(&[
        ("ADMIN_TOKENS", "mike:token-of-mike-0123456789"),
        ("PUBLIC_BASE_URL", "https://otp.example"),
        ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
        ("TWILIO_AUTH_TOKEN", "first-token, second-token"),
        ("TWILIO_FROM", "+15005550006"),
        ("RATE_LIMIT_REQUESTS", "4"),
    ])
}

/// A code is sent, failed and limited; Twilio reports twice, and somebody else once.
async fn bustle(server: &Server) {
    let start = server.post(START, &body_of_request(PHONE)).await;
    let code = wrong(&start.text("preview_code"));
    let failed = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_eq!(failed.status, 400, "{failed:?}");
    let mut limited = 0;
    for _ in 0..5 {
        limited += u16::from(server.post(START, &body_of_request(PHONE)).await.status == 429);
    }
    assert!(limited > 0, "nothing met a limit");
    for (signature, status) in [(SIGNATURE, 200), (SIGNATURE, 200), ("forged", 401)] {
        let request = server.client.post(server.url(WEBHOOK)).body(FORM);
        let request = request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("x-twilio-signature", signature);
        assert_eq!(request.send().await.unwrap().status(), status);
    }
}

async fn otpctl(server: &Server, keys: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(beside("otpctl"));
    command
        .args(arguments)
        .env("OTPCTL_SERVER", format!("http://{}", server.admin))
        .env("OTPCTL_TOKEN", TOKEN)
        .env("OTP_KEYS", keys);
    let ended = tokio::task::spawn_blocking(move || command.output());
    ended.await.unwrap().unwrap()
}

fn said(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).unwrap()
}

/// Every line of the daily files, oldest first.
fn daily(folder: &Path) -> String {
    let files = fs::read_dir(folder.join("logs")).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    texts.collect()
}

fn records(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn an_export_is_verified_offline_and_each_tampering_names_its_record() {
    let server = server();
    bustle(&server).await;
    let file = server.folder().join("audit.jsonl");
    let path = file.to_str().unwrap();
    let export = otpctl(&server, KEYS, &["audit", "export", "--out", path]).await;
    assert_eq!(export.status.code(), Some(0), "{export:?}");
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let last = lines.len() - 1;
    assert!(last > 8, "{whole}");
    let id = |line: usize| records(lines[line])[0]["id"].as_str().unwrap().to_owned();

    for (keys, word) in [
        (KEYS, "every seal is right"),
        ("", "seals were not checked"),
    ] {
        let ended = otpctl(&server, keys, &["audit", "verify", path]).await;
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        let told = said(&ended.stdout);
        assert!(
            told.starts_with(&format!("{last} records, 1 to {last}: ")),
            "{told}"
        );
        assert!(told.contains(word), "{told}");
    }

    let changed = lines[3].replacen("\"outcome\":\"", "\"outcome\":\"x", 1);
    let with = |line: usize, text: &str| {
        let mut lines = lines.clone();
        lines[line] = text;
        lines.join("\n")
    };
    let without = |line: usize| {
        let mut lines = lines.clone();
        lines.remove(line);
        lines.join("\n")
    };
    let mut swapped = lines.clone();
    swapped.swap(4, 5);
    let tampered = [
        (
            with(3, &changed),
            format!("line 4: record 4 ({}): it was changed", id(3)),
        ),
        (
            without(5),
            "line 6: record 6: it is missing or was moved".to_owned(),
        ),
        (
            swapped.join("\n"),
            "line 5: record 5: it is missing or was moved".to_owned(),
        ),
        (
            with(6, lines[5]),
            format!(
                "line 7: record 6 ({}): it was put in, repeated or moved",
                id(5)
            ),
        ),
        (
            without(last - 1),
            format!("line {last}: record {last}: the end of the export is cut off"),
        ),
        (
            lines[..4].join("\n"),
            "line 5: record 5: the end of the export is cut off".to_owned(),
        ),
        (
            format!("{}\n{}", lines[..7].join("\n"), &lines[7][..20]),
            "the line cannot be read".to_owned(),
        ),
    ];
    for (forged, sentence) in tampered {
        fs::write(&file, forged).unwrap();
        for keys in [KEYS, ""] {
            let ended = otpctl(&server, keys, &["audit", "verify", path]).await;
            assert_eq!(ended.status.code(), Some(1), "{sentence}: {ended:?}");
            let complaint = said(&ended.stderr);
            assert!(complaint.contains(&sentence), "{complaint} for {sentence}");
        }
    }
    fs::write(&file, &whole).unwrap();
    let strangers = KEYS.replace("c2Vjc", "b2Vjc");
    let ended = otpctl(&server, &strangers, &["audit", "verify", path, "--json"]).await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let told = &records(&said(&ended.stdout))[0];
    assert_eq!(
        (&told["place"], &told["fault"]),
        (&1.into(), &"its seal is wrong".into())
    );
    for (line, code) in [
        (vec!["audit", "verify"], 2),
        (vec!["audit", "verify", "not-there"], 2),
        (vec!["audit", "forge"], 2),
        (vec!["audit", "export", "--server", "http://127.0.0.1:9"], 4),
    ] {
        let ended = otpctl(&server, KEYS, &line).await;
        assert_eq!(ended.status.code(), Some(code), "{line:?}: {ended:?}");
    }
}

#[tokio::test]
async fn an_export_that_breaks_off_leaves_the_one_before_it_and_only_its_owner_reads_the_next() {
    let server = server();
    bustle(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("incident-12.jsonl");
    fs::write(&file, "evidence\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let path = file.to_str().unwrap();
    let broken = [
        "audit",
        "export",
        "--out",
        path,
        "--server",
        "http://127.0.0.1:9",
    ];
    let ended = otpctl(&server, KEYS, &broken).await;
    assert_eq!(ended.status.code(), Some(4), "{ended:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "evidence\n");
    let there = || fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(there(), 1, "what was begun is taken away");

    let export = otpctl(&server, KEYS, &["audit", "export", "--out", path]).await;
    assert_eq!(export.status.code(), Some(0), "{export:?}");
    assert!(records(&fs::read_to_string(&file).unwrap()).len() > 8);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(there(), 1);
    // What is no file is not replaced by one.
    let nowhere = ["audit", "export", "--out", "/dev/null"];
    assert_eq!(otpctl(&server, KEYS, &nowhere).await.status.code(), Some(0));
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[tokio::test]
async fn the_handbooks_export_has_the_newest_record_of_a_log_that_is_longer_than_an_answer() {
    let server = server();
    let mut database = server.database().await;
    let many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 10020)
        INSERT INTO audit_logs (event_id, event_type, action, outcome, tenant, created_at)
        SELECT printf('%032x', x), 'identity.delivery.sent', 'MFA_CODE_SENT', 'success', 'default', x
        FROM n";
    sqlx::query(many).execute(&mut database).await.unwrap();
    bustle(&server).await;
    let words = HANDBOOK
        .lines()
        .find_map(|line| line.strip_prefix("otpctl audit export --out "));
    assert_eq!(
        words,
        Some("incident-12.jsonl"),
        "what the handbook says is tried here"
    );
    let file = server.folder().join("incident-12.jsonl");
    let path = file.to_str().unwrap();
    let export = otpctl(&server, KEYS, &["audit", "export", "--out", path]).await;
    assert_eq!(export.status.code(), Some(0), "{export:?}");
    let newest = fs::read_to_string(&file).unwrap();
    assert!(newest.contains("\"TWILIO_WEBHOOK_SIGNATURE_FAILED\""));
    assert!(newest.lines().count() > 10_020);
    let verify = otpctl(&server, KEYS, &["audit", "verify", path]).await;
    assert_eq!(verify.status.code(), Some(0), "{verify:?}");
}

#[tokio::test]
async fn the_file_of_the_day_has_what_operators_search_for_under_its_names() {
    let mut server = server();
    bustle(&server).await;
    assert!(server.terminate().success());
    let text = daily(server.folder());
    let records = records(&text);
    let has = |member: &str, name: &str| records.iter().any(|record| record[member] == name);
    for action in [
        "MFA_CODE_SENT",
        "MFA_VERIFICATION_FAILED",
        "TWILIO_WEBHOOK_RECEIVED",
        "TWILIO_WEBHOOK_SIGNATURE_FAILED",
    ] {
        assert!(has("action", action), "{action} in {text}");
    }
    for event in [
        "identity.auth.validation_attempt",
        "identity.webhook.refused",
    ] {
        assert!(has("event", event), "{event} in {text}");
    }
    for name in ["login_attempt", "login_failure"] {
        assert!(has("event_type", name), "{name} in {text}");
    }
    let sid = "MessageSid=SM00000000000000000000000000000009";
    assert_eq!(text.matches(sid).count(), 2, "{text}");
    let again = format!("Message already processed: {sid}");
    assert_eq!(text.matches(&again).count(), 1, "{text}");
    assert!(
        records
            .iter()
            .all(|record| record["ip"].is_null() || record["ip"] == "127.0.0.1")
    );
    assert!(!text.contains("4155550123"), "{text}");
}

#[tokio::test]
async fn a_process_that_is_told_to_stop_seals_and_writes_what_is_left() {
    let mut server = server();
    bustle(&server).await;
    assert!(server.terminate().success());
    let mut database = server.database().await;
    let count = "SELECT (SELECT COUNT(*) FROM audit_logs) AS logs,
        (SELECT COUNT(*) FROM audit_links) AS links";
    let row = sqlx::query(count).fetch_one(&mut database).await.unwrap();
    let (logs, links): (i64, i64) = (row.get("logs"), row.get("links"));
    assert!(logs > 8);
    assert_eq!(links, logs, "every record is in the chain");
    let lines = daily(server.folder()).lines().count();
    assert_eq!(i64::try_from(lines), Ok(logs), "and in the file of the day");
}

#[tokio::test]
async fn a_crash_leaves_no_gap_in_the_chain_and_no_line_twice_in_the_file() {
    let mut server = server();
    bustle(&server).await;
    server = server.kill_and_restart();
    server.post(START, &body_of_request(OTHER_PHONE)).await;
    server = server.kill_and_restart();
    assert!(server.terminate().success());
    let records = records(&daily(server.folder()));
    let places = records
        .iter()
        .map(|record| record["place"].as_u64().unwrap());
    let count = u64::try_from(records.len()).unwrap();
    assert!(places.eq(1..=count), "{records:?}");
}

#[test]
fn a_folder_that_cannot_be_written_to_stops_the_start_and_off_means_none() {
    let refused = Server::refused(&[("OTP_AUDIT_DIR", "/dev/null/audit")]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused
            .stderr
            .contains("OTP_AUDIT_DIR: cannot be written to"),
        "{}",
        refused.stderr
    );
    let server = Server::with(&[("OTP_AUDIT_DIR", "off")]);
    assert!(!server.folder().join("logs").exists());
}
