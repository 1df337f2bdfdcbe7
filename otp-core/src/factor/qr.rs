use std::fmt;

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder, QRCode as Matrix};
use thiserror::Error;

use super::OtpUri;

/// A QR code of an [`OtpUri`], for a page or a terminal. It holds the secret: what it makes is shown
/// to its owner, once.
pub struct QrCode(Matrix);

/// No QR code is large enough for the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("too long for a qr code")]
pub struct TooLongForQr;

impl OtpUri {
    /// Draws the URI as a QR code, with room for a seventh of it to be unreadable (level M).
    ///
    /// # Errors
    /// [`TooLongForQr`]; names of 64 characters in any script fit.
    pub fn to_qr(&self) -> Result<QrCode, TooLongForQr> {
        let made = QRBuilder::new(self.to_text().expose()).ecl(ECL::M).build();
        made.map(QrCode).map_err(|_| TooLongForQr)
    }
}

impl QrCode {
    /// Draws it as an SVG document, black on white with its quiet zone.
    #[must_use]
    pub fn to_svg(&self) -> String {
        SvgBuilder::default().to_str(&self.0)
    }

    /// Draws it with half blocks, for a terminal of light letters on dark ground.
    #[must_use]
    pub fn to_terminal(&self) -> String {
        self.0.to_str()
    }
}

impl fmt::Debug for QrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QrCode({} modules a side)", self.0.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::{OtpAccount, OtpSecret};

    #[test]
    fn the_longest_names_fit_and_nothing_shown_holds_the_secret() {
        let secret = OtpSecret::new(vec![7; 20]).unwrap();
        let name = "\u{4e9c}".repeat(64);
        let account = OtpAccount::new(&name, &name).unwrap();
        let code = OtpUri::totp(account, secret).to_qr().unwrap();
        let svg = code.to_svg();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"), "{svg}");
        assert!(code.to_terminal().lines().count() > 20);
        assert!(format!("{code:?}").starts_with("QrCode("));
    }
}
