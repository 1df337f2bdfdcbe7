use std::fmt::Debug;

use tracing::{info, warn};

use super::{Event, Measure, Outcome};

/// Sees what happened, after it is true.
///
/// Called inline, in order, on the path of the request: return at once, hand longer work to a
/// task of your own. A panic is caught, counted against nobody and logged once per event.
pub trait Observer: Debug + Send + Sync + 'static {
    /// Takes one event.
    fn observe(&self, event: &Event);

    /// Takes one measurement. Does nothing by itself: most observers want events alone.
    fn measure(&self, measure: &Measure<'_>) {
        let _nothing = measure;
    }
}

/// Writes each event as one structured line of `tracing`, target `otp_kit`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingSink;

impl Observer for TracingSink {
    fn observe(&self, event: &Event) {
        let text = Line(event);
        match event.outcome {
            Outcome::Failed => warn!(target: "otp_kit", "{text}"),
            _ => info!(target: "otp_kit", "{text}"),
        }
    }
}

/// An event as `name key=value ...`, the shape that log searches expect.
struct Line<'a>(&'a Event);

impl std::fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let event = self.0;
        write!(f, "{} action={}", event.kind.name(), event.action())?;
        write!(f, " outcome={}", event.outcome.name())?;
        if let Some(reason) = &event.reason {
            // What a person wrote stays one value.
            if reason.chars().all(|c| c.is_ascii_graphic() && c != '"') {
                write!(f, " reason={reason}")?;
            } else {
                write!(f, " reason={:?}", &**reason)?;
            }
        }
        write!(f, " tenant={}", event.tenant)?;
        if let Some(subject) = &event.subject {
            // Debug of a str escapes control characters and quotes: a host's odd id stays one value.
            let id = subject.user_id();
            if id.chars().all(|c| c.is_ascii_graphic() && c != '"') {
                write!(f, " user_id={id}")?;
            } else {
                write!(f, " user_id={id:?}")?;
            }
        }
        if let Some(challenge) = &event.challenge {
            write!(f, " challenge={challenge}")?;
        }
        if let Some(purpose) = &event.purpose {
            write!(f, " purpose={purpose}")?;
        }
        if let Some(channel) = event.channel {
            write!(f, " channel={}", channel.name())?;
        }
        if let Some(lane) = event.lane {
            write!(f, " lane={}", lane.name())?;
        }
        if let Some(destination) = &event.destination {
            write!(f, " to={destination}")?;
        }
        if let Some(provider) = &event.provider {
            write!(f, " provider={provider}")?;
        }
        if let Some(id) = &event.request_id {
            write!(f, " request_id={}", id.as_str())?;
        }
        if let Some(act) = &event.act {
            write!(
                f,
                " operator={} why={:?}",
                act.operator,
                act.reason.as_str()
            )?;
        }
        if let Some(address) = event.address {
            write!(f, " ip={address}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventKind;
    use crate::request::{SubjectId, SubjectKey, Tenant};

    #[test]
    fn a_line_is_key_value_and_a_hostile_subject_id_cannot_forge_another() {
        let subject = SubjectId::new("x outcome=success \"y").expect("visible");
        let event = Event::new(EventKind::ValidationAttempt, &Tenant::default())
            .about(&SubjectKey::of_subject(&subject))
            .with_outcome(Outcome::Refused, "expired");
        let line = Line(&event).to_string();
        assert!(line.starts_with(
            "identity.auth.validation_attempt action=MFA_VERIFICATION_FAILED outcome=refused"
        ));
        assert!(
            line.contains(r#"user_id="x outcome=success \"y""#),
            "{line}"
        );
    }
}
