use std::error::Error;
use std::fmt;

/// Says what is wrong with a document, in one line: where, which key, what it must be. It holds
/// no value of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFileError {
    line: Option<usize>,
    key: String,
    problem: String,
}

impl PolicyFileError {
    pub(super) fn new(line: Option<usize>, key: &str, problem: &str) -> Self {
        Self {
            line,
            key: key.to_owned(),
            problem: problem.to_owned(),
        }
    }

    /// What is wrong is wrong with the whole, not with one key.
    pub(super) fn whole(error: &dyn Error) -> Self {
        Self::new(None, "", &error.to_string())
    }

    /// Gives the line, where there is one.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// Gives the path of the key, such as `auth.sms_otp.enabled`; empty for the whole document.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Says what is wrong.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for PolicyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.problem)
    }
}

impl Error for PolicyFileError {}
