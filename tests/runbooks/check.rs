//! `otpctl check`: the recovery checklist of the incidents of codes and links, box by box.

use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::desk::{START, VERIFY, otpctl, otpctl_ends, post, server, with};
use crate::support::{Server, body_of_request, body_of_verify, wrong};

const PHONES: &str = "+14155550140,+14155550141,+14155550142";
/// What only a person can answer on a server whose log, alerts and readers are elsewhere.
const PEOPLE: &str = "keys,notified,alerts";

fn boxes(server: &Server, more: &str) -> (Option<i32>, Value) {
    let line = format!("check --site http://{} --json {more}", server.address);
    let ended = otpctl_ends(server, &line);
    let told = serde_json::from_slice(&ended.stdout);
    (
        ended.status.code(),
        told.unwrap_or_else(|_| panic!("{ended:?}")),
    )
}

fn answer(sheet: &Value, name: &str) -> String {
    let all = sheet["boxes"].as_array().unwrap();
    let one = all.iter().find(|one| one["box"] == name);
    one.unwrap_or_else(|| panic!("{name} in {sheet}"))["answer"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_validation_checklist_every_box_is_answered_and_closed() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}/otp.db", folder.path().display());
    let settings = [("OTP_HASHER", "hmac"), ("DATABASE_URL", database.as_str())];
    let server = Server::with(&[&[crate::desk::TOKENS][..], &settings].concat());
    // With nothing tried, nobody has signed in: the sheet is open and says where.
    let (code, sheet) = boxes(&server, "");
    assert_eq!((code, &sheet["holds"]), (Some(1), &json!(false)));
    assert_eq!(sheet["boxes"].as_array().unwrap().len(), 20);
    for (name, is) in [
        ("sms", "look"),
        ("valid", "look"),
        ("invalid", "yes"),
        ("limits", "yes"),
        ("audit", "no"),
        ("hashing", "look"),
        ("pool", "yes"),
        ("notified", "look"),
        ("export", "yes"),
        ("limit_metrics", "yes"),
        ("dashboards", "yes"),
    ] {
        assert_eq!(answer(&sheet, name), is, "{name} in {sheet}");
    }

    // Everything is tried, the log and the database are named, and a person looked at the rest.
    drop(server);
    let server = Server::with(&[&[crate::desk::TOKENS][..], &settings].concat());
    let mut users = sqlx::SqliteConnection::connect(&database).await.unwrap();
    for name in ["ann", "ben", "cid"] {
        let add = "INSERT INTO users (sub, email) VALUES ($1, $2)";
        let add = sqlx::query(add)
            .bind(name)
            .bind(format!("{name}@example.org"));
        add.execute(&mut users).await.unwrap();
    }
    let started = server.post(START, &body_of_request("+14155550150")).await;
    assert_eq!(started.status, 200);
    otpctl(&server, "revoke --phone +14155550150 --reason INC-1");
    let log = folder.path().join("log");
    std::fs::write(&log, server.log()).unwrap();
    let tried = format!(
        "--phones {PHONES} --users ann,ben,cid --log {} --database {database} --seen {PEOPLE}",
        log.display()
    );
    let (_, sheet) = boxes(&server, &tried);
    for one in sheet["boxes"].as_array().unwrap() {
        // How long things take is the machine's affair, and a busy one is no incident.
        let is_time = one["box"].as_str().unwrap().ends_with("_latency");
        assert!(is_time || one["answer"] == "yes", "{one}");
    }
    // What was looked at by nobody stays open.
    let (code, sheet) = boxes(&server, "--seen keys");
    assert_eq!(
        (code, answer(&sheet, "notified")),
        (Some(1), "look".to_owned())
    );
    assert_eq!(answer(&sheet, "keys"), "yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_does_not_hold_says_no_and_no_word_of_a_person_closes_it() {
    let server = with(&[("TRUSTED_PROXIES", "127.0.0.1")]);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    std::fs::write(&log, "INFO code is 482913\n").unwrap();
    // Somebody is refused again and again, and nobody keeps them out.
    for number in 130..142 {
        let phone = format!("+14155550{number}");
        let code = server.post(START, &body_of_request(&phone)).await;
        let typo = body_of_verify(&phone, &wrong(&code.text("preview_code")));
        for _ in 0..5 {
            crate::desk::post_from(&server, "203.0.113.66", VERIFY, &typo).await;
        }
    }
    let off = json!({ "what": "channel_off", "channel": "sms", "expires_in": 600, "reason": "x" });
    assert_eq!(post(&server, "/admin/otp/override", &off).await.status, 200);
    let more = format!(
        "--log {} --seen secrets,blocklist,sms --phones {PHONES}",
        log.display()
    );
    let (code, sheet) = boxes(&server, &more);
    assert_eq!(code, Some(1));
    for name in ["secrets", "blocklist", "sms"] {
        assert_eq!(answer(&sheet, name), "no", "{sheet}");
    }
    assert!(
        !sheet.to_string().contains("482913"),
        "the secret is not told again"
    );
    let usage = otpctl_ends(&server, "check --seen everything");
    assert_eq!(usage.status.code(), Some(2), "{usage:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sheet_is_a_table_for_people() {
    let server = server();
    let ended = otpctl_ends(&server, &format!("check --site http://{}", server.address));
    let table = String::from_utf8(ended.stdout).unwrap();
    assert!(table.starts_with("part"), "{table}");
    assert!(
        table.contains("functional") && table.contains("monitoring"),
        "{table}"
    );
    // What is wrong is told apart from what only waits for a look, and neither is done.
    assert_eq!(ended.status.code(), Some(1));
    let open = String::from_utf8(ended.stderr).unwrap();
    assert!(open.contains("of 20 boxes"), "{open}");
    let (_, unseen) = open
        .split_once("wait for somebody to look: --seen ")
        .unwrap();
    assert!(
        unseen.split(',').any(|name| name.trim() == "notified"),
        "{open}"
    );
    // Without the public listener what needs it is open, and nothing breaks.
    let ended = otpctl_ends(&server, "check --site http://127.0.0.1:9 --json");
    let sheet: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(answer(&sheet, "invalid"), "look");
}
