//! Who speaks in messages: `OTP_BRAND`, and the site whose codes they are.

use std::net::IpAddr;

use otp_kit::delivery::{Brand, InvalidBrand, UnfitText};

use super::{Environment, Refused, outside};

const NAME: &str = "OTP_BRAND";
const ORIGIN: &str = "OTP_ORIGIN";

/// The brand, and the setting to blame where it takes too many places.
pub(crate) struct Speaker {
    pub(crate) brand: Brand,
    key: &'static str,
}

impl Speaker {
    /// Says which setting makes a text message too long.
    pub(crate) fn unfit(&self, why: &UnfitText) -> Refused {
        Refused::because(self.key, why)
    }
}

/// Reads the name that messages speak in, and the host that browsers fill their codes in at.
pub(super) fn read(env: &Environment) -> Result<Speaker, Refused> {
    let name = env.get(NAME);
    let brand = match name {
        Some(name) => Brand::new(name).map_err(|error| Refused::because(NAME, &error))?,
        None => Brand::default(),
    };
    Ok(Speaker {
        brand: bound(env, brand)?,
        key: if name.is_some() { NAME } else { ORIGIN },
    })
}

fn bound(env: &Environment, brand: Brand) -> Result<Brand, Refused> {
    let refused = |error: InvalidBrand| Refused::because(ORIGIN, &error);
    match env.get(ORIGIN) {
        Some("none") => Ok(brand),
        Some(host) => brand.with_origin(host).map_err(refused),
        None => match outside::read(env)?.as_ref().and_then(site) {
            // A name without a dot is one of this network, and no browser knows it.
            Some(host) => Ok(brand.clone().with_origin(&host).unwrap_or(brand)),
            None => Ok(brand),
        },
    }
}

/// Finds the host of an address that people see in their browsers.
fn site(outside: &outside::Outside) -> Option<String> {
    let authority = outside.url.strip_prefix("https://")?.split('/').next()?;
    let host = authority.split(':').next()?.to_ascii_lowercase();
    let is_number = authority.starts_with('[') || host.parse::<IpAddr>().is_ok();
    (!is_number && !host.ends_with(".localhost")).then_some(host)
}
