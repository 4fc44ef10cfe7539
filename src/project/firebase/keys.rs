//! Everything that may stand in `firebase.json`. The names are those of the Firebase CLI's own schema of the file.

use crate::project::keys::{Key, MODULES, PORT, SANDBOX, Shape, key, later, quiet};
use Shape::*;

const TEXTS: Shape = ListOf(&Text);

/// The whole file.
pub const FILE: Shape = Map(&[
    quiet("$schema", "Where the schema of the file is."),
    key("functions", "Folders of functions.", &OneOrMore(&Map(FUNCTIONS))),
    key("firestore", "Databases, with their rules and indexes.", &OneOrMore(&Map(FIRESTORE))),
    key("storage", "Buckets, with their rules.", &OneOrMore(&Map(STORAGE))),
    key("hosting", "Sites.", &OneOrMore(&Map(HOSTING))),
    key("emulators", "Ports of the emulators.", &Map(EMULATORS)),
    key("emu", "emu's own settings.", &Map(EMU)),
    quiet("auth", "Providers of Authentication, for a deployment."),
    later("apphosting", "App Hosting."),
    later("database", "The Realtime Database."),
    later("dataconnect", "Data Connect."),
    later("extensions", "Extensions."),
    later("remoteconfig", "Remote Config."),
]);

const EMU: &[Key] = &[
    key(
        "modules",
        "Which `firebase-admin` and `firebase-functions` functions use: emu's own, which they do unless set, or those that are installed.",
        &Choice(&MODULES),
    ),
    key("sandbox", "What functions run in, and what they may reach.", &SANDBOX),
];

const FUNCTIONS: &[Key] = &[
    key("source", "The folder; `functions` unless set.", &Text),
    key("codebase", "The codebase's name; `default` unless set.", &Text),
    key("runtime", "Such as `nodejs22`.", &Text),
    key("ignore", "Patterns of files that are left out.", &TEXTS),
    key("prefix", "What the names of its functions begin with.", &Text),
    quiet("predeploy", "Commands to run before a deployment."),
    quiet("postdeploy", "Commands to run after a deployment."),
    quiet("configDir", "The folder with `.env` files."),
    quiet("disallowLegacyRuntimeConfig", "Whether `functions.config()` is refused."),
    later("remoteSource", "Sources in a repository elsewhere."),
];

const FIRESTORE: &[Key] = &[
    key("database", "The database's name; `(default)` unless set.", &Text),
    key("rules", "The file of its rules.", &Text),
    key("indexes", "The file of its indexes.", &Text),
    quiet("target", "A deployment target."),
    quiet("location", "Where a deployment keeps it."),
    quiet("edition", "The edition."),
    quiet("predeploy", "Commands to run before a deployment."),
    quiet("postdeploy", "Commands to run after a deployment."),
];

const STORAGE: &[Key] = &[
    key("bucket", "The bucket's name; the project's own unless set.", &Text),
    key("rules", "The file of its rules.", &Text),
    key("target", "A deployment target of `.firebaserc`.", &Text),
    quiet("predeploy", "Commands to run before a deployment."),
    quiet("postdeploy", "Commands to run after a deployment."),
];

const HOSTING: &[Key] = &[
    key("public", "The folder that is served.", &Text),
    key("site", "The site's name.", &Text),
    key("target", "A deployment target of `.firebaserc`.", &Text),
    key("ignore", "Patterns of files that are not served.", &TEXTS),
    key("cleanUrls", "Whether `.html` is left out of URLs.", &Bool),
    key("trailingSlash", "Whether URLs of folders end with a slash.", &Bool),
    key("redirects", "What is elsewhere.", &ListOf(&Map(REDIRECT))),
    key("rewrites", "What is answered by something else.", &ListOf(&Map(REWRITE))),
    key("headers", "Headers of answers.", &ListOf(&Map(HEADERS))),
    quiet("appAssociation", "Files that associate apps."),
    quiet("predeploy", "Commands to run before a deployment."),
    quiet("postdeploy", "Commands to run after a deployment."),
    later("i18n", "Pages by language and country."),
    later("source", "An app of a web framework."),
    later("frameworksBackend", "The functions of a web framework."),
];

const REDIRECT: &[Key] = &[
    key("source", "A pattern of paths.", &Text),
    key("regex", "A regular expression of paths.", &Text),
    key("glob", "A pattern of paths.", &Text),
    key("destination", "Where it is.", &Text),
    key("type", "301 or 302, and the like.", &Int(300, 399)),
];

const REWRITE: &[Key] = &[
    key("source", "A pattern of paths.", &Text),
    key("regex", "A regular expression of paths.", &Text),
    key("glob", "A pattern of paths.", &Text),
    key("destination", "The file that is served.", &Text),
    key("function", "The function that answers.", &Either(&[Map(FUNCTION), Text])),
    key("region", "The function's region.", &Text),
    later("run", "A service of Cloud Run."),
    quiet("dynamicLinks", "Dynamic Links, which were shut down in 2025."),
];

const FUNCTION: &[Key] = &[
    key("functionId", "The function's name.", &Text),
    key("region", "Its region.", &Text),
    quiet("pinTag", "Whether the version of a deployment is kept."),
];

const HEADERS: &[Key] = &[
    key("source", "A pattern of paths.", &Text),
    key("regex", "A regular expression of paths.", &Text),
    key("glob", "A pattern of paths.", &Text),
    key("headers", "The headers.", &ListOf(&Map(HEADER))),
];

const HEADER: &[Key] = &[key("key", "The name.", &Text), key("value", "The value.", &Text)];

const PLACE: Shape = Map(&[key("port", "The port.", &PORT), quiet("host", "The address; `--host` says it here.")]);
const FIRESTORE_PLACE: Shape = Map(&[
    key("port", "The port.", &PORT),
    quiet("host", "The address; `--host` says it here."),
    quiet("websocketPort", "The port of a monitor that emu does not need."),
    quiet("edition", "The edition."),
]);

const EMULATORS: &[Key] = &[
    key("auth", "Authentication; 9099 unless set.", &PLACE),
    key("firestore", "Firestore; 8080 unless set.", &FIRESTORE_PLACE),
    key("storage", "Cloud Storage; 9199 unless set.", &PLACE),
    key("functions", "Functions; 5001 unless set.", &PLACE),
    key("hosting", "Hosting; 5000 unless set.", &PLACE),
    key("pubsub", "Pub/Sub; 8085 unless set.", &PLACE),
    key("tasks", "Cloud Tasks; 9499 unless set.", &PLACE),
    key("hub", "The hub; 4400 unless set.", &PLACE),
    quiet("apphosting", "App Hosting."),
    quiet("database", "The Realtime Database."),
    quiet("dataconnect", "Data Connect."),
    quiet("eventarc", "Eventarc."),
    quiet("extensions", "Extensions."),
    quiet("logging", "The log."),
    quiet("singleProjectMode", "What is done about other projects' names."),
    quiet("ui", "The page; emu has a dashboard in the terminal."),
];
