//! With callers at once, in memory.

use otp_kit::store::MemoryStore;
use tokio::runtime::Runtime;

use super::{round, row};
use crate::service::Service;
use crate::side::Outcome;

const CALLERS: [u64; 4] = [1, 10, 100, 1_000];
const COUNT: u64 = 20_000;

pub(super) fn run(runtime: &Runtime) -> Outcome {
    let services = [Service::on(MemoryStore::new())?];
    for callers in CALLERS {
        let what = format!("in memory, {callers} callers at once");
        row(&what, "", || round(runtime, &services, callers, COUNT))?;
    }
    Ok(())
}
