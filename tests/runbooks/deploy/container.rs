//! What the image is built from and run with, as far as it is seen without an engine of containers.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::{COMPOSE, PRODUCTION, STAGING};
use crate::desk::server;
use crate::support::Server;

const IGNORED: &str = include_str!("../../../.dockerignore");
const SECRETS: &str = include_str!("../../../deploy/.gitignore");
const DOCKERFILE: &str = include_str!("../../../deploy/Dockerfile");
const TEST_SH: &str = include_str!("../../../test.sh");

#[test]
fn no_file_of_secrets_gets_into_a_layer_of_the_build() {
    let secret = |line: &&str| !line.starts_with('#');
    let mut files: Vec<String> = SECRETS
        .lines()
        .filter(secret)
        .map(|file| format!("deploy/{file}"))
        .collect();
    assert!(files.len() >= 2, "{files:?}");
    files.extend(
        [
            ".env",
            "deploy/.env.production",
            "deploy/otp.db-wal",
            "otp.db",
        ]
        .map(Into::into),
    );
    // A pattern is a whole path here, or with **/ a name in any folder.
    let covers = |pattern: &str, file: &str| {
        let Some(name) = pattern.strip_prefix("**/") else {
            return pattern == file;
        };
        let own = file.rsplit('/').next().unwrap();
        match name.split_once('*') {
            Some((begins, ends)) => own
                .strip_prefix(begins)
                .is_some_and(|rest| ends.is_empty() || rest.contains(ends.trim_end_matches('*'))),
            None => own == name,
        }
    };
    for file in files {
        let covered = IGNORED.lines().any(|pattern| covers(pattern, &file));
        assert!(covered, "{file} is copied into the build");
    }
}

#[test]
fn an_example_has_no_secret_that_everybody_has_read() {
    for line in PRODUCTION.lines() {
        let Some((name, value)) = line.trim_start_matches('#').split_once('=') else {
            continue;
        };
        let secret = ["TOKEN", "TOKENS", "SECRET", "PASSWORD", "KEY", "KEYS"];
        let is_secret = name
            .rsplit('_')
            .next()
            .is_some_and(|last| secret.contains(&last));
        let is_file = value.starts_with("/run/secrets/");
        if is_secret
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        {
            assert!(value.is_empty() || is_file, "{name} is {value:?}");
        }
    }
    for text in [PRODUCTION, STAGING, COMPOSE] {
        assert!(!text.contains("change-me"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_command_of_production_makes_a_key_file_that_the_server_starts_with() {
    let (_, rest) = COMPOSE.split_once("--entrypoint sh server -c").unwrap();
    let line = rest.split('\'').nth(1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let make = || {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).env("OTP_KEYS_FILE", &file);
        assert!(shell.status().unwrap().success(), "{line}");
        std::fs::read_to_string(&file).unwrap()
    };
    let made = make();
    assert_eq!(made, make(), "a key that is there is kept");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let named = file.display().to_string();
    let server = Server::with(&[("OTP_KEYS", ""), ("OTP_KEYS_FILE", &named)]);
    assert_eq!(server.get("/readyz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_containers_health_is_asked_for_over_tls_where_the_server_speaks_it() {
    let (_, line) = DOCKERFILE.split_once("HEALTHCHECK").unwrap();
    let (_, line) = line.split_once(" CMD ").unwrap();
    let line = line.lines().next().unwrap();
    let is_well = |address: &str, cert: &str| {
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", line]).env("BIND_ADDR", address);
        let asked = shell.env("TLS_CERT", cert).output().unwrap();
        asked.status.success()
    };
    let plain = server();
    assert!(is_well(&plain.address, ""));
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let made = rcgen::generate_simple_self_signed(["otp.example.org".to_owned()]).unwrap();
    std::fs::write(path("cert"), made.cert.pem()).unwrap();
    std::fs::write(path("key"), made.signing_key.serialize_pem()).unwrap();
    let (cert, key) = (path("cert"), path("key"));
    let tls = Server::with(&[("TLS_CERT", &cert), ("TLS_KEY", &key)]);
    assert!(is_well(&tls.address, &cert));
    let address = tls.address.clone();
    drop(tls);
    assert!(!is_well(&address, &cert), "nobody is there any more");
}

/// Runs a part of test.sh where nothing is installed.
#[test]
fn without_a_browser_the_tests_go_on_and_name_what_is_missing() {
    let (_, rest) = TEST_SH.split_once("\nbrowser() {").unwrap();
    let (body, _) = rest.split_once("\n}\n").unwrap();
    let (_, rest) = TEST_SH.split_once("\nTEST_BROWSER=").unwrap();
    let (lines, _) = rest.split_once("\n\n").unwrap();
    let script = format!(
        "set -euo pipefail; absent=(); PROMTOOL=promtool\nbrowser() {{{body}\n}}\n\
         TEST_BROWSER={lines}\nprintf '%s\\n' \"${{absent[@]}}\""
    );
    let bash = ["/bin/bash", "/usr/bin/bash"];
    let bash = bash.iter().find(|path| std::path::Path::new(path).exists());
    let mut command = Command::new(bash.unwrap());
    let ended = command
        .args(["-c", &script])
        .env("PATH", "/nowhere")
        .env_remove("TEST_BROWSER");
    let ended = ended.output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let named = String::from_utf8(ended.stdout).unwrap();
    assert!(
        named.contains("a browser") && named.contains("promtool"),
        "{named}"
    );
}
