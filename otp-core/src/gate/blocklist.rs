use super::{Denial, Gate, GateRequest, Wants};
use crate::store::{Admission, Block};

/// Refuses phones, prefixes, e-mail addresses, domains, client addresses, networks and devices
/// that an operator blocked. Who is on the allow-list meets no block of a prefix or a domain.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlocklistGate;

impl Gate for BlocklistGate {
    fn name(&self) -> &'static str {
        "blocklist"
    }

    fn plan(&self, request: &GateRequest<'_>, wants: &mut Wants) -> Result<(), Denial> {
        if let Some(destination) = request.destination {
            let allowed = request.policy.allow_list();
            allowed.add_blocks_of(destination, &mut wants.blocks);
        }
        if let Some(address) = request.context.address() {
            Block::add_of_address(address, &mut wants.blocks);
        }
        if let Some(device) = request.context.device_name() {
            wants.blocks.push(Block::of_device(device));
        }
        Ok(())
    }

    fn judge(&self, _request: &GateRequest<'_>, admission: &Admission) -> Result<(), Denial> {
        if admission.findings.blocked.is_empty() {
            Ok(())
        } else {
            Err(Denial::Blocked)
        }
    }
}
