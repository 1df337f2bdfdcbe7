//! The operator's command, run as an operator does.

use std::process::{Command, Output};

use serde_json::{Value, json};

use super::{MIKE, START, acts, server};
use crate::support::{Server, beside};

const ANN: &str = "+14155550123";

async fn otpctl(server: &Server, line: &str) -> Output {
    let mut command = Command::new(beside("otpctl"));
    command
        .args(line.split_whitespace())
        .env("OTPCTL_SERVER", format!("http://{}", server.admin))
        .env("OTPCTL_TOKEN", MIKE);
    let ended = tokio::task::spawn_blocking(move || command.output());
    ended.await.unwrap().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test]
async fn a_block_is_tried_dry_put_seen_and_taken_off_again() {
    let server = server();
    let start = json!({ "phone": ANN });
    let block = format!("block phone {ANN} --for 2h --reason incident-7");
    let dry = otpctl(&server, &format!("{block} --dry-run")).await;
    assert_eq!(dry.status.code(), Some(0), "{dry:?}");
    assert!(
        said(&dry).contains("1 would be blocked, nothing was changed"),
        "{dry:?}"
    );
    assert_eq!(server.post(START, &start).await.status, 200);

    assert_eq!(otpctl(&server, &block).await.status.code(), Some(0));
    assert_eq!(server.post(START, &start).await.status, 403);
    let list = said(&otpctl(&server, "block list").await);
    assert!(list.contains(ANN) && list.contains("mike"), "{list}");
    let why = said(&otpctl(&server, &format!("limits show --phone {ANN}")).await);
    assert!(why.contains("blocked"), "{why}");

    let off = otpctl(&server, &format!("unblock phone {ANN} --reason over")).await;
    assert_eq!(off.status.code(), Some(0), "{off:?}");
    assert_eq!(said(&otpctl(&server, "block list").await), "none\n");
    let acts = acts(&server).await;
    assert!(
        acts.iter()
            .any(|act| act.starts_with("mike: ") && act.ends_with(": incident-7")),
        "{acts:?}"
    );
}

#[tokio::test]
async fn a_program_reads_json_and_the_codes_of_ending_tell_what_happened() {
    let server = server();
    assert_eq!(
        server.post(START, &json!({ "phone": ANN })).await.status,
        200
    );
    let status = otpctl(&server, "status --json").await;
    assert_eq!(status.status.code(), Some(0), "{status:?}");
    let board: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(board["counters"]["sent"], 1);
    let revoked = otpctl(&server, &format!("revoke --phone {ANN} --json")).await;
    let revoked: Value = serde_json::from_slice(&revoked.stdout).unwrap();
    assert_eq!(revoked["count"], 1);

    let public = server.url("");
    for (line, code) in [
        ("revoke", 2),
        ("revoke --everything", 2),
        ("no-such-command", 2),
        ("unlock --phone nonsense", 3),
        ("keys rotate", 3),
        ("policy override end nope", 3),
        (&*format!("status --server {public}"), 3),
        // What has no preview is not done in its place.
        ("simulate guessing --times 1 --dry-run", 2),
        ("check --phones +14155550123 --dry-run", 2),
        ("audit export --dry-run", 2),
        ("limits show --phone +14155550123 --dry-run", 2),
        ("revoke --all --reason --dry-run", 2),
        ("revoke --all=false", 2),
        ("status --server http://127.0.0.1:9", 4),
        ("status --server ftp://127.0.0.1", 2),
    ] {
        let ended = otpctl(&server, line).await;
        assert_eq!(ended.status.code(), Some(code), "{line}: {ended:?}");
        let complaint = String::from_utf8(ended.stderr).unwrap();
        let hint = "is this the operator's listener";
        assert_eq!(
            complaint.contains(hint),
            line.contains(&public),
            "{complaint}"
        );
        assert!(complaint.starts_with("otpctl: "), "{complaint}");
        assert!(!complaint.contains(MIKE), "{complaint}");
    }
}

