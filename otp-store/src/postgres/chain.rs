//! The chain over the audit log; each intent one call.

use std::time::Duration;

use async_trait::async_trait;
use otp_core::event::chain::{ChainedRecord, Head, Record};
use otp_core::store::{ChainStore, KeyUse, Lease, SealBatch, SealerId, Sealing, StoreError};
use serde_json::{Value, json};

use super::PostgresStore;
use super::link::Function;
use crate::wire::reply::Reply;
use crate::wire::request::{Request, millis};
use crate::wire::{corrupt, device, event};

/// The most that is read at once.
const LONGEST_PAGE: usize = 10_000;

impl PostgresStore {
    async fn on_chain(&self, request: Request) -> Result<Reply, StoreError> {
        self.ask(Function::Chain, request).await
    }

    fn some_records(&self, step: &str, limit: usize) -> Request {
        let limit = limit.min(LONGEST_PAGE);
        self.request(step).with("limit", limit.into())
    }
}

#[async_trait]
impl ChainStore for PostgresStore {
    async fn lease(&self, holder: &SealerId, life: Duration) -> Result<Lease, StoreError> {
        let request = self
            .request("lease")
            .text("holder", holder.as_str())
            .with("life", millis(life).into());
        let reply = self.on_chain(request).await?;
        match reply.text(0)? {
            "yes" => head(&reply).map(Lease::Held),
            _ => Ok(Lease::Taken),
        }
    }

    async fn unsealed(&self, limit: usize) -> Result<Vec<Record>, StoreError> {
        let reply = self.on_chain(self.some_records("unsealed", limit)).await?;
        let members = reply.texts(0)?;
        // What only a later version can read, a later version has to seal, before all after it.
        let known = members.iter().map(|member| event::record(member));
        known.map_while(Result::transpose).collect()
    }

    async fn seal(&self, batch: SealBatch) -> Result<Sealing, StoreError> {
        let SealBatch {
            from, links, to, ..
        } = batch;
        let links = links
            .iter()
            .map(|(sequence, link)| json!([sequence, link.to_string()]));
        let request = self
            .request("seal")
            .with("from", from.place.into())
            .text("prev", &from.hash.to_string())
            .with("place", to.place.into())
            .text("hash", &to.hash.to_string())
            .with("sequence", to.sequence.into())
            .with("links", links.collect::<Value>());
        match self.on_chain(request).await?.text(0)? {
            "yes" => Ok(Sealing::Done),
            _ => Ok(Sealing::Overtaken),
        }
    }

    async fn head(&self) -> Result<Head, StoreError> {
        head(&self.on_chain(self.request("head")).await?)
    }

    async fn sealed(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ChainedRecord>, StoreError> {
        let after = i64::try_from(after.unwrap_or_default()).unwrap_or(i64::MAX);
        let request = self.some_records("sealed", limit);
        let reply = self.on_chain(request.with("after", after.into())).await?;
        let rows = reply.lists(0)?;
        let chained = rows.iter().map(|row| match row.as_slice() {
            [member, link] => {
                let link = link.parse().map_err(|_| corrupt("a link"))?;
                let record = event::record(member)?;
                Ok(record.map(|record| ChainedRecord { record, link }))
            }
            _ => Err(corrupt("a link")),
        });
        chained.map_while(Result::transpose).collect()
    }

    async fn sealed_by(&self) -> Result<Vec<KeyUse>, StoreError> {
        loop {
            let request = self.some_records("keys", LONGEST_PAGE);
            let reply = self.on_chain(request).await?;
            let entered = usize::try_from(reply.number(0)?).unwrap_or(usize::MAX);
            if entered < LONGEST_PAGE {
                return device::key_uses(&reply, 1);
            }
        }
    }
}

fn head(reply: &Reply) -> Result<Head, StoreError> {
    let hash = reply.text(2)?.parse();
    Ok(Head {
        place: reply.number(1)?,
        hash: hash.map_err(|_| corrupt("a hash"))?,
        sequence: reply.number(3)?,
    })
}
