use std::time::SystemTime;

use super::enclosure::Linked;
use super::link::Link;
use super::routes::Start;
use crate::challenge::ChallengeId;
use crate::delivery::Locale;
use crate::destination::{Channel, Destination};
use crate::request::{RequestContext, SubjectId, SubjectKey, Tenant};

/// Whether `issue` waits for the provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dispatch {
    /// Waits until a provider accepts or refuses, so that the caller can say that it failed. The
    /// default.
    #[default]
    Await,
    /// Answers at once and sends in a task of its own, 25 milliseconds later: for flows where the
    /// time of the answer would tell whether an account exists. So many are under way and no more
    /// ([`background_limit`](super::VerifierBuilder::background_limit)); beyond that the answer is
    /// busy, before anything is charged. [`Verifier::drain`](super::Verifier::drain) waits for
    /// the last.
    Background,
}

/// Whom a code goes to; what is still missing is what it is for.
#[derive(Clone, Debug)]
pub struct Addressed {
    recipient: Recipient,
    named: Option<Named>,
    others: Vec<Destination>,
}

#[derive(Clone, Debug)]
pub(super) enum Recipient {
    Person(Destination),
    Nobody {
        claimed: String,
        address: Option<Destination>,
        channel: Channel,
    },
}

/// The name that whoever asks has typed, and the channel that was chosen with it.
#[derive(Clone, Debug)]
pub(super) struct Named {
    name: String,
    channel: Channel,
}

/// A request for a code.
///
/// # Examples
/// ```
/// use otp_core::destination::PhoneNumber;
/// use otp_core::request::{RequestContext, SubjectId};
/// use otp_core::verifier::Issue;
///
/// let phone = PhoneNumber::parse("+14155550123")?;
/// let issue = Issue::to(phone)
///     .for_purpose("mfa")
///     .for_subject(SubjectId::new("user-1")?)
///     .from(RequestContext::from_address("203.0.113.7".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Issue {
    pub(super) recipient: Recipient,
    pub(super) named: Option<Named>,
    pub(super) others: Vec<Destination>,
    pub(super) purpose: String,
    pub(super) tenant: Tenant,
    pub(super) subject: Option<SubjectId>,
    pub(super) channel: Option<Channel>,
    pub(super) locale: Locale,
    pub(super) dispatch: Dispatch,
    pub(super) idempotency_key: Option<String>,
    pub(super) link: Option<Link>,
    pub(super) context: RequestContext,
}

impl Issue {
    /// Sends the code to a phone number or an e-mail address.
    #[must_use]
    pub fn to(destination: impl Into<Destination>) -> Addressed {
        Addressed {
            recipient: Recipient::Person(destination.into()),
            named: None,
            others: Vec::new(),
        }
    }

    /// Answers as if a code had been sent, for a name that no account has. The challenge behaves
    /// like any other (limits, blocks, resends, guesses, locks), no message leaves, and no code
    /// fits it. A name that is an address is counted as that address, however it is spelled.
    ///
    /// Use [`Dispatch::Background`] for decoys and for the real ones alike, in resends too, so
    /// that time does not tell them apart either.
    #[must_use]
    pub fn decoy(claimed: &str, channel: Channel) -> Addressed {
        let claimed = bounded(claimed);
        let address = Destination::parse(&claimed, None).ok();
        Addressed {
            recipient: Recipient::Nobody {
                address: address.filter(|address| channel.fits(address).is_ok()),
                claimed,
                channel,
            },
            named: None,
            others: Vec::new(),
        }
    }

    /// Starts for a name that was typed, and tells nobody whose it is: for the address that the host
    /// has found under it, or for nobody. In the background, unless
    /// [`dispatch`](Self::dispatch) says otherwise.
    ///
    /// What whoever asks may do is told as ever: blocks of their client address or device, limits of
    /// theirs, a captcha, and the limits of a subject and of a destination, which count the name
    /// here. What the address is or has done is not: where it is blocked, locked, past a limit of its
    /// own or of a kind that is not sent to, the answer is that of a code that was sent, no message
    /// leaves, and the record says why. Either way the store is asked the same, in the same
    /// order, and the answer comes up to 20 milliseconds late, drawn. A captcha's token that is shown
    /// is spent, whether one was asked for or not.
    ///
    /// What still tells: a [check](crate::check::Check) that asks a vendor about an address takes its
    /// time for somebody alone; and a name that may start more often than others is a VIP's.
    ///
    /// A captcha that the policy wants after failures at the address is not asked for aloud either: show
    /// one with every start by a name after a failure. Where the same client address has failed as
    /// often, it is asked for as ever.
    ///
    /// An address that the channel does not go to is nobody's. A resend says what stands against it
    /// ([`ResendError`](super::ResendError)): a host that offers one for a name answers that like one
    /// that was sent.
    ///
    /// # Examples
    /// ```
    /// use otp_core::destination::{Channel, Destination};
    /// use otp_core::verifier::Issue;
    ///
    /// let found: Option<Destination> = None; // what the table of users has under the name
    /// let issue = Issue::by_name("mike", Channel::Email, found).for_purpose("login");
    /// # let _ = issue;
    /// ```
    #[must_use]
    pub fn by_name(name: &str, channel: Channel, found: Option<Destination>) -> Addressed {
        let found = found.filter(|address| channel.fits(address).is_ok());
        let addressed = match found {
            Some(address) => Self::to(address),
            None => Self::decoy(name, channel),
        };
        Addressed {
            named: Some(Named {
                name: bounded(name),
                channel,
            }),
            ..addressed
        }
    }

