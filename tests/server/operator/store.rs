//! The operator's command on a store: where no server runs, and beside one that does.

use std::process::{Command, Output};

use serde_json::{Value, json};

use super::{START, VERIFY, acts, get, server};
use crate::support::redis::Redis;
use crate::support::server::KEYS;
use crate::support::{Server, beside, wrong};

const ANN: &str = "+14155550123";
const BEN: &str = "+14155550124";
/// The number of `test-user`.
const CAT: &str = "+14155550100";

/// Runs it with nothing in its environment but this.
async fn with(settings: &[(&str, &str)], line: &str) -> Output {
    let mut command = Command::new(beside("otpctl"));
    command
        .args(line.split_whitespace())
        .env_clear()
        .envs(settings.iter().copied());
    let ended = tokio::task::spawn_blocking(move || command.output());
    ended.await.unwrap().unwrap()
}

async fn otpctl(url: &str, line: &str) -> Output {
    let settings = [
        ("OTPCTL_SERVER", url),
        ("OTPCTL_OPERATOR", "mike"),
        ("OTP_KEYS", KEYS),
    ];
    with(&settings, line).await
}

/// Runs what must succeed, and gives what it says.
async fn said(url: &str, line: &str) -> String {
    let ended = otpctl(url, line).await;
    assert_eq!(ended.status.code(), Some(0), "{line}: {ended:?}");
    String::from_utf8(ended.stdout).unwrap()
}

fn url(server: &Server) -> String {
    format!("sqlite:{}", server.folder().join("otp.db").display())
}

async fn starts(server: &Server, phone: &str) -> u16 {
    server.post(START, &json!({ "phone": phone })).await.status
}

/// Has wrong codes lock a number.
async fn lock(server: &Server, phone: &str) {
    let start = server.post(START, &json!({ "phone": phone })).await;
    let code = wrong(&start.text("preview_code"));
    for _ in 0..5 {
        let guess = json!({ "phone": phone, "otp": code });
        assert_eq!(server.post(VERIFY, &guess).await.status, 400);
    }
    assert_eq!(starts(server, phone).await, 429);
}

#[tokio::test]
async fn what_is_blocked_and_unlocked_while_no_server_runs_holds_when_one_starts() {
    let mut server = server();
    lock(&server, BEN).await;
    lock(&server, CAT).await;
    let url = url(&server);
    assert!(server.terminate().success());

    let block = format!("block phone {ANN} --for 2h --reason incident-7");
    let dry = said(&url, &format!("{block} --dry-run")).await;
    assert_eq!(
        dry.lines()
            .next()
            .map(|line| line.contains("nothing was changed")),
        Some(true)
    );
    assert_eq!(said(&url, "block list").await, "none\n");
    said(&url, &block).await;
    let list = said(&url, "block list").await;
    assert!(list.contains(ANN) && list.contains("mike"), "{list}");
    let why = said(&url, &format!("limits show --phone {BEN}")).await;
    assert!(why.contains("locked"), "{why}");
    said(&url, &format!("unlock --phone {BEN} --reason incident-7")).await;
    said(&url, &format!("limits clear --phone {BEN}")).await;
    // The id stands for the addresses of the user.
    said(&url, "unlock --user test-user").await;
    said(&url, "limits clear --user test-user").await;
    said(&url, "revoke --all --reason incident-7").await;
    assert_eq!(said(&url, "deliveries").await.lines().last(), Some("none"));
    let status = said(&url, "status").await;
    assert!(
        status.contains("sqlite") && !status.contains("nobody"),
        "{status}"
    );

    let server = server.kill_and_restart();
    assert_eq!(starts(&server, ANN).await, 403);
    assert_eq!(starts(&server, BEN).await, 200);
    assert_eq!(starts(&server, CAT).await, 200);
    let acts = acts(&server).await;
    for word in ["block", "unlock", "revoke"] {
        let begun = format!("mike: {word}");
        let is_meant = |act: &&String| act.starts_with(&begun) && act.ends_with(": incident-7");
        assert!(acts.iter().any(|act| is_meant(&act)), "{word}: {acts:?}");
    }
    // Beside the server it works as well.
    said(&url, &format!("unblock phone {ANN} --reason over")).await;
    assert_eq!(starts(&server, ANN).await, 200);
}