#[tokio::test]
async fn who_overrode_what_why_and_until_when_is_in_the_status() {
    let server = server();
    let line = "policy override country_denied --country RW --for 1h --reason incident-7";
    assert_eq!(otpctl(&server, line).await.status.code(), Some(0));
    let status = said(&otpctl(&server, "status").await);
    let (_, overrides) = status.split_once("\noverrides\n").unwrap();
    let held = overrides.lines().nth(1).unwrap();
    let cells: Vec<&str> = held.split_whitespace().collect();
    assert!(
        cells.ends_with(&["mike", "incident-7", cells[cells.len() - 1]]),
        "{held}"
    );
    assert!(cells[cells.len() - 1].starts_with("20"), "{held}");
}

#[tokio::test]
async fn a_policy_from_a_file_is_checked_dry_and_put_in_force() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("off.yaml");
    std::fs::write(&file, "auth:\n  sms_otp:\n    enabled: false\n").unwrap();
    let set = format!("policy set {}", file.display());
    let dry = otpctl(&server, &format!("{set} --dry-run")).await;
    assert_eq!(dry.status.code(), Some(0), "{dry:?}");
    assert_eq!(
        server.post(START, &json!({ "phone": ANN })).await.status,
        200
    );
    assert_eq!(otpctl(&server, &set).await.status.code(), Some(0));
    assert_ne!(
        server
            .post(START, &json!({ "phone": "+14155550124" }))
            .await
            .status,
        200
    );
    let shown = said(&otpctl(&server, "policy show").await);
    assert!(shown.contains("enabled: false"), "{shown}");
}

#[tokio::test]
async fn a_pass_is_tried_dry_handed_out_and_signs_in() {
    let server = server();
    let dry = otpctl(&server, "provision --user test-user --dry-run").await;
    let nothing = "test-user would get a pass, nothing was changed\n";
    assert_eq!((dry.status.code(), said(&dry)), (Some(0), nothing.into()));
    let line = "provision --email test-user@example.com --reason incident-7";
    let told = said(&otpctl(&server, line).await);
    let body = told.split_once("from-onboarding ").unwrap().1;
    let body: Value = serde_json::from_str(body).unwrap();
    let welcome = server.post("/auth/fan/from-onboarding", &body).await;
    assert_eq!(welcome.status, 200, "{welcome:?}");

    let line = "users logout test-user --reason over --json";
    let ended: Value = serde_json::from_slice(&otpctl(&server, line).await.stdout).unwrap();
    assert_eq!(ended["ended"], 1);
    let reset = said(&otpctl(&server, "users reset-password test-user").await);
    assert!(reset.starts_with("1 asked for another password"), "{reset}");
    for (line, code) in [
        ("provision", 2),
        ("provision --ip 203.0.113.1", 2),
        ("provision --user nobody", 3),
        ("users reset-password", 2),
        ("users delete test-user", 2),
        ("users reset-password nobody", 3),
    ] {
        let ended = otpctl(&server, line).await;
        assert_eq!(ended.status.code(), Some(code), "{line}: {ended:?}");
    }
    assert_eq!(
        acts(&server).await,
        [
            "mike: preview_provision_session: no reason given",
            "mike: provision_session: incident-7",
            "mike: logout_all: over",
            "mike: force_password_reset: no reason given",
        ]
    );
}

#[tokio::test]
async fn a_list_of_users_is_told_from_files() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let (users, words) = (folder.path().join("users"), folder.path().join("words"));
    std::fs::write(&users, "# affected\ntest-user\nnobody\n\ntest-user\n").unwrap();
    std::fs::write(&words, "Subject: Sign in again\n\nPlease.\n").unwrap();
    let notify = format!(
        "notify --users {} --template {}",
        users.display(),
        words.display()
    );
    let dry = said(&otpctl(&server, &format!("{notify} --dry-run")).await);
    assert!(
        dry.starts_with("1 would be told, nothing was changed"),
        "{dry}"
    );
    let told = otpctl(&server, &notify).await;
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    assert!(said(&told).contains("unknown: 1\n"), "{told:?}");
    let gone = "notify --users /nowhere/users --template /nowhere/words";
    assert_eq!(otpctl(&server, gone).await.status.code(), Some(2));
    assert_eq!(otpctl(&server, "notify").await.status.code(), Some(2));
    std::fs::write(&words, "no subject").unwrap();
    assert_eq!(otpctl(&server, &notify).await.status.code(), Some(3));
}

