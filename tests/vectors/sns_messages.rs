//! `sns_messages`: RSA signatures of Amazon SNS, by a certificate that the case carries.

use std::sync::Arc;

use otp_kit::async_trait;
use otp_kit::providers::webhook::{
    CertificateSource, CertificateUnavailable, CertificateUrl, SesWebhook,
};
use serde_json::Value;

use crate::Verdict;
use crate::webhook::{ANY_AGE, Parts, at_once, now, verdict};

#[derive(Debug)]
struct Given(String);

#[async_trait]
impl CertificateSource for Given {
    async fn fetch(&self, _url: &CertificateUrl) -> Result<Vec<u8>, CertificateUnavailable> {
        Ok(self.0.clone().into_bytes())
    }
}

pub(crate) fn check(case: &Value) -> Verdict {
    let message = &case["message"];
    let topic = message["TopicArn"].as_str().unwrap_or_default();
    let certificate = case["cert_pem"].as_str().unwrap_or_default().to_owned();
    let reader = SesWebhook::new(topic, Arc::new(Given(certificate))).tolerance(ANY_AGE);
    let body = match message {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let parts = Parts::of(&Value::Null).with_body(body.into_bytes(), "text/plain");
    let found = parts
        .request()
        .and_then(|request| at_once(reader.verify(&request, now(case, ""))));
    verdict(case, found)
}
