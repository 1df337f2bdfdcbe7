use otp_kit::delivery::{LinkSettings, ReturnAddress};

use super::{Environment, Refused, Webhooks};

/// The page of links, under the outside address.
const PAGE: &str = "/auth/link";
const RETURNS: &str = "OTP_RETURN_URLS";

/// Reads where links lead to and may lead on to. Over plain HTTP anybody on the way could follow
/// one, so such an address has none.
pub(super) fn read(
    env: &Environment,
    webhooks: &Webhooks,
) -> Result<Option<LinkSettings>, Refused> {
    let returns = env.get(RETURNS).unwrap_or_default();
    let returns = returns.split(',').map(str::trim);
    let returns = returns
        .filter(|address| !address.is_empty())
        .map(|address| {
            ReturnAddress::parse(address).map_err(|error| Refused::because(RETURNS, &error))
        });
    let returns: Vec<ReturnAddress> = returns.collect::<Result<_, _>>()?;
    let page = webhooks.url.of(PAGE).ok();
    let links = page.and_then(|page| LinkSettings::at(page.as_str()).ok());
    Ok(links.map(|links| returns.into_iter().fold(links, LinkSettings::allow_return)))
}
