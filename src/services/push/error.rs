//! Why a push is refused.

use crate::store;

/// What can go wrong, in the words of the service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Who is to get it is not said, or said more than once.
    #[error("exactly one of token, topic and condition says who gets a push")]
    NoTarget,
    #[error("`{0}` cannot be the token of a device")]
    BadToken(String),
    #[error("`{0}` cannot be the name of a topic")]
    BadTopic(String),
    #[error("the condition cannot be understood")]
    BadCondition,
    /// The device's app was removed, or its token was renewed.
    #[error("no device has this token any more")]
    Unregistered,
    /// The device's app belongs to another project.
    #[error("the token is of another project")]
    SenderMismatch,
    /// `platform`: whose message it is that is too large.
    #[error("the message has {bytes} bytes for {platform}; it may have {bytes_max}")]
    TooLarge { platform: &'static str, bytes: usize, bytes_max: usize },
    #[error("a device subscribes to up to {TOPICS_MAX} topics")]
    TooManyTopics,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Bytes of a message ("About FCM messages").
pub const MESSAGE_BYTES_MAX: usize = 4_096;
/// Topics of one device ("Topic messaging").
pub const TOPICS_MAX: usize = 2_000;
/// Bytes of a token.
pub const TOKEN_BYTES_MAX: usize = 4_096;
/// Messages that the inbox keeps; older ones go.
pub const KEPT_MAX: i64 = 10_000;
