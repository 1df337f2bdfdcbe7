use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The variables as they stood at the start. One that is set to nothing counts as not set.
pub(crate) struct Environment(BTreeMap<String, String>);

/// Why the server does not start: one line that names the variable, never its value.
#[derive(Debug)]
pub(crate) struct Refused {
    key: String,
    problem: String,
}

impl Environment {
    pub(crate) fn of_process() -> Result<Self, Refused> {
        let mut variables = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            // A name that is no text is none of ours.
            let Ok(name) = name.into_string() else {
                continue;
            };
            match value.into_string() {
                Ok(value) if value.trim().is_empty() => {}
                Ok(value) => drop(variables.insert(name, value.trim().to_owned())),
                Err(_) if super::known::is_ours(&name) => {
                    return Err(Refused::must_be(&name, "text"));
                }
                Err(_) => {}
            }
        }
        Ok(Self(variables))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Gives the first of several values: of credentials that are being rotated, the one in use.
    pub(crate) fn first(&self, key: &str) -> Option<&str> {
        self.get(key)
            .and_then(|list| list.split(',').next())
            .map(str::trim)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Reads a value of a type, or the default in its place.
    pub(crate) fn parsed<T: FromStr>(
        &self,
        key: &str,
        default: &str,
        wanted: &str,
    ) -> Result<T, Refused> {
        let text = self.get(key).unwrap_or(default);
        text.parse().map_err(|_| Refused::must_be(key, wanted))
    }

    pub(crate) fn flag(&self, key: &str, default: &str) -> Result<bool, Refused> {
        match self.get(key).unwrap_or(default) {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(Refused::must_be(key, "true or false")),
        }
    }
}

impl Refused {
    pub(crate) fn new(key: &str, problem: &str) -> Self {
        Self {
            key: key.to_owned(),
            problem: problem.to_owned(),
        }
    }

    pub(crate) fn must_be(key: &str, wanted: &str) -> Self {
        Self::new(key, &format!("must be {wanted}"))
    }

    /// Takes over what a library type says is wrong with a value; those sentences hold no secret.
    pub(crate) fn because(key: &str, error: &dyn std::error::Error) -> Self {
        let mut problem = error.to_string();
        let mut cause = error.source();
        while let Some(deeper) = cause {
            problem = format!("{problem}: {deeper}");
            cause = deeper.source();
        }
        Self::new(key, &problem)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

impl std::error::Error for Refused {}
