//! The variables by which the Firebase SDKs find the services (Firebase CLI, `src/emulator/env.ts`), and `__FIREBASE_DEFAULTS__`, by which
//! the web SDK finds them without a line of code.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use crate::app::{Addresses, url};
use crate::project::{Firebase, Port};

/// Everything that tells a program where a project's services are. Only those that answer are named.
pub fn variables(firebase: &Firebase, addresses: &Addresses) -> Vec<(String, String)> {
    let place = |address| host_and_port(address);
    let of = |port: Port| addresses.get(port);
    let mut all: Vec<(&str, String)> = vec![
        ("GCLOUD_PROJECT", firebase.project_id.clone()),
        ("GOOGLE_CLOUD_PROJECT", firebase.project_id.clone()),
        ("FIREBASE_CONFIG", json!({ "projectId": firebase.project_id, "storageBucket": firebase.bucket() }).to_string()),
        ("__FIREBASE_DEFAULTS__", defaults(firebase, addresses).to_string()),
    ];
    all.extend(of(Port::Admin).map(|at| ("FIREBASE_EMULATOR_HUB", place(at))));
    all.extend(of(Port::Auth).map(|at| ("FIREBASE_AUTH_EMULATOR_HOST", place(at))));
    if let Some(at) = of(Port::Firestore) {
        all.extend(["FIRESTORE_EMULATOR_HOST", "FIREBASE_FIRESTORE_EMULATOR_ADDRESS"].map(|name| (name, place(at))));
    }
    if let Some(at) = of(Port::Storage) {
        all.extend([("FIREBASE_STORAGE_EMULATOR_HOST", place(at)), ("STORAGE_EMULATOR_HOST", url(at))]);
    }
    all.extend(of(Port::Pubsub).map(|at| ("PUBSUB_EMULATOR_HOST", place(at))));
    all.extend(of(Port::Tasks).map(|at| ("CLOUD_TASKS_EMULATOR_HOST", place(at))));
    all.extend(of(Port::Messaging).map(|at| ("EMU_MESSAGING_HOST", place(at))));
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The same for functions. The installed Firestore client speaks gRPC, which needs sockets; this makes it speak HTTP, which the sandbox has.
pub fn inside(firebase: &Firebase, addresses: &Addresses) -> Vec<(String, String)> {
    let mut all = variables(firebase, addresses);
    all.push(("FIRESTORE_PREFER_REST".to_owned(), "true".to_owned()));
    all
}

/// An app's configuration as hosting serves it; the key is any.
pub fn config(firebase: &Firebase) -> Value {
    let id = &firebase.project_id;
    json!({
        "projectId": id,
        "storageBucket": firebase.bucket(),
        "apiKey": "fake-api-key",
        "authDomain": format!("{id}.firebaseapp.com"),
        "appId": "1:000000000000:web:0000000000000000000000",
        "messagingSenderId": "000000000000",
    })
}

/// What the web SDK reads from `__FIREBASE_DEFAULTS__`.
pub fn defaults(firebase: &Firebase, addresses: &Addresses) -> Value {
    let hosts = [Port::Auth, Port::Firestore, Port::Storage, Port::Functions].into_iter();
    let hosts: Map<String, Value> =
        hosts.filter_map(|port| Some((port.name().to_owned(), json!(host_and_port(addresses.get(port)?))))).collect();
    json!({ "config": config(firebase), "emulatorHosts": hosts })
}

fn host_and_port(address: SocketAddr) -> String {
    url(address).trim_start_matches("http://").to_owned()
}
