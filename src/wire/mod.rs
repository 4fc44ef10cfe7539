//! Codecs: each protocol family turns requests into calls of the services and their answers back. Decides nothing.
//! Families never import each other; what they share is in [`http`].

pub mod aws;
pub mod firebase;
pub mod http;
