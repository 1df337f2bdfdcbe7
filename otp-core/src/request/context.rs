use std::fmt;
use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use super::{DeviceId, InvalidName, RequestId};
use crate::check::CaptchaToken;
use crate::quota::ClientAddress;
use crate::secret::SecretString;

/// What is known of the request that the code was asked for, or typed into.
///
/// A context without an address is not unlimited: it shares one strict bucket with every other
/// context without one.
///
/// # Examples
/// ```
/// use otp_core::request::RequestContext;
///
/// let peer = "203.0.113.7".parse()?;
/// let context = RequestContext::from_address(peer).request_id("req-1");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    address: Option<IpAddr>,
    device: Option<DeviceSecret>,
    device_id: Option<DeviceId>,
    binding: Option<SessionBinding>,
    user_agent: Option<String>,
    request_id: Option<RequestId>,
    captcha: Option<CaptchaToken>,
    fingerprint: Option<String>,
    asker: Asker,
}

/// Who makes the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Somebody on a network.
    #[default]
    Client,
    /// An operator, for somebody whose address may not be known any more.
    Operator,
}

#[derive(Clone)]
struct DeviceSecret(SecretString);

impl fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("present")
    }
}

const MAX_USER_AGENT: usize = 256;
const MAX_DEVICE_TOKEN: usize = 256;
const MAX_FINGERPRINT: usize = 256;

impl RequestContext {
    /// Starts a context of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a context with the client's address. Behind a proxy, ask
    /// [`TrustedProxies::client`](super::TrustedProxies::client) for it first.
    #[must_use]
    pub fn from_address(address: IpAddr) -> Self {
        Self {
            address: Some(address),
            ..Self::default()
        }
    }

    /// Starts a request that an operator makes for somebody: where no address is known of them,
    /// none is charged.
    pub(crate) fn by_operator() -> Self {
        Self {
            asker: Asker::Operator,
            ..Self::default()
        }
    }

    /// Adds from where they had asked by themselves.
    pub(crate) fn on_behalf_of(
        mut self,
        address: Option<IpAddr>,
        binding: Option<SessionBinding>,
    ) -> Self {
        self.address = address;
        self.binding = binding;
        self
    }

    pub(crate) fn asker(&self) -> Asker {
        self.asker
    }

    /// Adds the token of a remembered device, as
    /// [`Verifier::remember_device`](crate::verifier::Verifier::remember_device) gave it. One that
    /// is forged, expired or another subject's counts as none.
    #[must_use]
    pub fn device_token(mut self, token: &str) -> Self {
        if token.len() <= MAX_DEVICE_TOKEN {
            self.device = Some(DeviceSecret(SecretString::new(token.to_owned())));
        }
        self
    }

    /// Adds the host's id of the device, such as an app's installation id or a fingerprint: an
    /// operator can block it. A client may send any, so it earns a request nothing.
    #[must_use]
    pub fn device_id(mut self, id: DeviceId) -> Self {
        self.device_id = Some(id);
        self
    }

    /// Binds the request to the browser session that makes it. A code that was asked for with a
    /// binding is only accepted with the same one.
    #[must_use]
    pub fn bound_to(mut self, binding: SessionBinding) -> Self {
        self.binding = Some(binding);
        self
    }

    /// Adds the user agent; control characters are dropped and it is cut at 256 characters.
    #[must_use]
    pub fn user_agent(mut self, agent: &str) -> Self {
        self.user_agent = Some(
            agent
                .chars()
                .take(MAX_USER_AGENT)
                .filter(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'))
                .collect(),
        );
        self
    }

    /// Adds the host's id of the request, for the audit log.
    #[must_use]
    pub fn request_id(mut self, id: &str) -> Self {
        self.request_id = Some(RequestId::new(id));
        self
    }

    /// Adds what the captcha's widget gave the client. What no widget gives counts as none; see
    /// [`CaptchaToken::new`].
    #[must_use]
    pub fn captcha_token(mut self, token: &str) -> Self {
        self.captcha = CaptchaToken::new(token);
        self
    }

    /// Adds the fingerprint that the host's page or app took of the device, for
    /// [`DeviceCheck`](crate::check::DeviceCheck). One that is empty, longer than 256 bytes or not
    /// visible ASCII counts as none.
    #[must_use]
    pub fn fingerprint(mut self, fingerprint: &str) -> Self {
        let fits = (1..=MAX_FINGERPRINT).contains(&fingerprint.len())
            && fingerprint.bytes().all(|byte| byte.is_ascii_graphic());
        self.fingerprint = fits.then(|| fingerprint.to_owned());
        self
    }

    /// Gives the client's address.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Gives the bucket that the address counts in.
    #[must_use]
    pub fn client_address(&self) -> ClientAddress {
        self.address
            .map_or(ClientAddress::Unknown, ClientAddress::from)
    }

    pub(crate) fn device(&self) -> Option<&str> {
        self.device.as_ref().map(|device| device.0.expose())
    }

    /// Gives the host's id of the device.
    #[must_use]
    pub fn device_name(&self) -> Option<&DeviceId> {
        self.device_id.as_ref()
    }

    pub(crate) fn binding(&self) -> Option<&SessionBinding> {
        self.binding.as_ref()
    }

    /// Gives the user agent.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// Gives the captcha's token.
    #[must_use]
    pub fn captcha(&self) -> Option<&CaptchaToken> {
        self.captcha.as_ref()
    }

    /// Gives the fingerprint of the device.
    #[must_use]
    pub fn device_fingerprint(&self) -> Option<&str> {
        self.fingerprint.as_deref()
    }

    /// Gives the host's id of the request.
    #[must_use]
    pub fn id(&self) -> Option<&RequestId> {
        self.request_id.as_ref()
    }
}

impl From<&Self> for RequestContext {
    fn from(context: &Self) -> Self {
        context.clone()
    }
}

/// A hash of something that only the asking browser holds: a session cookie, a flow's nonce.
///
/// It must come from at least 128 random bits; the value itself is not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionBinding([u8; 32]);

impl SessionBinding {
    /// Hashes the secret of the session.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update(b"otp-kit session binding v1\0")
            .chain_update(secret)
            .finalize();
        Self(digest.into())
    }

    /// Gives the hash, as stores keep it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads a stored hash back.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SessionBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionBinding(..)")
    }
}

/// The client's own name for one try, so that a try whose answer was lost can be repeated: the
/// recorded answer comes back, never a second count or a second win.
///
/// Up to 64 visible ASCII characters; make it random for each try.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AttemptId(String);

impl AttemptId {
    /// Wraps the client's id.
    ///
    /// # Errors
    /// [`InvalidName`] where it is empty, longer than 64, or not visible ASCII.
    pub fn new(id: &str) -> Result<Self, InvalidName> {
        super::names::checked(id, "an attempt id", 64, "visible ASCII characters", |c| {
            c.is_ascii_graphic()
        })?;
        Ok(Self(id.to_owned()))
    }

    /// Gives the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptId(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j05_a_user_agent_of_a_megabyte_is_cut_and_holds_no_control_character() {
        let hostile = "=cmd()\r\n\u{1b}[2J\u{0}\u{2028}\u{2029}".repeat(1 << 16);
        let context = RequestContext::new().user_agent(&hostile);
        let kept = context.user_agent.unwrap();
        assert!(kept.chars().count() <= MAX_USER_AGENT, "{}", kept.len());
        assert!(kept.starts_with("=cmd()[2J=cmd()"), "{kept}");
        let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        assert!(!kept.chars().any(odd), "{kept:?}");
    }
}
