/// Who issued a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Vendor {
    /// hCaptcha.
    HCaptcha,
    /// Cloudflare Turnstile.
    Turnstile,
    /// Google reCAPTCHA v2: a checkbox, or the invisible one.
    ReCaptchaV2,
    /// Google reCAPTCHA v3: a score for an action.
    ReCaptchaV3,
}

impl Vendor {
    /// Every vendor.
    pub const ALL: [Self; 4] = [
        Self::HCaptcha,
        Self::Turnstile,
        Self::ReCaptchaV2,
        Self::ReCaptchaV3,
    ];

    /// Names the vendor, as configuration and logs have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HCaptcha => "hcaptcha",
            Self::Turnstile => "turnstile",
            Self::ReCaptchaV2 => "recaptcha_v2",
            Self::ReCaptchaV3 => "recaptcha_v3",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.name() == name)
    }

    /// Names the form field that the vendor's widget puts the token into.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::HCaptcha => "h-captcha-response",
            Self::Turnstile => "cf-turnstile-response",
            Self::ReCaptchaV2 | Self::ReCaptchaV3 => "g-recaptcha-response",
        }
    }

    pub(super) const fn api(self) -> &'static str {
        match self {
            Self::HCaptcha => "https://api.hcaptcha.com",
            Self::Turnstile => "https://challenges.cloudflare.com",
            Self::ReCaptchaV2 | Self::ReCaptchaV3 => "https://www.google.com",
        }
    }

    pub(super) const fn path(self) -> &'static [&'static str] {
        match self {
            Self::HCaptcha => &["siteverify"],
            Self::Turnstile => &["turnstile", "v0", "siteverify"],
            Self::ReCaptchaV2 | Self::ReCaptchaV3 => &["recaptcha", "api", "siteverify"],
        }
    }

    /// Says whether the vendor's replies name the action of the widget.
    pub(super) const fn has_actions(self) -> bool {
        matches!(self, Self::Turnstile | Self::ReCaptchaV3)
    }

    /// Says whether the vendor scores.
    pub(super) const fn scores(self) -> bool {
        matches!(self, Self::ReCaptchaV3)
    }

    /// Says whether a question that got no verdict may be asked again: the vendor takes a key that
    /// makes both one.
    pub(super) const fn repeats(self) -> bool {
        matches!(self, Self::Turnstile)
    }
}
