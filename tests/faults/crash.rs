//! A service that is killed between a challenge and its message.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use otp_kit::async_trait;
use otp_kit::delivery::{DeliveryError, DeliveryProvider, Message, Receipt};
use otp_kit::event::EventKind;
use otp_kit::prelude::*;
use otp_kit::store::{AuditStore as _, SqliteStore};
use tokio::task::JoinSet;

use crate::bench::{Service, figure};

const FOLDER: &str = "OTP_CRASH_FOLDER";

/// Writes down what it is given to send, in one step each.
#[derive(Debug)]
struct Ledger(PathBuf);

#[async_trait]
impl DeliveryProvider for Ledger {
    fn name(&self) -> &str {
        "ledger"
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Email]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let line = format!("{}\n", message.id().as_str());
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.0)
            .unwrap();
        file.write_all(line.as_bytes()).unwrap();
        Ok(Receipt::accepted("ledger"))
    }
}

/// The process that is killed: it issues codes from many tasks, as long as it lives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of no_message_leaves_without_its_record_whenever_the_service_dies"]
async fn service() {
    let folder = PathBuf::from(std::env::var(FOLDER).expect("the parent names the folder"));
    let store = SqliteStore::open(folder.join("otp.db")).await.unwrap();
    let service = Arc::new(Service::sending(store, Ledger(folder.join("sent"))));
    let mut tasks = JoinSet::new();
    for worker in 0..8 {
        let service = Arc::clone(&service);
        tasks.spawn(async move {
            for turn in 0..100_000 {
                let person = std::process::id().wrapping_mul(31) ^ (worker * 100_000 + turn);
                let _ = service.start(person).await;
            }
        });
    }
    tasks.join_all().await;
}

/// F20: the intent is on disk before the message leaves, and nothing is sent late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_leaves_without_its_record_whenever_the_service_dies() {
    let folder = tempfile::tempdir().unwrap();
    let sent = folder.path().join("sent");
    for round in 0..figure("OTP_KILLS", 12) {
        let before = lines(&sent).len();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["crash::service", "--exact", "--ignored"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It dies at another moment each time, once it is at work.
        let enough = before + 20 + usize::try_from(round).unwrap();
        while lines(&sent).len() < enough {
            assert!(child.try_wait().unwrap().is_none(), "it works");
            tokio::task::yield_now().await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let messages = lines(&sent);
    let store = SqliteStore::open(folder.path().join("otp.db"))
        .await
        .unwrap();
    let records = store.outbox(None, 1_000_000).await.unwrap();
    let intents: BTreeSet<String> = records
        .into_iter()
        .filter(|record| record.event.kind == EventKind::ChallengeIssued)
        .filter_map(|record| record.event.challenge)
        .collect();
    for message in &messages {
        let challenge = intents
            .iter()
            .find(|challenge| message.starts_with(*challenge));
        assert!(challenge.is_some(), "{message} was sent without a record");
    }
    let again = Service::sending(store, Ledger(sent.clone()));
    again.start(7).await.unwrap();
    assert_eq!(
        lines(&sent).len(),
        messages.len() + 1,
        "nothing is sent late"
    );
}

fn lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
