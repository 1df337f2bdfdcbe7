use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use otp_core::secret::SecretString;
use url::Url;

use crate::config::ConfigError;

/// A submission server: where it is, how the way to it is kept private, and who the host is there.
///
/// `Debug` shows none of it.
#[derive(Clone)]
pub struct SmtpServer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<(String, SecretString)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// STARTTLS (RFC 3207), and nothing where it is not offered.
    StartTls,
    /// None, to this machine.
    Plain,
}

impl SmtpServer {
    /// Reads `smtp://host` (STARTTLS, port 587) or `smtps://host` (TLS from the start, port 465),
    /// with a port where it is another one, and `user:password@` where the server asks for it,
    /// both percent-encoded.
    ///
    /// STARTTLS is required: a server that does not offer it gets nothing. To a loopback address
    /// `smtp` is without TLS, unless `?tls=required` follows.
    ///
    /// # Errors
    /// [`ConfigError`] names the problem, never the address.
    ///
    /// # Examples
    /// ```
    /// use otp_providers::smtp::SmtpServer;
    ///
    /// assert!(SmtpServer::parse("smtps://otp:secret@mail.example.com").is_ok());
    /// assert!(SmtpServer::parse("smtp://127.0.0.1:1025").is_ok());
    /// assert!(SmtpServer::parse("smtp://mail.example.com?tls=none").is_err());
    /// ```
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        let url = Url::parse(url).map_err(|_| ConfigError::MailServer)?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(ConfigError::MailServer)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() || !is_host(bare) {
            return Err(ConfigError::MailServer);
        }
        let (security, port) = match (url.scheme(), url.query(), is_loopback(bare)) {
            ("smtps", None | Some("tls=required"), _) => (Security::Implicit, 465),
            ("smtp", Some("tls=required"), _) | ("smtp", None, false) => (Security::StartTls, 587),
            ("smtp", None | Some("tls=none"), true) => (Security::Plain, 25),
            ("smtp", Some("tls=none"), false) => return Err(ConfigError::PlainMail),
            _ => return Err(ConfigError::MailServer),
        };
        let server = Self {
            host: bare.to_owned(),
            port: url.port().unwrap_or(port),
            security,
            credentials: None,
        };
        match (url.username(), url.password()) {
            ("", None) => Ok(server),
            (user, password) => {
                let password = decoded(password.unwrap_or_default());
                let user = decoded(user).ok_or(ConfigError::Credential)?;
                server.with_credentials(user, password.ok_or(ConfigError::Credential)?)
            }
        }
    }

    /// Sets the user and the password, in place of those in the address.
    ///
    /// # Errors
    /// [`ConfigError::Credential`] where one is empty, longer than 512 bytes, or holds control
    /// characters.
    pub fn with_credentials(
        mut self,
        user: impl Into<String>,
        password: impl Into<SecretString>,
    ) -> Result<Self, ConfigError> {
        let (user, password) = (user.into(), password.into());
        let fits =
            |text: &str| (1..=512).contains(&text.len()) && !text.chars().any(char::is_control);
        if !fits(&user) || !fits(password.expose()) {
            return Err(ConfigError::Credential);
        }
        self.credentials = Some((user, password));
        Ok(self)
    }
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpServer(..)")
    }
}

fn is_loopback(host: &str) -> bool {
    let v4 = |ip: Ipv4Addr| ip.is_loopback();
    let v6 = |ip: Ipv6Addr| ip.is_loopback();
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(v4)
        || host.parse().is_ok_and(v6)
}

fn is_host(host: &str) -> bool {
    let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    host.parse::<Ipv6Addr>().is_ok() || (host.len() <= 253 && host.bytes().all(name))
}

/// Undoes percent-encoding (RFC 3986 section 2.1); `None` where it is malformed or no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digits =
                    [bytes.next()?, bytes.next()?].map(|byte| char::from(byte).to_digit(16));
                let [Some(high), Some(low)] = digits else {
                    return None;
                };
                u8::try_from(high * 16 + low).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> (Security, u16, String) {
        let server = SmtpServer::parse(url).expect(url);
        (server.security, server.port, server.host)
    }

    #[test]
    fn mail_leaves_in_the_clear_to_this_machine_only() {
        use Security::{Implicit, Plain, StartTls};
        for (url, security, port, host) in [
            ("smtp://mail.example.com", StartTls, 587, "mail.example.com"),
            (
                "smtp://mail.example.com:2525/",
                StartTls,
                2525,
                "mail.example.com",
            ),
            (
                "smtp://127.0.0.1.example.com",
                StartTls,
                587,
                "127.0.0.1.example.com",
            ),
            ("smtp://192.0.2.1?tls=required", StartTls, 587, "192.0.2.1"),
            (
                "smtps://mail.example.com",
                Implicit,
                465,
                "mail.example.com",
            ),
            ("smtps://127.0.0.1", Implicit, 465, "127.0.0.1"),
            ("smtp://127.0.0.1:1025", Plain, 1025, "127.0.0.1"),
            ("smtp://localhost?tls=none", Plain, 25, "localhost"),
            ("smtp://[::1]:1025", Plain, 1025, "::1"),
            (
                "smtp://127.0.0.1:1025?tls=required",
                StartTls,
                1025,
                "127.0.0.1",
            ),
        ] {
            assert_eq!(read(url), (security, port, host.to_owned()), "{url}");
        }
        for url in [
            "smtp://mail.example.com?tls=none",
            "smtp://127.0.0.1.example.com?tls=none",
        ] {
            assert!(
                matches!(SmtpServer::parse(url), Err(ConfigError::PlainMail)),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_no_server_is_refused_without_showing_it() {
        for url in [
            "",
            "mail.example.com",
            "https://mail.example.com",
            "smtp://",
            "smtp:///x",
            "smtp://host/path",
            "smtp://host?x=y",
            "smtps://host?tls=none",
            "smtp://host#hunter2",
            "smtp://ho%0Ast",
            "smtp://host:99999",
        ] {
            let refused = SmtpServer::parse(url).expect_err(url);
            assert!(!format!("{refused} {refused:?}").contains("hunter2"));
        }
    }

    #[test]
    fn credentials_are_decoded_and_not_shown() {
        let server =
            SmtpServer::parse("smtp://a%40b.c:p%3Aw%25%C3%A9@mail.example.com").expect("a server");
        let (user, password) = server.credentials.clone().expect("credentials");
        assert_eq!((user.as_str(), password.expose()), ("a@b.c", "p:w%é"));
        assert_eq!(format!("{server:?}"), "SmtpServer(..)");
        for url in [
            "smtp://user@host",
            "smtp://:pw@host",
            "smtp://a:%zz@host",
            "smtp://a:%ff@host",
            "smtp://a:%0D%0AQUIT@host",
        ] {
            assert!(
                matches!(SmtpServer::parse(url), Err(ConfigError::Credential)),
                "{url}"
            );
        }
    }
}
