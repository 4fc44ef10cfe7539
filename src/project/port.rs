//! The ports that emu listens on: one for each of its faces.

use std::collections::BTreeMap;

/// A face, by the port that it answers on.
#[derive(serde::Serialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Port {
    /// The project's own HTTP API.
    Http,
    Aws,
    /// The admin API; the hub of the Firebase emulators too.
    Admin,
    Auth,
    Firestore,
    Storage,
    Functions,
    Hosting,
    Pubsub,
    /// Cloud Tasks.
    Tasks,
    /// Cloud Messaging, of which Firebase has no emulator.
    Messaging,
}

impl Port {
    /// All there are, in the order in which they are shown.
    pub const ALL: [Port; 11] = [
        Port::Http,
        Port::Aws,
        Port::Admin,
        Port::Auth,
        Port::Firestore,
        Port::Storage,
        Port::Functions,
        Port::Hosting,
        Port::Pubsub,
        Port::Tasks,
        Port::Messaging,
    ];

    /// What the command line, `emu.ports` and the `emulators` of `firebase.json` call it.
    pub fn name(self) -> &'static str {
        match self {
            Port::Http => "http",
            Port::Aws => "aws",
            Port::Admin => "admin",
            Port::Auth => "auth",
            Port::Firestore => "firestore",
            Port::Storage => "storage",
            Port::Functions => "functions",
            Port::Hosting => "hosting",
            Port::Pubsub => "pubsub",
            Port::Tasks => "tasks",
            Port::Messaging => "messaging",
        }
    }

    /// The one of this name.
    pub fn of(name: &str) -> Option<Port> {
        Port::ALL.into_iter().find(|port| port.name() == name)
    }

    /// The number that is taken where nobody says another. Firebase's are those of its own emulators.
    pub fn usual(self) -> u16 {
        match self {
            Port::Http => 3000,
            Port::Aws => 4566,
            Port::Admin => 4400,
            Port::Auth => 9099,
            Port::Firestore => 8080,
            Port::Storage => 9199,
            Port::Functions => 5001,
            Port::Hosting => 5000,
            Port::Pubsub => 8085,
            Port::Tasks => 9499,
            Port::Messaging => 5228,
        }
    }
}

/// Numbers of ports, where somebody chose them.
pub type Ports = BTreeMap<Port, u16>;
