//! A link's browser beside the code's.

use otp_kit::prelude::*;
use otp_kit::request::SessionBinding;
use otp_kit::verifier::Link;

use super::{MAIL, browser, linked, send};
use crate::support::{Service, here};

#[tokio::test]
async fn a_link_for_one_browser_and_a_code_for_another_stay_apart() {
    for service in Service::everywhere(linked).await {
        let (asking, mailing) = (browser("app"), browser("mail"));
        let ask = || {
            Issue::to(EmailAddress::parse(MAIL).unwrap())
                .for_purpose("login")
                .with_link(Link::for_browser(mailing.clone()))
                .from(here().bound_to(asking.clone()))
        };
        let within = |browser: &SessionBinding| here().bound_to(browser.clone());
        let sent = send(&service, ask()).await;
        let code = |browser| {
            let verifier = &service.verifier;
            verifier.verify(sent.id, sent.code.as_str(), within(browser))
        };
        assert!(code(&mailing).await.is_err(), "the code is the app's");
        let elsewhere = service.verifier.verify_link(&sent.token, within(&asking));
        assert!(elsewhere.await.is_err(), "the link is the mail client's");
        let followed = service.verifier.verify_link(&sent.token, within(&mailing));
        assert!(followed.await.is_ok());
        let sent = send(&service, ask()).await;
        let typed = service
            .verifier
            .verify(sent.id, sent.code.as_str(), within(&asking));
        assert!(typed.await.is_ok());
    }
}
