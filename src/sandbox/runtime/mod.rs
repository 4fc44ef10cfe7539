//! The JavaScript that makes an engine a place where packages run: the web's and Node's interfaces over the natives of `__emu`.
//!
//! Each file is a script that is evaluated once, in this order, when the base image is made; each is one function that is called with
//! `__emu`. Parts that are rarely used are registered there and made at their first use, so that an image stays small.

macro_rules! scripts {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!($name, ".js")))),+]
    };
}

static SOURCES: &[(&str, &str)] = scripts![
    "core",
    "inspect",
    "console",
    "timers",
    "event",
    "encoding",
    "url",
    "buffer",
    "emitter",
    "process",
    "webstreams",
    "blob",
    "fetch",
    "intl",
    "builtin",
    "stream",
    "util",
    "path",
    "async",
    "host",
    "fs",
    "http",
    "http2",
    "server",
    "zlib",
    "crypto-web",
    "crypto-node",
    "subtle",
    "aws-wire",
    "aws-value",
    "aws-v3",
    "aws-v2",
    "firebase-admin-app",
    "firebase-admin-values",
    "firebase-admin-document",
    "firebase-admin-query",
    "firebase-admin-writes",
    "firebase-admin-bundle",
    "firebase-admin-firestore",
    "firebase-admin-auth",
    "firebase-admin-tokens",
    "firebase-admin-storage",
    "firebase-admin-messaging",
    "firebase-admin-tasks",
    "sharp",
    "firebase-functions",
    "firebase-functions-params",
    "firebase-functions-http",
    "firebase-functions-https",
    "firebase-functions-events",
    "firebase-functions-identity",
    "firebase-functions-v1",
    "firebase-functions-v2",
    "firebase-functions-host",
    "handler",
    "rehearse",
    "end",
];

/// The scripts of the runtime, `(name, source)`, in the order in which they must be evaluated. They expect the natives in the global
/// `__emu`, set their hooks on it, and the last one deletes the global.
pub fn sources() -> &'static [(&'static str, &'static str)] {
    SOURCES
}

#[cfg(test)]
mod tests;
