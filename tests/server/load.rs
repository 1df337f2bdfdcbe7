//! The load that the examples make, in small: what a figure is drawn from must run.

use std::process::Command;

use serde_json::Value;

use crate::support::{Server, beside};

#[tokio::test]
async fn the_load_signs_people_in_and_has_every_guess_refused() {
    let server = Server::with(&[("TRUSTED_PROXIES", "127.0.0.1")]);
    let mut command = Command::new(beside("load"));
    command.args(["--site", &server.url("")]);
    command.args("--rate 10 --seconds 2 --hostile 25 --json".split(' '));
    let ended = tokio::task::spawn_blocking(move || command.output());
    let printed = ended.await.unwrap().unwrap().stdout;
    // Whether its marks hold is for a machine that does nothing else.
    let report: Value = serde_json::from_slice(&printed).unwrap();
    let counts = |kind: &str| {
        let lines = report["lines"].as_array().unwrap();
        let line = lines.iter().find(|line| line["kind"] == kind).unwrap();
        ["requests", "done", "refused", "failed"].map(|count| line[count].as_u64().unwrap())
    };
    let [people, ..] = counts("start");
    let [guesses, ..] = counts("guess");
    assert_eq!(people + guesses / 3, 20);
    assert_eq!(counts("start"), [people, people, 0, 0]);
    assert_eq!(counts("check"), [people, people, 0, 0]);
    assert_eq!(counts("guess"), [guesses, 0, guesses, 0]);
}

#[test]
fn the_load_says_what_it_takes() {
    let asked = Command::new(beside("load")).arg("--help").output().unwrap();
    assert!(asked.status.success());
    assert!(String::from_utf8(asked.stdout).unwrap().contains("--rate"));
}
