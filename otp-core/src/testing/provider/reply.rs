/// A vendor's reply, as its documents show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    /// Makes a reply without headers or body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header. `Content-Length` is added by the stand-in.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, body: &str) -> Self {
        self.header("Content-Type", "application/json")
            .body(body.as_bytes())
    }

    /// Sets a body without a media type.
    #[must_use]
    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Gives the status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Writes head and body, the head announcing `missing` bytes more than there are.
    pub(super) fn bytes(&self, missing: usize) -> Vec<u8> {
        let length = self.body.len().saturating_add(missing);
        let mut out = self.head(&format!("Content-Length: {length}"));
        out.extend_from_slice(&self.body);
        out
    }

    /// Writes a head with one more line.
    pub(super) fn head(&self, line: &str) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Reply\r\n{line}\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}
