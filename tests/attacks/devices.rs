use otp_kit::challenge::Lane;
use otp_kit::event::Act;
use otp_kit::factor::DeviceLabel;
use otp_kit::operator::{Count, Whom};
use otp_kit::prelude::*;
use otp_kit::verifier::{DeviceToken, Forgotten, Verified};

use crate::support::{PHONE, Service, here};

/// Signs in, and remembers a device under a label; the next sign-in may follow at once.
async fn remember(service: &Service, label: &str) -> (Verified, DeviceToken) {
    let (id, code) = service.issue().await;
    let verified = service.verifier.verify(&id, code, here()).await.unwrap();
    let label = DeviceLabel::new(label).unwrap();
    let token = service.verifier.remember_device_as(&verified, label).await;
    service.advance(3_600);
    (verified, token.unwrap())
}

/// Says which door a start with a token comes through.
async fn lane(service: &Service, token: &DeviceToken) -> Lane {
    let phone = PhoneNumber::parse(PHONE).unwrap();
    let context = here().device_token(token.expose());
    let issue = Issue::to(phone).for_purpose("login").from(context);
    let issued = service.verifier.issue(issue).await.unwrap();
    service.advance(3_600);
    let found = service.verifier.store().find(&issued.challenge_id).await;
    found.unwrap().unwrap().lane
}

#[tokio::test]
async fn a_stolen_device_token_opens_no_lane_once_its_device_is_forgotten() {
    for service in Service::everywhere(|builder| builder).await {
        let (verified, stolen) = remember(&service, "laptop").await;
        let (_, kept) = remember(&service, "phone").await;
        let owner = verified.owner();
        assert_eq!(lane(&service, &stolen).await, Lane::KnownDevice);
        let handle = stolen.handle();
        let verifier = &service.verifier;
        let forgotten = verifier.forget_device(&owner, &handle, &here()).await;
        assert_eq!(forgotten.unwrap(), Forgotten::Now);
        assert_eq!(lane(&service, &stolen).await, Lane::Public, "at once");
        assert_eq!(lane(&service, &kept).await, Lane::KnownDevice);
        let listed = verifier.devices(&owner).await.unwrap();
        let handles: Vec<_> = listed.iter().map(|one| one.handle).collect();
        assert_eq!(handles, [kept.handle()]);
        let again = verifier.forget_device(&owner, &handle, &here()).await;
        assert_eq!(again.unwrap(), Forgotten::Unknown);
        assert_eq!(verifier.revoke_devices(&owner, &here()).await.unwrap(), 1);
        assert_eq!(lane(&service, &kept).await, Lane::Public);
    }
}

#[tokio::test]
async fn an_operator_forgets_every_device_of_somebody_and_a_preview_forgets_none() {
    let service = Service::new();
    let (_, token) = remember(&service, "laptop").await;
    let act = Act::new("mike", "incident #123").unwrap();
    let operator = service.verifier.operator(act);
    let whom = Whom::Destination(PhoneNumber::parse(PHONE).unwrap().into());
    let preview = operator.clone().preview().revoke_devices(&whom).await;
    assert_eq!(preview.unwrap().count, Count::Exactly(1));
    assert_eq!(lane(&service, &token).await, Lane::KnownDevice);
    let done = operator.revoke_devices(&whom).await.unwrap();
    assert_eq!(done.count, Count::Exactly(1));
    assert_eq!(lane(&service, &token).await, Lane::Public);
}
