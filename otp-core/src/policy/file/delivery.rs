//! `delivery:`, who sends for a channel, who takes over, and when; and which channel follows which.

use super::PolicyFile;
use super::error::PolicyFileError;
use super::node::Node;
use super::read::Entry;
use super::write as put;
use crate::delivery::RoutePlan;
use crate::destination::Channel;

const ORDER: &str = "channel_order";

pub(super) fn read(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    for field in entry.fields()? {
        if field.name() == ORDER {
            file.channel_order = Some(order(&field)?);
            continue;
        }
        let channel: Channel = field.name().parse().map_err(|_| field.unknown())?;
        if let Some(plan) = plan(file, channel, &field)? {
            file.routes.insert(channel, plan);
        }
    }
    Ok(())
}

fn order(entry: &Entry<'_>) -> Result<Vec<Channel>, PolicyFileError> {
    let mut order = Vec::new();
    for item in entry.items()? {
        let channel: Channel = item
            .text()?
            .parse()
            .map_err(|_| item.must_be("a channel such as sms"))?;
        if order.contains(&channel) {
            return Err(item.wrong("is there twice"));
        }
        order.push(channel);
    }
    Ok(order)
}

fn plan(
    file: &mut PolicyFile,
    channel: Channel,
    entry: &Entry<'_>,
) -> Result<Option<RoutePlan>, PolicyFileError> {
    let (mut primary, mut backups, mut threshold) = (None, Vec::new(), None);
    for field in entry.fields()? {
        match field.name() {
            "enabled" => file.switch(channel, field.flag()?),
            "primary_provider" => primary = Some(field.text()?),
            "backup_provider" => backups.push(field.text()?.to_owned()),
            "backup_providers" => {
                for backup in field.items()? {
                    backups.push(backup.text()?.to_owned());
                }
            }
            "failover_threshold" => {
                let failures: u32 = field.number()?;
                if failures == 0 {
                    return Err(field.must_be("one failure or more"));
                }
                threshold = Some(failures);
            }
            _ => return Err(field.unknown()),
        }
    }
    let Some(primary) = primary else {
        return match (backups.is_empty(), threshold) {
            (true, None) => Ok(None),
            _ => Err(entry.wrong("has no primary_provider")),
        };
    };
    Ok(Some(RoutePlan {
        backups,
        failover_threshold: threshold,
        ..RoutePlan::of(primary)
    }))
}

pub(super) fn write(file: &PolicyFile) -> Option<Node> {
    let routes = file.routes.iter().map(|(channel, plan)| {
        let backups = plan.backups.iter().map(put::text);
        let mut fields = vec![
            ("primary_provider", put::text(&plan.primary)),
            ("backup_providers", put::list(backups)),
        ];
        if let Some(threshold) = plan.failover_threshold {
            fields.push(("failover_threshold", put::text(threshold)));
        }
        (channel.name(), put::map(fields))
    });
    let order = file.channel_order.iter().map(|order| {
        let names = order.iter().map(|channel| put::text(channel.name()));
        (ORDER, put::list(names))
    });
    let fields: Vec<_> = order.chain(routes).collect();
    (!fields.is_empty()).then(|| put::map(fields))
}
