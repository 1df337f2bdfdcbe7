use super::{Denial, Gate, GateRequest, Operation, Wants};
use crate::destination::{Destination, LineType};
use crate::store::Admission;

/// Refuses numbers that cost their caller money or that nobody receives a text on, before
/// anything is reserved or spent: premium rate, shared cost, UAN, pagers, voicemail, personal
/// numbers and satellite phones, unless policy allows the kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct LineTypeGate;

impl Gate for LineTypeGate {
    fn name(&self) -> &'static str {
        "line_type"
    }

    fn plan(&self, request: &GateRequest<'_>, _wants: &mut Wants) -> Result<(), Denial> {
        let Some(Destination::Phone(phone)) = request.destination else {
            return Ok(());
        };
        if request.operation == Operation::Verify {
            return Ok(());
        }
        let allowed = request.policy.limits().line_types();
        if phone.is_satellite() && !allowed.satellite() {
            return Err(Denial::Destination("satellite_number"));
        }
        if allowed.takes(phone.line_type()) {
            return Ok(());
        }
        Err(Denial::Destination(match phone.line_type() {
            LineType::PremiumRate => "premium_rate_number",
            LineType::SharedCost => "shared_cost_number",
            _ => "line_type_not_allowed",
        }))
    }

    fn judge(&self, _request: &GateRequest<'_>, _admission: &Admission) -> Result<(), Denial> {
        Ok(())
    }
}
