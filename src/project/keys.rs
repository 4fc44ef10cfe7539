//! The one table of everything that may stand in a project file: names, shapes, and whether emu acts on them. The names are those of
//! the Serverless Framework v3 (its configuration reference for AWS); `emu` is ours.

/// A key and what it takes.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub shape: &'static Shape,
    pub support: Support,
}

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

use Shape::*;

const fn key(name: &'static str, shape: &'static Shape) -> Key {
    Key { name, shape, support: Support::Full }
}

const fn quiet(name: &'static str) -> Key {
    Key { name, shape: &Any, support: Support::Deployment }
}

const fn later(name: &'static str) -> Key {
    Key { name, shape: &Any, support: Support::None }
}

const TEXT_OR_LIST: Shape = OneOrMore(&Text);
const MEMORY: Shape = Int(128, 10_240);
const TIMEOUT: Shape = Int(1, 900);
const ENVIRONMENT: Shape = MapOf(&Text);
const PORT: Shape = Int(0, 65_535);
const PAYLOAD: Shape = Choice(&["1.0", "2.0"]);
const RESPONSE_TYPE: Shape = Choice(&["ReportBatchItemFailures"]);
const FILTERS: Shape = ListOf(&MapOf(&Any));
const METHODS: &[&str] = &["ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "*"];

/// The whole file.
pub const FILE: Shape = Map(&[
    key("service", &Text),
    key("provider", &Either(&[Map(PROVIDER), Text])),
    key("functions", &Either(&[MapOf(&FUNCTION), ListOf(&MapOf(&FUNCTION))])),
    key("resources", &Either(&[Map(RESOURCES), ListOf(&Map(RESOURCES))])),
    key("params", &MapOf(&MapOf(&Any))),
    key("custom", &Any),
    key("plugins", &Any),
    key("useDotenv", &Bool),
    key("emu", &Map(EMU)),
    quiet("app"),
    quiet("build"),
    quiet("configValidationMode"),
    quiet("console"),
    quiet("deprecationNotificationMode"),
    quiet("disabledDeprecations"),
    quiet("frameworkVersion"),
    quiet("org"),
    quiet("outputs"),
    quiet("package"),
    quiet("projectDir"),
    quiet("unresolvedVariablesNotificationMode"),
    quiet("variablesResolutionMode"),
    later("layers"),
    later("stages"),
]);

const PROVIDER: &[Key] = &[
    key("name", &Text),
    key("runtime", &Text),
    key("stage", &Text),
    key("region", &Text),
    key("memorySize", &MEMORY),
    key("timeout", &TIMEOUT),
    key("environment", &ENVIRONMENT),
    key("httpApi", &Map(HTTP_API)),
    quiet("apiName"),
    quiet("architecture"),
    quiet("cfnRole"),
    quiet("deploymentBucket"),
    quiet("deploymentMethod"),
    quiet("deploymentPrefix"),
    quiet("disableDefaultOutputExportNames"),
    quiet("disableRollback"),
    quiet("ecr"),
    quiet("endpointType"),
    quiet("iam"),
    quiet("iamManagedPolicies"),
    quiet("iamRoleStatements"),
    quiet("kmsKeyArn"),
    quiet("kinesis"),
    quiet("lambdaHashingVersion"),
    quiet("logDataProtectionPolicy"),
    quiet("logRetentionInDays"),
    quiet("logs"),
    quiet("notificationArns"),
    quiet("profile"),
    quiet("role"),
    quiet("rolePermissionsBoundary"),
    quiet("rollbackConfiguration"),
    quiet("runtimeManagement"),
    quiet("snapStart"),
    quiet("stackName"),
    quiet("stackParams"),
    quiet("stackPolicy"),
    quiet("stackTags"),
    quiet("tags"),
    quiet("tracing"),
    quiet("versionFunctions"),
    later("alb"),
    later("apiGateway"),
    later("apiKeys"),
    later("cloudFront"),
    later("eventBridge"),
    later("layers"),
    later("resourcePolicy"),
    later("s3"),
    later("usagePlan"),
    later("vpc"),
    later("vpcEndpointIds"),
    later("websocketsApiName"),
    later("websocketsApiRouteSelectionExpression"),
    later("websocketsDescription"),
];

const HTTP_API: &[Key] = &[
    key("payload", &PAYLOAD),
    key("cors", &Either(&[Bool, Map(HTTP_API_CORS)])),
    quiet("disableDefaultEndpoint"),
    quiet("id"),
    quiet("metrics"),
    quiet("name"),
    quiet("shouldStartNameWithService"),
    quiet("useProviderTags"),
    later("authorizers"),
];

const HTTP_API_CORS: &[Key] = &[
    key("allowedOrigins", &TEXT_OR_LIST),
    key("allowedHeaders", &TEXT_OR_LIST),
    key("allowedMethods", &TEXT_OR_LIST),
    key("exposedResponseHeaders", &TEXT_OR_LIST),
    key("allowCredentials", &Bool),
    key("maxAge", &Int(0, 86_400)),
];

const FUNCTION: Shape = Map(&[
    key("handler", &Text),
    key("name", &Text),
    key("runtime", &Text),
    key("build", &Text),
    key("memorySize", &MEMORY),
    key("timeout", &TIMEOUT),
    key("environment", &ENVIRONMENT),
    key("events", &ListOf(&OneKey(EVENTS))),
    key("reservedConcurrency", &Int(0, 1_000)),
    key("maximumRetryAttempts", &Int(0, 2)),
    key("maximumEventAge", &Int(60, 21_600)),
    key("onError", &Text),
    key("destinations", &Map(DESTINATIONS)),
    quiet("architecture"),
    quiet("awsKmsKeyArn"),
    quiet("condition"),
    quiet("dependsOn"),
    quiet("description"),
    quiet("disableLogs"),
    quiet("iamRoleStatements"),
    quiet("iamRoleStatementsInherit"),
    quiet("iamRoleStatementsName"),
    quiet("kmsKeyArn"),
    quiet("logDataProtectionPolicy"),
    quiet("logRetentionInDays"),
    quiet("logs"),
    quiet("package"),
    quiet("provisionedConcurrency"),
    quiet("role"),
    quiet("runtimeManagement"),
    quiet("snapStart"),
    quiet("tags"),
    quiet("tracing"),
    quiet("versionFunction"),
    later("ephemeralStorageSize"),
    later("fileSystemConfig"),
    later("image"),
    later("layers"),
    later("url"),
    later("vpc"),
]);

const DESTINATIONS: &[Key] = &[key("onSuccess", &DESTINATION), key("onFailure", &DESTINATION)];
const DESTINATION: Shape = Either(&[Text, Map(&[key("type", &Choice(&["sns", "sqs", "function", "eventBus"])), key("arn", &Text)])]);

/// Every event source that Serverless knows.
pub const EVENTS: &[Key] = &[
    key("httpApi", &Either(&[Text, Map(HTTP_API_EVENT)])),
    key("http", &Either(&[Text, Map(HTTP_EVENT)])),
    key("schedule", &Either(&[Text, Map(SCHEDULE_EVENT)])),
    key("sqs", &Either(&[Text, Map(SQS_EVENT)])),
    key("s3", &Either(&[Text, Map(S3_EVENT)])),
    key("stream", &Either(&[Text, Map(STREAM_EVENT)])),
    key("sns", &Either(&[Text, Map(SNS_EVENT)])),
    later("activemq"),
    later("alb"),
    later("alexaSkill"),
    later("alexaSmartHome"),
    later("cloudFront"),
    later("cloudwatchEvent"),
    later("cloudwatchLog"),
    later("cognitoUserPool"),
    later("eventBridge"),
    later("iot"),
    later("iotFleetProvisioning"),
    later("kafka"),
    later("msk"),
    later("rabbitmq"),
    later("websocket"),
];

const HTTP_API_EVENT: &[Key] = &[key("method", &Choice(METHODS)), key("path", &Text), later("authorizer")];

const HTTP_EVENT: &[Key] = &[
    key("method", &Choice(METHODS)),
    key("path", &Text),
    key("cors", &Either(&[Bool, Map(HTTP_CORS)])),
    key("integration", &Choice(&["lambda-proxy", "aws-proxy", "AWS_PROXY", "LAMBDA-PROXY", "lambda", "aws", "http", "http-proxy", "mock"])),
    quiet("connectionId"),
    quiet("connectionType"),
    quiet("documentation"),
    quiet("operationId"),
    later("async"),
    later("authorizer"),
    later("private"),
    later("request"),
    later("response"),
];

const HTTP_CORS: &[Key] = &[
    key("origin", &Text),
    key("origins", &TEXT_OR_LIST),
    key("headers", &TEXT_OR_LIST),
    key("methods", &TEXT_OR_LIST),
    key("exposedHeaders", &TEXT_OR_LIST),
    key("allowCredentials", &Bool),
    key("maxAge", &Int(0, 86_400)),
    quiet("cacheControl"),
];

const SCHEDULE_EVENT: &[Key] = &[
    key("rate", &TEXT_OR_LIST),
    key("enabled", &Bool),
    key("name", &Text),
    key("input", &Any),
    quiet("description"),
    quiet("groupName"),
    quiet("method"),
    later("inputPath"),
    later("inputTransformer"),
    later("timezone"),
];

const SQS_EVENT: &[Key] = &[
    key("arn", &Text),
    key("batchSize", &Int(1, 10_000)),
    key("maximumBatchingWindow", &Int(0, 300)),
    key("functionResponseType", &RESPONSE_TYPE),
    key("enabled", &Bool),
    key("maximumConcurrency", &Int(2, 1_000)),
    key("filterPatterns", &FILTERS),
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
    key("bucket", &Text),
    key("event", &Choice(S3_EVENTS)),
    key("rules", &ListOf(&Map(&[key("prefix", &Text), key("suffix", &Text)]))),
    key("existing", &Bool),
    quiet("forceDeploy"),
];

const STREAM_EVENT: &[Key] = &[
    key("type", &Choice(&["dynamodb", "kinesis"])),
    key("arn", &Text),
    key("batchSize", &Int(1, 10_000)),
    key("batchWindow", &Int(0, 300)),
    key("startingPosition", &Choice(&["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"])),
    key("maximumRetryAttempts", &Int(-1, 10_000)),
    key("bisectBatchOnFunctionError", &Bool),
    key("functionResponseType", &RESPONSE_TYPE),
    key("destinations", &Map(&[key("onFailure", &DESTINATION)])),
    key("enabled", &Bool),
    key("filterPatterns", &FILTERS),
    quiet("consumer"),
    quiet("parallelizationFactor"),
    later("maximumRecordAgeInSeconds"),
    later("startingPositionTimestamp"),
    later("tumblingWindowInSeconds"),
];

const SNS_EVENT: &[Key] = &[
    key("arn", &Text),
    key("topicName", &Text),
    key("filterPolicy", &MapOf(&Any)),
    quiet("displayName"),
    later("filterPolicyScope"),
    later("redrivePolicy"),
];

const RESOURCES: &[Key] = &[
    key("Resources", &MapOf(&RESOURCE)),
    key("Conditions", &MapOf(&Any)),
    key("Parameters", &MapOf(&Any)),
    key("Mappings", &MapOf(&Any)),
    quiet("AWSTemplateFormatVersion"),
    quiet("Description"),
    quiet("Metadata"),
    quiet("Outputs"),
    quiet("Rules"),
    quiet("Transform"),
    quiet("extensions"),
];

const RESOURCE: Shape = Map(&[
    key("Type", &Text),
    key("Properties", &MapOf(&Any)),
    key("Condition", &Text),
    quiet("CreationPolicy"),
    quiet("DeletionPolicy"),
    quiet("DependsOn"),
    quiet("Metadata"),
    quiet("UpdatePolicy"),
    quiet("UpdateReplacePolicy"),
]);

const EMU: &[Key] = &[
    key("ports", &Map(&[key("http", &PORT), key("aws", &PORT), key("admin", &PORT)])),
    key("sandbox", &Map(&[key("isolation", &Choice(&["fresh", "warm"])), key("allow", &TEXT_OR_LIST)])),
    key("seed", &TEXT_OR_LIST),
    key("retry", &Map(&[key("delaysMs", &ListOf(&Int(0, 86_400_000)))])),
    key("state", &Text),
    key("watch", &Map(&[key("ignore", &TEXT_OR_LIST)])),
    key("journal", &Map(&[key("recordsMax", &Int(0, 100_000_000)), key("megabytesMax", &Int(0, 1_000_000))])),
    key("variables", &MapOf(&Any)),
    key("budget", &MapOf(&Text)),
];

/// Types of resources that only matter in the cloud, or that emu does by itself: accepted without a word. A trailing `*` means any end.
pub const QUIET_RESOURCES: &[&str] = &[
    "AWS::IAM::*",
    "AWS::Logs::*",
    "AWS::CloudWatch::*",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::KMS::*",
    "AWS::ApplicationAutoScaling::*",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::CloudFormation::*",
    "AWS::SSM::Parameter",
    "AWS::SES::EmailIdentity",
    "Custom::*",
];

/// Types of resources that emu has.
pub const EMULATED_RESOURCES: &[&str] = &[
    "AWS::DynamoDB::Table",
    "AWS::DynamoDB::GlobalTable",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
    "AWS::SNS::Subscription",
];

/// Plugins whose work emu does itself, or that only matter for a deployment.
pub const QUIET_PLUGINS: &[&str] = &[
    "serverless-offline",
    "serverless-esbuild",
    "serverless-webpack",
    "serverless-bundle",
    "serverless-plugin-typescript",
    "serverless-dotenv-plugin",
    "serverless-dynamodb",
    "serverless-dynamodb-local",
    "serverless-s3-local",
    "serverless-offline-sqs",
    "serverless-offline-sns",
    "serverless-offline-ses-v2",
    "serverless-offline-scheduler",
    "serverless-offline-dynamodb-streams",
    "serverless-localstack",
    "serverless-iam-roles-per-function",
    "serverless-prune-plugin",
    "serverless-plugin-warmup",
    "serverless-plugin-tracing",
    "serverless-plugin-canary-deployments",
    "serverless-plugin-split-stacks",
    "serverless-plugin-resource-tagging",
    "serverless-plugin-lambda-dead-letter",
    "serverless-domain-manager",
    "serverless-deployment-bucket",
    "serverless-package-python-functions",
    "serverless-plugin-log-retention",
    "serverless-associate-waf",
    "serverless-s3-sync",
    "serverless-export-env",
    "serverless-pseudo-parameters",
    "serverless-plugin-utils",
];
