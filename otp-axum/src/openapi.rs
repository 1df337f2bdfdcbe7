//! Routes that describe themselves, and the `OpenAPI` document of them.
//!
//! Every router of this crate is an [`Api`]: a route is added together with its [`Operation`], so
//! the document cannot forget one, and the refusals in it are the values that handlers answer.

mod document;
mod operation;
mod schema;

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{MethodRouter, get, on};

pub use document::Document;
pub use operation::Operation;
pub use schema::Schema;

/// Where the document is served.
pub const PATH: &str = "/openapi.json";

/// Routes, with what each takes and answers. It becomes a [`Router`] wherever one is wanted.
///
/// # Examples
/// ```
/// use axum::{Json, Router};
/// use otp_axum::openapi::{Api, Operation, Schema};
///
/// let seats = Operation::get("Counts the free seats").gives(200, Schema::integer());
/// let api: Api = Api::new().operation("/seats", seats, async || Json(3));
/// let routes: Router = api.described("A theatre", "1.0.0");
/// ```
#[derive(Debug)]
#[must_use = "routes are nothing until they are served"]
pub struct Api<S = ()> {
    routes: Router<S>,
    document: Document,
}

impl<S: Clone + Send + Sync + 'static> Default for Api<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Clone + Send + Sync + 'static> Api<S> {
    /// Starts with no route.
    pub fn new() -> Self {
        Self {
            routes: Router::new(),
            document: Document::default(),
        }
    }

    /// Adds a route and says what it does. As with [`Router::route`], adding one twice is a
    /// programmer's error.
    pub fn operation<H, T>(mut self, path: &str, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let route = on(operation.filter(), handler);
        self.document.add(path, &operation);
        self.routes = self.routes.route(path, operation.limited(route));
        self
    }

    /// Adds a route that the document does not speak of: a page, not an interface.
    pub fn route(mut self, path: &str, route: MethodRouter<S>) -> Self {
        self.routes = self.routes.route(path, route);
        self
    }

    /// Adds the routes of another one.
    pub fn merge(mut self, other: impl Into<Self>) -> Self {
        let other = other.into();
        self.routes = self.routes.merge(other.routes);
        self.document.merge(other.document);
        self
    }

    /// Changes the routes and not what they say: a layer.
    pub fn map(mut self, change: impl FnOnce(Router<S>) -> Router<S>) -> Self {
        self.routes = change(self.routes);
        self
    }

    /// Gives the routes their state.
    pub fn with_state<T>(self, state: S) -> Api<T> {
        Api {
            routes: self.routes.with_state(state),
            document: self.document,
        }
    }

    /// Serves the document of these routes beside them, at [`PATH`], to everybody. To operators
    /// alone: [`Guard::described`](crate::operators::Guard::described).
    pub fn described(mut self, title: &str, version: &str) -> Router<S> {
        self.document.add(PATH, &itself());
        let shown = shown(&self.document, title, version);
        self.routes.merge(shown)
    }

    /// Serves the document of these routes beside them, and that of others too to whoever `knows`
    /// them.
    pub(crate) fn described_with(
        self,
        others: &Self,
        title: &str,
        version: &str,
        knows: impl Fn(&HeaderMap) -> bool + Clone + Send + Sync + 'static,
    ) -> Router<S> {
        let mut own = self.document;
        own.add(PATH, &itself());
        let mut all = own.clone();
        all.merge(others.document.clone());
        let [own, all] =
            [own, all].map(|one| -> Arc<str> { one.to_json(title, version).to_string().into() });
        let show = get(move |headers: HeaderMap| {
            let text = Arc::clone(if knows(&headers) { &all } else { &own });
            async move { ([(CONTENT_TYPE, "application/json")], text.to_string()) }
        });
        self.routes.route(PATH, show)
    }

    /// Serves the document of these routes beside them, behind what `door` puts before it.
    pub(crate) fn described_behind(
        self,
        title: &str,
        version: &str,
        door: impl FnOnce(Router<S>) -> Router<S>,
    ) -> Router<S> {
        let mut document = self.document;
        document.add(PATH, &itself().guarded());
        self.routes.merge(door(shown(&document, title, version)))
    }

    /// Says of every route that an operator's token opens it, and has `door` ask for one.
    pub(crate) fn guarded(mut self, door: impl FnOnce(Router<S>) -> Router<S>) -> Self {
        self.document.guard();
        self.map(door)
    }
}

fn itself() -> Operation {
    Operation::get("This document").gives(
        200,
        Schema::object([
            ("openapi", Schema::text()),
            ("info", Schema::map(&Schema::any())),
            ("paths", Schema::map(&Schema::any())),
            ("components", Schema::map(&Schema::any())),
        ]),
    )
}

fn shown<S: Clone + Send + Sync + 'static>(
    document: &Document,
    title: &str,
    version: &str,
) -> Router<S> {
    let text: Arc<str> = document.to_json(title, version).to_string().into();
    let show = get(move || {
        let text = Arc::clone(&text);
        async move { ([(CONTENT_TYPE, "application/json")], text.to_string()) }
    });
    Router::new().route(PATH, show)
}

impl<S> From<Router<S>> for Api<S> {
    fn from(routes: Router<S>) -> Self {
        Self {
            routes,
            document: Document::default(),
        }
    }
}

impl<S> From<Api<S>> for Router<S> {
    fn from(api: Api<S>) -> Self {
        api.routes
    }
}
