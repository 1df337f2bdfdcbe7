use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodFilter, MethodRouter};

use super::Schema;
use crate::refusal::Refusal;

/// What a route does: what it takes, and every answer that it gives.
///
/// What each route may answer beside is added by itself: for a body 400 `malformed`, 408, 413 and
/// 415.
#[derive(Clone, Debug)]
pub struct Operation {
    pub(super) method: Method,
    pub(super) summary: String,
    pub(super) body: Option<Body>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) answers: Vec<Answer>,
    pub(super) refusals: Vec<Refusal>,
    /// Schemes of which one is enough; none is asked for where there are none.
    pub(super) security: &'static [&'static str],
    pub(super) pages: bool,
    pub(super) largest: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) required: bool,
    pub(super) kinds: Vec<&'static str>,
    pub(super) schema: Schema,
}

#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub(super) place: &'static str,
    pub(super) name: &'static str,
    pub(super) schema: Schema,
}

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content: Option<(&'static str, Schema)>,
}

/// Where a variable part of a path stands.
pub(super) const PATH: &str = "path";
const JSON: &str = "application/json";

impl Method {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }
}

impl Operation {
    /// Describes a `GET`.
    #[must_use]
    pub fn get(summary: &str) -> Self {
        Self::new(Method::Get, summary)
    }

    /// Describes a `POST`.
    #[must_use]
    pub fn post(summary: &str) -> Self {
        Self::new(Method::Post, summary)
    }

    /// Describes a `PUT`.
    #[must_use]
    pub fn put(summary: &str) -> Self {
        Self::new(Method::Put, summary)
    }

    /// Describes a `DELETE`.
    #[must_use]
    pub fn delete(summary: &str) -> Self {
        Self::new(Method::Delete, summary)
    }

    fn new(method: Method, summary: &str) -> Self {
        Self {
            method,
            summary: summary.to_owned(),
            body: None,
            parameters: Vec::new(),
            answers: Vec::new(),
            refusals: Vec::new(),
            security: &[],
            pages: false,
            largest: None,
        }
    }

    /// Takes a JSON body.
    #[must_use]
    pub fn takes(self, schema: Schema) -> Self {
        self.takes_as([JSON], schema)
    }

    /// Takes a body of one of these types.
    #[must_use]
    pub fn takes_as(
        mut self,
        kinds: impl IntoIterator<Item = &'static str>,
        schema: Schema,
    ) -> Self {
        self.body = Some(Body {
            required: true,
            kinds: kinds.into_iter().collect(),
            schema,
        });
        self
    }

    /// Takes a JSON body, or none.
    #[must_use]
    pub fn may_take(mut self, schema: Schema) -> Self {
        self.body = Some(Body {
            required: false,
            kinds: vec![JSON],
            schema,
        });
        self
    }

    /// Takes so many bytes of a body. Default: [`LARGEST`](crate::json::LARGEST).
    #[must_use]
    pub fn up_to(mut self, bytes: usize) -> Self {
        self.largest = Some(bytes);
        self
    }

    /// Takes a member of the query that may be missing.
    #[must_use]
    pub fn query(self, name: &'static str, schema: Schema) -> Self {
        self.parameter("query", name, schema)
    }

    /// Takes a header that may be missing.
    #[must_use]
    pub fn header(self, name: &'static str, schema: Schema) -> Self {
        self.parameter("header", name, schema)
    }

    /// Says what a variable part of the path looks like. Default: a text.
    #[must_use]
    pub fn part(self, name: &'static str, schema: Schema) -> Self {
        self.parameter(PATH, name, schema)
    }

    fn parameter(mut self, place: &'static str, name: &'static str, schema: Schema) -> Self {
        self.parameters.push(Parameter {
            place,
            name,
            schema,
        });
        self
    }

    /// Answers with JSON.
    #[must_use]
    pub fn gives(self, status: u16, schema: Schema) -> Self {
        self.gives_as(status, JSON, schema)
    }

    /// Answers with something else than JSON.
    #[must_use]
    pub fn gives_as(mut self, status: u16, kind: &'static str, schema: Schema) -> Self {
        let content = Some((kind, schema));
        self.answers.push(Answer { status, content });
        self
    }

    /// Answers without a body.
    #[must_use]
    pub fn gives_nothing(mut self, status: u16) -> Self {
        self.answers.push(Answer {
            status,
            content: None,
        });
        self
    }

    /// Answers with a page, and refuses with one where a browser asks.
    #[must_use]
    pub fn gives_page(mut self, status: u16) -> Self {
        self.pages = true;
        self.gives_as(status, "text/html", Schema::text())
    }

    /// Refuses in these ways.
    #[must_use]
    pub fn refuses(mut self, refusals: impl IntoIterator<Item = Refusal>) -> Self {
        self.refusals.extend(refusals);
        self
    }

    /// Wants the access token of a session.
    #[must_use]
    pub fn signed_in(mut self) -> Self {
        self.security = &["session"];
        self.refuses([Refusal::NOT_SIGNED_IN, Refusal::UNAVAILABLE])
    }

    /// Is an operator's, who says why: what a handler that takes a
    /// [`Desk`](crate::operators::Desk) answers. That a token is wanted, the
    /// [`Guard`](crate::operators::Guard) says that stands before it.
    #[must_use]
    pub fn at_desk(self) -> Self {
        let changes = self.method != Method::Get;
        let described = self
            .header("X-Admin-Reason", Schema::text_up_to(256))
            .refuses([Refusal::INVALID_REASON, Refusal::UNAVAILABLE]);
        if changes {
            described
                .query("dry_run", Schema::flag())
                .refuses([Refusal::UNKNOWN_QUERY])
        } else {
            described
        }
    }

    /// Wants an operator's token.
    pub(crate) fn guarded(mut self) -> Self {
        self.guard();
        self
    }

    pub(super) fn guard(&mut self) {
        self.security = &["operator", "operator_header"];
        self.refusals.extend([
            Refusal::UNAUTHORIZED,
            Refusal::THROTTLED,
            Refusal::UNAVAILABLE,
        ]);
    }

    pub(super) const fn filter(&self) -> MethodFilter {
        match self.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Put => MethodFilter::PUT,
            Method::Delete => MethodFilter::DELETE,
        }
    }

    pub(super) fn limited<S: Clone + Send + Sync + 'static>(
        &self,
        route: MethodRouter<S>,
    ) -> MethodRouter<S> {
        match self.largest {
            Some(bytes) => route.layer(DefaultBodyLimit::max(bytes)),
            None => route,
        }
    }
}
