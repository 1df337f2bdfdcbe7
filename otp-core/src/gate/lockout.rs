use super::{Denial, Gate, GateRequest, Wants};
use crate::quota::BudgetRefusal;
use crate::store::Admission;

/// Refuses while the subject's guess budget takes no guess: a code that cannot be tried is not
/// sent either. What it looks at is in the plan's step, because the budget is reserved with the
/// challenge, never apart from it.
#[derive(Clone, Copy, Debug, Default)]
pub struct LockoutGate;

impl Gate for LockoutGate {
    fn name(&self) -> &'static str {
        "lockout"
    }

    fn plan(&self, _request: &GateRequest<'_>, _wants: &mut Wants) -> Result<(), Denial> {
        Ok(())
    }

    fn judge(&self, _request: &GateRequest<'_>, admission: &Admission) -> Result<(), Denial> {
        match admission.findings.budget {
            None => Ok(()),
            Some(BudgetRefusal::Locked { until }) => {
                Err(Denial::Locked(until.since(admission.now)))
            }
            Some(BudgetRefusal::Disabled) => Err(Denial::Disabled),
        }
    }
}
