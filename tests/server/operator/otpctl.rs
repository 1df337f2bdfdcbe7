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

    for (line, code) in [
        ("revoke", 2),
        ("revoke --everything", 2),
        ("no-such-command", 2),
        ("unlock --phone nonsense", 3),
        ("keys rotate", 3),
        ("status --server http://127.0.0.1:9", 4),
    ] {
        let ended = otpctl(&server, line).await;
        assert_eq!(ended.status.code(), Some(code), "{line}: {ended:?}");
        let complaint = String::from_utf8(ended.stderr).unwrap();
        assert!(complaint.starts_with("otpctl: "), "{complaint}");
        assert!(!complaint.contains(MIKE), "{complaint}");
    }
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
