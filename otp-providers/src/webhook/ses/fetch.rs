use std::sync::Arc;

use http::StatusCode;
use url::Url;

use super::super::async_trait;
use super::certificate::{
    CertificateSource, CertificateUnavailable, CertificateUrl, LARGEST_CERTIFICATE, amazon_url,
};
use crate::http::{BaseUrl, Endpoint, HttpRequest, HttpTransport};

/// Fetches signing certificates, and confirms subscriptions, over an HTTP transport.
///
/// It goes to hosts of Amazon SNS alone, over verified TLS, and follows no redirect. A clone is the
/// same client.
#[derive(Clone, Debug)]
pub struct HttpCertificates {
    transport: Arc<dyn HttpTransport>,
    stand_in: Option<BaseUrl>,
}

impl HttpCertificates {
    /// Fetches over a transport.
    #[must_use]
    pub fn new(transport: impl HttpTransport) -> Self {
        Self {
            transport: Arc::new(transport),
            stand_in: None,
        }
    }

    /// Goes to this address in place of Amazon's hosts, with the same path: for stand-ins. Whoever
    /// answers there decides which signatures are believed.
    #[must_use]
    pub fn base_url(mut self, base: BaseUrl) -> Self {
        self.stand_in = Some(base);
        self
    }

    /// Confirms a subscription by the address of an [`Answer::Confirm`](super::super::Answer::Confirm).
    /// Amazon takes it any number of times.
    ///
    /// # Errors
    /// [`CertificateUnavailable`] where the address is not Amazon's, or it did not answer 200.
    pub async fn confirm(&self, url: &Url) -> Result<(), CertificateUnavailable> {
        let url = amazon_url(url.as_str()).ok_or(CertificateUnavailable)?;
        self.get(&url).await.map(drop)
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, CertificateUnavailable> {
        let endpoint = match &self.stand_in {
            None => Endpoint::checked(url.clone()),
            Some(base) => base.in_place_of(url),
        };
        let sent = self.transport.send(HttpRequest::get(endpoint)).await;
        let reply = sent.map_err(|_| CertificateUnavailable)?;
        let fits = reply.body().len() <= LARGEST_CERTIFICATE;
        if reply.status() == StatusCode::OK && fits {
            Ok(reply.body().to_vec())
        } else {
            Err(CertificateUnavailable)
        }
    }
}

#[async_trait]
impl CertificateSource for HttpCertificates {
    async fn fetch(&self, url: &CertificateUrl) -> Result<Vec<u8>, CertificateUnavailable> {
        self.get(url.as_url()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ScriptedTransport;

    const CERTIFICATE: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem";

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(future)
    }

    fn asked(vendor: &ScriptedTransport) -> Vec<String> {
        let requests = vendor.requests();
        let asked = requests.iter().map(|request| {
            assert_eq!(request.method(), http::Method::GET);
            request.url().to_string()
        });
        asked.collect()
    }

    #[test]
    fn a_certificate_comes_from_its_own_address_and_anything_but_200_is_none() {
        let vendor = ScriptedTransport::new()
            .then(200, "pem")
            .then(302, "elsewhere")
            .then(200, &"x".repeat(LARGEST_CERTIFICATE + 1))
            .then_not_connected();
        let source = HttpCertificates::new(vendor.clone());
        let url = CertificateUrl::parse(CERTIFICATE).expect("a url");
        assert_eq!(block_on(source.fetch(&url)), Ok(b"pem".to_vec()));
        for _ in 0..3 {
            assert_eq!(block_on(source.fetch(&url)), Err(CertificateUnavailable));
        }
        assert_eq!(asked(&vendor), [CERTIFICATE; 4]);
    }

    #[test]
    fn a_subscription_is_confirmed_at_amazon_or_at_a_stand_in_and_nowhere_else() {
        let url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1";
        let vendor = ScriptedTransport::new().then(200, "").then(200, "");
        let source = HttpCertificates::new(vendor.clone());
        let parsed = |text: &str| Url::parse(text).expect("a url");
        assert_eq!(block_on(source.confirm(&parsed(url))), Ok(()));
        let elsewhere = parsed("https://sns.eu-west-1.amazonaws.com.evil.example/?Token=1");
        assert_eq!(
            block_on(source.confirm(&elsewhere)),
            Err(CertificateUnavailable)
        );
        let base = BaseUrl::parse("http://127.0.0.1:9/aws").expect("a base");
        let source = source.base_url(base);
        assert_eq!(block_on(source.confirm(&parsed(url))), Ok(()));
        let there = "http://127.0.0.1:9/aws/?Action=ConfirmSubscription&Token=1";
        assert_eq!(asked(&vendor), [url, there]);
    }
}