#[tokio::test]
async fn an_export_of_a_store_is_sealed_by_the_servers_keys_and_by_no_others() {
    let mut server = server();
    assert_eq!(starts(&server, ANN).await, 200);
    let url = url(&server);
    assert!(server.terminate().success());
    let file = server.folder().join("audit.jsonl");
    let export = format!("audit export --out {}", file.display());
    let settings = [("OTPCTL_SERVER", url.as_str()), ("OTPCTL_OPERATOR", "mike")];
    let keyless = with(&settings, &export).await;
    assert_eq!(keyless.status.code(), Some(2), "{keyless:?}");
    assert!(!file.exists());
    said(&url, &export).await;
    let verified = said(&url, &format!("audit verify {}", file.display())).await;
    assert!(verified.contains("every seal is right"), "{verified}");
    let lines = std::fs::read_to_string(&file).unwrap();
    assert!(lines.contains("\"operator\":\"mike\""), "{lines}");
}

#[tokio::test]
async fn a_policy_that_is_published_in_the_store_is_in_force_in_the_server_that_starts() {
    let mut server = server();
    let url = url(&server);
    assert!(server.terminate().success());
    let (file, off) = (
        server.folder().join("off.yaml"),
        "auth:\n  sms_otp:\n    enabled: false\n",
    );
    std::fs::write(&file, off).unwrap();
    let set = format!("policy set {}", file.display());
    said(&url, &format!("{set} --dry-run")).await;
    assert_ne!(said(&url, "policy show").await, off);
    said(&url, &set).await;
    assert_eq!(said(&url, "policy show").await, off);
    let server = server.kill_and_restart();
    for _ in 0..10_000 {
        if server.log().contains("the policy of the fleet is in force") {
            break;
        }
        server.get("/healthz").await;
    }
    assert_ne!(starts(&server, ANN).await, 200);
}

#[tokio::test]
async fn what_a_store_cannot_answer_ends_with_a_word_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (none, other) = (folder.path().join("none.db"), folder.path().join("other"));
    std::fs::write(&other, "").unwrap();
    let (absent, empty) = (
        format!("sqlite:{}", none.display()),
        format!("sqlite:{}", other.display()),
    );
    for (url, line, code, word) in [
        (absent.as_str(), "status", 4, "there is no store at"),
        (
            &empty,
            "revoke --all",
            4,
            "the migrations must be run first",
        ),
        ("ftp://example.org", "status", 2, "sqlite:, postgres://"),
        ("127.0.0.1:9090", "status", 2, "sqlite:, postgres://"),
        (
            "redis://127.0.0.1:9",
            "block list",
            4,
            "redis cannot be opened",
        ),
        (
            "redis://127.0.0.1:9",
            "policy show",
            2,
            "the policy is in the database",
        ),
        (&absent, "resend", 2, "resend needs a running server"),
        (&absent, "provision --user ann", 2, "needs a running server"),
        (&absent, "notify", 2, "needs a running server"),
        (&absent, "users logout ann", 2, "needs a running server"),
        (&absent, "keys rotate", 2, "needs a running server"),
        (&absent, "check", 2, "needs a running server"),
    ] {
        let ended = otpctl(url, line).await;
        assert_eq!(ended.status.code(), Some(code), "{line}: {ended:?}");
        let complaint = String::from_utf8(ended.stderr).unwrap();
        assert!(complaint.starts_with("otpctl: "), "{complaint}");
        assert!(complaint.contains(word), "{line}: {complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
    let nobody = with(&[("OTPCTL_SERVER", &empty)], "block list").await;
    assert_eq!(nobody.status.code(), Some(2), "{nobody:?}");
    assert!(!none.exists());
    assert_eq!(std::fs::read(&other).unwrap(), b"");
}

#[tokio::test]
#[ignore = "needs a redis-server (./test.sh has one)"]
async fn with_a_redis_before_the_database_locks_are_opened_where_they_are() {
    let redis = Redis::start();
    let server = Server::with(&[("REDIS_URL", &redis.url())]);
    lock(&server, BEN).await;
    let url = url(&server);
    let settings = [
        ("OTPCTL_SERVER", url.as_str()),
        ("REDIS_URL", &redis.url()),
        ("OTPCTL_OPERATOR", "mike"),
    ];
    let line = format!("unlock --phone {BEN} --json");
    let opened = with(&settings, &line).await;
    let opened: Value = serde_json::from_slice(&opened.stdout).unwrap();
    assert_eq!(opened["count"], 1);
    assert_eq!(starts(&server, BEN).await, 200);
    // By Redis alone too.
    said(&redis.url(), &format!("block phone {ANN}")).await;
    assert_eq!(starts(&server, ANN).await, 403);
}

#[tokio::test]
async fn a_database_that_is_asked_alone_says_so_unless_there_is_said_to_be_no_redis() {
    let mut server = server();
    let url = url(&server);
    assert!(server.terminate().success());
    let mike = [("OTPCTL_SERVER", url.as_str()), ("OTPCTL_OPERATOR", "mike")];
    for line in ["block list", "status", "limits show --phone +14155550123"] {
        let ended = with(&mike, line).await;
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.contains("the database alone is asked") && told.contains("REDIS_URL"));
    }
    let none = [&mike[..], &[("REDIS_URL", "")]].concat();
    assert_eq!(with(&none, "block list").await.stderr, b"");
}

