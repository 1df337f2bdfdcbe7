//! What names something of an account's that is kept in a list: 128 random bits.

/// Makes a name of 16 random bytes that reads and writes itself as 22 characters of URL-safe base64.
macro_rules! handle {
    ($(#[doc = $doc:literal])+ $name:ident, $invalid:ident: $wrong:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; Self::LENGTH]);

        #[doc = concat!("The text is ", $wrong, ".")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
        #[error($wrong)]
        pub struct $invalid;

        impl $name {
            /// How many bytes it has.
            pub const LENGTH: usize = 16;

            /// Draws one.
            ///
            /// # Errors
            /// [`RandomError`](crate::random::RandomError) where the random source fails.
            pub fn generate(
                random: &dyn crate::random::SecureRandom,
            ) -> Result<Self, crate::random::RandomError> {
                let mut bytes = [0; Self::LENGTH];
                random.fill(&mut bytes)?;
                Ok(Self(bytes))
            }

            /// Gives the bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                use base64::Engine as _;
                f.write_str(&base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $invalid;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                use base64::Engine as _;
                let read = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text);
                let bytes = read.ok().and_then(|bytes| bytes.try_into().ok());
                bytes.map(Self).ok_or($invalid)
            }
        }
    };
}

pub(super) use handle;
