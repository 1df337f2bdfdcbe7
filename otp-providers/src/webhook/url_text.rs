/// A URL cut into its parts as it is written: a signature covers the text, so nothing is
/// normalised. The fragment, which no request carries, is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UrlText<'a> {
    /// Up to and including `://`.
    scheme: &'a str,
    /// User name and password with their `@`, and the host.
    host: &'a str,
    port: Option<&'a str>,
    path: &'a str,
    /// What follows the first `?`.
    query: Option<&'a str>,
}

impl<'a> UrlText<'a> {
    pub(super) fn split(url: &'a str) -> Option<Self> {
        let url = url.split('#').next()?;
        let end = url.find("://")? + 3;
        let (scheme, rest) = url.split_at_checked(end)?;
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(at)?;
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        // A colon of an IPv6 address or of a password is not the one before the port.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (host, Some(port))
            }
            _ => (authority, None),
        };
        Some(Self {
            scheme,
            host,
            port,
            path,
            query,
        })
    }

    pub(super) fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// Writes scheme, authority and path.
    pub(super) fn base(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{}{port}{}", self.scheme, self.host, self.path)
    }

    /// Writes the URL without a port, and with the one it has or its scheme's own.
    pub(super) fn with_and_without_port(&self) -> [String; 2] {
        let default = if self.scheme.eq_ignore_ascii_case("http://") {
            "80"
        } else {
            "443"
        };
        let port = self.port.filter(|port| !port.is_empty()).unwrap_or(default);
        let query = self
            .query
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let Self {
            scheme, host, path, ..
        } = self;
        [
            format!("{scheme}{host}{path}{query}"),
            format!("{scheme}{host}:{port}{path}{query}"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_keeps_its_text_and_both_ports() {
        for (url, without, with) in [
            (
                "https://a.example",
                "https://a.example",
                "https://a.example:443",
            ),
            (
                "http://a.example/x?y=1#z",
                "http://a.example/x?y=1",
                "http://a.example:80/x?y=1",
            ),
            (
                "https://a.example:8443/x?",
                "https://a.example/x?",
                "https://a.example:8443/x?",
            ),
            (
                "https://u:p@A.example/x",
                "https://u:p@A.example/x",
                "https://u:p@A.example:443/x",
            ),
            (
                "https://[2001:db8::1]/x",
                "https://[2001:db8::1]/x",
                "https://[2001:db8::1]:443/x",
            ),
            ("https://[::1]:8/x", "https://[::1]/x", "https://[::1]:8/x"),
            (
                "https://a.example?q=/:1",
                "https://a.example?q=/:1",
                "https://a.example:443?q=/:1",
            ),
        ] {
            let split = UrlText::split(url).expect("a url");
            assert_eq!(split.with_and_without_port(), [without, with], "{url}");
        }
    }

    #[test]
    fn the_base_has_no_query_and_what_is_no_url_is_none() {
        let url = UrlText::split("https://answer.url:1/a?b=c").expect("a url");
        assert_eq!(
            (url.base().as_str(), url.query()),
            ("https://answer.url:1/a", Some("b=c"))
        );
        assert_eq!(UrlText::split("answer.url/a"), None);
    }
}
