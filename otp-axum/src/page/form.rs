//! What forms bring.

use std::sync::Arc;

use axum::Form;
use axum::extract::{FromRequest, Request};
use otp_core::event::{Act, Reason};
use otp_core::operator::Operator;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Page;
use super::access::Visitor;
use super::origin;
use super::render::Shown;
use super::trouble::Trouble;
use crate::json::in_time;

/// A form of ours, from a page of ours, in the session that it was made for.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Page>> for Sent<T> {
    type Rejection = Shown;

    async fn from_request(request: Request, page: &Arc<Page>) -> Result<Self, Shown> {
        let visitor = request.extensions().get::<Visitor>().cloned();
        let visitor = visitor.ok_or_else(|| page.trouble(None, Trouble::Ours))?;
        let refused = |trouble| page.trouble(Some(&visitor), trouble);
        origin::own(request.headers()).map_err(|_| refused(Trouble::Forged))?;
        let pairs: Vec<(String, String)> = read(request).await.map_err(refused)?;
        let mut fields = Map::new();
        for (name, value) in pairs {
            let value = Value::from(value.trim());
            // A field that is empty was left out, and one that is there twice is none of ours.
            if value != "" && fields.insert(name, value).is_some() {
                return Err(refused(Trouble::Malformed));
            }
        }
        let token = fields.remove("form");
        let token = token.as_ref().and_then(Value::as_str).unwrap_or_default();
        visitor.check(token).map_err(|_| refused(Trouble::Forged))?;
        let read = serde_json::from_value(Value::Object(fields));
        read.map(Self).map_err(|_| refused(Trouble::Malformed))
    }
}

/// Reads a form, from a client that does not take forever.
pub(super) async fn read<T: DeserializeOwned>(request: Request) -> Result<T, Trouble> {
    let form = in_time(Form::from_request(request, &()));
    let form = form.await.map_err(|_| Trouble::Slow)?;
    form.map(|Form(read)| read).map_err(|_| Trouble::Malformed)
}

impl Page {
    /// Gives the calls, in the name of who is signed in.
    pub(super) fn operator(&self, visitor: &Visitor, reason: &str) -> Result<Operator, Trouble> {
        let act = Act {
            operator: visitor.name.clone(),
            reason: Reason::new(reason).map_err(|_| Trouble::Reason)?,
        };
        Ok(self.verifier.operator(act).from(&visitor.context))
    }
}
