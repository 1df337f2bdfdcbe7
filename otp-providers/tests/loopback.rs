//! The adapters with their default transport, against servers on this machine.
#![cfg(all(feature = "reqwest", feature = "sendgrid", feature = "twilio"))]

#[cfg(test)]
#[path = "loopback/sendgrid.rs"]
mod sendgrid;
#[cfg(test)]
#[path = "loopback/stand_in.rs"]
mod stand_in;
#[cfg(test)]
#[path = "loopback/transport.rs"]
mod transport;
#[cfg(test)]
#[path = "loopback/twilio.rs"]
mod twilio;