#[tokio::test]
async fn the_status_ends_with_1_where_a_rate_is_past_its_alarm_as_the_page_says() {
    let server = server();
    for _ in 0..5 {
        let start = server.post(START, &json!({ "phone": ANN })).await;
        assert_eq!(start.status, 200, "{start:?}");
    }
    let well = otpctl(&server, "status").await;
    assert_eq!(well.status.code(), Some(0), "{well:?}");
    for _ in 0..2 {
        let start = server.post(START, &json!({ "phone": ANN })).await;
        assert_eq!(start.status, 429, "{start:?}");
    }
    let ended = otpctl(&server, "status").await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let marks = "target < 1 %, alarm > 5 %";
    let complaint = String::from_utf8_lossy(&ended.stderr);
    let wanted = format!("Limit hits at 28.5 % ({marks})");
    assert!(complaint.contains(&wanted), "{complaint}");
    let board = said(&ended);
    let line = board.lines().find(|line| line.starts_with("Limit hits "));
    assert!(
        line.is_some_and(|line| line.contains("alarm") && line.contains(marks)),
        "{board}"
    );
    assert!(board.contains("alarm  Limit hits at 28.5 %"), "{board}");

    let show = said(&otpctl(&server, &format!("limits show --phone {ANN}")).await);
    let name = show
        .lines()
        .find_map(|line| line.strip_prefix("in records: "));
    let name = name.unwrap();
    assert!(name.starts_with("dst:"), "{show}");
    let show = said(&otpctl(&server, &format!("limits show --user {name}")).await);
    assert!(show.contains("live codes: 1"), "{show}");
    let cut = otpctl(&server, "unlock --user dst:cut-off").await;
    assert_eq!(cut.status.code(), Some(3), "{cut:?}");
}

#[tokio::test]
async fn help_of_a_command_is_of_that_command_and_an_error_is_the_last_that_is_read() {
    let server = server();
    let of_block = said(&otpctl(&server, "help block").await);
    assert!(
        of_block.contains("# type,value,note,span") && !of_block.contains("keys rotate"),
        "{of_block}"
    );
    assert_eq!(said(&otpctl(&server, "block --help").await), of_block);
    let of_policy = said(&otpctl(&server, "help policy").await);
    for word in ["--operation", "--times", "--country", "CAPTCHA_PROVIDER"] {
        assert!(of_policy.contains(word), "{of_policy}");
    }
    assert!(said(&otpctl(&server, "help").await).contains("keys rotate"));
    for (line, wanted) in [
        ("block import /nowhere/list.csv", "see: otpctl help block\n"),
        ("no-such-command", "see: otpctl help\n"),
    ] {
        let ended = otpctl(&server, line).await;
        let complaint = String::from_utf8_lossy(&ended.stderr);
        assert!(complaint.ends_with(wanted), "{complaint}");
        assert_eq!(complaint.lines().count(), 2, "{complaint}");
    }
    // What the help says of the file is so.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("list.csv");
    let line = format!("block import {}", file.display());
    let begin = of_block.find("  # type,value").unwrap();
    let example: Vec<_> = of_block[begin..].lines().take(3).map(str::trim).collect();
    std::fs::write(&file, example.join("\n")).unwrap();
    let taken = otpctl(&server, &format!("{line} --reason x")).await;
    assert_eq!(taken.status.code(), Some(0), "{taken:?}");
    std::fs::write(&file, format!("{}\nphone,12,,\n", example.join("\n"))).unwrap();
    let refused = otpctl(&server, &format!("{line} --reason x")).await;
    let complaint = String::from_utf8_lossy(&refused.stderr);
    assert!(complaint.trim_end().ends_with("x-line: 4"), "{complaint}");
}
