use otp_core::delivery::MessageId;
use serde::Serialize;

/// The body of `messages`: an authentication template to one person, with the code twice, once in
/// the words and once in the button. Copy-code, one-tap and zero-tap buttons all read `url` here.
#[derive(Serialize)]
pub(super) struct Template<'a> {
    messaging_product: &'static str,
    recipient_type: &'static str,
    to: &'a str,
    #[serde(rename = "type")]
    sort: &'static str,
    template: Named<'a>,
    /// Status webhooks carry it back.
    biz_opaque_callback_data: &'a str,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    language: Language<'a>,
    components: [Component<'a>; 2],
}

#[derive(Serialize)]
struct Language<'a> {
    code: &'a str,
}

#[derive(Serialize)]
struct Component<'a> {
    #[serde(rename = "type")]
    sort: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'static str>,
    parameters: [Parameter<'a>; 1],
}

#[derive(Serialize)]
struct Parameter<'a> {
    #[serde(rename = "type")]
    sort: &'static str,
    text: &'a str,
}

impl<'a> Template<'a> {
    pub(super) fn new(
        to: &'a str,
        name: &'a str,
        language: &'a str,
        code: &'a str,
        id: &'a MessageId,
    ) -> Self {
        let parameters = || {
            [Parameter {
                sort: "text",
                text: code,
            }]
        };
        Self {
            messaging_product: "whatsapp",
            recipient_type: "individual",
            to,
            sort: "template",
            template: Named {
                name,
                language: Language { code: language },
                components: [
                    Component {
                        sort: "body",
                        sub_type: None,
                        index: None,
                        parameters: parameters(),
                    },
                    Component {
                        sort: "button",
                        sub_type: Some("url"),
                        index: Some("0"),
                        parameters: parameters(),
                    },
                ],
            },
            biz_opaque_callback_data: id.as_str(),
        }
    }
}
