//! The vendors' status pages that are read beside the requests: none unless it is asked for, since
//! each is a call to somebody else's machine.

use std::sync::Arc;

use otp_kit::providers::StatusPage;
use otp_kit::providers::http::BaseUrl;

use super::{Delivery, Environment, Refused};

const PAGES: &str = "OTP_STATUS_PAGES";
const WANTED: &str = "pairs such as twilio=https://status.twilio.com";

/// A provider's name, and its vendor's page.
pub(crate) type StatusPages = Arc<[(String, StatusPage)]>;

pub(super) fn read(env: &Environment, delivery: &Delivery) -> Result<StatusPages, Refused> {
    let pairs = env.get(PAGES).unwrap_or_default().split(',').map(str::trim);
    let pairs = pairs.filter(|pair| !pair.is_empty());
    pairs.map(|text| pair(text, delivery)).collect()
}

fn pair(pair: &str, delivery: &Delivery) -> Result<(String, StatusPage), Refused> {
    let (provider, page) = pair
        .split_once('=')
        .ok_or_else(|| Refused::must_be(PAGES, WANTED))?;
    if !delivery.sends_through(provider) {
        let problem = "names a provider that is not set up here";
        return Err(Refused::new(PAGES, problem));
    }
    let base = BaseUrl::parse(page).map_err(|error| Refused::because(PAGES, &error))?;
    let page = StatusPage::new(base).map_err(|error| Refused::because(PAGES, &error))?;
    Ok((provider.to_owned(), page))
}