    /// Names the account that the code is for. Without one, budgets and limits are kept by the
    /// destination.
    #[must_use]
    pub fn for_subject(mut self, subject: SubjectId) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Names the tenant. Default: [`Tenant::default`].
    #[must_use]
    pub fn for_tenant(mut self, tenant: Tenant) -> Self {
        self.tenant = tenant;
        self
    }

    /// Chooses the channel. Where the verifier has an
    /// [order of channels](super::VerifierBuilder::channel_order) that names it, the order begins
    /// there. Default: the first of the order that reaches the person; without an order, SMS for
    /// a phone number and e-mail for an address.
    #[must_use]
    pub fn over(mut self, channel: Channel) -> Self {
        self.channel = Some(channel);
        self
    }

    /// Chooses the language. Default: English.
    #[must_use]
    pub fn in_locale(mut self, locale: Locale) -> Self {
        self.locale = locale;
        self
    }

    /// Says whether to wait for the provider. Default: [`Dispatch::Await`].
    #[must_use]
    pub fn dispatch(mut self, dispatch: Dispatch) -> Self {
        self.dispatch = dispatch;
        self
    }

    /// Adds a link to the message, beside the code and under the same challenge: whichever is shown
    /// first signs in, and the other is worth nothing from then on. Messages over e-mail carry it,
    /// and those over another channel the code alone, as do those whose code a vendor makes. A
    /// resend carries what its code does: a new link with a new code, the same with the same.
    ///
    /// The verifier must know where links lead to
    /// ([`VerifierBuilder::links`](super::VerifierBuilder::links)).
    #[must_use]
    pub fn with_link(mut self, link: Link) -> Self {
        self.link = Some(link);
        self
    }

    /// Names the request, so that repeating it makes no second challenge and no second message
    /// while the first one lives. The same name with another request is an error.
    #[must_use]
    pub fn idempotency_key(mut self, key: &str) -> Self {
        self.idempotency_key = Some(key.to_owned());
        self
    }

    /// Says where the request comes from. Without it the request counts in the strict bucket of
    /// those whose address is unknown.
    #[must_use]
    pub fn from(mut self, context: impl Into<RequestContext>) -> Self {
        self.context = context.into();
        self
    }

    /// Gives the key that starts by the name are counted by, where this is one.
    pub(super) fn name_key(&self) -> Option<SubjectKey> {
        let Named { name, channel } = self.named.as_ref()?;
        Some(SubjectKey::of_name(name, channel.destination_kind()))
    }

    /// Gives the key of the account of that name, whether there is one or not.
    pub(super) fn account_named(&self) -> Option<SubjectKey> {
        let named = self.named.as_ref()?;
        let account = SubjectId::new(&named.name).ok()?;
        Some(SubjectKey::of_subject(&account))
    }

    pub(super) fn linked(&self) -> Linked {
        self.link.as_ref().map_or(Linked::No, |_| Linked::Yes)
    }

    pub(super) fn subject_key(&self) -> SubjectKey {
        match (&self.subject, &self.recipient) {
            (Some(subject), _) => SubjectKey::of_subject(subject),
            (None, Recipient::Person(destination)) => SubjectKey::of_destination(destination),
            (
                None,
                Recipient::Nobody {
                    address: Some(address),
                    ..
                },
            ) => SubjectKey::of_destination(address),
            (None, Recipient::Nobody { claimed, .. }) => SubjectKey::of_claim(claimed),
        }
    }

