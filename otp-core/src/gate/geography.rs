use super::{Denial, Gate, GateRequest, Operation, Wants};
use crate::destination::Destination;
use crate::store::Admission;

/// Refuses phones of countries that policy does not send to, before anything is reserved or
/// spent. E-mail has no country.
#[derive(Clone, Copy, Debug, Default)]
pub struct GeographyGate;

impl Gate for GeographyGate {
    fn name(&self) -> &'static str {
        "geography"
    }

    fn plan(&self, request: &GateRequest<'_>, _wants: &mut Wants) -> Result<(), Denial> {
        let Some(Destination::Phone(phone)) = request.destination else {
            return Ok(());
        };
        // A code that was sent may be typed, whatever has become of its country.
        if request.operation == Operation::Verify {
            return Ok(());
        }
        if request.policy.limits().geography().takes(phone) {
            Ok(())
        } else {
            Err(Denial::Destination("country_not_allowed"))
        }
    }

    fn judge(&self, _request: &GateRequest<'_>, _admission: &Admission) -> Result<(), Denial> {
        Ok(())
    }
}
