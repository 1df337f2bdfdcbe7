//! With instances that share a Redis, each with a connection of its own; the crowd stays the same.

use otp_kit::store::{RedisOptions, RedisStore};
use tokio::runtime::Runtime;

use super::{round, row};
use crate::service::Service;
use crate::side::Outcome;

const INSTANCES: [usize; 3] = [1, 4, 16];
const CALLERS: u64 = 32;
const COUNT: u64 = 2_000;

pub(super) fn run(runtime: &Runtime) -> Outcome {
    let url = std::env::var("PEERS_REDIS_URL").map_err(|_| "PEERS_REDIS_URL is not set")?;
    for instances in INSTANCES {
        let services: Outcome<Vec<Service>> = (0..instances)
            .map(|_| {
                let options = RedisOptions::new(&url).prefix("peers-growth");
                Service::on(runtime.block_on(RedisStore::with_options(options))?)
            })
            .collect();
        let services = services?;
        let what = format!("one Redis, {instances} instances, {CALLERS} callers");
        if let Err(error) = row(&what, "", || round(runtime, &services, CALLERS, COUNT)) {
            // More than the machine can do at that moment: calls to Redis have a deadline.
            println!("| {what} | | | | | stopped: {error} |");
        }
    }
    Ok(())
}