    /// Names the address of a channel in counts: the pseudonym of the destination, or of what was
    /// claimed.
    pub(super) fn destination_key(&self, channel: Channel, subject: &SubjectKey) -> SubjectKey {
        match &self.recipient {
            // Without an account there is one address, and the subject is kept by it.
            _ if self.subject.is_none() => subject.clone(),
            Recipient::Person(destination) => {
                SubjectKey::of_destination(self.address_for(channel).unwrap_or(destination))
            }
            Recipient::Nobody {
                address: Some(address),
                ..
            } => SubjectKey::of_destination(address),
            Recipient::Nobody { claimed, .. } => SubjectKey::of_claim(claimed),
        }
    }

    /// Gives the address that is judged over a channel: where the message goes, or where a
    /// decoy's would.
    pub(super) fn judged(&self, channel: Channel) -> Option<&Destination> {
        match &self.recipient {
            Recipient::Person(_) => self.address_for(channel),
            Recipient::Nobody { address, .. } => address.as_ref(),
        }
    }

    pub(super) fn destination(&self) -> Option<&Destination> {
        match &self.recipient {
            Recipient::Person(destination) => Some(destination),
            Recipient::Nobody { .. } => None,
        }
    }

    /// Lists the addresses of a person, the first one first; a decoy has none.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Destination> {
        let others = self.others.iter().filter(|_| self.destination().is_some());
        self.destination().into_iter().chain(others)
    }

    /// Gives the first address that fits a channel.
    pub(super) fn address_for(&self, channel: Channel) -> Option<&Destination> {
        self.addresses()
            .find(|address| channel.fits(address).is_ok())
    }

    /// Says whether a channel reaches the person, or would reach whom a decoy stands for.
    pub(super) fn is_reached_over(&self, channel: Channel) -> bool {
        match &self.recipient {
            Recipient::Person(_) => self.address_for(channel).is_some(),
            Recipient::Nobody {
                channel: claimed, ..
            } => {
                let kind = channel.destination_kind();
                kind == claimed.destination_kind()
                    || self.others.iter().any(|other| other.kind() == kind)
            }
        }
    }

    /// Says where the order of channels begins.
    pub(super) fn start(&self) -> Start {
        match (&self.recipient, self.channel) {
            (_, Some(channel)) => Start::At(channel),
            (Recipient::Nobody { channel, .. }, None) => Start::At(*channel),
            (Recipient::Person(destination), None) => Start::First(destination.default_channel()),
        }
    }

    pub(super) fn channel(&self) -> Channel {
        match (&self.recipient, self.channel) {
            (_, Some(channel)) => channel,
            (Recipient::Person(destination), None) => destination.default_channel(),
            (Recipient::Nobody { channel, .. }, None) => *channel,
        }
    }
}

impl Addressed {
    /// Adds an address of another kind, for the channels after the first: a phone number's e-mail
    /// address, say. It is used where the verifier has an
    /// [order of channels](super::VerifierBuilder::channel_order); of several of one kind the
    /// first is. The account must be named ([`Issue::for_subject`]): a code that went to the one
    /// address proves nothing about the other.
    ///
    /// Whoever holds either address can then sign in, so give only what the account has proven.
    ///
    /// With a decoy it says which kinds of address a person would have had.
    #[must_use]
    pub fn or_to(mut self, destination: impl Into<Destination>) -> Self {
        self.others.push(destination.into());
        self
    }

    /// Says what the code is for, by the name of a purpose that the policy registers.
    #[must_use]
    pub fn for_purpose(self, purpose: impl AsRef<str>) -> Issue {
        let dispatch = match self.named {
            Some(_) => Dispatch::Background,
            None => Dispatch::default(),
        };
        Issue {
            recipient: self.recipient,
            others: self.others,
            purpose: purpose.as_ref().chars().take(64).collect(),
            tenant: Tenant::default(),
            subject: None,
            channel: self.named.as_ref().map(|named| named.channel),
            named: self.named,
            locale: Locale::default(),
            dispatch,
            idempotency_key: None,
            link: None,
            context: RequestContext::default(),
        }
    }
}

/// A code that was issued. It holds nothing that tells a real one from a decoy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Issued {
    /// The challenge, to be sent back with the code.
    pub challenge_id: ChallengeId,
    /// When it ends, by the store's clock.
    pub expires_at: SystemTime,
    /// When a further message may be asked for.
    pub resend_at: SystemTime,
    /// How the message was sent; of one in the background, how it is tried first.
    pub channel: Channel,
}

/// The part of what somebody typed that is looked at.
fn bounded(typed: &str) -> String {
    typed.chars().take(256).collect()
}
