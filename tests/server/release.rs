use crate::support::Server;
use crate::support::twilio::{Answer, Twilio};

#[test]
fn a_production_build_cannot_be_put_into_development() {
    let settings = [
        ("DEV_MODE", "true"),
        ("SECRET_KEY", "0123456789-abcdefghij-klmnopqrstuvwxyz"),
    ];
    let refusal = Server::refused(&settings);
    assert_eq!(refusal.code, Some(2));
    assert!(
        refusal.stderr.starts_with("error: DEV_MODE: "),
        "{}",
        refusal.stderr
    );
    assert_eq!(refusal.stderr.lines().count(), 1);
}

#[test]
fn a_production_build_without_configuration_does_not_start() {
    assert_eq!(Server::refused(&[]).code, Some(2));
}

#[tokio::test]
async fn a_production_build_starts_where_keys_and_a_provider_are_set() {
    let twilio = Twilio::start(Answer::Accepts).await;
    let settings = twilio.settings();
    let settings: Vec<_> = settings
        .into_iter()
        .filter(|(key, _)| *key != "DEV_MODE")
        .collect();
    let server = Server::with(&settings);
    assert_eq!(server.get("/readyz").await.status, 200);
}
