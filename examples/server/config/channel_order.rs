use otp_kit::destination::Channel;
use otp_kit::policy::PolicyFile;

use super::{Environment, Refused};

const KEY: &str = "OTP_CHANNEL_ORDER";
const WANTED: &str = "channels in their order, each once, such as whatsapp,sms,email";

/// Which channel follows which, and who says so.
pub(super) struct ChannelOrder {
    pub(super) channels: Vec<Channel>,
    from: From,
}

enum From {
    Environment,
    File,
}

impl ChannelOrder {
    /// Says that a channel of it has no route.
    pub(super) fn refused(&self, channel: Channel) -> Refused {
        let name = channel.name();
        match self.from {
            From::Environment => Refused::new(KEY, &format!("no provider is set up for {name}")),
            From::File => {
                let problem = format!("delivery.channel_order: no provider is set up for {name}");
                Refused::new("OTP_CONFIG", &problem)
            }
        }
    }
}

/// Reads the order: the environment's, else the file's; `None` where neither has one.
pub(super) fn read(env: &Environment, file: &PolicyFile) -> Result<Option<ChannelOrder>, Refused> {
    let Some(text) = env.get(KEY) else {
        let order = file.channel_order.clone();
        return Ok(order.map(|channels| ChannelOrder {
            channels,
            from: From::File,
        }));
    };
    let mut channels = Vec::new();
    for name in text.split(',') {
        let channel: Channel = name
            .trim()
            .parse()
            .map_err(|_| Refused::must_be(KEY, WANTED))?;
        if channels.contains(&channel) {
            return Err(Refused::must_be(KEY, WANTED));
        }
        channels.push(channel);
    }
    Ok(Some(ChannelOrder {
        channels,
        from: From::Environment,
    }))
}