#[tokio::test]
async fn a_container_that_names_nobody_hears_which_name_to_set() {
    let mut server = server();
    let url = url(&server);
    assert!(server.terminate().success());
    let ended = with(&[("OTPCTL_SERVER", &url)], "status").await;
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(
        told.starts_with("otpctl: OTPCTL_OPERATOR: is not set, nor are USER and LOGNAME"),
        "{told}"
    );
    let cron = [
        ("OTPCTL_SERVER", url.as_str()),
        ("LOGNAME", "cron"),
        ("REDIS_URL", ""),
    ];
    assert_eq!(with(&cron, "status").await.status.code(), Some(0));
}

#[tokio::test]
async fn the_budgets_of_an_account_say_whose_they_are() {
    let mut server = server();
    lock(&server, CAT).await;
    let url = url(&server);
    assert!(server.terminate().success());
    let shown = said(&url, "limits show --user test-user").await;
    let rows: Vec<&str> = shown
        .lines()
        .skip_while(|line| !line.starts_with("whom  "))
        .take_while(|line| !line.is_empty())
        .collect();
    let of = |whom: &str| rows.iter().filter(|row| row.starts_with(whom)).count();
    assert!(
        of("test-user") > 0 && of("test-user") == of("+1415"),
        "{shown}"
    );
    let locked = rows.iter().filter(|row| row.contains("locked"));
    assert!(
        locked.clone().count() == 1 && locked.clone().all(|row| row.starts_with("+1415")),
        "{shown}"
    );
}

#[tokio::test]
async fn an_override_that_is_laid_in_a_store_holds_in_the_server_that_starts_until_it_is_ended_there()
 {
    const KIGALI: &str = "+250788000001";
    let mut server = server();
    assert_eq!(starts(&server, KIGALI).await, 200);
    let url = url(&server);
    assert!(server.terminate().success());
    let lay = "policy override country_denied --country RW --for 1h --reason incident-7";
    let dry = said(&url, &format!("{lay} --dry-run")).await;
    assert!(dry.contains("nothing was changed"), "{dry}");
    let unlaid = otpctl(&url, "policy override end 0000000000000000").await;
    assert_eq!(unlaid.status.code(), Some(3), "{unlaid:?}");
    let laid = said(&url, &format!("{lay} --json")).await;
    let laid: Value = serde_json::from_str(&laid).unwrap();
    assert_eq!(laid["count"], 1, "{laid}");
    let id = laid["sample"][0].as_str().unwrap();

    let mut server = server.kill_and_restart();
    held(&server, 1).await;
    assert_eq!(starts(&server, KIGALI).await, 400);
    let log = get(&server, "/admin/otp/audit").await;
    let begun = format!("\"reason\":\"{id} country_denied RW\"");
    let is_meant = |line: &&str| {
        let who = line.contains("\"operator\":\"mike\",\"why\":\"incident-7\"");
        who && line.contains(&begun)
    };
    assert_eq!(log.body.lines().filter(is_meant).count(), 1, "{log:?}");
    assert!(server.terminate().success());
    said(&url, &format!("policy override end {id} --reason over")).await;
    let server = server.kill_and_restart();
    held(&server, 0).await;
    assert_eq!(starts(&server, "+250788000002").await, 200);
}

/// Waits until so many overrides hold: a server reads what its fleet shares when it begins, and again.
async fn held(server: &Server, count: usize) {
    let mut overrides = Value::Null;
    for _ in 0..10_000 {
        let board = get(server, "/admin/otp/dashboard").await;
        overrides = board.json()["overrides"].clone();
        if overrides.as_array().is_some_and(|all| all.len() == count) {
            return;
        }
    }
    panic!("{count} overrides expected: {overrides}");
}
