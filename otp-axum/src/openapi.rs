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
    #[must_use]
    pub fn new() -> Self {
        Self {
            routes: Router::new(),
            document: Document::default(),
        }
    }

    /// Adds a route and says what it does. As with [`Router::route`], adding one twice is a
    /// programmer's error.
    #[must_use]
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
    #[must_use]
    pub fn route(mut self, path: &str, route: MethodRouter<S>) -> Self {
        self.routes = self.routes.route(path, route);
        self
    }

    /// Adds the routes of another one.
    #[must_use]
    pub fn merge(mut self, other: impl Into<Self>) -> Self {
        let other = other.into();
        self.routes = self.routes.merge(other.routes);
        self.document.merge(other.document);
        self
    }

    /// Changes the routes and not what they say: a layer.
    #[must_use]
    pub fn map(mut self, change: impl FnOnce(Router<S>) -> Router<S>) -> Self {
        self.routes = change(self.routes);
        self
    }

    /// Changes what is said, where [`map`](Self::map) changed what is done.
    #[must_use]
    pub fn say(mut self, change: impl FnOnce(&mut Document)) -> Self {
        change(&mut self.document);
        self
    }

    /// Gives the routes their state.
    #[must_use]
    pub fn with_state<T>(self, state: S) -> Api<T> {
        Api {
            routes: self.routes.with_state(state),
            document: self.document,
        }
    }

    /// Gives the document.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Serves the document of these routes beside them, at [`PATH`].
    pub fn described(self, title: &str, version: &str) -> Router<S> {
        let mut document = self.document;
        let itself = Operation::get("This document").gives(200, Schema::any());
        document.add(PATH, &itself);
        let text: Arc<str> = document.to_json(title, version).to_string().into();
        let show = get(move || {
            let text = Arc::clone(&text);
            async move { ([(CONTENT_TYPE, "application/json")], text.to_string()) }
        });
        self.routes.route(PATH, show)
    }
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
