use otp_core::delivery::Message;
use otp_core::destination::EmailAddress;
use serde::Serialize;

/// The body of `mail/send`: one message to one person, without tracking.
#[derive(Serialize)]
pub(super) struct Mail<'a> {
    personalizations: [Personalization<'a>; 1],
    from: Address<'a>,
    subject: &'a str,
    content: Vec<Content<'a>>,
    headers: Headers,
    tracking_settings: Tracking,
}

#[derive(Serialize)]
struct Personalization<'a> {
    to: [Address<'a>; 1],
    custom_args: CustomArgs<'a>,
}

#[derive(Serialize)]
struct Address<'a> {
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

/// Events come back with these at their top level, so the name keeps clear of `SendGrid`'s own.
#[derive(Serialize)]
struct CustomArgs<'a> {
    otpkit_message_id: &'a str,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(rename = "type")]
    media_type: &'static str,
    value: &'a str,
}

#[derive(Serialize)]
struct Headers {
    /// RFC 3834: no vacation notices in answer.
    #[serde(rename = "Auto-Submitted")]
    auto_submitted: &'static str,
}

/// A tracked link goes through another host, and a footer with one teaches people to click.
#[derive(Serialize)]
struct Tracking {
    click_tracking: ClickTracking,
    open_tracking: Switch,
    subscription_tracking: Switch,
}

#[derive(Serialize)]
struct ClickTracking {
    enable: bool,
    enable_text: bool,
}

#[derive(Serialize)]
struct Switch {
    enable: bool,
}

impl<'a> Mail<'a> {
    pub(super) fn new(
        from: &'a EmailAddress,
        from_name: Option<&'a str>,
        to: &'a EmailAddress,
        message: &'a Message,
    ) -> Self {
        // SendGrid wants plain text before HTML.
        let mut content = vec![Content {
            media_type: "text/plain",
            value: message.text(),
        }];
        content.extend(message.html().map(|html| Content {
            media_type: "text/html",
            value: html,
        }));
        Self {
            personalizations: [Personalization {
                to: [Address {
                    email: to.address(),
                    name: None,
                }],
                custom_args: CustomArgs {
                    otpkit_message_id: message.id().as_str(),
                },
            }],
            from: Address {
                email: from.address(),
                name: from_name,
            },
            // SendGrid refuses mail without a subject.
            subject: message.subject().unwrap_or("Your code"),
            content,
            headers: Headers {
                auto_submitted: "auto-generated",
            },
            tracking_settings: Tracking {
                click_tracking: ClickTracking {
                    enable: false,
                    enable_text: false,
                },
                open_tracking: Switch { enable: false },
                subscription_tracking: Switch { enable: false },
            },
        }
    }
}
