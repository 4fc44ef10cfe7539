//! The one table of everything that may stand in a project file: names, shapes, and whether emu acts on them. The names are those of
//! the Serverless Framework v3 (its configuration reference for AWS); `emu` is ours.

/// A key and what it takes.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    /// What it is for, in a sentence or two: what an editor shows.
    pub about: &'static str,
    pub shape: &'static Shape,
    pub support: Support,
}

/// Whose modules functions of Firebase use.
pub const MODULES: [&str; 2] = ["built-in", "installed"];

/// What emu does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It acts on it.
    Full,
    /// It only matters for a deployment: accepted without a word.
    Deployment,
    /// It would matter here, but is not emulated: named in a warning.
    None,
}

/// What a value may be.
#[derive(Debug)]
pub enum Shape {
    Any,
    Text,
    Bool,
    /// A whole number within bounds, both included.
    Int(i64, i64),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A map with these keys and no others.
    Map(&'static [Key]),
    /// A map with free keys.
    MapOf(&'static Shape),
    ListOf(&'static Shape),
    /// A list, or one of its items alone.
    OneOrMore(&'static Shape),
    /// Whichever alternative is of the value's kind.
    Either(&'static [Shape]),
    /// A map with exactly one of these keys.
    OneKey(&'static [Key]),
}

mod known;

pub use known::{EMULATED_RESOURCES, QUIET_PLUGINS, QUIET_RESOURCES};

use Shape::*;

/// A key that emu follows.
pub const fn key(name: &'static str, about: &'static str, shape: &'static Shape) -> Key {
    Key { name, about, shape, support: Support::Full }
}

/// A key that matters only to a deployment: nothing is said of it.
pub const fn quiet(name: &'static str, about: &'static str) -> Key {
    Key { name, about, shape: &Any, support: Support::Deployment }
}

/// A key that is valid and not emulated: that is said once.
pub const fn later(name: &'static str, about: &'static str) -> Key {
    Key { name, about, shape: &Any, support: Support::None }
}

const TEXT_OR_LIST: Shape = OneOrMore(&Text);
const MEMORY: Shape = Int(128, 10_240);
const TIMEOUT: Shape = Int(1, 900);
const ENVIRONMENT: Shape = MapOf(&Text);
/// A port; 0 is any free one.
pub const PORT: Shape = Int(0, 65_535);
const PAYLOAD: Shape = Choice(&["1.0", "2.0"]);
const RESPONSE_TYPE: Shape = Choice(&["ReportBatchItemFailures"]);
const FILTERS: Shape = ListOf(&MapOf(&Any));
const METHODS: &[&str] = &["ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "*"];

/// The whole file.
pub const FILE: Shape = Map(&[
    key("service", "Name of the project: part of the names of functions, and of resources that have none of their own.", &Text),
    key("provider", "The cloud, and what holds for every function.", &Either(&[Map(PROVIDER), Text])),
    key(
        "functions",
        "The functions: a name for each, with its handler and what calls it.",
        &Either(&[MapOf(&FUNCTION), ListOf(&MapOf(&FUNCTION))]),
    ),
    key(
        "resources",
        "What the project has besides functions, as a CloudFormation template: tables, buckets, queues, topics.",
        &Either(&[Map(RESOURCES), ListOf(&Map(RESOURCES))]),
    ),
    key("params", "Values for `${param:NAME}`, by stage; those under `default` hold for every stage.", &MapOf(&MapOf(&Any))),
    key("custom", "A place for values that are used elsewhere, as `${self:custom.NAME}`.", &Any),
    key("plugins", "Plugins of Serverless. emu runs none of them; it does the work of the well-known ones itself.", &Any),
    key("useDotenv", "Whether Serverless reads `.env` files; emu always does.", &Bool),
    key("emu", "emu's own settings.", &Map(EMU)),
    quiet("app", "Name of the app in the Serverless dashboard."),
    quiet("build", "How Serverless bundles code; emu bundles by itself."),
    quiet("configValidationMode", "What Serverless does about an invalid file: `error`, `warn` or `off`."),
    quiet("console", "Settings of Serverless Console."),
    quiet("deprecationNotificationMode", "How Serverless tells of deprecated settings."),
    quiet("disabledDeprecations", "Deprecations that Serverless does not tell of."),
    quiet("frameworkVersion", "Versions of Serverless that may deploy this, such as '3'."),
    quiet("org", "Name of the organisation in the Serverless dashboard."),
    quiet("outputs", "Values that other services of the Serverless dashboard may use."),
    quiet("package", "What goes into the deployed archives."),
    quiet("projectDir", "The folder that files and variables may be read from."),
    quiet("unresolvedVariablesNotificationMode", "How Serverless tells of unresolved variables."),
    quiet("variablesResolutionMode", "The version of Serverless's variables."),
    later("layers", "Lambda layers."),
    later("stages", "Settings by stage, of Serverless 4."),
]);

const PROVIDER: &[Key] = &[
    key("name", "The cloud: `aws`.", &Text),
    key(
        "runtime",
        "What functions run on: a `nodejs…` runtime such as `nodejs22.x`, or `wasm` for WASI components and CGI programs.",
        &Text,
    ),
    key("stage", "The stage where `--stage` names none; `dev` unless set.", &Text),
    key("region", "The region; `us-east-1` unless set.", &Text),
    key("memorySize", "Memory of a function in MiB; 1024 unless set.", &MEMORY),
    key("timeout", "Seconds that an invocation may take; 6 unless set.", &TIMEOUT),
    key("environment", "What every function sees in its environment.", &ENVIRONMENT),
    key("httpApi", "Settings of the HTTP API, which `httpApi` events make routes of.", &Map(HTTP_API)),
    quiet("apiName", "Name of the REST API."),
    quiet("architecture", "The processors that functions run on: `x86_64` or `arm64`."),
    quiet("cfnRole", "The role that CloudFormation deploys with."),
    quiet("deploymentBucket", "The bucket that deployments are uploaded to."),
    quiet("deploymentMethod", "How a stack is updated: `direct` or by `changesets`."),
    quiet("deploymentPrefix", "Prefix of the keys of uploads in the deployment bucket."),
    quiet("disableDefaultOutputExportNames", "Whether outputs of the stack are left without export names."),
    quiet("disableRollback", "Whether a failed deployment is left as it is."),
    quiet("ecr", "Container images that functions are made of."),
    quiet("endpointType", "Kind of the REST API's endpoint: `regional`, `edge` or `private`."),
    quiet("iam", "The role of the functions and what it may do."),
    quiet("iamManagedPolicies", "Managed policies of the functions' role, in the older form."),
    quiet("iamRoleStatements", "What the functions' role may do, in the older form."),
    quiet("kmsKeyArn", "The key that environments are encrypted with."),
    quiet("kinesis", "Settings of consumers of Kinesis streams."),
    quiet("lambdaHashingVersion", "How versions of functions are hashed."),
    quiet("logDataProtectionPolicy", "What is masked in the functions' logs."),
    quiet("logRetentionInDays", "Days that logs are kept."),
    quiet("logs", "What is logged of APIs and functions."),
    quiet("notificationArns", "Topics that are told of the stack's events."),
    quiet("profile", "The profile of credentials to deploy with."),
    quiet("role", "A role of your own for all functions."),
    quiet("rolePermissionsBoundary", "The boundary of the role's permissions, in the older form."),
    quiet("rollbackConfiguration", "Alarms that roll a deployment back."),
    quiet("runtimeManagement", "How functions get new versions of their runtime."),
    quiet("snapStart", "Whether functions start from snapshots."),
    quiet("stackName", "Name of the CloudFormation stack."),
    quiet("stackParams", "Parameters that are given to the stack."),
    quiet("stackPolicy", "What an update may do to the stack's resources."),
    quiet("stackTags", "Tags of the stack."),
    quiet("tags", "Tags of the functions."),
    quiet("tracing", "X-Ray tracing of APIs and functions."),
    quiet("versionFunctions", "Whether each deployment makes a version of every function."),
    later("alb", "Settings of application load balancers."),
    later("apiGateway", "Settings of the REST API."),
    later("apiKeys", "Keys of the REST API."),
    later("cloudFront", "Settings of CloudFront distributions."),
    later("eventBridge", "Settings of EventBridge."),
    later("layers", "Layers of every function."),
    later("resourcePolicy", "Who may call the REST API."),
    later("s3", "Settings of buckets that events name."),
    later("usagePlan", "The usage plan of the REST API's keys."),
    later("vpc", "The network that functions run in."),
    later("vpcEndpointIds", "Endpoints that reach a private REST API."),
    later("websocketsApiName", "Name of the WebSocket API."),
    later("websocketsApiRouteSelectionExpression", "What chooses the route of a WebSocket message."),
    later("websocketsDescription", "Description of the WebSocket API."),
];

const HTTP_API: &[Key] = &[
    key("payload", "Form of the events of routes: '1.0' or '2.0'; '2.0' unless set.", &PAYLOAD),
    key("cors", "Whether browsers on other origins may call the routes, or which of them and how.", &Either(&[Bool, Map(HTTP_API_CORS)])),
    quiet("disableDefaultEndpoint", "Whether the API answers under its own domain only."),
    quiet("id", "An HTTP API that exists already."),
    quiet("metrics", "Whether the routes have metrics."),
    quiet("name", "Name of the HTTP API."),
    quiet("shouldStartNameWithService", "Whether the API's name begins with the service instead of the stage."),
    quiet("useProviderTags", "Whether the API has the provider's tags."),
    later("authorizers", "Authorizers that routes may name."),
];

const HTTP_API_CORS: &[Key] = &[
    key("allowedOrigins", "Origins that may call; `*` unless set.", &TEXT_OR_LIST),
    key("allowedHeaders", "Headers that a request may have.", &TEXT_OR_LIST),
    key("allowedMethods", "Methods that a request may have; those of the routes unless set.", &TEXT_OR_LIST),
    key("exposedResponseHeaders", "Headers of an answer that a page may read.", &TEXT_OR_LIST),
    key("allowCredentials", "Whether cookies and credentials may be sent.", &Bool),
    key("maxAge", "Seconds that a browser may remember the answer to a preflight.", &Int(0, 86_400)),
];

const FUNCTION: Shape = Map(&[
    key(
        "handler",
        "The file without its ending, a dot, and the export that is called, such as `src/orders.create`; with the runtime `wasm`, the component or program.",
        &Text,
    ),
    key("name", "Name of the deployed function; SERVICE-STAGE-KEY unless set.", &Text),
    key("runtime", "What this function runs on, where it is not the provider's runtime.", &Text),
    key("build", "The command that makes the component or program, run in the project's folder; only with the runtime `wasm`.", &Text),
    key("memorySize", "Memory in MiB, where it is not the provider's.", &MEMORY),
    key("timeout", "Seconds that an invocation may take, where it is not the provider's.", &TIMEOUT),
    key("environment", "What this function sees in its environment; wins over the provider's, which wins over `.env` files.", &ENVIRONMENT),
    key("events", "What calls the function.", &ListOf(&OneKey(EVENTS))),
    key("reservedConcurrency", "The most invocations at once.", &Int(0, 1_000)),
    key("maximumRetryAttempts", "How often a failed asynchronous invocation is tried again; 2 unless set.", &Int(0, 2)),
    key("maximumEventAge", "Seconds that an asynchronous event may wait; 21600 unless set.", &Int(60, 21_600)),
    key("onError", "ARN of the queue or topic that gets asynchronous events that failed.", &Text),
    key("destinations", "Where the results of asynchronous invocations go.", &Map(DESTINATIONS)),
    quiet("architecture", "The processors that it runs on: `x86_64` or `arm64`."),
    quiet("awsKmsKeyArn", "The key that the environment is encrypted with, in the older form."),
    quiet("condition", "A condition of the template: the function is deployed only where it holds."),
    quiet("dependsOn", "Resources that are made before the function."),
    quiet("description", "What the function does, in words."),
    quiet("disableLogs", "Whether the function has no log group."),
    quiet("iamRoleStatements", "What this function's own role may do, with the plugin serverless-iam-roles-per-function."),
    quiet("iamRoleStatementsInherit", "Whether its own role may also do what the provider's may."),
    quiet("iamRoleStatementsName", "Name of its own role."),
    quiet("kmsKeyArn", "The key that the environment is encrypted with."),
    quiet("logDataProtectionPolicy", "What is masked in its logs."),
    quiet("logRetentionInDays", "Days that its logs are kept."),
    quiet("logs", "How it logs."),
    quiet("package", "What goes into its archive."),
    quiet("provisionedConcurrency", "Instances that are kept ready."),
    quiet("role", "A role of your own for this function."),
    quiet("runtimeManagement", "How it gets new versions of its runtime."),
    quiet("snapStart", "Whether it starts from a snapshot."),
    quiet("tags", "Tags of the function."),
    quiet("tracing", "X-Ray tracing of this function."),
    quiet("versionFunction", "Whether each deployment makes a version of it."),
    later("ephemeralStorageSize", "Size of /tmp in MiB."),
    later("fileSystemConfig", "A network file system to mount."),
    later("image", "A container image in place of a handler."),
    later("layers", "Layers of this function."),
    later("url", "Whether the function has a URL of its own."),
    later("vpc", "The network that it runs in."),
]);

const DESTINATIONS: &[Key] = &[
    key("onSuccess", "Where results go: a function's key, or the ARN of a queue, topic or function.", &DESTINATION),
    key("onFailure", "Where events that failed go: a function's key, or the ARN of a queue, topic or function.", &DESTINATION),
];
const DESTINATION: Shape = Either(&[
    Text,
    Map(&[
        key("type", "What the ARN names.", &Choice(&["sns", "sqs", "function", "eventBus"])),
        key("arn", "ARN of the queue, topic or function.", &Text),
    ]),
]);

/// Every event source that Serverless knows.
pub const EVENTS: &[Key] = &[
    key(
        "httpApi",
        "A route of the HTTP API: a method and a path such as `GET /orders/{id}`; `*` takes what no other route takes.",
        &Either(&[Text, Map(HTTP_API_EVENT)]),
    ),
    key("http", "A route of the REST API: a method and a path such as `get orders/{id}`.", &Either(&[Text, Map(HTTP_EVENT)])),
    key("schedule", "A time: `rate(5 minutes)` or `cron(0 10 * * ? *)`, in UTC.", &Either(&[Text, Map(SCHEDULE_EVENT)])),
    key("sqs", "Messages of a queue: its ARN.", &Either(&[Text, Map(SQS_EVENT)])),
    key("s3", "Changes of the objects in a bucket: its name. One that the resources do not have is made.", &Either(&[Text, Map(S3_EVENT)])),
    key("stream", "Changes of the items of a table: the ARN of its stream.", &Either(&[Text, Map(STREAM_EVENT)])),
    key("sns", "Messages of a topic: its name or ARN. One that the resources do not have is made.", &Either(&[Text, Map(SNS_EVENT)])),
    later("activemq", "Messages of an ActiveMQ broker."),
    later("alb", "Requests to an application load balancer."),
    later("alexaSkill", "Requests of an Alexa skill."),
    later("alexaSmartHome", "Requests of a smart home skill."),
    later("cloudFront", "Requests to a CloudFront distribution."),
    later("cloudwatchEvent", "Events of CloudWatch."),
    later("cloudwatchLog", "Lines of a log group."),
    later("cognitoUserPool", "What happens in a user pool."),
    later("eventBridge", "Events of an EventBridge bus."),
    later("iot", "Messages that an IoT rule chooses."),
    later("iotFleetProvisioning", "Devices that are provisioned."),
    later("kafka", "Messages of a Kafka cluster."),
    later("msk", "Messages of a managed Kafka cluster."),
    later("rabbitmq", "Messages of a RabbitMQ broker."),
    later("websocket", "Messages of the WebSocket API."),
];

const HTTP_API_EVENT: &[Key] = &[
    key("method", "The method; any unless set.", &Choice(METHODS)),
    key("path", "The path, which begins with `/`; `{name}` is a parameter, `{name+}` all the rest.", &Text),
    later("authorizer", "Who may call the route."),
];

const HTTP_EVENT: &[Key] = &[
    key("method", "The method; `any` for every one.", &Choice(METHODS)),
    key("path", "The path; `{name}` is a parameter, `{name+}` all the rest.", &Text),
    key("cors", "Whether browsers on other origins may call the route, or which of them and how.", &Either(&[Bool, Map(HTTP_CORS)])),
    key(
        "integration",
        "How the function is called; `lambda-proxy` is the only one emulated.",
        &Choice(&["lambda-proxy", "aws-proxy", "AWS_PROXY", "LAMBDA-PROXY", "lambda", "aws", "http", "http-proxy", "mock"]),
    ),
    quiet("connectionId", "The private connection of an integration."),
    quiet("connectionType", "Kind of an integration's connection."),
    quiet("documentation", "Documentation of the route, for plugins."),
    quiet("operationId", "Name of the operation in the API's description."),
    later("async", "Whether the route answers before the function ends."),
    later("authorizer", "Who may call the route."),
    later("private", "Whether the route wants an API key."),
    later("request", "What requests must look like, and how they are mapped."),
    later("response", "How answers are mapped."),
];

const HTTP_CORS: &[Key] = &[
    key("origin", "The origin that may call; `*` unless set.", &Text),
    key("origins", "Origins that may call.", &TEXT_OR_LIST),
    key("headers", "Headers that a request may have.", &TEXT_OR_LIST),
    key("methods", "Methods that a request may have; those of the path's routes unless set.", &TEXT_OR_LIST),
    key("exposedHeaders", "Headers of an answer that a page may read.", &TEXT_OR_LIST),
    key("allowCredentials", "Whether cookies and credentials may be sent.", &Bool),
    key("maxAge", "Seconds that a browser may remember the answer to a preflight.", &Int(0, 86_400)),
    quiet("cacheControl", "The Cache-Control of the answer to a preflight."),
];

const SCHEDULE_EVENT: &[Key] = &[
    key(
        "rate",
        "When: `rate(5 minutes)` or `cron(minutes hours day-of-month month day-of-week year)`, one or several, in UTC.",
        &TEXT_OR_LIST,
    ),
    key("enabled", "Whether it fires; true unless set.", &Bool),
    key("name", "Name of the rule.", &Text),
    key("input", "What the function gets in place of the usual event.", &Any),
    quiet("description", "What the schedule is for, in words."),
    quiet("groupName", "The schedule group it is in."),
    quiet("method", "What AWS keeps the schedule with: `eventBus` or `scheduler`."),
    later("inputPath", "The part of the event that the function gets."),
    later("inputTransformer", "How the event is changed for the function."),
    later("timezone", "The time zone of the schedule."),
];

const SQS_EVENT: &[Key] = &[
    key("arn", "ARN of the queue, such as `!GetAtt Orders.Arn`.", &Text),
    key("batchSize", "The most messages of a batch, above 10 only with a batching window; 10 unless set.", &Int(1, 10_000)),
    key("maximumBatchingWindow", "Seconds that a batch may wait to fill.", &Int(0, 300)),
    key("functionResponseType", "`ReportBatchItemFailures`: the function's answer says which messages failed.", &RESPONSE_TYPE),
    key("enabled", "Whether the queue calls the function; true unless set.", &Bool),
    key("maximumConcurrency", "The most batches at once.", &Int(2, 1_000)),
    key("filterPatterns", "Patterns: a message must fit one of them.", &FILTERS),
];

/// The notifications that S3 sends (S3 User Guide, "Supported event types"), as far as objects cause them.
pub const S3_EVENTS: &[&str] = &[
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Post",
    "s3:ObjectRestore:Completed",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
    "s3:ObjectAcl:Put",
    "s3:ReducedRedundancyLostObject",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
];

const S3_EVENT: &[Key] = &[
    key("bucket", "Name of the bucket.", &Text),
    key("event", "What must happen to an object; `s3:ObjectCreated:*` unless set.", &Choice(S3_EVENTS)),
    key(
        "rules",
        "What the object's key must begin and end with.",
        &ListOf(&Map(&[key("prefix", "What the key must begin with.", &Text), key("suffix", "What the key must end with.", &Text)])),
    ),
    key("existing", "Whether the bucket is made elsewhere.", &Bool),
    quiet("forceDeploy", "Whether the notification of an existing bucket is deployed at every time."),
];

const STREAM_EVENT: &[Key] = &[
    key("type", "Kind of the stream; only `dynamodb` is emulated.", &Choice(&["dynamodb", "kinesis"])),
    key("arn", "ARN of the stream, such as `!GetAtt Orders.StreamArn`.", &Text),
    key("batchSize", "The most records of a batch; 10 unless set.", &Int(1, 10_000)),
    key("batchWindow", "Seconds that a batch may wait to fill.", &Int(0, 300)),
    key(
        "startingPosition",
        "Where to begin: at the oldest record (`TRIM_HORIZON`, which it is unless set) or with the next (`LATEST`).",
        &Choice(&["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]),
    ),
    key("maximumRetryAttempts", "How often a failed batch is tried again; -1: until its records expire.", &Int(-1, 10_000)),
    key("bisectBatchOnFunctionError", "Whether a batch that failed is halved, to find the record that is to blame.", &Bool),
    key("functionResponseType", "`ReportBatchItemFailures`: the function's answer says which record failed.", &RESPONSE_TYPE),
    key(
        "destinations",
        "Where records go that failed for good.",
        &Map(&[key("onFailure", "The queue or topic that gets what is known of a failed batch.", &DESTINATION)]),
    ),
    key("enabled", "Whether the stream calls the function; true unless set.", &Bool),
    key("filterPatterns", "Patterns: a record must fit one of them.", &FILTERS),
    quiet("consumer", "The consumer of a Kinesis stream."),
    quiet("parallelizationFactor", "Batches of one shard at once."),
    later("maximumRecordAgeInSeconds", "Seconds after which a record is given up."),
    later("startingPositionTimestamp", "The time to begin at."),
    later("tumblingWindowInSeconds", "Seconds of a window that results are added up over."),
];

const SNS_EVENT: &[Key] = &[
    key("arn", "ARN of the topic, such as `!Ref News`.", &Text),
    key("topicName", "Name of the topic.", &Text),
    key("filterPolicy", "What the attributes of a message must be.", &MapOf(&Any)),
    quiet("displayName", "Name of the topic that its mails show."),
    later("filterPolicyScope", "Whether the policy is about attributes or the body."),
    later("redrivePolicy", "The queue that gets messages that could not be delivered."),
];

const RESOURCES: &[Key] = &[
    key("Resources", "The resources, by logical id.", &MapOf(&RESOURCE)),
    key("Conditions", "Conditions, for `!If` and for `Condition` of a resource.", &MapOf(&Any)),
    key("Parameters", "Parameters, for `!Ref`; the default is the value.", &MapOf(&Any)),
    key("Mappings", "Tables of values, for `!FindInMap`.", &MapOf(&Any)),
    quiet("AWSTemplateFormatVersion", "The version of the template's form."),
    quiet("Description", "What the stack is, in words."),
    quiet("Metadata", "More about the template."),
    quiet("Outputs", "Values that other stacks may import."),
    quiet("Rules", "Rules for the parameters."),
    quiet("Transform", "Macros that change the template."),
    quiet("extensions", "Changes to the resources that Serverless makes."),
];

const RESOURCE: Shape = Map(&[
    key("Type", "The type, such as `AWS::DynamoDB::Table`.", &Text),
    key("Properties", "The properties, as of CloudFormation.", &MapOf(&Any)),
    key("Condition", "The resource is there only where this condition holds.", &Text),
    quiet("CreationPolicy", "What to wait for when it is made."),
    quiet("DeletionPolicy", "What becomes of it when the stack goes: `Delete`, `Retain` or `Snapshot`."),
    quiet("DependsOn", "Resources that are made before it."),
    quiet("Metadata", "More about the resource."),
    quiet("UpdatePolicy", "How it is updated."),
    quiet("UpdateReplacePolicy", "What becomes of it when an update replaces it."),
]);

/// `emu.sandbox`.
pub const SANDBOX: Shape = Map(&[
    key(
        "isolation",
        "`fresh`: a new sandbox for every invocation, which it is unless set; `warm`: kept and used again, as the clouds do.",
        &Choice(&["fresh", "warm"]),
    ),
    key(
        "allow",
        "Hosts that functions may reach: `example.com`, `*.example.com`, with an optional `:port`. All others are refused.",
        &TEXT_OR_LIST,
    ),
]);

const EMU: &[Key] = &[
    key(
        "ports",
        "Ports to listen on; the next free one is taken where one is in use.",
        &Map(&[
            key("http", "Port of the functions' routes; 3000 unless set.", &PORT),
            key("aws", "Port of the AWS services; 4566 unless set.", &PORT),
            key("admin", "Port of the admin API, and of Firebase's hub; 4400 unless set.", &PORT),
            key("auth", "Port of Firebase Authentication; 9099 unless set.", &PORT),
            key("firestore", "Port of Firestore; 8080 unless set.", &PORT),
            key("storage", "Port of Cloud Storage; 9199 unless set.", &PORT),
            key("functions", "Port of Firebase's functions; 5001 unless set.", &PORT),
            key("hosting", "Port of Firebase Hosting; 5000 unless set.", &PORT),
            key("pubsub", "Port of Pub/Sub; 8085 unless set.", &PORT),
            key("tasks", "Port of Cloud Tasks; 9499 unless set.", &PORT),
            key("messaging", "Port of Cloud Messaging; 5228 unless set.", &PORT),
        ]),
    ),
    key(
        "firebase",
        "How the Firebase project beside this file is run.",
        &Map(&[key(
            "modules",
            "Which `firebase-admin` and `firebase-functions` functions use: emu's own, which they do unless set, or those that are installed.",
            &Choice(&MODULES),
        )]),
    ),
    key("sandbox", "What functions run in, and what they may reach.", &SANDBOX),
    key("seed", "Files or folders with data to load into an empty state.", &TEXT_OR_LIST),
    key(
        "retry",
        "How failed asynchronous invocations are tried again.",
        &Map(&[key("delaysMs", "Milliseconds to wait before each try; 60000 and 120000 unless set.", &ListOf(&Int(0, 86_400_000)))]),
    ),
    key("state", "Folder of the state; `.emu` unless set.", &Text),
    key(
        "watch",
        "Which changes of files matter.",
        &Map(&[key("ignore", "Patterns of files and folders whose changes do not matter, such as `docs/**`.", &TEXT_OR_LIST)]),
    ),
    key(
        "journal",
        "How much is kept of what happened, for `emu logs` and `emu trace`; the oldest records go first.",
        &Map(&[
            key("recordsMax", "The most records; 50000 unless set, 0 for none.", &Int(0, 100_000_000)),
            key("megabytesMax", "The most megabytes; 200 unless set.", &Int(0, 1_000_000)),
        ]),
    ),
    key(
        "variables",
        "Values that only the cloud, another stack or a plugin would know, by the variable's address, such as `ssm:/key`.",
        &MapOf(&Any),
    ),
    key(
        "budget",
        "The most dollars that a call may cost under `emu exec`, with all that it leads to, by route or function: `POST /orders: 0.00002`.",
        &MapOf(&Text),
    ),
];
