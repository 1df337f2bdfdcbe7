//! Pages as they are sent.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::access::Visitor;
use super::trouble::Trouble;
use super::view::Place;
use super::{OperatorPage, Page};

const STYLE: &str = include_str!("templates/page.css");
const SCRIPT: &str = include_str!("templates/page.js");
const FILES: [(&str, &str); 10] = [
    ("layout.html", include_str!("templates/layout.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("sign_in.html", include_str!("templates/sign_in.html")),
    ("overview.html", include_str!("templates/overview.html")),
    ("people.html", include_str!("templates/people.html")),
    ("blocks.html", include_str!("templates/blocks.html")),
    ("failed.html", include_str!("templates/failed.html")),
    ("codes.html", include_str!("templates/codes.html")),
    ("confirm.html", include_str!("templates/confirm.html")),
    ("trouble.html", include_str!("templates/trouble.html")),
];
const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// The templates; what is put into them is escaped, as they are called `.html`.
pub(super) struct Templates(Environment<'static>);

impl Templates {
    pub(super) fn new() -> Self {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in FILES {
            if let Err(error) = templates.add_template(name, source) {
                tracing::error!(target: "otp_kit", %error, name, "a template cannot be read");
            }
        }
        Self(templates)
    }
}

/// A page on its way.
pub(super) struct Shown {
    status: StatusCode,
    html: String,
    nonce: String,
}

impl Shown {
    pub(super) fn with(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            // A form says where it comes from, and only to us.
            (REFERRER_POLICY, "same-origin"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
            (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
            (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let nonce = &self.nonce;
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        (self.status, headers, self.html).into_response()
    }
}

impl Page {
    /// Shows a page, or why there is none.
    pub(super) fn shown<T: Serialize>(
        &self,
        visitor: &Visitor,
        template: &str,
        view: Result<T, Trouble>,
    ) -> Shown {
        match view {
            Ok(view) => self.render(template, Some(visitor), &view),
            Err(trouble) => self.trouble(Some(visitor), trouble),
        }
    }

    /// Says what went wrong.
    pub(super) fn trouble(&self, visitor: Option<&Visitor>, trouble: Trouble) -> Shown {
        let view = context! { said => trouble.to_string() };
        self.render("trouble.html", visitor, &view)
            .with(trouble.status())
    }

    /// Writes a page.
    pub(super) fn render(
        &self,
        template: &str,
        visitor: Option<&Visitor>,
        view: &impl Serialize,
    ) -> Shown {
        let mut nonce = [0; 16];
        let drawn = self.random.fill(&mut nonce);
        let nonce = URL_SAFE_NO_PAD.encode(nonce);
        let around = context! {
            nonce => &nonce,
            style => Value::from_safe_string(STYLE.to_owned()),
            script => Value::from_safe_string(SCRIPT.to_owned()),
            base => OperatorPage::PATH,
            operator => visitor.map(|visitor| visitor.name.as_str()),
            form => visitor.map(Visitor::form),
            notice => visitor.and_then(|visitor| visitor.notice.clone()).map(|notice| Value::from(Serde(notice))),
            nav => Value::from(Serde(Place::nav())),
            view => Value::from(Serde(view)),
        };
        let rendered = self.templates.0.get_template(template);
        let rendered = rendered.and_then(|template| template.render(around));
        match (drawn, rendered) {
            (Ok(()), Ok(html)) => Shown {
                status: StatusCode::OK,
                html,
                nonce,
            },
            (drawn, rendered) => {
                let (drawn, error) = (drawn.err(), rendered.err());
                tracing::error!(target: "otp_kit", ?drawn, ?error, template, "a page was not made");
                Shown {
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    html: "The page could not be made.".to_owned(),
                    nonce: "none".to_owned(),
                }
            }
        }
    }
}
